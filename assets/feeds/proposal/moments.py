"""When things happened: the form of a mapping's days and moments, decided on all values.

Belongs here: one date format a mapping, and what is told where day and month can't be told apart. Does not belong here: which
formats there are and how many values each reads (`profile`).
"""

from collections.abc import Sequence
from datetime import date

import polars as pl

from assets.feeds.proposal.drafts import COLUMNS, TOP, Draft, Line
from assets.feeds.proposal.profile import TURNED, Reading

_USUAL = {"date_format": "%Y-%m-%d", "datetime_format": "%Y-%m-%d %H:%M:%S"}


def put_moment(draft: Draft, key: str, columns: tuple[str, ...], *, settle: str) -> None:
    """Map a moment to the column that has it, or to a day's and a time's, and set its form."""
    profiles = draft.group.profiles
    reading = profiles[columns[0]].moments
    if reading is None:
        return
    form = reading.format
    if len(columns) > 1:
        form = f"{form} {profiles[columns[1]].clock}"
    draft.put(
        COLUMNS,
        Line(
            key=key,
            value=columns[0] if len(columns) == 1 else columns,
            why=_span(draft, columns[0], reading),
            settle=settle,
        ),
    )
    _put_form(draft, "datetime_format", form, reading, columns[0])


def put_days(draft: Draft, chosen: Sequence[tuple[str, str]], *, first: str) -> None:
    """Map days to their columns; those of another form than the first one's are left to the clinic.

    Args:
        draft: the mapping.
        chosen: contract columns with their source columns, as many as were found.
        first: the contract column whose form the mapping takes.
    """
    readings = {column: draft.group.profiles[column].moments for _, column in chosen}
    order = sorted(chosen, key=lambda each: each[0] != first)
    form: str | None = None
    for key, column in order:
        reading = readings[column]
        if reading is None:
            continue
        if form is None:
            form = reading.format
            _put_form(draft, "date_format", form, _clearest(form, readings.values()) or reading, column)
        if reading.format == form or (reading.is_ambiguous and TURNED.get(reading.day, "") + reading.clock == form):
            draft.put(COLUMNS, Line(key=key, value=column, why=_span(draft, column, reading)))
        else:
            said = f'its values read as "{reading.format}", and a mapping has one form of days; have the export write them alike'
            draft.put(COLUMNS, Line(key=key, value=column, settle=said, is_active=False))


def _clearest(form: str, readings: object) -> Reading | None:
    """Of a mapping's readings of one form, the one that leaves least in doubt."""
    same = [each for each in readings if isinstance(each, Reading) and each.format == form]  # type: ignore[attr-defined]
    return max(same, key=lambda each: each.read - each.turned, default=None)


def _put_form(draft: Draft, key: str, form: str, reading: Reading, column: str) -> None:
    if reading.is_ambiguous:
        other = TURNED[reading.day] + form.removeprefix(reading.day)
        said = f'every value of {column} reads both as "{form}" and as "{other}"'
        draft.put(TOP, Line(key=key, value=form, settle=said, is_active=False))
    elif form != _USUAL[key]:
        draft.put(TOP, Line(key=key, value=form, why=f"{column}: {reading.why}"))


def _span(draft: Draft, column: str, reading: Reading) -> str:
    """The years that the days lie in; a day would be somebody's."""
    if reading.is_ambiguous:
        return f"{reading.read:,} of {reading.filled:,} values are days"
    days = draft.group.profiles[column].days(reading)
    years = days.group_by(days["day"].dt.year().alias("year")).sum().sort("year") if days.height else None
    if years is None:
        return reading.why
    kept = years.filter(years["times"] * 200 >= years["times"].sum())["year"].to_list()
    return f"{kept[0]} to {kept[-1]}" if kept[0] != kept[-1] else str(kept[0])


def years_of(drafts: Sequence[Draft], *, today: date) -> pl.DataFrame:
    """The years of every mapped day up to today's, `year`, with how many days lie in each, `times`."""
    found = [
        draft.group.profiles[column].days(reading)
        for draft in drafts
        for key in ("starts_at", "completed_on", "referred_on")
        for column in draft.source(key)[:1]
        if (reading := draft.group.profiles[column].moments) is not None
    ]
    if not found:
        return pl.DataFrame(schema={"year": pl.Int32, "times": pl.Int64})
    days = pl.concat(found).filter(pl.col("day") <= today)
    return days.group_by(pl.col("day").dt.year().alias("year")).agg(pl.col("times").sum()).sort("year")
