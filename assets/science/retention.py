"""Staying in treatment: curves of time to an ending, with intervals, planned and unplanned endings kept apart.

Here: Kaplan-Meier and Aalen-Johansen curves, of one group or of many at once, and the log-rank test. Not here: what goes with leaving
(`assets.science.leaving`), and definitions of drop-out (`assets.science.attendance`).

Time is counted in attended sessions. Open episodes are censored at their last session, not ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def kaplan_meier(times: ArrayLike, events: ArrayLike, *, confidence: float) -> pl.DataFrame:
    """Share still without the event, by time, with log-log intervals.

    Args:
        times: Time to the event or to censoring, above 0; one dimension.
        events: Whether the event happened, same length. Whoever is censored at a time is at risk of events at it.
        confidence: Two-sided coverage.

    Returns:
        One row a distinct time: `time`, `at_risk`, `events`, `censored`, `survival`, `lower`, `upper`. Bounds are null
        where the estimate is 0 or 1, where the log-log interval has no width to give.

    Raises:
        ValueError: If a time is not above 0 or lengths differ.

    Source: Kaplan & Meier 1958, J Am Stat Assoc 53:457-481; interval on log(-log S), Kalbfleisch & Prentice 2002,
    section 1.4, with Greenwood's variance.
    """
    time, happened = _times(times, np.asarray(events, dtype=bool))
    moment, at_risk, counts = _table(time, happened[None, :])
    died = counts[0]
    survival = np.cumprod(1 - died / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.cumsum(died / (at_risk * (at_risk - died)))
        reach = np.exp(_z(confidence) * np.sqrt(variance) / np.abs(np.log(survival)))
        lower, upper = survival**reach, survival ** (1 / reach)
    has_width = (survival > 0) & (survival < 1)
    return pl.DataFrame(
        {
            "time": moment,
            "at_risk": at_risk.astype(np.int64),
            "events": died.astype(np.int64),
            "censored": _leavers(time, moment) - died.astype(np.int64),
            "survival": survival,
            "lower": pl.Series(np.where(has_width, lower, np.nan)).fill_nan(None),
            "upper": pl.Series(np.where(has_width, upper, np.nan)).fill_nan(None),
        }
    )


def aalen_johansen(
    times: ArrayLike, outcomes: Sequence[str | None], *, causes: Sequence[str], confidence: float
) -> pl.DataFrame:
    """Share that has ended for each cause, by time, causes competing, with intervals.

    One minus a Kaplan-Meier curve of unplanned endings would count those who ended as planned as if they could still
    leave. Here they cannot.

    Args:
        times: Time to the ending or to censoring, above 0; one dimension.
        outcomes: The cause of each ending, or null for censored, same length.
        causes: The causes, in the order wanted.
        confidence: Two-sided coverage.

    Returns:
        One row a distinct time: `time`, `at_risk`, `in_treatment` (share that has not ended), and for every cause
        `cause`, `cause_lower`, `cause_upper`; bounds are null where the share is 0 or 1. Shares add up to 1.

    Raises:
        ValueError: If a time is not above 0, lengths differ, or an outcome is not among the causes.

    Source: Aalen & Johansen 1978, Scand J Stat 5:141-150; variance by the delta method and interval on log(-log),
    Marubini & Valsecchi 1995, Analysing Survival Data, chapter 10.
    """
    named = np.array(["" if outcome is None else outcome for outcome in outcomes], dtype=np.str_)
    if not np.isin(named, ["", *causes]).all():
        raise ValueError("every outcome must be one of the causes, or null for censored")
    time, _ = _times(times, named != "")
    moment, at_risk, counts = _table(time, np.array([named == cause for cause in causes], dtype=bool))
    ended = counts.sum(axis=0)
    staying = np.cumprod(1 - ended / at_risk)
    before = np.concatenate([[1.0], staying[:-1]])
    columns = {"time": moment, "at_risk": at_risk.astype(np.int64), "in_treatment": staying}
    with np.errstate(divide="ignore", invalid="ignore"):
        # Nobody is left after the last of all has ended, so that moment's term never counts.
        greenwood = np.where(ended < at_risk, ended / (at_risk * (at_risk - ended)), 0.0)
    for cause, own in zip(causes, counts, strict=True):
        share = np.cumsum(before * own / at_risk)
        step = before * own / at_risk**2
        # Sums over earlier moments of (share - share then)^2, multiplied out so that one pass does.
        variance = (
            share**2 * np.cumsum(greenwood)
            - 2 * share * np.cumsum(share * greenwood)
            + np.cumsum(share**2 * greenwood)
            + np.cumsum(before**2 * own * (at_risk - own) / at_risk**3)
            - 2 * (share * np.cumsum(step) - np.cumsum(share * step))
        )
        has_width = (share > 0) & (share < 1 - _HAIR)
        with np.errstate(all="ignore"):
            reach = np.exp(_z(confidence) * np.sqrt(np.maximum(variance, 0)) / np.abs(share * np.log(share)))
            bounds = {"lower": share**reach, "upper": share ** (1 / reach)}
        columns[cause] = share
        columns |= {f"{cause}_{side}": np.where(has_width, bound, np.nan) for side, bound in bounds.items()}
    return pl.DataFrame(columns).with_columns(pl.selectors.ends_with("_lower", "_upper").fill_nan(None))


def curves_by_group(
    episodes: pl.DataFrame, *, by: Sequence[str], causes: Sequence[str], confidence: float
) -> pl.DataFrame:
    """The curves of `kaplan_meier` and `aalen_johansen` for many groups at once, at every session number.

    Args:
        episodes: One row an episode and group it belongs to: the columns of `by`, `sessions` (attended, 1 or more) and
            `outcome` (one of the causes; null while open, which is censored).
        by: Columns that name a group.
        causes: The ways in which an episode can end.
        confidence: Two-sided coverage.

    Returns:
        One row a group, curve and session number from 1 to the group's longest, sorted by the first two in the order
        `in_treatment` and then the causes: `by`, `curve`, `session_number`, `share`, `lower`, `upper` (null where the
        share is 0 or 1), `at_risk`, `endings`, `censored`, `episodes`. Shares of a group's curves at a session add up
        to 1.

    Raises:
        ValueError: If an episode has no session, or an outcome is not among the causes.
    """
    if (episodes["sessions"] < 1).any():
        raise ValueError("an episode without a session has no time to an ending; leave it out, and count it")
    if not episodes["outcome"].drop_nulls().is_in(list(causes)).all():
        raise ValueError("every outcome must be one of the causes, or null for censored")
    counted = _counts_at_every_session(episodes, by=by, causes=causes)
    z = _z(confidence)
    own, died, n = list(by), pl.col("_ended"), pl.col("at_risk")
    staying = counted.with_columns(
        _staying=(1 - died / n).cum_prod().over(own),
        # Where everybody left ends, nobody stays and the term stands for no one.
        _greenwood=pl.when(died < n).then(died / (n * (n - died))).otherwise(0.0),
    ).with_columns(_before=pl.col("_staying").shift(1, fill_value=1.0).over(own))
    kept = [*own, "session_number", "at_risk", "censored", "episodes"]
    share = pl.col("_staying")
    parts = [
        staying.select(
            *kept,
            curve=pl.lit("in_treatment"),
            endings=died,
            share=share,
            _reach=(z * pl.col("_greenwood").cum_sum().over(own).sqrt() / share.log().abs()).exp(),
        )
    ]
    for cause in causes:
        ended, before, spread = pl.col(cause), pl.col("_before"), pl.col("_greenwood")
        step = before * ended / n**2
        with_share = staying.with_columns(_share=(before * ended / n).cum_sum().over(own))
        share = pl.col("_share")
        variance = (
            share**2 * spread.cum_sum().over(own)
            - 2 * share * (share * spread).cum_sum().over(own)
            + (share**2 * spread).cum_sum().over(own)
            + (before**2 * ended * (n - ended) / n**3).cum_sum().over(own)
            - 2 * (share * step.cum_sum().over(own) - (share * step).cum_sum().over(own))
        )
        reach = (z * variance.clip(0).sqrt() / (share * share.log()).abs()).exp()
        parts.append(with_share.select(*kept, curve=pl.lit(cause), endings=ended, share=share, _reach=reach))
    order = pl.Enum(["in_treatment", *causes])
    share, reach = pl.col("share"), pl.col("_reach")
    has_width = (share > _HAIR) & (share < 1 - _HAIR)
    return (
        pl.concat(parts)
        .with_columns(
            pl.col("curve").cast(order),
            lower=pl.when(has_width).then(pl.min_horizontal(share**reach, share ** (1 / reach))),
            upper=pl.when(has_width).then(pl.max_horizontal(share**reach, share ** (1 / reach))),
        )
        .sort(*own, "curve", "session_number")
        .select(
            *own,
            pl.col("curve").cast(pl.String),
            "session_number",
            "share",
            "lower",
            "upper",
            pl.col("at_risk", "endings", "censored", "episodes").cast(pl.Int64),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRank:
    """Whether groups leave at different rates over the whole of the time seen.

    Attributes:
        groups: Names, sorted.
        observed: Events in each group.
        expected: Events each would have had if all left alike.
        chi_squared: The statistic; NaN where nothing can differ.
        p_value: Its p value, with one degree of freedom less than there are groups.
    """

    groups: tuple[str, ...]
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    chi_squared: float
    p_value: float


def log_rank(times: ArrayLike, events: ArrayLike, groups: Sequence[str]) -> LogRank:
    """Compare curves of groups known at the start, such as low and high alliance at a landmark.

    Args:
        times: As `kaplan_meier`.
        events: As `kaplan_meier`.
        groups: Name of each one's group, same length; nothing that became known later.

    Returns:
        Observed and expected events and the test that they agree.

    Raises:
        ValueError: If a time is not above 0 or lengths differ.

    Source: Mantel 1966, Cancer Chemother Rep 50:163-170; Peto & Peto 1972, J R Stat Soc A 135:185-206.
    """
    time, happened = _times(times, np.asarray(events, dtype=bool))
    group = np.array(list(groups), dtype=np.str_)
    if group.shape != time.shape:
        raise ValueError("times and groups differ in length")
    names = np.unique(group)
    moment, at_risk, counts = _table(time, happened[None, :])
    died = counts[0]
    # Of each group, how many are at risk at each distinct time of all.
    shares = np.array([[(time[group == name] >= t).sum() for t in moment] for name in names]).reshape(
        names.size, moment.size
    )
    shares = shares / at_risk
    observed = np.array([float(happened[group == name].sum()) for name in names])
    expected = shares @ died
    spread = np.where(at_risk > 1, died * (at_risk - died) / np.maximum(at_risk - 1, 1), 0.0)
    covariance = np.diag(shares @ spread) - (shares * spread) @ shares.T
    difference = (observed - expected)[1:]
    # One group follows from the others; without it the covariance has an inverse, if anything can differ at all.
    rest = covariance[1:, 1:]
    can_differ = names.size > 1 and np.linalg.matrix_rank(rest) == names.size - 1
    statistic = float(difference @ np.linalg.solve(rest, difference)) if can_differ else float("nan")
    return LogRank(
        groups=tuple(names.tolist()),
        observed=tuple(observed.tolist()),
        expected=tuple(expected.tolist()),
        chi_squared=statistic,
        p_value=float(stats.chi2.sf(statistic, names.size - 1)) if can_differ else float("nan"),
    )


# Shares are sums of products, so that of everybody can miss 1 in its last digit.
_HAIR: Final = 1e-12


def _z(confidence: float) -> float:
    return float(stats.norm.isf((1 - confidence) / 2))


def _times(times: ArrayLike, happened: NDArray[np.bool_]) -> tuple[Floats, NDArray[np.bool_]]:
    """Take times as floats beside the events, refusing impossible ones without repeating them."""
    time = np.asarray(times, dtype=np.float64)
    if time.shape != happened.shape:
        raise ValueError("times and endings differ in length")
    if not np.all(time > 0):
        raise ValueError("every time must be above 0; whoever had no session has no time to an ending")
    return time, happened


def _table(time: Floats, happened: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Distinct times, how many are at risk at each, and how many events of each kind (rows) happen at each."""
    moment, place = np.unique(time, return_inverse=True)
    at_risk = time.size - np.concatenate([[0], np.cumsum(np.bincount(place, minlength=moment.size))[:-1]])
    counts = np.array([np.bincount(place[own], minlength=moment.size) for own in happened], dtype=np.float64)
    return moment, at_risk[: moment.size].astype(np.float64), counts.reshape(len(happened), moment.size)


def _leavers(time: Floats, moment: Floats) -> NDArray[np.int64]:
    """How many times end at each distinct time."""
    return np.bincount(np.searchsorted(moment, time), minlength=moment.size).astype(np.int64)


def _counts_at_every_session(episodes: pl.DataFrame, *, by: Sequence[str], causes: Sequence[str]) -> pl.DataFrame:
    """Who reached each session number of each group, and what became of those for whom it was the last so far."""
    own = list(by)
    ends = [(pl.col("outcome") == cause).sum().cast(pl.Float64).alias(cause) for cause in causes]
    last = episodes.group_by(*own, session_number=pl.col("sessions").cast(pl.Int64)).agg(
        *ends, _leaving=pl.len().cast(pl.Float64), _ended=pl.col("outcome").count().cast(pl.Float64)
    )
    groups = last.group_by(own).agg(
        session_number=pl.int_range(1, pl.col("session_number").max() + 1), episodes=pl.col("_leaving").sum()
    )
    every = groups.explode("session_number", empty_as_null=False, keep_nulls=False)
    leaving = pl.col("_leaving")
    return (
        every.join(last, on=[*own, "session_number"], how="left")
        .with_columns(pl.col(*causes, "_leaving", "_ended").fill_null(0.0))
        .sort(*own, "session_number")
        .with_columns(
            at_risk=pl.col("episodes") - (leaving.cum_sum() - leaving).over(own), censored=leaving - pl.col("_ended")
        )
    )
