"""Indirect standardisation: what a caseload like this one would usually have, and funnels of observed over expected.

Here: the expected number of an event from cases as severe, and the funnel of standardised ratios of events that are not
rare. Not here: funnels of plain proportions and of rare events (`assets.science.funnel`), models with more than one
predictor (`assets.science.casemix`), and which way is better: a point outside is a reason to look, never a verdict.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import stats

from assets.science.funnel import CONFIDENCES, RULES, Overdispersion, overdispersion, wilson_interval

if TYPE_CHECKING:
    from assets.science.funnel import Trim


def with_expected(
    cases: pl.DataFrame, *, event: str, severity: str, most_bands: int, fewest_in_band: int
) -> pl.DataFrame:
    """The cases with how likely the event was for each: the share of all cases as severe that had it.

    Bands of severity hold about as many cases each; equal scores are always in one band.

    Args:
        cases: one row a case: the columns below, nothing missing.
        event: boolean column: whether it happened.
        severity: column of first scores.
        most_bands: bands at the most; 5 is customary for quintiles.
        fewest_in_band: cases that a band should hold; with fewer cases there are fewer bands, in the end one.

    Returns:
        The cases with `expected`, 0 to 1. Expected and observed events are as many over all cases.

    Raises:
        ValueError: a choice is below 1, or an event or a severity is missing.

    Source: indirect standardisation, Breslow & Day 1987, Statistical Methods in Cancer Research II, p. 65; Keiding &
    Clayton 2014, Stat Sci 29:529-558.
    """
    if most_bands < 1 or fewest_in_band < 1:
        raise ValueError("most_bands and fewest_in_band must be at least 1")
    is_missing = pl.col(event).is_null() | ~pl.col(severity).cast(pl.Float64).is_finite().fill_null(value=False)
    if cases.select(is_missing.any()).item():
        raise ValueError("every case needs its event and its severity; leave out and count those without")
    bands = max(1, min(most_bands, cases.height // fewest_in_band))
    # The middle rank of equal scores puts all of them into the band where their middle lies.
    rank = (pl.col(severity).rank("average") - 0.5) / pl.len()
    band = (rank * bands).floor().clip(0, bands - 1)
    return (
        cases.with_columns(_band=band)
        .with_columns(expected=pl.col(event).cast(pl.Float64).mean().over("_band"))
        .drop("_band")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioFunnel:
    """Groups judged against what was expected of them.

    Attributes:
        groups: one row a group, with the columns `ratio_funnel` describes.
        dispersion: phi and tau squared, on the square root of the ratio.
        is_adjusted: whether the limits were widened by tau squared.
    """

    groups: pl.DataFrame
    dispersion: Overdispersion
    is_adjusted: bool


def ratio_funnel(
    cases: pl.DataFrame,
    *,
    by: str,
    event: str,
    fewest_cases: int,
    adjusts: bool,
    trim: Trim,
    trim_share: float,
    confidence: float,
) -> RatioFunnel:
    """Observed over expected events of every group, against a funnel around 1.

    On the square root scale, with s = sqrt(V) / (2 E) of the expected E and the variance V of a sum of events that each
    happen with their own expected chance. For rare events V is nearly E and this is the Poisson funnel of
    `assets.science.funnel`; for events as common as improvement a Poisson would draw the funnel much too wide.

    Args:
        cases: what `with_expected` returned, with the column of `by`.
        by: column naming the group.
        event: boolean column: whether it happened.
        fewest_cases: groups of fewer cases are `too_few`: they have counts, and no ratio, interval or limits; they take
            no part in the overdispersion.
        adjusts: whether limits widen where groups differ by more than chance.
        trim: as `assets.science.funnel.overdispersion`.
        trim_share: as `assets.science.funnel.overdispersion`.
        confidence: two-sided coverage of each group's own interval.

    Returns:
        One row a group, sorted by it: `by`, `cases`, `observed`, `expected`, `ratio`, `low` and `high` (Wilson's bounds
        of the share of events over the expected share), `z` (unadjusted), `lower_95`, `upper_95`, `lower_998`,
        `upper_998`, `rule` (one of `assets.science.funnel.RULES`) and `direction` (`up` or `down` for a point outside, else null). A point at
        a limit is within. Where nobody or everybody is expected to have the event there are no limits, and all are
        within.

    Raises:
        ValueError: fewest_cases is below 1.

    Source: Spiegelhalter 2005, Stat Med 24:1185-1202, on the square root of standardised ratios and on overdispersion.
    """
    if fewest_cases < 1:
        raise ValueError("fewest_cases must be at least 1")
    chance = pl.col("expected")
    groups = (
        cases.group_by(by)
        .agg(
            cases=pl.len().cast(pl.Int64),
            observed=pl.col(event).sum().cast(pl.Int64),
            variance=(chance * (1 - chance)).sum(),
            expected=chance.sum(),
        )
        .sort(by)
    )
    n, observed, expected, variance = (
        groups[name].to_numpy().astype(np.float64) for name in ("cases", "observed", "expected", "variance")
    )
    is_judged = (n >= fewest_cases) & (expected > 0)
    has_limits = is_judged & (variance > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(is_judged, observed / expected, np.nan)
        s = np.where(has_limits, np.sqrt(variance) / (2 * expected), np.nan)
        z = (np.sqrt(ratio) - 1) / s
    dispersion = overdispersion(z[has_limits], standard_errors=s[has_limits], trim=trim, trim_share=trim_share)
    is_adjusted = adjusts and dispersion.is_present
    low, high = (
        np.where(is_judged, bound * n / np.where(expected > 0, expected, 1.0), np.nan)
        for bound in wilson_interval(observed, n, confidence=confidence)
    )
    columns = {"ratio": ratio, "low": low, "high": high, "z": z}
    reach = np.sqrt(s**2 + (dispersion.tau2 if is_adjusted else 0.0))
    for coverage, name in zip(CONFIDENCES, ("95", "998"), strict=True):
        half = float(stats.norm.isf((1 - coverage) / 2)) * reach
        columns |= {f"lower_{name}": np.maximum(1 - half, 0.0) ** 2, f"upper_{name}": (1 + half) ** 2}
    return RatioFunnel(
        groups=groups.drop("variance")
        .with_columns(pl.Series(name, values).fill_nan(None) for name, values in columns.items())
        .with_columns(*_named(fewest_cases)),
        dispersion=dispersion,
        is_adjusted=is_adjusted,
    )


def _named(fewest_cases: int) -> tuple[pl.Expr, pl.Expr]:
    """The rule that names each group, and the side of one outside."""
    ratio, outer, inner, within, too_few = pl.col("ratio"), *(pl.lit(name) for name in RULES)
    is_high, is_low = ratio > pl.col("upper_95"), ratio < pl.col("lower_95")
    is_far = (ratio > pl.col("upper_998")) | (ratio < pl.col("lower_998"))
    rule = pl.when(pl.col("cases") < fewest_cases).then(too_few).when(is_far).then(outer).when(is_high | is_low)
    return (
        rule.then(inner).otherwise(within).alias("rule"),
        pl.when(is_high).then(pl.lit("up")).when(is_low).then(pl.lit("down")).alias("direction"),
    )
