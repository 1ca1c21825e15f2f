"""The alliance of couples and families as Dagster assets.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Mapping

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.wiring import assets_of
from assets.contracts import couples, marts
from assets.estimates.couples import couple_alliance, couple_clinicians_and_variance
from assets.service import Service

# Of two forms of one session the first stands, as in the alliance pairs.
_MEMBERS_RATINGS = """
SELECT client_id, episode_id, instrument, session_number, clinician_id, score
FROM (
  SELECT
    rating.client_id, rating.episode_id, rating.instrument, rating.session_number, session.clinician_id, rating.score,
    ROW_NUMBER() OVER (
      PARTITION BY rating.instrument, rating.client_id, rating.episode_id, rating.session_number
      ORDER BY rating.completed_on, rating.rating_id
    ) AS place
  FROM marts.ratings AS rating
  INNER JOIN marts.cases AS together ON together.case_id = rating.case_id AND together.clients >= 2
  INNER JOIN marts.sessions AS session
    ON session.episode_id = rating.episode_id AND session.session_number = rating.session_number
  WHERE rating.kind = 'alliance' AND rating.rater = 'client' AND rating.score IS NOT NULL
) AS placed
WHERE place = 1
"""
_SESSIONS_TOGETHER = """
SELECT
  session.episode_id, session.session_number, session.case_id, session.clinician_id, session.site, episode.programme,
  together.clients
FROM marts.sessions AS session
INNER JOIN marts.cases AS together ON together.case_id = session.case_id AND together.clients >= 2
INNER JOIN marts.episodes AS episode ON episode.episode_id = session.episode_id
"""


def _couples(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, pl.DataFrame]:
    """Clinicians' figures are of the sessions."""
    ratings = warehouse.read_frame(con, _MEMBERS_RATINGS)
    told = couple_alliance(ratings, warehouse.read_frame(con, _SESSIONS_TOGETHER))
    clinicians, variance = couple_clinicians_and_variance(
        told,
        ratings,
        warehouse.read_frame(con, "SELECT * FROM marts.clinicians"),
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=service.suppression.minimum_clinicians,
    )
    return {
        couples.COUPLE_ALLIANCE.name: told,
        couples.COUPLE_CLINICIANS.name: clinicians,
        couples.COUPLE_VARIANCE.name: variance,
    }


ASSETS: list[dg.AssetsDefinition] = [
    assets_of(
        list(couples.TABLES),
        _couples,
        reads=[marts.RATINGS, marts.CASES, marts.SESSIONS, marts.EPISODES, marts.CLINICIANS],
    )
]
