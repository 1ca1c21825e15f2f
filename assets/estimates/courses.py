"""What the official rules of NHS Talking Therapies make of each episode.

Belongs here: which scores are a course's pair. Does not belong here: the rules (`assets.science.talking_therapies`) or
rates (`rates`).
"""

import polars as pl

from assets.science.talking_therapies import (
    ANXIETY_MEASURES,
    PHQ_9,
    anxiety_measure_expr,
    course_stage_expr,
    with_outcomes,
)

_FLAGS = (
    "is_finished",
    "is_not_at_caseness",
    "is_recovered",
    "is_improved",
    "is_deteriorated",
    "is_no_reliable_change",
    "is_reliably_recovered",
)


def courses(episodes: pl.DataFrame, change: pl.DataFrame) -> pl.DataFrame:
    """`analysis.courses`.

    Args:
        episodes: `marts.episodes`.
        change: `analysis.client_change`. Scores count for the episodes of single clients only: the rules know one person
            a referral.

    Returns:
        One row an episode. Where the measure made for the problem has a first score but no last one, the pair is
        incomplete only if no other measure that pairs has both.
    """
    scores = _first_and_last(change)
    first = {name: pl.col(f"{name} first").is_not_null() for name in ANXIETY_MEASURES}
    both = {name: there & pl.col(f"{name} last").is_not_null() for name, there in first.items()}
    problem = pl.col("problem")
    measure = pl.coalesce(anxiety_measure_expr(problem, measured=both), anxiety_measure_expr(problem, measured=first))
    known = (
        episodes.join(scores, on="episode_id", how="left", maintain_order="left")
        .with_columns(
            anxiety_measure=measure,
            stage=course_stage_expr(n_treatments=pl.col("sessions"), has_ended=pl.col("ended_on").is_not_null()),
        )
        .with_columns(
            phq_first=pl.col(f"{PHQ_9.id} first"),
            phq_last=pl.col(f"{PHQ_9.id} last"),
            anxiety_first=_of_the_measure("first"),
            anxiety_last=_of_the_measure("last"),
        )
    )
    judged = with_outcomes(
        known,
        stage="stage",
        phq_first="phq_first",
        phq_last="phq_last",
        anxiety_first="anxiety_first",
        anxiety_last="anxiety_last",
        anxiety_measure="anxiety_measure",
    )
    pair = ("phq_first", "phq_last", "anxiety_first", "anxiety_last")
    has_pair = pl.all_horizontal(pl.col(name).is_not_null() for name in pair)
    return (
        judged.with_columns(
            pl.col("stage").str.replace_all(" ", "_"),
            is_paired=pl.col("is_finished") & has_pair,
            uses_pair=has_pair.any().over("site"),
        )
        .select(
            *("episode_id", "case_id", "clinician_id", "site", "programme", "ended_on", "stage", "wait_days"),
            "anxiety_measure",
            *pair,
            "uses_pair",
            "is_paired",
            *_FLAGS,
        )
        .sort("episode_id")
    )


def _first_and_last(change: pl.DataFrame) -> pl.DataFrame:
    """One row an episode with a column for each measure's first and last score."""
    single = change.filter(pl.col("client_id") == pl.col("case_id"))
    return single.group_by("episode_id").agg(
        pl.col(f"{when}_score").filter(pl.col("instrument") == name).first().alias(f"{name} {when}")
        for name in (PHQ_9.id, *ANXIETY_MEASURES)
        for when in ("first", "last")
    )


def _of_the_measure(when: str) -> pl.Expr:
    return pl.coalesce(
        pl.when(pl.col("anxiety_measure") == name).then(pl.col(f"{name} {when}")) for name in ANXIETY_MEASURES
    )
