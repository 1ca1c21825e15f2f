"""Figures month by month, and the one verdict on each series that mark, table, sentence and download all use.

Belongs here: counting a month's forms and appointments, withholding small months, and reading the control chart's
classes as how sure. Does not belong here: the control chart's rules (`assets.science.control_charts`).
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from assets.science.control_charts import ChartRules, classify, summarise
from dashboards.thresholds import BASELINE_MONTHS, FEWEST_MONTHS, MONTHS_SHOWN

_TONES = {"improvement": "better", "concern": "worse"}


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One series and its verdict.

    Attributes:
        months, values, counts: A month's figure, None where withheld or missing, and what it rests on.
        tones: `better`, `worse` or `ordinary` a month.
        rules: The rule that fired a month, or None.
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
        str(key[0]): _signal(part, summary.get(str(key[0])), smallest=smallest, standard=standard)
        for key, part in classified.partition_by("series", as_dict=True).items()
    }


def _signal(
    part: pl.DataFrame, summary: dict[str, object] | None, *, smallest: float, standard: float | None
) -> Signal:
    rows = part.sort("month").to_dicts()
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
        centre=last["centre"] if is_enough else None,
        lower=last["lower_limit"] if is_enough else None,
        upper=last["upper_limit"] if is_enough else None,
        certainty=certainty,
        direction=direction,
        tone=tone,
        since=run[0]["month"] if run and direction is not None else None,
        is_small=is_small,
        ended=_ended(present) if is_enough and direction is None else None,
        assurance=None if summary is None or not is_enough else summary["assurance"],
        latest=last["value"] if last else None,
        latest_month=last["month"] if last else None,
        standard=standard,
    )


def _latest_run(present: list[dict[str, object]]) -> list[dict[str, object]]:
    """The latest month and those before it that are of its class."""
    run: list[dict[str, object]] = []
    for row in reversed(present):
        if row["point_class"] != present[-1]["point_class"]:
            break
        run.insert(0, row)
    return run


def _ended(present: list[dict[str, object]]) -> date | None:
    """The latest month with a sign of change."""
    return next((row["month"] for row in reversed(present) if row["rule"] is not None), None)


def _before(when: date, months: int) -> date:
    index = when.year * 12 + when.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
