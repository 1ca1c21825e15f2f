"""Databases: each query becomes a Parquet file of text, as the staging models read any file.

Belongs here: asking, and writing the answer down. Does not belong here: what columns mean.

Every value is written as text in one way, whatever the database: days as `2026-11-20`, moments as `2026-11-20 14:05:00` in
the clinic's own zone where the database knows the zone and as they stand where it does not, truth as `true` and `false`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import adbc_driver_manager
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import sqlalchemy as sa
from adbc_driver_postgresql import dbapi as postgres

from assets.feeds.pulls.databases import KINDS, UnknownDatabaseError, connected
from assets.feeds.pulls.settings import Query, SqlPull
from assets.feeds.pulls.source import Fetched, Item, PullFailedError
from assets.feeds.wrong_input import WrongInput

_ROWS_AT_ONCE: Final = 50_000
# What Arrow writes as Python does, and much quicker. A decimal is not: all would get the digits of the longest.
_ARROWS_OWN: Final = frozenset({str, int, bool, float, date, datetime})
_MOMENT: Final = "%Y-%m-%d %H:%M:%S"
# The columns' names, and the answer in parts: each column as text, and the highest watermark among them.
_Answer = tuple[Sequence[str], Iterable[tuple[list[pa.Array], object]]]


@dataclass(frozen=True, kw_only=True)
class Database:
    """One database and what is asked of it.

    Attributes:
        settings: the queries.
        url: where it is; a secret.
        zone: the clinic's own, in which moments are written.
        now: names the files that a watermark makes.
    """

    settings: SqlPull
    url: str = field(repr=False)
    zone: ZoneInfo
    now: datetime

    def new_items(self, marks: Mapping[str, str]) -> Iterable[Item]:  # noqa: ARG002 - only an answer shows what is new
        """Every query: what it brings is known when it has been asked."""
        moment = self.now.astimezone(self.zone).strftime("%Y%m%dT%H%M%S")
        for query in self.settings.queries:
            name = query.name if query.watermark is None else f"{query.name}-{moment}"
            yield Item(name=f"{name}.parquet", subject=query.name, mark=None)

    def fetch(self, item: Item, *, to: Path, last_mark: str | None) -> Fetched:
        """Ask one query and write its answer."""
        query = next(each for each in self.settings.queries if each.name == item.subject)
        newest, rows = last_mark, 0
        with self._answer(query, last_mark=last_mark) as (names, parts):
            _check_watermark(query, names)
            schema = pa.schema([pa.field(name, pa.string()) for name in names])
            with pq.ParquetWriter(to, schema, compression="zstd") as writer:
                for columns, highest in parts:
                    batch = pa.RecordBatch.from_arrays(columns, schema=schema)
                    rows += batch.num_rows
                    writer.write_batch(batch)
                    newest = _newer(newest, highest)
        is_empty = rows == 0 and query.watermark is not None and last_mark is not None
        return Fetched(mark=newest, rows=rows, is_empty=is_empty)

    @contextmanager
    def _answer(self, query: Query, *, last_mark: str | None) -> Iterator[_Answer]:
        is_postgres = self.url.startswith(("postgresql://", "postgres://"))
        try:
            with (self._from_postgres if is_postgres else self._from_any)(
                query, since=_since(query, last_mark)
            ) as answer:
                yield answer
        except UnknownDatabaseError as error:
            raise WrongInput(
                "the address is of no kind of database that can be asked",
                place=f"the environment variable {self.settings.url_variable}",
                mend=f"begin it with one of {', '.join(f'{kind}://' for kind in ('postgresql', *KINDS))}",
            ) from error
        except (adbc_driver_manager.ProgrammingError, sa.exc.ProgrammingError) as error:
            raise WrongInput(
                "the database does not understand the query",
                place=f"queries.{query.name}.sql",
                mend="try it there first",
            ) from error
        except (adbc_driver_manager.Error, sa.exc.SQLAlchemyError, pa.ArrowException, OSError) as error:
            raise PullFailedError(f"the database did not answer {query.name} ({type(error).__name__})") from error

    @contextmanager
    def _from_postgres(self, query: Query, *, since: int | datetime | None) -> Iterator[_Answer]:
        asked = _asked(query, since=None if since is None else str(since) if isinstance(since, int) else f"'{since}'")
        with postgres.connect(self.url) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION READ ONLY")
            cursor.execute(f"SET statement_timeout = {self.settings.seconds * 1000}")
            cursor.execute(asked)
            reader = cursor.fetch_record_batch()
            names = tuple(reader.schema.names)
            yield names, (_of_batch(batch, names, watermark=query.watermark, zone=self.zone) for batch in reader)

    @contextmanager
    def _from_any(self, query: Query, *, since: int | datetime | None) -> Iterator[_Answer]:
        with connected(self.url, seconds=self.settings.seconds) as connection:
            streamed = connection.execution_options(stream_results=True, yield_per=_ROWS_AT_ONCE)
            # A colon of the clinic's own is no parameter of ours.
            own = query.model_copy(update={"sql": query.sql.replace(":", "\\:")})
            asked = sa.text(_asked(own, since=None if since is None else ":since"))
            # SQLite keeps moments as text.
            mark = str(since) if connection.dialect.name == "sqlite" and isinstance(since, datetime) else since
            answer = streamed.execute(asked, {} if since is None else {"since": mark})
            names = tuple(answer.keys())
            yield (
                names,
                (
                    _of_rows(rows, names, watermark=query.watermark, zone=self.zone)
                    for rows in answer.partitions(_ROWS_AT_ONCE)
                ),
            )


def _asked(query: Query, *, since: str | None) -> str:
    """The query as SQL, limited to what is not older than `since`, which is SQL, too."""
    sql = query.sql.strip().rstrip(";")
    # Oracle knows no AS before the name of a query.
    return sql if since is None else f"SELECT * FROM ({sql}) pulled WHERE {query.watermark} >= {since}"


def _since(query: Query, last_mark: str | None) -> int | datetime | None:
    """From where rows are asked for: a number as it was, a moment less the overlap; None for all of them."""
    if query.watermark is None or last_mark is None:
        return None
    try:
        return int(last_mark)
    except ValueError:
        return datetime.fromisoformat(last_mark) - timedelta(minutes=query.overlap_minutes)


def _check_watermark(query: Query, names: Sequence[str]) -> None:
    if query.watermark is not None and query.watermark not in names:
        place = f"queries.{query.name}.watermark"
        raise WrongInput("the query gives no such column", place=place, mend=f"name one of {', '.join(names)}")


def _newer(mark: str | None, value: object) -> str | None:
    if value is None:
        return mark
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a day has no zone
    told = value.isoformat() if isinstance(value, datetime) else str(value)
    return told if mark is None or _place(told) > _place(mark) else mark


def _place(mark: str) -> float:
    try:
        return int(mark)
    except ValueError:
        return datetime.fromisoformat(mark).timestamp()


def _of_batch(
    batch: pa.RecordBatch, names: Sequence[str], *, watermark: str | None, zone: ZoneInfo
) -> tuple[list[pa.Array], object]:
    highest = pc.max(batch.column(names.index(watermark))).as_py() if watermark is not None else None
    return [_text_column(batch.column(at), zone=zone) for at in range(batch.num_columns)], highest


def _text_column(column: pa.Array, *, zone: ZoneInfo) -> pa.Array:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if pa.types.is_timestamp(column.type):
        if column.type.tz is not None:
            column = pc.local_timestamp(column.cast(pa.timestamp("us", tz=zone.key)))
        # A cast alone would cut towards 1970, so that what lies before it would come a second late.
        return pc.floor_temporal(column, unit="second").cast(pa.timestamp("s")).cast(pa.string())
    return column.cast(pa.string())


def _of_rows(
    rows: Sequence[Sequence[Any]], names: Sequence[str], *, watermark: str | None, zone: ZoneInfo
) -> tuple[list[pa.Array], object]:
    columns = list(zip(*rows, strict=True))
    marks = [] if watermark is None else [each for each in columns[names.index(watermark)] if each is not None]
    texts = [_texts(column, zone=zone) for column in columns]
    return texts, _value(max(marks)) if marks else None


def _texts(column: Sequence[Any], *, zone: ZoneInfo) -> pa.Array:
    kinds = set(map(type, column)) - {type(None)}
    if len(kinds) == 1 and kinds <= _ARROWS_OWN:
        try:
            return _text_column(pa.array(column), zone=zone)
        except (pa.ArrowInvalid, OverflowError):
            # A number or a moment beyond what Arrow holds is written by Python, one at a time.
            pass
    return pa.array([_text(value, zone=zone) for value in column], pa.string())


def _value(mark: Any) -> Any:
    """SQLite gives moments as text."""
    return datetime.fromisoformat(mark) if isinstance(mark, str) else mark


def _text(value: Any, *, zone: ZoneInfo) -> str | None:
    match value:
        case None | str():
            text = value
        case bool():
            text = "true" if value else "false"
        case datetime():
            text = (value if value.tzinfo is None else value.astimezone(zone)).strftime(_MOMENT)
        case Decimal():
            text = f"{value:f}"
        case timedelta():
            # What MySQL gives for a time of day.
            hours, seconds = divmod(int(value.total_seconds()), 3600)
            text = f"{hours:02}:{seconds // 60:02}:{seconds % 60:02}"
        case bytes():
            text = value.hex()
        case _:
            text = str(value)
    return text
