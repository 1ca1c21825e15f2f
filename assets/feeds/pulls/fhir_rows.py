"""Flattening: FHIR resources as they come, in memory, become rows of text in a Parquet file.

Belongs here: JSON in, rows out, and that no row stands twice. Does not belong here: which paths are kept (`fhir_columns`),
how a form becomes rows (`fhir_form_rows`), or where the JSON comes from (`fhir`, `fhir_bulk`). No JSON is ever written to
a disk.

The JSON is read by DuckDB, which takes out the wanted paths without making Python objects of the rest. A path whose value
has another type than FHIR gives it is empty, as if it were not there.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from assets.feeds.pulls.fhir_columns import BEFOREHAND, COLUMNS, KEYS, STRUCTS
from assets.feeds.pulls.fhir_deleted import deleted_sql
from assets.feeds.pulls.fhir_form_rows import FORM_ROWS, register_forms
from assets.feeds.pulls.fhir_forms import Forms
from assets.feeds.pulls.fhir_pages import NoPageError, Page, error_codes, page_of
from assets.feeds.pulls.fhir_settings import Resource
from assets.feeds.pulls.source import PullFailedError

# Rows are made of that many bytes at once: planning a query costs what reading some megabytes does.
_BATCH: Final = 16 * 1024 * 1024
# How many batches are made at once, while the next one comes.
_AT_ONCE: Final = 2
_MEMORY: Final = "1GB"
_TEXTS: Final = "rapport_texts"
# No longer than a line's end, an empty line is looked at by itself.
_SHORT: Final = 3
# Their messages quote the text, so none of them is passed on, nor kept as a cause.
_NO_JSONS: Final = (duckdb.InvalidInputException, duckdb.ConversionException, UnicodeDecodeError)
_NO_JSON: Final = "the system's answer is not JSON"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What searches have brought so far.

    Attributes:
        resources: how many different ones.
        oldest: when the one changed that changed longest ago, since the last search began; None where not all say so.
        is_newest_first: whether they came in the order of their last change since then, the newest first.
        issues: the codes of what the server could not do, of severity `error` or `fatal`.
    """

    resources: int
    oldest: datetime | None
    is_newest_first: bool
    issues: tuple[str, ...]


class _Batch(NamedTuple):
    """Rows, with what is counted of the resources that they were made of."""

    rows: pa.Table
    seen: pa.Table | None
    issues: Sequence[dict[str, str | None]]


class _NoJsonError(Exception):
    """A batch is no JSON; some of it may have been taken long before, so only the whole file can be fetched again."""


class ResourceFile:
    """A Parquet file of one kind of resource, written as they come; a context whose end closes it.

    Args:
        path: the new file.
        resource: the kind; others that come along are left out.
        is_paged: whether pages are added, or lines.
        forms: which forms and observations are which measures.
        zone: the clinic's own.

    Attributes:
        resources: how many came, those that came twice counted twice.
        rows: how many were made of them; those that stand, once the file is closed.
    """

    def __init__(self, path: Path, *, resource: Resource, is_paged: bool, forms: Forms, zone: ZoneInfo) -> None:
        self.resources = 0
        self.rows = 0
        self._path, self._resource, self._is_paged = path, resource, is_paged
        self._schema = pa.schema([pa.field(column.name, pa.string()) for column in COLUMNS[resource]])
        self._texts: list[pa.Table] = []
        self._bytes = 0
        self._workers = ThreadPoolExecutor(max_workers=_AT_ONCE)
        self._batches: deque[Future[_Batch]] = deque()
        self._keys: list[npt.NDArray[np.uint64]] = []
        self._found: list[npt.NDArray[np.uint64]] = []
        self._issues: list[dict[str, str | None]] = []
        self._con = duckdb.connect()
        self._con.execute(f"SET GLOBAL TimeZone = '{zone.key}'")
        self._con.execute(f"SET memory_limit = '{_MEMORY}'")
        # Each batch is one worker's own; more threads for one wait for one another.
        self._con.execute("SET threads = 1")
        register_forms(self._con, forms)
        self.begin_search()
        # Looking for words that repeat costs five times the writing, and zstd finds them too.
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd", use_dictionary=False)

    def __enter__(self) -> Self:
        """The file, open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, and where all went well see to it that every row stands once, in its newest version.

        Raises:
            PullFailedError: where what was taken is no JSON.
        """
        try:
            if error is None:
                self._write_all()
            self._writer.close()
            if error is None and self._has_repeats():
                self._keep_the_newest()
        except _NoJsonError as no_json:
            error = no_json
        finally:
            self._workers.shutdown(cancel_futures=True)
            self._writer.close()
            self._con.close()
        if isinstance(error, _NoJsonError):
            raise PullFailedError(_NO_JSON) from None

    def add_lines(self, lines: bytes) -> int:
        """Take whole lines, a resource each; how many there are that are not blank."""
        texts = _as_texts(lines)
        self.resources += texts.num_rows
        self._take(texts, size=len(lines))
        return int(texts.num_rows)

    def add_page(self, page: bytes) -> Page:
        """Take a Bundle of a search.

        Raises:
            PullFailedError: where it is no JSON.
        """
        try:
            told, resources = page_of(page)
        except NoPageError:
            raise PullFailedError(_NO_JSON) from None
        if told.kind == "Bundle":
            self._take(_one_a_row(resources), size=len(page))
        return told

    def add_deleted(self, lines: bytes, *, earlier: Sequence[Path]) -> None:
        """Take whole lines, a Bundle each, whose entries say which resources are no longer there.

        Args:
            lines: as they came.
            earlier: files of this kind that were pulled before, which tell what such a resource last was.
        """
        taken = f"SELECT unnest(json_extract(j, '$.entry[*]')) AS entry FROM {_TEXTS}"
        rows = deleted_sql(self._resource, earlier=[_quoted(path) for path in earlier])
        self._write(self._made(_as_texts(lines), taken=taken, rows=rows, is_counted=False))

    def begin_search(self) -> None:
        """See from here on whether the newest come first."""
        self._write_all()
        self._changed: list[npt.NDArray[np.float64]] = []

    def found(self) -> Found:
        """What came so far."""
        self._write_all()
        changed = np.concatenate([np.empty(0), *self._changed])
        return Found(
            resources=np.unique(np.concatenate([np.empty(0, np.uint64), *self._found])).size,
            oldest=datetime.fromtimestamp(changed.min(), UTC) if changed.size and not np.isnan(changed).any() else None,
            is_newest_first=bool(np.all(np.diff(changed) <= 0)),
            issues=error_codes(self._issues),
        )

    def _take(self, texts: pa.Table, *, size: int) -> None:
        self._texts.append(texts)
        self._bytes += size
        if self._bytes >= _BATCH:
            self._begin_batch()
            while len(self._batches) > _AT_ONCE:
                self._write(self._batches.popleft().result())

    def _begin_batch(self) -> None:
        """Have rows made of what was taken, while more of it comes."""
        texts, self._texts, self._bytes = pa.concat_tables(self._texts).combine_chunks(), [], 0
        taken = f"SELECT json_transform(j, '{STRUCTS[self._resource]}') AS r FROM {_TEXTS}"
        rows = _rows_sql(self._resource)
        self._batches.append(self._workers.submit(self._made, texts, taken=taken, rows=rows, is_counted=self._is_paged))

    def _made(self, texts: pa.Table, *, taken: str, rows: str, is_counted: bool) -> "_Batch":
        """The rows of a batch, on a connection of its own."""
        try:
            with self._con.cursor() as con:
                con.register(_TEXTS, texts)
                # A table of its own, for in one query DuckDB would read the JSON again for every condition and column.
                con.execute(f"CREATE TEMP TABLE taken AS {taken}")
                made = con.sql(rows).to_arrow_table()
                return _Batch(made, *_counted(con, self._resource)) if is_counted else _Batch(made, None, ())
        except _NO_JSONS:
            raise _NoJsonError from None

    def _write_all(self) -> None:
        if self._texts:
            self._begin_batch()
        while self._batches:
            self._write(self._batches.popleft().result())

    def _write(self, batch: "_Batch") -> None:
        made, seen = batch.rows, batch.seen
        self._keys.append(made.column("key").to_numpy())
        self.rows += made.num_rows
        if made.num_rows:
            self._writer.write_table(made.select(self._schema.names).cast(self._schema))
        if seen is not None:
            self.resources += seen.num_rows
            self._found.append(seen.column("id").to_numpy())
            self._changed.append(seen.column("changed").to_numpy().astype(np.float64))
            self._issues += batch.issues

    def _has_repeats(self) -> bool:
        seen = np.concatenate([np.empty(0, np.uint64), *self._keys])
        return np.unique(seen).size < seen.size

    def _keep_the_newest(self) -> None:
        """Leave of each row the version that changed last; of equals, the one that came last."""
        keys = ", ".join(f'"{name}"' for name in KEYS[self._resource])
        listed = ", ".join(f'"{name}"' for name in self._schema.names)
        settled = self._path.with_name(f"{self._path.name}.settled")
        self._con.execute(f"SET temp_directory = '{_quoted(self._path.with_name(self._path.name + '.spilled'))}'")
        self._con.execute(f"""
            COPY (
              SELECT {listed} FROM read_parquet('{_quoted(self._path)}', file_row_number = true)
              QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY updated DESC NULLS LAST, file_row_number DESC) = 1
            ) TO '{_quoted(settled)}' (FORMAT parquet, COMPRESSION zstd)""")
        settled.replace(self._path)
        self.rows = pq.ParquetFile(self._path).metadata.num_rows


def _of_kind(resource: Resource) -> str:
    return f"r.resourceType = '{resource}' AND r.id IS NOT NULL"


def _counted(con: duckdb.DuckDBPyConnection, resource: Resource) -> tuple[pa.Table, Sequence[dict[str, str | None]]]:
    """Of each resource its id's hash and when it changed, in their order; and what the server could not do."""
    seen = con.sql(
        "SELECT hash(r.id) AS id, epoch(TRY_CAST(r.meta.lastUpdated AS TIMESTAMPTZ)) AS changed"
        f" FROM taken WHERE {_of_kind(resource)}"
    ).to_arrow_table()
    issues = con.execute("SELECT unnest(r.issue) FROM taken WHERE r.resourceType = 'OperationOutcome'").fetchall()
    return seen, [issue for (issue,) in issues if issue]


def _rows_sql(resource: Resource) -> str:
    """SELECT of the file's rows, each with the hash of its key, from what was taken."""
    select = f"SELECT r FROM taken WHERE {_of_kind(resource)}"
    select = FORM_ROWS.get(resource, "{resources}").replace("{resources}", select)
    for more in BEFOREHAND.get(resource, ()):
        select = f"SELECT *, {more} FROM ({select})"
    columns = ", ".join(f'{column.sql} AS "{column.name}"' for column in COLUMNS[resource])
    keys = ", ".join(f'"{name}"' for name in KEYS[resource])
    return f"SELECT *, hash({keys}) AS key FROM (SELECT {columns} FROM ({select}))"


def _as_texts(lines: bytes) -> pa.Table:
    """Lines as a column of text, without a copy of each; blank ones left out."""
    letters = np.frombuffer(lines, np.uint8)
    ends = np.flatnonzero(letters == ord("\n")) + 1
    if letters.size and (not ends.size or ends[-1] != letters.size):
        ends = np.append(ends, letters.size)
    offsets = np.concatenate(([0], ends)).astype(np.int32)
    table = _column(offsets, lines)
    is_blank = np.zeros(len(ends), np.bool_)
    for at in np.flatnonzero(np.diff(offsets) <= _SHORT).tolist():
        is_blank[at] = not lines[offsets[at] : offsets[at + 1]].strip()
    return table.filter(pa.array(~is_blank)) if is_blank.any() else table


def _one_a_row(resources: Sequence[bytes]) -> pa.Table:
    """Resources as a column of text; there may be ends of lines within them."""
    return _column(np.cumsum([0, *map(len, resources)], dtype=np.int32), b"".join(resources))


def _column(offsets: npt.NDArray[np.int32], letters: bytes) -> pa.Table:
    column = pa.StringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(letters))
    return pa.table({"j": column})


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
