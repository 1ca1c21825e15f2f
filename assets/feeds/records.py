"""Where each record of a text file begins and ends, and which lines are no record at all.

Belongs here: lines, quotes and the number of fields, for files in which a line is not simply a record. Does not belong
here: what a field means, and any value of a field in a message.

A quoted value follows RFC 4180 (Shafranovich, 2005): it begins with a quote right after a delimiter and ends with one right
before the next; a quote within it is doubled; it may hold line ends. A quote inside a value that does not begin with one is
an ordinary character. A quoted value that runs over several lines is believed only where its record closes properly and
has the right number of fields; otherwise the one line that opens it is refused and the next line is read on its own, so
that one forgotten quote costs one line.
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
    sorter = _Sorter(header=header, mark=delimiter.encode())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data, copy.open("wb") as out:
        at = header.ends
        while at < len(data):
            ends = data.find(b"\n", min(at + _BLOCK, len(data)) - 1) + 1 or len(data)
            at = sorter.take(data, at, ends, out)
    return sorter.records()


class _Sorter:
    """The running account of one file."""

    def __init__(self, *, header: Header, mark: bytes) -> None:
        self.mark = mark
        self.n_fields = len(header.names)
        self.line = header.begins + header.lines
        self.kept: list[npt.NDArray[np.int64]] = []
        self.rejected: list[RejectedLine] = []
        self.blank = header.begins - 1
        self.continued = 0

    def records(self) -> Records:
        kept = np.concatenate(self.kept) if self.kept else np.empty(0, dtype=np.int64)
        return Records(kept=kept, rejected=tuple(self.rejected), blank=self.blank, continued=self.continued)

    def take(self, data: mmap.mmap, begins: int, ends: int, out: BinaryIO) -> int:
        """Account for the lines from one byte to another, and return where the next block begins."""
        block = np.frombuffer(data[begins:ends], dtype=np.uint8)
        line_ends = np.flatnonzero(block == _LF)
        if not line_ends.size or line_ends[-1] != block.size - 1:
            line_ends = np.append(line_ends, block.size)
        line_begins = np.concatenate(([0], line_ends[:-1] + 1))
        verdicts = _verdicts(block, line_begins, line_ends, mark=self.mark[0], n_fields=self.n_fields)
        done = 0
        for quoted in np.flatnonzero(verdicts == _QUOTES).tolist():
            if quoted < done:
                continue
            self._take_plain(data, begins, line_begins, line_ends, verdicts, done, quoted, out)
            at = begins + int(line_begins[quoted])
            record_ends = self._take_quoted(data, at, begins + int(line_ends[quoted]), out)
            if record_ends > ends:
                return record_ends
            done = int(np.searchsorted(line_begins, record_ends - begins))
        self._take_plain(data, begins, line_begins, line_ends, verdicts, done, verdicts.size, out)
        return ends

    def _take_plain(  # noqa: PLR0913 -- the block's lines are four arrays
        self,
        data: mmap.mmap,
        offset: int,
        line_begins: npt.NDArray[np.int64],
        line_ends: npt.NDArray[np.int64],
        verdicts: npt.NDArray[np.int8],
        first: int,
        after: int,
        out: BinaryIO,
    ) -> None:
        """Lines that are each a record or nothing; runs of kept lines are copied in one piece."""
        here = verdicts[first:after]
        kept = here == _KEPT
        self.kept.append(np.flatnonzero(kept) + self.line)
        edges = np.flatnonzero(np.diff(np.concatenate(([False], kept, [False])).astype(np.int8)))
        for run_begins, run_ends in edges.reshape(-1, 2).tolist():
            out.write(
                data[offset + int(line_begins[first + run_begins]) : offset + int(line_ends[first + run_ends - 1])]
            )
            out.write(b"\n")
        for index in np.flatnonzero(~kept).tolist():
            verdict = int(here[index])
            if verdict == _BLANK:
                self.blank += 1
            else:
                self._reject(self.line + index, _RULES[verdict])
        self.line += after - first

    def _take_quoted(self, data: mmap.mmap, begins: int, line_ends: int, out: BinaryIO) -> int:
        """The record that begins on this line, or the line's refusal; returns where the next line begins."""
        next_line = min(line_ends + 1, len(data))
        record = _parse(data, begins, self.mark)
        rule = record if isinstance(record, str) else None
        if isinstance(record, _Record):
            fields = record.fields
            runs_on = record.ends > next_line
            if len(fields) == self.n_fields + 1 and not fields[-1]:
                fields = fields[:-1]
            if len(fields) != self.n_fields:
                rule = (
                    "open_quote"
                    if runs_on
                    else "too_few_columns"
                    if len(fields) < self.n_fields
                    else "too_many_columns"
                )
            elif b"\0" in data[begins : record.ends]:
                rule = "nul_character"
            elif record.ends - begins > LONGEST_RECORD:
                rule = "line_too_long"
            else:
                out.write(self.mark.join(b'"' + field.replace(b'"', b'""') + b'"' for field in fields) + b"\n")
                self.kept.append(np.array([self.line]))
                taken = data[begins : record.ends].removesuffix(b"\n").count(b"\n") + 1
                self.continued += taken - 1
                self.line += taken
                return record.ends
        self._reject(self.line, str(rule))
        self.line += 1
        return next_line

    def _reject(self, line: int, rule: str) -> None:
        self.rejected.append(RejectedLine(line, rule, REASONS[rule]))


def _verdicts(
    block: npt.NDArray[np.uint8],
    line_begins: npt.NDArray[np.int64],
    line_ends: npt.NDArray[np.int64],
    *,
    mark: int,
    n_fields: int,
) -> npt.NDArray[np.int8]:
    """What each line is, taken on its own; those whose quotes need reading one by one are `_QUOTES`."""
    marks = np.flatnonzero(block == mark)
    n_marks = np.searchsorted(marks, line_ends) - np.searchsorted(marks, line_begins)
    quotes = np.flatnonzero(block == _QUOTE)
    needs_reading = np.zeros(line_begins.size, dtype=bool)
    if quotes.size:
        needs_reading, within = _look_at_quotes(block, line_begins, line_ends, quotes=quotes, marks=marks, mark=mark)
        n_marks = n_marks - within
    verdicts = np.full(line_begins.size, _KEPT, dtype=np.int8)
    verdicts[n_marks < n_fields - 1] = _TOO_FEW
    verdicts[n_marks >= n_fields] = _TOO_MANY
    # A delimiter at the very end adds no column, for there is nothing in it.
    ends_in_mark = (line_ends > line_begins) & (block[np.maximum(line_ends - 1, 0)] == mark)
    verdicts[(n_marks == n_fields) & ends_in_mark] = _KEPT
    verdicts[line_ends - line_begins > LONGEST_RECORD] = _TOO_LONG
    nuls = np.flatnonzero(block == 0)
    verdicts[np.searchsorted(line_ends, nuls)] = _NUL
    verdicts[needs_reading] = _QUOTES
    for index in np.flatnonzero((n_marks == 0) & ~needs_reading).tolist():
        if not block[line_begins[index] : line_ends[index]].tobytes().strip():
            verdicts[index] = _BLANK
    return verdicts


def _look_at_quotes(
    block: npt.NDArray[np.uint8],
    line_begins: npt.NDArray[np.int64],
    line_ends: npt.NDArray[np.int64],
    *,
    quotes: npt.NDArray[np.int64],
    marks: npt.NDArray[np.int64],
    mark: int,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Which lines have quotes out of place, and how many delimiters of each line stand within quotes.

    Read from the left, a line's quotes open and close by turns. All are in place where each that opens follows a delimiter
    or the line's beginning, each that closes is followed by a delimiter or the line's end, and a closing and an opening
    one side by side are a doubled quote.
    """
    n_lines = line_begins.size
    line_of = np.searchsorted(line_ends, quotes)
    first = np.searchsorted(quotes, line_begins)
    opens = (np.arange(quotes.size) - first[line_of]) % 2 == 0
    padded = np.concatenate(([_LF], block, [_LF]))
    before, after = padded[quotes], padded[quotes + 2]
    in_place = np.where(
        opens,
        (before == mark) | (before == _LF) | (before == _QUOTE),
        (after == mark) | (after == _LF) | (after == _QUOTE),
    )
    counts = np.bincount(line_of, minlength=n_lines)
    misplaced = np.bincount(line_of[~in_place], minlength=n_lines) > 0
    mark_line = np.searchsorted(line_ends, marks)
    is_within = (np.searchsorted(quotes, marks) - first[mark_line]) % 2 == 1
    within = np.bincount(mark_line[is_within], minlength=n_lines)
    return misplaced | (counts % 2 == 1), within.astype(np.int64)


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
        if data[at : at + 1] == b'"':
            closes = _closing_quote(data, at + 1, begins + LONGEST_RECORD)
            if closes < 0 or data[closes + 1 : closes + 2] not in {mark, b"\n", b""}:
                yield None, closes
                return
            yield data[at + 1 : closes].replace(b'""', b'"'), closes + 1
            at = closes + 2
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
