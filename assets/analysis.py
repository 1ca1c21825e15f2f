"""The analysis tables as Dagster assets: frames out of the marts, through the estimates, and back into DuckDB.

Belongs here: which rows an estimate is given. Does not belong here: the estimates (`assets.estimates`) and their formulas
(`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Callable, Iterator, Sequence

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.contracts import analysis, marts
from assets.contracts.model import Table
from assets.estimates.alliance import clinician_alliance
from assets.estimates.attendance import clinician_attendance
from assets.estimates.change import client_change
from assets.estimates.link import alliance_levels_and_links
from assets.estimates.progress import clinician_progress
from assets.estimates.ruptures import ruptures
from assets.resources import Night
from assets.service import Service

Estimate = Callable[[duckdb.DuckDBPyConnection, Service], pl.DataFrame]

_CLIENTS_OWN = "FROM marts.ratings WHERE rater = 'client' AND clinician_id IS NOT NULL AND score IS NOT NULL"
_IN_PERIOD = (
    "FROM marts.{table}, quality.run AS run WHERE {day} > run.data_date - to_months(CAST(run.period_months AS INTEGER))"
)

# Every session of an episode in which the client rated the alliance at all, with a null where this one was not rated: a
# form that was skipped neither makes nor mends a rupture, but the session did take place.
_ALLIANCE_BY_SESSION = f"""
WITH rated AS (
  SELECT client_id, episode_id, instrument, session_number, MIN(score) AS score
  {_CLIENTS_OWN} AND kind = 'alliance' AND session_number IS NOT NULL
  GROUP BY client_id, episode_id, instrument, session_number
),
series AS (SELECT DISTINCT client_id, episode_id, instrument FROM rated)
SELECT
  series.client_id, series.episode_id, series.instrument, session.clinician_id, session.site, session.session_number,
  rated.score
FROM series
INNER JOIN marts.sessions AS session ON session.episode_id = series.episode_id
LEFT JOIN rated
  ON rated.client_id = series.client_id AND rated.episode_id = series.episode_id
  AND rated.instrument = series.instrument AND rated.session_number = session.session_number
ORDER BY series.instrument, series.client_id, series.episode_id, session.session_number
"""


def _change(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    ratings = warehouse.read_frame(
        con,
        "SELECT client_id, episode_id, instrument, rating_id, completed_on, score FROM marts.ratings "
        "WHERE kind = 'outcome' AND rater = 'client' AND episode_id IS NOT NULL",
    )
    return client_change(ratings, warehouse.read_frame(con, "SELECT * FROM marts.episodes"), registry=service.registry)


def _alliance(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    ratings = warehouse.read_frame(
        con,
        "SELECT clinician_id, client_id, instrument, session_number, score, bond_score, goals_score, tasks_score, is_at_ceiling "
        f"{_CLIENTS_OWN} AND kind = 'alliance'",
    )
    return clinician_alliance(
        ratings,
        warehouse.read_frame(con, "SELECT * FROM marts.clinicians"),
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=service.suppression.minimum_clinicians,
    )


def _attendance(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:  # noqa: ARG001
    months = _IN_PERIOD.format(table="clinician_months", day="month")
    booked = _IN_PERIOD.format(table="appointments", day="starts_on")
    return clinician_attendance(
        warehouse.read_frame(con, f"SELECT clinician_months.* {months}"),
        warehouse.read_frame(
            con, f"SELECT clinician_id, COUNT(DISTINCT case_id) AS cases {booked} GROUP BY clinician_id"
        ),
        warehouse.read_frame(con, "SELECT * FROM marts.clinicians"),
    )


def _progress(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return clinician_progress(
        warehouse.read_frame(con, "SELECT * FROM analysis.client_change"),
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=service.suppression.minimum_clinicians,
    )


def _ruptures(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    ended = warehouse.read_frame(con, "SELECT episode_id FROM marts.episodes WHERE NOT is_open ORDER BY episode_id")
    return ruptures(
        warehouse.read_frame(con, _ALLIANCE_BY_SESSION),
        ended_episodes=ended["episode_id"].to_list(),
        falls_by_sd=service.ruptures.falls_by_sd,
        repaired_within_sessions=service.ruptures.repaired_within_sessions,
    )


def _asset(table: Table, estimate: Estimate, *, reads: Sequence[Table]) -> dg.AssetsDefinition:
    @dg.asset(deps=[tables.key(each) for each in reads], **tables.definition(table, code=estimate.__name__))
    def build(night: Night) -> dg.MaterializeResult[None]:
        with night.open_build() as con:
            frame = estimate(con, night.service)
            return tables.made(warehouse.create_table_from_frame(con, table, frame=frame))

    return build


@dg.multi_asset(
    specs=[
        dg.AssetSpec(deps=[tables.key(marts.ALLIANCE_PAIRS)], **tables.definition(table, code="link"))
        for table in (analysis.ALLIANCE_LEVELS, analysis.ALLIANCE_LINK)
    ]
)
def link(night: Night) -> Iterator[dg.MaterializeResult[None]]:
    """Both tables of the link come out of the same fits."""
    with night.open_build() as con:
        pairs = warehouse.read_frame(con, "SELECT * FROM marts.alliance_pairs")
        levels, links = alliance_levels_and_links(pairs, service=night.service)
        for table, frame in ((analysis.ALLIANCE_LEVELS, levels), (analysis.ALLIANCE_LINK, links)):
            yield tables.made(warehouse.create_table_from_frame(con, table, frame=frame), of=tables.key(table))


ASSETS: list[dg.AssetsDefinition] = [
    _asset(analysis.CLIENT_CHANGE, _change, reads=[marts.RATINGS, marts.EPISODES]),
    _asset(analysis.CLINICIAN_ALLIANCE, _alliance, reads=[marts.RATINGS, marts.CLINICIANS]),
    _asset(
        analysis.CLINICIAN_ATTENDANCE, _attendance, reads=[marts.CLINICIAN_MONTHS, marts.APPOINTMENTS, marts.CLINICIANS]
    ),
    _asset(analysis.CLINICIAN_PROGRESS, _progress, reads=[analysis.CLIENT_CHANGE]),
    _asset(analysis.RUPTURES, _ruptures, reads=[marts.RATINGS]),
    link,
]
