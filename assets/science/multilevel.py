"""Exact REML and ML for nested Gaussian mixed models, fitted from cross products.

What belongs here: a model's description, the reasons for which it is not fitted, the search for the best covariance
parameters, and estimates that leave one unit out. What does not: the likelihood itself (`nested_likelihood.py`),
predicted effects (`shrinkage.py`), intervals that take the covariance parameters' uncertainty in (`intervals.py`), and
anything about alliance or outcome.

The criterion and its parametrisation are lme4's (Bates, Maechler, Bolker & Walker, 2015, J. Stat. Softw. 67), so that
results can be set beside it digit by digit. A covariance parameter enters as its square, wherefore the gradient
vanishes at zero whether or not zero is best: the search restarts from off every boundary it ends on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize

from assets.science.cross_products import CompressedProducts, Floats, Statistics
from assets.science.nested_likelihood import (
    Level,
    Method,
    Sweep,
    contributions,
    factors,
    gradient,
    has_client_intercept,
    parameter_bounds,
    profile,
    sweep,
)

RESTARTS: Final = (0.03, 0.15)
AT_BOUNDARY: Final = 1e-6
INDEPENDENT: Final = 1e-10
NO_VARIANCE: Final = 1e-12


class EstimateRefusedError(ValueError):
    """The data cannot answer the question; the message says why in a sentence that can be shown."""


@dataclass(frozen=True, kw_only=True)
class NestedModel:
    """What is fitted: names of X's columns (the first the intercept), cross products, levels innermost first."""

    columns: tuple[str, ...]
    statistics: Statistics
    levels: tuple[Level, ...]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A fitted model.

    `beta` and `beta_se` follow the model's columns and are nan where a column was dropped because it is a combination
    of others; `beta_covariance` (r, r) is over the `kept` columns. Covariances are in outcome units squared.
    `is_singular` says that a covariance matrix lies on its boundary: no evidence of that difference, which is not
    evidence that there is none.
    """

    model: NestedModel
    method: Method
    theta: Floats
    criterion: float
    beta: Floats
    beta_se: Floats
    beta_covariance: Floats
    kept: tuple[int, ...]
    dropped: tuple[str, ...]
    residual_variance: float
    client_variance: float | None
    covariances: dict[str, Floats]
    is_singular: bool
    evaluations: int


def independent_columns(model: NestedModel) -> tuple[int, ...]:
    """Columns of X that are not (nearly) linear combinations of earlier ones, in order."""
    size = len(model.columns)
    total = model.statistics.products.sum(axis=0)[:size, :size]
    diagonal = np.diag(total)
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = total / np.outer(scale, scale)
    kept: list[int] = []
    for column in np.flatnonzero(diagonal > 0).tolist():
        among = scaled[np.ix_(kept, kept)]
        left = (
            scaled[column, column] - scaled[column, kept] @ np.linalg.solve(among, scaled[kept, column])
            if kept
            else 1.0
        )
        if left > INDEPENDENT:
            kept.append(column)
    return tuple(kept)


def refuse_what_cannot_be_fitted(model: NestedModel) -> None:
    """Raise where the data cannot tell the model's parts from one another.

    Args:
        model: the model.

    Raises:
        EstimateRefusedError: no rows to spare, one row a client, one unit in a level, an outcome or a random column
            without variance.
    """
    statistics = model.statistics
    total = statistics.products.sum(axis=0)
    if statistics.rows <= len(model.columns) + 1:
        raise EstimateRefusedError("There are too few rows for the number of things to be estimated.")
    if total[-1, -1] - total[0, -1] ** 2 / total[0, 0] <= NO_VARIANCE * max(total[-1, -1], 1e-300):
        raise EstimateRefusedError("The outcome is the same in every row, so there is nothing to explain.")
    kept = list(independent_columns(model))
    explained = total[kept, -1] @ np.linalg.solve(total[np.ix_(kept, kept)], total[kept, -1])
    if total[-1, -1] - explained <= NO_VARIANCE * total[-1, -1]:
        raise EstimateRefusedError("The outcome is predicted without error, so there is no variance to divide.")
    if isinstance(statistics, CompressedProducts) and statistics.pattern_rows.max() <= 1:
        raise EstimateRefusedError("Every client has one row, so clients cannot be told from chance.")
    _refuse_levels_that_cannot_be_told_apart(model)


def _refuse_levels_that_cannot_be_told_apart(model: NestedModel) -> None:
    statistics = model.statistics
    products = statistics.products
    for level in model.levels:
        if len(products) < 2:
            raise EstimateRefusedError(f"There is one {level.name}, so differences between them cannot be estimated.")
        if len(products) == statistics.rows:
            raise EstimateRefusedError(f"Every {level.name} has one row, so they cannot be told from chance.")
        for column in level.random:
            square, plain, count = products[:, column, column], products[:, column, 0], products[:, 0, 0]
            if column > 0 and (square - plain**2 / count).sum() <= NO_VARIANCE * square.sum():
                raise EstimateRefusedError(f"{model.columns[column]} does not vary within any {level.name}.")
        if level.parent is not None:
            products = np.add.reduceat(products, np.unique(level.parent, return_index=True)[1], axis=0)


def fit(model: NestedModel, *, method: Method, near: Floats | None = None) -> Fit:
    """Fit a nested mixed model.

    Args:
        model: what to fit.
        method: "REML" or "ML".
        near: (t,) parameters of a like model, from which the search is shorter; the answer is the same.

    Returns:
        The fit.

    Raises:
        EstimateRefusedError: the data cannot answer.
    """
    refuse_what_cannot_be_fitted(model)
    kept = independent_columns(model)
    bounds = parameter_bounds(model.statistics, model.levels)
    diagonal = [i for i, (least, _) in enumerate(bounds) if least is not None]
    calls = 0

    def criterion(theta: Floats) -> tuple[float, Floats]:
        nonlocal calls
        calls += 1
        swept = sweep(theta[None], model.statistics, model.levels)
        profiled = profile(swept, kept=kept, rows=model.statistics.rows, method=method)
        by_theta = gradient(
            theta, swept, profiled, statistics=model.statistics, levels=model.levels, kept=kept, method=method
        )
        return float(profiled.criterion[0]), by_theta

    start = np.zeros(len(bounds))
    start[diagonal] = 0.3
    best = _search(criterion, start if near is None else near, bounds)
    for away in RESTARTS:
        low = [i for i in diagonal if best[i] < 1e-3]
        if low:
            again = best.copy()
            again[low] = away
            again = _search(criterion, again, bounds)
            best = min(best, again, key=lambda theta: criterion(theta)[0])
    theta = _polish(criterion, best, diagonal)
    return _finish(model, theta, kept=kept, method=method, evaluations=calls)


def _search(
    criterion: Callable[[Floats], tuple[float, Floats]], start: Floats, bounds: Sequence[tuple[float | None, None]]
) -> Floats:
    found = optimize.minimize(
        criterion,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-13, "gtol": 1e-4, "maxiter": 500},
    )
    return np.asarray(found.x)


def _polish(criterion: Callable[[Floats], tuple[float, Floats]], theta: Floats, diagonal: Sequence[int]) -> Floats:
    """Two Newton steps with a Hessian from differences of the exact gradient, each kept only if it helps.

    The search ends within 1e-6 or so, from where two steps of quadratic convergence reach the limits of arithmetic.
    """
    value, slope = criterion(theta)
    for _ in range(2):
        free = [i for i in range(len(theta)) if i not in diagonal or theta[i] > AT_BOUNDARY]
        step = np.zeros(len(theta))
        step[free] = -np.linalg.lstsq(_hessian(criterion, theta, free), slope[free], rcond=None)[0]
        onward = theta + step
        onward[diagonal] = np.maximum(onward[diagonal], 0.0)
        next_value, next_slope = criterion(onward)
        if next_value > value:
            break
        theta, value, slope = onward, next_value, next_slope
    return theta


def _hessian(criterion: Callable[[Floats], tuple[float, Floats]], theta: Floats, free: Sequence[int]) -> Floats:
    rows = []
    for i in free:
        step = np.zeros(len(theta))
        step[i] = 1e-5 * max(1.0, abs(theta[i]))
        rows.append((criterion(theta + step)[1] - criterion(theta - step)[1])[list(free)] / (2.0 * step[i]))
    matrix = np.asarray(rows).reshape(len(free), len(free))
    return np.asarray((matrix + matrix.T) / 2.0)


def at_parameters(model: NestedModel, theta: Floats, *, method: Method) -> Fit:
    """The model at given covariance parameters, without any search.

    Args:
        model: the model.
        theta: (t,) parameters.
        method: "REML" or "ML".

    Returns:
        The fit there.
    """
    return _finish(model, theta, kept=independent_columns(model), method=method, evaluations=0)


def _finish(model: NestedModel, theta: Floats, *, kept: tuple[int, ...], method: Method, evaluations: int) -> Fit:
    statistics, columns = model.statistics, list(kept)
    swept = sweep(theta[None], statistics, model.levels)
    profiled = profile(swept, kept=kept, rows=statistics.rows, method=method)
    freedom = statistics.rows - len(kept) if method == "REML" else statistics.rows
    sigma2 = float(profiled.squares[0]) / freedom
    covariance = sigma2 * profiled.unscaled[0]
    beta, beta_se = np.full((2, len(model.columns)), np.nan)
    beta[columns], beta_se[columns] = profiled.beta[0], np.sqrt(np.diag(covariance))
    bounds = parameter_bounds(statistics, model.levels)
    found = factors(theta[None], statistics, model.levels)
    return Fit(
        model=model,
        method=method,
        theta=theta,
        criterion=float(profiled.criterion[0]),
        beta=beta,
        beta_se=beta_se,
        beta_covariance=covariance,
        kept=kept,
        dropped=tuple(name for i, name in enumerate(model.columns) if i not in kept),
        residual_variance=sigma2,
        client_variance=sigma2 * float(theta[0]) ** 2 if has_client_intercept(statistics) else None,
        covariances={level.name: sigma2 * f[0] @ f[0].T for level, f in zip(model.levels, found, strict=True)},
        is_singular=any(
            least is not None and value <= AT_BOUNDARY for (least, _), value in zip(bounds, theta, strict=True)
        ),
        evaluations=evaluations,
    )


def sweep_of(fitted: Fit) -> Sweep:
    """The forward sweep at a fit's own parameters."""
    return sweep(fitted.theta[None], fitted.model.statistics, fitted.model.levels)


def leave_one_out(fitted: Fit) -> Floats:
    """The fixed effects without each unit of the top level in turn, covariance parameters held.

    Args:
        fitted: the fit.

    Returns:
        (U, p); nan in dropped columns.

    Raises:
        EstimateRefusedError: without one of the units the rest cannot answer.
    """
    columns = list(fitted.kept)
    swept, model = sweep_of(fitted), fitted.model
    without = swept.total[0] - contributions(fitted.theta, swept, statistics=model.statistics, levels=model.levels)
    within = without[:, columns][:, :, columns]
    scale = np.sqrt(np.diag(swept.total[0])[columns])
    if np.linalg.eigvalsh(within / np.outer(scale, scale))[:, 0].min() < INDEPENDENT:
        raise EstimateRefusedError("Everything would hang on a single unit, so how sure one can be cannot be told.")
    estimates = np.full((len(without), len(fitted.model.columns)), np.nan)
    solved = np.linalg.solve(within, without[:, columns, -1][..., None])
    estimates[:, columns] = solved[..., 0]
    return estimates
