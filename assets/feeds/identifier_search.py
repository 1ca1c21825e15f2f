"""Looking through a landed file, every column and every value, for what would tell who somebody is.

Belongs here: which columns are looked at, the one scan over them, and the memory of what was looked at before. Does not
belong here: what an identifier looks like (`direct_identifiers`) and what becomes of a file in which one was found.

A column is left out where nothing of its text can leave landing: one that is mapped to codes, dates, numbers or a closed
vocabulary alone. All others are looked at on the landing copy, those that no mapping asks for too. What was found is
remembered beside the landing copies by column and kind, never by value, so that no night looks at the same bytes twice.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import duckdb

from assets.contracts.model import Feed, Kind
from assets.feeds.archives import unpacked
from assets.feeds.cells import Cells
from assets.feeds.columns import cell_sql
from assets.feeds.direct_identifiers import (
    DAY,
    PREFILTER,
    SHORTEST,
    SPOKEN,
    holds_births,
    kinds_by_header,
    kinds_in,
)
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.records import read_header, sort_records
from assets.feeds.text_files import csv_sql, make_plain
from assets.feeds.typed_files import cells_of

MEMORY = "searched.jsonl"
HELD = "file_held"
# Raised with every change to what counts as an identifier, so that files are looked at again.
_RULES = 1
_TEXTS = frozenset({Kind.TEXT, Kind.IDENTIFIER})


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A column of a file that holds direct identifiers.

    Attributes:
        column: its name in the file, or its number where the name would itself give somebody away.
        kinds: what was found, as `direct_identifiers.SPOKEN` names it.
    """

    column: str
    kinds: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Which column, and what it seems to hold; never a value."""
        return f'column "{self.column}" seems to hold {" and ".join(SPOKEN[kind] for kind in self.kinds)}'


def search(  # noqa: PLR0913 -- what is looked at, how, and where its memory is
    con: duckdb.DuckDBPyConnection,
    landed: LandedFile,
    *,
    feeds: Mapping[str, Feed],
    coded: Collection[str],
    country: str,
    memory: Path,
    scratch: Path,
) -> tuple[Leak, ...]:
    """The columns of a landed file that hold direct identifiers.

    Args:
        con: an open connection; nothing is made in it.
        landed: the file, with all its claims.
        feeds: every contract by its feed's name.
        coded: contract columns that leave landing as codes.
        country: whose telephone and social security numbers are looked for.
        memory: the folder that remembers earlier searches.
        scratch: an existing folder for plain copies; they are removed.

    Raises:
        WrongInput: the file is not of the encoding that its mapping says.
    """
    safe = _safe_columns(landed.claims, feeds=feeds, coded=coded)
    named = {source for claim in landed.claims for source in claim.source_columns}
    first = landed.claims[0]
    seen = [first.sheet, first.header_row, *first.labels] if not first.is_text and first.format != "parquet" else []
    how = json.dumps(
        [_RULES, country, first.format, first.delimiter, first.encoding, sorted(safe), sorted(named), *seen]
    )
    key = {"sha256": landed.sha256, "how": hashlib.sha256(how.encode()).hexdigest()[:16]}
    known = _remembered(memory / MEMORY, key)
    if known is None:
        looker = _Looker(con=con, landed=landed, safe=safe, named=named, country=country)
        known = looker.look(scratch)
        line = {**key, "found": [[leak.column, *leak.kinds] for leak in known]}
        with (memory / MEMORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    return known


def _remembered(file: Path, key: Mapping[str, str]) -> tuple[Leak, ...] | None:
    """What an earlier night found; a line that was cut off while it was written is no memory."""
    if not file.exists():
        return None
    for line in file.read_text(encoding="utf-8").splitlines():
        if key["sha256"] not in line or key["how"] not in line or not line.endswith("}"):
            continue
        return tuple(Leak(column=column, kinds=tuple(kinds)) for column, *kinds in json.loads(line)["found"])
    return None


def _safe_columns(
    claims: Sequence[FeedMapping], *, feeds: Mapping[str, Feed], coded: Collection[str]
) -> frozenset[str]:
    """The source columns that are mapped, and to nothing that keeps their text."""
    safe: set[str] = set()
    kept: set[str] = set()
    for claim in claims:
        columns = feeds[claim.feed].table
        read = [(name, source) for name, sources in claim.columns.items() for source in sources]
        read += [(name, pattern.source) for name, pattern in claim.patterns.items()]
        for name, source in read:
            keeps = columns.column(name).kind in _TEXTS and name not in coded and name != "instrument"
            (kept if keeps else safe).add(source)
        safe |= {*claim.item_columns, *filter(None, (claim.born_on, claim.item_number, claim.item_value, claim.total))}
    return frozenset(safe - kept)


def _named(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


class _OtherRecordsError(Exception):
    """DuckDB gave more or fewer rows than the file has lines."""


@dataclass(frozen=True, kw_only=True)
class _Looker:
    """One file and one scan."""

    con: duckdb.DuckDBPyConnection
    landed: LandedFile
    safe: Collection[str]
    named: Collection[str]
    country: str

    def look(self, scratch: Path) -> tuple[Leak, ...]:
        """Every column as its text."""
        mapping = self.landed.claims[0]
        stem = f"search-{self.landed.file_number}"
        plain, copy = (scratch / f"{stem}.{part}" for part in ("plain", "records"))
        try:
            with unpacked(
                self.landed.path, name=self.landed.name, member=self.landed.member, copy=scratch / f"{stem}.unpacked"
            ) as path:
                if mapping.format == "parquet":
                    return self._look_at_parquet(path)
                if mapping.is_text:
                    return self._look_at_csv(path, plain, copy)
                return self._look_at_cells(cells_of(path, name=self.landed.name, mapping=mapping, copy=plain))
        finally:
            plain.unlink(missing_ok=True)
            copy.unlink(missing_ok=True)

    def _look_at_cells(self, cells: Cells) -> tuple[Leak, ...]:
        path = escape(str(cells.path)).replace("'", "''")
        columns = [
            (name, cell_sql(f"c{place}", f"t{place}", form=None) if place in cells.timed else f"c{place}")
            for place, name in enumerate(cells.names)
        ]
        return self._look(f"read_parquet('{path}')", columns) if cells.records else ()

    def _look_at_parquet(self, file: Path) -> tuple[Leak, ...]:
        """A file that is no Parquet is for the reading to speak of."""
        path = str(escape(str(file))).replace("'", "''")
        rows = f"read_parquet('{path}')"
        try:
            described = self.con.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall()
            names = [str(name) for name, *_ in described]
            return self._look(rows, [(name, f"CAST({_named(name)} AS VARCHAR)") for name in names])
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error:
            return ()

    def _look_at_csv(self, path: Path, plain: Path, copy: Path) -> tuple[Leak, ...]:
        mapping = self.landed.claims[0]
        text = make_plain(
            path, encoding=mapping.encoding, name=self.landed.name, key=f"{mapping.place}.encoding", copy=plain
        )
        header = read_header(text.path, delimiter=mapping.delimiter)
        if header is None:
            return ()
        columns = [(name, f"c{position}") for position, name in enumerate(header.names)]
        if not any(name not in self.safe for name, _ in columns):
            return ()
        if not text.has_gaps and not text.has_loose_quotes and header.lines == 1 and len(header.names) > 1:
            rows = csv_sql(
                text.path, len(header.names), delimiter=mapping.delimiter, skip=1, has_quotes=text.has_quotes
            )
            try:
                return self._look(rows, columns, records=text.lines - 1)
            except (_OtherRecordsError, duckdb.InvalidInputException):
                # Some line is no record; what is one is looked at below.
                pass
        if not sort_records(text.path, header=header, delimiter=mapping.delimiter, copy=copy).kept.size:
            return ()
        return self._look(
            csv_sql(copy, len(header.names), delimiter=mapping.delimiter, skip=0, has_quotes=True), columns
        )

    def _look(self, rows: str, columns: Sequence[tuple[str, str]], *, records: int | None = None) -> tuple[Leak, ...]:
        """One scan for the distinct values worth a closer look, column by column, then that look."""
        looked_at = [(number, name, sql) for number, (name, sql) in enumerate(columns, 1) if name not in self.safe]
        if not looked_at:
            return ()
        texts = ", ".join(sql for _, _, sql in looked_at)
        # One row a value, not one aggregate a column: a file may have a thousand columns.
        query = f"""
            SELECT
              place,
              list(DISTINCT sent) FILTER (
                WHERE strlen(sent) >= {SHORTEST} AND regexp_matches(sent, $pre) AND NOT regexp_full_match(sent, $day)
              ),
              list(DISTINCT sent) FILTER (WHERE strlen(sent) >= 8 AND regexp_full_match(sent, $day)),
              count(*) FILTER (WHERE trim(sent) <> ''),
              count(*)
            FROM (SELECT unnest([{texts}]) AS sent, unnest(range({len(looked_at)})) AS place FROM {rows})
            GROUP BY place ORDER BY place"""
        answers = self.con.execute(query, {"pre": PREFILTER, "day": DAY}).fetchall()
        seen = int(answers[0][-1]) if answers else 0
        if records is not None and seen != records:
            raise _OtherRecordsError
        return tuple(self._leaks(looked_at, answers))

    def _leaks(self, looked_at: Sequence[tuple[int, str, str]], answers: Sequence[tuple[Any, ...]]) -> Iterator[Leak]:
        for place, values, days, filled, _ in answers:
            number, name, _ = looked_at[place]
            found = kinds_in(values or (), country=self.country)
            if name not in self.named and filled:
                found |= kinds_by_header(name)
                if holds_births(days or (), seen_on=self.landed.seen_on):
                    found.add("birth_date")
            if found:
                tells_somebody = bool(kinds_in([name], country=self.country)) or "\n" in name
                yield Leak(
                    column=f"number {number}" if tells_somebody or not name else name,
                    kinds=tuple(kind for kind in SPOKEN if kind in found),
                )
