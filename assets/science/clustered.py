"""Shares, differences and ratios of counts where rows hang together: sessions of a client, clients of a clinician.

Here: intervals that take units, not rows, as independent. Not here: what is counted, intervals of independent rows
(`assets.science.funnel`), and models (`assets.science.multilevel`).

Every frame holds counts already summed to the unit that is taken as independent, one row a group, unit and whatever
else a function names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy import stats

from assets.science.funnel import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

FEWEST_UNITS: Final = 3
"""Units below which their own spread says nothing, so that nothing is told."""


def clustered_rates(counts: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """Shares with Wilson intervals widened by how alike a unit's rows are.

    Args:
        counts: One row a group and unit: `by`, `total` (rows of the unit) and `events`.
        by: Columns that name a group; at least one.
        confidence: Two-sided coverage.

    Returns:
        One row a group, sorted: `by`, `units`, `total`, `events`, `rate`, `lower`, `upper`. The interval is that of
        independent rows with the total divided by the design effect, the variance over units against the binomial one,
        and never narrower than it would be for independent rows.

    Source: Kish 1965, Survey Sampling, section 5.4; effective totals in a score interval, Korn & Graubard 1998, Survey
    Methodology 24:193-201.
    """
    total, events = pl.col("total").cast(pl.Float64), pl.col("events").cast(pl.Float64)
    rate = events.sum() / total.sum()
    # Sums of whole numbers are exact in any order; a sum of squared differences would not be.
    grouped = (
        counts.group_by(by)
        .agg(
            units=pl.len().cast(pl.Int64),
            total=total.sum(),
            events=events.sum(),
            rate=rate,
            _ee=(events**2).sum(),
            _et=(events * total).sum(),
            _tt=(total**2).sum(),
        )
        .sort(by)
    )
    p, n, units = pl.col("rate"), pl.col("total"), pl.col("units")
    spread = pl.col("_ee") - 2 * p * pl.col("_et") + p**2 * pl.col("_tt")
    effect = pl.when((p > 0) & (p < 1) & (units > 1)).then(spread * units / (units - 1) / (n * p * (1 - p)))
    grouped = grouped.with_columns(_effective=n / pl.max_horizontal(effect.fill_null(1.0), 1.0))
    effective = grouped["_effective"].to_numpy()
    lower, upper = wilson_interval(grouped["rate"].to_numpy() * effective, effective, confidence=confidence)
    return grouped.select(
        *by,
        "units",
        pl.col("total", "events").cast(pl.Int64),
        rate=p.fill_nan(None),
        lower=pl.Series(lower).fill_nan(None),
        upper=pl.Series(upper).fill_nan(None),
    )


def rate_differences(counts: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """The difference of two shares whose rows may come from the same units.

    Args:
        counts: One row a group and unit: `by`, and `total_1`, `events_1`, `total_0`, `events_0` of the two shares.
        by: Columns that name a group; at least one.
        confidence: Two-sided coverage.

    Returns:
        One row a group, sorted: `by`, `difference` (the first share less the other), `lower`, `upper` and
        `probability_above` (that the truth lies above 0); null below `FEWEST_UNITS` units, without rows on either
        side, or where nothing varies.

    Source: linearised variance over units, Cochran 1977, Sampling Techniques, section 6.3; t with units less one.
    """
    sides = {side: (pl.col(f"events_{side}"), pl.col(f"total_{side}")) for side in (1, 0)}
    columns = {name: pl.col(name).cast(pl.Float64) for name in ("total_1", "events_1", "total_0", "events_0")}
    rates = counts.group_by(by).agg(
        *(column.sum().alias(f"_{name}") for name, column in columns.items()), _units=pl.len()
    )
    parts = [
        (events - pl.col(f"_events_{side}") / pl.col(f"_total_{side}") * total) / pl.col(f"_total_{side}")
        for side, (events, total) in sides.items()
    ]
    # Rounded, since a sum of fractions depends on the order in which threads add them.
    spread = counts.join(rates, on=by).group_by(by).agg(_spread=((parts[0] - parts[1]) ** 2).sum().round(15))
    found = rates.join(spread, on=by).sort(by)
    difference = pl.col("_events_1") / pl.col("_total_1") - pl.col("_events_0") / pl.col("_total_0")
    units = pl.col("_units")
    found = found.with_columns(
        difference=difference.fill_nan(None), _error=(pl.col("_spread") * units / (units - 1)).sqrt().fill_nan(None)
    )
    return _with_t_interval(found, estimate="difference", by=by, confidence=confidence, units="_units", error="_error")


def stratified_ratios(
    counts: pl.DataFrame, *, by: Sequence[str], strata: Sequence[str], unit: str, confidence: float
) -> pl.DataFrame:
    """The ratio of two shares, compared only within strata, units left out one at a time for its interval.

    Args:
        counts: One row a group, stratum and unit: `by`, `strata`, `unit`, and `total_1`, `events_1`, `total_0`,
            `events_0` of the two states compared.
        by: Columns that name a group; at least one.
        strata: Columns within which rows are comparable.
        unit: The column of units taken as independent, such as clinicians.
        confidence: Two-sided coverage.

    Returns:
        One row a group, sorted: `by`, `ratio` (the first share over the other), `lower`, `upper`, `probability_above`
        (that the truth lies above 1) and `units`; null where either side has no event or no row, below `FEWEST_UNITS`
        units, or where leaving one unit out leaves no event to compare. The variance of the log ratio is the larger of
        the jackknife's and the one that takes rows as independent.

    Source: Mantel & Haenszel 1959, J Natl Cancer Inst 22:719-748; variance of independent rows, Greenland & Robins
    1985, Biometrics 41:55-68; Efron & Stein 1981, Ann Stat 9:586-596 on the jackknife.
    """
    own, cell = list(by), [*by, *strata]
    names = ("total_1", "events_1", "total_0", "events_0")
    given = counts.with_columns(pl.col(*names).cast(pl.Float64))
    sums = given.group_by(cell).agg(pl.col(*names).sum().name.prefix("all_"))
    left = given.join(sums, on=cell).with_columns(
        *((pl.col(f"all_{name}") - pl.col(name)).alias(f"left_{name}") for name in names)
    )
    whole = sums.group_by(own).agg(
        _up=_sum(_part("all_", 1)), _down=_sum(_part("all_", 0)), _rows=_sum(_independent_rows("all_"))
    )
    without = (
        left.group_by([*own, unit])
        .agg(_less_up=_sum(_part("all_", 1) - _part("left_", 1)), _less_down=_sum(_part("all_", 0) - _part("left_", 0)))
        .join(whole, on=own)
        .with_columns(_log=((pl.col("_up") - pl.col("_less_up")) / (pl.col("_down") - pl.col("_less_down"))).log())
    )
    spread = (pl.col("_log") - pl.col("_log").mean()) ** 2
    taken = without.group_by(own).agg(
        units=pl.len().cast(pl.Int64), _jack=_sum(spread), _worst=pl.col("_log").abs().max()
    )
    has_both = (pl.col("_up") > 0) & (pl.col("_down") > 0)
    can_leave_out = pl.col("_worst").is_finite() & (pl.col("units") >= FEWEST_UNITS)
    found = (
        whole.join(taken, on=own)
        .sort(own)
        .with_columns(
            _log=pl.when(has_both & can_leave_out).then((pl.col("_up") / pl.col("_down")).log()),
            _error=pl.max_horizontal(
                pl.col("_jack") * (pl.col("units") - 1) / pl.col("units"),
                pl.col("_rows") / (pl.col("_up") * pl.col("_down")),
            ).sqrt(),
        )
    )
    told = _with_t_interval(found, estimate="_log", by=own, confidence=confidence, units="units", error="_error")
    return told.select(
        *own,
        pl.col("lower", "upper").exp(),
        "probability_above",
        ratio=pl.col("_log").exp(),
        units=found["units"],
    )


def jackknife_error(without: ArrayLike, *, times: ArrayLike | None = None) -> float:
    """The standard error of an estimate from what it is without each unit in turn; NaN where one cannot be left out.

    Args:
        without: (K,) estimates, each without one unit.
        times: (K,) how many units each of them stands for, where several are exactly alike; `None`: one each.

    Source: Efron & Stein 1981, Ann Stat 9:586-596.
    """
    left = np.asarray(without, dtype=np.float64)
    count = np.ones(left.size) if times is None else np.asarray(times, dtype=np.float64)
    left, count = left[count > 0], count[count > 0]
    total = count.sum()
    if not total:
        return float("nan")
    return float(np.sqrt((total - 1) / total * (count * (left - (count @ left) / total) ** 2).sum()))


def jackknife_interval(
    whole: float, without: ArrayLike, *, confidence: float, least_error: float = 0.0
) -> tuple[float | None, float | None, float | None]:
    """The interval of an estimate from what it is without each unit in turn.

    Args:
        whole: The estimate.
        without: (K,) estimates, each without one unit.
        confidence: Two-sided coverage of t with K - 1 degrees of freedom.
        least_error: A standard error below which it is not told: with few units, or very unequal ones, the jackknife's
            own varies, and what single rows give is a floor.

    Returns:
        Lower and upper end, and the probability that the truth lies above 0; all `None` below `FEWEST_UNITS` units,
        where an estimate is missing, or where nothing varies.
    """
    left = np.asarray(without, dtype=np.float64)
    if left.size < FEWEST_UNITS or not (np.isfinite(left).all() and np.isfinite(whole)):
        return None, None, None
    error = max(jackknife_error(left), least_error)
    if error <= _NOTHING:
        return None, None, None
    half = float(stats.t.isf((1 - confidence) / 2, left.size - 1)) * error
    return whole - half, whole + half, float(stats.t.cdf(whole / error, left.size - 1))


_NOTHING: Final = 1e-12


def _sum(expression: pl.Expr) -> pl.Expr:
    """A sum that does not depend on the order in which threads add fractions."""
    return expression.fill_nan(0.0).sum().round(12)


def _part(prefix: str, side: int) -> pl.Expr:
    """A stratum's term in the numerator (side 1) or denominator (side 0); 0 where one state has no row there."""
    everyone = pl.col(f"{prefix}total_1") + pl.col(f"{prefix}total_0")
    return (pl.col(f"{prefix}events_{side}") * pl.col(f"{prefix}total_{1 - side}") / everyone).fill_nan(0.0)


def _independent_rows(prefix: str) -> pl.Expr:
    """A stratum's term in Greenland and Robins' variance."""
    n1, n0 = pl.col(f"{prefix}total_1"), pl.col(f"{prefix}total_0")
    x1, x0 = pl.col(f"{prefix}events_1"), pl.col(f"{prefix}events_0")
    return (n1 * n0 * (x1 + x0) - x1 * x0 * (n1 + n0)) / (n1 + n0) ** 2


def _with_t_interval(
    found: pl.DataFrame, *, estimate: str, by: Sequence[str], confidence: float, units: str, error: str
) -> pl.DataFrame:
    """The estimate with its ends and the probability that the truth lies above 0; null where it cannot be told."""
    count, spread = found[units].to_numpy().astype(np.float64), found[error].to_numpy().astype(np.float64)
    value = found[estimate].cast(pl.Float64).fill_null(np.nan).to_numpy()
    is_told = (count >= FEWEST_UNITS) & np.isfinite(spread) & (spread > _NOTHING) & np.isfinite(value)
    freedom = np.where(is_told, count - 1, 1.0)
    half = stats.t.isf((1 - confidence) / 2, freedom) * spread
    with np.errstate(divide="ignore", invalid="ignore"):
        above = stats.t.cdf(value / spread, freedom)
    figures = {estimate: value, "lower": value - half, "upper": value + half, "probability_above": above}
    return found.select(
        *by, **{name: pl.Series(np.where(is_told, figure, np.nan)).fill_nan(None) for name, figure in figures.items()}
    )
