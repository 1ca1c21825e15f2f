"""Clients' own courses taken off outcome and alliance, and what that leaves to estimate from, unit by unit.

What belongs here: the curve that courses follow, least squares of each client on it, and the sums over a unit's
clients that an equation of `corrected_moments.py` needs: products of what is left, and what the taking off does to them.
What does not: the equations' solution.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from assets.science.cross_products import Floats, Integers
from assets.science.multilevel import EstimateRefusedError

FEWEST_ROWS: Final = 3  # an intercept and a slope take two
FEWEST_LINKED: Final = 2  # an intercept takes one
NO_VARIANCE: Final = 1e-9
MIDWAY: Final = 0.5  # between the first session and the ninth, near every mean that times are taken from in the end
EQUATION: Final = ("products", "ahead", "shrinkage", "times")


class Rows(NamedTuple):
    """Rows in order of unit, client and session, as arrays (N,); outcomes and alliance near zero, which keeps sums exact."""

    unit: Integers
    client: Integers
    session: Floats
    outcome: Floats
    alliance: Floats
    next_outcome: Floats


@dataclass(frozen=True, kw_only=True)
class Equation:
    """What an equation needs of its rows; first axis the units, or sums over them.

    The m columns are outcome and alliance now, then what they are to foretell. q counts the ways in which a shock's
    size may depend on the time: 1, and the curve less its mean, or less a half until it is known whose mean.
    """

    products: Floats  # (K, q, m, m) of columns less own course: sum of v v', by the time of the shock
    ahead: Floats  # (K, L, q) sum of P_ts, s - t = l, by the time of the shock at t + 1; L = 1 where not asked for
    shrinkage: Floats  # (K, q, q) what the products make of a unit variance: sum of M_ts^2, by the times of t and s
    times: Floats  # (K, q) sums of the ways: rows, and how far the curve's are from where they are taken from


class Equations(NamedTuple):
    """The outcome's, the alliance's, and residuals of both from clients' own courses, for how the shocks go together."""

    outcome: Equation
    alliance: Equation
    shocks: Equation


def _logarithmic(session: Floats) -> Floats:
    return np.asarray(np.log(session) / np.log(9.0))


def _straight(session: Floats) -> Floats:
    return (session - 1.0) / 8.0


# Both are nought at the first session and one at the ninth.
CURVES: Final = {"logarithmic": _logarithmic, "straight": _straight}


def course_sums(rows: Rows, *, units: int, spacing: float) -> dict[str, Equations]:
    """What the equations need of the rows, unit by unit, for each curve that courses may follow.

    Args:
        rows: the rows of whole clients.
        units: how many units there are; one without rows has nought.
        spacing: the step between sessions that forms are filled in at.

    Returns:
        By curve; sums, which add up over units and over sets of clients. The alliance's equation has the clients' curve
        as a last column, for `settled` to take off.
    """
    told = _taken(rows, _enough(rows.client, fewest=FEWEST_ROWS))
    following = np.flatnonzero(np.r_[(np.diff(rows.client) == 0) & (np.diff(rows.session) == spacing), False])
    next_alliance = np.r_[rows.alliance[1:], 0.0]
    linked, linked_told = (
        following[_enough(rows.client[following], fewest=fewest)] for fewest in (FEWEST_LINKED, FEWEST_ROWS)
    )
    alliance, shocks = _taken(rows, linked), _taken(rows, linked_told)
    found = {}
    for curve in CURVES:
        sums = partial(_equation, curve=curve, spacing=spacing, units=units)
        found[curve] = Equations(
            outcome=sums(told, after=[told.next_outcome], has_slopes=True, is_dynamic=True),
            alliance=sums(alliance, after=[next_alliance[linked]], has_slopes=False, is_dynamic=True),
            shocks=sums(
                shocks, after=[shocks.next_outcome, next_alliance[linked_told]], has_slopes=True, is_dynamic=False
            ),
        )
    return found


def settled(sums: Mapping[str, Equations]) -> tuple[Equations, str]:
    """The equations of all the units together, still unit by unit, once it is known whose they are.

    Args:
        sums: by curve, as `course_sums` gives them or sums of those.

    Returns:
        Times less their mean, the course that all share taken off the alliance; and the curve that outcomes follow more
        closely, which they are of.

    Raises:
        EstimateRefusedError: no client has rows enough to tell a course from chance.
    """
    curve = min(CURVES, key=lambda name: _left_over(sums[name].outcome))
    outcome, alliance, shocks = sums[curve]
    if outcome.times[:, 0].sum() == 0:
        raise EstimateRefusedError(f"No client has {FEWEST_ROWS} or more sessions with what is needed.")
    if shocks.times[:, 0].sum() == 0:
        raise EstimateRefusedError(f"No client has {FEWEST_ROWS + 1} sessions in a row with what is needed.")
    plain = alliance.products[:, 0].sum(axis=0)
    off = np.eye(4, 3)
    off[3] = -plain[3, :3] / max(float(plain[3, 3]), NO_VARIANCE)
    alliance = replace(alliance, products=off.T @ alliance.products @ off)
    return Equations(*(_from_their_mean(each) for each in (outcome, alliance, shocks))), curve


def _left_over(outcome: Equation) -> float:
    """How far outcomes lie from clients' own courses, in squares."""
    squares = outcome.products[:, 0].sum(axis=0)
    return float(squares[0, 0] + squares[2, 2])


def _from_their_mean(equation: Equation) -> Equation:
    rows, far = equation.times.sum(axis=0)
    move = np.array([[1.0, -far / rows], [0.0, 1.0]])
    return Equation(
        products=np.einsum("kqab,qr->krab", equation.products, move),
        ahead=equation.ahead @ move,
        shrinkage=move.T @ equation.shrinkage @ move,
        times=equation.times @ move,
    )


def _starts(key: npt.NDArray[np.generic]) -> Integers:
    return np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)


def _enough(client: Integers, *, fewest: int) -> npt.NDArray[np.bool_]:
    """Whether each row's client has rows enough."""
    counts = np.diff(np.r_[_starts(client), len(client)])
    return np.repeat(counts >= fewest, counts)


def _taken(rows: Rows, which: npt.NDArray[np.generic]) -> Rows:
    return Rows(*(column[which] for column in rows))


class _Courses:
    """Clients' own intercept, and slope on a curve; without own slopes, `apart` is the curve less each client's mean."""

    def __init__(self, rows: Rows, *, curve: str, has_slopes: bool) -> None:
        self.starts = _starts(rows.client)
        self.counts = np.diff(np.r_[self.starts, len(rows.client)])
        self.share = np.repeat(1.0 / self.counts, self.counts)
        self.apart = self._less_mean(CURVES[curve](rows.session))
        squares = self._over_client(self.apart**2)
        self.direction = (
            self.apart / np.sqrt(np.maximum(squares, NO_VARIANCE)) if has_slopes else np.zeros(len(self.apart))
        )

    def removed(self, values: Floats) -> Floats:
        """Values (N,) less each client's own course."""
        left = self._less_mean(values)
        return left - self.direction * self._over_client(left * self.direction)

    def _over_client(self, values: Floats) -> Floats:
        return np.repeat(np.add.reduceat(values, self.starts), self.counts)

    def _less_mean(self, values: Floats) -> Floats:
        return np.asarray(values - self._over_client(values) * self.share)


def _equation(
    rows: Rows, *, after: list[Floats], curve: str, spacing: float, units: int, has_slopes: bool, is_dynamic: bool
) -> Equation:
    size, ways = 2 + len(after) + (not has_slopes), 2
    if len(rows.unit) == 0:
        shapes = ((units, ways, size, size), (units, 1, ways), (units, ways, ways), (units, ways))
        return Equation(**{name: np.zeros(shape) for name, shape in zip(EQUATION, shapes, strict=True)})
    courses = _Courses(rows, curve=curve, has_slopes=has_slopes)
    left = [courses.removed(column) for column in (rows.outcome, rows.alliance, *after)]
    left += [] if has_slopes else [courses.apart]
    at = np.column_stack([np.ones(len(rows.unit)), CURVES[curve](rows.session + spacing) - MIDWAY])
    whose = _starts(rows.unit)

    def by_unit(values: Floats) -> Floats:
        found = np.zeros((units, *values.shape[1:]))
        found[rows.unit[whose]] = np.add.reduceat(values, whose, axis=0)
        return found

    products = np.empty((units, ways, size, size))
    for i in range(size):
        for j in range(i, size):
            product = left[i] * left[j]
            products[:, 0, i, j] = products[:, 0, j, i] = by_unit(product)
            products[:, 1, i, j] = products[:, 1, j, i] = by_unit(product * at[:, 1])
    return Equation(
        products=products,
        ahead=_ahead(rows, courses, at, spacing=spacing, units=units) if is_dynamic else np.zeros((units, 1, ways)),
        shrinkage=_shrinkage(rows, courses, at, units=units),
        times=by_unit(at),
    )


def _shrinkage(rows: Rows, courses: _Courses, at: Floats, *, units: int) -> Floats:
    """Sums of M_ts^2, client by client without going through pairs of rows.

    Off the diagonal M_ts^2 is (1 / n + d_t d_s)^2, whose three terms each are a product of one of t and one of s.
    """
    share, direction = courses.share, courses.direction
    twice = 1.0 - 2.0 * (share + direction**2)
    terms = [share[:, None] * at, np.sqrt(2.0 * share)[:, None] * direction[:, None] * at, direction[:, None] ** 2 * at]
    sums = [np.add.reduceat(term, courses.starts, axis=0) for term in terms]
    whose = rows.unit[courses.starts]
    found = np.empty((units, at.shape[1], at.shape[1]))
    for i in range(at.shape[1]):
        for j in range(i, at.shape[1]):
            by_row = np.bincount(rows.unit, twice * at[:, i] * at[:, j], minlength=units)
            by_client = np.bincount(whose, sum(term[:, i] * term[:, j] for term in sums), minlength=units)
            found[:, i, j] = found[:, j, i] = by_row + by_client
    return found


def _ahead(rows: Rows, courses: _Courses, at: Floats, *, spacing: float, units: int) -> Floats:
    """Sums of P_ts over later rows s of the same client, by how many steps later."""
    share, direction = courses.share, courses.direction
    steps = np.floor(rows.session / spacing).astype(np.int64)
    last = np.repeat(courses.starts + courses.counts - 1, courses.counts)
    lags = int((steps[last] - steps).max()) + 1
    found = np.zeros((at.shape[1], units * lags))
    t = np.arange(len(steps))
    for apart in range(1, int(courses.counts.max())):
        t = t[t + apart <= last[t]]
        s = t + apart
        place = rows.unit[t] * lags + steps[s] - steps[t]
        shared = share[t] + direction[t] * direction[s]
        for way in range(at.shape[1]):
            found[way] += np.bincount(place, shared * at[t, way], minlength=found.shape[1])
    return np.ascontiguousarray(found.reshape(at.shape[1], units, lags).transpose(1, 2, 0))
