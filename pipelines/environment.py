"""The environment the commands run in: `.venv`, made from `requirements.lock` by the standard library alone.

Nothing here may import a package that has to be installed. What the commands do once they stand inside belongs in
`command_line` and below.
"""

import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT_BESIDE_THE_LOCK = frozenset({"pip", "setuptools"})
FETCHED = re.compile(r"^(Collecting|Processing) ")
PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)
TOLD_EVERY = 20

Say = Callable[[str], None]


class EnvironmentNotReady(Exception):
    """The environment could not be made; the message says why and what mends it, in one line."""


def say_on_stderr(sentence: str) -> None:
    """Progress goes to standard error, so that what a command prints can be piped."""
    sys.stderr.write(f"rapport: {sentence}\n")
    sys.stderr.flush()


def interpreter_of(folder: Path) -> Path:
    """Where an environment keeps its Python."""
    return folder / "bin" / "python"


def stamp_of(folder: Path) -> Path:
    """The file written last, when every package stands: the lock's sha256 and the Python it was made with."""
    return folder / "made-from.txt"


def stamp_for(lock: Path) -> str:
    """What the stamp must say for an environment to match `lock` under the running Python."""
    return f"requirements.lock sha256 {hashlib.sha256(lock.read_bytes()).hexdigest()}\n{made_with()}\n"


def made_with() -> str:
    """The running Python, as far as installed packages depend on it."""
    return f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"


def is_ready(folder: Path, lock: Path) -> bool:
    """Whether `folder` was made, completely, from this `lock` and this Python. Reads two files and asks no network."""
    try:
        return stamp_of(folder).read_text(encoding="utf-8") == stamp_for(lock) and interpreter_of(folder).exists()
    except OSError:
        return False


def continue_inside(arguments: list[str], *, root: Path = ROOT) -> None:
    """Return when the running Python is the environment's own and the environment is ready; else make it so.

    The process is replaced by the same command inside the environment: directory, arguments and standard streams stay,
    and its exit status is this command's.

    Args:
        arguments: What followed `python3 -m pipelines`.
        root: The clone, which holds `requirements.lock` and gets `.venv`.

    Raises:
        EnvironmentNotReady: when the environment cannot be made.
    """
    folder, lock = root / ".venv", root / "requirements.lock"
    prepare(folder, lock, say=say_on_stderr)
    if Path(sys.prefix).resolve() == folder.resolve():
        return
    python = str(interpreter_of(folder))
    # -P and PYTHONPATH: our packages come from the clone, never from a folder of that name where the command was typed.
    paths = [str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    sys.stdout.flush()
    os.execve(python, [python, "-P", "-m", "pipelines", *arguments], environment)  # noqa: S606


def prepare(folder: Path, lock: Path, *, say: Say) -> None:
    """Make the environment in `folder` match `lock`; do nothing where it does already.

    An environment made from another lock is brought up to date; one that was never finished, or belongs to another
    Python, is made anew. Of several commands that start at once, one does the work and the others wait for it.

    Args:
        folder: The environment's place.
        lock: Exact versions with hashes.
        say: Told of every long step.

    Raises:
        EnvironmentNotReady: with the cause and the mend.
    """
    if not lock.is_file():
        raise EnvironmentNotReady(f"{lock} is missing; start from a complete clone of the project")
    if is_ready(folder, lock):
        return
    try:
        with _one_at_a_time(folder.parent, say=say) as held:
            if not is_ready(folder, lock):
                _make(folder, lock, held=held, say=say)
    except OSError as cause:
        raise EnvironmentNotReady(f"{cause}; check that {folder.parent} is writable and has room") from cause


def pins(lock: Path) -> dict[str, str]:
    """Every package of `lock` by its normalised name, with its exact version."""
    return {_normalised(name): version for name, version in PINNED.findall(lock.read_text(encoding="utf-8"))}


@contextlib.contextmanager
def _one_at_a_time(root: Path, *, say: Say) -> Iterator[int]:
    try:
        import fcntl  # noqa: PLC0415
    except ImportError as missing:
        raise EnvironmentNotReady("this system has no file locks; use Linux, macOS or WSL") from missing
    # The clone's own directory is locked: no lock file to leave behind, and the system frees it if we are killed. The
    # programs we start hold it too: if we are killed they go on for a while, and nobody may start over beneath them.
    held = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another command is preparing the environment; waiting for it")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield held
    finally:
        os.close(held)


def _make(folder: Path, lock: Path, *, held: int, say: Say) -> None:
    if _finished_for_this_python(folder):
        say("requirements.lock has changed; bringing .venv up to date")
        stamp_of(folder).unlink()
    else:
        say("making .venv from requirements.lock (once; a few minutes with a slow connection)")
        _make_bare(folder, held=held)
    _install(folder, lock, held=held, say=say)
    _compile(folder, held=held)
    _remove_what_the_lock_does_not_name(folder, lock)
    _check_every_pin(folder, lock)
    unfinished = stamp_of(folder).with_suffix(".part")
    unfinished.write_text(stamp_for(lock), encoding="utf-8")
    unfinished.replace(stamp_of(folder))
    say("the environment is ready")


def _finished_for_this_python(folder: Path) -> bool:
    try:
        return stamp_of(folder).read_text(encoding="utf-8").splitlines()[1:] == [made_with()]
    except OSError:
        return False


def _make_bare(folder: Path, *, held: int) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)
    # Not sys.executable: started from inside an unfinished environment, that one has just been removed.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "venv", str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False, pass_fds=[held])
    if made.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise EnvironmentNotReady(
            f"Python could not make {folder} ({_last_line(made.stderr or made.stdout)}); "
            "install the venv module (on Debian: apt-get install python3-venv) and check that the folder is writable"
        )


def _install(folder: Path, lock: Path, *, held: int, say: Say) -> None:
    """Let pip install the lock: it is complete and hashed, so pip need not resolve anything."""
    log = folder / "set-up.log"
    command = [str(interpreter_of(folder)), "-m", "pip", "install", "--no-deps", "--require-hashes", "--no-input"]
    command += ["--no-compile", "--progress-bar", "off", "--disable-pip-version-check", "-r", str(lock)]
    named, fetched = len(pins(lock)), 0
    complaint = ""
    with (
        log.open("w", encoding="utf-8") as kept,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, pass_fds=[held]) as pip,
    ):
        for line in pip.stdout or ():
            kept.write(line)
            if line.startswith("ERROR:"):
                complaint = complaint or line.removeprefix("ERROR:").strip()
            if FETCHED.match(line):
                fetched += 1
                if fetched % TOLD_EVERY == 0:
                    say(f"fetched {fetched} of {named} packages")
            if line.startswith("Installing collected packages"):
                say(f"installing {named} packages")
    if pip.returncode != 0:
        raise EnvironmentNotReady(
            f"pip could not install requirements.lock ({complaint or 'no reason given'}); check that the package "
            f"registry can be reached and that the disk has room, then run the command again; pip's words are in {log}"
        )


def _compile(folder: Path, *, held: int) -> None:
    # All cores at once, where pip would use one. A template that is no Python fails to compile, and may.
    command = [str(interpreter_of(folder)), "-m", "compileall", "-q", "-j", "0", *_libraries(folder)]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, pass_fds=[held])


def _libraries(folder: Path) -> list[str]:
    return [str(path) for path in folder.glob("lib/python*/site-packages")]


def _remove_what_the_lock_does_not_name(folder: Path, lock: Path) -> None:
    extra = sorted(set(_installed(folder)) - set(pins(lock)) - KEPT_BESIDE_THE_LOCK)
    if extra:
        command = [str(interpreter_of(folder)), "-m", "pip", "uninstall", "--yes", "--quiet", *extra]
        removed = subprocess.run(command, capture_output=True, text=True, check=False)
        if removed.returncode != 0:
            raise EnvironmentNotReady(f"pip could not remove {', '.join(extra)}; delete {folder} and run it again")


def _check_every_pin(folder: Path, lock: Path) -> None:
    installed = _installed(folder)
    # A package that is missing may be one that the lock names for another system only; pip would have said otherwise.
    wrong = [f"{name} {version}" for name, version in pins(lock).items() if installed.get(name, version) != version]
    if wrong:
        raise EnvironmentNotReady(f"pip did not install {', '.join(wrong)}; delete {folder} and run it again")


def _installed(folder: Path) -> dict[str, str]:
    return {_normalised(found.metadata["Name"]): found.version for found in distributions(path=_libraries(folder))}


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "no reason given")
