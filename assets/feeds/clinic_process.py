"""A simulated therapy service whose every number is known.

What belongs here: the process by which sessions, alliance, outcome, ruptures, missed appointments and endings come
about, its parameters with their sources, and the truth behind each draw. What does not: files, item forms and wrong
rows (`synthetic.py`), and anything that estimates.

Order inside a session t = 0, 1, ...: the outcome form is filled in before the hour, the alliance form after it.
Alliance may therefore react to the outcome of the same session, and the next outcome to the alliance:

    course     E_jt = B_j + R_j g(t),  g(t) = log(1 + t) / log 9    expected course of client j; g(8) = 1
    change     R_j  = mean + severity + case-mix + clinician + site + client + beta_between C_j + beta_clinician M_k
    deviation  d_t  = phi d_{t-1} + beta_k w_{t-1} + e_t                    from the client's own expected course
    outcome    y_t  = E_jt + d_t                                            0-27, higher is worse
    within     w_t  = rho w_{t-1} + kappa_t e_t + n_t - rupture             alliance against the client's own usual
    alliance   a_t  = mean + M_k + C_j + growth g(t) + w_t                  1-5, higher is better

beta_k, the clinician's own within-client effect in outcome points for one alliance point, is what the estimators are
after.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PLANNED: Final = 1
COMPLETED_EARLY: Final = 2
DROPPED_OUT: Final = 3
STILL_OPEN: Final = 0
MOST_SEVERE: Final = 27.0
SEVERE_ENOUGH_TO_SKIP_FORMS: Final = 17.0


@dataclass(frozen=True, kw_only=True)
class ClinicParameters:
    """How a simulated service behaves; each default says where it comes from, or that it is assumed.

    Outcome figures are PHQ-9 points (higher is worse), alliance figures WAI-SR item means (1-5, higher is better),
    times are sessions.
    """

    sites: int = 5  # assumed
    clinicians: int = 50  # assumed
    clients: int = 1500  # assumed
    longest: int = 16  # sessions at most; assumed
    caseload_spread: float = 0.8  # SD of log caseload weight between clinicians; assumed
    baseline_mean: float = 15.0  # PHQ-9 in services about 14-16; assumed from general knowledge
    baseline_sd: float = 5.0  # assumed
    baseline_clinician_sd: float = 1.0  # clinicians see differently severe clients; assumed
    change_mean: float = (
        -5.0
    )  # by the ninth session; gives about half reliably improved, as English services report; assumed
    change_severity: float = -0.35  # more change from a worse start (regression to the mean included); assumed
    change_client_sd: float = 3.4  # assumed
    change_clinician_sd: float = 1.2  # with the rest about 5-6% of residual variance: Wampold & Brown (2005), 5%
    change_site_sd: float = 0.3  # assumed
    casemix_effect: float = 1.5  # less change where circumstances are hard; assumed
    casemix_share: float = 0.35  # share of clients so placed; assumed
    beta_within: float = (
        -1.0
    )  # same size as the cross-lagged effect in a Kenyan trial (PMC7776120): -1.27 CORE-OM points, SE 0.60
    beta_within_sd: float = 0.4  # between clinicians; assumed
    beta_between: float = -2.0  # gives r = -.25 of mean alliance with residual outcome; Fluckiger et al. (2018) r = .28
    beta_clinician: float = -3.0  # assumed; Baldwin, Wampold & Imel (2007) find the clinician part the larger
    carry_over: float = 0.35  # phi; assumed
    shock_sd: float = 2.4  # session-to-session outcome noise; assumed
    alliance_mean: float = 4.0  # assumed
    alliance_clinician_sd: float = 0.18  # assumed
    alliance_client_sd: float = 0.45  # assumed
    alliance_growth: float = 0.15  # by the ninth session; assumed
    alliance_carry_over: float = 0.3  # rho; assumed
    alliance_shock_sd: float = 0.30  # assumed
    feedback: float = (
        -0.03
    )  # kappa: a worse week lowers the alliance; reciprocal effects in Fluckiger et al. (2020), size assumed
    feedback_late: float | None = None  # kappa from `feedback_late_from` on; None: the same throughout
    feedback_late_from: int = 4  # session index t
    rupture_probability: float = 0.05  # a session; assumed
    rupture_dip: float = 0.9  # assumed
    repair_probability: float = 0.5  # a session after a rupture; assumed
    missed_probability: float = 0.10  # of an appointment; assumed
    missed_spread: float = 0.6  # SD of the client's log odds of missing; assumed
    dropout_log_odds: float = -3.9  # a session; gives about 19.5% unplanned endings: Swift & Greenberg (2012), 19.7%
    dropout_outcome: float = 0.06  # log odds a point above 12; assumed
    dropout_within: float = -0.8  # log odds a point of alliance against own usual; assumed
    dropout_between: float = -0.5  # log odds a point of alliance against other clients; assumed
    planned_sessions: float = 10.0  # mean of the agreed length; assumed
    early_below: float = 5.0  # two scores below this: may end early; PHQ-9 minimal range, Kroenke et al. (2001)
    early_probability: float = 0.35  # assumed
    outcome_missing: float = 0.06  # assumed
    alliance_missing: float = 0.12  # assumed
    severe_missing: float = 0.05  # added to both after a severe score; assumed
    is_scale_real: bool = (
        True  # whole points 0-27, alliance in twelfths with a ceiling at 5; False keeps the unrounded process
    )
    rupture_lasting: float = 0.0  # how far the alliance stays down until it is repaired, beside the dip; off
    # Log odds a session of dropping out while a rupture is not repaired; off. Confrontation ruptures predict dropout
    # with d = .74 (Eubanks, Lubitz, Muran & Safran, 2019), which is log odds of about 1.3.
    dropout_torn: float = 0.0
    # Share of clients who begin to hold back at some session; off. Nearly all say they have kept something from a
    # therapist (Blanchard & Farber, 2016: 93%); in how many it shows is assumed.
    holding_back_share: float = 0.0
    # From the session on at which a client begins to hold back, all assumed:
    holding_back_alliance: float = 0.25  # points of alliance less
    holding_back_skips: float = 0.25  # probability of leaving the alliance form out, beside the others
    holding_back_missed: float = 0.9  # log odds of missing an appointment
    holding_back_later: float = 0.15  # probability that the next session is booked a week later than usual
    holding_back_dropout: float = 1.2  # log odds a session of dropping out

    @classmethod
    def undisturbed(cls, **changes: float) -> "ClinicParameters":
        """The same service without ruptures, missing forms, missed appointments, rounding or ceilings.

        Args:
            **changes: other parameters to set.

        Returns:
            The parameters.
        """
        still = {
            "rupture_probability": 0.0,
            "missed_probability": 0.0,
            "outcome_missing": 0.0,
            "alliance_missing": 0.0,
            "severe_missing": 0.0,
        }
        settings: dict[str, float] = {**still, "is_scale_real": False, **changes}
        return cls(**settings)  # type: ignore[arg-type]


@dataclass(frozen=True, kw_only=True)
class ClinicTruth:
    """What lies behind a simulated service; arrays by clinician (K), by client (J) or by site (S)."""

    within_effect: Floats  # (K,) beta_k
    change_effect: Floats  # (K,) clinician part of change by the ninth session; negative is better
    alliance_effect: Floats  # (K,) M_k
    clinician_site: Integers  # (K,)
    site_effect: Floats  # (S,)
    client_clinician: Integers  # (J,) ascending
    client_alliance: Floats  # (J,) C_j
    client_change: Floats  # (J,) R_j
    client_baseline: Floats  # (J,) B_j
    has_hard_circumstances: Flags  # (J,)
    ending: Integers  # (J,) PLANNED, COMPLETED_EARLY, DROPPED_OUT or STILL_OPEN
    last_session: Integers  # (J,) index t of the last session, -1 while open
    holds_back_from: Integers  # (J,) index t from which the client holds back, `longest` for those who never do


@dataclass(frozen=True, kw_only=True)
class SimulatedClinic:
    """A simulated service: one row an attended session, and the truth.

    `sessions` has site, clinician, client (whole numbers), session (t, from 0), outcome and alliance (null where not
    filled in), within_true, is_rupture, missed_before (appointments missed since the previous
    session). What is true of each session stands beside them: is_torn (a rupture not repaired by its end),
    is_holding_back, weeks_later (that it was booked later than usual), and the chances dropout_probability (that
    treatment is broken off with it) and skip_probability (that the alliance form is left out).
    """

    sessions: pl.DataFrame
    truth: ClinicTruth


def session_curve(session: npt.ArrayLike) -> Floats:
    """The course of change over sessions: g(t) = log(1 + t) / log 9, nought at the first session, one at the ninth."""
    return np.asarray(np.log1p(np.asarray(session, dtype=np.float64)) / np.log(9.0), dtype=np.float64)


def simulate(parameters: ClinicParameters, *, seed: int) -> SimulatedClinic:
    """Draw a service.

    Args:
        parameters: how it behaves.
        seed: the same seed draws the same service.

    Returns:
        Sessions and truth.
    """
    draw = np.random.default_rng(seed)
    truth = _people(parameters, draw)
    # A stream of its own, so that a service in which nobody holds back is drawn as it would be without the possibility.
    apart = np.random.default_rng([seed, 2])
    begins = apart.integers(1, parameters.longest, parameters.clients)
    ever = apart.random(parameters.clients) < parameters.holding_back_share
    truth.holds_back_from[:] = np.where(ever, begins, parameters.longest)
    tracks = _tracks(parameters, truth, draw)
    return SimulatedClinic(sessions=_sessions(parameters, truth, tracks, draw, apart), truth=truth)


def _people(p: ClinicParameters, draw: np.random.Generator) -> ClinicTruth:
    site = draw.integers(0, p.sites, p.clinicians)
    site_effect = draw.normal(0.0, p.change_site_sd, p.sites)
    change_effect = draw.normal(0.0, p.change_clinician_sd, p.clinicians)
    within = p.beta_within + draw.normal(0.0, p.beta_within_sd, p.clinicians)
    alliance_effect = draw.normal(0.0, p.alliance_clinician_sd, p.clinicians)
    weight = draw.lognormal(0.0, p.caseload_spread, p.clinicians)
    k = np.sort(draw.choice(p.clinicians, p.clients, p=weight / weight.sum()))
    severity = draw.normal(0.0, p.baseline_clinician_sd, p.clinicians)
    baseline = np.clip(p.baseline_mean + severity[k] + draw.normal(0.0, p.baseline_sd, p.clients), 4.0, MOST_SEVERE)
    hard = draw.random(p.clients) < p.casemix_share
    client_alliance = draw.normal(0.0, p.alliance_client_sd, p.clients)
    change = (
        p.change_mean
        + p.change_severity * (baseline - 15.0)
        + p.casemix_effect * (hard - p.casemix_share)
        + change_effect[k]
        + site_effect[site[k]]
        + draw.normal(0.0, p.change_client_sd, p.clients)
        + p.beta_between * client_alliance
        + p.beta_clinician * alliance_effect[k]
    )
    return ClinicTruth(
        within_effect=within,
        change_effect=change_effect,
        alliance_effect=alliance_effect,
        clinician_site=site,
        site_effect=site_effect,
        client_clinician=k,
        client_alliance=client_alliance,
        client_change=change,
        client_baseline=baseline,
        has_hard_circumstances=hard,
        ending=np.zeros(p.clients, dtype=np.int64),
        last_session=np.full(p.clients, -1, dtype=np.int64),
        holds_back_from=np.full(p.clients, p.longest, dtype=np.int64),
    )


@dataclass(frozen=True)
class _Tracks:
    """What happened, (J, T) each."""

    outcome: Floats
    alliance: Floats
    within: Floats
    attended: Flags
    rupture: Flags
    torn: Flags
    dropout: Floats  # chance of breaking off with the session


def _tracks(p: ClinicParameters, truth: ClinicTruth, draw: np.random.Generator) -> _Tracks:
    """The sessions one after another, all clients at once; writes the endings into the truth."""
    shape = (p.clients, p.longest)
    outcome, alliance, within, dropout = (np.zeros(shape) for _ in range(4))
    attended, rupture, still_torn = (np.zeros(shape, dtype=bool) for _ in range(3))
    k = truth.client_clinician
    agreed = np.clip(draw.poisson(p.planned_sessions - 4.0, p.clients) + 4, 4, p.longest)
    alive, torn = np.ones(p.clients, dtype=bool), np.zeros(p.clients, dtype=bool)
    d, w, low = np.zeros(p.clients), np.zeros(p.clients), np.zeros(p.clients, dtype=np.int64)
    usual = p.alliance_mean + truth.alliance_effect[k] + truth.client_alliance
    for t in range(p.longest):
        g = float(session_curve(t))
        late = p.feedback_late is not None and t >= p.feedback_late_from
        kappa = p.feedback_late if late and p.feedback_late is not None else p.feedback
        shock = draw.normal(0.0, p.shock_sd, p.clients)
        d = p.carry_over * d + truth.within_effect[k] * w + shock
        y = truth.client_baseline + truth.client_change * g + d
        falls = ~torn & (draw.random(p.clients) < p.rupture_probability) & (t > 0)
        mends = torn & (draw.random(p.clients) < p.repair_probability)
        torn = (torn | falls) & ~mends
        spread = p.alliance_shock_sd if t > 0 else p.alliance_shock_sd / np.sqrt(1.0 - p.alliance_carry_over**2)
        w = p.alliance_carry_over * w + kappa * shock + draw.normal(0.0, spread, p.clients) - p.rupture_dip * falls
        holds = t >= truth.holds_back_from
        a = usual + p.alliance_growth * g + w - p.rupture_lasting * torn - p.holding_back_alliance * holds
        if p.is_scale_real:
            y = np.clip(np.round(y), 0.0, MOST_SEVERE)
            a = np.clip(np.round(a * 12.0) / 12.0, 1.0, 5.0)
        outcome[:, t], alliance[:, t], within[:, t], attended[:, t], rupture[:, t] = y, a, w, alive, falls & alive
        still_torn[:, t] = torn
        low = np.where(y < p.early_below, low + 1, 0)
        log_odds = (
            p.dropout_log_odds
            + p.dropout_outcome * (y - 12.0)
            + p.dropout_within * w
            + p.dropout_between * truth.client_alliance
            + p.dropout_torn * torn
            + p.holding_back_dropout * holds
        )
        dropout[:, t] = 1.0 / (1.0 + np.exp(-log_odds))
        dropped = alive & (draw.random(p.clients) < dropout[:, t])
        early = alive & ~dropped & (low >= 2) & (draw.random(p.clients) < p.early_probability)
        done = alive & ~dropped & ~early & (t + 1 >= agreed)
        truth.ending[dropped], truth.ending[early], truth.ending[done] = DROPPED_OUT, COMPLETED_EARLY, PLANNED
        stopped = dropped | early | done
        truth.last_session[stopped] = t
        alive = alive & ~stopped
    return _Tracks(outcome, alliance, within, attended, rupture, still_torn, dropout)


def _sessions(
    p: ClinicParameters, truth: ClinicTruth, tracks: _Tracks, draw: np.random.Generator, apart: np.random.Generator
) -> pl.DataFrame:
    """The attended sessions in long form, with forms missing and appointments missed."""
    client, session = np.nonzero(tracks.attended)
    rows = len(client)
    y, a = tracks.outcome[client, session], tracks.alliance[client, session]
    previous = np.where(session > 0, tracks.outcome[client, np.maximum(session - 1, 0)], 0.0)
    severe = p.severe_missing * (previous > SEVERE_ENOUGH_TO_SKIP_FORMS)
    no_outcome = (draw.random(rows) < p.outcome_missing + severe) & (session > 0)
    holds = session >= truth.holds_back_from[client]
    skips = p.alliance_missing + severe + p.holding_back_skips * holds
    no_alliance = draw.random(rows) < skips
    missed = np.zeros(rows, dtype=np.int64)
    if p.missed_probability > 0:
        frailty = draw.normal(0.0, p.missed_spread, p.clients)
        base = np.log(p.missed_probability / (1.0 - p.missed_probability))
        chance = 1.0 / (1.0 + np.exp(-(base + frailty[client] + p.holding_back_missed * holds)))
        missed = np.where(session > 0, draw.geometric(1.0 - chance) - 1, 0)
    clinician = truth.client_clinician[client]
    return pl.DataFrame(
        {
            "site": truth.clinician_site[clinician],
            "clinician": clinician,
            "client": client,
            "session": session,
            "outcome": np.where(no_outcome, np.nan, y),
            "alliance": np.where(no_alliance, np.nan, a),
            "within_true": tracks.within[client, session],
            "is_rupture": tracks.rupture[client, session],
            "missed_before": missed,
            "is_torn": tracks.torn[client, session],
            "is_holding_back": holds,
            "weeks_later": (apart.random(rows) < p.holding_back_later * holds).astype(np.int64),
            "dropout_probability": tracks.dropout[client, session],
            "skip_probability": skips,
        },
    ).with_columns(pl.col("outcome").fill_nan(None), pl.col("alliance").fill_nan(None))
