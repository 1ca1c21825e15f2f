"""Does a better-than-usual alliance go with a better next outcome: for the service, and for each clinician.

What belongs here: the published link at three levels kept apart (within a client, between clients of a clinician,
between clinicians), each clinician's own within-client link drawn toward the service's, intervals, probabilities, and
the sentences that refuse. What does not: the estimators that take the look-ahead off (`corrected_moments.py` within
clients, `split_panel.py` between them), the model (`multilevel.py`) and the uncertainty of its variances
(`intervals.py`).

Every figure is oriented: outcome points of improvement for one more alliance point, positive is better, whichever way
the outcome measure runs. None of them is a cause: alliance is not handed out at random.
"""

import contextlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from assets.science.corrected_moments import corrected_moments
from assets.science.cross_products import Floats
from assets.science.intervals import integrate
from assets.science.link_sums import LinkSums, link_sums
from assets.science.mixtures import mixture_below, mixture_interval, mixture_mean_sd
from assets.science.multilevel import EstimateRefusedError
from assets.science.shrinkage import false_discoveries_held
from assets.science.split_panel import LEVELS, SplitPanel, jackknife_error, split_panel
from assets.science.verdicts import CLEAR_FROM, LIKELY_FROM

COVERAGE: Final = 0.95
SEED: Final = 20110611
DIGITS: Final = 6
FALSE_DISCOVERIES: Final = 0.05
FEWEST_CLINICIANS: Final = 3  # leaving one out must leave a comparison
REQUIRED: Final = (
    "clinician_id",
    "site",
    "client_id",
    "session_number",
    "outcome_now",
    "outcome_next",
    "outcome_first",
    "alliance",
)
LEVEL_SCHEMA: Final = {
    "level": pl.String,
    "method": pl.String,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "standard_error": pl.Float64,
    "degrees_of_freedom": pl.Float64,
    "probability_positive": pl.Float64,
    "clinicians": pl.Int64,
    "clients": pl.Int64,
    "pairs": pl.Int64,
    "sentence": pl.String,
}
CLINICIAN_SCHEMA: Final = {
    "clinician_id": pl.String,
    "site": pl.String,
    "clients": pl.Int64,
    "pairs": pl.Int64,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "service_estimate": pl.Float64,
    "probability_positive": pl.Float64,
    "probability_above_service": pl.Float64,
    "is_different": pl.Boolean,
}


@dataclass(frozen=True, kw_only=True)
class _Effect:
    """Effects of alliance's three parts (3,), and the same without each clinician (K, 3)."""

    estimate: Floats
    without: Floats

    @property
    def standard_error(self) -> Floats:
        return jackknife_error(self.without, self.estimate)


@dataclass(frozen=True, kw_only=True)
class LinkResult:
    """What could be said of the link.

    Attributes:
        levels: one row a level (`within_client`, `between_client`, `between_clinician`) and method: improvement for one
            alliance point with 95% interval, the probability that it is positive, counts and a sentence. Of the methods
            `corrected` is the answer. The others are for analysts: `split_panel_jackknife`, a second opinion within
            clients that rests on other assumptions, and `naive`, the textbook estimate.
        clinicians: one row a clinician, in no order of merit: own within-client link, shrunken, with 95% interval, the
            probabilities that it is positive and that it is above the service's, and whether it stands apart from the
            service's with false discoveries held at 5%.
        refusal: why nothing is said, in a sentence that can be shown; None where something is.
        is_widened: whether so few clinicians took part that intervals were widened.
    """

    levels: pl.DataFrame
    clinicians: pl.DataFrame
    refusal: str | None
    is_widened: bool


def estimate_link(
    pairs: pl.DataFrame,
    *,
    minimum_clients: int,
    minimum_clinicians: int,
    higher_is_better: bool,
    step: float = 1.0,
    describes_clinicians: bool = True,
) -> LinkResult:
    """Estimate the link from pairs of a session's alliance and the next session's outcome.

    Args:
        pairs: one row a session with a next one: clinician_id, site, client_id, session_number (from 1), outcome_now,
            outcome_next, outcome_first, alliance (higher is better), and episode_id where clients come more than once.
            Outcomes in the measure's own direction. Rows with anything missing are left out.
        minimum_clients: below so many clients nothing is said.
        minimum_clinicians: below so many clinicians intervals are widened, and the sentence says so.
        higher_is_better: the outcome measure's direction.
        step: how many alliance points every figure is for; a fixed share of the measure's range makes measures
            comparable.
        describes_clinicians: whether each clinician's own link is wanted, which costs more than all the rest.

    Returns:
        The link, or the reason why there is none. The same pairs give the same digits, in any order.
    """
    rows = complete_pairs(pairs, higher_is_better=higher_is_better, step=step)
    if rows.is_empty():
        return _too_few(0, minimum_clients=minimum_clients)
    return link_of_sums(
        link_sums([rows]).of_scope("service", "all"),
        minimum_clients=minimum_clients,
        minimum_clinicians=minimum_clinicians,
        step=step,
        describes_clinicians=describes_clinicians,
    )


def link_of_sums(
    sums: LinkSums, *, minimum_clients: int, minimum_clinicians: int, step: float, describes_clinicians: bool
) -> LinkResult:
    """Estimate the link from sums over the pairs; what `estimate_link` does after it has added them up.

    Args:
        sums: of a scope, a cell a clinician, spaced as its own rows are.
        minimum_clients: as there.
        minimum_clinicians: as there.
        step: as there, and what the pairs were divided by.
        describes_clinicians: as there.
    """
    clients, clinicians = int(sums.cells["clients"].sum()), sums.cells.height
    if clients < minimum_clients:
        return _too_few(clients, minimum_clients=minimum_clients)
    if clinicians < FEWEST_CLINICIANS:
        return _refused(
            f"Cannot tell: {clinicians} clinicians have such clients, and at least {FEWEST_CLINICIANS} are needed."
        )
    try:
        panel = split_panel(sums)
        corrected = _corrected(sums, panel)
        slopes = _clinicians(sums, panel, corrected) if describes_clinicians else pl.DataFrame(schema=CLINICIAN_SCHEMA)
    except EstimateRefusedError as refused:
        return _refused(f"Cannot tell: {refused}")
    is_widened = clinicians < minimum_clinicians
    widening = np.sqrt(minimum_clinicians / clinicians) if is_widened else 1.0
    levels = _levels(sums, panel, corrected, widening=float(widening), step=step)
    return LinkResult(levels=levels, clinicians=slopes, refusal=None, is_widened=is_widened)


def effective_units(sizes: Floats) -> float:
    """How many equal units carry the information of units of these sizes: (sum n)^2 / sum n^2 (Kish, 1965)."""
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def complete_pairs(pairs: pl.DataFrame, *, higher_is_better: bool, step: float) -> pl.DataFrame:
    """The rows that can be used, in the estimators' words: oriented, alliance in steps, a course of therapy a client.

    Args:
        pairs: as for `estimate_link`, and `programme` where there is one.
        higher_is_better: the outcome measure's direction.
        step: how many alliance points one step is.
    """
    sign = 1.0 if higher_is_better else -1.0
    unit = ["client_id", "episode_id"] if "episode_id" in pairs.columns else ["client_id"]
    outcomes = ("outcome_now", "outcome_next", "outcome_first")
    group = ["programme"] if "programme" in pairs.columns else []
    return pairs.drop_nulls([*REQUIRED]).select(
        clinician=pl.col("clinician_id").cast(pl.String),
        client=pl.concat_str([pl.col(c).cast(pl.String) for c in unit], separator="\x1f"),
        session_number=pl.col("session_number").cast(pl.Float64),
        alliance=pl.col("alliance").cast(pl.Float64) / step,
        **{c: pl.col(c).cast(pl.String) for c in ("site", *group)},
        **{c: sign * pl.col(c).cast(pl.Float64) for c in outcomes},
    )


def _too_few(clients: int, *, minimum_clients: int) -> LinkResult:
    return _refused(f"Cannot tell: {clients} clients have what is needed, and at least {minimum_clients} are asked.")


def _refused(sentence: str) -> LinkResult:
    return LinkResult(
        levels=pl.DataFrame(schema=LEVEL_SCHEMA),
        clinicians=pl.DataFrame(schema=CLINICIAN_SCHEMA),
        refusal=sentence,
        is_widened=False,
    )


def _corrected(sums: LinkSums, panel: SplitPanel) -> _Effect:
    """The jackknife's effects, with the corrected moments' within clients wherever clients come often enough."""
    estimate, without = panel.estimate.copy(), panel.without.copy()
    with contextlib.suppress(EstimateRefusedError):
        within = corrected_moments(sums.courses)
        estimate[0], without[:, 0] = within.estimate, within.without
    return _Effect(estimate=estimate, without=without)


def _levels(sums: LinkSums, panel: SplitPanel, corrected: _Effect, *, widening: float, step: float) -> pl.DataFrame:
    """Each level by its methods; t intervals on as many degrees of freedom as the caseloads carry."""
    sizes = sums.cells["pairs"].to_numpy().astype(np.float64)
    freedom = max(effective_units(sizes) - 1.0, 1.0)
    reach = float(stats.t.ppf(0.5 + COVERAGE / 2.0, freedom))
    clients = int(sums.cells["clients"].sum())
    jackknife = _Effect(estimate=panel.estimate, without=panel.without)
    naive = _Effect(estimate=panel.naive, without=panel.naive_without)
    found = []
    for place, level in enumerate(LEVELS):
        second = {"split_panel_jackknife": jackknife} if place == 0 else {}
        for method, effect in {"corrected": corrected, **second, "naive": naive}.items():
            estimate, error = float(effect.estimate[place]), float(effect.standard_error[place]) * widening
            ends = (estimate - reach * error, estimate + reach * error)
            found.append(
                {
                    "level": level,
                    "method": method,
                    "estimate": round(estimate, DIGITS),
                    "low": round(ends[0], DIGITS),
                    "high": round(ends[1], DIGITS),
                    "standard_error": round(error, DIGITS),
                    "degrees_of_freedom": round(freedom, DIGITS),
                    "probability_positive": round(float(stats.t.cdf(estimate / error, freedom)), DIGITS),
                    "clinicians": len(sizes),
                    "clients": clients,
                    "pairs": int(sizes.sum()),
                    "sentence": _sentence(
                        level,
                        estimate,
                        ends,
                        probability=float(stats.t.cdf(abs(estimate) / error, freedom)),
                        few=len(sizes) if widening > 1.0 else None,
                        step=step,
                    ),
                },
            )
    return pl.DataFrame(found, schema=LEVEL_SCHEMA)


def _sentence(
    level: str, estimate: float, ends: tuple[float, float], *, probability: float, few: int | None, step: float
) -> str:
    """The finding in words, as sure as `verdicts` allows: `probability` is that of the estimate's own direction."""
    above = "a point above" if step == 1 else f"{step:g} points above"
    subject = {
        "within_client": f"When a client's alliance is {above} its own usual",
        "between_client": f"For clients whose usual alliance is {above} that of the clinician's other clients",
        "between_clinician": f"For clinicians whose clients' usual alliance is {above} that of other clinicians'",
    }[level]
    low, high = ends
    interval = f"(95% interval {low:.2f} to {high:.2f})"
    if probability < LIKELY_FROM:
        finding = f"it cannot be told whether the next outcome is better or worse {interval}."
    else:
        sure = "" if probability >= CLEAR_FROM else "probably "
        word = "better" if estimate > 0 else "worse"
        finding = f"the next outcome is {sure}{word} by {abs(estimate):.2f} points on average {interval}."
    caution = "" if few is None else f" Only {few} clinicians took part, so the interval is widened."
    return f"{subject}, {finding}{caution}"


def _clinicians(sums: LinkSums, panel: SplitPanel, corrected: _Effect) -> pl.DataFrame:
    """Each clinician's own link: integrated over the variances, moved by what the correction moves the service's."""
    drawn = integrate(panel.naive_fit, level="clinician", seed=SEED)
    shift = float(corrected.estimate[0] - panel.naive[0])
    shift_error = float(jackknife_error(corrected.without[:, 0] - panel.naive_without[:, 0], np.asarray(shift)))
    own = drawn.own[:, :, 1] + shift
    own_sd = np.hypot(drawn.own_sd[:, :, 1], shift_error)
    apart, apart_sd = drawn.effects[:, :, 1], drawn.effects_sd[:, :, 1]
    mean, _ = mixture_mean_sd(drawn.weights, own, own_sd)
    low, high = mixture_interval(drawn.weights, own, own_sd, coverage=COVERAGE)
    above = 1.0 - mixture_below(drawn.weights, apart, apart_sd, threshold=0.0)
    p_values = np.clip(2.0 * np.minimum(above, 1.0 - above), 0.0, 1.0)
    estimates = pl.DataFrame(
        {
            "clinician": panel.clinicians,
            "estimate": mean.round(DIGITS),
            "low": low.round(DIGITS),
            "high": high.round(DIGITS),
            "service_estimate": np.full(len(mean), round(float(corrected.estimate[0]), DIGITS)),
            "probability_positive": (1.0 - mixture_below(drawn.weights, own, own_sd, threshold=0.0)).round(DIGITS),
            "probability_above_service": above.round(DIGITS),
            "is_different": false_discoveries_held(p_values, share=FALSE_DISCOVERIES),
        },
    )
    counts = sums.cells.select("clinician", "site", "clients", "pairs")
    joined = estimates.join(counts, on="clinician", how="left", maintain_order="left").rename(
        {"clinician": "clinician_id"}
    )
    return joined.select(CLINICIAN_SCHEMA.keys()).cast(CLINICIAN_SCHEMA)  # type: ignore[arg-type]
