"""Files that are there whole or not at all, also after a kill or a power cut.

Belongs here: writing beside a file's place, waiting for the disk, and moving it there. Does not belong here: what is in a
file, or which files a folder should hold.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

UNFINISHED: Final = ".unfinished-"


def beside(place: Path) -> Path:
    """Where a file or folder is made before it stands in its place; whoever makes it again may remove it."""
    return place.with_name(UNFINISHED + place.name)


@contextmanager
def written_whole(place: Path, *, mode: int) -> Iterator[BinaryIO]:
    """A file to write, which takes its place when the block ends without an exception.

    Args:
        place: the file's; whatever stands there stays until then.
        mode: who may read it, from its first byte.
    """
    unfinished = beside(place)
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as opened:
        yield opened
    put_in_place(unfinished, place)


def put_in_place(unfinished: Path, place: Path) -> None:
    """Put a finished file on the disk and move it where it belongs, in the place of whatever stands there."""
    sync(unfinished)
    unfinished.replace(place)
    sync(place.parent)


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk: a file's own wait keeps only its bytes."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
