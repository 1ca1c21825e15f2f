"""The alliance itself as Dagster assets: its level, its ruptures, and its link with progress.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.series import keep, number_series, parts, within_sds
from assets.analysis.wiring import CLIENTS_OWN, asset, assets_of
from assets.contracts import analysis, marts
from assets.estimates.alliance import EARLY_SESSIONS, clinician_alliance
from assets.estimates.link import alliance_levels_and_links
from assets.estimates.ruptures import ruptures
from assets.service import MeasurePair, Service

# Rounded, since a sum of fractions depends on the order in which threads add them.
_SUMS_OF_CLIENTS = f"""
SELECT
  clinician_id, instrument, CAST(COUNT(*) AS BIGINT) AS n, ROUND(SUM(score), 8) AS y, ROUND(SUM(score * score), 8) AS yy,
  ROUND(AVG(CASE WHEN session_number <= {EARLY_SESSIONS} THEN score END), 8) AS early, ROUND(AVG(bond_score), 8) AS bond,
  ROUND(AVG(goals_score), 8) AS goals, ROUND(AVG(tasks_score), 8) AS tasks,
  CAST(SUM(CASE WHEN is_at_ceiling THEN 1 ELSE 0 END) AS BIGINT) AS at_ceiling
{CLIENTS_OWN} AND kind = 'alliance'
GROUP BY clinician_id, instrument, client_id
"""
_RATED = f"""
CREATE OR REPLACE TEMP TABLE rated AS
SELECT
  series.series, rating.instrument, CAST(rating.session_number AS INTEGER) AS session_number, MIN(rating.score) AS score
FROM (SELECT * {CLIENTS_OWN} AND kind = 'alliance' AND session_number IS NOT NULL) AS rating
INNER JOIN series ON series.client_id = rating.client_id AND series.episode_id = rating.episode_id
GROUP BY series.series, rating.instrument, rating.session_number
"""
# Every session of an episode in which the client rated the alliance at all, with a null where this one was not rated: a
# form that was skipped neither makes nor mends a rupture, but the session did take place.
_SESSIONS_OF_RATED = """
CREATE OR REPLACE TEMP TABLE sessions_of_rated AS
SELECT course.series, course.episode, course.instrument, CAST(session.session_number AS INTEGER) AS session_number
FROM (
  SELECT DISTINCT series.series, series.episode, series.episode_id, rated.instrument
  FROM rated INNER JOIN series ON series.series = rated.series
) AS course
INNER JOIN marts.sessions AS session ON session.episode_id = course.episode_id
"""
_ALLIANCE_BY_SESSION = """
SELECT course.series AS client_id, course.episode AS episode_id, course.instrument, course.session_number, rated.score
FROM (SELECT * FROM sessions_of_rated WHERE {part}) AS course
LEFT JOIN (SELECT * FROM rated WHERE {part}) AS rated
  ON rated.series = course.series AND rated.instrument = course.instrument AND rated.session_number = course.session_number
"""
_ENDED = """
SELECT DISTINCT series.episode FROM series INNER JOIN marts.episodes AS episode ON episode.episode_id = series.episode_id
WHERE NOT episode.is_open AND {part} ORDER BY series.episode
"""
_RUPTURES = """
SELECT
  series.client_id, series.episode_id, found.* EXCLUDE (client_id, episode_id), session.clinician_id, session.site
FROM found
INNER JOIN series ON series.series = found.client_id
LEFT JOIN marts.sessions AS session
  ON session.episode_id = series.episode_id AND session.session_number = found.session_number
ORDER BY found.instrument, found.client_id, found.session_number
"""


_OF_MEASURES = """
FROM marts.alliance_pairs
WHERE alliance_instrument = $alliance AND outcome_instrument = $outcome
"""
_STEPS = f"""
SELECT next_session_number - session_number AS step, COUNT(*) AS pairs {_OF_MEASURES}
GROUP BY next_session_number - session_number ORDER BY pairs DESC, step
"""
_PAIRS_OF_CLINICIANS = f"""
SELECT clinician_id, COUNT(*) AS pairs {_OF_MEASURES} AND clinician_id IS NOT NULL
GROUP BY clinician_id ORDER BY clinician_id
"""
_PAIRS_OF_BLOCK = f"""
SELECT
  clinician_id, site, programme, client_id, episode_id, session_number, alliance, outcome_first, outcome_now, outcome_next
{_OF_MEASURES} AND next_session_number - session_number = $step AND clinician_id BETWEEN $first AND $last
"""
_PAIRS_AT_ONCE = 250_000


def _alliance(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return clinician_alliance(
        warehouse.read_frame(con, _SUMS_OF_CLIENTS),
        warehouse.read_frame(con, "SELECT * FROM marts.clinicians"),
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=service.suppression.minimum_clinicians,
    )


def _ruptures(con: duckdb.DuckDBPyConnection, service: Service) -> str:
    """Courses are followed a part of the clients at a time."""
    number_series(con)
    con.execute(_RATED)
    con.execute(_SESSIONS_OF_RATED)
    spreads = within_sds(con, of="rated")
    for number, part in enumerate(parts(con)):
        found = ruptures(
            warehouse.read_frame(con, _ALLIANCE_BY_SESSION.format(part=part)),
            within_sds=spreads,
            falls_by_sd=service.ruptures.falls_by_sd,
            repaired_within_sessions=service.ruptures.repaired_within_sessions,
            ended_episodes=warehouse.read_frame(con, _ENDED.format(part=part))["episode"].to_list(),
        )
        keep(con, "found", found, is_first=number == 0)
    return _RUPTURES


def pairs_in_blocks(con: duckdb.DuckDBPyConnection, measure: MeasurePair, *, most: int) -> Iterator[pl.DataFrame]:
    """A measure pair's rows of `marts.alliance_pairs`, whole clinicians at a time, whose next score is one step on.

    A step is as many sessions as usual. Where forms in between are missing the next score is further on, and says less of
    this session: with a fifth of the forms missing the link would come out a tenth too small.

    Args:
        con: the build.
        measure: which alliance and which outcome.
        most: rows in a block, to which its last clinician may add some.
    """
    wanted = {"alliance": measure.alliance, "outcome": measure.outcome}
    steps = con.execute(_STEPS, wanted).fetchall()
    step = steps[0][0] if steps else 1
    blocks: dict[int, list[str]] = {}
    before = 0
    for clinician, rows in con.execute(_PAIRS_OF_CLINICIANS, wanted).fetchall():
        blocks.setdefault(before // most, []).append(clinician)
        before += rows
    for names in blocks.values() or [[""]]:
        yield con.sql(_PAIRS_OF_BLOCK, params={**wanted, "step": step, "first": names[0], "last": names[-1]}).pl()


def _link(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, pl.DataFrame]:
    """Both tables come out of the same fits."""
    blocks = partial(pairs_in_blocks, con, most=_PAIRS_AT_ONCE)
    levels, links = alliance_levels_and_links(blocks, service=service)
    return {analysis.ALLIANCE_LEVELS.name: levels, analysis.ALLIANCE_LINK.name: links}


ASSETS: list[dg.AssetsDefinition] = [
    asset(analysis.CLINICIAN_ALLIANCE, _alliance, reads=[marts.RATINGS, marts.CLINICIANS]),
    asset(analysis.RUPTURES, _ruptures, reads=[marts.RATINGS]),
    assets_of([analysis.ALLIANCE_LEVELS, analysis.ALLIANCE_LINK], _link, reads=[marts.ALLIANCE_PAIRS]),
]
