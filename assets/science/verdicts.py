"""Certainty words: from an estimate and its uncertainty to the one word a page may use.

Here: `verdict`, the only way from a number to a word; and corrections for looking at many numbers at once. Not here:
the sentences around the word (the dashboards), and how the estimate was made. Nothing here puts people in order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Word = Literal["clear", "likely", "cannot_tell", "too_few"]
"""How sure we are which way it goes."""

Correction = Literal["benjamini_hochberg", "holm", "bonferroni"]
"""How p values are raised for having looked at many."""

CLEAR_FROM: Final = 0.975
"""Probability of the direction from which it is clear: a two-sided 95% interval leaves out no difference."""

LIKELY_FROM: Final = 0.90
"""Probability of the direction from which it is likely: a two-sided 80% interval leaves out no difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What may be said of one estimate.

    Attributes:
        word: How sure we are of the direction.
        direction: `up` or `down`; `None` unless the word is `clear` or `likely`.
        probability: Probability of the likelier direction, 0.5 to 1; `None` where it could not be computed or there are
            too few.
        is_small: Whether the direction is clear or likely and yet the estimate is smaller than what matters.
    """

    word: Word
    direction: Literal["up", "down"] | None
    probability: float | None
    is_small: bool


def verdict(
    estimate: float | None,
    *,
    standard_error: float | None = None,
    probability: float | None = None,
    n: int,
    fewest: int,
    smallest_that_matters: float,
) -> Verdict:
    """Say how sure we are that an estimate is above or below nothing.

    Give the uncertainty in one way: a standard error, taken as normal, or the probability that the truth lies above
    nothing. The estimate is a difference or an effect, so that nothing is 0; an estimate of exactly 0 has no direction.

    Args:
        estimate: Point estimate; `None` or NaN where there is none.
        standard_error: Its standard error, above 0; `None` or NaN where it is unknown.
        probability: Probability that the truth lies above 0, between 0 and 1.
        n: How many clients stand behind the estimate.
        fewest: Clients below which nothing is said.
        smallest_that_matters: Size, in the estimate's unit, below which a difference is of no practical weight; 0 or
            more. An estimate of just this size matters.

    Returns:
        `too_few` below `fewest`; otherwise `clear` from 97.5%, `likely` from 90%, and `cannot_tell` below that, or
        where the estimate or its uncertainty is missing.

    Raises:
        ValueError: If both or neither of standard error and probability are given while there is an estimate, the
            probability is not between 0 and 1, or the smallest size that matters is below 0.
    """
    if smallest_that_matters < 0:
        raise ValueError("smallest_that_matters must be 0 or more")
    if n < fewest:
        return Verdict(word="too_few", direction=None, probability=None, is_small=False)
    if estimate is None or not math.isfinite(estimate):
        return _UNKNOWN
    if (standard_error is None) == (probability is None):
        raise ValueError("give the standard error or the probability of lying above 0, one of the two")
    above = probability if probability is not None else _probability_above(estimate, standard_error=standard_error)
    if above is None:
        return _UNKNOWN
    if not 0 <= above <= 1:
        raise ValueError("probability must lie between 0 and 1")
    surest = max(above, 1 - above)
    # 0.975 reached through a normal quantile can fall short of itself in the last digit.
    if surest < LIKELY_FROM - _ROUNDING:
        return Verdict(word="cannot_tell", direction=None, probability=surest, is_small=False)
    return Verdict(
        word="clear" if surest >= CLEAR_FROM - _ROUNDING else "likely",
        direction="up" if above > 0.5 else "down",
        probability=surest,
        is_small=abs(estimate) < smallest_that_matters,
    )


def certainty_expr(probability_above: pl.Expr, *, n: pl.Expr, fewest: int) -> pl.Expr:
    """The word of `verdict` for a whole column, in the warehouse's spelling.

    Args:
        probability_above: Probability that the truth lies above nothing; null where it could not be computed.
        n: How many clients stand behind each estimate.
        fewest: Clients below which nothing is said.

    Returns:
        `clear`, `likely`, `cannot_tell` or `too_few`.
    """
    surest = pl.max_horizontal(probability_above, 1 - probability_above)
    return (
        pl.when(n < fewest)
        .then(pl.lit("too_few"))
        .when(surest >= CLEAR_FROM - _ROUNDING)
        .then(pl.lit("clear"))
        .when(surest >= LIKELY_FROM - _ROUNDING)
        .then(pl.lit("likely"))
        .otherwise(pl.lit("cannot_tell"))
    )


def corrected_p_values(p_values: ArrayLike, *, correction: Correction) -> NDArray[np.float64]:
    """Raise p values for the number of looks taken, so that flags among many clinicians are not mostly chance.

    Args:
        p_values: One a comparison, 0 to 1, one dimension; the whole family at once.
        correction: `benjamini_hochberg` keeps the share of false flags among flags at the level; `holm` and
            `bonferroni` keep the chance of any false flag at the level.

    Returns:
        Adjusted p values in the order given, at most 1 and never below the p value.

    Raises:
        ValueError: If a p value is not between 0 and 1.

    Source: Benjamini & Hochberg 1995, J R Stat Soc B 57:289-300; Holm 1979, Scand J Stat 6:65-70.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p values must lie between 0 and 1")
    if not p.size:
        return p
    if correction == "benjamini_hochberg":
        return np.asarray(stats.false_discovery_control(p), dtype=np.float64)
    if correction == "bonferroni":
        return np.minimum(p * p.size, 1.0)
    rising = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[rising] * np.arange(p.size, 0, -1))
    adjusted = np.empty_like(p)
    adjusted[rising] = np.minimum(stepped, 1.0)
    return adjusted


_ROUNDING: Final = 1e-12
_UNKNOWN: Final = Verdict(word="cannot_tell", direction=None, probability=None, is_small=False)


def _probability_above(estimate: float, *, standard_error: float | None) -> float | None:
    """Probability that the truth lies above 0, normal around the estimate; `None` without a usable standard error."""
    if standard_error is None or not math.isfinite(standard_error) or standard_error <= 0:
        return None
    return float(stats.norm.cdf(estimate / standard_error))
