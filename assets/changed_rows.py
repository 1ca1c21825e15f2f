"""Which accepted rows differ between the version that readers have and tonight's build, each with one reason.

Belongs here: the comparison, set by set, inside DuckDB, so that ten million rows are compared as a thousand are. Does not
belong here: which figures such rows moved (`assets.estimates.changes`).

A row is compared by its key and by all that it says; the file and line that it came in are left out, since a whole export
sent again says nothing new. Of a row's site, programme and clinician both versions are kept: a figure rests on either.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import duckdb

from assets.contracts.changes import CHANGED_ROWS
from assets.contracts.marts import APPOINTMENTS, EPISODES, RATINGS
from assets.contracts.model import Feed
from assets.contracts.quality import RUN
from assets.contracts.staging import FEEDS, REFUSED_ROWS

BEFORE: Final = "before"
"""What the last version's file is called beside the build."""

_READ: Final = (REFUSED_ROWS, RUN, APPOINTMENTS, RATINGS, EPISODES)
_NO_ROW: Final = "SELECT * FROM (SELECT {columns}) AS none WHERE FALSE"
_DAY: Final = {
    "attendance": "starts_on",
    "alliance": "completed_on",
    "outcomes": "completed_on",
    "episodes": "COALESCE(started_on, referred_on)",
}
# Where a feed's rows stand once they are joined, and by what they are found there.
_PLACED: Final = {
    "attendance": ("marts.appointments", ("appointment_id",), True),
    "alliance": ("marts.ratings", ("instrument", "rating_id"), True),
    "outcomes": ("marts.ratings", ("instrument", "rating_id"), True),
    "episodes": ("marts.episodes", ("episode_id",), False),
}


@contextmanager
def beside_last(con: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """The published file read only as `before`, for as long as it lasts."""
    quoted = str(file).replace("'", "''")
    con.execute(f"ATTACH '{quoted}' AS {BEFORE} (READ_ONLY)")
    try:
        yield
    finally:
        con.execute(f"DETACH {BEFORE}")


def is_comparable(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the version attached as `before` has the same columns wherever rows are compared, under the same secret."""
    asked = [*(feed.table for feed in FEEDS), *_READ]
    names = ", ".join(f"'{table.full_name}'" for table in asked)
    here, there = (
        con.execute(
            "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
            f"WHERE database_name = {database} AND schema_name || '.' || table_name IN ({names}) ORDER BY ALL"
        ).fetchall()
        for database in ("current_database()", f"'{BEFORE}'")
    )
    if here != there:
        return False
    secrets = f"SELECT secret_check FROM quality.run UNION SELECT secret_check FROM {BEFORE}.quality.run"
    return len(con.sql(secrets).fetchall()) == 1


def no_changed_rows() -> str:
    """The SELECT of an empty `quality.changed_rows`."""
    columns = ", ".join(f"CAST(NULL AS {column.duckdb_type}) AS {column.name}" for column in CHANGED_ROWS.columns)
    return _NO_ROW.format(columns=columns)


def changed_rows() -> str:
    """The SELECT of `quality.changed_rows`, with the last version attached as `before`."""
    told = "\nUNION ALL\n".join(_of_feed(feed) for feed in FEEDS)
    line = "feed, file, file_number, mapping, line"
    healed = f"SELECT {line} FROM {BEFORE}.staging.refused_rows EXCEPT SELECT {line} FROM staging.refused_rows"
    return f"WITH healed AS ({healed})\n{told}"


def _of_feed(feed: Feed) -> str:
    key = feed.table.key
    same = " AND ".join(f"found.{name} = {{side}}.{name}" for name in key)
    row_key = " || '/' || ".join(f"found.{name}" for name in key)
    columns = {column.name for column in feed.table.columns}
    day = _DAY.get(feed.name)
    told_day = f"COALESCE({_of_side(day, 'tonight')}, {_of_side(day, 'earlier')})" if day else "NULL"
    case = "COALESCE(tonight.case_id, earlier.case_id)" if "case_id" in columns else "NULL"
    instrument = "found.instrument" if "instrument" in key else "NULL"
    refused = "({line}.source_file, {line}.source_line) IN (SELECT (file, line) FROM {refused} AS refused WHERE refused.feed = '{feed}')"
    refused_now = refused.format(line="earlier", refused="staging.refused_rows", feed=feed.name)
    healed = refused.format(line="tonight", refused="healed", feed=feed.name)
    is_new = f"{_of_side(day, 'tonight')} > last_run.data_date" if day else "TRUE"
    return f"""
SELECT
  '{feed.table.full_name}' AS table_name,
  {row_key} AS row_key,
  CASE
    WHEN found.is_now AND found.was_before THEN 'corrected'
    WHEN found.is_now AND ({is_new}) THEN 'new'
    WHEN found.is_now AND {healed} THEN 'admitted'
    WHEN found.is_now THEN 'late'
    WHEN {refused_now} THEN 'refused'
    ELSE 'withdrawn'
  END AS reason,
  {told_day} AS day,
  {case} AS case_id,
  {instrument} AS instrument,
  {_placed(feed, columns, "tonight")},
  {_placed(feed, columns, "earlier")}
FROM (
{_differing(feed)}
) AS found
CROSS JOIN (SELECT MAX(data_date) AS data_date FROM {BEFORE}.quality.run) AS last_run
LEFT JOIN {feed.table.full_name} AS tonight ON {same.format(side="tonight")}
LEFT JOIN {BEFORE}.{feed.table.full_name} AS earlier ON {same.format(side="earlier")}
{_joins(feed)}"""


def _differing(feed: Feed) -> str:
    """Keys whose rows say something else, or stand on one side only."""
    keys = ", ".join(feed.table.key)
    said = ", ".join(
        column.name
        for column in feed.table.columns
        if column.name not in {*feed.table.key, "source_file", "source_line"}
    )
    sides = [f"SELECT {keys}, HASH({said}) AS said FROM {place}{feed.table.full_name}" for place in ("", f"{BEFORE}.")]
    return (
        f"SELECT {keys}, now.said IS NOT NULL AS is_now, was.said IS NOT NULL AS was_before\n"
        f"FROM ({sides[0]}) AS now FULL OUTER JOIN ({sides[1]}) AS was USING ({keys})\n"
        "WHERE now.said IS DISTINCT FROM was.said"
    )


def _placed(feed: Feed, columns: set[str], side: str) -> str:
    """Site, programme and clinician of a row on one side, from the tables that figures are made of."""
    end = "" if side == "tonight" else "_before"
    if feed.name in _PLACED:
        return ", ".join(
            f"{side}_{'course' if name == 'programme' else 'place'}.{name} AS {name}{end}"
            for name in ("site", "programme", "clinician_id")
        )
    return ", ".join(
        f"{f'{side}.{name}' if name in columns else 'NULL'} AS {name}{end}"
        for name in ("site", "programme", "clinician_id")
    )


def _joins(feed: Feed) -> str:
    if feed.name not in _PLACED:
        return ""
    table, key, has_episode = _PLACED[feed.name]
    parts = []
    for side, of in (("tonight", ""), ("earlier", f"{BEFORE}.")):
        same = " AND ".join(f"{side}_place.{name} = found.{name}" for name in key)
        parts.append(f"LEFT JOIN {of}{table} AS {side}_place ON {same}")
        parts.append(
            f"LEFT JOIN {of}marts.episodes AS {side}_course ON {side}_course.episode_id = {side}_place.episode_id"
            if has_episode
            else f"LEFT JOIN {of}{table} AS {side}_course ON {side}_course.episode_id = found.episode_id"
        )
    return "\n".join(parts)


def _of_side(day: str | None, side: str) -> str:
    """A day's expression with every column of one side."""
    if day is None:
        return "NULL"
    names = ("starts_on", "completed_on", "started_on", "referred_on")
    for name in names:
        day = day.replace(name, f"{side}.{name}")
    return day
