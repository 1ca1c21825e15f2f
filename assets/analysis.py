"""The analysis tables as Dagster assets: frames out of the marts, through the estimates, and back into DuckDB.

Belongs here: which rows an estimate is given. Does not belong here: the estimates (`assets.estimates`) and their formulas
(`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.contracts import analysis, field_measures, marts, rates, staging
from assets.contracts.metrics import counting_select, monthly_select
from assets.contracts.model import Table
from assets.contracts.registry import TABLES
from assets.estimates.alliance import clinician_alliance
from assets.estimates.attendance import clinician_attendance
from assets.estimates.change import client_change
from assets.estimates.change_by_method import change_methods, effect_sizes
from assets.estimates.courses import courses
from assets.estimates.drop_out import drop_out, episode_gaps
from assets.estimates.instrument_facts import instrument_facts
from assets.estimates.link import alliance_levels_and_links
from assets.estimates.milestones import milestones
from assets.estimates.monthly import ALLIANCE_MEAN, monthly_measures
from assets.estimates.progress import clinician_progress
from assets.estimates.rates import rates as published_rates
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

_ALL_EPISODES = "SELECT * FROM marts.episodes"
_ALL_CHANGE = "SELECT * FROM analysis.client_change"
# Of two forms of one session the first stands, as in the alliance pairs.
_OUTCOME_BY_SESSION = """
SELECT client_id, episode_id, instrument, session_number, score
FROM (
  SELECT
    client_id, episode_id, instrument, session_number, score,
    ROW_NUMBER() OVER (
      PARTITION BY instrument, client_id, episode_id, session_number ORDER BY completed_on, rating_id
    ) AS place
  FROM marts.ratings
  WHERE kind = 'outcome' AND rater = 'client' AND score IS NOT NULL AND session_number IS NOT NULL
    AND episode_id IS NOT NULL
) AS placed
WHERE place = 1
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


def _instruments(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:  # noqa: ARG001
    return instrument_facts(service.registry)


def _courses(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:  # noqa: ARG001
    return courses(warehouse.read_frame(con, _ALL_EPISODES), warehouse.read_frame(con, _ALL_CHANGE))


def _milestones(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return milestones(
        warehouse.read_frame(con, _OUTCOME_BY_SESSION),
        warehouse.read_frame(con, "SELECT * FROM analysis.ruptures"),
        warehouse.read_frame(con, _ALL_EPISODES),
        registry=service.registry,
    )


def _change_methods(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return change_methods(
        warehouse.read_frame(con, _ALL_CHANGE),
        registry=service.registry,
        standard=service.standards.improved_rate,
        minimum_clients=service.suppression.minimum_clients,
    )


def _effect_sizes(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return effect_sizes(
        warehouse.read_frame(con, _ALL_CHANGE),
        registry=service.registry,
        minimum_clients=service.suppression.minimum_clients,
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
        as_of=_data_date(con),
    )


def _data_date(con: duckdb.DuckDBPyConnection) -> date:
    day: date = con.sql("SELECT data_date FROM quality.run").fetchall()[0][0]
    return day


def _booked(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    """Appointments with `starts_at` in the clinic's own zone, in which its days are counted."""
    booked = warehouse.read_frame(con, "SELECT episode_id, case_id, starts_at, status FROM marts.appointments")
    local = pl.col("starts_at").dt.replace_time_zone("UTC").dt.convert_time_zone(service.clinic.time_zone)
    return booked.with_columns(local.dt.replace_time_zone(None))


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


@dg.multi_asset(
    specs=[
        dg.AssetSpec(
            deps=[tables.key(each) for each in (marts.APPOINTMENTS, marts.EPISODES, analysis.CLIENT_CHANGE)],
            **tables.definition(table, code="endings"),
        )
        for table in (field_measures.DROP_OUT, field_measures.EPISODE_GAPS)
    ]
)
def endings(night: Night) -> Iterator[dg.MaterializeResult[None]]:
    """Both tables come out of the same appointments."""
    with night.open_build() as con:
        episodes, booked = warehouse.read_frame(con, _ALL_EPISODES), _booked(con, night.service)
        made = {
            field_measures.DROP_OUT: drop_out(episodes, booked, warehouse.read_frame(con, _ALL_CHANGE)),
            field_measures.EPISODE_GAPS: episode_gaps(episodes, booked, as_of=_data_date(con)),
        }
        for table, frame in made.items():
            yield tables.made(warehouse.create_table_from_frame(con, table, frame=frame), of=tables.key(table))


def _counted_from(names: Sequence[str]) -> list[Table]:
    """The tables that published rates are counted from, each once."""
    read = [name for each in names for name in rates.metric(each).population.reads]
    return [TABLES[name] for name in dict.fromkeys(read)]


ASSETS: list[dg.AssetsDefinition] = [
    _asset(analysis.CLIENT_CHANGE, _change, reads=[marts.RATINGS, marts.EPISODES]),
    _asset(analysis.CLINICIAN_ALLIANCE, _alliance, reads=[marts.RATINGS, marts.CLINICIANS]),
    _asset(
        analysis.CLINICIAN_ATTENDANCE, _attendance, reads=[marts.CLINICIAN_MONTHS, marts.APPOINTMENTS, marts.CLINICIANS]
    ),
    _asset(analysis.CLINICIAN_PROGRESS, _progress, reads=[analysis.CLIENT_CHANGE]),
    _asset(analysis.RUPTURES, _ruptures, reads=[marts.RATINGS]),
    link,
    endings,
    # It reads the registry alone, but stands beside the scores that were made by it.
    _asset(field_measures.INSTRUMENTS, _instruments, reads=[staging.SCORES]),
    _asset(field_measures.COURSES, _courses, reads=[marts.EPISODES, analysis.CLIENT_CHANGE]),
    _asset(field_measures.MILESTONES_REACHED, _milestones, reads=[marts.RATINGS, marts.EPISODES, analysis.RUPTURES]),
    _asset(field_measures.CHANGE_METHODS, _change_methods, reads=[analysis.CLIENT_CHANGE]),
    _asset(field_measures.EFFECT_SIZES, _effect_sizes, reads=[analysis.CLIENT_CHANGE]),
    _asset(field_measures.RATES, _rates, reads=_counted_from([each.id for each in rates.METRICS])),
    _asset(field_measures.MONTHLY, _monthly, reads=[marts.RATINGS, *_counted_from(rates.WATCHED_RATES)]),
]
