"""Work in a process group of its own, forked from a warm process: what it costs to start is paid once.

Belongs here: starting such a group, killing it, and acting on it before its n-th change of a folder. Does not belong here:
which work, or what must be true of what it leaves. A process that forks must not have used DuckDB or polars itself, since
their threads do not follow a fork: it gives every such work away, too.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

KILLED: Final = -signal.SIGKILL
_CHANGES: Final = frozenset(
    {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.chmod", "os.truncate"}
)
_LOOK_EVERY: Final = 0.005
_WRITING: Final = os.O_WRONLY | os.O_RDWR


@dataclass(frozen=True)
class Group:
    """A process that leads a group of its own, which dies with it when it is killed."""

    pid: int

    def kill(self) -> None:
        """Kill the whole group at once, as `kill -9` does."""
        os.killpg(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ask the whole group to stop, as a service manager does."""
        os.killpg(self.pid, signal.SIGTERM)

    def wait(self) -> int:
        """Its exit status; negative for the signal that ended it. It is killed where the wait is broken off."""
        try:
            _, status = os.waitpid(self.pid, 0)
        except BaseException:
            self._end()
            raise
        return os.waitstatus_to_exitcode(status)

    def wait_until_used(self, seconds: float) -> int | None:
        """Its exit status, or None where it still runs once it has used so many seconds of a processor."""
        try:
            while self._seconds_used() < seconds:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    return os.waitstatus_to_exitcode(status)
                time.sleep(_LOOK_EVERY)
        except BaseException:
            self._end()
            raise
        return None

    def _seconds_used(self) -> float:
        # After the name, which may hold anything, the 12th and 13th words are the ticks used by it and for it.
        words = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def _end(self) -> None:
        with suppress(ProcessLookupError, ChildProcessError):
            self.kill()
            os.waitpid(self.pid, 0)


def begin(work: Callable[[], int], *, told: Path) -> Group:
    """Start work in a group of its own; what it prints is appended to the file `told`."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return Group(pid)
    # Nothing of the parent's may be carried on: no exception, no handler at exit, no buffered word.
    try:
        os.setsid()
        descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        # Whatever the parent put in their place stays with the parent.
        sys.stdout, sys.stderr = (os.fdopen(number, "w", closefd=False) for number in (1, 2))
        status = work()
    except BaseException:  # noqa: BLE001 -- whatever it was, the file says it and the parent goes on
        traceback.print_exc()
        status = 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def done(work: Callable[[], int], *, told: Path) -> int:
    """Work in a group of its own, waited for; its exit status."""
    return begin(work, told=told).wait()


@contextmanager
def while_running(work: Callable[[], int], *, told: Path, processes: int) -> Iterator[None]:
    """So many processes that do the same work until the block ends, each told to stop by SIGTERM."""
    groups = [begin(work, told=told) for _ in range(processes)]
    try:
        yield
    finally:
        for group in groups:
            os.kill(group.pid, signal.SIGTERM)
        for group in groups:
            group.wait()


def kill_this_group() -> None:
    """The whole group, this process included, gone at once."""
    os.killpg(os.getpgid(0), signal.SIGKILL)


def before_each_change(folder: Path, *, do: Callable[[int, str], None]) -> None:
    """From now on call `do` before this process changes anything in a folder, with the change's number and what it is.

    There is no way back: a process that has asked for it is one that ends soon. Seen are the changes that Python makes
    (names, modes, files opened to be written), not bytes nor what a library in C writes.
    """
    root, count = os.fspath(folder), 0

    def hook(event: str, given: tuple[object, ...]) -> None:
        nonlocal count
        is_change = isinstance(given[2], int) and bool(given[2] & _WRITING) if event == "open" else event in _CHANGES
        if not is_change:
            return
        # Names relative to an opened folder are how a whole folder is removed; those are always ours.
        names = [os.fsdecode(each) for each in given if isinstance(each, str | bytes | os.PathLike)]
        if any(name.startswith(root) or (name and not name.startswith("/") and event != "open") for name in names):
            what = f"{event} {' '.join(names)}"
            count += 1
            do(count, what)

    sys.addaudithook(hook)


def die_before_change(folder: Path, *, number: int) -> None:
    """From now on, kill this process's whole group right before its so-many-th change of a folder."""

    def do(count: int, _: str) -> None:
        if count == number:
            kill_this_group()

    before_each_change(folder, do=do)


def answered(ask: Callable[[], object], *, told: Path) -> Any:
    """What work in a group of its own comes to, by way of JSON; for a parent that must not use a library itself."""
    answer = told.with_name(f".answer-{os.getpid()}")

    def work() -> int:
        answer.write_text(json.dumps(ask()), encoding="utf-8")
        return 0

    status = done(work, told=told)
    if status != 0:
        raise RuntimeError(f"what was asked ended with status {status}; {told} says why")
    said = json.loads(answer.read_text(encoding="utf-8"))
    answer.unlink()
    return said
