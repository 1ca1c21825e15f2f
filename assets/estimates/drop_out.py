"""Drop-out of every episode under four definitions, its wait and its gaps.

Belongs here: the choices that the definitions leave open. Does not belong here: the definitions
(`assets.science.attendance`) or rates (`rates`).
"""

from datetime import date

import polars as pl

from assets.science import attendance

# Ended after two sessions or fewer is what the literature calls early drop-out.
_FEWEST_SESSIONS = 3
_WHO = ("episode_id", "case_id", "clinician_id", "site", "programme")


def drop_out(episodes: pl.DataFrame, appointments: pl.DataFrame, change: pl.DataFrame) -> pl.DataFrame:
    """`analysis.drop_out`.

    Args:
        episodes: `marts.episodes`.
        appointments: `marts.appointments`, with `starts_at` in the clinic's own zone.
        change: `analysis.client_change`. An episode improved where any measure of any of its clients did, and cannot be
            judged where none can.
    """
    evaluable = change.filter(pl.col("category") != "not_evaluable")
    improvement = evaluable.group_by("episode_id").agg(pl.col("is_reliably_improved").any())
    judged = attendance.drop_out(
        episodes, appointments, improvement, fewest_sessions=_FEWEST_SESSIONS, missed=attendance.MISSED
    )
    who = episodes.select(*_WHO, "ended_on", "end_reason")
    return judged.join(who, on="episode_id", maintain_order="left").select(
        *_WHO, "is_open", "ended_on", "end_reason", "sessions", *attendance.DEFINITIONS
    )


def episode_gaps(episodes: pl.DataFrame, appointments: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """`analysis.episode_gaps`.

    Args:
        episodes: `marts.episodes`.
        appointments: `marts.appointments`, with `starts_at` in the clinic's own zone.
        as_of: the data date; those who wait have waited until then.
    """
    waits = attendance.wait_for_first_session(episodes, appointments, as_of=as_of)
    gaps = attendance.gaps_by_episode(attendance.sessions_and_gaps(appointments))
    return (
        waits.rename({"outcome": "wait_outcome"})
        .join(gaps, on="episode_id", how="left", maintain_order="left")
        .join(episodes.select(_WHO), on="episode_id", maintain_order="left")
        .select(
            *_WHO,
            "wait_days",
            "wait_outcome",
            pl.col("sessions").fill_null(0),
            pl.col("median_gap_days", "longest_gap_days").cast(pl.Float64),
        )
    )
