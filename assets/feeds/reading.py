"""Reading a landed file into DuckDB as text, under the contract's column names, with every line accounted for.

Belongs here: which lines of a file are rows, and the account of them. Does not belong here: how a row becomes contract
columns (`columns`), where a record ends (`records`), casting and judging (the staging models).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assets.contracts.model import Feed
from assets.feeds.archives import unpacked
from assets.feeds.cells import Cells
from assets.feeds.codes import Codes
from assets.feeds.columns import cell_sql, columns_sql, forms_of_moments, only_sql, repeating_columns, text_sql
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.mapping_checks import did_you_mean
from assets.feeds.records import Header, RejectedLine, read_header, sort_records
from assets.feeds.text_files import csv_sql, make_plain, path_sql
from assets.feeds.typed_files import cells_of
from assets.feeds.wrong_input import WrongInput

# The statement that takes the rows of a SELECT, whose columns it is told, and answers with how many they were.
Take = Callable[[str, Sequence[str]], str]

_LINES = "rapport_lines_of_records"
FAILED_CELL = "failed_cell"
_FAILED_REASON = "a cell of the row holds an error such as #N/A in place of a value"


@dataclass(frozen=True, kw_only=True)
class ReadReport:
    """The account of one file read for one mapping: `lines = kept + len(rejected) + blank`.

    Attributes:
        lines: this mapping's lines. The header is none; a quoted value that runs over several lines makes them one.
        kept: rows in the table.
        blank: lines with nothing on them.
        rejected: lines that are no record, in the file's order.
        left_to_others: records that other mappings of the same file take.
    """

    lines: int
    kept: int
    blank: int
    rejected: tuple[RejectedLine, ...]
    left_to_others: int


@dataclass(frozen=True, kw_only=True)
class _Source:
    """A file as a query of text: `line`, and one column a source column that is read.

    Attributes:
        sql: the query.
        texts: source column to the SQL of its trimmed text.
        records: how many rows the query must give.
    """

    sql: str
    texts: Mapping[str, str]
    records: int


class _UnaccountedError(RuntimeError):
    """Rows that DuckDB gave are not the records that the file has."""


def read_into(  # noqa: PLR0913 -- what is read, how, and where to
    con: duckdb.DuckDBPyConnection,
    landed: LandedFile,
    mapping: FeedMapping,
    *,
    feed: Feed,
    codes: Codes,
    table: str,
    scratch: Path,
) -> ReadReport:
    """Create or replace a table of one landed file's rows as one mapping sees them; else as `read_with`."""

    def create(rows: str, _columns: Sequence[str]) -> str:
        return f"CREATE OR REPLACE TABLE {table} AS {rows}"

    return read_with(con, landed, mapping, feed=feed, codes=codes, take=create, scratch=scratch)


def read_with(  # noqa: PLR0913 -- what is read, how, and where to
    con: duckdb.DuckDBPyConnection,
    landed: LandedFile,
    mapping: FeedMapping,
    *,
    feed: Feed,
    codes: Codes,
    take: Take,
    scratch: Path,
) -> ReadReport:
    """Give one landed file's rows, as one mapping sees them, to a statement that takes them.

    Args:
        con: an open connection, outside any transaction. Where a line is unaccounted for nothing of it stays taken.
        landed: the file, with all its claims. Where every claim takes only some lines, those that none takes belong to
            the first claim, and so do blank and rejected lines.
        mapping: one of the file's claims.
        feed: the contract.
        codes: how identifiers are written in the rows; what they were is nowhere in them.
        take: the statement, which says how many rows it took.
        scratch: an existing folder for plain copies; they are removed.

    Returns:
        The account. The rows have `source_line` (BIGINT: the line the record begins on, from 1 with the header counted;
        of a workbook the row's number in its sheet; of Parquet, SPSS and Stata the row from 1), each mapped contract column (VARCHAR: trimmed, blank as NULL, a word outside the
        vocabulary as `?`), and for ratings what is mapped of `items` (VARCHAR[]), `item_number`, `item_value` and
        `total`.

    Raises:
        WrongInput: the file is not what the mapping says it is.
        RuntimeError: a line is unaccounted for.
    """
    is_first = not landed.claims or landed.claims[0].place == mapping.place
    others = tuple(claim for claim in landed.claims if claim.place != mapping.place) if is_first else ()
    reader = _Reader(con=con, landed=landed, mapping=mapping, feed=feed, codes=codes, take=take, others=others)
    stem = f"file-{landed.file_number}-{mapping.feed}-{mapping.index}"
    plain, copy = (scratch / f"{stem}.{part}" for part in ("plain", "records"))
    try:
        with unpacked(landed.path, name=landed.name, member=landed.member, copy=scratch / f"{stem}.unpacked") as path:
            if mapping.format == "parquet":
                report = reader.read_parquet(path)
            elif mapping.is_text:
                report = reader.read_csv(path, plain, copy)
            else:
                report = reader.read_cells(cells_of(path, name=landed.name, mapping=mapping, copy=plain))
    finally:
        plain.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
    if is_first:
        return report
    return ReadReport(lines=report.kept, kept=report.kept, blank=0, rejected=(), left_to_others=report.left_to_others)


@dataclass(frozen=True, kw_only=True)
class _Reader:
    """One file, one mapping, one table."""

    con: duckdb.DuckDBPyConnection
    landed: LandedFile
    mapping: FeedMapping
    feed: Feed
    codes: Codes
    take: Take
    others: Sequence[FeedMapping]

    def read_parquet(self, file: Path) -> ReadReport:
        path = path_sql(file)
        try:
            described = self.con.execute(f"DESCRIBE SELECT * FROM read_parquet({path})").fetchall()
            counted = self.con.execute(f"SELECT count(*) FROM read_parquet({path})").fetchall()[0]
        except duckdb.Error:
            raise self._no_parquet() from None
        types = {str(name): str(kind) for name, kind, *_ in described}
        asked = self._asked(list(types))
        forms = forms_of_moments(self.mapping, self.feed)
        texts = {
            source: text_sql(f"c{place}", kind=types[source], form=forms.get(source))
            for place, source in enumerate(asked)
        }
        columns = "".join(f", {_named(source)} AS c{place}" for place, source in enumerate(asked))
        rows = f"SELECT file_row_number + 1 AS line{columns} FROM read_parquet({path}, file_row_number = true)"
        records = int(counted[0]) if counted else 0
        try:
            kept = self._take(_Source(sql=rows, texts=texts, records=records))
        except duckdb.OutOfMemoryException:
            raise
        except (duckdb.Error, _UnaccountedError):
            # The description at its end is whole, and what it describes is not.
            raise self._no_parquet() from None
        return ReadReport(lines=kept, kept=kept, blank=0, rejected=(), left_to_others=records - kept)

    def _no_parquet(self) -> WrongInput:
        return WrongInput(
            "cannot be read as Parquet",
            place=self.landed.name,
            mend=f"send it again whole, or mend {self.mapping.place}.format",
        )

    def read_cells(self, cells: Cells) -> ReadReport:
        if not cells.names:
            self._take_nothing()
            return ReadReport(lines=cells.blank, kept=0, blank=cells.blank, rejected=(), left_to_others=0)
        forms = forms_of_moments(self.mapping, self.feed)
        texts = {}
        for source in self._asked(cells.names):
            place = cells.names.index(source)
            text = text_sql(f"c{place}", has_odd_spaces=cells.has_odd_spaces)
            texts[source] = cell_sql(text, f"t{place}", form=forms.get(source)) if place in cells.timed else text
        # Every mapping of the file leaves the same rows out, and the first of them accounts for them.
        needed = {source for claim in (self.mapping, *self.landed.claims) for source in claim.source_columns}
        failed = cells.failed_lines({place for place, name in enumerate(cells.names) if name in needed})
        rows = f"SELECT * FROM read_parquet({path_sql(cells.path)}) ANTI JOIN {_LINES} USING (line)"
        records = cells.records - len(failed)
        self.con.register(_LINES, pl.DataFrame({"line": failed}, schema={"line": pl.Int64}).to_arrow())
        try:
            kept = self._take(_Source(sql=rows, texts=texts, records=records))
        finally:
            self.con.unregister(_LINES)
        rejected = tuple(RejectedLine(line, FAILED_CELL, _FAILED_REASON) for line in failed)
        return ReadReport(
            lines=kept + len(rejected) + cells.blank,
            kept=kept,
            blank=cells.blank,
            rejected=rejected,
            left_to_others=records - kept,
        )

    def read_csv(self, path: Path, plain: Path, copy: Path) -> ReadReport:
        text = make_plain(
            path,
            encoding=self.mapping.encoding,
            name=self.landed.name,
            key=f"{self.mapping.place}.encoding",
            copy=plain,
        )
        header = read_header(text.path, delimiter=self.mapping.delimiter)
        if header is None:
            self._take_nothing()
            return ReadReport(lines=text.lines, kept=0, blank=text.lines, rejected=(), left_to_others=0)
        texts = {
            source: text_sql(f"c{header.names.index(source)}", has_odd_spaces=text.has_odd_spaces)
            for source in self._asked(header.names)
        }
        is_plain = not text.has_gaps and not text.has_loose_quotes
        if is_plain and header.lines == 1 and len(header.names) > 1:
            # Every line is one record, unless DuckDB finds a fault or fewer records than lines.
            rows = csv_sql(
                text.path, len(header.names), delimiter=self.mapping.delimiter, skip=1, has_quotes=text.has_quotes
            )
            source = _Source(
                sql=f"SELECT row_number() OVER () + 1 AS line, * FROM {rows}", texts=texts, records=text.lines - 1
            )
            try:
                kept = self._take(source)
            except _UnaccountedError:
                # Some line is no record: it is found, and the rest are read, below.
                pass
            else:
                return ReadReport(lines=kept, kept=kept, blank=0, rejected=(), left_to_others=source.records - kept)
        return self._read_sorted(text.path, header, texts, lines=text.lines, copy=copy)

    def _read_sorted(
        self, path: Path, header: Header, texts: Mapping[str, str], *, lines: int, copy: Path
    ) -> ReadReport:
        found = sort_records(path, header=header, delimiter=self.mapping.delimiter, copy=copy)
        accounted = header.lines + found.kept.size + len(found.rejected) + found.blank + found.continued
        if accounted != lines:
            raise RuntimeError(f"{self.landed.name}: {lines} lines, and {accounted} accounted for")
        kept = 0
        if found.kept.size:
            rows = csv_sql(copy, len(header.names), delimiter=self.mapping.delimiter, skip=0, has_quotes=True)
            source = _Source(
                sql=f"SELECT * FROM {rows} POSITIONAL JOIN {_LINES}", texts=texts, records=int(found.kept.size)
            )
            self.con.register(_LINES, pl.DataFrame({"line": found.kept}).to_arrow())
            try:
                kept = self._take(source)
            finally:
                self.con.unregister(_LINES)
        else:
            self._take_nothing()
        return ReadReport(
            lines=kept + len(found.rejected) + found.blank,
            kept=kept,
            blank=found.blank,
            rejected=found.rejected,
            left_to_others=int(found.kept.size) - kept,
        )

    def _asked(self, names: Sequence[str]) -> list[str]:
        """The source columns to be read, once the file is seen to have each of them once."""
        mapping, file = self.mapping, self.landed.name
        asked = dict(mapping.source_columns)
        for other in self.others if mapping.only else ():
            for source in other.only:
                asked.setdefault(source, f"{other.place}.only")
        if asked and not any(source in names for source in asked):
            # A file without a header begins with someone's record, so its first line is not repeated here.
            raise WrongInput(
                f"the first line of {file} names none of the mapped columns",
                place=f"{mapping.place}.columns",
                mend="have the export begin with a line of column names, or mend the delimiter or the names",
            )
        for source, key in asked.items():
            if source not in names:
                # A name that runs over lines is a quote gone astray, with records behind it.
                there = [name for name in names if name and "\n" not in name]
                raise WrongInput(
                    f'{file} has no column "{source}"',
                    place=key,
                    mend=f"{did_you_mean(source, there)} its columns are: {', '.join(there)}",
                )
            if names.count(source) > 1:
                raise WrongInput(
                    f'{file} has {names.count(source)} columns called "{source}"',
                    place=key,
                    mend="have the export name each column once",
                )
        return list(asked)

    def _take(self, source: _Source) -> int:
        """Give the rows away and return how many there were, once all of the file's records have been seen."""
        where = only_sql(self.mapping, self.others, source.texts)
        try:
            with self._coded(f"({source.sql}){where}", source.texts) as statement:
                self.con.begin()
                try:
                    kept = seen = int(self.con.execute(statement).fetchall()[0][0])
                    if where:
                        seen = int(self.con.execute(f"SELECT count(*) FROM ({source.sql})").fetchall()[0][0])
                    if seen != source.records:
                        raise _UnaccountedError(f"{self.landed.name}: {source.records} records, and {seen} read")  # noqa: TRY301 -- undone just below
                except BaseException:
                    self.con.rollback()
                    raise
                self.con.commit()
        except duckdb.InvalidInputException:
            # DuckDB's own message quotes the line.
            raise _UnaccountedError(f"{self.landed.name}: DuckDB found a line that is no record") from None
        return kept

    def _take_nothing(self) -> None:
        texts = dict.fromkeys(self.mapping.source_columns, "CAST(NULL AS VARCHAR)")
        with self._coded("(SELECT 0 AS line) WHERE false", texts) as statement:
            self.con.execute(statement)

    @contextmanager
    def _coded(self, records: str, texts: Mapping[str, str]) -> Iterator[str]:
        """The statement that takes the rows, their identifiers as codes."""
        made = columns_sql(self.mapping, self.feed, texts, seen_on=self.landed.seen_on)
        columns = ", ".join(f"{sql} AS {name}" for name, sql in made.items())
        rows = f"SELECT CAST(line AS BIGINT) AS source_line, {columns} FROM {records}"
        names, often = ["source_line", *made], repeating_columns(self.mapping, self.feed)
        with self.codes.coded(self.con, rows, columns=names, repeating=often) as coded:
            yield self.take(coded, names)


def _named(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
