"""Text as the values that a column promises, in DuckDB's SQL.

Belongs here: how a number, a day or a moment is read, and when text is none. Does not belong here: whether the value
read is allowed (`staging_sql`).
"""

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

    What DuckDB takes for a number and a person doesn't, `1_2`, `nan` and `inf`, is made unreadable first.
    """
    return f"TRY_CAST(TRANSLATE({text}, '_nN', '???') AS DOUBLE)"


def whole_number_sql(text: str) -> str:
    """SQL that reads text as a whole number; NULL where it can't be read, or has a fraction, which a cast would round."""
    return f"CASE WHEN {number_sql(text)} = FLOOR({number_sql(text)}) THEN TRY_CAST({text} AS BIGINT) END"


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
