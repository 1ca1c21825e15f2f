"""Moments in each client's course of scores.

Belongs here: one score a session and the thresholds of the measures. Does not belong here: what a milestone is
(`assets.science.milestones`) and ruptures (`ruptures`), whose repairs stand beside them.
"""

import polars as pl

from assets.science import milestones as science
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry

_COURSE = ["client_id", "episode_id"]
# One number in place of the two: ordering and joining by it costs a fraction.
_NUMBER = ["course"]
# Tang & DeRubeis (1999) ask for a quarter of the score before and for a t test at the 5% level.
_FRACTION = 0.25
_ALPHA = 0.05
_MOMENT = {
    "instrument": pl.String,
    "milestone": pl.String,
    "session_number": pl.Int64,
    "score_before": pl.Float64,
    "score_after": pl.Float64,
    "is_held": pl.Boolean,
}


def milestones(
    ratings: pl.DataFrame, ruptures: pl.DataFrame, episodes: pl.DataFrame, *, registry: Registry
) -> pl.DataFrame:
    """`analysis.milestones`.

    Args:
        ratings: clients' own outcome scores, one a client, episode, instrument and session: those columns and `score`.
            Clients and episodes may be numbers here and below, and of any part of the service.
        ruptures: `analysis.ruptures`.
        episodes: `marts.episodes`.
        registry: the service's instruments. A measure without a reliable change has neither sudden changes nor a first
            reliable improvement; one without a cut-off has nothing to cross.
    """
    ordered = ratings.sort(*_COURSE, "session_number").with_columns(course=pl.struct(_COURSE).rle_id())
    parts = [
        part
        for name in ratings["instrument"].unique().sort()
        for part in _of_instrument(ordered.filter(pl.col("instrument") == name), registry[name])
    ]
    reached = pl.concat([pl.DataFrame(schema=ordered.select(_NUMBER).schema | _MOMENT), *parts])
    courses = ordered.select(*_COURSE, *_NUMBER).unique(_NUMBER)
    found = pl.concat([reached.join(courses, on=_NUMBER).select(*_COURSE, *_MOMENT), _repairs(ruptures)])
    return (
        found.join(episodes.select("episode_id", "clinician_id", "site", "programme"), on="episode_id")
        .select("client_id", "episode_id", "clinician_id", "site", "programme", *_MOMENT)
        .sort("client_id", "episode_id", "instrument", "milestone", "session_number")
    )


def _of_instrument(ratings: pl.DataFrame, instrument: Instrument) -> list[pl.DataFrame]:
    scores = ratings.select(*_NUMBER, "session_number", "score")
    parts = []
    if instrument.reliable_change is not None:
        threshold = instrument.reliable_change.value
        parts += [_sudden(scores, instrument, "gain", threshold), _sudden(scores, instrument, "loss", threshold)]
        reached = science.first_reliable_improvement(
            scores,
            by=_NUMBER,
            session="session_number",
            score="score",
            direction=instrument.direction,
            threshold=threshold,
        )
        parts.append(_reached(reached, instrument, "first_reliable_improvement"))
    if instrument.cut_off is not None:
        crossed = science.first_crossing(
            scores,
            by=_NUMBER,
            session="session_number",
            score="score",
            direction=instrument.direction,
            cut_off=instrument.cut_off.value,
        )
        parts.append(_reached(crossed, instrument, "crossed_cut_off"))
    return parts


def _sudden(scores: pl.DataFrame, instrument: Instrument, kind: science.Kind, threshold: float) -> pl.DataFrame:
    is_better_high = instrument.direction == "higher_is_better"
    best = instrument.score_range.high if is_better_high else instrument.score_range.low
    intervals = science.sudden_changes(
        scores,
        by=_NUMBER,
        session="session_number",
        score="score",
        kind=kind,
        direction=instrument.direction,
        best_score=best,
        threshold=threshold,
        fraction=_FRACTION,
        alpha=_ALPHA,
    )
    described = science.described_sudden_changes(
        intervals, scores, by=_NUMBER, session="session_number", score="score", start=None, end=None
    )
    return _shaped(
        described,
        by=_NUMBER,
        instrument=pl.lit(instrument.id),
        milestone=pl.lit(f"sudden_{kind}"),
        # The change shows in the score of the session after the interval.
        session_number=pl.col("session_number") + 1,
        score_before=pl.col("before").round(6),
        score_after=pl.col("after").round(6),
        is_held=~pl.col("is_reversed"),
    )


def _reached(reached: pl.DataFrame, instrument: Instrument, milestone: str) -> pl.DataFrame:
    return _shaped(
        reached.filter(pl.col("reached_in").is_not_null()),
        by=_NUMBER,
        instrument=pl.lit(instrument.id),
        milestone=pl.lit(milestone),
        session_number=pl.col("reached_in"),
        score_before=pl.lit(None),
        score_after=pl.lit(None),
        is_held=pl.col("is_held"),
    )


def _repairs(ruptures: pl.DataFrame) -> pl.DataFrame:
    """Repaired ruptures; two that were repaired by the same session are one moment."""
    repaired = ruptures.filter(pl.col("state") == "repaired").unique(
        [*_COURSE, "instrument", "repaired_session_number"]
    )
    return _shaped(
        repaired,
        by=_COURSE,
        instrument=pl.col("instrument"),
        milestone=pl.lit("repaired_rupture"),
        session_number=pl.col("repaired_session_number"),
        score_before=pl.lit(None),
        score_after=pl.lit(None),
        is_held=pl.lit(None),
    )


def _shaped(rows: pl.DataFrame, *, by: list[str], **columns: pl.Expr) -> pl.DataFrame:
    return rows.select(*by, *(expression.cast(_MOMENT[name]).alias(name) for name, expression in columns.items()))
