"""Cells that have types of their own, brought to the one form that reading takes: text, and moments beside it.

Belongs here: that form, and how numbers, truths and times become it. Does not belong here: any file format (`workbooks`,
`statistics_files`) and what a mapping makes of the form (`reading`).

A number is its value, never its display: 3 and 3.0 are `3`, and what a binary fraction adds beyond fifteen digits is
nothing. A truth is `TRUE` or `FALSE`. A moment has no text: how it is written is the mapping's to say.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

CLOCK_YEAR: Final = 1
"""The year of a moment that is a time of day and no more."""
_LARGEST_EXACT: Final = 1e15
_BEYOND_PRINTED_ASCII: Final = "[^ -~]"
_MOMENT: Final = pl.Datetime("us")


@dataclass(frozen=True, kw_only=True)
class Cells:
    """A table of cells, as a Parquet file of `line` (BIGINT), and `c0`, `t0`, `c1`, `t1` ... (VARCHAR and TIMESTAMP).

    Attributes:
        path: the file.
        names: of the columns, without blanks around them; empty where there is no header.
        timed: the numbers of the columns that hold moments.
        records: rows of the file, none of which is blank.
        blank: rows of the source with nothing in them.
        has_odd_spaces: whether a text may have blanks around it that are not spaces.
        failed: the line and column number of each cell that holds an error in place of a value.
    """

    path: Path
    names: tuple[str, ...]
    timed: frozenset[int]
    records: int
    blank: int
    has_odd_spaces: bool
    failed: tuple[tuple[int, int], ...] = ()

    def failed_lines(self, columns: Collection[int]) -> list[int]:
        """The lines on which one of those columns holds an error."""
        return sorted({line for line, column in self.failed if column in columns})


@dataclass(kw_only=True)
class CellsWriter:
    """Writes the rows of a source, block by block, and keeps the account of them.

    Attributes:
        path: where the Parquet file goes.
        n_columns: how many columns each block has.
    """

    path: Path
    n_columns: int
    records: int = 0
    blank: int = 0
    timed: set[int] = field(default_factory=set)
    has_odd_spaces: bool = False

    def __enter__(self) -> Self:
        columns = [("line", pa.int64())]
        for place in range(self.n_columns):
            columns += [(f"c{place}", pa.large_string()), (f"t{place}", pa.timestamp("us"))]
        self._schema = pa.schema(columns)
        self._file = pq.ParquetWriter(
            self.path, self._schema, compression="none", use_dictionary=False, write_statistics=False
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, lines: pl.Series, columns: Sequence[tuple[pl.Series, pl.Series | None]]) -> None:
        """Add a block of rows: their lines, and each column's text and moments."""
        frame = {"line": lines}
        for place, (texts, moments) in enumerate(columns):
            if moments is not None:
                self.timed.add(place)
            self.has_odd_spaces = self.has_odd_spaces or bool(texts.str.contains(_BEYOND_PRINTED_ASCII).any())
            frame[f"c{place}"] = texts
            frame[f"t{place}"] = pl.repeat(None, len(lines), dtype=_MOMENT, eager=True) if moments is None else moments
        block = pl.DataFrame(frame)
        is_blank = pl.all_horizontal(
            [_says_nothing(f"c{place}") & pl.col(f"t{place}").is_null() for place in range(self.n_columns)]
        )
        kept = block.filter(~is_blank)
        self.records += kept.height
        self.blank += block.height - kept.height
        self._file.write_table(kept.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(self._schema))

    def finished(self, names: Sequence[str], *, failed: Sequence[tuple[int, int]] = ()) -> Cells:
        """What was written."""
        return Cells(
            path=self.path,
            names=tuple(names),
            timed=frozenset(self.timed),
            records=self.records,
            blank=self.blank,
            has_odd_spaces=self.has_odd_spaces,
            failed=tuple(failed),
        )


def _says_nothing(column: str) -> pl.Expr:
    return pl.col(column).is_null() | (pl.col(column).str.strip_chars() == "")


def texts_and_moments(values: Sequence[Any]) -> tuple[pl.Series, pl.Series | None]:
    """A column of Python values of any types, as text and as moments; an empty text is no value."""
    texts: pl.Series | None = None
    moments: pl.Series | None = None
    kinds = set(map(type, values))
    for kind in kinds:
        ours = values if len(kinds) == 1 else [value if type(value) is kind else None for value in values]
        text, moment = _OF_TYPE[kind](ours)
        texts = text if texts is None else texts.zip_with(texts.is_not_null(), text)
        if moment is not None:
            moments = moment if moments is None else moments.zip_with(moments.is_not_null(), moment)
    return pl.Series([], dtype=pl.String) if texts is None else texts, moments


def number_texts(numbers: pl.Series) -> pl.Series:
    """Numbers as text: whole ones without a point, others with at most fifteen digits."""
    whole = numbers.is_between(-_LARGEST_EXACT, _LARGEST_EXACT) & (numbers == numbers.floor())
    texts = numbers.cast(pl.Int64, strict=False).cast(pl.String)
    if (whole | numbers.is_null()).all():
        return texts
    written = [None if number is None else f"{number:.15g}" for number in numbers.to_list()]
    return texts.zip_with(whole.fill_null(value=True), pl.Series(written, dtype=pl.String))


def clock_moments(seconds: pl.Series) -> pl.Series:
    """Seconds since midnight as moments of `CLOCK_YEAR`; null where a day has no such time."""
    midnight = datetime(CLOCK_YEAR, 1, 1, tzinfo=UTC).replace(tzinfo=None)
    within_a_day = seconds.is_between(0, 86_400, closed="left").fill_null(value=False)
    taken = seconds.zip_with(within_a_day, pl.Series([None], dtype=seconds.dtype).new_from_index(0, len(seconds)))
    return pl.Series([midnight]).cast(_MOMENT).new_from_index(0, len(seconds)) + (taken * 1e6).round().cast(
        pl.Int64
    ).cast(pl.Duration("us"))


def clock_texts(seconds: pl.Series) -> pl.Series:
    """Seconds as hours, minutes and seconds, of which the hours may be more than a day's."""
    whole = seconds.round().cast(pl.Int64, strict=False)
    parts = [
        (whole // 3600).cast(pl.String).str.zfill(2),
        *(((whole // of) % 60).cast(pl.String).str.zfill(2) for of in (60, 1)),
    ]
    return parts[0] + ":" + parts[1] + ":" + parts[2]


def _nothing(values: Sequence[Any]) -> tuple[pl.Series, None]:
    return pl.repeat(None, len(values), dtype=pl.String, eager=True), None


def _of_text(values: Sequence[str | None]) -> tuple[pl.Series, None]:
    texts = pl.Series(values, dtype=pl.String)
    return texts.zip_with((texts != "").fill_null(value=True), _nothing(values)[0]), None


def _of_number(values: Sequence[float | None]) -> tuple[pl.Series, None]:
    return number_texts(pl.Series(values, dtype=pl.Float64)), None


def _of_truth(values: Sequence[bool | None]) -> tuple[pl.Series, None]:
    return pl.Series(values, dtype=pl.Boolean).cast(pl.String).str.to_uppercase(), None


def _of_day(values: Sequence[date | None]) -> tuple[pl.Series, pl.Series]:
    return _nothing(values)[0], pl.Series(values, dtype=pl.Date).cast(_MOMENT)


def _of_moment(values: Sequence[datetime | None]) -> tuple[pl.Series, pl.Series]:
    # A moment is a fraction of a day in a workbook, and seldom a whole second to the last digit.
    return _nothing(values)[0], pl.Series(values, dtype=_MOMENT).dt.round("1s")


def _of_clock(values: Sequence[time | None]) -> tuple[pl.Series, pl.Series]:
    seconds = [
        None if at is None else at.hour * 3600 + at.minute * 60 + at.second + round(at.microsecond / 1e6)
        for at in values
    ]
    return clock_texts(pl.Series(seconds, dtype=pl.Float64)), clock_moments(pl.Series(seconds, dtype=pl.Float64))


def _of_duration(values: Sequence[timedelta | None]) -> tuple[pl.Series, None]:
    return clock_texts(
        pl.Series([None if each is None else each.total_seconds() for each in values], dtype=pl.Float64)
    ), None


_OF_TYPE: Final[Mapping[type, Any]] = {
    type(None): _nothing,
    str: _of_text,
    int: _of_number,
    float: _of_number,
    bool: _of_truth,
    date: _of_day,
    datetime: _of_moment,
    time: _of_clock,
    timedelta: _of_duration,
}
