"""The field's own measures of made-up tables, made by the code that makes a night's, so that pages meet true shapes.

Belongs here: which made-up rows each estimate is given. Does not belong here: making rows up.
"""

import duckdb
import polars as pl

from assets.contracts import rates
from assets.contracts.metrics import counting_select, monthly_select
from assets.estimates.change_by_method import change_methods, effect_sizes
from assets.estimates.courses import courses
from assets.estimates.drop_out import drop_out
from assets.estimates.instrument_facts import instrument_facts
from assets.estimates.milestones import milestones
from assets.estimates.monthly import ALLIANCE_MEAN, monthly_measures
from assets.estimates.rates import rates as published_rates
from assets.estimates.slices import Night, published_slices
from assets.science.disclosure import DisclosureRule
from assets.science.instruments.registry import REGISTRY
from assets.slices import seen

STANDARDS = {"did_not_attend": 0.12, "alliance_recorded": 0.85, "outcome_recorded": 0.9, "improved": 0.35}
ALLIANCE_BY_MONTH = f"""
SELECT
  '{ALLIANCE_MEAN}' AS measure, rating.site, episode.programme, rating.instrument,
  CAST(DATE_TRUNC('month', rating.completed_on) AS DATE) AS month, SUM(rating.score) AS total, COUNT(*) AS counted
FROM marts.ratings AS rating
LEFT JOIN marts.episodes AS episode ON episode.episode_id = rating.episode_id
WHERE rating.kind = 'alliance' AND rating.score IS NOT NULL
GROUP BY ALL
"""


def with_measures(frames: dict[str, pl.DataFrame], *, minimum_clients: int, minimum_sessions: int) -> None:
    """Fill the tables of courses, endings, rates, months, methods and milestones from the others."""
    as_of = frames["quality.run"]["data_date"][0]
    episodes, change = frames["marts.episodes"], frames["analysis.client_change"]
    made = {
        "analysis.instruments": instrument_facts(REGISTRY),
        "analysis.courses": courses(episodes, change),
        "analysis.drop_out": drop_out(episodes, frames["marts.appointments"], change),
        "analysis.change_methods": change_methods(
            change, registry=REGISTRY, standard=STANDARDS["improved"], minimum_clients=minimum_clients
        ),
        "analysis.effect_sizes": effect_sizes(change, registry=REGISTRY, minimum_clients=minimum_clients),
        "analysis.milestones": milestones(
            frames["marts.ratings"].filter(pl.col("kind") == "outcome"),
            frames["analysis.ruptures"],
            episodes,
            registry=REGISTRY,
        ),
    }
    frames |= {name: _shaped(frame, frames[name]) for name, frame in made.items()}
    con = duckdb.connect()
    for name in {each for population in rates.POPULATIONS for each in population.reads} | {
        "quality.run",
        "marts.ratings",
        "analysis.client_change",
    }:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {name.split('.')[0]}")
        con.register("given", frames[name])
        con.execute(f"CREATE TABLE {name} AS FROM given")
        con.unregister("given")
    counts = pl.concat([con.sql(counting_select(rates.of_population(each))).pl() for each in rates.POPULATIONS])
    by_month = [con.sql(monthly_select(rates.metric(name))).pl() for name in rates.WATCHED_RATES]
    frames["analysis.rates"] = _shaped(
        published_rates(counts, minimum_clients=minimum_clients), frames["analysis.rates"]
    )
    frames["analysis.monthly_measures"] = _shaped(
        monthly_measures(
            pl.concat([con.sql(ALLIANCE_BY_MONTH).pl(), *by_month]),
            registry=REGISTRY,
            standards=STANDARDS,
            fewest=minimum_sessions,
            as_of=as_of,
        ),
        frames["analysis.monthly_measures"],
    )
    cases, groups = seen(con)
    decided = published_slices(
        groups,
        cases=cases,
        night=Night(
            data_date=as_of,
            months=frames["quality.run"]["period_months"][0],
            rule=DisclosureRule(
                min_clients=minimum_clients,
                min_clinicians=2,
                zero="suppressed",
                round_to=5,
                is_complement_protected=True,
            ),
            least_change=5,
        ),
        last=None,
        last_members=None,
    )
    for name, frame in (("quality.published_slices", decided.slices), ("quality.withheld", decided.withheld)):
        frames[name] = _shaped(frame, frames[name])
    con.close()


def _shaped(made: pl.DataFrame, promised: pl.DataFrame) -> pl.DataFrame:
    return made.select(pl.col(name).cast(kind) for name, kind in promised.schema.items())
