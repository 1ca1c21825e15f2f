"""Intervals that know that the covariance parameters are estimated.

What belongs here: the posterior of a nested model's covariance parameters, on a grid where there is one and by adaptive
importance sampling where there are more, and what it says of fixed effects, units' effects and shares of variance. What
does not: means and quantiles of the mixtures it ends in (`mixtures.py`), the likelihood (`nested_likelihood.py`) and plug-in variances (`shrinkage.py`), which are too small when there
are few clinicians: with 20 clinicians a nominal 95% interval for a clinician's slope covers about 75%.

Fixed effects and sigma are integrated out exactly (flat prior, 1/sigma^2: the REML value is minus twice the log
marginal). The covariance parameters, as ratios to sigma, have:
* standard deviation of an intercept: flat, closed off softly far out (half-normal, SD 3), without which three sites
would have no end;
* standard deviation of a slope: density proportional to it near zero (the boundary-avoiding idea of Chung,
Rabe-Hesketh, Dorie, Gelman &
  Liu, 2013, Psychometrika 78), because a flat prior leaves intervals too short where the estimate falls on zero;
* correlation: LKJ(2) (Lewandowski, Kurowicka & Joe, 2009).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
from scipy import optimize

from assets.science.cross_products import Floats, Integers
from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel
from assets.science.nested_likelihood import has_client_intercept, profile, sweep
from assets.science.shrinkage import descend

DRAWS_PER_STAGE: Final = 150
STAGES: Final = 3
TAILS: Final = 4.0  # degrees of freedom of the t proposals
OUTERMOST: Final = 3.0
FARTHEST: Final = 12.0  # of a log ratio
NEGLIGIBLE: Final = 1e-6
ROUGH: Final = 33  # points while the posterior is looked for
GRID: Final = 121
DEPTH: Final = 14.0  # log units below the mode that a grid reaches
SINGLE_RANGE: Final = (-9.0, 3.0)  # of a single log ratio: beyond lies next to nothing of the prior
DOUBLES_AT_ONCE: Final = 500_000


@dataclass(frozen=True, kw_only=True)
class Integrated:
    """A nested model with the uncertainty of its covariance parameters taken in.

    Draws carry weights that add up to one; effects are those of the top level's units (clinicians where there are no
    sites above).
    """

    weights: Floats  # (D,)
    sigma: Floats  # (D,) residual standard deviation
    # (D, s) standard deviations over sigma: client if compressed, then level by level, intercept before slope
    ratios: Floats
    beta: Floats  # (D, p)
    beta_sd: Floats  # (D, p)
    own: Floats  # (D, U, q) whole coefficients, fixed part included, of the level's random columns
    own_sd: Floats  # (D, U, q)
    effects: Floats  # (D, U, q)
    effects_sd: Floats  # (D, U, q)
    effective_draws: float


def integrate(fitted: Fit, *, level: str, seed: int) -> Integrated:
    """Describe fixed effects and one level's units under draws from the covariance parameters' posterior.

    Args:
        fitted: a REML fit whose levels have one or two random columns each, the intercept first.
        level: the level whose units are wanted.
        seed: the same seed and fit give the same answer; a model with one covariance parameter needs none.

    Returns:
        Weighted draws, or points of the grid.

    Raises:
        EstimateRefusedError: a level has more than two random columns.
    """
    model = fitted.model
    if any(len(l.random) > 2 for l in model.levels):
        raise EstimateRefusedError("Intervals are integrated for at most two random columns a level.")
    start, log_posterior = _start(fitted), partial(_log_posterior, model, kept=fitted.kept)
    draw = np.random.default_rng(seed)
    points, weights = _on_a_grid(log_posterior) if len(start) == 1 else _importance_sample(log_posterior, start, draw)
    carries = weights > NEGLIGIBLE * weights.max()
    points, weights = points[carries], weights[carries] / weights[carries].sum()
    names = [l.name for l in model.levels]
    place = names.index(level)
    theta, _ = _to_theta(model, points)
    parts = [_describe(model, t, kept=fitted.kept, place=place) for t in _chunks(model, theta)]
    joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    return Integrated(
        weights=weights,
        ratios=np.exp(points[:, _is_sd(model)]),
        effective_draws=float(1.0 / (weights**2).sum()),
        **joined,
    )


def _kinds(model: NestedModel) -> str:
    """The free parameters in order: i log SD of an intercept, s log SD of a slope, r transformed correlation."""
    first = "i" if has_client_intercept(model.statistics) else ""
    return first + "".join(
        ("i" if level.random[0] == 0 else "s") + ("sr" if len(level.random) > 1 else "") for level in model.levels
    )


def _is_sd(model: NestedModel) -> Integers:
    return np.flatnonzero([kind != "r" for kind in _kinds(model)])


def _to_theta(model: NestedModel, points: Floats) -> tuple[Floats, Floats]:
    """Model parameters (D, t) and log prior (D,) of points (D, n)."""
    kinds = _kinds(model)
    ratio = np.exp(points)
    prior = np.zeros(len(points))
    for i, kind in enumerate(kinds):
        if kind == "r":
            # LKJ(2) is proportional to 1 - r^2, and so is the Jacobian of atanh.
            prior += 2.0 * np.log(np.maximum(1.0 - np.tanh(points[:, i]) ** 2, 1e-300))
        else:
            prior += (2.0 if kind == "s" else 1.0) * points[:, i] - ratio[:, i] ** 2 / (2.0 * OUTERMOST**2)
    columns = []
    i = 0
    while i < len(kinds):
        if kinds[i + 1 : i + 3] == "sr":
            correlation = np.tanh(points[:, i + 2])
            slope = ratio[:, i + 1]
            columns += [ratio[:, i], correlation * slope, slope * np.sqrt(np.maximum(1.0 - correlation**2, 1e-12))]
            i += 3
        else:
            columns.append(ratio[:, i])
            i += 1
    return np.column_stack(columns), prior


def _chunks(model: NestedModel, theta: Floats) -> list[Floats]:
    """Parameter vectors in lots that stay near the processor: what a sweep keeps of each unit is a few of its rows."""
    units, size, _ = model.statistics.products.shape
    each = max(1, DOUBLES_AT_ONCE // (units * size * len(model.levels[0].random)))
    return [theta[i : i + each] for i in range(0, len(theta), each)]


def _log_posterior(model: NestedModel, points: Floats, *, kept: tuple[int, ...]) -> Floats:
    is_sd = _is_sd(model)
    inside = (np.abs(points[:, is_sd]) < FARTHEST).all(axis=1) & (np.abs(points) < 2 * FARTHEST).all(axis=1)
    theta, prior = _to_theta(model, np.clip(points, -2 * FARTHEST, FARTHEST))
    value = np.concatenate(
        [
            profile(
                sweep(t, model.statistics, model.levels), kept=kept, rows=model.statistics.rows, method="REML"
            ).criterion
            for t in _chunks(model, theta)
        ],
    )
    return np.where(inside, prior - value / 2.0, -1e9)


def _start(fitted: Fit) -> Floats:
    """The fit as a point, standard deviations lifted off zero, correlations at zero."""
    model, sigma2 = fitted.model, fitted.residual_variance
    sds = [] if fitted.client_variance is None else [fitted.client_variance]
    start = [np.log(max(np.sqrt(v / sigma2), 0.05)) for v in sds]
    for level in model.levels:
        variances = np.diag(fitted.covariances[level.name])
        start += [float(np.log(max(np.sqrt(v / sigma2), 0.05))) for v in variances]
        start += [0.0] * (len(variances) - 1)
    return np.asarray(start)


def _on_a_grid(log_posterior: Callable[[Floats], Floats]) -> tuple[Floats, Floats]:
    """Even points over all that a single parameter's posterior reaches, which is cheaper than draws and without noise.

    Args:
        log_posterior: of (D, 1) points, unnormalised.

    Returns:
        Points (D, 1) and weights (D,) that add up to one.
    """
    low, high = SINGLE_RANGE
    reached = 0
    while reached < ROUGH // 4:
        points = np.linspace(low, high, ROUGH)
        heights = log_posterior(points[:, None])
        within = np.flatnonzero(heights > heights.max() - DEPTH)
        low, high = points[max(within[0] - 1, 0)], points[min(within[-1] + 1, ROUGH - 1)]
        reached = len(within)
    points = np.linspace(low, high, GRID)
    heights = log_posterior(points[:, None])
    weights = np.exp(heights - heights.max())
    return points[:, None], np.asarray(weights / weights.sum())


def _importance_sample(
    log_posterior: Callable[[Floats], Floats], start: Floats, draw: np.random.Generator
) -> tuple[Floats, Floats]:
    """Adaptive multiple importance sampling with t proposals (Cornuet, Marin, Mira & Robert, 2012, Scand. J. Stat. 39).

    Args:
        log_posterior: of (D, n) points, unnormalised.
        start: (n,) where to look for the mode.
        draw: random numbers.

    Returns:
        Points (D, n) and weights (D,) that add up to one.
    """
    size = len(start)
    found = optimize.minimize(
        lambda x: -float(log_posterior(x[None])[0]),
        start,
        jac=lambda x: -_slope(log_posterior, x),
        method="BFGS",
        options={"gtol": 1e-3, "maxiter": 60},
    )
    centre = np.asarray(found.x)
    values, vectors = np.linalg.eigh(_curvature(log_posterior, centre))
    shape = vectors / np.sqrt(np.maximum(values, 0.25)) * 1.15
    points, heights = np.empty((0, size)), np.empty(0)
    proposals: list[tuple[Floats, Floats]] = []
    for _ in range(STAGES):
        normal = draw.normal(size=(DRAWS_PER_STAGE, size))
        radius = np.sqrt(draw.chisquare(TAILS, DRAWS_PER_STAGE) / TAILS)
        fresh = centre + (normal / radius[:, None]) @ shape.T
        points, heights = np.vstack([points, fresh]), np.r_[heights, log_posterior(fresh)]
        proposals.append((centre, shape))
        weights = _weights(points, heights, proposals)
        # One lucky draw must not shape the next proposal by itself.
        bounded = np.minimum(weights, 0.1)
        bounded /= bounded.sum()
        centre = bounded @ points
        spread = (points - centre).T @ ((points - centre) * bounded[:, None]) + 1e-3 * np.eye(size)
        shape = np.linalg.cholesky(spread) * 1.1
    return points, weights


def _weights(points: Floats, heights: Floats, proposals: list[tuple[Floats, Floats]]) -> Floats:
    """Importance weights against the equal mixture of all proposals."""
    size = points.shape[1]
    densities = []
    for centre, shape in proposals:
        z = np.linalg.solve(shape, (points - centre).T)
        log_det = np.linalg.slogdet(shape)[1]
        densities.append(-0.5 * (TAILS + size) * np.log1p((z**2).sum(axis=0) / TAILS) - log_det)
    log_weight = heights - np.logaddexp.reduce(densities, axis=0)
    weights = np.exp(log_weight - log_weight.max())
    return np.asarray(weights / weights.sum())


def _slope(function: Callable[[Floats], Floats], point: Floats) -> Floats:
    step = 1e-4 * np.eye(len(point))
    values = function(np.vstack([point + step, point - step]))
    return np.asarray((values[: len(point)] - values[len(point) :]) / 2e-4)


def _curvature(function: Callable[[Floats], Floats], point: Floats) -> Floats:
    """Minus the Hessian by differences."""
    size, h = len(point), 1e-2
    unit = h * np.eye(size)
    pairs = [(a, b) for a in range(size) for b in range(a + 1)]
    corners = [point + i * unit[a] + j * unit[b] for a, b in pairs for i, j in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    values = function(np.asarray(corners)).reshape(-1, 4) @ np.array([1.0, -1.0, -1.0, 1.0]) / (4.0 * h * h)
    matrix = np.zeros((size, size))
    for (a, b), value in zip(pairs, values, strict=True):
        matrix[a, b] = matrix[b, a] = -value
    return matrix


def _describe(model: NestedModel, theta: Floats, *, kept: tuple[int, ...], place: int) -> dict[str, Floats]:
    """Fixed effects and one level's units under each parameter vector."""
    statistics, columns = model.statistics, list(kept)
    size = len(model.columns) + 1
    swept = sweep(theta, statistics, model.levels)
    profiled = profile(swept, kept=kept, rows=statistics.rows, method="REML")
    sigma2 = profiled.squares / (statistics.rows - len(columns))
    beta, covariance = np.zeros((len(theta), size)), np.zeros((len(theta), size, size))
    beta[:, columns] = profiled.beta
    covariance[np.ix_(range(len(theta)), columns, columns)] = sigma2[:, None, None] * profiled.unscaled
    depth = len(model.levels) - place
    unit = descend(swept, model.levels, sigma2=sigma2, beta=beta, covariance=covariance, depth=depth)[-1]
    return {
        "sigma": np.sqrt(sigma2),
        "beta": beta[:, :-1],
        "beta_sd": np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)[:, :-1]),
        "own": unit.own,
        "own_sd": np.sqrt(np.diagonal(unit.own_variance, axis1=2, axis2=3)),
        "effects": unit.effects,
        "effects_sd": np.sqrt(np.diagonal(unit.variance, axis1=2, axis2=3)),
    }
