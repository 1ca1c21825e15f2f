"""Night to night as Dagster assets: what differs from the version that readers have, and why its figures moved.

Belongs here: reading both versions. Does not belong here: the comparisons (`assets.changed_rows`,
`assets.estimates.changes`) or versions of definitions (`assets.definitions`). Dagster reads annotations at run time, so this
module never postpones them.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.changed_rows import BEFORE, beside_last, changed_rows, is_comparable, no_changed_rows
from assets.contracts import changes, marts, slices, staging
from assets.contracts.analysis import ALLIANCE_LEVELS, ANSWER
from assets.contracts.figures import FIGURES, RATE
from assets.contracts.quality import RUN
from assets.contracts.registry import TABLES
from assets.definitions import definitions, made_tables
from assets.estimates.changes import Data, figure_changes, no_changes, row_name
from assets.estimates.rates import shown_rates
from assets.last_version import read_last
from assets.resources import Night
from assets.science.disclosure import DisclosureRule
from assets.service import Service
from assets.slices import against
from assets.told import TOLD, last_told, told

# Every row that figures are counted from, by where it stands, and whether the period has moved past its day since.
_SIZES = """
WITH standing AS (
  SELECT booked.site, episode.programme, booked.clinician_id, CAST(NULL AS VARCHAR) AS instrument, booked.starts_on AS day
  FROM marts.appointments AS booked LEFT JOIN marts.episodes AS episode ON episode.episode_id = booked.episode_id
  UNION ALL
  SELECT rated.site, episode.programme, rated.clinician_id, rated.instrument, rated.completed_on
  FROM marts.ratings AS rated LEFT JOIN marts.episodes AS episode ON episode.episode_id = rated.episode_id
  UNION ALL
  SELECT site, programme, clinician_id, NULL, started_on FROM marts.episodes WHERE NOT is_inferred
),
counted AS (
  SELECT site, programme, clinician_id, instrument, COUNT(*) AS rows,
    COUNT(CASE WHEN day > $was - TO_MONTHS($months) AND day <= $now - TO_MONTHS($months) THEN 1 END) AS aged
  FROM standing GROUP BY site, programme, clinician_id, instrument
)
SELECT scope, scope_name, instrument, CAST(SUM(rows) AS BIGINT) AS rows, CAST(SUM(aged) AS BIGINT) AS aged
FROM (
  SELECT 'service' AS scope, 'all' AS scope_name, instrument, rows, aged FROM counted
  UNION ALL SELECT 'site', site, instrument, rows, aged FROM counted WHERE site IS NOT NULL
  UNION ALL SELECT 'programme', programme, instrument, rows, aged FROM counted WHERE programme IS NOT NULL
  UNION ALL SELECT 'clinician', clinician_id, instrument, rows, aged FROM counted WHERE clinician_id IS NOT NULL
) AS placed
GROUP BY scope, scope_name, instrument ORDER BY ALL
"""


def compare(con: duckdb.DuckDBPyConnection, *, night: Night) -> Mapping[str, int]:
    """Make the three tables; returns their rows by name."""
    home, service = Path(night.home), night.service
    last = home / warehouse.CURRENT / warehouse.WAREHOUSE_FILE
    defined = definitions(made_tables(), service=service, last=read_last(home, changes.DEFINITIONS))
    with ExitStack() as beside:
        if last.is_file():
            beside.enter_context(beside_last(con, last))
        has_last = last.is_file() and is_comparable(con)
        rows = warehouse.create_table(
            con, changes.CHANGED_ROWS, select=changed_rows() if has_last else no_changed_rows()
        )
        moved = _moved(con, night=night, defined=defined) if has_last else no_changes()
    return {
        changes.CHANGED_ROWS.name: rows,
        changes.DEFINITIONS.name: warehouse.create_table_from_frame(con, changes.DEFINITIONS, frame=defined),
        changes.CHANGES.name: warehouse.create_table_from_frame(con, changes.CHANGES, frame=moved),
    }


def _moved(con: duckdb.DuckDBPyConnection, *, night: Night, defined: pl.DataFrame) -> pl.DataFrame:
    kept = Path(night.home) / warehouse.CURRENT / TOLD
    given, given_before = told(con, last=kept, night=against(night)), last_told(kept)
    figures = [(figure, TABLES[figure.table]) for figure in FIGURES]
    was = con.sql(f"SELECT MAX(data_date) FROM {BEFORE}.{RUN.full_name}").fetchall()[0][0]
    asked = {"was": was, "now": night.as_of, "months": night.service.period_months}
    return figure_changes(
        figures,
        now=_frames(con, "") | given,
        before=_frames(con, f"{BEFORE}.") | given_before,
        data=Data(
            changed=warehouse.read_frame(con, f"SELECT * FROM {changes.CHANGED_ROWS.full_name}"),
            sizes=con.sql(_SIZES, params=asked).pl(),
            definitions=defined,
            has_time_passed=was != night.as_of,
        ),
        shown=_shown(given, given_before, service=night.service),
    )


def _frames(con: duckdb.DuckDBPyConnection, side: str) -> dict[str, pl.DataFrame]:
    """Key and figures of every table of figures, on one side; without those that an older release had otherwise."""
    found = {}
    for name in dict.fromkeys(each.table for each in FIGURES):
        columns = [column for each in FIGURES if each.table == name for column in (each.name, each.low, each.high)]
        asked = ", ".join(dict.fromkeys((*TABLES[name].key, *columns)))
        with suppress(duckdb.BinderException, duckdb.CatalogException):
            found[name] = warehouse.read_frame(con, f"SELECT {asked} FROM {side}{name}")
    return found


def _shown(
    now: Mapping[str, pl.DataFrame], before: Mapping[str, pl.DataFrame], *, service: Service
) -> dict[str, frozenset[str]]:
    """Rows that the pages of both nights may show: rates as pages choose them, and the answer of each level of the link."""
    rule = DisclosureRule(
        min_clients=service.suppression.minimum_clients,
        min_clinicians=service.suppression.minimum_clinicians,
        zero="suppressed",
        round_to=1,
        is_complement_protected=False,
    )

    def rates(given: pl.DataFrame) -> pl.DataFrame:
        return shown_rates(given, rule=rule)

    def links(given: pl.DataFrame) -> pl.DataFrame:
        return given.filter((pl.col("method") == ANSWER) & pl.col("estimate").is_not_null())

    found = {}
    for name, of in ((RATE.table, rates), (ALLIANCE_LEVELS.full_name, links)):
        if name in now and name in before:
            table = TABLES[name]
            keys = [{row_name(table, row) for row in of(side[name]).iter_rows(named=True)} for side in (now, before)]
            found[name] = frozenset(keys[0] & keys[1])
    return found


@dg.multi_asset(
    name="changes",
    specs=[
        dg.AssetSpec(
            deps=[
                *(tables.key(feed.table) for feed in staging.FEEDS),
                *(
                    tables.key(each)
                    for each in (staging.REFUSED_ROWS, marts.APPOINTMENTS, marts.RATINGS, marts.EPISODES)
                ),
                *(tables.key(TABLES[name]) for name in dict.fromkeys(each.table for each in FIGURES)),
                *(tables.key(each) for each in (slices.PUBLISHED_SLICES, RUN)),
            ],
            **tables.definition(table, code=_SIZES),
        )
        for table in changes.TABLES
    ],
)
def night_to_night(night: Night) -> Iterator[dg.MaterializeResult[None]]:
    """Hold tonight's rows, definitions and figures against those of the version that readers have."""
    with night.open_build() as con:
        rows = compare(con, night=night)
        for table in changes.TABLES:
            yield tables.made(rows[table.name], of=tables.key(table))


ASSETS = [night_to_night]
