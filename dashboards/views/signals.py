"""Figures month by month, and the one verdict on each series that mark, table, sentence and download all use.

Belongs here: reading the control chart's classes as how sure: those of `analysis.monthly_measures` for the service, its
sites and programmes, and those of one clinician's months, which pages alone show.
Does not belong here: the control chart's rules (`assets.science.control_charts`).
"""

import math
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import polars as pl
from scipy import stats

from assets.science.control_charts import ChartRules, classify, summarise
from dashboards.thresholds import AUTOCORRELATION, BASELINE_MONTHS, FEWEST_MONTHS, MONTHS_SHOWN, RECENT_MONTHS

_TONES = {"improvement": "better", "concern": "worse"}


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One series and its verdict.

    Attributes:
        months, values, counts: A month's figure, None where withheld or missing, and what it rests on.
        tones: `better`, `worse` or `ordinary` a month.
        rules: The rule that fired a month, or None.
        rule: The rule behind the signal now, or None.
        chance: How probable the latest half year's distance from the usual level would be if nothing had changed; None
            where that can't be said.
        centre, lower, upper: Usual level and range; None where there are too few months.
        certainty: `clear`, `likely`, `cannot_tell` or `too_few`.
        direction: `up` or `down` where there is a signal now.
        tone: Of the signal now; ordinary where the difference is small.
        since: The first month of the run that the latest month belongs to.
        is_small: Whether the signal is smaller than what matters.
        ended: The latest month that carried a sign, where the latest month of all carries none.
        assurance: Whether a standard would be met if nothing changed.
        latest: The latest month's figure, or None, and `latest_month`.
        standard: What the service aims for, or None.
    """

    months: tuple[date, ...]
    values: tuple[float | None, ...]
    counts: tuple[int, ...]
    tones: tuple[str, ...]
    rules: tuple[str | None, ...]
    rule: str | None
    chance: float | None
    centre: float | None
    lower: float | None
    upper: float | None
    certainty: str
    direction: str | None
    tone: str
    since: date | None
    is_small: bool
    ended: date | None
    assurance: str | None
    latest: float | None
    latest_month: date | None
    standard: float | None


def whole_months(data_date: date) -> tuple[date, ...]:
    """The latest whole months, ascending: a month that is not over would be read as a fall."""
    ends = pl.Series([data_date]).dt.month_end().item() == data_date
    last = data_date.replace(day=1) if ends else _before(data_date.replace(day=1), 1)
    return tuple(_before(last, back) for back in range(MONTHS_SHOWN - 1, -1, -1))


def signals(
    cells: pl.DataFrame,
    *,
    data_date: date,
    minimum: int,
    improvement: Literal["up", "down", "neutral"],
    floor: float | None,
    ceiling: float | None,
    smallest: float,
    standard: float | None,
) -> dict[str, Signal]:
    """The verdict on every series.

    Args:
        cells: `series`, `month`, `value` and `count`, one row a series and month.
        data_date: The last day of the data.
        minimum: Months resting on fewer are withheld.
        improvement: Which way is better.
        floor: What values cannot fall below, or None.
        ceiling: What values cannot rise above, or None.
        smallest: A difference from the usual level smaller than this is small.
        standard: What the service aims for, or None.
    """
    months = whole_months(data_date)
    names = cells["series"].drop_nulls().unique().sort()
    if names.is_empty():
        return {}
    grid = pl.DataFrame({"series": names}).join(pl.DataFrame({"month": pl.Series(months, dtype=pl.Date)}), how="cross")
    points = grid.join(cells, on=["series", "month"], how="left").with_columns(
        pl.col("count").fill_null(0),
        value=pl.when(pl.col("count") >= minimum).then(pl.col("value").cast(pl.Float64)),
        standard=pl.lit(standard, dtype=pl.Float64),
    )
    rules = ChartRules(
        improvement=improvement,
        screens_moving_ranges=True,
        baseline_points=BASELINE_MONTHS,
        firm_from_points=BASELINE_MONTHS,
        floor=floor,
        ceiling=ceiling,
    )
    classified = classify(points, by=["series"], order="month", value="value", rebase=None, rules=rules)
    summary = {
        row["series"]: row
        for row in summarise(classified, by=["series"], order="month", target="standard", rules=rules).iter_rows(
            named=True
        )
    }
    return {
        str(key[0]): _signal(
            part.sort("month").to_dicts(),
            assurance=summary.get(str(key[0]), {}).get("assurance"),
            smallest=smallest,
            standard=standard,
        )
        for key, part in classified.partition_by("series", as_dict=True).items()
    }


def of_months(rows: pl.DataFrame, *, data_date: date, minimum: int, smallest: float) -> Signal:
    """The verdict on one series that the night has classified already.

    Args:
        rows: One series of `analysis.monthly_measures`, at least one row.
        data_date: The last day of the data; the latest two years of whole months are shown.
        minimum: Months resting on fewer are withheld.
        smallest: A difference from the usual level smaller than this is small.
    """
    months = pl.DataFrame({"month": pl.Series(whole_months(data_date), dtype=pl.Date)})
    shown = months.join(rows.rename({"counted": "count"}), on="month", how="left").with_columns(
        pl.col("count").fill_null(0), pl.col("point_class").fill_null("no_value")
    )
    is_enough = pl.col("count") >= minimum
    shown = shown.with_columns(
        pl.when(is_enough).then(pl.col("value", "rule", "direction")),
        point_class=pl.when(is_enough).then("point_class").otherwise(pl.lit("no_value")),
    )
    last = rows.sort("month").row(-1, named=True)
    return _signal(
        shown.sort("month").to_dicts(), assurance=last["assurance"], smallest=smallest, standard=last["target"]
    )


def _signal(rows: list[dict[str, Any]], *, assurance: str | None, smallest: float, standard: float | None) -> Signal:
    present = [row for row in rows if row["value"] is not None]
    last = present[-1] if present else None
    is_enough = last is not None and len(present) >= FEWEST_MONTHS and last["centre"] is not None
    is_enough = is_enough and last["point_class"] != "no_limits"
    # A series that stopped says nothing of now.
    is_enough = is_enough and any(row["value"] is not None for row in rows[-3:])
    run = _latest_run(present)
    certainty, direction, tone, is_small = "too_few", None, "ordinary", False
    if is_enough:
        certainty = "cannot_tell"
        if last["rule"] is not None:
            # A run alone flags one clinician in ten where nothing changed; two months outside the limits, one in 50.
            outside = sum(row["rule"] == "outside_limits" for row in run)
            certainty = "clear" if outside >= 2 and not last["is_trial"] else "likely"
            direction = last["direction"]
            level = sum(row["value"] for row in run) / len(run)
            is_small = abs(level - last["centre"]) < smallest
            tone = "ordinary" if is_small else _TONES.get(last["point_class"], "ordinary")
    return Signal(
        months=tuple(row["month"] for row in rows),
        values=tuple(row["value"] for row in rows),
        counts=tuple(row["count"] for row in rows),
        tones=tuple(
            _TONES.get(row["point_class"], "ordinary") if is_enough and not (is_small and row in run) else "ordinary"
            for row in rows
        ),
        rules=tuple(row["rule"] if is_enough else None for row in rows),
        rule=run[-1]["rule"] if direction is not None else None,
        chance=_chance(present[-RECENT_MONTHS:], last) if is_enough else None,
        centre=last["centre"] if is_enough else None,
        lower=last["lower_limit"] if is_enough else None,
        upper=last["upper_limit"] if is_enough else None,
        certainty=certainty,
        direction=direction,
        tone=tone,
        since=run[0]["month"] if run and direction is not None else None,
        is_small=is_small,
        ended=_ended(present) if is_enough and direction is None else None,
        assurance=assurance if is_enough else None,
        latest=last["value"] if last else None,
        latest_month=last["month"] if last else None,
        standard=standard,
    )


def _chance(recent: list[dict[str, Any]], last: dict[str, Any]) -> float | None:
    """Two-sided probability of the recent months' mean, given the usual level and range; a window fixed beforehand.

    The limits lie three standard deviations from the centre unless they were cut where values end, so the wider side
    tells the deviation.
    """
    deviation = max(last["upper_limit"] - last["centre"], last["centre"] - last["lower_limit"]) / 3
    if deviation <= 0:
        return None
    spread = deviation * math.sqrt((1 + AUTOCORRELATION) / (1 - AUTOCORRELATION) / len(recent) + 1 / BASELINE_MONTHS)
    distance = abs(sum(row["value"] for row in recent) / len(recent) - last["centre"])
    return float(2 * stats.t.sf(distance / spread, df=BASELINE_MONTHS - 1))


def _latest_run(present: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The latest month and those before it that are of its class."""
    run: list[dict[str, Any]] = []
    for row in reversed(present):
        if row["point_class"] != present[-1]["point_class"]:
            break
        run.insert(0, row)
    return run


def _ended(present: list[dict[str, Any]]) -> date | None:
    """The latest month with a sign of change."""
    return next((row["month"] for row in reversed(present) if row["rule"] is not None), None)


def _before(when: date, months: int) -> date:
    index = when.year * 12 + when.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
