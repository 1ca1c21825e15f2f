"""Keeping what clinics send exactly as it came: every file once, by its hash, in an order that a later night repeats.

Belongs here: copying the inbox's files, and which of all that ever came say something new. Does not belong here: finding
them (`inbox`), the record of them (`manifest`), what an archive holds (`archives`) and what is in a file (`reading`).

Layout of the landing folder: `<first two letters of the hash>/<hash>`, never changed once there, and `manifest.jsonl`.
A file that stands later in it is newer. `purged/<hash>/` is what is left of a file past its days (`assets.feeds.purged`).
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath

from assets.feeds.archives import is_archive, is_packed, members_of
from assets.feeds.inbox import said_by_the_system, sort_out
from assets.feeds.manifest import Entry, kept_copy, read_manifest, remains_of, write_manifest
from assets.feeds.mapping import FeedMapping, place_in_order
from assets.feeds.wrong_input import WrongInput
from assets.whole_files import UNFINISHED, put_in_place, sync

_BLOCK = 1 << 20
PULLED = "pulled"  # what the names of files that were fetched from elsewhere begin with


@dataclass(frozen=True, kw_only=True)
class LandedFile:
    """One file as it was sent: a file of the inbox, a file of an archive, or a sheet of a workbook that settings name.

    Attributes:
        file_number: from 1, in the order in which files count; the higher is the newer.
        name: relative to the inbox, with slashes; what lies within a file follows after one more.
        path: where the bytes that were sent are kept, or the folder of what is left of them.
        sha256: of its own bytes.
        bytes: their number.
        landed_on: the data date of the night that landed it.
        within: the part of its name that the inbox doesn't have.
        member: which file of the archive at `path` it is; None where it came by itself.
        archive: that archive's SHA-256; None likewise.
        first_landed_on: the data date on which its bytes first landed, under whatever name; None where that is this time.
        same_as: the number of an earlier file that says all that it says, so that it isn't read; None where there is none.
        claims: the mappings that this file is of, in the settings' order.
    """

    file_number: int
    name: str
    path: Path
    sha256: str
    bytes: int
    landed_on: date
    within: str = ""
    member: str | None = None
    archive: str | None = None
    first_landed_on: date | None = None
    same_as: int | None = None
    claims: tuple[FeedMapping, ...] = field(default=())

    @property
    def sent_as(self) -> str:
        """The name of the inbox's file."""
        return self.name.removesuffix(self.within)

    @property
    def sent_sha256(self) -> str:
        """The hash of the bytes that were sent."""
        return self.archive or self.sha256

    @property
    def seen_on(self) -> date:
        """The day on which ages are counted, which is the same however often the bytes are sent."""
        return self.first_landed_on or self.landed_on

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
        unclaimed: names, in the inbox and in its new archives, that no mapping asks for; those in the inbox were neither
            read nor kept.
    """

    files: tuple[LandedFile, ...]
    new: tuple[int, ...]
    unclaimed: tuple[str, ...]


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
        names; within a day corrections last, and else by name. A name with other bytes than it had last is a new file,
        also where it had those bytes once before.

    Raises:
        WrongInput: where the inbox, a claimed file or the landing folder cannot be read, an archive cannot be opened, or a
            mapping claims no file.
    """
    every_mapping = tuple(mapping for of_feed in mappings.values() for mapping in of_feed)
    claimed, unclaimed = sort_out(inbox, every_mapping)
    roots = dict.fromkeys(claimed, inbox)
    if pulled is not None and pulled.is_dir():
        fetched, left = sort_out(pulled, every_mapping, prefix=f"{PULLED}/")
        claimed, unclaimed = claimed | fetched, (*unclaimed, *left)
        roots |= dict.fromkeys(fetched, pulled.parent)
    landing.mkdir(parents=True, exist_ok=True)
    for left_over in landing.glob(f"{UNFINISHED}*"):
        left_over.unlink()
    entries = read_manifest(landing)
    latest = {entry.sent_as: entry.sent_sha256 for entry in entries}
    known: dict[tuple[str, bool], dict[str | None, Entry]] = {}
    for entry in entries:
        known.setdefault((entry.sent_sha256, entry.member is not None), {})[entry.member] = entry
    new: list[Entry] = []
    for name in claimed:
        path = roots[name] / name
        digest, size = _hash(path, name)
        within = known.get((digest, is_archive(name))) or _within(path, name, digest=digest, size=size)
        _check_no_archive_within(name, within, claims=claimed[name])
        if not all(remains_of(landing, each.sha256).is_dir() for each in within.values()):
            _copy(path, landing, digest, name)
        if latest.get(name) != digest:
            new += [_sent_now(each, name=name, landed_on=data_date) for each in within.values()]
    takers = {entry.name: _takers(entry, every_mapping) for entry in new}
    _check_every_mapping_has_a_file(every_mapping, names=[*claimed, *latest], entries=[*entries, *new], inbox=inbox)
    new.sort(key=lambda entry: place_in_order(entry.name, takers[entry.name], sent_as=entry.sent_as))
    first = len(entries) + 1
    entries += [replace(entry, file_number=number) for number, entry in enumerate(new, start=first)]
    if new:
        write_manifest(landing, entries)
    files = _files(entries, landing, every_mapping)
    left_over_members = (entry.name for entry in new if not takers[entry.name])
    return Landing(
        files=files,
        new=tuple(range(first, len(entries) + 1)),
        unclaimed=tuple(sorted({*unclaimed, *left_over_members})),
    )


def _within(path: Path, name: str, *, digest: str, size: int) -> dict[str | None, Entry]:
    """What a sent file is in the manifest, not numbered yet: itself, or each file of an archive by its member's name."""
    if not is_archive(name):
        return {None: Entry(file_number=0, name=name, sha256=digest, bytes=size, landed_on="")}
    return {
        each.name: Entry(
            file_number=0, name="", sha256=each.sha256, bytes=each.bytes, landed_on="", member=each.name, archive=digest
        )
        for each in members_of(path, name=name)
    }


def _sent_now(entry: Entry, *, name: str, landed_on: date) -> Entry:
    within = name if entry.member is None else f"{name}/{entry.member}"
    return replace(entry, name=within, landed_on=landed_on.isoformat())


def _takers(entry: Entry, mappings: Iterable[FeedMapping]) -> tuple[FeedMapping, ...]:
    return tuple(mapping for mapping in mappings if mapping.claims(entry.sent_as, member=entry.member))


def landed_files(landing: Path, *, mappings: Mapping[str, Sequence[FeedMapping]]) -> tuple[LandedFile, ...]:
    """All files that ever landed, in the order in which they count, without a look at the inbox."""
    every_mapping = tuple(mapping for of_feed in mappings.values() for mapping in of_feed)
    return _files(read_manifest(landing), landing, every_mapping)


def _files(entries: Iterable[Entry], landing: Path, mappings: Sequence[FeedMapping]) -> tuple[LandedFile, ...]:
    """The manifest's files, numbered anew where settings name sheets, each with the one that says the same."""
    files: list[LandedFile] = []
    first_of: dict[tuple[str, tuple[str, ...]], int] = {}
    newest: dict[tuple[str, str | None], tuple[str, int]] = {}
    seen_on: dict[str, date] = {}
    for entry in entries:
        on = seen_on.setdefault(entry.sha256, date.fromisoformat(entry.landed_on))
        for file, sheet in _parts(entry, landing, mappings, seen_on=on, number=len(files) + 1):
            # Empty files of two feeds say different things.
            said = file.sha256, tuple(claim.place for claim in file.claims)
            if (entry.name, sheet) in newest:
                # A name that comes again replaces what it said last, and is passed over only where it says that again.
                before, number = newest[entry.name, sheet]
                earlier = number if before == file.sha256 else file.file_number
            else:
                earlier = first_of.setdefault(said, file.file_number)
            newest[entry.name, sheet] = file.sha256, earlier
            files.append(file if earlier == file.file_number else replace(file, same_as=earlier))
    return tuple(files)


def _parts(
    entry: Entry, landing: Path, mappings: Sequence[FeedMapping], *, seen_on: date, number: int
) -> Iterator[tuple[LandedFile, str | None]]:
    """The files that one line of the manifest is: one, or one for each sheet that its mappings name."""
    left = remains_of(landing, entry.sha256)
    path = left if left.is_dir() else kept_copy(landing, entry.sent_sha256)
    is_whole = path == left or (path.is_file() and (entry.archive or path.stat().st_size == entry.bytes))
    if not is_whole:
        raise WrongInput(
            f"the kept copy of {entry.sent_as} is not there whole",
            place=str(path),
            mend="bring the landing folder back from a backup",
        )
    claims = _takers(entry, mappings)
    for place, sheet in enumerate(dict.fromkeys(claim.sheet for claim in claims) or [None]):
        file = LandedFile(
            file_number=number + place,
            name=entry.name if sheet is None else f"{entry.name}/{sheet}",
            within="".join(f"/{part}" for part in (entry.member, sheet) if part is not None),
            archive=entry.archive,
            path=path,
            member=entry.member,
            sha256=entry.sha256,
            bytes=entry.bytes,
            landed_on=date.fromisoformat(entry.landed_on),
            first_landed_on=seen_on,
            claims=tuple(claim for claim in claims if claim.sheet == sheet),
        )
        yield file, sheet


def _check_no_archive_within(name: str, members: Iterable[str | None], *, claims: Sequence[FeedMapping]) -> None:
    for member in members:
        if member is None or not (is_archive(member) or is_packed(member)):
            continue
        if any(mapping.claims(name, member=member) for mapping in claims):
            raise WrongInput(
                f'holds an archive, "{member}"',
                place=name,
                mend="pack the files themselves, or leave it out by members",
            )


def _check_every_mapping_has_a_file(
    mappings: Iterable[FeedMapping], *, names: Sequence[str], entries: Sequence[Entry], inbox: Path
) -> None:
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
        if not any(mapping.claims(entry.sent_as, member=entry.member) for entry in entries):
            raise WrongInput(
                f"no file in an archive fits {', '.join(mapping.members)}",
                place=f"{mapping.place}.members",
                mend="mend the glob, or have the file packed",
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
        raise WrongInput(said_by_the_system(error), place=name, mend="let this account read the file") from None


def _copy(path: Path, landing: Path, digest: str, name: str) -> None:
    """Copy whole or not at all, where it isn't yet: under another name first, onto the disk, then moved."""
    kept = kept_copy(landing, digest)
    if kept.exists():
        return
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
    kept.parent.mkdir(exist_ok=True)
    put_in_place(unfinished, kept)
    sync(landing)
