"""What a column's values look like, all of them: how many, how many different, numbers, moments, words.

Belongs here: facts about one column or a few together. Does not belong here: what the column is taken for (`roles`). A
profile holds values while it is in memory and gives none away: what it says are counts, formats and ranges.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import duckdb
import polars as pl

_WORDS_AT_MOST: Final = 40
_FIRST_FEW: Final = 200
# Formats in the order in which they are tried; of two that read as many values the earlier stands.
_DAYS: Final = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d %b %Y", "%d-%b-%Y",
    "%d %B %Y", "%b %d, %Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%b-%y",
)  # fmt: skip
_CLOCKS: Final = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M:%S %p", "%H:%M:%S.%f", "%H.%M", "%H%M")
_TURNED: Final = {"%d/%m/%Y": "%m/%d/%Y", "%d-%m-%Y": "%m-%d-%Y", "%d/%m/%y": "%m/%d/%y"}
TURNED: Final = {**_TURNED, **{there: here for here, there in _TURNED.items()}}
_LOOKS_LIKE_A_DAY: Final = (
    r"^\s*(?:\d{1,4}[-/. ](?:\d{1,2}|\p{L}{3,9}\.?)[-/. ]\d{2,4}|\d{8}|\p{L}{3,9} \d{1,2}, \d{4})"
)
_LOOKS_LIKE_A_CLOCK: Final = r"(?i)^\d{1,2}[:.]?\d{2}(?:[:.]\d{2})?(?:\.\d+)?(?: ?[ap]m)?$"


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a column's values are read as moments.

    Attributes:
        day: strptime form of the day.
        clock: strptime form of the time of day with the mark before it, as ` %H:%M`; empty where there is none.
        read: how many filled values this reads.
        filled: how many there are.
        turned: how many of them are read as well with day and month turned round.
    """

    day: str
    clock: str
    read: int
    filled: int
    turned: int

    @property
    def format(self) -> str:
        """The whole, as strptime writes it."""
        return self.day + self.clock

    @property
    def is_ambiguous(self) -> bool:
        """Whether no value tells which number is the day and which the month."""
        return self.turned == self.read

    @property
    def why(self) -> str:
        """How many values say so."""
        those = (
            f"all {self.filled:,} values" if self.read == self.filled else f"{self.read:,} of {self.filled:,} values"
        )
        if self.day in TURNED:
            first = "day first" if self.day.startswith("%d") else "month first"
            return f"{those} read as {first}, and {self.read - self.turned:,} of them in no other way"
        return f"{those} read so"


class ColumnProfile:
    """One column's values, each with how often it stands there."""

    def __init__(self, name: str, values: pl.Series, *, of_one_file: slice) -> None:
        self.name = name
        self.lines = values.len()
        self._of_one_file = values[of_one_file].drop_nulls()
        self.values: pl.DataFrame = (
            values.drop_nulls()
            .rename("value")
            .value_counts(name="times")
            .sort("times", "value", descending=[True, False])
        )

    @cached_property
    def filled(self) -> int:
        """How many lines have a value."""
        return int(self.values["times"].sum())

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return self.values.height

    @property
    def share_filled(self) -> float:
        """The part of the lines that have a value."""
        return self.filled / self.lines if self.lines else 0.0

    @cached_property
    def share_distinct(self) -> float:
        """Different values for each filled line of the longest file; 1 where every value stands once in it."""
        return self._of_one_file.n_unique() / self._of_one_file.len() if self._of_one_file.len() else 0.0

    @cached_property
    def words(self) -> dict[str, int]:
        """The values with their counts where they are few; nothing where they are many."""
        return dict(self.values.iter_rows()) if self.distinct <= _WORDS_AT_MOST else {}

    @cached_property
    def longest(self) -> int:
        """Characters of the longest value."""
        return int(self.values["value"].str.len_chars().max() or 0)  # type: ignore[arg-type]

    @cached_property
    def numbers(self) -> pl.DataFrame:
        """The values that are numbers, a decimal comma read as a point, with their counts."""
        return (
            self.values.with_columns(
                number=pl.when(pl.col("value").str.contains(r"^[+-]?\d+(?:[.,]\d+)?$"))
                .then(pl.col("value").str.replace(",", ".", literal=True))
                .cast(pl.Float64, strict=False)
            )
            .drop_nulls("number")
            .select("number", "times")
        )

    @cached_property
    def share_of_numbers(self) -> float:
        """The part of the filled values that are numbers."""
        return int(self.numbers["times"].sum()) / self.filled if self.filled else 0.0

    @cached_property
    def share_with_comma(self) -> float:
        """The part of the filled values that are numbers with a decimal comma."""
        commas = self.values.filter(pl.col("value").str.contains(r"^[+-]?\d+,\d+$"))
        return int(commas["times"].sum()) / self.filled if self.filled else 0.0

    def share_within(self, low: float, high: float, *, decimals: int = 6) -> float:
        """The part of the filled values that are numbers of that range with at most so many decimals."""
        fits = self.numbers.filter(
            pl.col("number").is_between(low, high)
            & ((pl.col("number").round(decimals) - pl.col("number")).abs() < 1e-9)
        )
        return int(fits["times"].sum()) / self.filled if self.filled else 0.0

    @cached_property
    def clock(self) -> str | None:
        """The form of values that are times of day; None where most are not."""
        if not self.filled or self._share_like(_LOOKS_LIKE_A_CLOCK) < 0.9:
            return None
        read = self._read(list(_CLOCKS), is_day=False)
        best = max(_CLOCKS, key=lambda form: read[form])
        return best if read[best] >= 0.9 * self.filled else None

    @cached_property
    def moments(self) -> Reading | None:
        """How the values are read as days or moments; None where fewer than nine in ten can be."""
        if not self.filled or self._share_like(_LOOKS_LIKE_A_DAY) < 0.9:
            return None
        joined = self.values["value"].str.contains(r"\dT\d").mean() or 0.0
        clocks = ["", *((f"T{clock}" if float(joined) > 0.5 else f" {clock}") for clock in _CLOCKS)]  # type: ignore[arg-type]
        has_clock = (self.values["value"].str.contains(r"\d[ T]\d{1,2}[:.]\d{2}").mean() or 0.0) > 0.5  # type: ignore[operator]
        forms = [(day, clock) for day in _DAYS for clock in (clocks[1:] if has_clock else clocks[:1])]
        # Most forms read none of the first few values; the others are held against all.
        few = self.values.head(_FIRST_FEW)
        tried = self._read([day + clock for day, clock in forms], is_day=True, of=few)
        forms = [form for form in forms if tried["".join(form)] * 4 >= int(few["times"].sum())]
        if not forms:
            return None
        read = self._read([day + clock for day, clock in forms], is_day=True)
        day, clock = max(forms, key=lambda form: read["".join(form)])
        if read[day + clock] < 0.9 * self.filled:
            return None
        turned = self._read_both(day + clock, TURNED[day] + clock) if day in TURNED else 0
        return Reading(day=day, clock=clock, read=read[day + clock], filled=self.filled, turned=turned)

    def days(self, reading: Reading) -> pl.DataFrame:
        """The days that a reading gives, `day`, with their counts, `times`."""
        return self._asked(
            f"SELECT CAST(TRY_STRPTIME(value, '{reading.format}') AS DATE) AS day, CAST(SUM(times) AS BIGINT) AS times"
            " FROM sent GROUP BY 1 HAVING day BETWEEN DATE '1900-01-01' AND DATE '2100-01-01' ORDER BY 1"
        )

    def _share_like(self, pattern: str) -> float:
        like = self.values.filter(pl.col("value").str.contains(pattern))
        return int(like["times"].sum()) / self.filled

    def _read(self, forms: Sequence[str], *, is_day: bool, of: pl.DataFrame | None = None) -> dict[str, int]:
        """How many values each form reads, as a night would read them."""
        counted = ", ".join(
            f"CAST(coalesce(SUM(times) FILTER (WHERE {_reads(form, is_day=is_day)}), 0) AS BIGINT) AS f{place}"
            for place, form in enumerate(forms)
        )
        return dict(zip(forms, self._asked(f"SELECT {counted} FROM sent", of=of).row(0), strict=True))

    def _read_both(self, form: str, turned: str) -> int:
        """How many values two forms both read."""
        both = f"{_reads(form, is_day=True)} AND {_reads(turned, is_day=True)}"
        return int(
            self._asked(f"SELECT CAST(coalesce(SUM(times), 0) AS BIGINT) AS times FROM sent WHERE {both}").item()
        )

    def _asked(self, query: str, *, of: pl.DataFrame | None = None) -> pl.DataFrame:
        with duckdb.connect(config={"threads": 1}) as con:
            con.register("sent", (self.values if of is None else of).to_arrow())
            answer: pl.DataFrame = con.sql(query).pl()
        return answer


def _reads(form: str, *, is_day: bool) -> str:
    moment = f"TRY_STRPTIME(value, '{form}')"
    return f"year({moment}) BETWEEN 1900 AND 2100" if is_day else f"{moment} IS NOT NULL"


def profiles(rows: pl.DataFrame, *, of_one_file: slice) -> dict[str, ColumnProfile]:
    """Every column's profile by name.

    Args:
        rows: of all files of one shape.
        of_one_file: those of the longest file; what is sent again in another file is no second value.
    """
    return {name: ColumnProfile(name, rows[name], of_one_file=of_one_file) for name in rows.columns}


def share_unique(rows: pl.DataFrame, columns: Mapping[str, None] | list[str]) -> float:
    """Different combinations of some columns for each line that has them all; 1 where none stands twice."""
    whole = rows.select(list(columns)).drop_nulls()
    return whole.n_unique() / whole.height if whole.height else 0.0
