"""Fair comparison as Dagster assets: adjusted progress, expected progress, and the alliance's own course.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Whatever grows with appointments is summed in the warehouse first. Dagster reads annotations
at run time, so this module never postpones them.
"""

from collections.abc import Mapping

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.wiring import CLIENTS_OWN, asset, assets_of
from assets.contracts import analysis, comparison, marts
from assets.estimates.adjusted_progress import adjusted_progress_and_shares
from assets.estimates.alliance_course import alliance_course
from assets.estimates.alliance_information import alliance_information_by_scope
from assets.estimates.expected import expected_progress_and_tracks
from assets.estimates.signals import clinician_signals
from assets.service import Service

_CLOSED_WITH_CASEMIX = """
SELECT
  change.instrument, change.client_id, change.case_id, change.clinician_id, change.site, change.programme,
  change.first_score, change.last_score,
  episode.problem, client.deprivation_decile, client.age_band, client.gender
FROM analysis.client_change AS change
INNER JOIN marts.episodes AS episode ON episode.episode_id = change.episode_id
LEFT JOIN marts.clients AS client ON client.client_id = change.client_id
WHERE NOT change.is_open
"""
# Of two forms of one session the first stands, as in the alliance pairs. Bands are of how the service works now, so they
# are learnt from the newest closed episodes, which also bounds the work in a service of any size.
_OUTCOMES = """
WITH wanted AS (
  SELECT client_id, episode_id, instrument, first_score
  FROM (
    SELECT
      change.client_id, change.episode_id, change.instrument, change.first_score,
      ROW_NUMBER() OVER (
        PARTITION BY change.instrument ORDER BY episode.ended_on DESC, change.episode_id, change.client_id
      ) AS place
    FROM analysis.client_change AS change
    INNER JOIN marts.episodes AS episode ON episode.episode_id = change.episode_id
    WHERE change.first_score IS NOT NULL AND {which}
  ) AS newest
  WHERE place <= {most}
),
scored AS (
  SELECT
    rating.client_id, rating.episode_id, rating.instrument, rating.session_number, rating.score, wanted.first_score,
    ROW_NUMBER() OVER (
      PARTITION BY rating.instrument, rating.client_id, rating.episode_id, rating.session_number
      ORDER BY rating.completed_on, rating.rating_id
    ) AS form,
    DENSE_RANK() OVER (
      PARTITION BY rating.instrument, rating.client_id, rating.episode_id ORDER BY rating.session_number
    ) AS nth,
    DENSE_RANK() OVER (
      PARTITION BY rating.instrument, rating.client_id, rating.episode_id ORDER BY rating.session_number DESC
    ) AS nth_last
  FROM marts.ratings AS rating
  INNER JOIN wanted
    ON wanted.client_id = rating.client_id AND wanted.episode_id = rating.episode_id
    AND wanted.instrument = rating.instrument
  WHERE rating.rater = 'client' AND rating.score IS NOT NULL AND rating.session_number IS NOT NULL
)
"""
_LEARNT_FROM_AT_MOST = 4000
_CLOSED_SCORES = (
    _OUTCOMES.format(which="NOT change.is_open", most=_LEARNT_FROM_AT_MOST)
    + """
SELECT instrument, client_id, episode_id, session_number, score, first_score
FROM scored WHERE form = 1 AND nth > 1
"""
)
_LATEST_SCORES = (
    _OUTCOMES.format(which="change.is_open", most="9223372036854775807")
    + """
SELECT
  scored.instrument, scored.client_id, episode.case_id, scored.episode_id, episode.clinician_id, episode.site,
  episode.programme, CASE WHEN scored.nth = 1 THEN CAST(1 AS BIGINT) ELSE scored.session_number END AS session_number,
  scored.score, scored.first_score
FROM scored INNER JOIN marts.episodes AS episode ON episode.episode_id = scored.episode_id
WHERE scored.form = 1 AND scored.nth_last = 1
"""
)


def _sum(name: str, expression: str, *, condition: str) -> str:
    # Rounded, since a sum of fractions depends on the order in which threads add them.
    return f"ROUND(SUM(CASE WHEN {condition} THEN {expression} ELSE 0 END), 8) AS {name}"


def _case_sums() -> str:
    """Each case's sums over alliance ratings with each clinician: all that the growth and level models need.

    Partners of a couple rate the same hours, so that the case, not the person, is what is drawn independently.
    """
    drawn = f"session_number <= {comparison.LAST_SESSION}"
    whole = "bond_score IS NOT NULL AND goals_score IS NOT NULL AND tasks_score IS NOT NULL"
    g, y = "LN(session_number) / LN(9)", "score"
    sums = [
        _sum(name, expression, condition=drawn)
        for name, expression in (
            ("n", "1"),
            ("g", g),
            ("gg", f"({g}) * ({g})"),
            ("y", y),
            ("yy", f"{y} * {y}"),
            ("gy", f"({g}) * {y}"),
        )
    ]
    for phase, condition in (("early", "session_number <= 3"), ("later", "session_number > 3")):
        sums += [
            _sum(f"{name}_{phase}", expression, condition=condition)
            for name, expression in (("n", "1"), ("y", y), ("yy", f"{y} * {y}"))
        ]
    sums.append(_sum("n_parts", "1", condition=whole))
    sums += [_sum(part, f"{part}_score", condition=whole) for part in comparison.SUBSCALES]
    sums += [
        _sum(f"{one}_{other}", f"{one}_score * {other}_score", condition=whole)
        for i, one in enumerate(comparison.SUBSCALES)
        for other in comparison.SUBSCALES[i:]
    ]
    sums += [
        f"COUNT(DISTINCT CASE WHEN {condition} THEN client_id END) AS {name}"
        for name, condition in (
            ("people", drawn),
            ("people_early", "session_number <= 3"),
            ("people_later", "session_number > 3"),
            ("people_parts", whole),
        )
    ]
    return f"""
SELECT rated.instrument, rated.clinician_id, rated.case_id, clinician.site, rated.{", rated.".join(_names(sums))}
FROM (
  SELECT instrument, clinician_id, case_id, {", ".join(sums)}
  {CLIENTS_OWN} AND kind = 'alliance' AND session_number IS NOT NULL
  GROUP BY instrument, clinician_id, case_id
) AS rated
LEFT JOIN marts.clinicians AS clinician ON clinician.clinician_id = rated.clinician_id
"""


def _names(sums: list[str]) -> list[str]:
    return [each.rpartition(" AS ")[2] for each in sums]


_BY_SESSION = f"""
SELECT instrument, clinician_id, session_number, COUNT(*) AS ratings, ROUND(AVG(score), 6) AS raw_mean
{CLIENTS_OWN} AND kind = 'alliance' AND session_number <= {comparison.LAST_SESSION}
GROUP BY instrument, clinician_id, session_number
"""

_INFORMATION = f"""
SELECT
  rated.instrument, rated.clinician_id, rated.client_id, rated.site, episode.programme, COUNT(*) AS n,
  ROUND(SUM(rated.score), 8) AS y, ROUND(SUM(rated.score * rated.score), 8) AS yy, MIN(rated.score) AS lowest,
  MAX(rated.score) AS highest, CAST(SUM(CASE WHEN rated.is_at_ceiling THEN 1 ELSE 0 END) AS BIGINT) AS tops
FROM (SELECT * {CLIENTS_OWN} AND kind = 'alliance') AS rated
LEFT JOIN marts.episodes AS episode ON episode.episode_id = rated.episode_id
GROUP BY rated.instrument, rated.clinician_id, rated.client_id, rated.site, episode.programme
"""


def _adjusted(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, pl.DataFrame]:
    """Both tables come out of the same fits."""
    return adjusted_progress_and_shares(warehouse.read_frame(con, _CLOSED_WITH_CASEMIX), service=service)


def _expected(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, pl.DataFrame]:
    """Open episodes are judged by the very bands that are published."""
    return expected_progress_and_tracks(
        warehouse.read_frame(con, _CLOSED_SCORES), warehouse.read_frame(con, _LATEST_SCORES), service=service
    )


def _course(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, pl.DataFrame]:
    """The alliance's course comes out of one pass over the ratings."""
    return alliance_course(
        warehouse.read_frame(con, _case_sums()), warehouse.read_frame(con, _BY_SESSION), service=service
    )


def _information(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return alliance_information_by_scope(warehouse.read_frame(con, _INFORMATION), service=service)


def _signals(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    """All the night's comparisons at once: a correction over a part of them would be none."""
    compared = {table.name: warehouse.read_frame(con, f"SELECT * FROM {table.full_name}") for table in _COMPARED}
    return clinician_signals(compared, minimum_clients=service.suppression.minimum_clients)


_COMPARED = (
    comparison.CLINICIAN_ADJUSTED_PROGRESS,
    comparison.CLINICIAN_ALLIANCE_PARTS,
    analysis.CLINICIAN_ALLIANCE,
    analysis.ALLIANCE_LINK,
    analysis.CLINICIAN_ATTENDANCE,
)
ASSETS: list[dg.AssetsDefinition] = [
    assets_of(
        [comparison.CLINICIAN_ADJUSTED_PROGRESS, comparison.VARIANCE_SHARES],
        _adjusted,
        reads=[analysis.CLIENT_CHANGE, marts.EPISODES, marts.CLIENTS],
    ),
    assets_of(
        [comparison.EXPECTED_PROGRESS, comparison.CLIENT_TRACKS],
        _expected,
        reads=[analysis.CLIENT_CHANGE, marts.RATINGS, marts.EPISODES],
    ),
    assets_of(
        [
            comparison.CLINICIAN_ALLIANCE_GROWTH,
            comparison.CLINICIAN_ALLIANCE_PARTS,
            comparison.CLINICIAN_WEAKEST_PART,
        ],
        _course,
        reads=[marts.RATINGS, marts.CLINICIANS],
    ),
    asset(comparison.ALLIANCE_INFORMATION, _information, reads=[marts.RATINGS, marts.EPISODES]),
    asset(comparison.CLINICIAN_SIGNALS, _signals, reads=_COMPARED),
]
