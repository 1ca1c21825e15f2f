"""The published groups as Dagster assets: what may be told of each tonight, held against the version readers have.

Belongs here: which rows put whom into which group, and naming what is withheld. Does not belong here: the decision
(`assets.estimates.slices`, `assets.science.disclosure`). Dagster reads annotations at run time, so this module never
postpones them.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.contracts import analysis, marts, slices
from assets.contracts.quality import RUN
from assets.estimates.slices import Night as Against
from assets.estimates.slices import Published, published_slices
from assets.last_version import read_last
from assets.resources import Night
from assets.science.disclosure import DisclosureRule
from assets.service import Service

# Whose case, where, with whom and when: one row for each thing that puts a case into a group.
_THINGS = """
  SELECT 'booked' AS population, booked.case_id, booked.site, episode.programme, booked.clinician_id,
    'all' AS instrument, booked.starts_on AS day
  FROM marts.appointments AS booked LEFT JOIN marts.episodes AS episode ON episode.episode_id = booked.episode_id
  UNION ALL
  SELECT 'first_seen', case_id, site, programme, clinician_id, 'all', first_session_on
  FROM marts.episodes WHERE wait_days >= 0 AND first_session_on IS NOT NULL
  UNION ALL
  SELECT 'rated', rated.case_id, rated.site, episode.programme, rated.clinician_id, rated.instrument, rated.completed_on
  FROM marts.ratings AS rated LEFT JOIN marts.episodes AS episode ON episode.episode_id = rated.episode_id
  WHERE rated.rater = 'client' AND rated.score IS NOT NULL
  UNION ALL
  SELECT 'finished', change.case_id, change.site, change.programme, change.clinician_id, change.instrument, episode.ended_on
  FROM analysis.client_change AS change INNER JOIN marts.episodes AS episode ON episode.episode_id = change.episode_id
  WHERE NOT change.is_open AND change.category <> 'not_evaluable' AND episode.ended_on IS NOT NULL
"""
_SCOPES = {
    "service": ("'all'", "TRUE"),
    "site": ("site", "site IS NOT NULL"),
    "programme": ("programme", "programme IS NOT NULL"),
    "clinician": ("clinician_id", "clinician_id IS NOT NULL AND population IN ('booked', 'finished')"),
}
# Numbers from 0 in the order of the codes: groups are sets of them, and no frame holds a clinic's long codes.
_CASES = f"""
CREATE OR REPLACE TEMP TABLE seen_cases AS
SELECT case_id, CAST(ROW_NUMBER() OVER (ORDER BY case_id) - 1 AS INTEGER) AS case_number
FROM (SELECT DISTINCT case_id FROM ({_THINGS}) AS things) AS named
"""
_CLINICIANS = f"""
CREATE OR REPLACE TEMP TABLE seen_clinicians AS
SELECT clinician_id, CAST(ROW_NUMBER() OVER (ORDER BY clinician_id) - 1 AS INTEGER) AS clinician_number
FROM (SELECT DISTINCT clinician_id FROM ({_THINGS}) AS things WHERE clinician_id IS NOT NULL) AS named
"""
_LATEST = f"""
CREATE OR REPLACE TEMP TABLE latest AS
SELECT population, case_number, site, programme, things.clinician_id, clinician_number, instrument, MAX(day) AS day
FROM ({_THINGS}) AS things
INNER JOIN seen_cases ON seen_cases.case_id = things.case_id
LEFT JOIN seen_clinicians ON seen_clinicians.clinician_id = things.clinician_id
GROUP BY population, case_number, site, programme, things.clinician_id, clinician_number, instrument
"""
_POPULATIONS = "SELECT DISTINCT population FROM latest ORDER BY population"
_OF_SCOPE = """
SELECT population, '{scope}' AS scope, {name} AS scope_name, instrument, case_number AS "case", clinician_number AS clinician,
  MAX(day) AS latest_on
FROM latest WHERE population = '{population}' AND {condition}
GROUP BY population, {name}, instrument, case_number, clinician_number
"""
_MADE_BY = _CASES + _CLINICIANS + _LATEST + _OF_SCOPE + repr(_SCOPES)


def seen(con: duckdb.DuckDBPyConnection) -> tuple[pl.Series, Iterator[pl.DataFrame]]:
    """Who is in which group: the cases in the order of their numbers, and the groups of a population and scope at a time.

    Returns:
        The codes of all cases; frames as `assets.estimates.slices.published_slices` takes them.
    """
    for made in (_CASES, _CLINICIANS, _LATEST):
        con.execute(made)
    cases = warehouse.read_frame(con, "SELECT case_id FROM seen_cases ORDER BY case_number")["case_id"]
    populations = [name for (name,) in con.sql(_POPULATIONS).fetchall()]
    return cases, (
        warehouse.read_frame(con, _OF_SCOPE.format(population=population, scope=scope, name=name, condition=condition))
        for population in populations
        for scope, (name, condition) in _SCOPES.items()
    )


def disclosure_rule(service: Service) -> DisclosureRule:
    """How small is too small, as the service has set it."""
    return DisclosureRule(
        min_clients=service.suppression.minimum_clients,
        min_clinicians=service.suppression.minimum_clinicians,
        zero="suppressed",
        round_to=service.suppression.minimum_difference,
        is_complement_protected=True,
    )


def against(night: Night) -> Against:
    """What the night's groups are held against, from its settings."""
    service = night.service
    return Against(
        data_date=night.as_of,
        months=service.period_months,
        rule=disclosure_rule(service),
        least_change=service.suppression.minimum_difference,
    )


def decide(con: duckdb.DuckDBPyConnection, *, night: Night) -> Published:
    """Tonight's groups, held against those of the version that readers have."""
    home = Path(night.home)
    cases, groups = seen(con)
    return published_slices(
        groups,
        cases=cases,
        night=against(night),
        last=read_last(home, slices.PUBLISHED_SLICES),
        last_members=read_last(home, slices.FIGURE_MEMBERS) if _has_same_codes(con, home) else None,
    )


def _has_same_codes(con: duckdb.DuckDBPyConnection, home: Path) -> bool:
    """Whether the codes of the two versions can be compared at all: under another secret everybody would be new."""
    last = read_last(home, RUN)
    tonight = warehouse.read_frame(con, f"SELECT * FROM {RUN.full_name}")
    return last is not None and all(last[name].equals(tonight[name]) for name in last.columns if name == "secret_check")


@dg.multi_asset(
    name="slices",
    specs=[
        dg.AssetSpec(
            deps=[tables.key(each) for each in (marts.APPOINTMENTS, marts.RATINGS, analysis.CLIENT_CHANGE)],
            **tables.definition(table, code=_MADE_BY),
        )
        for table in slices.TABLES
    ],
)
def published_groups(context: dg.AssetExecutionContext, night: Night) -> Iterator[dg.MaterializeResult[None]]:
    """Decide what is withheld, and name in the log what would give somebody away beside something else."""
    with night.open_build() as con:
        decided = decide(con, night=night)
        frames: dict[str, pl.DataFrame] = {
            slices.PUBLISHED_SLICES.name: decided.slices,
            slices.WITHHELD.name: decided.withheld,
            slices.FIGURE_MEMBERS.name: decided.members,
        }
        for table in slices.TABLES:
            rows = warehouse.create_table_from_frame(con, table, frame=frames[table.name])
            yield tables.made(rows, of=tables.key(table))
    for sentence in decided.withheld.filter(pl.col("reason").is_in(["complement", "subtraction"]))["sentence"]:
        context.log.warning(sentence)


ASSETS = [published_groups]
