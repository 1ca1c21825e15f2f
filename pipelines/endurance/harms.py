"""One harm to one night each: killed, out of room, or its input gone while it is read.

Belongs here: doing it. Does not belong here: how often, when, or what must be true afterwards. Every function runs a night of
the clinic and returns how it ended; what the night prints goes to `<clinic's folder>/told`.
"""

import ctypes
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import KILLED, before_each_change, begin, die_before_change, done

Night = Callable[[SmallClinic], int]
_BALLAST: Final = ".ballast"
# Linux's numbers of the rights by which root reads and writes whatever it likes, and of the call's version.
_RIGHTS_OF_ROOT: Final = (1 << 1) | (1 << 2)
_VERSION_3: Final = 0x20080522


def told(clinic: SmallClinic) -> Path:
    """Where its nights' words go."""
    return clinic.folder / "told"


def killed_at_moment(clinic: SmallClinic, *, night: Night, seconds: float) -> int:
    """Kill the whole group once it has used so many seconds of a processor; the exit status of a night that needed fewer.

    The night's own time, and not the clock's: on a machine that does other work, too, moments drawn by the clock would fall
    into a night's beginning.
    """
    group = begin(lambda: night(clinic), told=told(clinic))
    status = group.wait_until_used(seconds)
    if status is not None:
        return status
    group.kill()
    return group.wait()


def stopped_at_moment(clinic: SmallClinic, *, night: Night, seconds: float) -> int:
    """Ask the whole group to stop, by SIGTERM, once it has used so many seconds of a processor; how it ended."""
    group = begin(lambda: night(clinic), told=told(clinic))
    status = group.wait_until_used(seconds)
    if status is not None:
        return status
    group.stop()
    return group.wait()


def killed_at_change(clinic: SmallClinic, *, night: Night, number: int) -> int:
    """Kill the whole group right before its so-many-th change of the state folder."""

    def work() -> int:
        die_before_change(clinic.home, number=number)
        return night(clinic)

    return done(work, told=told(clinic))


def changes_of(clinic: SmallClinic, *, night: Night) -> list[str]:
    """A night left alone, and what it changed in the state folder, in that order."""
    notes = clinic.folder / "changes"
    notes.unlink(missing_ok=True)

    def work() -> int:
        with notes.open("w", encoding="utf-8", buffering=1) as opened:
            before_each_change(clinic.home, do=lambda _, what: opened.write(f"{what}\n") and None)
            return night(clinic)

    if done(work, told=told(clinic)) != 0:
        raise RuntimeError(f"a night that was left alone failed; {told(clinic)} says why")
    return notes.read_text(encoding="utf-8").splitlines()


def without_room(clinic: SmallClinic, *, night: Night, room: int) -> int:
    """A night whose file system has so many bytes left."""
    ballast = clinic.home / _BALLAST
    state = os.statvfs(clinic.home)
    size = state.f_bavail * state.f_frsize - room
    with ballast.open("wb") as opened:
        if size > 0:
            os.posix_fallocate(opened.fileno(), 0, size)
    try:
        return done(lambda: night(clinic), told=told(clinic))
    finally:
        ballast.unlink(missing_ok=True)


def with_short_files(clinic: SmallClinic, *, night: Night, longest: int) -> int:
    """A night that may make no file longer than so many bytes: for a machine where no file system can be mounted."""

    def work() -> int:
        resource.setrlimit(resource.RLIMIT_FSIZE, (longest, longest))
        return night(clinic)

    return done(work, told=told(clinic))


@contextmanager
def small_file_system(folder: Path, *, mebibytes: int) -> Iterator[bool]:
    """A file system of that size at a folder while the block runs; false where this account may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)]
    mount = shutil.which("mount")
    is_mounted = mount is not None and subprocess.run(words, check=False, capture_output=True).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            # Lazily: a reader may still have a file open there.
            subprocess.run([shutil.which("umount") or "umount", "-l", str(folder)], check=False, capture_output=True)


def input_gone(clinic: SmallClinic, *, night: Night, file: Path, at_reading: int, do: Callable[[Path], None]) -> int:
    """A night during which something is done to a file of the inbox right before it is opened the so-many-th time."""

    def work() -> int:
        count = 0

        def hook(event: str, given: tuple[object, ...]) -> None:
            nonlocal count
            if event == "open" and isinstance(given[0], str | os.PathLike) and os.fspath(given[0]) == os.fspath(file):
                count += 1
                if count == at_reading:
                    do(file)

        sys.addaudithook(hook)
        return night(clinic)

    return done(work, told=told(clinic))


def without_roots_rights(clinic: SmallClinic, *, night: Night) -> int:
    """A night by an account that must keep to the files' modes, root or not."""

    def work() -> int:
        lay_down_roots_rights()
        return night(clinic)

    return done(work, told=told(clinic))


def lay_down_roots_rights() -> None:
    """From now on root, too, is refused what a file's mode refuses."""
    if os.geteuid() != 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    head = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(head, sets) != 0:
        raise OSError(ctypes.get_errno(), "capget")
    for at in range(3):
        sets[at] &= ~_RIGHTS_OF_ROOT
    if libc.capset(head, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def was_killed(status: int) -> bool:
    """Whether a night ended by the kill and not by itself."""
    return status == KILLED
