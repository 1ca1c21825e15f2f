"""Moments in a course of scores: sudden gains and losses, the first reliable improvement, crossing the cut-off.

Belongs here: finding the session at which something happened, in long tables of one score a session. Does not belong
here: falls of the alliance (the rupture module) and what a whole course amounts to (`change`).

Scores are read as severity, their distance from the best score there is, so that one rule serves both directions and
a quarter of the score means the same on a scale and on the same scale turned round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import polars as pl
from scipy import stats

from assets.science.instruments.model import better_sign

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.science.instruments.model import Direction

Kind = Literal["gain", "loss"]
Which = Literal["first", "largest"]

SIDE: Final = 3
"""Sessions looked at on either side of an interval (Tang & DeRubeis 1999)."""

LEAST: Final = 2
"""Scores needed on either side for the third criterion."""


def with_every_session(scores: pl.DataFrame, *, by: Sequence[str], session: str) -> pl.DataFrame:
    """The scores with a row for every session number from each course's first to its last, absent ones null.

    Args:
        scores: one row a session at most.
        by: the columns naming a course.
        session: whole session number.

    Raises:
        ValueError: a course has two rows for one session, or a row has no session.
    """
    if scores[session].null_count():
        raise ValueError("A score has no session number, so it has no place in its course.")
    if scores.select(*by, session).is_duplicated().any():
        raise ValueError("A course has two scores for one session; keep one before looking for milestones.")
    grid = (
        scores.group_by(by)
        .agg(pl.int_ranges(pl.col(session).min(), pl.col(session).max() + 1).alias(session).first())
        .explode(session)
        .with_columns(pl.col(session).cast(scores.schema[session]))
    )
    return grid.join(scores, on=[*by, session], how="left", nulls_equal=True).sort(*by, session)


def sudden_changes(
    scores: pl.DataFrame,
    *,
    by: Sequence[str],
    session: str,
    score: str,
    kind: Kind,
    direction: Direction,
    best_score: float,
    threshold: float,
    fraction: float | None,
    alpha: float | None,
) -> pl.DataFrame:
    """Which between-session intervals are sudden gains (or losses), by the three criteria of Tang & DeRubeis.

    Args:
        scores: one row a session; sessions may be absent or their score null.
        by: the columns naming a course.
        session: whole session number.
        score: the score.
        kind: `gain` for improvement, `loss` for worsening.
        direction: whether a higher score is better or worse.
        best_score: the best score there is: 0 on the PHQ-9 or BDI, 40 on the ORS.
        threshold: criterion 1, the least change in score units; exactly it counts.
        fraction: criterion 2, the least change as a share of the severity before it (.25); exactly it counts. None
            leaves it out.
        alpha: criterion 3: the means of up to three scores before and after differ by more than the two-sided t value
            times the pooled standard deviation, without the square root of the numbers, as published; two scores on
            either side are needed. None leaves it out.

    Returns:
        One row for each interval of consecutive session numbers, those with absent scores included: `by`, the session
        before it, `before` and `after` (scores), `is_large`, `is_large_share`, `is_stable` (the three criteria),
        `is_sudden`. A criterion is null where scores it needs are absent, and `is_sudden` is null wherever any
        criterion asked for is.

    Raises:
        ValueError: a course has two rows for one session; the kind or direction is unknown, the threshold not above 0, the
            share negative, or alpha not between 0 and 1.

    Source: Tang & DeRubeis 1999, J Consult Clin Psychol 67:894-904; t values for absent scores as Lutz et al. 2013.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"Kind {kind!r} is not one of {', '.join(get_args(Kind))}.")
    if not threshold > 0 or (fraction is not None and fraction < 0) or (alpha is not None and not 0 < alpha < 1):
        raise ValueError("The threshold lies above 0, the share is 0 or more, and alpha lies between 0 and 1.")
    sign = float(-better_sign(direction))
    course = with_every_session(scores, by=by, session=session).with_columns(
        (sign * (pl.col(score).cast(pl.Float64).fill_nan(None) - best_score)).alias("severity")
    )
    columns = [pl.col("severity").shift(-lag).over(by).alias(f"at_{lag}") for lag in range(1 - SIDE, SIDE + 1)]
    before = [f"at_{lag}" for lag in range(1 - SIDE, 1)]
    after = [f"at_{lag}" for lag in range(1, SIDE + 1)]
    drop = (pl.col("at_0") - pl.col("at_1")) * (1 if kind == "gain" else -1)
    criteria = {"is_large": drop.round(10) >= threshold}
    if fraction is not None:
        criteria["is_large_share"] = (drop - fraction * pl.col("at_0")).round(10) >= 0
    if alpha is not None:
        criteria["is_stable"] = _is_stable_expr(before, after, kind=kind, alpha=alpha)
    is_known = pl.all_horizontal(pl.col(name).is_not_null() for name in criteria)
    is_last = pl.col(session) == pl.col(session).max().over(by)
    return (
        course.with_columns(columns)
        .with_columns(expression.alias(name) for name, expression in criteria.items())
        .filter(~is_last)
        .select(
            *by,
            session,
            (sign * pl.col("at_0") + best_score).alias("before"),
            (sign * pl.col("at_1") + best_score).alias("after"),
            *(pl.col(name) if name in criteria else pl.lit(None, dtype=pl.Boolean).alias(name) for name in _CRITERIA),
            pl.when(is_known).then(pl.all_horizontal(criteria.keys())).alias("is_sudden"),
        )
    )


def described_sudden_changes(
    intervals: pl.DataFrame,
    scores: pl.DataFrame,
    *,
    by: Sequence[str],
    session: str,
    score: str,
    start: int | None,
    end: int | None,
) -> pl.DataFrame:
    """The sudden changes among the intervals: their size, their share of the whole change, whether they reversed.

    Args:
        intervals: of `sudden_changes`.
        scores: the scores they were found in.
        by: the columns naming a course.
        session: whole session number.
        score: the score.
        start: session whose score starts the whole change; None for each course's first valid score.
        end: session whose score ends it; None for each course's last valid score.

    Returns:
        One row a sudden change: `by`, session, `before`, `after`, `magnitude` (before less after, so negative where
        scores rose), `n_in_course`, `whole_change` (start less end), `share_of_whole` (null where the whole change is
        nought), `reversal_score` (half the change undone), `is_reversed` (some later score, from the second after,
        lies beyond it). Scores and magnitudes are in score units.

    Source: Tang & DeRubeis 1999, p. 895, on reversals; as the suddengains package (Wiedemann et al. 2020) computes them.
    """
    valid = scores.with_columns(pl.col(score).cast(pl.Float64).fill_nan(None)).filter(pl.col(score).is_not_null())
    ordered = valid.sort(*by, session)
    first = ordered if start is None else ordered.filter(pl.col(session) == start)
    last = ordered if end is None else ordered.filter(pl.col(session) == end)
    found = (
        intervals.filter(pl.col("is_sudden"))
        .select(*by, session, "before", "after")
        .join(
            first.group_by(by).agg(pl.col(score).first().alias("start_score")),
            on=list(by),
            how="left",
            nulls_equal=True,
        )
        .join(last.group_by(by).agg(pl.col(score).last().alias("end_score")), on=list(by), how="left", nulls_equal=True)
        .with_columns(
            (pl.col("before") - pl.col("after")).alias("magnitude"),
            pl.len().over(by).cast(pl.Int64).alias("n_in_course"),
            (pl.col("start_score") - pl.col("end_score")).alias("whole_change"),
            ((pl.col("before") + pl.col("after")) / 2).alias("reversal_score"),
        )
        .with_columns(
            pl.when(pl.col("whole_change") != 0)
            .then(pl.col("magnitude") / pl.col("whole_change"))
            .alias("share_of_whole")
        )
    )
    later = valid.select(*by, pl.col(session).alias("later_session"), pl.col(score).alias("later_score"))
    beyond = (pl.col("later_score") - pl.col("reversal_score")) * pl.col("magnitude") > 0
    reversed_ones = (
        found.join(later, on=list(by), nulls_equal=True)
        .filter((pl.col("later_session") >= pl.col(session) + 2) & beyond)
        .select(*by, session)
        .unique()
        .with_columns(pl.lit(True).alias("is_reversed"))
    )
    return (
        found.join(reversed_ones, on=[*by, session], how="left", nulls_equal=True)
        .with_columns(pl.col("is_reversed").fill_null(False))
        .drop("start_score", "end_score")
        .sort(*by, session)
    )


def one_per_course(changes: pl.DataFrame, *, by: Sequence[str], session: str, which: Which) -> pl.DataFrame:
    """One sudden change of each course: the first, or the largest (the earlier of two as large).

    Args:
        changes: of `described_sudden_changes`.
        by: the columns naming a course.
        session: whole session number.
        which: `first` or `largest`.

    Returns:
        The rows of `changes`, at most one a course, sorted by it.

    Source: as the suddengains package (Wiedemann et al. 2020, PLOS ONE 15:e0230276) chooses.
    """
    order = [] if which == "first" else [-pl.col("magnitude").abs()]
    return changes.sort(*by, *order, session).unique(subset=list(by), keep="first", maintain_order=True)


def first_reliable_improvement(
    scores: pl.DataFrame, *, by: Sequence[str], session: str, score: str, direction: Direction, threshold: float
) -> pl.DataFrame:
    """The first session whose score is reliably better than the course's first valid score.

    Args:
        scores: one row a session; a null or NaN score is not valid and neither makes nor unmakes a milestone.
        by: the columns naming a course.
        session: whole session number.
        score: the score.
        direction: whether a higher score is better or worse.
        threshold: change in score units counted as reliable; exactly it counts.

    Returns:
        One row a course with a valid score: `by`, `reached_in` (session; null if not reached by the last score, which
        for an open course means not yet), `is_held` (every later valid score is reliably better too; null if not
        reached), `last_session` (of a valid score, where observation ends).

    Raises:
        ValueError: the threshold is not above 0, or there is no such direction.

    Source: reliable as Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19.
    """
    if not threshold > 0:
        raise ValueError("The threshold lies above 0.")
    sign = float(better_sign(direction))
    first = pl.col("valid_score").first().over(by, order_by=session)
    is_there = (sign * (pl.col("valid_score") - first)).round(10) >= threshold
    return _first_time(scores, by=by, session=session, score=score, is_there=is_there, may_start=pl.lit(True))


def first_crossing(
    scores: pl.DataFrame, *, by: Sequence[str], session: str, score: str, direction: Direction, cut_off: float
) -> pl.DataFrame:
    """The first session on the functional side of the cut-off, for courses that started on the clinical side.

    Args:
        scores: one row a session; a null or NaN score is not valid.
        by: the columns naming a course.
        session: whole session number.
        score: the score.
        direction: whether a higher score is better or worse.
        cut_off: in score units: clinical at or above it where higher is worse, below it where higher is better.

    Returns:
        As `first_reliable_improvement`; a course that started functional has nothing to cross and no row.

    Raises:
        ValueError: there is no such direction.

    Source: the second criterion of Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19.
    """
    score_of = pl.col("valid_score")
    clinical = score_of < cut_off if better_sign(direction) > 0 else score_of >= cut_off
    may_start = clinical.first().over(by, order_by=session)
    return _first_time(scores, by=by, session=session, score=score, is_there=~clinical, may_start=may_start)


_CRITERIA: Final = ("is_large", "is_large_share", "is_stable")


def _first_time(
    scores: pl.DataFrame, *, by: Sequence[str], session: str, score: str, is_there: pl.Expr, may_start: pl.Expr
) -> pl.DataFrame:
    """When a state over `valid_score` was first reached in each course, and whether it lasted."""
    valid = scores.with_columns(pl.col(score).cast(pl.Float64).fill_nan(None).alias("valid_score"))
    states = (
        valid.filter(pl.col("valid_score").is_not_null())
        .sort(*by, session)
        .with_columns(is_there.alias("is_there"), may_start.alias("may_start"))
    )
    reached = pl.col(session).filter(pl.col("is_there")).min()
    lapsed = pl.col(session).filter(~pl.col("is_there")).max()
    return (
        states.filter(pl.col("may_start"))
        .group_by(by)
        .agg(
            reached.alias("reached_in"),
            pl.when(reached.is_not_null()).then((lapsed < reached).fill_null(True)).alias("is_held"),
            pl.col(session).max().alias("last_session"),
        )
        .sort(by)
    )


def _is_stable_expr(before: list[str], after: list[str], *, kind: Kind, alpha: float) -> pl.Expr:
    """Criterion 3: the means before and after differ by more than the scatter within them explains."""
    n_before, n_after = (_count_expr(columns) for columns in (before, after))
    mean_before, mean_after = pl.mean_horizontal(before), pl.mean_horizontal(after)
    squares = _squares_expr(before, mean_before) + _squares_expr(after, mean_after)
    critical = {df: float(stats.t.isf(alpha / 2, df)) for df in range(2 * LEAST - 2, 2 * SIDE - 1)}
    df = n_before + n_after - 2
    limit = df.replace_strict(critical, default=None, return_dtype=pl.Float64) * (squares / df).sqrt()
    fall = (mean_before - mean_after) * (1 if kind == "gain" else -1)
    return pl.when((n_before >= LEAST) & (n_after >= LEAST)).then(fall > limit)


def _count_expr(columns: list[str]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(column).is_not_null().cast(pl.Int64) for column in columns)


def _squares_expr(columns: list[str], mean: pl.Expr) -> pl.Expr:
    return pl.sum_horizontal((pl.col(column) - mean).pow(2).fill_null(0.0) for column in columns)
