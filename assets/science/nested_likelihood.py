"""The likelihood of a nested Gaussian mixed model, from cross products alone.

What belongs here: levels, the forward sweep that absorbs one level after another, the REML or ML criterion and its
exact gradient. What does not: the cross products (`cross_products.py`), the search for the best
parameters (`multilevel.py`), predicted effects (`shrinkage.py`).

Notation. W = [X | y] has m = p + 1 columns, the first of X being ones. Unit u of a level has random coefficients on the
columns z of X with covariance sigma^2 L L'. Sweeping a level replaces each unit's A = W' V^-1 W by A - A_z' H A_z with
H = L (I + L' A_zz L)^-1 L' (the Woodbury identity) and adds log|I + L' A_zz L| to the log determinant; the sums over
units go up to the next level. Sums of squares profile the fixed effects and sigma^2 out (Bates, Maechler, Bolker &
Walker, 2015, J. Stat. Softw. 67, section 3.4, eq. 41 for REML).

Every function takes D parameter vectors at once, the first axis of its arrays, so that integrating over parameters
costs few calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from assets.science.cross_products import (
    CompressedProducts,
    Floats,
    Integers,
    Statistics,
    clients_absorbed,
    patterns_taken,
    products_within,
    sum_within,
    times,
)

Method = Literal["REML", "ML"]


@dataclass(frozen=True, kw_only=True)
class Level:
    """A grouping.

    Its name, the columns of X with random coefficients, and which unit of the next level each of its units belongs to.

    `parent` ascends; it is None at the top.
    """

    name: str
    random: tuple[int, ...]
    parent: Integers | None


@dataclass(frozen=True, kw_only=True)
class LevelSweep:
    """One level swept: L (D, q, q), the rows A_z (D, U, q, m), H (D, U, q, q) and the gain H A_z (D, U, q, m).

    Of A no more than its rows z are kept for each unit and parameter vector. Where they hang on no parameter the first
    axis of the rows is one long.
    """

    factor: Floats
    rows: Floats
    spread: Floats
    gain: Floats


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The forward sweep: log|V| (D,), W'V^-1 W (D, m, m), and each level's parts."""

    log_determinant: Floats
    total: Floats
    levels: tuple[LevelSweep, ...]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The criterion (D,) and what was profiled out.

    Fixed effects (D, r), (X'V^-1X)^-1 (D, r, r) and the residual sum of squares (D,).
    """

    criterion: Floats
    beta: Floats
    unscaled: Floats
    squares: Floats


def triangle(size: int) -> list[tuple[int, int]]:
    """Places of a lower triangle, column by column, the order in which covariance factors are parametrised."""
    return [(row, column) for column in range(size) for row in range(column, size)]


def has_client_intercept(statistics: Statistics) -> bool:
    """Whether the statistics carry a client's random intercept of their own, which then is the first parameter."""
    return isinstance(statistics, CompressedProducts)


def parameter_bounds(statistics: Statistics, levels: Sequence[Level]) -> list[tuple[float | None, None]]:
    """The least value of each parameter: 0 on diagonals, none beside them."""
    first: list[tuple[float | None, None]] = [(0.0, None)] if has_client_intercept(statistics) else []
    return first + [(0.0 if r == c else None, None) for level in levels for r, c in triangle(len(level.random))]


def factors(theta: Floats, statistics: Statistics, levels: Sequence[Level]) -> list[Floats]:
    """The lower triangular factor L (D, q, q) of each level from D parameter vectors (D, t)."""
    place = 1 if has_client_intercept(statistics) else 0
    found = []
    for level in levels:
        size = len(level.random)
        factor = np.zeros((len(theta), size, size))
        for row, column in triangle(size):
            factor[:, row, column] = theta[:, place]
            place += 1
        found.append(factor)
    return found


def sweep(theta: Floats, statistics: Statistics, levels: Sequence[Level]) -> Sweep:
    """Absorb the random coefficients, level by level from the innermost.

    Args:
        theta: (D, t) parameter vectors: the client's standard deviation over sigma where the statistics carry it,
            then each level's factor.
        statistics: cross products of the innermost units.
        levels: innermost first.

    Returns:
        The sweep.
    """
    log_determinant = np.zeros(len(theta))
    products = statistics.products[None]
    swept = []
    for place, (level, factor) in enumerate(zip(levels, factors(theta, statistics, levels), strict=True)):
        z = level.random
        if place == 0 and isinstance(statistics, CompressedProducts):
            rows, summed, log_determinant = _absorb_clients(theta[:, 0], statistics, level)
        else:
            rows, summed = products[:, :, z, :], sum_within(products, level.parent)
        spread, log_det = _spread(factor, rows[..., z])
        gain = spread @ rows
        swept.append(LevelSweep(factor=factor, rows=rows, spread=spread, gain=gain))
        log_determinant = log_determinant + log_det
        products = summed - products_within(rows, gain, level.parent)
    return Sweep(log_determinant=log_determinant, total=products[:, 0], levels=tuple(swept))


def contributions(theta: Floats, swept: Sweep, *, statistics: Statistics, levels: Sequence[Level]) -> Floats:
    """What each unit of the top level adds to W'V^-1 W: (U, m, m).

    Args:
        theta: (t,) the parameters the sweep was made at.
        swept: the sweep, D = 1.
        statistics: as for the sweep.
        levels: as for the sweep.
    """
    added = statistics.products
    if isinstance(statistics, CompressedProducts):
        added = clients_absorbed(theta[0], statistics)
    for level, part in zip(levels, swept.levels, strict=True):
        added = added - np.swapaxes(part.rows[0], 1, 2) @ part.gain[0]
        if level.parent is not None:
            added = sum_within(added[None], level.parent)[0]
    return added


def profile(swept: Sweep, *, kept: Sequence[int], rows: int, method: Method) -> Profile:
    """The criterion after the fixed effects and sigma^2 have been put at their best.

    Args:
        swept: the forward sweep.
        kept: the columns of X that are not combinations of others.
        rows: number of rows.
        method: REML or ML.

    Returns:
        Minus twice the (restricted) log likelihood, infinite where X'V^-1X is not positive definite, and its parts.
    """
    columns = list(kept)
    total, outcome = swept.total, swept.total.shape[1] - 1
    cross = total[:, columns, outcome]
    within = total[:, columns][:, :, columns]
    sign, log_det = np.linalg.slogdet(within)
    unscaled = np.asarray(np.linalg.inv(within), dtype=np.float64)
    beta = np.einsum("dab,db->da", unscaled, cross)
    squares = total[:, outcome, outcome] - np.einsum("da,da->d", cross, beta)
    freedom = rows - len(columns) if method == "REML" else rows
    is_sound = (sign > 0) & (squares > 0)
    safe = np.where(is_sound, squares, 1.0)
    criterion = swept.log_determinant + freedom * (1.0 + np.log(2.0 * np.pi * safe / freedom))
    if method == "REML":
        criterion = criterion + log_det
    return Profile(criterion=np.where(is_sound, criterion, np.inf), beta=beta, unscaled=unscaled, squares=squares)


def gradient(
    theta: Floats,
    swept: Sweep,
    profiled: Profile,
    *,
    statistics: Statistics,
    levels: Sequence[Level],
    kept: Sequence[int],
    method: Method,
) -> Floats:
    """The exact gradient of the criterion by one backward pass; for a single parameter vector.

    With G = [(X'V^-1X)^-1, 0; 0, 0] + (f / r^2) b b', b = (-beta, 1), the derivative of the criterion by a unit's A is
    G carried down: G_u = F_u G F_u' + H_u in the rows and columns z, F_u = I - e_z H_u A_z.

    Args:
        theta: (t,) the parameters the sweep was made at.
        swept: the sweep, D = 1.
        profiled: its profile.
        statistics: as for the sweep.
        levels: as for the sweep.
        kept: as for the profile.
        method: as for the profile.

    Returns:
        (t,) derivatives.
    """
    columns = list(kept)
    size = swept.total.shape[1]
    direction = np.zeros(size)
    direction[columns] = -profiled.beta[0]
    direction[-1] = 1.0
    freedom = statistics.rows - len(columns) if method == "REML" else statistics.rows
    carried = freedom / profiled.squares[0] * np.outer(direction, direction)
    if method == "REML":
        carried[np.ix_(columns, columns)] += profiled.unscaled[0]
    carried = carried[None]
    slopes: list[float] = []
    for place in reversed(range(len(levels))):
        z, parent, part = levels[place].random, levels[place].parent, swept.levels[place]
        rows, spread, gain = part.rows[0], part.spread[0], part.gain[0]
        block = rows[:, :, z]
        left = rows - block @ gain
        through = np.tensordot(times(left, carried, parent), left, axes=([0, 2], [0, 2]))
        inner = (block - block @ spread @ block).sum(axis=0) - through
        by_factor = 2.0 * inner @ part.factor[0]
        slopes = [by_factor[r, c] for r, c in triangle(len(z))] + slopes
        if place > 0:
            below = carried[np.zeros(len(rows), dtype=np.int64) if parent is None else parent]
            onward = np.broadcast_to(np.eye(size), below.shape).copy()
            onward[:, z, :] -= gain
            carried = onward @ below @ np.swapaxes(onward, 1, 2)
            carried[np.ix_(range(len(carried)), z, z)] += spread
        elif isinstance(statistics, CompressedProducts):
            slopes = [_slope_of_clients(theta[0], carried, part, statistics=statistics, level=levels[0]), *slopes]
    return np.asarray(slopes)


def _slope_of_clients(
    ratio: float, carried: Floats, part: LevelSweep, *, statistics: CompressedProducts, level: Level
) -> float:
    """The criterion's derivative by the clients' ratio; F G F' + H met with the patterns' sums without being written out."""
    n, variance = statistics.pattern_rows, ratio**2
    weight = (1.0 / (1.0 + variance * n) ** 2)[None]
    rows, summed = patterns_taken(weight, statistics, columns=level.random, parent=level.parent)
    gain, through = part.gain[0], times(part.gain[0], carried, level.parent)
    corner = through @ np.swapaxes(gain, 1, 2) + part.spread[0]
    fall = (carried * summed[0]).sum() - 2.0 * (through * rows[0]).sum() + (corner * rows[0][:, :, level.random]).sum()
    sizes, clients, _ = statistics.by_rows
    rise = (clients * sizes / (1.0 + variance * sizes)).sum()
    return float(2.0 * ratio * (rise - fall))


def _absorb_clients(ratio: Floats, statistics: CompressedProducts, level: Level) -> tuple[Floats, Floats, Floats]:
    """Absorb a random intercept for each client whose standard deviation is `ratio` (D,) times sigma.

    Returns:
        The rows z of what is left of each clinician's products, what is left of all above, and the log determinant.
    """
    variance = (ratio**2)[:, None]
    n = statistics.pattern_rows
    rows, whole = patterns_taken(variance / (1.0 + variance * n), statistics, columns=level.random, parent=level.parent)
    sizes, clients, _ = statistics.by_rows
    left = sum_within(statistics.products[None], level.parent) - whole
    return statistics.products[:, level.random, :] - rows, left, (clients * np.log1p(variance * sizes)).sum(axis=1)


def _spread(factor: Floats, block: Floats) -> tuple[Floats, Floats]:
    """H = L (I + L' A L)^-1 L' for each unit, and the sum over units of log|I + L' A L|.

    In closed form for one and two columns.
    """
    size = factor.shape[1]
    if size == 1:
        variance = factor[:, None] ** 2
        determinant = 1.0 + variance * block
        return variance / determinant, np.log(determinant[..., 0, 0]).sum(axis=1)
    if size == 2:
        return _spread_of_two(factor, block)
    wide = factor[:, None]
    inner = np.eye(size) + np.swapaxes(wide, 2, 3) @ block @ wide
    inverse = np.asarray(np.linalg.inv(inner), dtype=np.float64)
    return wide @ inverse @ np.swapaxes(wide, 2, 3), np.log(np.linalg.det(inner)).sum(axis=1)


def _spread_of_two(factor: Floats, block: Floats) -> tuple[Floats, Floats]:
    a, b, c = (factor[:, None, r, s] for r, s in ((0, 0), (1, 0), (1, 1)))
    p, q, r = (block[..., i, j] for i, j in ((0, 0), (0, 1), (1, 1)))
    first, second, last = 1.0 + a * (a * p + b * q) + b * (a * q + b * r), c * (a * q + b * r), 1.0 + c * c * r
    determinant = first * last - second * second
    spread = np.empty((*determinant.shape, 2, 2))
    spread[..., 0, 0] = a * a * last / determinant
    spread[..., 0, 1] = spread[..., 1, 0] = a * (b * last - c * second) / determinant
    spread[..., 1, 1] = (b * b * last - 2.0 * b * c * second + c * c * first) / determinant
    return spread, np.log(determinant).sum(axis=1)
