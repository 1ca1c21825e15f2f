"""Where each record of a text file begins and ends, and which lines are no record at all.

Belongs here: lines, quotes and the number of fields, for files in which a line is not simply a record. Does not belong
here: what a field means, and any value of a field in a message.

A quoted value follows RFC 4180 (Shafranovich, 2005): it begins with a quote right after a delimiter and ends with one
right before the next; a quote within it is doubled; it may hold line ends. A quote inside a value that does not begin
with one is an ordinary character; spaces between a delimiter and a quote are nothing. A quoted value that runs over
several lines is believed only where its record closes properly and has the right number of fields; otherwise the one
line that opens it is refused and the next line is read on its own, so that one forgotten quote costs one line.
"""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import numpy as np
import numpy.typing as npt

LONGEST_RECORD: Final = 2_000_000
_BLOCK: Final = 1 << 22
_LF, _QUOTE = 10, 34
_KEPT, _BLANK, _TOO_FEW, _TOO_MANY, _NUL, _TOO_LONG, _QUOTES = range(7)

REASONS: Final = {
    "too_few_columns": "the line has fewer columns than the header",
    "too_many_columns": "the line has more columns than the header",
    "nul_character": "the line holds a NUL character",
    "line_too_long": "the line is longer than any record can be",
    "open_quote": "the line opens a quote that is not closed",
    "stray_quote": "the line has text between a closing quote and the next column",
}
_RULES: Final = {
    _TOO_FEW: "too_few_columns",
    _TOO_MANY: "too_many_columns",
    _NUL: "nul_character",
    _TOO_LONG: "line_too_long",
}


class RejectedLine(NamedTuple):
    """A line that is no record: its number in the file, the rule's name, and the reason in plain words."""

    line: int
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first line that is not blank.

    Attributes:
        names: without blanks around them.
        begins: its line, from 1.
        lines: how many lines it takes.
        ends: the byte after it.
    """

    names: tuple[str, ...]
    begins: int
    lines: int
    ends: int


@dataclass(frozen=True, kw_only=True)
class Records:
    """What stands after the header, line by line.

    Attributes:
        kept: for each kept record in order, the line it begins on.
        rejected: in the file's order.
        blank: lines with nothing on them, those before the header included.
        continued: lines that only go on with a quoted value.
    """

    kept: npt.NDArray[np.int64]
    rejected: tuple[RejectedLine, ...]
    blank: int
    continued: int


class _Record(NamedTuple):
    fields: list[bytes]
    ends: int


def read_header(path: Path, *, delimiter: str) -> Header | None:
    """The header of a plain text file, or None where the file has no line that says anything."""
    if not path.stat().st_size:
        return None
    mark = delimiter.encode()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at, line = 0, 1
        while at < len(data):
            ends = data.find(b"\n", at) + 1 or len(data)
            if data[at:ends].strip():
                record = _parse(data, at, mark)
                if isinstance(record, str):
                    record = _Record(data[at:ends].rstrip(b"\n").split(mark), ends)
                names = tuple(field.decode(errors="replace").strip() for field in record.fields)
                taken = data[at : record.ends].rstrip(b"\n").count(b"\n") + 1
                return Header(names=names, begins=line, lines=taken, ends=record.ends)
            at, line = ends, line + 1
    return None


def sort_records(path: Path, *, header: Header, delimiter: str, copy: Path) -> Records:
    """Write the records of a plain text file to a copy in which nothing else stands.

    Args:
        path: UTF-8 with line feeds.
        header: as `read_header` found it.
        delimiter: one ASCII character.
        copy: the records, without a header, each with as many fields as the header has.

    Returns:
        Which line is what.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, copy.open("wb") as out:
        sorter = _Sorter(header=header, mark=delimiter.encode(), out=out)
        at = header.ends
        while at < len(data):
            ends = data.find(b"\n", min(at + _BLOCK, len(data)) - 1) + 1 or len(data)
            at = sorter.take(data, at, ends)
        return sorter.records()


class _Lines(NamedTuple):
    """A block's lines: where each begins and ends within the block, and what it is taken on its own."""

    block: bytes
    begins: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    verdicts: npt.NDArray[np.int8]


class _Sorter:
    """The running account of one file."""

    def __init__(self, *, header: Header, mark: bytes, out: BinaryIO) -> None:
        self._mark = mark
        self._out = out
        self._n_fields = len(header.names)
        self._line = header.begins + header.lines
        self._kept: list[npt.NDArray[np.int64]] = []
        self._rejected: list[RejectedLine] = []
        self._blank = header.begins - 1
        self._continued = 0

    def records(self) -> Records:
        """The account so far."""
        kept = np.concatenate([np.empty(0, dtype=np.int64), *self._kept])
        return Records(kept=kept, rejected=tuple(self._rejected), blank=self._blank, continued=self._continued)

    def take(self, data: mmap.mmap, begins: int, ends: int) -> int:
        """Account for the whole lines from one byte to another; returns where the next block begins."""
        lines = _lines(data[begins:ends], mark=self._mark[0], n_fields=self._n_fields)
        done = 0
        for quoted in np.flatnonzero(lines.verdicts == _QUOTES).tolist():
            if quoted < done:
                continue
            self._take_plain(lines, done, quoted)
            next_line = min(begins + int(lines.ends[quoted]) + 1, ends)
            record_ends = self._take_quoted(data, begins + int(lines.begins[quoted]), next_line)
            if record_ends > ends:
                return record_ends
            done = int(np.searchsorted(lines.begins, record_ends - begins))
        self._take_plain(lines, done, lines.verdicts.size)
        return ends

    def _take_plain(self, lines: _Lines, first: int, after: int) -> None:
        """Lines that are each a record or nothing; runs of kept lines are copied in one piece."""
        verdicts = lines.verdicts[first:after]
        kept = verdicts == _KEPT
        self._kept.append(np.flatnonzero(kept) + self._line)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], kept, [False])).astype(np.int8)))
        for run, after_run in edges.reshape(-1, 2).tolist():
            self._out.write(lines.block[lines.begins[first + run] : lines.ends[first + after_run - 1]])
            self._out.write(b"\n")
        for index in np.flatnonzero(~kept).tolist():
            verdict = int(verdicts[index])
            if verdict == _BLANK:
                self._blank += 1
            else:
                self._reject(self._line + index, _RULES[verdict])
        self._line += after - first

    def _take_quoted(self, data: mmap.mmap, begins: int, next_line: int) -> int:
        """The record that begins on this line, or the line's refusal; returns where the line after it begins."""
        record = _parse(data, begins, self._mark)
        rule = record if isinstance(record, str) else self._fault(data, begins, next_line, record)
        if rule is not None or isinstance(record, str):
            self._reject(self._line, str(rule))
            self._line += 1
            return next_line
        fields = (b'"' + field.replace(b'"', b'""') + b'"' for field in record.fields[: self._n_fields])
        self._out.write(self._mark.join(fields) + b"\n")
        self._kept.append(np.array([self._line]))
        taken = data[begins : record.ends].removesuffix(b"\n").count(b"\n") + 1
        self._continued += taken - 1
        self._line += taken
        return record.ends

    def _fault(self, data: mmap.mmap, begins: int, next_line: int, record: _Record) -> str | None:
        is_short = len(record.fields) < self._n_fields
        if is_short or any(record.fields[self._n_fields :]):
            if record.ends > next_line:
                return "open_quote"
            return "too_few_columns" if is_short else "too_many_columns"
        if b"\0" in data[begins : record.ends]:
            return "nul_character"
        return "line_too_long" if record.ends - begins > LONGEST_RECORD else None

    def _reject(self, line: int, rule: str) -> None:
        self._rejected.append(RejectedLine(line, rule, REASONS[rule]))


def _lines(block: bytes, *, mark: int, n_fields: int) -> _Lines:
    """A block's lines, each taken on its own; those whose quotes need reading one by one are `_QUOTES`."""
    letters = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(letters == _LF)
    if not block.endswith(b"\n"):
        ends = np.append(ends, letters.size)
    begins = np.concatenate(([0], ends[:-1] + 1))
    marks = np.flatnonzero(letters == mark)
    n_marks = np.searchsorted(marks, ends) - np.searchsorted(marks, begins)
    needs_reading = np.zeros(begins.size, dtype=np.bool_)
    quotes = np.flatnonzero(letters == _QUOTE)
    if quotes.size:
        needs_reading = _has_misplaced_quotes(letters, begins, ends, mark)
        n_marks -= _marks_within_quotes(quotes, marks, begins, ends)
    verdicts = np.full(begins.size, _KEPT, dtype=np.int8)
    verdicts[n_marks < n_fields - 1] = _TOO_FEW
    verdicts[n_marks >= n_fields] = _TOO_MANY
    beyond = np.flatnonzero((n_marks >= n_fields) & ~needs_reading)
    for index in beyond[np.isin(letters[ends[beyond] - 1], (mark, _QUOTE))].tolist():
        if _has_nothing_beyond(block[begins[index] : ends[index]], bytes([mark]), int(n_marks[index]) - n_fields + 1):
            verdicts[index] = _KEPT
    verdicts[ends - begins > LONGEST_RECORD] = _TOO_LONG
    verdicts[needs_reading] = _QUOTES
    verdicts[np.searchsorted(ends, np.flatnonzero(letters == 0))] = _NUL
    for index in np.flatnonzero((n_marks == 0) & ~needs_reading).tolist():
        if not block[begins[index] : ends[index]].strip():
            verdicts[index] = _BLANK
    return _Lines(block, begins, ends, verdicts)


def _has_nothing_beyond(line: bytes, mark: bytes, excess: int) -> bool:
    """Whether a line's last columns, as many as it has too many, are empty; spreadsheets leave such behind."""
    for _ in range(excess):
        line = line.removesuffix(b'""')
        if not line.endswith(mark):
            return False
        line = line[:-1]
    return True


def _has_misplaced_quotes(
    letters: npt.NDArray[np.uint8], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64], mark: int
) -> npt.NDArray[np.bool_]:
    """Which lines have quotes that have to be read one by one.

    From the left, a line's quotes open and close by turns. All are in place where each that opens follows a delimiter
    or the line's beginning, each that closes is followed by a delimiter or the line's end, and a closing and an opening
    one side by side are a doubled quote.
    """
    quotes = np.flatnonzero(letters == _QUOTE)
    line_of = np.searchsorted(ends, quotes)
    opens = (np.arange(quotes.size) - np.searchsorted(quotes, begins)[line_of]) % 2 == 0
    padded = np.concatenate(([_LF], letters, [_LF]))
    beside = np.where(opens, padded[quotes], padded[quotes + 2])
    is_misplaced = (beside != mark) & (beside != _LF) & (beside != _QUOTE)
    is_odd = np.bincount(line_of, minlength=begins.size) % 2 == 1
    is_out_of_place: npt.NDArray[np.bool_] = is_odd | (np.bincount(line_of[is_misplaced], minlength=begins.size) > 0)
    return is_out_of_place


def _marks_within_quotes(
    quotes: npt.NDArray[np.int64],
    marks: npt.NDArray[np.int64],
    begins: npt.NDArray[np.int64],
    ends: npt.NDArray[np.int64],
) -> npt.NDArray[np.int64]:
    """How many delimiters of each line stand after an odd number of its quotes."""
    line_of = np.searchsorted(ends, marks)
    is_within = (np.searchsorted(quotes, marks) - np.searchsorted(quotes, begins)[line_of]) % 2 == 1
    return np.bincount(line_of[is_within], minlength=begins.size).astype(np.int64)


def _parse(data: mmap.mmap, begins: int, mark: bytes) -> _Record | str:
    """One record, field by field, from its first byte; or the rule that its quotes break."""
    fields: list[bytes] = []
    for field, at in _fields(data, begins, mark):
        if field is None:
            is_on_a_later_line = data.find(b"\n", begins, max(at, begins)) >= 0
            return "open_quote" if at < 0 or is_on_a_later_line else "stray_quote"
        fields.append(field)
        if data[at : at + 1] != mark:
            return _Record(fields, min(at + 1, len(data)))
    raise AssertionError("a record ends with its last field")


def _fields(data: mmap.mmap, begins: int, mark: bytes) -> Iterator[tuple[bytes | None, int]]:
    """Each field with the place of what follows it; no field where its quotes are wrong, at -1 where none closes."""
    at = begins
    while True:
        opens = at
        while data[opens : opens + 1] == b" ":
            opens += 1
        if data[opens : opens + 1] == b'"':
            closes = _closing_quote(data, opens + 1, begins + LONGEST_RECORD)
            follows = closes + 1
            while closes >= 0 and data[follows : follows + 1] == b" ":
                follows += 1
            if closes < 0 or data[follows : follows + 1] not in {mark, b"\n", b""}:
                yield None, closes
                return
            yield data[opens + 1 : closes].replace(b'""', b'"'), follows
            at = follows + 1
        else:
            line_ends = data.find(b"\n", at)
            line_ends = len(data) if line_ends < 0 else line_ends
            field_ends = data.find(mark, at, line_ends)
            field_ends = line_ends if field_ends < 0 else field_ends
            yield data[at:field_ends], field_ends
            at = field_ends + 1


def _closing_quote(data: mmap.mmap, at: int, limit: int) -> int:
    """The next quote that is not doubled, or -1."""
    while (found := data.find(b'"', at, limit)) >= 0:
        if data[found + 1 : found + 2] != b'"':
            return found
        at = found + 2
    return -1
