"""The likelihood of a nested Gaussian mixed model, from cross products alone.

What belongs here: levels, the forward sweep that absorbs one level after another, the REML or ML criterion and its
exact gradient. What does not: where the cross products come from (`sufficient_statistics.py`), the search for the best
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
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Method = Literal["REML", "ML"]


@dataclass(frozen=True, kw_only=True)
class UnitProducts:
    """W'W of each innermost unit with random coefficients (U, m, m), and the number of rows behind them."""

    products: Floats
    rows: int


@dataclass(frozen=True, kw_only=True)
class CompressedProducts:
    """What a model with a random intercept for each client needs of its rows, clients no longer told apart.

    A client's random intercept acts through how many rows the client has, so the outer products of client sums are kept
    summed over the clients of a clinician that have the same number of rows: a pattern. Patterns ascend by unit.
    """

    products: Floats  # (K, m, m) W'W of each clinician
    # (P, m (m + 1) / 2) sum of s s' over the clients of the pattern, s being a client's column sums; by `pack`
    pattern_sums: Floats
    pattern_rows: Floats  # (P,) rows of each client of the pattern
    pattern_clients: Floats  # (P,) how many clients
    pattern_unit: Integers  # (P,) position of the clinician in `products`
    rows: int


Statistics = UnitProducts | CompressedProducts


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
    """One level swept: L (D, q, q), A (D, U, m, m), H (D, U, q, q) and the gain H A_z (D, U, q, m)."""

    factor: Floats
    products: Floats
    spread: Floats
    gain: Floats


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The forward sweep.

    log|V| (D,), W'V^-1 W (D, m, m), what each top unit adds to it (D, U, m, m), and each level's parts.
    """

    log_determinant: Floats
    total: Floats
    contributions: Floats
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
    products: Floats
    if isinstance(statistics, CompressedProducts):
        products, log_determinant = _absorb_clients(theta[:, 0], statistics)
    else:
        products = np.broadcast_to(statistics.products, (len(theta), *statistics.products.shape))
    swept = []
    for level, factor in zip(levels, factors(theta, statistics, levels), strict=True):
        z = list(level.random)
        rows = products[:, :, z, :]
        spread, log_det = _spread(factor, rows[:, :, :, z])
        log_determinant = log_determinant + log_det
        gain = spread @ rows
        swept.append(LevelSweep(factor=factor, products=products, spread=spread, gain=gain))
        contributions = products - np.swapaxes(rows, 2, 3) @ gain
        products = (
            contributions if level.parent is None else np.add.reduceat(contributions, _starts(level.parent), axis=1)
        )
    return Sweep(
        log_determinant=log_determinant,
        total=contributions.sum(axis=1),
        contributions=contributions,
        levels=tuple(swept),
    )


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
    for level, part in zip(reversed(levels), reversed(swept.levels), strict=True):
        z = list(level.random)
        products, spread, gain = part.products[0], part.spread[0], part.gain[0]
        if level.parent is not None:
            carried = carried[level.parent]
        rows = products[:, z, :]
        block = rows[:, :, z]
        left = rows - block @ gain
        inner = (block - block @ spread @ block - left @ carried @ np.swapaxes(left, 1, 2)).sum(axis=0)
        by_factor = 2.0 * inner @ part.factor[0]
        slopes = [by_factor[r, c] for r, c in triangle(len(z))] + slopes
        if level is levels[0] and not has_client_intercept(statistics):
            break
        through = np.broadcast_to(np.eye(size), products.shape).copy()
        through[:, z, :] -= gain
        carried = through @ carried @ np.swapaxes(through, 1, 2)
        carried[np.ix_(range(len(carried)), z, z)] += spread
    if isinstance(statistics, CompressedProducts):
        n, variance = statistics.pattern_rows, theta[0] ** 2
        weight = 1.0 / (1.0 + variance * n) ** 2
        summed = _pattern_sum(weight, statistics)
        upper, twice = _upper(size)
        fall = float(((carried[:, upper[0], upper[1]] * twice) * summed).sum())
        sizes, clients = _clients_by_rows(statistics)
        rise = float((clients * sizes / (1.0 + variance * sizes)).sum())
        slopes = [2.0 * theta[0] * (rise - fall), *slopes]
    return np.asarray(slopes)


def pack(matrices: Floats) -> Floats:
    """The upper triangles of symmetric matrices (..., m, m), row by row: (..., m (m + 1) / 2)."""
    (rows, columns), _ = _upper(matrices.shape[-1])
    return np.ascontiguousarray(matrices[..., rows, columns])


def _starts(parent: Integers) -> Integers:
    return np.flatnonzero(np.r_[True, parent[1:] != parent[:-1]])


def _upper(size: int) -> tuple[tuple[Integers, Integers], Floats]:
    """Places of the upper triangle, and how often each stands in the full matrix."""
    rows, columns = np.triu_indices(size)
    return (rows, columns), np.where(rows == columns, 1.0, 2.0)


def _pattern_sum(weight: Floats, statistics: CompressedProducts) -> Floats:
    """The weighted sum of pattern sums over each clinician's patterns, upper triangle only: (K, m (m + 1) / 2)."""
    count = len(statistics.products)
    ends = np.searchsorted(statistics.pattern_unit, np.arange(count + 1))
    spread = sparse.csr_matrix((weight, np.arange(len(weight)), ends), shape=(count, len(weight)))
    return np.asarray(spread @ statistics.pattern_sums)


def _clients_by_rows(statistics: CompressedProducts) -> tuple[Floats, Floats]:
    """The numbers of rows that clients have, and how many clients have each: a few dozen, where patterns are thousands."""
    clients = np.bincount(statistics.pattern_rows.astype(np.int64), weights=statistics.pattern_clients)
    sizes = np.flatnonzero(clients)
    return sizes.astype(np.float64), np.asarray(clients[sizes], dtype=np.float64)


def _absorb_clients(ratio: Floats, statistics: CompressedProducts) -> tuple[Floats, Floats]:
    """Absorb a random intercept for each client whose standard deviation is `ratio` (D,) times sigma."""
    size = statistics.products.shape[1]
    (rows, columns), _ = _upper(size)
    full = np.zeros((size, size), dtype=np.int64)
    full[rows, columns] = full[columns, rows] = np.arange(len(rows))
    variance = (ratio**2)[:, None]
    n = statistics.pattern_rows
    weight = variance / (1.0 + variance * n)
    taken = np.stack([_pattern_sum(w, statistics)[:, full] for w in weight])
    sizes, clients = _clients_by_rows(statistics)
    return statistics.products - taken, (clients * np.log1p(variance * sizes)).sum(axis=1)


def _spread(factor: Floats, block: Floats) -> tuple[Floats, Floats]:
    """H = L (I + L' A L)^-1 L' for each unit, and the sum over units of log|I + L' A L|.

    In closed form for one and two columns.
    """
    size = factor.shape[1]
    wide = factor[:, None]
    inner = np.eye(size) + np.swapaxes(wide, 2, 3) @ block @ wide
    if size == 1:
        determinant = inner[..., 0, 0]
        inverse = 1.0 / inner
    elif size == 2:
        determinant = inner[..., 0, 0] * inner[..., 1, 1] - inner[..., 0, 1] * inner[..., 1, 0]
        swapped = np.empty_like(inner)
        swapped[..., 0, 0], swapped[..., 1, 1] = inner[..., 1, 1], inner[..., 0, 0]
        swapped[..., 0, 1], swapped[..., 1, 0] = -inner[..., 0, 1], -inner[..., 1, 0]
        inverse = swapped / determinant[..., None, None]
    else:
        determinant = np.linalg.det(inner)
        inverse = np.asarray(np.linalg.inv(inner), dtype=np.float64)
    return wide @ inverse @ np.swapaxes(wide, 2, 3), np.log(determinant).sum(axis=1)
