"""Watching the flow as Dagster assets: against its own history, its promises, the file before and the last version.

Belongs here: which rows are counted. Does not belong here: what is usual, late or changed (`assets.estimates`,
`assets.feeds.shapes`) or which of it warns (`quality`). Dagster reads annotations at run time, so this module never
postpones them.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.contracts import marts, quality, staging, watch
from assets.estimates.flow import flow, freshness
from assets.estimates.since_last import since_last
from assets.feeds.landing import LandedFile, landed_files
from assets.feeds.shapes import ColumnChange, Shapes, column_changes, shapes_of_landed
from assets.last_version import read_last
from assets.resources import Night
from assets.service import Service

_SITE = "COALESCE(site, 'not recorded')"
_MONTHS = f"""
SELECT 'attendance' AS feed, {_SITE} AS site, 'volume' AS measure, 'all' AS instrument,
  CAST(DATE_TRUNC('month', starts_on) AS DATE) AS month, COUNT(*) AS counted, CAST(NULL AS DOUBLE) AS value
FROM marts.appointments GROUP BY ALL
UNION ALL
SELECT 'episodes', {_SITE}, 'volume', 'all', CAST(DATE_TRUNC('month', started_on) AS DATE), COUNT(*), NULL
FROM marts.episodes WHERE NOT is_inferred AND started_on IS NOT NULL GROUP BY ALL
UNION ALL
SELECT form.feed, form.site, measured.measure, form.instrument, form.month,
  CASE WHEN measured.measure IN ('mean_score', 'spread') THEN form.scored ELSE form.forms END,
  CASE measured.measure WHEN 'scored' THEN form.scored / form.forms WHEN 'mean_score' THEN form.mean WHEN 'spread' THEN form.spread END
FROM (
  SELECT CASE kind WHEN 'outcome' THEN 'outcomes' ELSE kind END AS feed, {_SITE} AS site, instrument,
    CAST(DATE_TRUNC('month', completed_on) AS DATE) AS month, COUNT(*) AS forms, COUNT(score) AS scored,
    ROUND(AVG(score), 6) AS mean, ROUND(STDDEV_SAMP(score), 6) AS spread
  FROM marts.ratings GROUP BY ALL
) AS form CROSS JOIN (VALUES ('volume'), ('scored'), ('mean_score'), ('spread')) AS measured(measure)
UNION ALL
SELECT measured.feed, {_SITE}, measured.measure, 'all', CAST(DATE_TRUNC('month', starts_on) AS DATE), COUNT(*),
  AVG(CAST(CASE measured.feed WHEN 'alliance' THEN has_alliance ELSE has_outcome END AS INTEGER))
FROM marts.sessions CROSS JOIN (VALUES ('alliance', 'with_alliance'), ('outcomes', 'with_outcome')) AS measured(feed, measure)
GROUP BY ALL
"""
# A file says nothing of its site; most of the rows that it gave do.
_FILES = """
WITH given AS (
  SELECT 'attendance' AS feed, source_file, site FROM staging.attendance
  UNION ALL SELECT 'alliance', sent.source_file, rated.site FROM staging.alliance AS sent
    INNER JOIN marts.ratings AS rated ON rated.instrument = sent.instrument AND rated.rating_id = sent.rating_id
  UNION ALL SELECT 'outcomes', sent.source_file, rated.site FROM staging.outcomes AS sent
    INNER JOIN marts.ratings AS rated ON rated.instrument = sent.instrument AND rated.rating_id = sent.rating_id
),
placed AS (
  SELECT feed, source_file, CASE WHEN COUNT(DISTINCT site) = 1 THEN MIN(site) END AS site
  FROM given GROUP BY feed, source_file
)
SELECT counted.feed, COALESCE(placed.site, 'all') AS site, counted.file_number, counted.file, counted.lines, counted.refused
FROM quality.reconciliation AS counted
LEFT JOIN placed ON placed.feed = counted.feed AND placed.source_file = counted.file
"""
_NEWEST = f"""
SELECT 'landing' AS table_layer, 'file' AS subject, 'all' AS site, MAX(landed_on) AS newest_on FROM quality.files
UNION ALL
SELECT 'staging', 'appointment', {_SITE}, MAX(starts_on) FROM staging.attendance GROUP BY ALL
UNION ALL
SELECT 'staging', kind || ' form', {_SITE}, MAX(completed_on) FROM marts.ratings GROUP BY ALL
UNION ALL
SELECT 'marts', 'session', {_SITE}, MAX(starts_on) FROM marts.sessions GROUP BY ALL
"""


def promised(service: Service) -> dict[str, int]:
    """How old the newest of each subject may be, in days."""
    promises = service.freshness
    return {
        "file": promises.newest_file_days,
        "appointment": promises.newest_appointment_days,
        "session": promises.newest_appointment_days,
        "alliance form": promises.newest_form_days,
        "outcome form": promises.newest_form_days,
        "version": promises.newest_version_days,
    }


def schema_changes(landed: Sequence[LandedFile], *, scratch: Path) -> pl.DataFrame:
    """`quality.schema_changes` of all files, each held against the one before it of the same mapping.

    Args:
        landed: every landed file in the order of landing.
        scratch: an existing folder for unpacked copies; they are removed.
    """
    rows: list[dict[str, object]] = []
    before: dict[tuple[str, int], tuple[str, Shapes]] = {}
    latest: dict[tuple[str, int], int] = {}
    for file in landed:
        if file.same_as is not None:
            continue
        for mapping in file.claims:
            shapes = shapes_of_landed(file, mapping, scratch=scratch)
            if not shapes:
                continue
            key = mapping.feed, mapping.index
            latest[key] = file.file_number
            if key in before:
                name, shapes_before = before[key]
                rows += [
                    {
                        "feed": mapping.feed,
                        "mapping": mapping.index,
                        "file_number": file.file_number,
                        "file": file.name,
                        "file_before": name,
                        "column_name": change.column,
                        "change": change.change,
                        "name_before": change.before,
                        "sentence": _change_sentence(file.name, change),
                    }
                    for change in column_changes(shapes_before, shapes)
                ]
            before[key] = file.name, shapes
    for row in rows:
        row["is_latest"] = latest[str(row["feed"]), int(str(row["mapping"]))] == row["file_number"]
    return pl.DataFrame(rows, schema=_CHANGES)


def _change_sentence(file: str, change: ColumnChange) -> str:
    if change.change == "renamed":
        return f'{file}: the column "{change.before}" seems to be called "{change.column}" now'
    if change.change == "new":
        return f'{file}: there is a new column "{change.column}"'
    return f'{file}: the column "{change.column}" is missing'


def watched(con: duckdb.DuckDBPyConnection, *, night: Night) -> Mapping[str, pl.DataFrame]:
    """The four tables, by name."""
    home, service = Path(night.home), night.service
    newest = warehouse.read_frame(con, _NEWEST)
    last = read_last(home, quality.RUN)
    if last is not None:
        newest = pl.concat([newest, _of_version(last)])
    return {
        watch.FLOW.name: flow(
            warehouse.read_frame(con, _MONTHS),
            warehouse.read_frame(con, _FILES),
            as_of=night.as_of,
            fewest=service.suppression.minimum_sessions,
        ),
        watch.FRESHNESS.name: freshness(newest, as_of=night.as_of, promised=promised(service)),
        watch.SCHEMA_CHANGES.name: schema_changes(
            landed_files(night.landing, mappings=service.feeds), scratch=night.work
        ),
        watch.SINCE_LAST.name: since_last(
            warehouse.read_frame(con, f"SELECT * FROM {quality.RECONCILIATION.full_name}"),
            warehouse.read_frame(con, f"SELECT * FROM {staging.REFUSED_ROWS.full_name}"),
            counted_before=read_last(home, quality.RECONCILIATION),
            refused_before=read_last(home, staging.REFUSED_ROWS),
        ),
    }


def _of_version(run: pl.DataFrame) -> pl.DataFrame:
    return run.select(
        table_layer=pl.lit("published"), subject=pl.lit("version"), site=pl.lit("all"), newest_on=pl.col("data_date")
    )


@dg.multi_asset(
    name="watching",
    specs=[
        dg.AssetSpec(
            deps=[
                tables.key(each)
                for each in (
                    marts.SESSIONS,
                    marts.RATINGS,
                    marts.EPISODES,
                    quality.RECONCILIATION,
                    staging.REFUSED_ROWS,
                )
            ],
            **tables.definition(table, code=_MONTHS + _FILES + _NEWEST),
        )
        for table in watch.TABLES
    ],
)
def watching(night: Night) -> Iterator[dg.MaterializeResult[None]]:
    """Hold what came against its history, its promises, the files before and the last version."""
    with tables.told_in_one_line(), night.open_build() as con:
        frames = watched(con, night=night)
        for table in watch.TABLES:
            rows = warehouse.create_table_from_frame(con, table, frame=frames[table.name])
            yield tables.made(rows, of=tables.key(table))


ASSETS = [watching]
_CHANGES = {
    "feed": pl.String,
    "mapping": pl.Int64,
    "file_number": pl.Int64,
    "file": pl.String,
    "file_before": pl.String,
    "column_name": pl.String,
    "change": pl.String,
    "name_before": pl.String,
    "is_latest": pl.Boolean,
    "sentence": pl.String,
}
