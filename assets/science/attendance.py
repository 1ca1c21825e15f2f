"""Attendance: what became of appointments, waits and gaps, and drop-out under four definitions side by side.

Here: counts and rates of appointment statuses with their denominators said, sessions and the gaps between them, the
wait for the first, and who dropped out. Not here: time to an ending (`assets.science.retention`), and joins of
appointments to clinicians (the marts). Appointments the clinic cancelled are kept apart: they say nothing about the
client.

Frames:
    appointments: `episode_id`, `case_id`, `starts_at` (timestamp in the clinic's zone: days are its dates), `status`
        (one of the contract's; null while booked).
    episodes: `episode_id`, `referred_on`, `started_on`, `ended_on` (dates), `end_reason` (`planned`, `unplanned` or
        null where nobody said). An episode without `ended_on` is open: censored, not ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from assets.contracts.vocabulary import STATUSES
from assets.science.funnel import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

MISSED: Final = ("did_not_attend", "late_not_seen")
"""Missed without notice; arriving too late to be seen counts with them, as in NHS attendance codes 3 and 7."""

RATES: Final = {
    "attended_of_offered": (("attended",), ("attended", "did_not_attend", "late_not_seen", "cancelled_by_client")),
    "missed_of_booked": (MISSED, STATUSES),
    "missed_of_due": (MISSED, ("attended", *MISSED)),
    "cancelled_by_client_of_offered": (
        ("cancelled_by_client",),
        ("attended", "did_not_attend", "late_not_seen", "cancelled_by_client"),
    ),
    "cancelled_by_clinic_of_booked": (("cancelled_by_clinic",), STATUSES),
}
"""Each rate: the statuses in its numerator, and in its denominator."""

DENOMINATORS: Final = {
    "attended_of_offered": "appointments the clinic did not cancel",
    "missed_of_booked": "all booked appointments, as NHS Talking Therapies counts did-not-attend",
    "missed_of_due": "appointments nobody cancelled, as hospital outpatient statistics count did-not-attend",
    "cancelled_by_client_of_offered": "appointments the clinic did not cancel",
    "cancelled_by_clinic_of_booked": "all booked appointments",
}
"""What each rate is a share of, to be said wherever it is shown."""

DEFINITIONS: Final = {
    "is_judged_unplanned": "the clinician recorded an unplanned end",
    "has_few_sessions": "ended with fewer sessions than the number declared",
    "ended_on_missed": "the last appointment was missed and none was booked after it",
    "has_no_reliable_improvement": "ended without reliable improvement",
}
"""The four definitions of drop-out, and what each says. Rates differ by definition (Swift & Greenberg 2012)."""


def attendance_rates(appointments: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """Count what became of appointments, and give each rate with its denominator and interval.

    Args:
        appointments: As the module says, with the columns of `by`. Booked ones (null status) are not counted.
        by: Columns to group by; empty for one row a rate.
        confidence: Two-sided coverage of the Wilson intervals. They take appointments as independent; those of one
            client are not, so true intervals are wider.

    Returns:
        One row a group and rate: `by`, `rate_name` (a key of `RATES`), `denominator` (in words), `events`,
        `appointments`, `rate` (0 to 1; null where there is none to count), `lower`, `upper`.

    Raises:
        ValueError: If a status is not one of the contract's.

    Source: NHS Talking Therapies metadata (did-not-attend over all appointments); NHS England, Hospital Outpatient
    Activity (over appointments not cancelled).
    """
    settled = _settled(appointments)
    counts = [
        pl.struct(
            rate_name=pl.lit(name),
            denominator=pl.lit(DENOMINATORS[name]),
            events=pl.col("status").is_in(numerator).sum().cast(pl.Int64),
            appointments=pl.col("status").is_in(denominator).sum().cast(pl.Int64),
        )
        for name, (numerator, denominator) in RATES.items()
    ]
    return _with_rate(_counted(settled, counts, by=by), events="events", totals="appointments", confidence=confidence)


def sessions_and_gaps(appointments: pl.DataFrame) -> pl.DataFrame:
    """Number the attended appointments of each episode, with the days since the session before.

    Returns:
        One row a session, sorted: `episode_id`, `case_id`, `starts_at`, `session_number` (from 1), `gap_days` (whole
        days by the calendar; null for the first).
    """
    attended = (
        _settled(appointments)
        .filter(pl.col("status") == "attended")
        .sort("episode_id", "starts_at", maintain_order=True)
    )
    return attended.select(
        "episode_id",
        "case_id",
        "starts_at",
        session_number=pl.int_range(1, pl.len() + 1).over("episode_id").cast(pl.Int64),
        gap_days=pl.col("starts_at").dt.date().diff().over("episode_id").dt.total_days(),
    )


def gaps_by_episode(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sum up gaps: one row an episode with `sessions`, `median_gap_days`, `longest_gap_days` (null with one session).

    Args:
        sessions: What `sessions_and_gaps` returned.
    """
    return (
        sessions.group_by("episode_id")
        .agg(
            sessions=pl.len().cast(pl.Int64),
            median_gap_days=pl.col("gap_days").median(),
            longest_gap_days=pl.col("gap_days").max(),
        )
        .sort("episode_id")
    )


def wait_for_first_session(episodes: pl.DataFrame, appointments: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """Days from referral to the first attended appointment; those still waiting are censored, not left out.

    Args:
        episodes: As the module says.
        appointments: As the module says.
        as_of: The day up to which the data are known; those waiting have waited until then.

    Returns:
        One row an episode, sorted: `episode_id`, `wait_days` (to the first session, to the end of an episode that ended
        without one, or to `as_of`), `was_seen`, and `outcome`: `seen`, `ended_unseen` or `waiting`. `wait_days` is null
        where the referral date is missing, or lies after the day it is counted to.
    """
    first = (
        _settled(appointments)
        .filter(pl.col("status") == "attended")
        .group_by("episode_id")
        .agg(_first=pl.col("starts_at").min().dt.date())
    )
    until = pl.coalesce("_first", "ended_on", pl.lit(as_of))
    days = (until - pl.col("referred_on")).dt.total_days()
    return (
        episodes.join(first, on="episode_id", how="left")
        .select(
            "episode_id",
            wait_days=pl.when(days >= 0).then(days),
            was_seen=pl.col("_first").is_not_null(),
            outcome=pl.when(pl.col("_first").is_not_null())
            .then(pl.lit("seen"))
            .when(pl.col("ended_on").is_not_null())
            .then(pl.lit("ended_unseen"))
            .otherwise(pl.lit("waiting")),
        )
        .sort("episode_id")
    )


def drop_out(
    episodes: pl.DataFrame,
    appointments: pl.DataFrame,
    improvement: pl.DataFrame,
    *,
    fewest_sessions: int,
    missed: Collection[str],
) -> pl.DataFrame:
    """Say of each episode whether it ended in drop-out, under each of the four definitions.

    Open episodes are censored: null under every definition. An ended one is null where the definition cannot be
    answered: nobody recorded the reason, no appointment was due, or improvement could not be evaluated.

    Args:
        episodes: As the module says.
        appointments: As the module says. Those the clinic cancelled are set aside before the last one is looked up;
            a booked one after a missed one (null status) means that another was booked.
        improvement: `episode_id` and `is_reliably_improved` (null, or no row: not evaluable).
        fewest_sessions: Fewer attended appointments than this are few; at least 1.
        missed: Statuses that count as a missed last appointment; `MISSED`, with or without `cancelled_by_client`.

    Returns:
        One row an episode, sorted: `episode_id`, `is_open`, `sessions`, and the keys of `DEFINITIONS`, each true, false
        or null.

    Raises:
        ValueError: If a choice is out of range, a status is not one of the contract's, or an episode's improvement is
            said twice.

    Source: Swift & Greenberg 2012, J Consult Clin Psychol 80:547-559, on definitions; Hatchett & Park 2003,
    Psychotherapy 40:226-231, on the last appointment missed.
    """
    if fewest_sessions < 1:
        raise ValueError("fewest_sessions must be at least 1")
    if improvement["episode_id"].is_duplicated().any():
        raise ValueError("an episode stands twice in improvement; say once whether it improved")
    if not missed or not set(missed) <= set(STATUSES) - {"attended", "cancelled_by_clinic"}:
        raise ValueError("missed must name client-side statuses other than attended")
    clients = (
        pl.concat([_settled(appointments), appointments.filter(pl.col("status").is_null())])
        .filter(pl.col("status").is_null() | (pl.col("status") != "cancelled_by_clinic"))
        .sort("episode_id", "starts_at", maintain_order=True)
        .group_by("episode_id")
        .agg(
            sessions=(pl.col("status") == "attended").sum().cast(pl.Int64),
            _last_was_missed=pl.col("status").is_in(list(missed)).fill_null(value=False).last(),
        )
    )
    is_ended = pl.col("ended_on").is_not_null()
    sessions = pl.col("sessions").fill_null(0)
    answers = {
        "is_judged_unplanned": pl.col("end_reason") == "unplanned",
        "has_few_sessions": sessions < fewest_sessions,
        "ended_on_missed": pl.col("_last_was_missed"),
        "has_no_reliable_improvement": ~pl.col("is_reliably_improved"),
    }
    return (
        episodes.join(clients, on="episode_id", how="left")
        .join(improvement.select("episode_id", "is_reliably_improved"), on="episode_id", how="left")
        .select(
            "episode_id",
            is_open=~is_ended,
            sessions=sessions,
            **{name: pl.when(is_ended).then(answer) for name, answer in answers.items()},
        )
        .sort("episode_id")
    )


def drop_out_rates(dropped: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """Put the four definitions side by side, each with its own denominator and interval.

    Args:
        dropped: What `drop_out` returned, with the columns of `by` joined on.
        by: Columns to group by; empty for one row a definition.
        confidence: Two-sided coverage of the Wilson intervals.

    Returns:
        One row a group and definition: `by`, `definition` (a key of `DEFINITIONS`), `meaning`, `open_episodes`,
        `not_evaluable` (ended, unanswered), `events`, `episodes` (ended and answered: the denominator), `rate`,
        `lower`, `upper`.
    """
    counts = [
        pl.struct(
            definition=pl.lit(name),
            meaning=pl.lit(meaning),
            open_episodes=pl.col("is_open").sum().cast(pl.Int64),
            not_evaluable=(pl.col(name).is_null() & ~pl.col("is_open")).sum().cast(pl.Int64),
            events=pl.col(name).sum().cast(pl.Int64),
            episodes=pl.col(name).count().cast(pl.Int64),
        )
        for name, meaning in DEFINITIONS.items()
    ]
    return _with_rate(_counted(dropped, counts, by=by), events="events", totals="episodes", confidence=confidence)


def _counted(rows: pl.DataFrame, counts: Sequence[pl.Expr], *, by: Sequence[str]) -> pl.DataFrame:
    """A row for each group and count; without groups a row a count, be there any rows or none."""
    listed = pl.concat_list(counts).alias("counts")
    grouped = rows.group_by(by).agg(listed).sort(by) if by else rows.select(listed)
    return grouped.explode("counts", empty_as_null=False, keep_nulls=False).unnest("counts")


def _settled(appointments: pl.DataFrame) -> pl.DataFrame:
    """Appointments with a status, refusing any status that is not known without repeating it."""
    settled = appointments.filter(pl.col("status").is_not_null())
    if not settled["status"].is_in(STATUSES).all():
        raise ValueError("an appointment has a status that is not one of: " + ", ".join(STATUSES))
    return settled


def _with_rate(counts: pl.DataFrame, *, events: str, totals: str, confidence: float) -> pl.DataFrame:
    """Add `rate`, `lower` and `upper` to counts."""
    lower, upper = wilson_interval(counts[events].to_numpy(), counts[totals].to_numpy(), confidence=confidence)
    return counts.with_columns(
        rate=pl.when(pl.col(totals) > 0).then(pl.col(events) / pl.col(totals)),
        lower=pl.Series(lower, dtype=pl.Float64).fill_nan(None),
        upper=pl.Series(upper, dtype=pl.Float64).fill_nan(None),
    )
