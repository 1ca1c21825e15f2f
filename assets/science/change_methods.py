"""The other published indices of reliable change, and whether a conclusion depends on the one chosen.

Belongs here: GLN, HLL, EN, NK and HA beside Jacobson & Truax's, the group figures they need, and the method badge.
Does not belong here: the categories that follow from an index and the cut-offs (`change`).

On one published set of 40 clients the methods call from 12 to 26 recovered, so a rate is told with its method and
with what the others say, and methods are never averaged. Indices are positive when the score rose.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from assets.science.change import (
    Number,
    jacobson_truax_index,
    standard_error_of_difference,
    standard_error_of_measurement,
)
from assets.science.funnel import wilson_interval
from assets.science.instruments.model import better_sign

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from assets.science.instruments.model import Direction

Method = Literal["JT", "GLN", "HLL", "EN", "NK", "HA"]
METHODS: tuple[Method, ...] = get_args(Method)


def gulliksen_lord_novick_index(pre: Number, post: Number, *, mean: float, sd: float, reliability: float) -> Number:
    """GLN: the end score against its prediction from the start score, both about the intake mean.

    Args:
        pre: start score or scores: a number, an array or a polars expression, in score units.
        post: end scores of the same clients.
        mean: of the group's start scores.
        sd: standard deviation of the group's start scores.
        reliability: of the measure.

    Returns:
        As `pre`, in standard errors; positive when the score rose beyond its prediction, whatever the direction.

    Raises:
        ValueError: the standard deviation is not above 0, or the reliability not between 0 and 1.

    Source: Hsu 1989, Behav Assess 11:459-467.
    """
    return ((post - mean) - reliability * (pre - mean)) / _error_of_prediction(sd=sd, reliability=reliability)


def hsu_linn_lord_index(
    pre: Number, post: Number, *, mean_pre: float, mean_post: float, sd: float, reliability: float
) -> Number:
    """HLL: as GLN, with the end score about the mean of end scores, so relative to the group.

    Arguments and result as `gulliksen_lord_novick_index`, with the group's two means.

    Raises:
        ValueError: the standard deviation is not above 0, or the reliability not between 0 and 1.

    Source: Hsu 1989, Behav Assess 11:459-467.
    """
    return ((post - mean_post) - reliability * (pre - mean_pre)) / _error_of_prediction(sd=sd, reliability=reliability)


def edwards_nunnally_index(pre: Number, post: Number, *, mean: float, sd: float, reliability: float) -> Number:
    """EN: the end score against the start score drawn towards the mean, over one standard error.

    Arguments and result as `gulliksen_lord_novick_index`.

    Raises:
        ValueError: the standard deviation is not above 0, or the reliability not between 0 and 1.

    Source: Speer 1992, J Consult Clin Psychol 60:402-408.
    """
    return (post - (reliability * (pre - mean) + mean)) / standard_error_of_measurement(sd=sd, reliability=reliability)


def nunnally_kotsch_index(
    pre: Number, post: Number, *, mean: float, sd: float, reliability: float, reliability_post: float
) -> Number:
    """NK: as EN, with the error of both measurements.

    Arguments and result as `gulliksen_lord_novick_index`, with the reliability at the start and at the end.

    Raises:
        ValueError: the standard deviation is not above 0, or a reliability not between 0 and 1.

    Source: Nunnally & Kotsch 1983, Br J Clin Psychol 22:83-93.
    """
    before, after = (standard_error_of_measurement(sd=sd, reliability=each) for each in (reliability, reliability_post))
    return (post - (reliability * (pre - mean) + mean)) / math.hypot(reliability * before, after)


def _error_of_prediction(*, sd: float, reliability: float) -> float:
    """How far end scores lie from their prediction: sd * sqrt(1 - reliability squared)."""
    return standard_error_of_measurement(sd=sd, reliability=reliability) * math.sqrt(1 + reliability)


def reliability_of_difference(*, sd_pre: float, sd_post: float, correlation: float, reliability: float) -> float:
    """How far differences between clients in change are true ones, from 0 to 1. Hageman & Arrindell 1993.

    Args:
        sd_pre: standard deviation at the start.
        sd_post: standard deviation at the end.
        correlation: between start and end scores.
        reliability: at the start; the same error of measurement is taken at the end.

    Raises:
        ValueError: it comes out at or below 0, where the method has nothing to say.
    """
    error = standard_error_of_measurement(sd=sd_pre, reliability=reliability) ** 2
    shared = 2 * sd_pre * sd_post * correlation
    true, seen = (sd_pre**2 - error) + (sd_post**2 - error) - shared, sd_pre**2 + sd_post**2 - shared
    if true <= 0 or seen <= 0:
        raise ValueError("The differences hold no true variance, so the Hageman-Arrindell index does not exist.")
    return true / seen


def hageman_arrindell_index(
    pre: Number,
    post: Number,
    *,
    mean_pre: float,
    mean_post: float,
    sd_pre: float,
    sd_post: float,
    correlation: float,
    reliability: float,
) -> Number:
    """HA: change drawn towards the group's mean change as far as differences are unreliable; critical at 1.645.

    Arguments and result as `gulliksen_lord_novick_index` and `reliability_of_difference`.

    Raises:
        ValueError: the differences hold no true variance.

    Source: Hageman & Arrindell 1993, Behav Res Ther 31:693-700.
    """
    r_dd = reliability_of_difference(sd_pre=sd_pre, sd_post=sd_post, correlation=correlation, reliability=reliability)
    spread = math.sqrt(r_dd) * standard_error_of_difference(sd=sd_pre, reliability=reliability)
    return ((post - pre) * r_dd + (mean_post - mean_pre) * (1 - r_dd)) / spread


@dataclass(frozen=True, slots=True)
class SampleFigures:
    """What the methods need to know of a group: means, standard deviations (n - 1) and their correlation."""

    n: int
    mean_pre: float
    mean_post: float
    sd_pre: float
    sd_post: float
    correlation: float


def sample_figures(pre: ArrayLike, post: ArrayLike) -> SampleFigures:
    """Figures of the pairs in which both scores are there.

    Args:
        pre: start scores, one a client; NaN where there is none.
        post: end scores of the same clients.

    Raises:
        ValueError: not as many start as end scores, fewer than three pairs, or scores that do not vary.
    """
    first, last = np.asarray(pre, dtype=np.float64), np.asarray(post, dtype=np.float64)
    if first.shape != last.shape:
        raise ValueError("There must be as many start as end scores, one pair a client.")
    both = np.isfinite(first) & np.isfinite(last)
    first, last = first[both], last[both]
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(last) == 0:
        raise ValueError("A group's figures need three pairs of scores that vary.")
    return SampleFigures(
        n=len(first),
        mean_pre=float(first.mean()),
        mean_post=float(last.mean()),
        sd_pre=float(first.std(ddof=1)),
        sd_post=float(last.std(ddof=1)),
        correlation=float(np.corrcoef(first, last)[0, 1]),
    )


def change_index(
    pre: Number, post: Number, *, method: Method, figures: SampleFigures, reliability: float, reliability_post: float
) -> Number:
    """The reliable change index of one method, with its means and spreads taken from a group's figures.

    Args:
        pre: start score.
        post: end score.
        method: one of `METHODS`.
        figures: of the group the client belongs to.
        reliability: at the start.
        reliability_post: at the end; only NK reads it.

    Raises:
        ValueError: HA where the differences hold no true variance.
    """
    mean, sd = figures.mean_pre, figures.sd_pre
    if method == "JT":
        return jacobson_truax_index(pre, post, sd=sd, reliability=reliability)
    if method == "GLN":
        return gulliksen_lord_novick_index(pre, post, mean=mean, sd=sd, reliability=reliability)
    if method == "HLL":
        return hsu_linn_lord_index(
            pre, post, mean_pre=mean, mean_post=figures.mean_post, sd=sd, reliability=reliability
        )
    if method == "EN":
        return edwards_nunnally_index(pre, post, mean=mean, sd=sd, reliability=reliability)
    if method == "NK":
        return nunnally_kotsch_index(
            pre, post, mean=mean, sd=sd, reliability=reliability, reliability_post=reliability_post
        )
    return hageman_arrindell_index(
        pre,
        post,
        mean_pre=mean,
        mean_post=figures.mean_post,
        sd_pre=sd,
        sd_post=figures.sd_post,
        correlation=figures.correlation,
        reliability=reliability,
    )


def critical_of(method: Method) -> float:
    """The critical value a method was published with: 1.645 for HA (one-sided), 1.96 for the others; in standard errors."""
    return 1.645 if method == "HA" else 1.96


Conclusion = Literal["above", "below", "cannot tell"]
Rule = Literal["JT", "EN", "HA", "threshold"]


@dataclass(frozen=True, slots=True)
class RuleRate:
    """A rate of reliable improvement under one rule, with its interval and what it says of the benchmark.

    Attributes:
        rule: a method, or `threshold`: a change of at least the instrument's published whole-number threshold, as NHS
            Talking Therapies counts.
        n_improved, n: clients reliably improved, and clients with both scores.
        low, high: Wilson interval of the rate, 0 to 1.
        conclusion: `above` or `below` when the whole interval lies on one side of the benchmark, else `cannot tell`.
    """

    rule: Rule
    n_improved: int
    n: int
    low: float
    high: float
    conclusion: Conclusion


@dataclass(frozen=True, slots=True)
class MethodBadge:
    """Whether a conclusion about a rate survives a change of rule.

    Attributes:
        rates: one for each rule that could be computed; HA needs true variance in change.
        holds: every rule says the same and none says `cannot tell`.
    """

    rates: tuple[RuleRate, ...]
    holds: bool


def method_badge(
    pre: ArrayLike,
    post: ArrayLike,
    *,
    sd: float,
    reliability: float,
    threshold: float,
    direction: Direction,
    benchmark: float,
    confidence: float,
) -> MethodBadge:
    """Does what a rate of reliable improvement says of a benchmark hold under JT, EN, HA and the threshold rule?

    Args:
        pre: start scores, one a client; NaN where there is none.
        post: end scores of the same clients; a client with either missing is left out.
        sd: standard deviation of intake scores for JT and EN, published or local.
        reliability: of the measure.
        threshold: change counted as reliable by the threshold rule, in score units; exactly it counts.
        direction: whether a higher score is better or worse.
        benchmark: the rate to compare with, 0 to 1.
        confidence: two-sided coverage of the intervals, 0 to 1.

    Raises:
        ValueError: fewer than three pairs, scores that do not vary, or figures that cannot be.

    Source: the indices' own; that rates differ by method: Bauer, Lambert & Nielsen 2004, J Pers Assess 82:60-70.
    """
    figures = sample_figures(pre, post)
    first, last = np.asarray(pre, dtype=np.float64), np.asarray(post, dtype=np.float64)
    both = np.isfinite(first) & np.isfinite(last)
    first, last = first[both], last[both]
    rises = (last - first).round(10)
    indices: dict[Rule, NDArray[np.float64]] = {
        "JT": rises / standard_error_of_difference(sd=sd, reliability=reliability),
        "EN": edwards_nunnally_index(first, last, mean=figures.mean_pre, sd=sd, reliability=reliability),
    }
    with contextlib.suppress(ValueError):
        indices["HA"] = change_index(
            first, last, method="HA", figures=figures, reliability=reliability, reliability_post=reliability
        )
    better = better_sign(direction)
    improved: dict[Rule, int] = {
        rule: int((better * index > critical_of(rule)).sum()) for rule, index in indices.items() if rule != "threshold"
    }
    improved["threshold"] = int((better * rises >= threshold).sum())
    rates = tuple(
        _rule_rate(rule, count, figures.n, benchmark=benchmark, confidence=confidence)
        for rule, count in improved.items()
    )
    said = {each.conclusion for each in rates}
    return MethodBadge(rates, holds=len(said) == 1 and "cannot tell" not in said)


def _rule_rate(rule: Rule, n_improved: int, n: int, *, benchmark: float, confidence: float) -> RuleRate:
    lower, upper = wilson_interval(n_improved, n, confidence=confidence)
    low, high = float(lower), float(upper)
    conclusion: Conclusion = "above" if low > benchmark else "below" if high < benchmark else "cannot tell"
    return RuleRate(rule, n_improved, n, low, high, conclusion)
