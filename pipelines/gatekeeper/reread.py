"""A file that somebody keeps by hand while the server runs: read again when it changes, and the last good one kept.

Belongs here: noticing a change. Does not belong here: what the file says.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from assets.feeds.wrong_input import WrongInput

T = TypeVar("T")
_Signature = tuple[int, int, int] | None


class Fixed(Generic[T]):
    """What no file says and nothing changes, for a demonstration."""

    problem: str | None = None

    def __init__(self, value: T) -> None:
        self._value = value

    def current(self) -> T:
        """Always the same."""
        return self._value


class Reread(Generic[T]):
    """What a file says now, or said when it was last well.

    Args:
        file: the file.
        read: reads it whole.
        say: told of every change: what happened, and the fault or None.

    Raises:
        WrongInput: where the file is not well at the start, since nothing good has been read yet.
    """

    def __init__(self, file: Path, *, read: Callable[[Path], T], say: Callable[[str, str | None], None]) -> None:
        self.file = file
        self.problem: str | None = None
        self._read = read
        self._say = say
        self._signature = self._look()
        self._value = read(file)

    def current(self) -> T:
        """What the file says, looking whether it has changed; a bad file changes nothing but `problem`."""
        signature = self._look()
        if signature == self._signature:
            return self._value
        self._signature = signature
        try:
            self._value = self._read(self.file)
        except WrongInput as wrong:
            self.problem = str(wrong)
            self._say("the last good one is kept", self.problem)
        else:
            self.problem = None
            self._say("read again", None)
        return self._value

    def _look(self) -> _Signature:
        try:
            found = self.file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
