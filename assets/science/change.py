"""Has a client's score changed reliably, and across the line between clinical and functional?

Belongs here: standard errors, the Jacobson-Truax index, cut-offs a, b and c, the categories that follow from any
index, and pairing a first with a last valid score. Does not belong here: the other published indices
(`change_methods`), one service's official rates (`talking_therapies`), average change of a group (`effect_size`).

Formulas take numbers, arrays or polars expressions alike. Indices are positive when the score rose, whatever the
direction; direction is applied once, in the category. Methods differ on the same clients, so a category is always
told with its method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

import numpy as np
import polars as pl
from numpy import typing as npt
from scipy.special import ndtri

from assets.science.instruments.model import better_sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.science.instruments.model import Direction, Norm

Category = Literal["recovered", "improved", "unchanged", "deteriorated", "harmed", "not evaluable"]
AtCritical = Literal["reliable", "not reliable"]

CATEGORIES: tuple[Category, ...] = get_args(Category)

Number = TypeVar("Number", float, npt.NDArray[np.float64], pl.Expr)
_DECIMALS = 10


def critical_value(*, confidence: float) -> float:
    """The two-sided normal critical value: 1.959964 at .95; 1.96 is what Jacobson & Truax print.

    Raises:
        ValueError: confidence is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"Confidence lies between 0 and 1; {confidence} does not.")
    return float(ndtri((1 + confidence) / 2))


def standard_error_of_measurement(*, sd: float, reliability: float) -> float:
    """How far a score lies from the true one, in score units: sd * sqrt(1 - reliability).

    Raises:
        ValueError: the standard deviation is not above 0, or the reliability not between 0 and 1.
    """
    if not 0 <= reliability < 1:
        raise ValueError("The reliability must be at least 0 and below 1.")
    return _spread(sd) * math.sqrt(1 - reliability)


def standard_error_of_difference(*, sd: float, reliability: float) -> float:
    """How far two scores of an unchanged client lie apart, in score units: sqrt(2) standard errors of measurement.

    Raises:
        ValueError: the standard deviation is not above 0, or the reliability not between 0 and 1.

    Source: Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19, p. 14.
    """
    return math.sqrt(2) * standard_error_of_measurement(sd=sd, reliability=reliability)


def reliable_change_criterion(*, sd: float, reliability: float, critical: float) -> float:
    """The change, in score units, beyond which it is reliable.

    Args:
        sd: standard deviation of intake scores, published or local.
        reliability: of the same measure; internal consistency is what Evans, Margison & Barkham 1998 advise.
        critical: 1.96, or `critical_value(confidence=...)`.

    Raises:
        ValueError: the standard deviation or the critical value is not above 0, or the reliability not between 0 and 1.

    Source: Jacobson & Truax 1991, p. 14.
    """
    if not critical > 0:
        raise ValueError("A critical value is above zero.")
    return critical * standard_error_of_difference(sd=sd, reliability=reliability)


def cut_off_a(*, clinical_mean: float, clinical_sd: float, direction: Direction) -> float:
    """Two clinical standard deviations from the clinical mean towards health, in score units.

    Raises:
        ValueError: the standard deviation is not above 0, or there is no such direction.

    Source: Jacobson & Truax 1991, p. 13.
    """
    return clinical_mean + better_sign(direction) * 2 * _spread(clinical_sd)


def cut_off_b(*, functional_mean: float, functional_sd: float, direction: Direction) -> float:
    """Two functional standard deviations from the functional mean towards illness, in score units.

    Raises:
        ValueError: the standard deviation is not above 0, or there is no such direction.

    Source: Jacobson & Truax 1991, p. 13.
    """
    return functional_mean - better_sign(direction) * 2 * _spread(functional_sd)


def cut_off_c(*, clinical_mean: float, clinical_sd: float, functional_mean: float, functional_sd: float) -> float:
    """Where a score is as likely from either group: each mean weighed by the other's spread; in score units.

    Raises:
        ValueError: a standard deviation is not above 0.

    Source: Jacobson & Truax 1991, p. 13; it has no direction of its own.
    """
    clinical, functional = _spread(clinical_sd), _spread(functional_sd)
    return (clinical * functional_mean + functional * clinical_mean) / (clinical + functional)


@dataclass(frozen=True, slots=True)
class CutOff:
    """A cut-off in score units and which of Jacobson & Truax's criteria gave it."""

    value: float
    criterion: Literal["a", "b", "c"]


def cut_off_from_norms(*, clinical: Norm, functional: Norm | None, direction: Direction) -> CutOff:
    """The criterion that fits: c when the groups overlap, b when they do not, a without functional norms.

    Args:
        clinical: mean and standard deviation of those in treatment, in score units.
        functional: of those who are well; None where nobody has measured them.
        direction: whether a higher score is better or worse.

    Raises:
        ValueError: there is no such direction.

    Groups overlap where the two-standard-deviation reaches of `cut_off_a` and `cut_off_b` pass each other. Source:
    Jacobson & Truax 1991, p. 13.
    """
    a = cut_off_a(clinical_mean=clinical.mean, clinical_sd=clinical.sd, direction=direction)
    if functional is None:
        return CutOff(a, "a")
    b = cut_off_b(functional_mean=functional.mean, functional_sd=functional.sd, direction=direction)
    if better_sign(direction) * (a - b) > 0:
        c = cut_off_c(
            clinical_mean=clinical.mean,
            clinical_sd=clinical.sd,
            functional_mean=functional.mean,
            functional_sd=functional.sd,
        )
        return CutOff(c, "c")
    return CutOff(b, "b")


def jacobson_truax_index(pre: Number, post: Number, *, sd: float, reliability: float) -> Number:
    """JT: change over the standard error of the difference; positive when the score rose.

    Args:
        pre: start score or scores: a number, an array or a polars expression, in score units.
        post: end scores of the same clients.
        sd: standard deviation of intake scores, in score units.
        reliability: of the measure.

    Returns:
        As `pre`, in standard errors; NaN or null where a score is. Beyond 1.96 either way the change is reliable.

    Raises:
        ValueError: the standard deviation is not above 0, or the reliability not between 0 and 1.

    Source: Jacobson & Truax 1991, p. 14.
    """
    return (post - pre) / standard_error_of_difference(sd=sd, reliability=reliability)


def change_category_expr(
    pre: pl.Expr,
    post: pl.Expr,
    *,
    index: pl.Expr,
    critical: float,
    at_critical: AtCritical,
    cut_off: float | None,
    direction: Direction,
) -> pl.Expr:
    """What became of each client, one of `CATEGORIES`.

    Args:
        pre: start scores.
        post: end scores.
        index: a method's index, or the plain change in score units; positive when the score rose.
        critical: its critical value: 1.96 for an index, the reliable change threshold for a plain change.
        at_critical: whether a change of exactly the critical value counts as reliable. Jacobson & Truax ask for more
            than 1.96 (`not reliable`); a whole-number threshold such as the PHQ-9's 6 counts (`reliable`).
        cut_off: in score units, clinical as `Instrument.cut_off` says; None where there is none, and then nobody is
            recovered or harmed.
        direction: whether a higher score is better or worse.

    Returns:
        String: recovered (clinical start, functional end, reliable improvement), improved, unchanged, deteriorated,
        harmed (functional start, clinical end, reliable deterioration), or not evaluable where either score is
        missing, which is never unchanged.

    Raises:
        ValueError: the critical value is not above 0, or there is no such direction.

    Source: Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19; harmed as the clinicalsignificance package for R names
    it.
    """
    if not critical > 0:
        raise ValueError("A critical value is above zero; at zero every client would have changed.")
    gain = (index * better_sign(direction)).round(_DECIMALS)
    limit = round(critical, _DECIMALS)
    better, worse = (gain >= limit, gain <= -limit) if at_critical == "reliable" else (gain > limit, gain < -limit)
    missing = pre.is_null() | post.is_null() | index.is_null() | pre.is_nan() | post.is_nan() | index.is_nan()
    to_functional = to_clinical = pl.lit(False)
    if cut_off is not None:
        was_clinical, is_clinical = (_clinical_expr(each, cut_off=cut_off, direction=direction) for each in (pre, post))
        to_functional, to_clinical = was_clinical & ~is_clinical, ~was_clinical & is_clinical
    return (
        pl.when(missing)
        .then(pl.lit("not evaluable"))
        .when(better & to_functional)
        .then(pl.lit("recovered"))
        .when(worse & to_clinical)
        .then(pl.lit("harmed"))
        .when(better)
        .then(pl.lit("improved"))
        .when(worse)
        .then(pl.lit("deteriorated"))
        .otherwise(pl.lit("unchanged"))
    )


def first_and_last_scores(
    scores: pl.DataFrame,
    *,
    by: Sequence[str],
    at: str,
    tie_break: str,
    score: str,
    starts: str | None,
    ends: str | None,
) -> pl.DataFrame:
    """The first valid score at or after a start and the last valid one within an end, a row for each episode.

    Args:
        scores: one row a rating: the columns below; a score that is null or NaN is not valid.
        by: the columns naming an episode (and measure).
        at: when the rating was made, date or timestamp.
        tie_break: a column that orders ratings made at the same time, such as the rating's id.
        score: the score.
        starts: column holding each episode's start, itself included. Forms before it (a waiting-list screen) are left
            out; None, or a null in the column, is no bound.
        ends: column holding each episode's end, itself included. Forms after it (a follow-up) are left out; None, or
            a null in the column, is no bound.

    Returns:
        `by`, `pre`, `pre_at`, `post`, `post_at` and `n_valid` (Int64). `post` is another rating than `pre`: with one
        valid score it is null, so the client is not evaluable rather than unchanged. Every episode in `scores` has
        its row.

    Source: first and last within the episode as NHS Talking Therapies pairs them (NHS England, annual report metadata).
    """
    valid = pl.col(score).is_not_null() & pl.col(score).cast(pl.Float64).is_not_nan()
    if starts is not None:
        valid &= (pl.col(at) >= pl.col(starts)).fill_null(True)
    if ends is not None:
        valid &= (pl.col(at) <= pl.col(ends)).fill_null(True)
    valid &= pl.col(at).is_not_null()
    kept = scores.filter(valid).sort(*by, at, tie_break)
    is_pair = pl.len() > 1
    pairs = kept.group_by(by, maintain_order=True).agg(
        pl.col(score).cast(pl.Float64).first().alias("pre"),
        pl.col(at).first().alias("pre_at"),
        pl.when(is_pair).then(pl.col(score).cast(pl.Float64).last()).alias("post"),
        pl.when(is_pair).then(pl.col(at).last()).alias("post_at"),
        pl.len().cast(pl.Int64).alias("n_valid"),
    )
    episodes = scores.select(by).unique().sort(by)
    return episodes.join(pairs, on=list(by), how="left", nulls_equal=True, maintain_order="left").with_columns(
        pl.col("n_valid").fill_null(0)
    )


def _clinical_expr(score: pl.Expr, *, cut_off: float, direction: Direction) -> pl.Expr:
    return score >= cut_off if direction == "higher_is_worse" else score < cut_off


def _spread(sd: float) -> float:
    """A standard deviation that can be one."""
    if not 0 < sd < math.inf:
        raise ValueError("The standard deviation must be above zero.")
    return sd
