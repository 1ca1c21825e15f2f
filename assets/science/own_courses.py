"""Clients' own courses taken off outcome and alliance, and what that leaves to estimate from, clinician by clinician.

What belongs here: the curve that courses follow, least squares of each client on it, and the sums over a clinician's
clients that an equation of `corrected_moments.py` needs: products of what is left, and what the taking off does to them.
What does not: the equations' solution.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.science.cross_products import Floats, Integers
from assets.science.multilevel import EstimateRefusedError

FEWEST_ROWS: Final = 3  # an intercept and a slope take two
FEWEST_LINKED: Final = 2  # an intercept takes one
NO_VARIANCE: Final = 1e-9


class _Rows(NamedTuple):
    """Rows in order of clinician, client and session, as arrays (N,)."""

    clinician: Integers
    client: Integers
    session: Floats
    outcome: Floats
    alliance: Floats
    next_outcome: Floats


@dataclass(frozen=True, kw_only=True)
class Equation:
    """What an equation needs of its rows; first axis the clinicians, or sums over them.

    The m columns are outcome and alliance now, then what they are to foretell. q counts the ways in which a shock's
    size may depend on the time: 1, and the curve less its mean.
    """

    products: Floats  # (K, q, m, m) of columns less own course: sum of v v', by the time of the shock
    ahead: Floats  # (K, L, q) sum of P_ts, s - t = l, by the time of the shock at t + 1; L = 1 where not asked for
    shrinkage: Floats  # (K, q, q) what the products make of a unit variance: sum of M_ts^2, by the times of t and s


class _Frame(NamedTuple):
    """What all equations share: the curve, the step between sessions that forms are filled in at, how many clinicians."""

    curve: str
    spacing: float
    clinicians: int


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


def equations(pairs: pl.DataFrame) -> tuple[Equations, str, int]:
    """What the equations need of the rows, clinician by clinician.

    Args:
        pairs: clinician, client, session_number, outcome_now, outcome_next, alliance; complete, one row a session.

    Returns:
        The sums, clinicians in ascending order; the curve that outcomes follow more closely; and how many clients have
        rows enough to tell a course from chance.

    Raises:
        EstimateRefusedError: no client has.
    """
    rows, count = _arrays(pairs), pairs["clinician"].n_unique()
    spacing = _spacing(rows)
    told = _taken(rows, _enough(rows.client, fewest=FEWEST_ROWS))
    if len(told.client) == 0:
        raise EstimateRefusedError(f"No client has {FEWEST_ROWS} or more sessions with what is needed.")
    curve = min(CURVES, key=lambda name: _left_over(told, curve=name))
    following = np.flatnonzero(np.r_[(np.diff(rows.client) == 0) & (np.diff(rows.session) == spacing), False])
    frame = _Frame(curve=curve, spacing=spacing, clinicians=count)
    next_alliance = np.r_[rows.alliance[1:], 0.0]
    linked, linked_told = (
        following[_enough(rows.client[following], fewest=fewest)] for fewest in (FEWEST_LINKED, FEWEST_ROWS)
    )
    if len(linked_told) == 0:
        raise EstimateRefusedError(f"No client has {FEWEST_ROWS + 1} sessions in a row with what is needed.")
    alliance, shocks = _taken(rows, linked), _taken(rows, linked_told)
    sums = Equations(
        outcome=_equation(told, after=[told.next_outcome], frame=frame, has_slopes=True, is_dynamic=True),
        alliance=_equation(alliance, after=[next_alliance[linked]], frame=frame, has_slopes=False, is_dynamic=True),
        shocks=_equation(
            shocks,
            after=[shocks.next_outcome, next_alliance[linked_told]],
            frame=frame,
            has_slopes=True,
            is_dynamic=False,
        ),
    )
    return sums, curve, len(_starts(told.client))


def _arrays(pairs: pl.DataFrame) -> _Rows:
    ordered = pairs.sort("clinician", "client", "session_number").select(
        pl.col("clinician").rank("dense").cast(pl.Int64) - 1,
        pl.struct("clinician", "client").rle_id().cast(pl.Int64).alias("client"),
        *(pl.col(c).cast(pl.Float64) for c in ("session_number", "outcome_now", "alliance", "outcome_next")),
    )
    # Outcomes and alliance near zero keep sums of squares exact.
    centred = ordered.with_columns(
        pl.col("outcome_now", "outcome_next") - pl.col("outcome_now").mean(),
        pl.col("alliance") - pl.col("alliance").mean(),
    )
    return _Rows(*(column.to_numpy() for column in centred.iter_columns()))


def _starts(key: npt.NDArray[np.generic]) -> Integers:
    return np.flatnonzero(np.r_[True, key[1:] != key[:-1]]) if len(key) else np.zeros(0, dtype=np.int64)


def _enough(client: Integers, *, fewest: int) -> npt.NDArray[np.bool_]:
    """Whether each row's client has rows enough."""
    counts = np.diff(np.r_[_starts(client), len(client)])
    return np.repeat(counts >= fewest, counts)


def _taken(rows: _Rows, which: npt.NDArray[np.generic]) -> _Rows:
    return _Rows(*(column[which] for column in rows))


def _spacing(rows: _Rows) -> float:
    """The commonest step from a client's row to the next, in sessions: one, unless forms are filled in less often."""
    steps, counts = np.unique(np.diff(rows.session)[np.diff(rows.client) == 0], return_counts=True)
    if len(steps) == 0:
        raise EstimateRefusedError("No client has two sessions with what is needed.")
    return max(float(steps[np.argmax(counts)]), 1.0)


class _Courses:
    """Clients' own intercept, and slope on a curve; without own slopes, one slope for all."""

    def __init__(self, rows: _Rows, *, curve: str, has_slopes: bool) -> None:
        self.starts = _starts(rows.client)
        self.counts = np.diff(np.r_[self.starts, len(rows.client)])
        self.share = np.repeat(1.0 / self.counts, self.counts)
        apart = self._less_mean(CURVES[curve](rows.session))
        squares = self._over_client(apart**2)
        self.common = np.zeros(len(apart)) if has_slopes else apart / np.sqrt(max(float(apart @ apart), NO_VARIANCE))
        self.direction = apart / np.sqrt(np.maximum(squares, NO_VARIANCE)) if has_slopes else np.zeros(len(apart))

    def removed(self, values: Floats) -> Floats:
        """Values (N,) less each client's own course."""
        left = self._less_mean(values)
        left = left - self.common * float(self.common @ left)
        return left - self.direction * self._over_client(left * self.direction)

    def _over_client(self, values: Floats) -> Floats:
        return np.repeat(np.add.reduceat(values, self.starts), self.counts)

    def _less_mean(self, values: Floats) -> Floats:
        return np.asarray(values - self._over_client(values) * self.share)


def _left_over(rows: _Rows, *, curve: str) -> float:
    """How far outcomes lie from clients' own courses, in squares."""
    courses = _Courses(rows, curve=curve, has_slopes=True)
    return float(sum((courses.removed(each) ** 2).sum() for each in (rows.outcome, rows.next_outcome)))


def _equation(rows: _Rows, *, after: list[Floats], frame: _Frame, has_slopes: bool, is_dynamic: bool) -> Equation:
    courses, count = _Courses(rows, curve=frame.curve, has_slopes=has_slopes), frame.clinicians
    left = np.column_stack([courses.removed(column) for column in (rows.outcome, rows.alliance, *after)])
    time = CURVES[frame.curve](rows.session + frame.spacing)
    at = np.column_stack([np.ones(len(time)), time - time.mean()])
    whose = _starts(rows.clinician)

    def by_clinician(values: Floats) -> Floats:
        found = np.zeros((count, *values.shape[1:]))
        found[rows.clinician[whose]] = np.add.reduceat(values, whose, axis=0)
        return found

    size, ways = left.shape[1], at.shape[1]
    products = np.empty((count, ways, size, size))
    for i in range(size):
        for j in range(i, size):
            products[:, :, i, j] = products[:, :, j, i] = by_clinician((left[:, i] * left[:, j])[:, None] * at)
    return Equation(
        products=products,
        ahead=_ahead(rows, courses, at, frame=frame) if is_dynamic else np.zeros((count, 1, ways)),
        shrinkage=_shrinkage(rows, courses, at, clinicians=count),
    )


def _shrinkage(rows: _Rows, courses: _Courses, at: Floats, *, clinicians: int) -> Floats:
    """Sums of M_ts^2, client by client without going through pairs of rows.

    Off the diagonal M_ts^2 is (1 / n + d_t d_s)^2, whose three terms each are a product of one of t and one of s.
    """
    share, direction = courses.share, courses.direction
    twice = 1.0 - 2.0 * (share + direction**2)
    terms = [share[:, None] * at, np.sqrt(2.0 * share)[:, None] * direction[:, None] * at, direction[:, None] ** 2 * at]
    sums = [np.add.reduceat(term, courses.starts, axis=0) for term in terms]
    whose = rows.clinician[courses.starts]
    found = np.empty((clinicians, at.shape[1], at.shape[1]))
    for i in range(at.shape[1]):
        for j in range(i, at.shape[1]):
            by_row = np.bincount(rows.clinician, twice * at[:, i] * at[:, j], minlength=clinicians)
            by_client = np.bincount(whose, sum(term[:, i] * term[:, j] for term in sums), minlength=clinicians)
            found[:, i, j] = found[:, j, i] = by_row + by_client
    return found


def _ahead(rows: _Rows, courses: _Courses, at: Floats, *, frame: _Frame) -> Floats:
    """Sums of P_ts over later rows s of the same client, by how many steps later."""
    share, direction = courses.share, courses.direction
    steps = np.floor(rows.session / frame.spacing).astype(np.int64)
    last = np.repeat(courses.starts + courses.counts - 1, courses.counts)
    lags = int((steps[last] - steps).max()) + 1
    found = np.zeros((at.shape[1], frame.clinicians * lags))
    t = np.arange(len(steps))
    for apart in range(1, int(courses.counts.max())):
        t = t[t + apart <= last[t]]
        s = t + apart
        place = rows.clinician[t] * lags + steps[s] - steps[t]
        shared = share[t] + direction[t] * direction[s]
        for way in range(at.shape[1]):
            found[way] += np.bincount(place, shared * at[t, way], minlength=found.shape[1])
    return np.ascontiguousarray(found.reshape(at.shape[1], frame.clinicians, lags).transpose(1, 2, 0))
