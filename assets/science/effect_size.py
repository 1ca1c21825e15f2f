"""How large is a group's average change, in standard deviations, and how sure is that?

Belongs here: standardised mean changes with their intervals, for one group and for two. Does not belong here: one
client's change (`change`) and the published NHS effect size, which divides by England's spread (`talking_therapies`).

Positive is better in every result, whatever the scale's direction. The kinds are not comparable: change over the
intake spread says how far clients moved on the scale of clients, change over its own spread how alike they moved, so
a result names its kind. All describe clients with both scores only; those who left are not in them, which flatters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from assets.science.change import critical_value
from assets.science.change_methods import sample_figures
from assets.science.instruments.model import better_sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from assets.science.change_methods import SampleFigures
    from assets.science.instruments.model import Direction

Kind = Literal["d_intake", "smcr", "smcc", "d_ppc2"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Effect:
    """A standardised mean change with its interval; positive is better.

    Attributes:
        kind: which one it is.
        estimate: in standard deviations.
        low: lower bound of the interval.
        high: upper bound of the interval.
        n: clients with both scores.
    """

    kind: Kind
    estimate: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """Of one group: clients with both scores, their means, and the standard deviation at the start (n - 1)."""

    n: int
    mean_pre: float
    mean_post: float
    sd_pre: float


def small_sample_correction(df: float) -> float:
    """Hedges' exact J for a number of degrees of freedom: what a small sample's effect is multiplied by.

    Raises:
        ValueError: df is not above 1, where it does not exist.

    Source: Hedges 1981, J Educ Stat 6:107-128.
    """
    if not df > 1:
        raise ValueError("The correction needs more than one degree of freedom.")
    return math.exp(math.lgamma(df / 2) - math.log(math.sqrt(df / 2)) - math.lgamma((df - 1) / 2))


def d_intake(
    *,
    n: int,
    mean_pre: float,
    mean_post: float,
    sd_pre: float,
    correlation: float,
    direction: Direction,
    confidence: float,
) -> Effect:
    """Mean change over the standard deviation at intake, uncorrected: what services usually print.

    Args:
        n: clients with both scores.
        mean_pre: mean at the start.
        mean_post: mean at the end, of the same clients.
        sd_pre: standard deviation at the start (n - 1).
        correlation: between start and end scores.
        direction: whether a higher score is better or worse.
        confidence: two-sided coverage, between 0 and 1.

    Raises:
        ValueError: fewer than three clients, a spread not above 0, a correlation or confidence out of range.

    Source: interval after Becker 1988, Br J Math Stat Psychol 41:257-278.
    """
    _check(n=n, sd=sd_pre, correlation=correlation)
    estimate = better_sign(direction) * (mean_post - mean_pre) / sd_pre
    variance = 2 * (1 - correlation) / n + estimate**2 / (2 * n)
    return _effect("d_intake", estimate, variance, n=n, confidence=confidence)


def smcr(
    *,
    n: int,
    mean_pre: float,
    mean_post: float,
    sd_pre: float,
    correlation: float,
    direction: Direction,
    confidence: float,
) -> Effect:
    """Standardised mean change with raw score standardisation: `d_intake` corrected for a small sample.

    Arguments and errors as `d_intake`.

    Source: Becker 1988; Morris & DeShon 2002, Psychol Methods 7:105-125.
    """
    _check(n=n, sd=sd_pre, correlation=correlation)
    estimate = small_sample_correction(n - 1) * better_sign(direction) * (mean_post - mean_pre) / sd_pre
    variance = 2 * (1 - correlation) / n + estimate**2 / (2 * n)
    return _effect("smcr", estimate, variance, n=n, confidence=confidence)


def smcc(
    *, n: int, mean_pre: float, mean_post: float, sd_change: float, direction: Direction, confidence: float
) -> Effect:
    """Standardised mean change with change score standardisation, corrected for a small sample.

    Args:
        n: clients with both scores.
        mean_pre: mean at the start.
        mean_post: mean at the end, of the same clients.
        sd_change: standard deviation of the changes (n - 1); not comparable with the spread at intake.
        direction: whether a higher score is better or worse.
        confidence: two-sided coverage, between 0 and 1.

    Raises:
        ValueError: fewer than three clients, a spread not above 0, a confidence out of range.

    Source: Gibbons, Hedeker & Davis 1993, J Educ Stat 18:271-279.
    """
    _check(n=n, sd=sd_change, correlation=0.0)
    estimate = small_sample_correction(n - 1) * better_sign(direction) * (mean_post - mean_pre) / sd_change
    return _effect("smcc", estimate, 1 / n + estimate**2 / (2 * n), n=n, confidence=confidence)


def d_ppc2(
    treated: GroupFigures,
    *,
    control: GroupFigures,
    correlation: float,
    direction: Direction,
    confidence: float,
) -> Effect:
    """The change of one group beyond another's, over their pooled standard deviation at the start.

    Args:
        treated: the group asked about.
        control: the group it is compared with; it took part at the same two times.
        correlation: between start and end scores, taken as one for both groups; only the interval reads it.
        direction: whether a higher score is better or worse.
        confidence: two-sided coverage, between 0 and 1.

    Returns:
        Positive where the treated changed more for the better; `n` counts both groups.

    Raises:
        ValueError: a group of fewer than three, a spread not above 0, a correlation or confidence out of range.

    Source: Morris 2008, Organ Res Methods 11:364-386, equations 8 to 10 and 25.
    """
    for group in (treated, control):
        _check(n=group.n, sd=group.sd_pre, correlation=correlation)
    n = treated.n + control.n
    squares = (treated.n - 1) * treated.sd_pre**2 + (control.n - 1) * control.sd_pre**2
    correction = 1 - 3 / (4 * (n - 2) - 1)
    gain = (treated.mean_post - treated.mean_pre) - (control.mean_post - control.mean_pre)
    estimate = correction * better_sign(direction) * gain / math.sqrt(squares / (n - 2))
    scatter = 2 * (1 - correlation) * n / (treated.n * control.n)
    variance = correction**2 * (n - 2) / (n - 4) * (scatter + estimate**2) - estimate**2
    return _effect("d_ppc2", estimate, variance, n=n, confidence=confidence)


def pre_post_effects(pre: ArrayLike, post: ArrayLike, *, direction: Direction, confidence: float) -> dict[Kind, Effect]:
    """The three effects of one group from its scores.

    Args:
        pre: start scores, one a client; NaN where there is none.
        post: end scores of the same clients; a client with either missing is in no effect.
        direction: whether a higher score is better or worse.
        confidence: two-sided coverage, between 0 and 1.

    Raises:
        ValueError: fewer than three pairs, scores that do not vary, or everybody changing alike.
    """
    figures = sample_figures(pre, post)
    changes = np.asarray(post, dtype=np.float64) - np.asarray(pre, dtype=np.float64)
    sd_change = float(np.std(changes[np.isfinite(changes)], ddof=1))
    raw, corrected = (
        formula(
            n=figures.n,
            mean_pre=figures.mean_pre,
            mean_post=figures.mean_post,
            sd_pre=figures.sd_pre,
            correlation=figures.correlation,
            direction=direction,
            confidence=confidence,
        )
        for formula in (d_intake, smcr)
    )
    change = smcc(
        n=figures.n,
        mean_pre=figures.mean_pre,
        mean_post=figures.mean_post,
        sd_change=sd_change,
        direction=direction,
        confidence=confidence,
    )
    return {each.kind: each for each in (raw, corrected, change)}


def compared_effect(
    treated: tuple[ArrayLike, ArrayLike],
    *,
    control: tuple[ArrayLike, ArrayLike],
    direction: Direction,
    confidence: float,
) -> Effect:
    """`d_ppc2` of one group against another, from their scores.

    Args:
        treated: start and end scores of the group asked about, one each a client; NaN where there is none, and a
            client with either missing is left out.
        control: the same of the group it is compared with.
        direction: whether a higher score is better or worse.
        confidence: two-sided coverage, between 0 and 1.

    Returns:
        As `d_ppc2`; the correlation of start and end is pooled within the groups.

    Raises:
        ValueError: a group with fewer than three pairs, or scores that do not vary.
    """
    figures = [sample_figures(*scores) for scores in (treated, control)]
    shared = sum((each.n - 1) * each.correlation * each.sd_pre * each.sd_post for each in figures)
    squares = [sum((each.n - 1) * sd**2 for each, sd in zip(figures, sds, strict=True)) for sds in _spreads(figures)]
    groups = [
        GroupFigures(n=each.n, mean_pre=each.mean_pre, mean_post=each.mean_post, sd_pre=each.sd_pre) for each in figures
    ]
    correlation = min(1.0, max(-1.0, shared / math.sqrt(math.prod(squares))))
    return d_ppc2(groups[0], control=groups[1], correlation=correlation, direction=direction, confidence=confidence)


def _spreads(figures: Sequence[SampleFigures]) -> tuple[list[float], list[float]]:
    """The groups' standard deviations at the start, and at the end."""
    return [each.sd_pre for each in figures], [each.sd_post for each in figures]


def _effect(kind: Kind, estimate: float, variance: float, *, n: int, confidence: float) -> Effect:
    if not math.isfinite(estimate):
        raise ValueError("A mean is missing or not finite, so there is no effect size.")
    # Perfectly correlated scores leave no sampling scatter; rounding must not make it negative.
    half = critical_value(confidence=confidence) * math.sqrt(max(variance, 0.0))
    return Effect(kind, estimate, estimate - half, estimate + half, n)


def _check(*, n: int, sd: float, correlation: float) -> None:
    if n < 3:
        raise ValueError("An effect size needs three clients with both scores.")
    if not 0 < sd < math.inf:
        raise ValueError("The standard deviation must be above zero.")
    if not -1 <= correlation <= 1:
        raise ValueError("A correlation lies between -1 and 1.")
