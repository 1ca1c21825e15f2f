"""Control charts for single values over time (XmR), as the NHS "Making Data Count" programme reads them.

Here: process limits from moving ranges, the four special-cause rules and their order, and assurance against a target.
Not here: comparisons between clinicians at one time (`assets.science.funnel`), certainty words about an estimate
(`assets.science.verdicts`), and how a point is drawn or worded (the dashboards).

`classify` is the only place where a point gets its class. The mark on a chart, the row of a table, the sentence beside
it and the line of a download all read its columns, so they cannot disagree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

Improvement = Literal["up", "down", "neutral"]
"""Which way is better: `up`, `down`, or `neutral` where neither is."""

LIMIT_CONSTANT: Final = 2.66
"""3 / d2 for moving ranges of two (d2 = 1.128), as the field prints it (Wheeler 1993, Understanding Variation)."""

SCREENING_CONSTANT: Final = 3.267
"""D4 for moving ranges of two: ranges this many times their mean are left out once (Montgomery 2013, appendix VI)."""

RUN_POINTS: Final = 7
"""Points of a run on one side of the centre, or of a strict trend (NHS England, Making Data Count)."""

RULES: Final = ("outside_limits", "trend", "two_of_three", "one_side")
"""The rules, in the order in which the first that fires names the point."""

CLASSES: Final = ("common_cause", "improvement", "concern", "neutral_high", "neutral_low", "no_value", "no_limits")
"""Every class a point can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartRules:
    """The choices behind one kind of chart, declared once and shown beside it.

    Attributes:
        improvement: Which way is better.
        screens_moving_ranges: Whether moving ranges of `SCREENING_CONSTANT` times their mean or more are left out,
            once. The published spreadsheet does not screen; the published R package does.
        baseline_points: Limits come from the first so many points of a phase; `None` takes them all.
        firm_from_points: Limits from fewer points than this are trial limits.
        floor: Lowest possible value (0 for a percentage), or `None`. Limits are clipped to it.
        ceiling: Highest possible value (100 for a percentage), or `None`. Limits are clipped to it.
    """

    improvement: Improvement
    screens_moving_ranges: bool
    baseline_points: int | None
    firm_from_points: int
    floor: float | None
    ceiling: float | None

    def __post_init__(self) -> None:
        if self.improvement not in {"up", "down", "neutral"}:
            raise ValueError("improvement must be one of: up, down, neutral")
        if self.baseline_points is not None and self.baseline_points < 2:
            raise ValueError("baseline_points must be at least 2, for one moving range, or None for all points")
        if self.firm_from_points < 0:
            raise ValueError("firm_from_points must be 0 or more")
        if self.floor is not None and self.ceiling is not None and self.floor >= self.ceiling:
            raise ValueError("floor must lie below ceiling")


def classify(
    points: pl.DataFrame, *, by: Sequence[str], order: str, value: str, rebase: str | None, rules: ChartRules
) -> pl.DataFrame:
    """Give every point of every series its limits, the rule that fired, its direction and its class.

    A series is split into phases where `rebase` is true; limits and rules never reach across phases. A missing value is
    left out of the series, so its neighbours become neighbours, and comes back with the class `no_value` and the limits
    of its phase.

    Rules, the first that fires naming the point: outside the limits; in a strict trend of 7; in 2 of 3 points beyond
    two thirds of the way to a limit, all 3 on that side of the centre (only the points beyond are marked, and a point
    outside the limits is not one of the 2); in a run of 7 on one side. A point on the centre ends a run. A point at a
    limit is inside it. Where a rise turns into a fall, the turning point belongs to the later trend.

    Args:
        points: One row a point.
        by: Columns that name a series; empty for a single one.
        order: Column that orders points within a series; no ties within a series.
        value: Column of values.
        rebase: Boolean column, true where a declared event starts a new phase; `None` for one phase.
        rules: The choices behind the chart.

    Returns:
        The rows given, sorted by `by` and `order`, with: `phase` (0, 1, ...), `points_in_phase`, `limit_points` (how
        many made the limits), `centre`, `lower_limit`, `upper_limit`, `is_clipped`, `is_trial`, `mean_moving_range`
        (after screening), `rule` (one of `RULES`, or null), `direction` (`up` or `down`, or null), `point_class` (one
        of `CLASSES`; `no_limits` where a phase has no moving range).

    Raises:
        ValueError: If two points of one series share a place in the order.

    Source: NHS England, Making Data Count, "Making sense of variation"; rules as published with the NHS-R Community's
    NHSRplotthedots 0.2.2 (MIT), which the reference tests reproduce.
    """
    if points.select(pl.struct([*by, order]).is_duplicated().any()).item():
        raise ValueError(f"two points of one series share the same {order}; aggregate them first")
    rebased = pl.lit(value=False) if rebase is None else pl.col(rebase).fill_null(value=False)
    ordered = points.sort([*by, order]).with_columns(_phase=rebased.cast(pl.Int64), _series=_series_id(by))
    ordered = ordered.with_columns(phase=pl.col("_phase").cum_sum().over("_series"), _row=pl.int_range(pl.len()))
    is_present = pl.col(value).is_not_null() & pl.col(value).cast(pl.Float64).is_finite()
    present = ordered.filter(is_present).with_columns(_value=pl.col(value).cast(pl.Float64))
    labelled = present.pipe(_with_limits, rules=rules).pipe(_with_rules).pipe(_with_class, rules=rules)
    kept = ["_row", *_RESULT_COLUMNS]
    return (
        ordered.join(labelled.select(kept), on="_row", how="left", maintain_order="left")
        .with_columns(
            pl.col(_OF_THE_PHASE).drop_nulls().first().over(_GROUP),
            point_class=pl.col("point_class").fill_null("no_value"),
        )
        .drop("_phase", "_series", "_row")
    )


def summarise(
    classified: pl.DataFrame, *, by: Sequence[str], order: str, target: str | None, rules: ChartRules
) -> pl.DataFrame:
    """Say where each series stands: its last phase's limits, its last point's class, and assurance against a target.

    Args:
        classified: What `classify` returned.
        by: Columns that name a series; empty for a single one.
        order: Column that orders points within a series.
        target: Column with the target of each row, or `None`; the last row's target counts.
        rules: The choices `classify` was given.

    Returns:
        One row a series: `by`, `last_point` (its place in the order), `points`, `phase`, `points_in_phase`, `centre`,
        `lower_limit`, `upper_limit`, `is_trial`, `rule`, `direction`, `point_class`, a count of each class that marks
        a point (`common_cause_points`, ...), and `assurance` (NHS England, Making Data Count): `yes_consistently`, `some_months`,
        `no_unless_something_changes`, or null where there is no target, no limits or no better direction. Points
        without a value are not counted and are never the last.
    """
    present = classified.filter(pl.col("point_class") != "no_value").with_columns(_series=_series_id(by))
    goal = pl.lit(None, dtype=pl.Float64) if target is None else pl.col(target).cast(pl.Float64)
    counts = [
        (pl.col("point_class") == name).sum().alias(f"{name}_points")
        for name in CLASSES
        if name not in {"no_value", "no_limits"}
    ]
    last = ["phase", "points_in_phase", "centre", "lower_limit", "upper_limit", "is_trial", "rule", "direction"]
    return (
        present.sort([*by, order])
        .with_columns(assurance=assurance(goal, rules=rules))
        .group_by("_series", maintain_order=True)
        .agg(
            *(pl.col(name).first() for name in by),
            pl.col(order).last().alias("last_point"),
            pl.len().alias("points"),
            *(pl.col(name).last() for name in [*last, "point_class", "assurance"]),
            *counts,
        )
        .drop("_series")
    )


def assurance(target: pl.Expr, *, rules: ChartRules) -> pl.Expr:
    """Say whether the process, left as it is, would meet a target: an expression over rows that `classify` returned.

    A target equal to a limit counts as between the limits. Null without limits, without a target, or where neither way
    is better. Source: NHS England, Making Data Count, assurance icons.
    """
    if rules.improvement == "neutral":
        return pl.lit(None, dtype=pl.String)
    beyond, within_reach = (
        ("no_unless_something_changes", "yes_consistently")
        if rules.improvement == "up"
        else ("yes_consistently", "no_unless_something_changes")
    )
    return (
        pl.when(target > pl.col("upper_limit"))
        .then(pl.lit(beyond))
        .when(target < pl.col("lower_limit"))
        .then(pl.lit(within_reach))
        .when(target.is_not_null() & pl.col("upper_limit").is_not_null())
        .then(pl.lit("some_months"))
    )


_GROUP: Final = ("_series", "phase")
_ROUNDING: Final = 1e-12
_OF_THE_PHASE: Final = (
    "points_in_phase",
    "limit_points",
    "centre",
    "lower_limit",
    "upper_limit",
    "is_clipped",
    "is_trial",
    "mean_moving_range",
)
_RESULT_COLUMNS: Final = (*_OF_THE_PHASE, "rule", "direction", "point_class")


def _series_id(by: Sequence[str]) -> pl.Expr:
    """Number the series; rows are sorted, so a run of equal names is one series."""
    return pl.struct(by).rle_id() if by else pl.lit(0, dtype=pl.UInt32)


def _with_limits(present: pl.DataFrame, *, rules: ChartRules) -> pl.DataFrame:
    """Add centre and limits of each phase, and each point's side of the centre."""
    number = pl.int_range(pl.len()).over(_GROUP)
    in_limits = pl.lit(value=True) if rules.baseline_points is None else number < rules.baseline_points
    based = present.with_columns(_base=pl.when(in_limits).then(pl.col("_value"))).with_columns(
        _range=pl.col("_base").diff().over(_GROUP).abs(),
        points_in_phase=pl.len().over(_GROUP).cast(pl.Int64),
        limit_points=pl.col("_base").count().over(_GROUP).cast(pl.Int64),
        centre=pl.col("_base").mean().over(_GROUP),
    )
    if rules.screens_moving_ranges:
        # Strictly below, as published: a series that never moves keeps no range, and its limits are unknown, unless
        # its own mean range of zero is let through.
        threshold = SCREENING_CONSTANT * pl.col("_range").mean().over(_GROUP)
        is_kept = (pl.col("_range") < threshold) | (threshold == 0)
        based = based.with_columns(_range=pl.when(is_kept).then(pl.col("_range")))
    based = based.with_columns(mean_moving_range=pl.col("_range").mean().over(_GROUP)).with_columns(
        _reach=LIMIT_CONSTANT * pl.col("mean_moving_range"),
        _away=pl.col("_value") - pl.col("centre"),
        # The mean of equal values can miss them by a rounding error, which must not put all of them on one side.
        _slack=_ROUNDING * (pl.col("_value").abs() + pl.col("centre").abs()),
    )
    distance = pl.col("_away").abs() - pl.col("_slack")
    based = based.with_columns(
        lower_limit=pl.col("centre") - pl.col("_reach"),
        upper_limit=pl.col("centre") + pl.col("_reach"),
        _side=pl.when(distance > 0).then(pl.col("_away").sign()).otherwise(0.0).cast(pl.Int64),
        _is_outside=(distance > pl.col("_reach")).fill_null(value=False),
        _is_near=((distance > 2.0 * pl.col("_reach") / 3.0) & (distance <= pl.col("_reach"))).fill_null(value=False),
    )
    clipped = based.with_columns(
        lower_limit=pl.col("lower_limit").clip(lower_bound=rules.floor),
        upper_limit=pl.col("upper_limit").clip(upper_bound=rules.ceiling),
    )
    return clipped.with_columns(
        is_clipped=(pl.col("lower_limit") != pl.col("centre") - pl.col("_reach"))
        | (pl.col("upper_limit") != pl.col("centre") + pl.col("_reach")),
        is_trial=pl.col("limit_points") < rules.firm_from_points,
    )


def _with_rules(limited: pl.DataFrame) -> pl.DataFrame:
    """Add `rule` and `direction`: the first rule of `RULES` that fires."""
    steps = limited.with_columns(
        _step=(pl.col("_value") - pl.col("_value").shift(1).over(_GROUP)).sign().fill_null(0.0).cast(pl.Int64)
    ).with_columns(_side_run=pl.col("_side").rle_id().over(_GROUP), _step_run=pl.col("_step").rle_id().over(_GROUP))
    side_length = pl.len().over([*_GROUP, "_side_run"])
    step_length = pl.len().over([*_GROUP, "_step_run"])
    # Seven points of a trend are six steps. The point the first step leaves belongs to it too.
    arriving = pl.when(step_length >= RUN_POINTS - 1).then(pl.col("_step")).otherwise(0)
    steps = steps.with_columns(
        _one_side=pl.when(side_length >= RUN_POINTS).then(pl.col("_side")).otherwise(0), _arriving=arriving
    ).with_columns(_leaving=pl.col("_arriving").shift(-1, fill_value=0).over(_GROUP))
    trend = pl.when(pl.col("_leaving") != 0).then(pl.col("_leaving")).otherwise(pl.col("_arriving"))
    near = pl.col("_is_near").cast(pl.Int64)
    near_of_three = near + near.shift(1).over(_GROUP) + near.shift(2).over(_GROUP)
    side = pl.col("_side")
    side_of_three = side + side.shift(1).over(_GROUP) + side.shift(2).over(_GROUP)
    ends_window = ((near_of_three >= 2) & (side_of_three.abs() == 3)).fill_null(value=False)
    steps = steps.with_columns(_trend=trend, _window=ends_window)
    window = pl.col("_window")
    in_window = (
        window | window.shift(-1, fill_value=False).over(_GROUP) | window.shift(-2, fill_value=False).over(_GROUP)
    )
    steps = steps.with_columns(
        _outside=pl.when(pl.col("_is_outside")).then(pl.col("_side")).otherwise(0),
        _two_of_three=pl.when(in_window & pl.col("_is_near")).then(pl.col("_side")).otherwise(0),
    )
    fired = dict(zip(RULES, ("_outside", "_trend", "_two_of_three", "_one_side"), strict=True))
    rule = pl.coalesce([pl.when(pl.col(column) != 0).then(pl.lit(name)) for name, column in fired.items()])
    way = pl.coalesce([pl.when(pl.col(column) != 0).then(pl.col(column)) for column in fired.values()])
    # Without a moving range there are no limits, and a phase that short has no run either.
    return steps.with_columns(
        rule=rule, direction=pl.when(way > 0).then(pl.lit("up")).when(way < 0).then(pl.lit("down"))
    )


def _with_class(ruled: pl.DataFrame, *, rules: ChartRules) -> pl.DataFrame:
    """Add `point_class` from the direction of the rule that fired and the direction that is better."""
    special = (
        pl.concat_str(pl.lit("neutral_"), pl.col("direction").replace({"up": "high", "down": "low"}))
        if rules.improvement == "neutral"
        else pl.when(pl.col("direction") == rules.improvement).then(pl.lit("improvement")).otherwise(pl.lit("concern"))
    )
    return ruled.with_columns(
        point_class=pl.when(pl.col("rule").is_not_null())
        .then(special)
        .when(pl.col("mean_moving_range").is_null())
        .then(pl.lit("no_limits"))
        .otherwise(pl.lit("common_cause"))
    )
