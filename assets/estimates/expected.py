"""What outcome to expect by session, and where each open episode stands against it.

Belongs here: which closed episodes the bands are learnt from, the quarters by first score, and the check of the bands on
those very episodes. Does not belong here: the growth model and the words (`assets.science.expected_progress`).
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from assets.contracts.comparison import CLIENT_TRACKS, EXPECTED_PROGRESS
from assets.estimates.shapes import empty, shaped
from assets.science.expected_progress import ProgressBands, learn_bands, standing
from assets.science.instruments.model import Instrument
from assets.service import Service

FEWEST_CLOSED_EPISODES = 200
"""Below it there is no growth model; only reliable deterioration is marked."""

GROUPS = 4
LAST_SESSION = 20
"""Bands are drawn up to here; the few clients who stay longer are judged by the same curve."""

_LIMITS = ("expected", "behind_limit", "well_behind_limit")
_SERIES = ["client_id", "episode_id"]


def expected_progress_and_tracks(
    closed: pl.DataFrame, latest: pl.DataFrame, *, service: Service
) -> Mapping[str, pl.DataFrame]:
    """`analysis.expected_progress` and `analysis.client_tracks`, by table name.

    Args:
        closed: one row a scored session of a closed episode after its first score: `instrument`, `client_id`,
            `episode_id`, `session_number`, `score`, `first_score`.
        latest: one row an open episode and measure, the latest score with a session: `instrument`, `client_id`,
            `case_id`, `episode_id`, `clinician_id`, `site`, `programme`, `session_number`, `score`, `first_score`.
        service: its measures, limits and instruments.
    """
    bands, tracks = [empty(EXPECTED_PROGRESS)], [empty(CLIENT_TRACKS)]
    for name in sorted({measure.outcome for measure in service.measures}):
        instrument = service.registry[name]
        learnt_from = _of(closed, name)
        learnt = learn_bands(
            learnt_from.with_columns(episode_id=pl.struct(_SERIES).rank("dense")),
            minimum_episodes=FEWEST_CLOSED_EPISODES,
            higher_is_better=instrument.direction == "higher_is_better",
        )
        minimum = service.suppression.minimum_clients
        bands.append(_bands(learnt_from, learnt=learnt, instrument=instrument, minimum_clients=minimum))
        tracks.append(_tracks(_of(latest, name), learnt=learnt, instrument=instrument))
    return {EXPECTED_PROGRESS.name: pl.concat(bands), CLIENT_TRACKS.name: pl.concat(tracks)}


def _of(rows: pl.DataFrame, instrument: str) -> pl.DataFrame:
    mine = rows.filter(pl.col("instrument") == instrument)
    return mine.rename({"score": "outcome", "first_score": "outcome_first"}).sort(*_SERIES, "session_number")


def _bands(rows: pl.DataFrame, *, learnt: ProgressBands, instrument: Instrument, minimum_clients: int) -> pl.DataFrame:
    placed = _grouped(rows, groups=GROUPS if learnt.beta is not None else 1)
    judged = standing(placed, bands=learnt, reliable_change=_reliable_change(instrument))
    beyond = pl.col("standing").is_in(["behind", "well_behind"])
    seen = judged.group_by("baseline_group", "session_number").agg(
        scores=pl.len(),
        share_behind=beyond.mean(),
        share_well_behind=(pl.col("standing") == "well_behind").mean(),
    )
    groups = (
        placed.unique(_SERIES, keep="first", maintain_order=True)
        .group_by("baseline_group")
        .agg(
            episodes=pl.len(),
            first_from=pl.col("outcome_first").min(),
            first_to=pl.col("outcome_first").max(),
            first_mean=pl.col("outcome_first").mean().round(6),
        )
        .filter(pl.col("episodes") >= minimum_clients)
        .sort("baseline_group")
    )
    sessions = pl.DataFrame({"session_number": range(2, LAST_SESSION + 1)}, schema={"session_number": pl.Int64})
    grid = groups.join(sessions, how="cross").join(
        seen, on=["baseline_group", "session_number"], how="left", maintain_order="left"
    )
    drawn = standing(
        grid.with_columns(outcome_first=pl.col("first_mean"), outcome=pl.col("first_mean")),
        bands=learnt,
        reliable_change=_reliable_change(instrument),
    )
    worse = -1.0 if learnt.higher_is_better else 1.0
    is_enough = pl.col("scores") >= minimum_clients
    has_bands = learnt.beta is not None
    fallen = pl.col("first_mean") + worse * _reliable_change(instrument)
    limit = pl.col("well_behind_limit") if has_bands else fallen.fill_nan(None)
    return shaped(
        drawn.with_columns(well_behind_limit=limit).with_columns(
            *(_possible(name, instrument).alias(name) for name in _LIMITS),
            instrument=pl.lit(instrument.id),
            scores=pl.col("scores").fill_null(0),
            share_behind=pl.when(is_enough & pl.lit(has_bands)).then(pl.col("share_behind").round(6)),
            share_well_behind=pl.when(is_enough).then(pl.col("share_well_behind").round(6)),
            closed_episodes=pl.lit(learnt.closed_episodes),
            sentence=pl.lit(learnt.sentence),
        ),
        EXPECTED_PROGRESS,
    )


def _grouped(rows: pl.DataFrame, *, groups: int) -> pl.DataFrame:
    """Rows with their quarter by the episodes' first scores; equal scores lie in one quarter."""
    firsts = rows.unique(_SERIES)["outcome_first"].cast(pl.Float64).to_numpy()
    if not len(firsts):
        return rows.with_columns(baseline_group=pl.lit(1, dtype=pl.Int64))
    cuts = np.unique(np.quantile(firsts, np.arange(1, groups) / groups))
    own = np.searchsorted(cuts, rows["outcome_first"].cast(pl.Float64).to_numpy(), side="left") + 1
    return rows.with_columns(baseline_group=pl.Series(own, dtype=pl.Int64))


def _tracks(latest: pl.DataFrame, *, learnt: ProgressBands, instrument: Instrument) -> pl.DataFrame:
    judged = standing(latest, bands=learnt, reliable_change=_reliable_change(instrument))
    is_told = pl.col("standing") != "cannot_tell"
    return shaped(
        judged.rename({"outcome": "latest_score", "outcome_first": "first_score"}).with_columns(
            *(pl.when(is_told).then(_possible(name, instrument)).alias(name) for name in _LIMITS)
        ),
        CLIENT_TRACKS,
    )


def _possible(name: str, instrument: Instrument) -> pl.Expr:
    """A predicted score kept within what the measure can give."""
    return pl.col(name).clip(instrument.score_range.low, instrument.score_range.high)


def _reliable_change(instrument: Instrument) -> float:
    """The measure's own; where it has none, no fall is called reliable."""
    return float("nan") if instrument.reliable_change is None else float(instrument.reliable_change.value)
