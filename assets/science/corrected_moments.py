"""The within-client effect of alliance on the next outcome, its look-ahead taken off by what it is expected to be.

What belongs here: least squares within clients' own courses, the size of its error by the number and places of a
client's sessions, the estimate that is right for any number of sessions, and the same without each clinician. What does
not: the levels between clients and clinicians (`split_panel.py`), intervals and words (`alliance_link.py`).

Outcome y and alliance a of a client follow each other, around a course of the client's own,

    z_t = (y_t, a_t),   z_{t+1} = own intercept + own slope x curve(t) + A z_t + u_{t+1},   cov(u_t) = S_t,

where the effect is how A carries a_t into y_{t+1}, and the off-diagonal of S_t is how alliance reacts to an outcome that
surprises. Taking each client's own course off by least squares (projection P over that client's rows) brings later
sessions into what is compared with the shock of session t + 1, wherefore the normal equations miss zero by

    E sum_t z~_t u_{t+1}' = - sum_{s > t} P_ts A^(s - t - 1) S_{t+1},

whatever the courses are, whoever comes for how long. The corrected estimate solves the normal equations with that put
back (for one regressor Bun & Carree, 2005, J. Bus. Econ. Stat. 23, pp. 200-210; for predetermined ones Breitung,
Kripfganz & Hayakawa, 2022, Econom. Stat. 24; the bias is Nickell's, 1981, Econometrica 49). S_t comes from residuals,
which the projection shrinks by a known factor. Nothing is assumed of how clients differ or begin. Assumed are one step
of memory, one A for all, shocks that don't foretell who stays, and outcomes that follow the curve. Of two curves the one
is taken that outcomes follow more closely. The alliance's own equation, which the effect needs only for how long a move
lasts, has an intercept of each client's and one course for all, since two or three sessions can't tell more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from assets.science.cross_products import Floats
from assets.science.multilevel import EstimateRefusedError
from assets.science.own_courses import EQUATION, NO_VARIANCE, Equation, Equations, settled

# Feedback may change over a therapy. Where there is little to see it by it is drawn to constancy, with the weight of a
# prior for the correlation of shocks of SD 0.25 a unit of the curve.
CONSTANCY: Final = 16.0
STRENGTHS: Final = (0.25, 0.5, 0.75, 1.0)
NEWTON_STEPS: Final = 30
HALVINGS: Final = 6
CLOSE: Final = 1e-9
DIFFERENCE: Final = 1e-6


@dataclass(frozen=True, kw_only=True)
class CorrectedMoments:
    """The within-client effect, in next-outcome points for one alliance point.

    `dynamics` is A: the rows are the next outcome and the next alliance, the columns outcome and alliance now. `curve`
    names the course that clients were found to follow.
    """

    estimate: float
    without: Floats  # (K,) leaving out each clinician in turn, in ascending order of their names
    dynamics: Floats  # (2, 2)
    curve: str


def corrected_moments(sums: Mapping[str, Equations]) -> CorrectedMoments:
    """The corrected within-client effect.

    Args:
        sums: by curve, one unit a clinician, as `own_courses.course_sums` gives them.

    Returns:
        The effect.

    Raises:
        EstimateRefusedError: too few rows, alliance that does not move, or no stable answer.
    """
    parts, curve = settled(sums)
    whole = Equations(*(_summed(each) for each in parts))
    dynamics = _solve(whole)
    return CorrectedMoments(
        estimate=float(dynamics[0, 1]),
        without=_without_each(dynamics, whole=whole, parts=parts),
        dynamics=dynamics,
        curve=curve,
    )


def _summed(equation: Equation) -> Equation:
    return Equation(**{name: getattr(equation, name).sum(axis=0, keepdims=True) for name in EQUATION})


def _less(whole: Equation, part: Equation) -> Equation:
    return Equation(**{name: getattr(whole, name) - getattr(part, name) for name in EQUATION})


def _misses(dynamics: Floats, equations: Equations) -> Floats:
    """By how much the normal equations, corrected, miss zero a row: (D, 2, 2), as `dynamics`."""
    own = np.concatenate([-dynamics, np.ones((len(dynamics), 2, 1))], axis=2)
    zero, one = np.zeros((len(dynamics), 1)), np.ones((len(dynamics), 1))
    outcome_left = np.concatenate([-dynamics[:, 0], one, zero], axis=1)
    alliance_left = np.concatenate([-dynamics[:, 1], zero, one], axis=1)
    together = _spread(equations.shocks, outcome_left, alliance_left)
    missed = np.empty_like(dynamics)
    for place, equation in enumerate(equations[:2]):
        alone = _spread(equation, own[:, place], own[:, place])
        shock = np.stack([alone, together] if place == 0 else [together, alone], axis=1)
        entering = shock @ np.swapaxes(equation.ahead, 1, 2)  # (D, 2, L)
        later = np.zeros((len(dynamics), 2))
        for lag in range(entering.shape[2] - 1, 0, -1):  # sum of A^(l - 1) v_l, from the last
            later = entering[:, :, lag] + np.einsum("dxy,dy->dx", dynamics, later)
        plain = equation.products[:, 0]
        normal = plain[:, :2, 2] - np.einsum("dxy,dy->dx", plain[:, :2, :2], dynamics[:, place])
        missed[:, place] = (normal + later) / equation.shrinkage[:, 0, 0][:, None]
    return missed


def _spread(equation: Equation, left: Floats, right: Floats) -> Floats:
    """The covariance of two residuals' shocks (D, q): at the mean time, and its change along the curve."""
    seen = np.einsum("da,dqab,db->dq", left, equation.products, right)
    drawn = np.diag([0.0, *[CONSTANCY] * (seen.shape[1] - 1)])
    return np.linalg.solve(equation.shrinkage + drawn, seen[:, :, None])[:, :, 0]


def _slopes(dynamics: Floats, equations: Equations) -> Floats:
    """Derivatives (D, 4, 4) of what is missed by each entry of the dynamics (D, 2, 2)."""
    step = DIFFERENCE * np.eye(4).reshape(4, 2, 2)
    ends = [[_misses(dynamics + sign * each, equations) for sign in (1, -1)] for each in step]
    found = [(up - down).reshape(-1, 4) / (2.0 * DIFFERENCE) for up, down in ends]
    return np.stack(found, axis=2)


def _solve(equations: Equations) -> Floats:
    """The dynamics, followed from least squares as the correction is turned up.

    The equations can have more than one solution; the one wanted is the one that least squares leads to.
    """
    dynamics = np.empty((1, 2, 2))
    for place, equation in enumerate(equations[:2]):
        plain = equation.products[0, 0]
        scale = np.sqrt(np.maximum(np.diag(plain)[:2], NO_VARIANCE))
        if np.linalg.eigvalsh(plain[:2, :2] / np.outer(scale, scale))[0] < NO_VARIANCE:
            raise EstimateRefusedError("Alliance does not move within clients beyond a course of their own.")
        dynamics[0, place] = np.linalg.solve(plain[:2, :2], plain[:2, 2])
    for strength in STRENGTHS:
        weak = Equations(*(replace(each, ahead=strength * each.ahead) for each in equations))
        dynamics, has_arrived = _newton(dynamics, weak)
        if not has_arrived.all():
            raise EstimateRefusedError("Too few sessions a client to tell a course of their own from chance.")
    if np.abs(np.linalg.eigvals(dynamics[0])).max() >= 1.0:
        raise EstimateRefusedError("Clients' courses cannot be told from what each session carries into the next.")
    return np.asarray(dynamics[0])


def _newton(dynamics: Floats, equations: Equations) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Newton's method, D at once, each step halved as long as it leads away; and which D arrived."""
    missed = _misses(dynamics, equations)
    has_arrived = np.zeros(len(dynamics), dtype=bool)
    for _ in range(NEWTON_STEPS):
        step = -(np.linalg.pinv(_slopes(dynamics, equations)) @ missed.reshape(-1, 4, 1)).reshape(-1, 2, 2)
        for _ in range(HALVINGS):
            onward = _misses(dynamics + step, equations)
            is_away = np.abs(onward).max(axis=(1, 2)) > np.abs(missed).max(axis=(1, 2))
            if not (is_away & (np.abs(step).max(axis=(1, 2)) > CLOSE)).any():
                break
            step = np.where(is_away[:, None, None], step / 2.0, step)
        dynamics, missed = dynamics + step, onward
        has_arrived = np.abs(step).max(axis=(1, 2)) < CLOSE
        if has_arrived.all() or np.abs(dynamics).max() > 1.0 / CLOSE:
            break
    return dynamics, has_arrived


def _without_each(dynamics: Floats, *, whole: Equations, parts: Equations) -> Floats:
    rest = Equations(*(_less(a, b) for a, b in zip(whole, parts, strict=True)))
    if min(each.shrinkage[:, 0, 0].min() for each in rest) >= NO_VARIANCE:
        found, has_arrived = _newton(np.repeat(dynamics[None], len(parts.outcome.products), axis=0), rest)
        if has_arrived.all():
            return found[:, 0, 1]
    raise EstimateRefusedError("Everything would hang on a single clinician, so how sure one can be cannot be told.")
