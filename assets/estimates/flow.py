"""Whether the flow of data is as it usually is: volume, refusals, completeness and scores against their own history.

Belongs here: which points make a series, and what is said of its newest one; how fresh each layer is. Does not belong here:
limits and rules (`assets.science.control_charts`). Every night is built from all files, so the history is in the data.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

import polars as pl

from assets.contracts.watch import FLOW, FRESHNESS
from assets.science.control_charts import ChartRules, classify

_SERIES: Final = ["feed", "site", "measure", "instrument"]
# Two years and the newest point, which is judged by the years before it and not by itself.
_POINTS_BEFORE: Final = 24
_FIRM: Final = 12
# Where nearly all rows are alike the limits lie so close that one row leaves them: a share this near the usual is usual.
_SMALLEST_SHARE: Final = 0.02
_SHARES: Final = ("refused", "with_alliance", "with_outcome", "scored")
_FEEDS: Final = {
    "attendance": "Attendance",
    "alliance": "Alliance forms",
    "outcomes": "Outcome forms",
    "episodes": "Episodes",
    "people": "People",
    "clinicians": "Clinicians",
}
_WHAT: Final = {
    "volume": "rows",
    "refused": "of lines refused",
    "with_alliance": "of sessions with an alliance score",
    "with_outcome": "of sessions with an outcome score",
    "scored": "of forms with a score",
    "mean_score": "points on average",
    "spread": "points of spread",
}


def flow(months: pl.DataFrame, files: pl.DataFrame, *, as_of: date, fewest: int) -> pl.DataFrame:
    """`quality.flow`.

    Args:
        months: `feed`, `site`, `measure`, `instrument`, `month` (its first day), `counted`, `value`.
        files: `feed`, `site`, `file_number`, `file`, `lines`, `refused`.
        as_of: the data date; a month that is not over by then is not told.
        fewest: a value that rests on fewer rows is empty; a volume never is.
    """
    by_month = _whole_months(months, as_of=as_of)
    by_file = files.filter(pl.col("lines") > 0).select(
        "feed",
        "site",
        measure=pl.lit("refused"),
        instrument=pl.lit("all"),
        place=pl.col("file_number"),
        point=pl.col("file"),
        counted=pl.col("lines"),
        value=pl.col("refused") / pl.col("lines"),
    )
    is_enough = (pl.col("counted") >= fewest) | (pl.col("measure") == "volume")
    points = pl.concat([by_month, by_file]).with_columns(value=pl.when(is_enough).then(pl.col("value")))
    recent = points.sort(*_SERIES, "place").filter(
        pl.int_range(pl.len()).over(_SERIES) + _POINTS_BEFORE + 1 >= pl.len().over(_SERIES)
    )
    judged = [
        classify(part, by=_SERIES, order="place", value="value", rebase=None, rules=_rules(str(measure)))
        for (measure,), part in recent.partition_by("measure", as_dict=True, maintain_order=True).items()
    ]
    if not judged:
        return pl.DataFrame(schema=_schema())
    told = pl.concat(judged).with_columns(is_latest=pl.col("place") == pl.col("place").max().over(_SERIES))
    is_near = pl.col("measure").is_in(_SHARES) & ((pl.col("value") - pl.col("centre")).abs() < _SMALLEST_SHARE)
    told = told.with_columns(pl.when(~is_near.fill_null(value=False)).then(pl.col("rule", "direction")))
    is_outside = (pl.col("rule") == "outside_limits").fill_null(value=False)
    told = told.with_columns(is_unusual=pl.col("is_latest") & is_outside & ~pl.col("is_trial").fill_null(value=True))
    told = told.with_columns(pl.col("value", "centre", "lower_limit", "upper_limit").round(6))
    sentences = pl.Series([_flow_sentence(row) for row in told.iter_rows(named=True)], dtype=pl.String)
    return told.with_columns(sentence=sentences).select(*_schema()).sort(*_SERIES, "place")


def freshness(newest: pl.DataFrame, *, as_of: date, promised: Mapping[str, int]) -> pl.DataFrame:
    """`quality.freshness`.

    Args:
        newest: `table_layer`, `subject`, `site`, `newest_on`.
        as_of: the data date.
        promised: the oldest that each subject may be, in days.
    """
    aged = newest.with_columns(
        age_days=(pl.lit(as_of) - pl.col("newest_on")).dt.total_days().clip(lower_bound=0),
        promised_days=pl.col("subject").replace_strict(dict(promised), return_dtype=pl.Int64),
    ).with_columns(is_kept=(pl.col("age_days") <= pl.col("promised_days")).fill_null(value=False))
    sentences = pl.Series([_freshness_sentence(row) for row in aged.iter_rows(named=True)], dtype=pl.String)
    names = [column.name for column in FRESHNESS.columns]
    return aged.with_columns(sentence=sentences).select(names).sort("table_layer", "subject", "site")


def _whole_months(months: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Every series with a row for each month from its first to the last whole one; a volume without rows is 0."""
    last = (as_of + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    whole = months.filter(pl.col("month").dt.month_end() <= as_of)
    every = (
        whole.group_by(_SERIES)
        .agg(pl.col("month").min())
        .with_columns(month=pl.date_ranges("month", pl.lit(last), interval="1mo"))
        .explode("month")
    )
    return (
        every.join(whole, on=[*_SERIES, "month"], how="left")
        .with_columns(pl.col("counted").fill_null(0))
        .with_columns(value=pl.when(pl.col("measure") == "volume").then(pl.col("counted")).otherwise(pl.col("value")))
        .select(
            *_SERIES,
            place=pl.col("month").dt.year().cast(pl.Int64) * 12 + pl.col("month").dt.month().cast(pl.Int64) - 1,
            point=pl.col("month").dt.strftime("%Y-%m"),
            counted=pl.col("counted").cast(pl.Int64),
            value=pl.col("value").cast(pl.Float64),
        )
    )


def _rules(measure: str) -> ChartRules:
    is_share = measure in _SHARES
    return ChartRules(
        improvement="neutral",
        screens_moving_ranges=True,
        baseline_points=_POINTS_BEFORE,
        firm_from_points=_FIRM,
        floor=None if measure == "mean_score" else 0.0,
        ceiling=1.0 if is_share else None,
    )


def _flow_sentence(row: Mapping[str, object]) -> str:
    measure, value = str(row["measure"]), row["value"]
    of = "" if row["instrument"] == "all" else f" ({row['instrument']})"
    where = "" if row["site"] == "all" else f", {row['site']}"
    begins = f"{_FEEDS[str(row['feed'])]}{of}{where}, {row['point']}: "
    if value is None:
        return f"{begins}too few to say"
    said = f"{begins}{_number(measure, value)} {_WHAT[measure]}"
    if row["lower_limit"] is None or row["upper_limit"] is None:
        return f"{said}; too little history to say what is usual"
    usual = f"the usual {_number(measure, row['lower_limit'])} to {_number(measure, row['upper_limit'])}"
    if row["rule"] == "outside_limits":
        return f"{said}, {'above' if row['direction'] == 'up' else 'below'} {usual}"
    return f"{said}, within {usual}"


def _number(measure: str, value: object) -> str:
    if not isinstance(value, int | float):
        raise TypeError("a point's value is a number")
    if measure in _SHARES:
        return f"{value * 100:.1f}%"
    return f"{value:,.0f}" if measure == "volume" else f"{value:.2f}"


def _freshness_sentence(row: Mapping[str, object]) -> str:
    where = "" if row["site"] == "all" else f" of {row['site']}"
    begins = f"The newest {row['subject']}{where} in {row['table_layer']}"
    if row["newest_on"] is None:
        return f"{begins}: there is none"
    days = "day" if row["age_days"] == 1 else "days"
    promise = f"{row['promised_days']} {'is' if row['promised_days'] == 1 else 'are'} promised"
    return f"{begins} is {row['age_days']} {days} old; {promise}" + ("" if row["is_kept"] else ", so it is late")


def _schema() -> dict[str, type[pl.DataType]]:
    types = {"BIGINT": pl.Int64, "DOUBLE": pl.Float64, "BOOLEAN": pl.Boolean}
    return {column.name: types.get(column.duckdb_type, pl.String) for column in FLOW.columns}
