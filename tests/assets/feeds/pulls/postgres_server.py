"""A real PostgreSQL for tests: a cluster of its own in a folder of its own, on a socket and a free port of this machine."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

NOT_THERE = "PostgreSQL's server is not installed; `python3 -m pipelines test` installs it where it may"


def programs():
    """The folder of initdb and pg_ctl: the newest that Debian installed, or where the search path has them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


def as_its_account(*words):
    """PostgreSQL refuses to run as root: then its own account is used."""
    return ["runuser", "-u", "postgres", "--", *words] if os.geteuid() == 0 else list(words)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def postgres_server():
    """The server's address, as a URL; gone with everything in it at the end."""
    where = programs()
    assert where is not None, NOT_THERE
    # Not among the other tests' folders, which are closed to PostgreSQL's account.
    with tempfile.TemporaryDirectory(prefix="rapport-postgres-") as folder:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        yield from _running(where, Path(folder), port=free_port())


def _running(where, folder, *, port):
    def run(*words):
        subprocess.run(as_its_account(*words), cwd="/", capture_output=True, check=True)

    data = folder / "data"
    run(where / "initdb", "-D", data, "-U", "rapport", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c timezone=UTC"
    run(where / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql://rapport@127.0.0.1:{port}/postgres"
    finally:
        run(where / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
