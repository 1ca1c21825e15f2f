"""The alliance itself as Dagster assets: its level, its ruptures, and its link with progress.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Mapping

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.wiring import CLIENTS_OWN, asset, assets_of
from assets.contracts import analysis, marts
from assets.estimates.alliance import clinician_alliance
from assets.estimates.link import alliance_levels_and_links
from assets.estimates.ruptures import ruptures
from assets.service import Service

# Every session of an episode in which the client rated the alliance at all, with a null where this one was not rated: a
# form that was skipped neither makes nor mends a rupture, but the session did take place.
_ALLIANCE_BY_SESSION = f"""
WITH rated AS (
  SELECT client_id, episode_id, instrument, session_number, MIN(score) AS score
  {CLIENTS_OWN} AND kind = 'alliance' AND session_number IS NOT NULL
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


def _alliance(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    ratings = warehouse.read_frame(
        con,
        "SELECT clinician_id, client_id, instrument, session_number, score, bond_score, goals_score, tasks_score, is_at_ceiling "
        f"{CLIENTS_OWN} AND kind = 'alliance'",
    )
    return clinician_alliance(
        ratings,
        warehouse.read_frame(con, "SELECT * FROM marts.clinicians"),
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


def _link(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, pl.DataFrame]:
    """Both tables come out of the same fits."""
    pairs = warehouse.read_frame(con, "SELECT * FROM marts.alliance_pairs")
    levels, links = alliance_levels_and_links(pairs, service=service)
    return {analysis.ALLIANCE_LEVELS.name: levels, analysis.ALLIANCE_LINK.name: links}


ASSETS: list[dg.AssetsDefinition] = [
    asset(analysis.CLINICIAN_ALLIANCE, _alliance, reads=[marts.RATINGS, marts.CLINICIANS]),
    asset(analysis.RUPTURES, _ruptures, reads=[marts.RATINGS]),
    assets_of([analysis.ALLIANCE_LEVELS, analysis.ALLIANCE_LINK], _link, reads=[marts.ALLIANCE_PAIRS]),
]
