"""Text as the values that a column promises, in DuckDB's SQL.

Belongs here: how a number, a day or a moment is read, and when text is none. Does not belong here: whether the value
read is allowed (`staging_sql`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from assets.contracts.model import Column, Kind


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How one source's text is to be read.

    Attributes:
        date_format: strptime form of dates.
        datetime_format: strptime form of times of day with their date, in the clinic's own zone.
        time_zone: IANA name of that zone.
        first_possible_day: no appointment or form can be older.
        data_date: nothing can have happened after it.
    """

    date_format: str
    datetime_format: str
    time_zone: str
    first_possible_day: date
    data_date: date


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def number_sql(text: str) -> str:
    """SQL that reads text as a number; NULL where it can't be read.

    What DuckDB takes for a number and a person doesn't, `1_2`, `nan` and `inf`, is left unread; each has a sign or a
    letter that no number has, and three of them at least, so that most answers are read without a look.
    """
    has_none = " OR ".join(f"contains({text}, '{sign}')" for sign in "_nN")
    return f"CASE WHEN strlen({text}) < 3 OR NOT ({has_none}) THEN TRY_CAST({text} AS DOUBLE) END"


def whole_number_sql(text: str) -> str:
    """SQL that reads text as a whole number; NULL where it can't be read, or has a fraction, which a cast would round."""
    return f"CASE WHEN ({number_sql(text)}) = FLOOR({number_sql(text)}) THEN TRY_CAST({text} AS BIGINT) END"


def local_time_sql(text: str, *, reading: Reading) -> str:
    """SQL that reads text as a moment on the clinic's own clock; NULL where it can't be read."""
    return f"TRY_STRPTIME({text}, {_text(reading.datetime_format)})"


def value_sql(column: Column, *, reading: Reading) -> str:
    """SQL that reads the column's text as its type; NULL where it can't be read."""
    text = column.name
    match column.kind:
        case Kind.INTEGER:
            return whole_number_sql(text)
        case Kind.NUMBER:
            return number_sql(text)
        case Kind.DATE:
            return f"CAST(TRY_STRPTIME({text}, {_text(reading.date_format)}) AS DATE)"
        case Kind.TIMESTAMP:
            local = local_time_sql(text, reading=reading)
            return f"timezone('UTC', timezone('{reading.time_zone}', {local}))"
        case Kind.NUMBERS:
            return f"list_transform({text}, lambda answer: {number_sql('answer')})"
        case _:
            return text


_READ_ONCE = frozenset({Kind.INTEGER, Kind.NUMBER, Kind.DATE, Kind.TIMESTAMP})


def read_as(name: str) -> str:
    """Where the value that was read of a column's text stands, for all that ask for it."""
    return f"read_{name}"


def local_as(name: str) -> str:
    """Where a moment stands on the clinic's own clock."""
    return f"local_{name}"


def read_columns(columns: Iterable[Column], *, reading: Reading) -> dict[str, str]:
    """The SQL of each value that rules ask for more than once, by the name it stands under."""
    read = {}
    for column in columns:
        if column.kind in _READ_ONCE:
            read[read_as(column.name)] = value_sql(column, reading=reading)
        if column.kind is Kind.TIMESTAMP:
            read[local_as(column.name)] = local_time_sql(column.name, reading=reading)
    return read
