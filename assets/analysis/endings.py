"""How treatment ends, and what goes with it, as Dagster assets.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Mapping

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.series import keep, number_episodes, number_scores, number_series, parts, within_sds
from assets.analysis.wiring import ALL_CHANGE, ALL_EPISODES, Made, asset, assets_of, data_date
from assets.contracts import analysis, endings, marts
from assets.estimates.holding_back import holding_back, holding_back_calibration
from assets.estimates.landmark import LANDMARK_SESSION, landmark
from assets.estimates.missingness import bounded_rates, first_score_thirds, missing_forms, skipping_counts
from assets.estimates.retention import retention
from assets.estimates.ruptures import FEWEST_RATINGS_TO_JUDGE, after_rupture, standing_at_sessions
from assets.science.holding_back import EVERY
from assets.service import Service

# Members of a couple or family end together, so a case counts once, with the mean of what its members said.
_EARLY_FORMS = f"""
SELECT numbered.number AS episode_id, session_number, kind, instrument, ROUND(AVG(score), 6) AS score
FROM marts.ratings AS rating
INNER JOIN numbered_episodes AS numbered ON numbered.episode_id = rating.episode_id
WHERE rater = 'client' AND score IS NOT NULL AND session_number <= {LANDMARK_SESSION}
GROUP BY numbered.number, session_number, kind, instrument
"""
_BEGUN_EPISODES = """
SELECT numbered.number AS episode_id, case_id, clinician_id, site, programme, sessions, is_open, end_reason
FROM marts.episodes AS episode
INNER JOIN numbered_episodes AS numbered ON numbered.episode_id = episode.episode_id
WHERE sessions > 0
"""
# A rupture can be seen from the client's third rating on; earlier sessions say nothing of how often leaving follows one.
_SESSIONS_THAT_CAN_SHOW_RUPTURES = f"""
CREATE OR REPLACE TEMP TABLE judged AS
WITH forms AS (
  SELECT DISTINCT series.series, series.episode_id, rating.instrument, rating.session_number
  FROM marts.ratings AS rating
  INNER JOIN series ON series.client_id = rating.client_id AND series.episode_id = rating.episode_id
  WHERE rating.rater = 'client' AND rating.kind = 'alliance' AND rating.score IS NOT NULL
    AND rating.session_number IS NOT NULL AND rating.clinician_id IS NOT NULL
),
rated AS (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY series, instrument ORDER BY session_number) AS place FROM forms
)
SELECT
  rated.series, rated.instrument, CAST(session.session_number AS INTEGER) AS session_number, session.clinician_id,
  session.site, episode.programme,
  NOT episode.is_open AND session.session_number = episode.sessions AND COALESCE(episode.end_reason = 'unplanned', FALSE)
    AS is_unplanned,
  NOT episode.is_open AND session.session_number = episode.sessions AND COALESCE(episode.end_reason = 'planned', FALSE)
    AS is_planned
FROM rated
INNER JOIN marts.sessions AS session
  ON session.episode_id = rated.episode_id AND session.session_number >= rated.session_number
INNER JOIN marts.episodes AS episode ON episode.episode_id = rated.episode_id
WHERE rated.place = {FEWEST_RATINGS_TO_JUDGE}
"""
_JUDGED = """
SELECT series.series AS client_id, series.episode AS episode_id, judged.* EXCLUDE (series)
FROM (SELECT * FROM judged WHERE {part}) AS judged INNER JOIN series ON series.series = judged.series
"""
_RUPTURES = """
SELECT
  series.series AS client_id, series.episode AS episode_id, rupture.instrument,
  CAST(rupture.session_number AS INTEGER) AS session_number,
  CAST(rupture.repaired_session_number AS INTEGER) AS repaired_session_number
FROM analysis.ruptures AS rupture
INNER JOIN (SELECT * FROM series WHERE {part}) AS series
  ON series.client_id = rupture.client_id AND series.episode_id = rupture.episode_id
"""


# What a client missed or called off since the session before, for sessions and for the time after the latest one.
_MISSED = """
missed AS (
  SELECT
    episode_id, session_number,
    COUNT(CASE WHEN status IN ('did_not_attend', 'late_not_seen', 'cancelled_by_client') THEN 1 END) AS by_client,
    COUNT(CASE WHEN status = 'cancelled_by_clinic' THEN 1 END) AS by_clinic
  FROM (
    SELECT
      episode_id, status,
      1 + COALESCE(CAST(SUM(CASE WHEN is_attended THEN 1 ELSE 0 END) OVER (
        PARTITION BY episode_id ORDER BY starts_at, appointment_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
      ) AS BIGINT), 0) AS session_number
    FROM marts.appointments
  ) AS booked
  GROUP BY episode_id, session_number
)
"""
_TIMELINES = f"""
CREATE OR REPLACE TEMP TABLE timelines AS
WITH {_MISSED}
SELECT
  series.series, series.episode, session.case_id, session.clinician_id, session.site, episode.programme,
  CAST(session.session_number AS INTEGER) AS session_number, session.starts_on, CAST(session.gap_days AS INTEGER) AS gap_days,
  CAST(COALESCE(missed.by_client, 0) AS INTEGER) AS missed_before,
  CAST(COALESCE(missed.by_clinic, 0) AS INTEGER) AS clinic_cancelled_before,
  session.session_number = episode.sessions AS is_latest,
  CAST(CASE WHEN session.session_number = episode.sessions THEN COALESCE(later.by_client, 0) ELSE 0 END AS INTEGER) AS missed_since
FROM marts.sessions AS session
INNER JOIN marts.clients AS client ON client.case_id = session.case_id
INNER JOIN marts.episodes AS episode ON episode.episode_id = session.episode_id
INNER JOIN series ON series.client_id = client.client_id AND series.episode_id = session.episode_id
LEFT JOIN missed ON missed.episode_id = session.episode_id AND missed.session_number = session.session_number
LEFT JOIN missed AS later
  ON later.episode_id = session.episode_id AND later.session_number = session.session_number + 1
"""
_OF_TIMELINES = """
SELECT series AS client_id, episode AS episode_id, session_number, starts_on, gap_days, missed_before, clinic_cancelled_before
FROM timelines WHERE {part}
"""
_OF_SCORES = """
SELECT series.series AS client_id, series.episode AS episode_id, scores.instrument, scores.session_number, scores.score
FROM (SELECT * FROM scores WHERE {part}) AS scores INNER JOIN series ON series.series = scores.series
"""
_TOLD = """
SELECT
  series.client_id, series.episode_id, timelines.* EXCLUDE (series, episode), told.* EXCLUDE (client_id, episode_id, session_number)
FROM told
INNER JOIN timelines ON timelines.series = told.client_id AND timelines.session_number = told.session_number
INNER JOIN series ON series.series = told.client_id
ORDER BY told.client_id, told.session_number
"""
_ENDED_OR_NOT = """
SELECT numbered.episode AS episode_id, clinician_id, site, programme, started_on, sessions, is_open, end_reason
FROM marts.episodes AS episode
INNER JOIN (SELECT DISTINCT episode, episode_id FROM series) AS numbered ON numbered.episode_id = episode.episode_id
"""
# Those whose episode has ended, with every measure that their site uses; whoever has no form at all is unknown too.
_ENDED_CLIENTS = """
SELECT client.client_id, episode.episode_id, episode.clinician_id, episode.site, used.instrument
FROM marts.episodes AS episode
INNER JOIN marts.clients AS client ON client.case_id = episode.case_id
INNER JOIN (
  SELECT DISTINCT site, instrument FROM marts.ratings WHERE kind = 'outcome' AND rater = 'client' AND score IS NOT NULL
) AS used ON used.site = episode.site
WHERE NOT episode.is_open AND episode.sessions > 0 AND episode.clinician_id IS NOT NULL
"""


def _retention(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return retention(warehouse.read_frame(con, ALL_EPISODES), minimum_clients=service.suppression.minimum_clients)


def _landmark(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    number_episodes(con)
    early, begun = (warehouse.read_frame(con, query) for query in (_EARLY_FORMS, _BEGUN_EPISODES))
    return landmark(early, begun, service=service)


def _after_rupture(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    """Where clients stood is said a part of the clients at a time."""
    number_series(con)
    con.execute(_SESSIONS_THAT_CAN_SHOW_RUPTURES)
    placed = [
        standing_at_sessions(
            warehouse.read_frame(con, _JUDGED.format(part=part)), warehouse.read_frame(con, _RUPTURES.format(part=part))
        )
        for part in parts(con)
    ]
    return after_rupture(pl.concat(placed), minimum_clients=service.suppression.minimum_clients)


def _holding_back(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, Made]:
    """The calibration is of the timelines, which are followed a part of the clients at a time."""
    number_series(con)
    number_scores(con, "alliance")
    con.execute(_TIMELINES)
    spreads, checked = within_sds(con, of="scores"), []
    for number, part in enumerate(parts(con)):
        told = holding_back(
            warehouse.read_frame(con, _OF_TIMELINES.format(part=part)),
            warehouse.read_frame(con, _OF_SCORES.format(part=part)),
            within_sds=spreads,
        )
        checked.append(
            told.filter(pl.col("session_number") % EVERY == 0).select(
                "episode_id", "session_number", "starts_on", "signals"
            )
        )
        keep(
            con,
            "told",
            told.drop("starts_on", "gap_days", "missed_before", "clinic_cancelled_before", "is_rated"),
            is_first=number == 0,
        )
    calibration = holding_back_calibration(
        pl.concat(checked),
        warehouse.read_frame(con, _ENDED_OR_NOT),
        as_of=data_date(con),
        minimum_clients=service.suppression.minimum_clients,
    )
    return {endings.HOLDING_BACK.name: _TOLD, endings.HOLDING_BACK_CALIBRATION.name: calibration}


def _missing_forms(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    """Every session of every client with a clinician who uses an alliance form, a part of the clients at a time."""
    number_series(con)
    number_scores(con, "alliance", "outcome")
    con.execute(_first_measures(service))
    con.execute(_FORMS_EXPECTED)
    thirds = first_score_thirds(warehouse.read_frame(con, _FIRST_SESSIONS), registry=service.registry)
    counts = [
        skipping_counts(
            warehouse.read_frame(con, _FORMS_AND_SCORES.format(part=part)), thirds, registry=service.registry
        )
        for part in parts(con)
    ]
    return missing_forms(pl.concat(counts), minimum_clients=service.suppression.minimum_clients)


def _first_measures(service: Service) -> str:
    """Which form each client fills in, and the first score on it.

    A client's outcome measure is the first in the service's own order that the client has a first score on.
    """
    outcomes = list(dict.fromkeys(pair.outcome for pair in service.measures))
    place = " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(outcomes))
    return f"""
CREATE OR REPLACE TEMP TABLE first_measures AS
SELECT series, kind, first.instrument AS instrument, first.score AS score
FROM (
  SELECT
    series, kind,
    MIN({{'place': CASE instrument {place} ELSE {len(outcomes)} END, 'instrument': instrument, 'session': session_number, 'score': score}})
      AS first
  FROM scores GROUP BY series, kind
) AS firsts
"""


_FORMS_EXPECTED = """
CREATE OR REPLACE TEMP TABLE forms_expected AS
SELECT series.series, CAST(session.session_number AS INTEGER) AS session_number, session.site, episode.programme
FROM marts.sessions AS session
INNER JOIN (SELECT DISTINCT clinician_id FROM marts.sessions WHERE has_alliance) AS sends
  ON sends.clinician_id = session.clinician_id
INNER JOIN marts.clients AS client ON client.case_id = session.case_id
INNER JOIN marts.episodes AS episode ON episode.episode_id = session.episode_id
INNER JOIN series ON series.client_id = client.client_id AND series.episode_id = session.episode_id
"""
_FIRST_SESSIONS = """
SELECT expected.series, expected.site, measure.instrument AS outcome_instrument, measure.score AS outcome_first
FROM forms_expected AS expected
INNER JOIN first_measures AS measure ON measure.kind = 'outcome' AND measure.series = expected.series
WHERE expected.session_number = 1
ORDER BY expected.series
"""
_FORMS_AND_SCORES = """
WITH expected AS (SELECT * FROM forms_expected WHERE {part}),
measured AS (SELECT * FROM first_measures WHERE {part}),
scored AS (
  SELECT scores.series, scores.session_number, scores.kind, scores.score
  FROM (SELECT * FROM scores WHERE {part}) AS scores
  INNER JOIN measured
    ON measured.series = scores.series AND measured.kind = scores.kind AND measured.instrument = scores.instrument
)
SELECT
  expected.series, expected.session_number, expected.site, expected.programme, alliance.score AS alliance,
  measure.instrument AS outcome_instrument, measure.score AS outcome_first, outcome.score AS outcome
FROM expected
LEFT JOIN scored AS alliance
  ON alliance.kind = 'alliance' AND alliance.series = expected.series AND alliance.session_number = expected.session_number
LEFT JOIN scored AS outcome
  ON outcome.kind = 'outcome' AND outcome.series = expected.series AND outcome.session_number = expected.session_number
LEFT JOIN measured AS measure ON measure.kind = 'outcome' AND measure.series = expected.series
"""


def _rate_bounds(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return bounded_rates(
        warehouse.read_frame(con, _ENDED_CLIENTS),
        warehouse.read_frame(con, ALL_CHANGE),
        warehouse.read_frame(con, ALL_EPISODES),
        registry=service.registry,
        minimum_clients=service.suppression.minimum_clients,
    )


ASSETS: list[dg.AssetsDefinition] = [
    asset(endings.RETENTION, _retention, reads=[marts.EPISODES]),
    asset(endings.LANDMARK, _landmark, reads=[marts.RATINGS, marts.EPISODES]),
    asset(
        endings.AFTER_RUPTURE, _after_rupture, reads=[marts.RATINGS, marts.SESSIONS, marts.EPISODES, analysis.RUPTURES]
    ),
    assets_of(
        [endings.HOLDING_BACK, endings.HOLDING_BACK_CALIBRATION],
        _holding_back,
        reads=[marts.APPOINTMENTS, marts.SESSIONS, marts.RATINGS, marts.CLIENTS, marts.EPISODES],
    ),
    asset(endings.MISSING_FORMS, _missing_forms, reads=[marts.SESSIONS, marts.RATINGS, marts.CLIENTS, marts.EPISODES]),
    asset(
        endings.RATE_BOUNDS,
        _rate_bounds,
        reads=[marts.RATINGS, marts.CLIENTS, marts.EPISODES, analysis.CLIENT_CHANGE],
    ),
]
