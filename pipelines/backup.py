"""One file that a service can be brought back from: what landed, what is published, and optionally the secret.

Belongs here: packing, unpacking, and proving that both are whole. Does not belong here: work in progress and Dagster's
history of runs, which a service can do without. The file holds row-level data as sent: it is written closed to others, and
belongs where the clinic keeps records.
"""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

from assets import warehouse
from assets.feeds import secret as secrets
from assets.feeds.wrong_input import WrongInput
from assets.whole_files import beside, written_whole

CONTENTS = "contents.json"
_FORMAT = 1
_PIECE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a backup holds.

    Attributes:
        made_at: when it was made.
        current: the version that readers got then; None where nothing was published.
        has_secret: whether the clinic's secret is in it.
        sha256: each file's hash, by its place in the state folder.
    """

    made_at: datetime
    current: str | None
    has_secret: bool
    sha256: Mapping[str, str]


def back_up(home: Path, *, to: Path, secret: Path | None, now: datetime) -> Contents:
    """Pack a state folder into one file, whole or not at all.

    Args:
        home: the state folder; the caller holds its night.
        to: the file to make; nothing may be there yet.
        secret: the clinic's secret, where it is to be packed too.
        now: this moment.

    Raises:
        WrongInput: where there is nothing to pack, or something stands in the way.
    """
    if to.exists():
        raise WrongInput("a file is there already", place=f"--to {to}", mend="name another; no backup is written over")
    current = warehouse.current_version(home)
    if current is None and not (home / "landing").is_dir():
        raise WrongInput(
            "nothing has landed or been published there", place=f"--home {home}", mend="name the state folder"
        )
    files = dict(_to_pack(home, current=current))
    if secret is not None:
        files[secrets.NAME] = secret
    with written_whole(to, mode=0o600) as opened, tarfile.open(fileobj=opened, mode="w:gz", compresslevel=6) as archive:
        sha256 = {name: _pack(archive, name, file=file) for name, file in sorted(files.items())}
        contents = Contents(made_at=now, current=current, has_secret=secret is not None, sha256=sha256)
        _pack_contents(archive, contents)
    return contents


def restore(file: Path, *, home: Path) -> Contents:
    """Unpack a backup into a state folder that is empty or not there yet, whole or not at all.

    Raises:
        WrongInput: where the folder is in use, or the file is not a backup or not whole.
    """
    if home.exists() and any(home.iterdir()):
        raise WrongInput(
            "the folder is not empty", place=f"--home {home}", mend="name a new one; nothing is written over"
        )
    unfinished = beside(home)
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o750)
    try:
        contents = _unpacked(file, into=unfinished)
    except WrongInput:
        shutil.rmtree(unfinished)
        raise
    if contents.current is not None:
        warehouse.point_current_at(unfinished, version=contents.current)
    if home.exists():
        home.rmdir()
    unfinished.replace(home)
    return contents


def _to_pack(home: Path, *, current: str | None) -> Iterator[tuple[str, Path]]:
    folders = [home / "landing"]
    if current is not None:
        folders.append(home / "published" / current)
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(home).as_posix(), path


def _pack(archive: tarfile.TarFile, name: str, *, file: Path) -> str:
    with file.open("rb") as stream:
        entry = archive.gettarinfo(arcname=name, fileobj=stream)
        entry.uname = entry.gname = ""
        hashed = _Hashed(stream)
        archive.addfile(entry, hashed)
    return hashed.digest.hexdigest()


def _pack_contents(archive: tarfile.TarFile, contents: Contents) -> None:
    told = json.dumps(
        {
            "format": _FORMAT,
            "made_at": contents.made_at.isoformat(),
            "current": contents.current,
            "has_secret": contents.has_secret,
            "sha256": dict(contents.sha256),
        }
    ).encode()
    entry = tarfile.TarInfo(CONTENTS)
    entry.size = len(told)
    archive.addfile(entry, io.BytesIO(told))


def _unpacked(file: Path, *, into: Path) -> Contents:
    found: dict[str, str] = {}
    told: dict[str, Any] | None = None
    try:
        with tarfile.open(file, mode="r|gz") as archive:
            for entry in archive:
                stream = archive.extractfile(entry)
                if stream is None or not _is_inside(entry.name):
                    raise _not_whole(file, "it holds what no backup holds")
                if entry.name == CONTENTS:
                    told = json.load(stream)
                else:
                    found[entry.name] = _unpack(stream, to=into / entry.name, mode=entry.mode & 0o640)
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        raise _not_whole(file, "it can't be read to its end") from error
    if told is None or told.get("format") != _FORMAT:
        raise _not_whole(file, "it does not say what it holds")
    if found != told["sha256"]:
        raise _not_whole(file, "a file in it is not as it was packed")
    return Contents(
        made_at=datetime.fromisoformat(told["made_at"]),
        current=told["current"],
        has_secret=told["has_secret"],
        sha256=found,
    )


def _unpack(stream: IO[bytes], *, to: Path, mode: int) -> str:
    to.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    hashed = _Hashed(stream)
    with to.open("xb") as opened:
        shutil.copyfileobj(hashed, opened, _PIECE)
    to.chmod(mode)
    return hashed.digest.hexdigest()


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and not PurePosixPath(name).is_absolute() and ".." not in parts


def _not_whole(file: Path, what: str) -> WrongInput:
    return WrongInput(f"this is no whole backup: {what}", place=str(file), mend="take another copy of it")


class _Hashed(io.RawIOBase):
    """A stream that hashes what is read from it, so that nothing is read twice."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__()
        self.stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self.stream.read(size)
        self.digest.update(piece)
        return piece
