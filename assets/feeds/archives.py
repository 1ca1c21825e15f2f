"""Files within files: zip archives and gzip, opened block by block and never further than they may be.

Belongs here: what an archive holds, and its bytes unpacked beside the landed copy. Does not belong here: which member is
whose (`mapping`, `landing`) and what is in one (`reading`).

An archive is known by its name's end, `.zip` or `.gz`. No member's name ever becomes a path: a member is unpacked under a
name of ours. What unpacks to more than `MOST_BYTES`, or to more than `BEYOND_SUSPICION` bytes and `MOST_TIMES` its own
size, is taken for a bomb, whatever its directory says of it.
"""

import gzip
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

from assets.feeds.wrong_input import WrongInput

MOST_BYTES: Final = 64 << 30
BEYOND_SUSPICION: Final = 1 << 30
MOST_TIMES: Final = 250
MOST_MEMBERS: Final = 10_000
_BLOCK: Final = 1 << 20
_IS_ENCRYPTED: Final = 0x1
_DRIVE: Final = re.compile("[A-Za-z]:")
_DAMAGE: Final = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, KeyError)


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file within an archive.

    Attributes:
        name: as the archive has it, with slashes.
        sha256: of its unpacked bytes.
        bytes: their number.
    """

    name: str
    sha256: str
    bytes: int


def is_archive(name: str) -> bool:
    """Whether a file of that name holds files of its own."""
    return name.lower().endswith(".zip")


def is_packed(name: str) -> bool:
    """Whether a file of that name is one file under gzip."""
    return name.lower().endswith(".gz")


def members_of(path: Path, *, name: str) -> tuple[Member, ...]:
    """The files of a zip archive in its own order, each read through to its end; folders and hidden files are none.

    Args:
        path: the archive.
        name: what the clinic calls it.

    Raises:
        WrongInput: it is damaged, locked, a bomb, empty, or names a place outside itself.
    """
    with _told_in_one_line(name), zipfile.ZipFile(path) as archive:
        inside = [each for each in archive.infolist() if not each.is_dir() and not _is_hidden(each.filename)]
        _check_directory(inside, name)
        allowance = _Allowance(packed=path.stat().st_size, name=name)
        members = []
        for each in inside:
            digest, size = hashlib.sha256(), 0
            with archive.open(each) as file:
                for block in allowance.blocks(file):
                    digest.update(block)
                    size += len(block)
            members.append(Member(name=each.filename, sha256=digest.hexdigest(), bytes=size))
    if not members:
        raise WrongInput("is an archive without a file in it", place=name, mend="send it again with its files")
    return tuple(members)


@contextmanager
def unpacked(path: Path, *, name: str, member: str | None, copy: Path) -> Iterator[Path]:
    """A landed file's own bytes: the landed copy where they are that, else a copy that is removed again.

    Args:
        path: the landed copy, which is never changed.
        name: what the clinic calls the file.
        member: which file of the archive is meant; None where the file is no archive.
        copy: where unpacked bytes go.

    Raises:
        WrongInput: it is damaged or a bomb.
    """
    if member is None and not is_packed(name):
        yield path
        return
    try:
        with _told_in_one_line(name):
            _unpack(path, name=name, member=member, copy=copy)
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def parts_of(path: Path, *, name: str) -> Iterator[tuple[str, bytes]]:
    """Every part of a file that is a zip archive by itself, as workbooks are, block by block with the part's name.

    Raises:
        WrongInput: it is damaged, or unpacks to more than any archive may.
    """
    with _told_in_one_line(name), zipfile.ZipFile(path) as archive:
        allowance = _Allowance(packed=path.stat().st_size, name=name)
        for each in archive.infolist():
            with archive.open(each) as file:
                for block in allowance.blocks(file):
                    yield each.filename, block


class _Allowance:
    """How much one sent file may still unpack to."""

    def __init__(self, *, packed: int, name: str) -> None:
        self._most = min(MOST_BYTES, max(BEYOND_SUSPICION, MOST_TIMES * packed))
        self._name = name
        self._taken = 0

    def blocks(self, file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
        """A file's blocks, as long as they are allowed."""
        while block := file.read(_BLOCK):
            self._taken += len(block)
            if self._taken > self._most:
                raise WrongInput(
                    f"unpacks to more than {self._most >> 20} MiB", place=self._name, mend="send it in smaller parts"
                )
            yield block


def _unpack(path: Path, *, name: str, member: str | None, copy: Path) -> None:
    allowance = _Allowance(packed=path.stat().st_size, name=name)
    with copy.open("wb") as plain:
        if member is None:
            with gzip.open(path) as file:
                plain.writelines(allowance.blocks(file))
        else:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                plain.writelines(allowance.blocks(file))


def _is_hidden(name: str) -> bool:
    """What a file manager leaves behind is nobody's export."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or any(part.startswith(".") and part not in {".", ".."} for part in parts)


def _check_directory(inside: Iterable[zipfile.ZipInfo], name: str) -> None:
    names: set[str] = set()
    for each in inside:
        said = each.filename
        if each.flag_bits & _IS_ENCRYPTED:
            raise WrongInput("is locked with a password", place=name, mend="send it without one")
        if "\\" in said or said.startswith("/") or _DRIVE.match(said) or ".." in PurePosixPath(said).parts:
            raise WrongInput("names a file outside itself", place=name, mend="pack the files by their plain names")
        if said in names:
            raise WrongInput("holds two files of one name", place=name, mend="pack each file once")
        names.add(said)
        if len(names) > MOST_MEMBERS:
            raise WrongInput(f"holds more than {MOST_MEMBERS} files", place=name, mend="send it in smaller parts")


@contextmanager
def _told_in_one_line(name: str) -> Iterator[None]:
    try:
        yield
    except _DAMAGE:
        raise _damaged(name) from None
    except OSError as error:
        # What the system says, as of a full disk, has a number; what is said of the bytes has none.
        if error.errno is not None:
            raise
        raise _damaged(name) from None


def _damaged(name: str) -> WrongInput:
    return WrongInput("is a damaged archive, or none", place=name, mend="send it again whole")
