"""Simulated couples in which what two people rate, and where they differ, is known.

What belongs here: the process by which partners rate the alliance of one case, its parameters, and the truth behind
each draw. What does not: single clients (`clinic_process.py`), files, and anything that estimates.

A score is the service's mean, plus what is the clinician's, the case's, the member's and the session's own. All parts are
independent normal, so that every published figure has a truth in closed form: the clinician's level, the share of
variance at each level, and the mean difference of two partners.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class CoupleParameters:
    """How simulated couples rate; scores are SRS points (0-40, higher is better), standard deviations in points.

    Partners agree moderately on the alliance; how much is assumed throughout.
    """

    clinicians: int = 12  # assumed
    cases: int = 40  # of each clinician; assumed
    sessions: int = 6  # of each case; assumed
    mean: float = 32.0  # assumed
    clinician_sd: float = 1.5  # assumed
    case_sd: float = 2.5  # what partners share; assumed
    member_sd: float = 2.5  # what one partner has alone; assumed
    session_sd: float = 2.0  # from session to session, error included; assumed
    skipped: float = 0.1  # of forms; assumed

    @property
    def shares(self) -> dict[str, float]:
        """The share of the whole variance at each level."""
        parts = {
            "session": self.session_sd**2,
            "partner": self.member_sd**2,
            "case": self.case_sd**2,
            "clinician": self.clinician_sd**2,
        }
        return {level: part / sum(parts.values()) for level, part in parts.items()}

    @property
    def mean_difference(self) -> float:
        """The mean of the higher less the lower of two partners' scores at one session.

        Half of a normal difference with the variance of two members and two sessions: 2 / sqrt(pi) times the root of
        one of each.
        """
        return float(2.0 / np.sqrt(np.pi) * np.hypot(self.member_sd, self.session_sd))


@dataclass(frozen=True, kw_only=True)
class SimulatedCouples:
    """One row a member and session whose form was filled in, and each clinician's own level.

    `ratings` has clinician_id, case_id, episode_id, client_id, session_number and score.
    """

    ratings: pl.DataFrame
    clinician_level: dict[str, float]


def simulate_couples(parameters: CoupleParameters, *, seed: int) -> SimulatedCouples:
    """Draw couples.

    Args:
        parameters: how they rate.
        seed: the same seed draws the same couples.

    Returns:
        Ratings and truth.
    """
    p, draw = parameters, np.random.default_rng(seed)
    shape = (p.clinicians, p.cases, 2, p.sessions)
    clinician = draw.normal(0.0, p.clinician_sd, p.clinicians)
    score = (
        p.mean
        + clinician[:, None, None, None]
        + draw.normal(0.0, p.case_sd, shape[:2])[:, :, None, None]
        + draw.normal(0.0, p.member_sd, shape[:3])[:, :, :, None]
        + draw.normal(0.0, p.session_sd, shape)
    )
    k, j, member, t = np.nonzero(draw.random(shape) >= p.skipped)
    case = k * p.cases + j
    ratings = pl.DataFrame({"k": k, "case": case, "member": member, "t": t, "score": score[k, j, member, t]}).select(
        clinician_id=pl.format("K{}", pl.col("k").cast(pl.String).str.zfill(3)),
        case_id=pl.format("P{}", "case"),
        episode_id=pl.format("E{}", "case"),
        client_id=pl.format("P{}-{}", "case", pl.col("member").replace_strict({0: "a", 1: "b"})),
        session_number=pl.col("t") + 1,
        score="score",
    )
    levels = {f"K{i:03d}": float(p.mean + own) for i, own in enumerate(clinician)}
    return SimulatedCouples(ratings=ratings, clinician_level=levels)
