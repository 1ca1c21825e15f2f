"""Is this client's outcome where one would expect it by now?

What belongs here: predictive bands of the outcome by first score and session, learnt from closed episodes, and the word
for where a score stands in them. What does not: the growth model's algebra (`multilevel.py`), categories of change from
first to last (`change.py`), and what to do about it, which is the clinician's.

The band at session s for first score b is mean(b, g) + quantile of the spread: between clients (intercept and slope
over g = log(s) / log 9) and within. Worse than the worst fifth of such clients is behind, worse than the worst tenth
well behind (feedback systems use such shares: Lambert, Whipple & Kleinstauber, 2018, Psychotherapy 55, p. 520).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from assets.science.cross_products import Floats
from assets.science.multilevel import EstimateRefusedError, NestedModel, fit
from assets.science.nested_likelihood import Level
from assets.science.sufficient_statistics import unit_products

BEHIND_SHARE: Final = 0.20
WELL_BEHIND_SHARE: Final = 0.10
DIGITS: Final = 6
COLUMNS: Final = ("intercept", "session_curve", "first", "first_by_curve")
WORDS: Final = ("on_track", "behind", "well_behind", "cannot_tell")


@dataclass(frozen=True, kw_only=True)
class ProgressBands:
    """What outcome to expect.

    Attributes:
        beta: (4,) fixed effects of COLUMNS; first scores centred at `first_mean`; None where there are no bands.
        covariance: (2, 2) between clients, of intercept and slope.
        residual_variance: within clients.
        first_mean: mean first score of the closed episodes.
        closed_episodes: how many closed episodes with a first and a later score there were.
        higher_is_better: the outcome measure's direction.
        sentence: what the bands rest on, or why there are none.
    """

    beta: Floats | None
    covariance: Floats
    residual_variance: float
    first_mean: float
    closed_episodes: int
    higher_is_better: bool
    sentence: str


def learn_bands(scores: pl.DataFrame, *, minimum_episodes: int, higher_is_better: bool) -> ProgressBands:
    """Learn what to expect from closed episodes.

    Args:
        scores: one row a scored session of a closed episode: episode_id, session_number (from 1), outcome,
            outcome_first.
            Only sessions after the first are learnt from, since a first score says nothing of itself.
        minimum_episodes: below so many episodes there are no bands (200 is the project's floor).
        higher_is_better: the outcome measure's direction.

    Returns:
        The bands, or the reason why there are none.
    """
    rows = scores.drop_nulls(["episode_id", "session_number", "outcome", "outcome_first"])
    rows = rows.filter(pl.col("session_number") > 1).sort("episode_id", "session_number", "outcome")
    episodes = rows["episode_id"].n_unique()
    if episodes < minimum_episodes:
        return _no_bands(
            episodes,
            f"{episodes} closed episodes, fewer than the {minimum_episodes} asked",
            higher_is_better=higher_is_better,
        )
    first_mean = float(rows["outcome_first"].cast(pl.Float64).to_numpy().mean())
    design = np.column_stack(
        [_fixed(rows["outcome_first"].to_numpy() - first_mean, rows["session_number"].to_numpy()), rows["outcome"]],
    )
    statistics, _ = unit_products(design, unit=rows["episode_id"].to_numpy())
    model = NestedModel(
        columns=COLUMNS, statistics=statistics, levels=(Level(name="client", random=(0, 1), parent=None),)
    )
    try:
        fitted = fit(model, method="REML")
    except EstimateRefusedError as refused:
        return _no_bands(episodes, str(refused).rstrip(".").lower(), higher_is_better=higher_is_better)
    return ProgressBands(
        beta=np.nan_to_num(fitted.beta),
        covariance=fitted.covariances["client"],
        residual_variance=fitted.residual_variance,
        first_mean=first_mean,
        closed_episodes=episodes,
        higher_is_better=higher_is_better,
        sentence=f"Expected progress is learnt from {episodes} closed episodes.",
    )


def bands_at(bands: ProgressBands, *, first: Floats, session_number: Floats) -> pl.DataFrame:
    """The expected score and the two limits.

    Args:
        bands: learnt bands.
        first: (N,) first scores.
        session_number: (N,) from 1.

    Returns:
        first, session_number, expected, behind_limit, well_behind_limit; limits on the worse side; null without bands.
    """
    plain = pl.DataFrame(
        {"first": np.asarray(first, dtype=float), "session_number": np.asarray(session_number, dtype=float)}
    )
    if bands.beta is None:
        nothing = [pl.lit(None, dtype=pl.Float64).alias(n) for n in ("expected", "behind_limit", "well_behind_limit")]
        return plain.with_columns(nothing)
    fixed = _fixed(plain["first"].to_numpy() - bands.first_mean, plain["session_number"].to_numpy())
    expected = fixed @ bands.beta
    random = fixed[:, :2]
    spread = np.sqrt(np.einsum("na,ab,nb->n", random, bands.covariance, random) + bands.residual_variance)
    worse = -1.0 if bands.higher_is_better else 1.0
    limits = {
        name: expected + worse * float(stats.norm.ppf(1.0 - share)) * spread
        for name, share in (("behind_limit", BEHIND_SHARE), ("well_behind_limit", WELL_BEHIND_SHARE))
    }
    return plain.with_columns(
        expected=expected.round(DIGITS), **{name: limit.round(DIGITS) for name, limit in limits.items()}
    )


def standing(scores: pl.DataFrame, *, bands: ProgressBands, reliable_change: float) -> pl.DataFrame:
    """Where scores stand against what is expected.

    Args:
        scores: outcome_first, outcome and session_number (from 1), with any other columns.
        bands: learnt bands; without them a score worse than the first by the reliable change or more is well
            behind, and
            of others it cannot be told.
        reliable_change: the smallest change beyond measurement error, in points.

    Returns:
        The rows with expected, behind_limit, well_behind_limit, standing (`on_track`, `behind`, `well_behind`,
        `cannot_tell`) and basis (`growth_model` or `reliable_deterioration`).
    """
    known = bands_at(
        bands, first=scores["outcome_first"].to_numpy(), session_number=scores["session_number"].to_numpy()
    ).select("expected", "behind_limit", "well_behind_limit")
    worse = -1.0 if bands.higher_is_better else 1.0
    outcome = worse * pl.col("outcome")
    is_unknown = pl.col("outcome").is_null() | pl.col("outcome_first").is_null() | (pl.col("session_number") <= 1)
    if bands.beta is None:
        is_well_behind = worse * (pl.col("outcome") - pl.col("outcome_first")) >= reliable_change
        branches = pl.when(is_unknown).then(pl.lit("cannot_tell")).when(is_well_behind).then(pl.lit("well_behind"))
        word, basis = branches.otherwise(pl.lit("cannot_tell")), "reliable_deterioration"
    else:
        branches = (
            pl.when(is_unknown)
            .then(pl.lit("cannot_tell"))
            .when(outcome > worse * pl.col("well_behind_limit"))
            .then(pl.lit("well_behind"))
            .when(outcome > worse * pl.col("behind_limit"))
            .then(pl.lit("behind"))
        )
        word, basis = branches.otherwise(pl.lit("on_track")), "growth_model"
    return pl.concat([scores, known], how="horizontal").with_columns(standing=word, basis=pl.lit(basis))


def _fixed(first: Floats, session_number: Floats) -> Floats:
    curve = np.log(np.asarray(session_number, dtype=np.float64)) / np.log(9.0)
    return np.column_stack([np.ones(len(curve)), curve, first, first * curve])


def _no_bands(episodes: int, why: str, *, higher_is_better: bool) -> ProgressBands:
    return ProgressBands(
        beta=None,
        covariance=np.zeros((2, 2)),
        residual_variance=0.0,
        first_mean=0.0,
        closed_episodes=episodes,
        higher_is_better=higher_is_better,
        sentence=f"No bands of expected progress ({why}); only reliable deterioration is marked.",
    )
