"""The record of who saw what: one line a view, refusal, sign-in or change, each holding the hash of the one before.

A line names a viewer, a kind of page, the clinician whose it is, and a decision: never what stood on a page, a client or a
secret. Whoever changes, removes or adds a line inside the record breaks the chain from there on. A chain can't show that
its end was cut off; noting its newest hash elsewhere can (`audit --holds`).

Belongs here: writing, reading and verifying. Does not belong here: what is worth a line (`gate`).
"""

import asyncio
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from assets.feeds.wrong_input import WrongInput

START: Final = "0" * 64
TORN: Final = "torn line"
Entry = Mapping[str, Any]


class ChainBroken(Exception):
    """The record is not as it was written.

    Args:
        line: the first line that doesn't follow from those before it, counted from 1.
        why: what is wrong with it.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


@dataclass(frozen=True)
class Verified:
    """What a sound record holds.

    Attributes:
        entries: in the order of writing.
        newest: the hash of the last one, or zeros where there is none.
        is_unfinished: whether a line is being written, or was torn by a stop, at the end.
    """

    entries: tuple[Entry, ...]
    newest: str
    is_unfinished: bool


def chained(fields: Entry, *, number: int, previous: str) -> dict[str, Any]:
    """An entry with its number, the hash before it and its own."""
    entry = {"number": number, **fields, "previous": previous}
    return {**entry, "hash": _digest(entry)}


def verify(file: Path) -> Verified:
    """Read a record whole and follow its chain.

    Raises:
        ChainBroken: at the first line that doesn't follow.
    """
    raw = file.read_bytes() if file.exists() else b""
    entries, newest, sound = _followed(raw)
    rest = raw[sound:]
    if b"\n" in rest:
        raise ChainBroken(raw[:sound].count(b"\n") + 1, "it is no entry")
    return Verified(tuple(entries), newest, bool(rest))


class AuditLog:
    """The record as the server writes it: a line is on the disk before what it tells of leaves the server.

    Lines that wait at the same moment are written together, so that many viewers share one wait for the disk.

    Args:
        file: the record; made where there is none, continued where there is one.

    Raises:
        ChainBroken: where the record was changed.
        WrongInput: where another server writes to it.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            os.close(self._descriptor)
            raise WrongInput(
                "another server writes this audit log", place=str(file), mend="stop that one, or give another --home"
            ) from busy
        self.problem: str | None = None
        self.count, self.newest, self._size = 0, START, 0
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None
        try:
            self._continue(file)
        except ChainBroken:
            self.close()
            raise

    async def note(self, event: str, **fields: str | int | None) -> None:
        """Put one line on the disk; fields that are None are left out.

        Raises:
            OSError: where it could not be written; what it tells of must then not happen.
        """
        entry = _entry(event, fields)
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_waiting())
        await written

    def write_now(self, event: str, **fields: str | int | None) -> None:
        """Put one line on the disk while nothing else is being written: at the start and at the end."""
        self.write([_entry(event, fields)])

    def write(self, entries: list[Entry], *, before: bytes = b"") -> None:
        """Append entries and wait for the disk.

        Raises:
            OSError: where they could not be written; none of them then is.
        """
        newest, text = self.newest, before
        for number, fields in enumerate(entries, start=self.count + 1):
            entry = chained(fields, number=number, previous=newest)
            newest = str(entry["hash"])
            text += _written(entry) + b"\n"
        try:
            left = memoryview(text)
            while left:
                left = left[os.write(self._descriptor, left) :]
            os.fsync(self._descriptor)
        except OSError as error:
            self.problem = "the audit log can't be written"
            os.ftruncate(self._descriptor, self._size)
            raise OSError(error.errno, self.problem) from error
        self.problem = None
        self._size += len(text)
        self.count += len(entries)
        self.newest = newest

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    async def _write_waiting(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self.write, [entry for entry, _ in batch])
            except OSError as error:
                for _, written in batch:
                    if not written.cancelled():
                        written.set_exception(error)
                continue
            for _, written in batch:
                if not written.cancelled():
                    written.set_result(None)

    def _continue(self, file: Path) -> None:
        raw = file.read_bytes()
        entries, newest, sound = _followed(raw)
        rest = raw[sound:]
        whole = _parsed(rest)
        if whole is not None and _fault(whole, number=len(entries) + 1, previous=newest) is None:
            # Only the line's end is missing.
            os.write(self._descriptor, b"\n")
            os.fsync(self._descriptor)
            entries, newest, rest, raw = [*entries, whole], str(whole["hash"]), b"", raw + b"\n"
        self.count, self.newest, self._size = len(entries), newest, len(raw)
        if rest:
            # A stop in the middle of writing. What the line told of never happened; it stays, and the next says so.
            torn = hashlib.sha256(rest.removesuffix(b"\n")).hexdigest()
            self.write([_entry(TORN, {"torn": torn})], before=b"" if rest.endswith(b"\n") else b"\n")


def matching(entries: tuple[Entry, ...], *, viewer: str | None, clinician: str | None) -> Iterator[Entry]:
    """The entries of one viewer, or about one clinician, or both; all where neither is given."""
    for entry in entries:
        if viewer in {None, entry.get("viewer")} and clinician in {None, entry.get("clinician")}:
            yield entry


def _followed(raw: bytes) -> tuple[list[Entry], str, int]:
    """The entries, the newest hash, and how many bytes they take; what is beyond is no entry."""
    entries: list[Entry] = []
    newest = START
    position = sound = 0
    first_torn: int | None = None
    for place, line in enumerate(raw.split(b"\n")[:-1], start=1):
        entry = _parsed(line)
        if entry is None:
            first_torn = first_torn or place
        else:
            fault = _fault(entry, number=len(entries) + 1, previous=newest)
            if first_torn is not None:
                torn = hashlib.sha256(raw[sound : position - 1]).hexdigest()
                if fault is not None or entry.get("event") != TORN or entry.get("torn") != torn:
                    raise ChainBroken(first_torn, "it is no entry")
                first_torn = None
            if fault is not None:
                raise ChainBroken(place, fault)
            entries.append(entry)
            newest = str(entry["hash"])
            sound = position + len(line) + 1
        position += len(line) + 1
    return entries, newest, sound


def _fault(entry: Entry, *, number: int, previous: str) -> str | None:
    if entry.get("hash") != _digest({name: value for name, value in entry.items() if name != "hash"}):
        return "it was changed"
    if entry.get("number") != number or entry.get("previous") != previous:
        return "it doesn't follow the line before it: one was changed, removed or added"
    return None


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and _written(entry) == line else None


def _written(entry: Entry) -> bytes:
    return json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode()


def _digest(entry: Entry) -> str:
    return hashlib.sha256(_written(entry)).hexdigest()


def _entry(event: str, fields: Mapping[str, str | int | None]) -> dict[str, Any]:
    said = {name: value for name, value in fields.items() if value is not None}
    return {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **said}
