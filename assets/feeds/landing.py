"""Keeping what clinics send exactly as it came: every file once, by its hash, in an order that a later night repeats.

Belongs here: finding the inbox's files, copying them, the manifest of all that ever came. Does not belong here: what is
in a file (`text_files`, `reading`).

Layout of the landing folder: `<first two letters of the hash>/<hash>`, never changed once there, and `manifest.jsonl`,
one line a file in the order in which they count. A file that stands later is newer. `purged/<hash>/` is what is left of a
file past its days (`assets.feeds.purged`).
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from pathlib import Path, PurePosixPath

from assets.feeds.mapping import FeedMapping, place_in_order
from assets.feeds.wrong_input import WrongInput
from assets.whole_files import UNFINISHED, put_in_place, sync, written_whole

MANIFEST = "manifest.jsonl"
_BLOCK = 1 << 20
PURGED = "purged"  # the folder of what is left of files whose bytes are no longer kept, by hash
PULLED = "pulled"  # what the names of files that were fetched from elsewhere begin with


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One file as it was sent.

    Attributes:
        file_number: from 1, in the order in which files count; the higher is the newer.
        name: relative to the inbox, with slashes.
        path: where the bytes are kept, or the folder of what is left of them.
        sha256: of the bytes.
        bytes: their number.
        landed_on: the data date of the night that landed it.
        same_as: the number of the first file with the same bytes and the same claims under another name; None where
            there is none.
        claims: the mappings that this file is of, in the settings' order.
    """

    file_number: int
    name: str
    path: Path
    sha256: str
    bytes: int
    landed_on: date
    same_as: int | None = None
    claims: tuple[FeedMapping, ...] = field(default=())

    @property
    def is_purged(self) -> bool:
        """Whether only its accepted form is left, under codes."""
        return self.path.is_dir()


@dataclass(frozen=True, kw_only=True)
class Landing:
    """What there is to read.

    Attributes:
        files: every file that ever landed, in the order in which they count.
        new: the numbers of those that this pull added.
        unclaimed: names in the inbox that no mapping asks for; they were neither read nor kept.
    """

    files: tuple[LandedFile, ...]
    new: tuple[int, ...]
    unclaimed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """One line of the manifest."""

    file_number: int
    name: str
    sha256: str
    bytes: int
    landed_on: str


def land(
    inbox: Path,
    *,
    landing: Path,
    mappings: Mapping[str, Sequence[FeedMapping]],
    data_date: date,
    pulled: Path | None = None,
) -> Landing:
    """Keep every file of the inbox that is not kept yet.

    Args:
        inbox: the folder that clinics send to; nothing in it is changed.
        pulled: the folder of what was fetched from elsewhere; its files count as the inbox's, named `pulled/...`.
        landing: the folder of kept files; made where it does not exist.
        mappings: feed name to its mappings.
        data_date: the night's day.

    Returns:
        All files that ever landed. Files of one night count in this order: undated names, then by the date in their
        names; within a day corrections last, and else by name.

    Raises:
        WrongInput: where the inbox, a claimed file or the landing folder cannot be read, or a mapping claims no file.
    """
    every_mapping = tuple(mapping for of_feed in mappings.values() for mapping in of_feed)
    claimed, unclaimed = _sort_out(inbox, every_mapping)
    roots = dict.fromkeys(claimed, inbox)
    if pulled is not None and pulled.is_dir():
        fetched, left = _sort_out(pulled, every_mapping, prefix=f"{PULLED}/")
        claimed, unclaimed = claimed | fetched, tuple(sorted({*unclaimed, *left}))
        roots |= dict.fromkeys(fetched, pulled.parent)
    landing.mkdir(parents=True, exist_ok=True)
    for left_over in landing.glob(f"{UNFINISHED}*"):
        left_over.unlink()
    entries = _read_manifest(landing)
    _check_every_mapping_has_a_file(every_mapping, [*claimed, *(entry.name for entry in entries)], inbox)
    known = {(entry.name, entry.sha256) for entry in entries}
    new = []
    for name in sorted(claimed, key=lambda name: place_in_order(name, claimed[name])):
        path = roots[name] / name
        digest, size = _hash(path, name)
        if not kept_copy(landing, digest).exists() and not (landing / PURGED / digest).is_dir():
            _copy(path, landing, digest, name)
        if (name, digest) in known:
            continue
        number = len(entries) + 1
        entries.append(
            _Entry(
                file_number=number,
                name=name,
                sha256=digest,
                bytes=size,
                landed_on=data_date.isoformat(),
            )
        )
        new.append(number)
    if new:
        _write_manifest(landing, entries)
    return Landing(files=_files(entries, landing, every_mapping), new=tuple(new), unclaimed=unclaimed)


def landed_files(landing: Path, *, mappings: Mapping[str, Sequence[FeedMapping]]) -> tuple[LandedFile, ...]:
    """All files that ever landed, in the order in which they count, without a look at the inbox."""
    every_mapping = tuple(mapping for of_feed in mappings.values() for mapping in of_feed)
    return _files(_read_manifest(landing), landing, every_mapping)


def _files(entries: Iterable[_Entry], landing: Path, mappings: Sequence[FeedMapping]) -> tuple[LandedFile, ...]:
    """The manifest's files, each with the first that says the same; empty files of two feeds say different things."""
    first: dict[tuple[str, tuple[str, ...]], int] = {}
    files = []
    for entry in entries:
        file = _landed_file(entry, landing, mappings)
        said = file.sha256, tuple(claim.place for claim in file.claims)
        earlier = first.setdefault(said, file.file_number)
        files.append(file if earlier == file.file_number else replace(file, same_as=earlier))
    return tuple(files)


def _landed_file(entry: _Entry, landing: Path, mappings: Iterable[FeedMapping]) -> LandedFile:
    left = landing / PURGED / entry.sha256
    path = left if left.is_dir() else kept_copy(landing, entry.sha256)
    if path != left and (not path.is_file() or path.stat().st_size != entry.bytes):
        raise WrongInput(
            f"the kept copy of {entry.name} is not there whole",
            place=str(path),
            mend="bring the landing folder back from a backup",
        )
    return LandedFile(
        file_number=entry.file_number,
        name=entry.name,
        path=path,
        sha256=entry.sha256,
        bytes=entry.bytes,
        landed_on=date.fromisoformat(entry.landed_on),
        claims=tuple(mapping for mapping in mappings if mapping.claims(entry.name)),
    )


def _sort_out(
    inbox: Path, mappings: Sequence[FeedMapping], *, prefix: str = ""
) -> tuple[dict[str, tuple[FeedMapping, ...]], tuple[str, ...]]:
    """A folder's claimed names, each after the prefix, with their mappings, and the names that nothing claims."""
    if not inbox.is_dir():
        raise WrongInput("there is no such folder", place=str(inbox), mend="give the folder that the export is in")
    claimed: dict[str, tuple[FeedMapping, ...]] = {}
    unclaimed = []
    root = inbox.resolve()
    for relative, entry in _entries(inbox, inbox):
        name = prefix + relative
        claims = tuple(mapping for mapping in mappings if mapping.claims(name))
        is_folder = entry.is_dir() and not entry.is_symlink()
        if is_folder and not any(name in mapping.files for mapping in mappings):
            continue
        if not claims:
            unclaimed.append(name)
            continue
        if entry.is_symlink() and not _leads_into(root, entry):
            raise WrongInput("is a link that leaves the inbox", place=name, mend="put the file itself there")
        if not entry.is_file():
            raise WrongInput(
                f"is not a file, and {claims[0].place}.files claims it",
                place=name,
                mend="put the file there, or narrow the glob",
            )
        claimed[name] = claims
    return claimed, tuple(sorted(unclaimed))


def _leads_into(root: Path, link: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        # A link that leads round in a circle, for which Python has an exception of its own.
        return False


def _entries(folder: Path, inbox: Path) -> Iterator[tuple[str, Path]]:
    """Every name under the inbox; hidden ones are left out, for a file on its way in is often hidden."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        name = folder.relative_to(inbox).as_posix()
        raise WrongInput(_said_by_the_system(error), place=name, mend="let this account read the folder") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        yield entry.relative_to(inbox).as_posix(), entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _entries(entry, inbox)


def _check_every_mapping_has_a_file(mappings: Iterable[FeedMapping], names: Sequence[str], inbox: Path) -> None:
    """A mapping that finds no file is a slip of the pen or an export that did not come; corrections may never come."""
    for mapping in mappings:
        if mapping.corrects:
            continue
        for glob in mapping.files:
            is_one_file = not re.search(r"[*?]", glob)
            if is_one_file and str(PurePosixPath(glob)) not in names:
                raise WrongInput(
                    f'there is no file "{glob}"',
                    place=f"{mapping.place}.files",
                    mend=f"put it into {inbox}, or mend its name",
                )
        if not any(mapping.claims(name) for name in names):
            raise WrongInput(
                f"no file fits {', '.join(mapping.files)}",
                place=f"{mapping.place}.files",
                mend=f"put one into {inbox}, or mend the glob",
            )


def _hash(path: Path, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for block in _blocks(path, name):
        digest.update(block)
        size += len(block)
    return digest.hexdigest(), size


def _blocks(path: Path, name: str) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
    except OSError as error:
        raise WrongInput(_said_by_the_system(error), place=name, mend="let this account read the file") from None


def _copy(path: Path, landing: Path, digest: str, name: str) -> None:
    """Copy whole or not at all: under another name first, onto the disk, then moved."""
    unfinished = landing / f"{UNFINISHED}{digest}"
    again = hashlib.sha256()
    with unfinished.open("wb") as copy:
        for block in _blocks(path, name):
            again.update(block)
            copy.write(block)
    if again.hexdigest() != digest:
        unfinished.unlink()
        raise WrongInput("changed while it was read", place=name, mend="start again once it has been sent whole")
    unfinished.chmod(0o440)
    kept = kept_copy(landing, digest)
    kept.parent.mkdir(exist_ok=True)
    put_in_place(unfinished, kept)
    sync(landing)


def kept_copy(landing: Path, digest: str) -> Path:
    """Where the bytes of that hash are kept while they are."""
    return landing / digest[:2] / digest


def _read_manifest(landing: Path) -> list[_Entry]:
    """The manifest's whole lines; what stands after the last line end was cut off while it was written and never counted."""
    manifest = landing / MANIFEST
    if not manifest.exists():
        return []
    *lines, _ = manifest.read_text(encoding="utf-8").split("\n")
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            said = json.loads(line)
            entries.append(_Entry(**{each.name: said[each.name] for each in fields(_Entry)}))
        except (ValueError, TypeError, KeyError):
            raise WrongInput(
                "is not a line of a manifest",
                place=f"{manifest}, line {number}",
                mend="bring the landing folder back from a backup",
            ) from None
    return entries


def _write_manifest(landing: Path, entries: Iterable[_Entry]) -> None:
    """Write the manifest beside itself and swap, so that a reader finds the old one or the new one, whole."""
    with written_whole(landing / MANIFEST, mode=0o644) as file:
        file.writelines(f"{json.dumps(asdict(entry))}\n".encode() for entry in entries)


def _said_by_the_system(error: OSError) -> str:
    return (error.strerror or "cannot be read").lower()
