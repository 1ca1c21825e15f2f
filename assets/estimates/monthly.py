"""Watched measures month by month, each month classified once for every chart, table, sentence and download.

Belongs here: which months make a series, and each measure's chart rules. Does not belong here: limits and rules
(`assets.science.control_charts`), what a rate counts (`assets.contracts.rates`) or drawing.
"""

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from assets.contracts.rates import metric
from assets.estimates.scopes import scopes_of
from assets.science.control_charts import ChartRules, Improvement, assurance, classify
from assets.science.instruments.registry import Registry

ALLIANCE_MEAN = "alliance_mean"
# Limits from the first year, so that a later shift does not widen its own limits.
_BASELINE_MONTHS = 12
_SERIES = ["measure", "scope", "scope_name", "instrument"]
_WAYS: dict[str, Improvement] = {"higher": "up", "lower": "down", "neither": "neutral"}
_COUNTS = {
    "measure": pl.String,
    "scope": pl.String,
    "scope_name": pl.String,
    "instrument": pl.String,
    "month": pl.Date,
    "total": pl.Float64,
    "counted": pl.Int64,
}


def chart_rules(measure: str, *, instrument: str, registry: Registry) -> ChartRules:
    """The choices behind one measure's charts.

    Args:
        measure: `alliance_mean`, or the id of a published rate.
        instrument: the measure's instrument, which bounds a mean of its scores.
        registry: the service's instruments.
    """
    if measure == ALLIANCE_MEAN:
        span = registry[instrument].score_range
        improvement, floor, ceiling = _WAYS["higher"], float(span.low), float(span.high)
    else:
        improvement, floor, ceiling = _WAYS[metric(measure).better], 0.0, 1.0
    return ChartRules(
        improvement=improvement,
        screens_moving_ranges=True,
        baseline_points=_BASELINE_MONTHS,
        firm_from_points=_BASELINE_MONTHS,
        floor=floor,
        ceiling=ceiling,
    )


def monthly_measures(
    counts: pl.DataFrame,
    *,
    registry: Registry,
    standards: Mapping[str, float | None],
    fewest: int,
    as_of: date,
) -> pl.DataFrame:
    """`analysis.monthly_measures`.

    Args:
        counts: `measure`, `site`, `programme`, `instrument`, `month`, `total` (a sum of scores, or things counted) and
            `counted` (what it is out of).
        registry: the service's instruments.
        standards: what the service wants to reach, by measure.
        fewest: months that rest on fewer have no value.
        as_of: the data date; a month that it lies in before its last day is not told.
    """
    whole = counts.filter(pl.col("month").dt.month_end() <= as_of)
    parts = [
        _classified(series, registry=registry, target=standards.get(measure))
        for (measure, _), series in sorted(
            _by_scope(whole, fewest=fewest, as_of=as_of)
            .partition_by("measure", "instrument", as_dict=True, maintain_order=True)
            .items()
        )
    ]
    return pl.concat(parts).sort(*_SERIES, "month") if parts else _NOTHING


def _by_scope(counts: pl.DataFrame, *, fewest: int, as_of: date) -> pl.DataFrame:
    """Every series with a row for each month from its first to the last whole one, valued where there are enough."""
    summed = [pl.DataFrame(schema=_COUNTS)]
    for scope, name, rows in scopes_of(counts):
        by_month = rows.group_by("measure", "instrument", "month").agg(pl.col("total", "counted").sum())
        summed.append(
            by_month.select(pl.lit(scope).alias("scope"), pl.lit(name).alias("scope_name"), pl.all()).select(*_COUNTS)
        )
    series = pl.concat(summed)
    last = (as_of + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    months = (
        series.group_by(_SERIES)
        .agg(pl.col("month").min())
        .with_columns(month=pl.date_ranges("month", pl.lit(last), interval="1mo"))
        .explode("month")
    )
    return (
        months.join(series, on=[*_SERIES, "month"], how="left")
        .with_columns(pl.col("counted").fill_null(0))
        .with_columns(value=pl.when(pl.col("counted") >= fewest).then((pl.col("total") / pl.col("counted")).round(9)))
        .sort(*_SERIES, "month")
    )


def _classified(series: pl.DataFrame, *, registry: Registry, target: float | None) -> pl.DataFrame:
    measure, instrument = series["measure"][0], series["instrument"][0]
    rules = chart_rules(measure, instrument=instrument, registry=registry)
    goal = pl.lit(target, dtype=pl.Float64)
    judged = classify(series, by=_SERIES, order="month", value="value", rebase=None, rules=rules)
    return judged.select(
        *_SERIES,
        "month",
        "counted",
        "value",
        pl.col("phase").fill_null(0).cast(pl.Int64),
        pl.col("centre", "lower_limit", "upper_limit").round(9),
        "is_trial",
        "rule",
        "direction",
        "point_class",
        target=goal,
        assurance=assurance(goal, rules=rules),
    )


_NOTHING = pl.DataFrame(
    schema={
        **dict.fromkeys(_SERIES, pl.String),
        "month": pl.Date,
        "counted": pl.Int64,
        "value": pl.Float64,
        "phase": pl.Int64,
        "centre": pl.Float64,
        "lower_limit": pl.Float64,
        "upper_limit": pl.Float64,
        "is_trial": pl.Boolean,
        "rule": pl.String,
        "direction": pl.String,
        "point_class": pl.String,
        "target": pl.Float64,
        "assurance": pl.String,
    }
)
