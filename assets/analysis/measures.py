"""The field's own measures as Dagster assets: change and its methods, milestones, endings, rates, months.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Mapping, Sequence

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.series import keep, number_episodes, number_scores, number_series, parts, parts_of
from assets.analysis.wiring import ALL_CHANGE, ALL_EPISODES, asset, assets_of, data_date
from assets.contracts import analysis, field_measures, marts, own_figures, rates, staging
from assets.contracts.metrics import counting_select, monthly_select
from assets.contracts.model import Table
from assets.contracts.registry import TABLES
from assets.estimates.change import client_change
from assets.estimates.change_by_method import change_methods, effect_sizes
from assets.estimates.courses import courses
from assets.estimates.drop_out import drop_out, episode_gaps
from assets.estimates.instrument_facts import instrument_facts
from assets.estimates.milestones import milestones
from assets.estimates.monthly import ALLIANCE_MEAN, monthly_measures
from assets.estimates.own_figures import own_figures as services_own_figures
from assets.estimates.rates import rates as published_rates
from assets.estimates.standardised import improvement_ratios
from assets.service import Service

_OUTCOME_FORMS = """
CREATE OR REPLACE TEMP TABLE outcome_forms AS
SELECT series.series, series.episode AS episode_id, rating.instrument, rating.rating_id, rating.completed_on, rating.score
FROM marts.ratings AS rating
INNER JOIN series ON series.client_id = rating.client_id AND series.episode_id = rating.episode_id
WHERE rating.kind = 'outcome' AND rating.rater = 'client'
"""
_COURSES = """
SELECT DISTINCT
  series.episode AS episode_id, episode.case_id, episode.clinician_id, episode.site, episode.programme, episode.is_open,
  episode.started_on, episode.ended_on
FROM (SELECT * FROM series WHERE {part}) AS series
INNER JOIN marts.episodes AS episode ON episode.episode_id = series.episode_id
"""
_CHANGED = """
SELECT series.client_id, series.episode_id, changed.* EXCLUDE (client_id, episode_id)
FROM changed INNER JOIN series ON series.series = changed.client_id
ORDER BY changed.instrument, changed.client_id
"""
_OUTCOME_BY_SESSION = """
SELECT series.series AS client_id, series.episode AS episode_id, scores.instrument, scores.session_number, scores.score
FROM (SELECT * FROM scores WHERE {part}) AS scores INNER JOIN series ON series.series = scores.series
"""
_RUPTURES = """
SELECT
  series.series AS client_id, series.episode AS episode_id, rupture.instrument, rupture.state, rupture.repaired_session_number
FROM analysis.ruptures AS rupture
INNER JOIN (SELECT * FROM series WHERE {part}) AS series
  ON series.client_id = rupture.client_id AND series.episode_id = rupture.episode_id
"""
_REACHED = """
SELECT series.client_id, series.episode_id, reached.* EXCLUDE (client_id, episode_id)
FROM reached INNER JOIN series ON series.series = reached.client_id
ORDER BY reached.client_id, reached.instrument, reached.milestone, reached.session_number
"""
_NUMBERED_APPOINTMENTS = """
CREATE OR REPLACE TEMP TABLE numbered_appointments AS
SELECT numbered.number, booked.episode_id, booked.case_id, booked.starts_at, booked.status
FROM marts.appointments AS booked
INNER JOIN numbered_episodes AS numbered ON numbered.episode_id = booked.episode_id
ORDER BY numbered.number, booked.starts_at, booked.appointment_id
"""
_EPISODES_OF_PART = """
SELECT episode.* FROM (SELECT * FROM numbered_episodes WHERE {part}) AS numbered
INNER JOIN marts.episodes AS episode ON episode.episode_id = numbered.episode_id
"""
_APPOINTMENTS_OF_PART = "SELECT episode_id, case_id, starts_at, status FROM numbered_appointments WHERE {part}"
_CHANGE_OF_PART = """
SELECT change.episode_id, change.category, change.is_reliably_improved
FROM (SELECT * FROM numbered_episodes WHERE {part}) AS numbered
INNER JOIN analysis.client_change AS change ON change.episode_id = numbered.episode_id
"""
# Of each client the first scored form of each measure, with its answers as they were sent.
_FIRST_FORMS = """
WITH sent AS (
  SELECT instrument, rating_id, items FROM staging.alliance
  UNION ALL
  SELECT instrument, rating_id, items FROM staging.outcomes
),
placed AS (
  SELECT
    instrument, client_id, rating_id, score,
    ROW_NUMBER() OVER (PARTITION BY instrument, client_id ORDER BY completed_on, rating_id) AS place
  FROM marts.ratings
  WHERE rater = 'client' AND score IS NOT NULL
)
SELECT placed.instrument, placed.client_id, placed.score, sent.items
FROM placed
INNER JOIN sent ON sent.instrument = placed.instrument AND sent.rating_id = placed.rating_id
WHERE placed.place = 1
ORDER BY placed.instrument, placed.client_id
"""
# Rounded, since a sum of fractions depends on the order in which threads add them.
_ALLIANCE_BY_MONTH = f"""
SELECT
  '{ALLIANCE_MEAN}' AS measure, rating.site, episode.programme, rating.instrument,
  CAST(DATE_TRUNC('month', rating.completed_on) AS DATE) AS month, ROUND(SUM(rating.score), 6) AS total, COUNT(*) AS counted
FROM marts.ratings AS rating
LEFT JOIN marts.episodes AS episode ON episode.episode_id = rating.episode_id
WHERE rating.kind = 'alliance' AND rating.rater = 'client' AND rating.score IS NOT NULL
GROUP BY rating.site, episode.programme, rating.instrument, CAST(DATE_TRUNC('month', rating.completed_on) AS DATE)
"""


def _change(con: duckdb.DuckDBPyConnection, service: Service) -> str:
    """Courses are compared a part of the clients at a time."""
    number_series(con)
    con.execute(_OUTCOME_FORMS)
    for number, part in enumerate(parts(con)):
        read = (f"SELECT * FROM outcome_forms WHERE {part}", _COURSES.format(part=part))
        forms, courses_of_part = (warehouse.read_frame(con, query) for query in read)
        changed = client_change(forms.rename({"series": "client_id"}), courses_of_part, registry=service.registry)
        keep(con, "changed", changed, is_first=number == 0)
    return _CHANGED


def _instruments(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:  # noqa: ARG001
    return instrument_facts(service.registry)


def _own_figures(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return services_own_figures(
        warehouse.read_frame(con, _FIRST_FORMS),
        registry=service.registry,
        minimum_clients=service.suppression.minimum_clients,
    )


def _courses(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:  # noqa: ARG001
    return courses(warehouse.read_frame(con, ALL_EPISODES), warehouse.read_frame(con, ALL_CHANGE))


def _milestones(con: duckdb.DuckDBPyConnection, service: Service) -> str:
    """Courses are followed a part of the clients at a time."""
    number_series(con)
    number_scores(con, "outcome")
    for number, part in enumerate(parts(con)):
        read = (_OUTCOME_BY_SESSION, _RUPTURES, _COURSES)
        reached = milestones(
            *(warehouse.read_frame(con, query.format(part=part)) for query in read), registry=service.registry
        )
        keep(con, "reached", reached, is_first=number == 0)
    return _REACHED


def _change_methods(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return change_methods(
        warehouse.read_frame(con, ALL_CHANGE),
        registry=service.registry,
        standard=service.standards.improved_rate,
        minimum_clients=service.suppression.minimum_clients,
    )


def _effect_sizes(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return effect_sizes(
        warehouse.read_frame(con, ALL_CHANGE),
        registry=service.registry,
        minimum_clients=service.suppression.minimum_clients,
    )


def _improvement_ratios(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return improvement_ratios(
        warehouse.read_frame(con, ALL_CHANGE),
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=service.suppression.minimum_clinicians,
    )


def _rates(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    counts = [warehouse.read_frame(con, counting_select(rates.of_population(each))) for each in rates.POPULATIONS]
    return published_rates(pl.concat(counts), minimum_clients=service.suppression.minimum_clients)


def _monthly(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    watched = [monthly_select(rates.metric(name)) for name in rates.WATCHED_RATES]
    standards = service.standards
    return monthly_measures(
        pl.concat([warehouse.read_frame(con, select) for select in (_ALLIANCE_BY_MONTH, *watched)]),
        registry=service.registry,
        standards={
            "did_not_attend": standards.did_not_attend_rate,
            "alliance_recorded": standards.alliance_recorded,
            "outcome_recorded": standards.outcome_recorded,
            "improved": standards.improved_rate,
        },
        fewest=service.suppression.minimum_sessions,
        as_of=data_date(con),
    )


def _endings(con: duckdb.DuckDBPyConnection, service: Service) -> Mapping[str, str]:
    """Both tables come out of the same appointments, a part of the episodes at a time."""
    number_episodes(con)
    con.execute(_NUMBERED_APPOINTMENTS)
    as_of = data_date(con)
    for number, part in enumerate(parts_of(con, table="numbered_episodes", number="number")):
        episodes, appointments, change = (
            warehouse.read_frame(con, query.format(part=part))
            for query in (_EPISODES_OF_PART, _APPOINTMENTS_OF_PART, _CHANGE_OF_PART)
        )
        # Days are counted in the clinic's own zone.
        local = pl.col("starts_at").dt.replace_time_zone("UTC").dt.convert_time_zone(service.clinic.time_zone)
        booked = appointments.with_columns(local.dt.replace_time_zone(None))
        keep(con, "dropped", drop_out(episodes, booked, change), is_first=number == 0)
        keep(con, "gaps", episode_gaps(episodes, booked, as_of=as_of), is_first=number == 0)
    return {
        field_measures.DROP_OUT.name: "SELECT * FROM dropped",
        field_measures.EPISODE_GAPS.name: "SELECT * FROM gaps",
    }


def _counted_from(names: Sequence[str]) -> list[Table]:
    """The tables that published rates are counted from, each once."""
    read = [name for each in names for name in rates.metric(each).population.reads]
    return [TABLES[name] for name in dict.fromkeys(read)]


ASSETS: list[dg.AssetsDefinition] = [
    asset(analysis.CLIENT_CHANGE, _change, reads=[marts.RATINGS, marts.EPISODES]),
    assets_of(
        [field_measures.DROP_OUT, field_measures.EPISODE_GAPS],
        _endings,
        reads=[marts.APPOINTMENTS, marts.EPISODES, analysis.CLIENT_CHANGE],
    ),
    # It reads the registry alone, but stands beside the scores that were made by it.
    asset(field_measures.INSTRUMENTS, _instruments, reads=[staging.SCORES]),
    asset(own_figures.OWN_FIGURES, _own_figures, reads=[marts.RATINGS, staging.ALLIANCE.table, staging.OUTCOMES.table]),
    asset(field_measures.COURSES, _courses, reads=[marts.EPISODES, analysis.CLIENT_CHANGE]),
    asset(field_measures.MILESTONES_REACHED, _milestones, reads=[marts.RATINGS, marts.EPISODES, analysis.RUPTURES]),
    asset(field_measures.CHANGE_METHODS, _change_methods, reads=[analysis.CLIENT_CHANGE]),
    asset(field_measures.EFFECT_SIZES, _effect_sizes, reads=[analysis.CLIENT_CHANGE]),
    asset(field_measures.IMPROVEMENT_RATIOS, _improvement_ratios, reads=[analysis.CLIENT_CHANGE]),
    asset(field_measures.RATES, _rates, reads=_counted_from([each.id for each in rates.METRICS])),
    asset(field_measures.MONTHLY, _monthly, reads=[marts.RATINGS, *_counted_from(rates.WATCHED_RATES)]),
]
