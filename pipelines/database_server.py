"""A PostgreSQL or a MariaDB of one's own: in a folder of its own, on a free port of this machine, gone at the end.

Belongs here: starting and stopping it, for tests and benchmarks. Does not belong here: a clinic's database, which is pulled
from where it is (`assets.feeds.pulls.sql`).
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOT_THERE = "The server of {kind} is not installed; `python3 -m pipelines test` installs it where it may"
_ACCOUNT = "postgres"


def programs() -> Path | None:
    """The folder of initdb and pg_ctl: the newest that Debian installed, or where the search path has them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).resolve().parent if on_path else None


@contextmanager
def database_server() -> Iterator[str]:
    """The server's address, as a URL.

    Raises:
        RuntimeError: where it is not installed.
    """
    where = programs()
    if where is None:
        raise RuntimeError(NOT_THERE.format(kind="PostgreSQL"))
    # Not among folders that are closed to PostgreSQL's account.
    with tempfile.TemporaryDirectory(prefix="rapport-postgres-") as name:
        if os.geteuid() == 0:
            shutil.chown(name, _ACCOUNT)
        folder, port = Path(name), _free_port()
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c timezone=UTC"
        cluster = ["-D", str(folder / "data")]
        _run(where / "initdb", *cluster, "-U", "rapport", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        _run(where / "pg_ctl", *cluster, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://rapport@127.0.0.1:{port}/postgres"
        finally:
            _run(where / "pg_ctl", *cluster, "-w", "-m", "immediate", "stop")


def mariadb_program() -> str | None:
    """MariaDB's server, where it is installed."""
    return shutil.which("mariadbd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def mariadb_server() -> Iterator[str]:
    """The address, as a URL, of a MariaDB server, which speaks as MySQL does; its database is `records`.

    Raises:
        RuntimeError: where it is not installed, or does not begin to answer.
    """
    server = mariadb_program()
    if server is None:
        raise RuntimeError(NOT_THERE.format(kind="MariaDB"))
    with tempfile.TemporaryDirectory(prefix="rapport-mariadb-") as name:
        folder, port = Path(name), _free_port()
        (folder / "data").mkdir()
        begin = folder / "begin.sql"
        begin.write_text("CREATE DATABASE records CHARACTER SET utf8mb4;", encoding="utf-8")
        # Without accounts it needs no tables of its own, which a package of tools would have to make.
        process = subprocess.Popen(
            [
                *(server, "--no-defaults", "--skip-grant-tables", "--skip-log-bin", "--default-time-zone=+00:00"),
                *(f"--datadir={folder / 'data'}", f"--socket={folder / 'socket'}", f"--init-file={begin}"),
                *(f"--port={port}", "--bind-address=127.0.0.1"),
                *(["--user=root"] if os.geteuid() == 0 else []),
            ],
            cwd="/",
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_open(port, process=process)
            yield f"mysql://rapport@127.0.0.1:{port}/records"
        finally:
            process.terminate()
            process.wait()


def _wait_until_open(port: int, *, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("MariaDB's server does not begin to answer")


def _run(program: Path, *words: str) -> None:
    # PostgreSQL refuses to run as root: then its own account is used.
    as_its_account = ["runuser", "-u", _ACCOUNT, "--"] if os.geteuid() == 0 else []
    subprocess.run([*as_its_account, str(program), *words], cwd="/", capture_output=True, check=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
