"""Predicted effects of units, how sure they are, and what may be said of them.

What belongs here: best linear unbiased predictions at every level with their conditional and prediction error
variances, a unit's own coefficients, probabilities in place of ranks, and false discovery control. What does not:
fitting (`multilevel.py`), and the uncertainty of the covariance parameters themselves, which `intervals.py` integrates
over using what is here.

A unit's effects v given the effects s of the units above it have mean H A_z (e_y - s) and variance sigma^2 H; with
covariance V of s, the variance is sigma^2 H + H A_z V A_z' H. Starting from V = 0 gives lme4's conditional variance,
from V = Cov(beta) the prediction error variance (Henderson, 1975, Biometrics 31, p. 426; here by recursion over
levels).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from assets.science.cross_products import Floats, times
from assets.science.multilevel import Fit, sweep_of
from assets.science.nested_likelihood import Level, LevelSweep, Sweep

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class UnitEffects:
    """Predicted effects of a level's units.

    `effects` (U, q) are differences from what is expected one level up; `own` (U, m - 1) are the unit's whole
    coefficients of every column of X, fixed part included, with standard deviation `own_sd`, nan in dropped columns.
    """

    level: str
    effects: Floats
    conditional_variance: Floats  # (U, q, q)
    prediction_variance: Floats  # (U, q, q)
    own: Floats
    own_sd: Floats


@dataclass(frozen=True, kw_only=True)
class Descent:
    """One level on the way down, D parameter vectors at once.

    Effects with their variance, and the whole coefficients of the level's random columns with theirs. All other
    coefficients of a unit are those of the unit above it.
    """

    effects: Floats  # (D, U, q)
    variance: Floats  # (D, U, q, q)
    own: Floats  # (D, U, q)
    own_variance: Floats  # (D, U, q, q)


def descend(
    swept: Sweep, levels: tuple[Level, ...], *, sigma2: Floats, beta: Floats, covariance: Floats, depth: int
) -> list[Descent]:
    """From the top level downwards.

    Args:
        swept: the forward sweep.
        levels: its levels, innermost first.
        sigma2: (D,) residual variances.
        beta: (D, m) fixed effects, 0 in dropped columns and for the outcome.
        covariance: (D, m, m) their covariance, or zeros for conditional variances.
        depth: how many levels to go down.

    Returns:
        The levels from the top.
    """
    state, variance = beta[:, None], covariance[:, None]
    found: list[Descent] = []
    pairs = list(zip(levels, swept.levels, strict=True))[::-1]
    for place, (level, part) in enumerate(pairs[:depth]):
        if place > 0:
            state, variance = _one_level_on(
                state, variance, part=pairs[place - 1][1], level=pairs[place - 1][0], at=found[-1]
            )
        z = list(level.random)
        above = np.zeros(part.gain.shape[1], dtype=np.int64) if level.parent is None else level.parent
        expected = times(part.gain, state[..., None], level.parent)[..., 0]
        effects = part.gain[..., -1] - expected
        moved = times(part.gain, variance, level.parent)
        residual = sigma2[:, None, None, None] * part.spread
        effect_variance = residual + moved @ np.swapaxes(part.gain, 2, 3)
        shared = moved[..., z] + np.swapaxes(moved[..., z], 2, 3)
        of_above = variance[:, :, z][:, :, :, z][:, above]
        found.append(
            Descent(
                effects=effects,
                variance=effect_variance,
                own=state[:, :, z][:, above] + effects,
                own_variance=of_above - shared + effect_variance,
            )
        )
    return found


def _one_level_on(
    state: Floats, variance: Floats, *, part: LevelSweep, level: Level, at: Descent
) -> tuple[Floats, Floats]:
    """Whole coefficients (D, U, m) of a level's units and their covariance, from those of the level above."""
    z, units = list(level.random), part.gain.shape[1]
    above = np.zeros(units, dtype=np.int64) if level.parent is None else level.parent
    state, variance = state[:, above].copy(), variance[:, above].copy()
    state[:, :, z] += at.effects
    moved = part.gain @ variance
    variance[:, :, z, :] -= moved
    variance[:, :, :, z] -= np.swapaxes(moved, 2, 3)
    for a, row in enumerate(z):
        for b, column in enumerate(z):
            variance[:, :, row, column] += at.variance[:, :, a, b]
    return state, variance


def unit_effects(fitted: Fit) -> dict[str, UnitEffects]:
    """Predicted effects of every unit of every level that was kept apart.

    Args:
        fitted: the fit.

    Returns:
        By level name. Clients whose random intercept is compressed away have none; fit them as a level to get theirs.
    """
    model = fitted.model
    size, columns = len(model.columns) + 1, list(fitted.kept)
    swept = sweep_of(fitted)
    beta, covariance = np.zeros((1, size)), np.zeros((1, size, size))
    beta[0, columns] = fitted.beta[columns]
    covariance[0][np.ix_(columns, columns)] = fitted.beta_covariance
    sigma2, depth = np.array([fitted.residual_variance]), len(model.levels)
    with_beta = descend(swept, model.levels, sigma2=sigma2, beta=beta, covariance=covariance, depth=depth)
    without = descend(swept, model.levels, sigma2=sigma2, beta=beta, covariance=np.zeros_like(covariance), depth=depth)
    own, own_sd = fitted.beta[None], fitted.beta_se[None]
    found = {}
    for level, full, bare in zip(reversed(model.levels), with_beta, without, strict=True):
        units, z = full.effects.shape[1], list(level.random)
        above = np.zeros(units, dtype=np.int64) if level.parent is None else level.parent
        own, own_sd = own[above].copy(), own_sd[above].copy()
        is_known = np.isin(z, columns)
        own[:, z] = np.where(is_known, full.own[0], np.nan)
        own_sd[:, z] = np.where(is_known, np.sqrt(np.diagonal(full.own_variance[0], axis1=1, axis2=2)), np.nan)
        found[level.name] = UnitEffects(
            level=level.name,
            effects=full.effects[0],
            conditional_variance=bare.variance[0],
            prediction_variance=full.variance[0],
            own=own,
            own_sd=own_sd,
        )
    return found


def reliability(prediction_variance: Floats, variance: float) -> Floats:
    """How much of what is seen of a unit's effect is the unit's: 1 - prediction variance / variance.

    Args:
        prediction_variance: (U,) of one effect.
        variance: between units, of that effect.

    Returns:
        (U,) between 0 and 1; 0 where units do not differ.
    """
    if variance <= 0:
        return np.zeros(len(prediction_variance))
    return np.clip(1.0 - prediction_variance / variance, 0.0, 1.0)


def probability_beyond(mean: Floats, sd: Floats, *, threshold: float, side: Literal["above", "below"]) -> Floats:
    """The probability that each effect lies above, or below, a threshold; normal.

    Args:
        mean: (U,) effects.
        sd: (U,) standard deviations, positive.
        threshold: in the units of the effect.
        side: "above" or "below".

    Returns:
        (U,) probabilities.
    """
    z = (np.asarray(mean) - threshold) / np.asarray(sd)
    return np.asarray(stats.norm.cdf(z if side == "above" else -z))


def false_discoveries_held(p_values: Floats, *, share: float) -> Flags:
    """Which differences stand when, of those called different, no more than a share may be false on average.

    Args:
        p_values: (U,) two-sided.
        share: the false discovery rate, as 0.05.

    Returns:
        (U,) whether each stands (Benjamini & Hochberg, 1995, J. R. Stat. Soc. B 57, p. 293).
    """
    if len(p_values) == 0:
        return np.zeros(0, dtype=bool)
    return np.asarray(stats.false_discovery_control(p_values, method="bh") <= share)
