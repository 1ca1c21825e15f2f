"""What goes with leaving: early alliance at a landmark.

Here: landmark data with a Cox model. Not here: the hazard of leaving after a rupture (`assets.science.after_rupture`),
curves (`assets.science.retention`), or definitions of drop-out (`assets.science.attendance`).

Nobody is described by the mean alliance of a whole treatment: those who stay longer have more sessions in which to be
well allied, so with no effect at all such a mean "predicts" staying. What explains an ending is known before it: the
first sessions, or the state at each session.

Endings frame: `episode_id`, `sessions` (attended), `end_reason` (`planned`, `unplanned`, or null where open or unsaid).
Episodes without a reason are censored at their last session.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg

if TYPE_CHECKING:
    from collections.abc import Sequence

LANDMARK_STATES: Final = ("analysed", "not_past_landmark", "too_few_ratings", "no_score")
"""Why a client is or is not in a landmark analysis."""


def landmark(
    sessions: pl.DataFrame, endings: pl.DataFrame, *, landmark_session: int, fewest_ratings: int
) -> pl.DataFrame:
    """Lay out who is still there after the first sessions, what their alliance was until then, and how they ended.

    Args:
        sessions: One row a session and client: `client_id`, `episode_id`, `session_number`, `alliance` (higher is
            better, null where missing), `score` (the outcome measure at that session, null where missing).
        endings: As the module says.
        landmark_session: The last session whose alliance counts as early (3 in the alliance literature); at least 1.
        fewest_ratings: Alliance ratings needed among those sessions; at least 1.

    Returns:
        One row a client and episode with a session, sorted: `client_id`, `episode_id`, `state` (one of
        `LANDMARK_STATES`; only `analysed` rows go into a model, and the others are to be counted beside it),
        `early_alliance` (mean over the early ratings), `early_ratings`, `score_at_landmark` (the last score until
        then), `time` (sessions after the landmark; null unless past it), `is_unplanned`, `is_planned`.

    Raises:
        ValueError: If a choice is out of range.

    Source: Anderson, Cain & Gelber 1983, J Clin Oncol 1:710-719, on the landmark and immortal time.
    """
    if landmark_session < 1 or fewest_ratings < 1:
        raise ValueError("landmark_session and fewest_ratings must be at least 1")
    keys = ("client_id", "episode_id")
    early = pl.col("session_number") <= landmark_session
    alliance, score = (pl.col(name).cast(pl.Float64).fill_nan(None) for name in ("alliance", "score"))
    described = (
        sessions.sort(*keys, "session_number")
        .group_by(keys, maintain_order=True)
        .agg(
            early_alliance=alliance.filter(early).mean(),
            early_ratings=alliance.filter(early).count().cast(pl.Int64),
            score_at_landmark=score.filter(early).drop_nulls().last(),
        )
    )
    after = pl.col("sessions") - landmark_session
    state = (
        pl.when(after.fill_null(0) <= 0)
        .then(pl.lit("not_past_landmark"))
        .when(pl.col("early_ratings") < fewest_ratings)
        .then(pl.lit("too_few_ratings"))
        .when(pl.col("score_at_landmark").is_null())
        .then(pl.lit("no_score"))
        .otherwise(pl.lit("analysed"))
    )
    return described.join(
        endings.select("episode_id", "sessions", "end_reason"), on="episode_id", how="left", maintain_order="left"
    ).select(
        *keys,
        state.alias("state"),
        "early_alliance",
        "early_ratings",
        "score_at_landmark",
        time=pl.when(after > 0).then(after),
        is_unplanned=(pl.col("end_reason") == "unplanned").fill_null(value=False),
        is_planned=(pl.col("end_reason") == "planned").fill_null(value=False),
    )


def hazard_ratios(
    data: pl.DataFrame, *, time: str, event: str, covariates: Sequence[str], fewest_events: int, confidence: float
) -> pl.DataFrame:
    """Cox model of leaving: how the hazard changes with each covariate, the others held still (Efron ties).

    Clients of one clinician are taken as independent, so intervals are a little short. Planned endings count as
    censored: the ratio is of the cause-specific hazard.

    Args:
        data: One row a client, nothing missing: for early alliance, the `analysed` rows of `landmark`, with the score
            at the landmark among the covariates, since both alliance and leaving go with how the client is doing.
        time: Column of times, above 0.
        event: Boolean column: whether the client left.
        covariates: Columns of numbers.
        fewest_events: Below this many events per covariate nothing is estimated (10 is customary: Peduzzi et al. 1995,
            J Clin Epidemiol 48:1503-1510).
        confidence: Two-sided coverage of the normal interval on the log hazard ratio.

    Returns:
        One row a covariate: `covariate`, `log_hazard_ratio`, `standard_error`, `hazard_ratio`, `lower`, `upper` (of the
        hazard ratio), `clients`, `events`, `refusal`: null, or why the estimates are: `too_few_events`,
        `no_variation` or `no_solution`.

    Raises:
        ValueError: If a figure is missing or not finite.

    Source: Cox 1972, J R Stat Soc B 34:187-220; Efron 1977, J Am Stat Assoc 72:557-565.
    """
    if data.select(pl.any_horizontal(pl.col(time, event, *covariates).is_null()).any()).item():
        raise ValueError("a hazard ratio needs complete rows; leave out clients with a missing figure, and count them")
    x = data.select(pl.col(*covariates).cast(pl.Float64)).to_numpy()
    if not (np.isfinite(x).all() and data.select(pl.col(time).cast(pl.Float64).is_finite().all()).item()):
        raise ValueError("a hazard ratio needs finite figures; leave out clients with one that is no number")
    happened = data[event].to_numpy().astype(bool)
    estimate = error = np.full(len(covariates), np.nan)
    refusal = None
    if happened.sum() < max(1, fewest_events * len(covariates)):
        refusal = "too_few_events"
    elif np.linalg.matrix_rank(x - x.mean(axis=0)) < len(covariates):
        refusal = "no_variation"
    else:
        centred = (x - x.mean(axis=0)) / x.std(axis=0)
        with warnings.catch_warnings():
            # Its complaints about a fit without a maximum come back as figures, judged just below.
            warnings.simplefilter("ignore")
            fit = PHReg(data[time].to_numpy().astype(np.float64), centred, status=happened, ties="efron").fit(disp=0)
        with np.errstate(invalid="ignore"):
            estimate, error = fit.params / x.std(axis=0), fit.bse / x.std(axis=0)
        # A covariate that parts leavers from stayers has no finite maximum: the steps just stop somewhere far out.
        if not (np.isfinite(error).all() and (np.abs(fit.params) < _FARTHEST).all() and (fit.bse < _FARTHEST).all()):
            refusal = "no_solution"
            estimate = error = np.full(len(covariates), np.nan)
    half = stats.norm.isf((1 - confidence) / 2) * error
    with np.errstate(over="ignore"):
        ratio, lower, upper = np.exp(estimate), np.exp(estimate - half), np.exp(estimate + half)
    return pl.DataFrame(
        {
            "covariate": list(covariates),
            "log_hazard_ratio": estimate,
            "standard_error": error,
            "hazard_ratio": ratio,
            "lower": lower,
            "upper": upper,
            "clients": data.height,
            "events": int(happened.sum()),
            "refusal": pl.Series([refusal] * len(covariates), dtype=pl.String),
        }
    ).with_columns(pl.selectors.float().fill_nan(None))


_FARTHEST: Final = 15.0  # on the log hazard ratio of one standard deviation
