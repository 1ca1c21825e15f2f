"""`bench recovery`: is a known truth recovered, and do intervals cover what they say?

Here: simulated services at settings that are hard in different ways, the project's own estimates on each, and the counts of
how often they were right. Not here: the process (`assets.feeds.clinic_process`) and the estimators (`assets.science`).

A service's own figure is compared with the mean effect that its clinicians were drawn from; a clinician's with that
clinician's own. Coverage is counted over services, or over all their clinicians.
"""

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from assets.feeds.clinic_process import ClinicParameters, SimulatedClinic, simulate
from assets.science.alliance_link import LinkResult, estimate_link
from assets.science.casemix import adjusted_progress
from pipelines.benchmarks.result import BenchResult, Cell

if TYPE_CHECKING:
    from collections.abc import Mapping

SEED: Final = 40_000
WORST_BIAS: Final = 0.05
COVERS: Final = (0.92, 0.98)
COVERS_WITH_FEW: Final = 0.90
WRONG_NIGHTS: Final = 0.05
MINIMUM_CLIENTS: Final = 30
MINIMUM_CLINICIANS: Final = 15
SMALLEST_THAT_MATTERS: Final = 1.0  # outcome points; nothing measured here depends on it


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One kind of service, and what is asked of the estimates there."""

    name: str
    parameters: ClinicParameters
    within: tuple[float, float] | None = None  # coverage asked of the service's within-client effect
    slopes: tuple[float, float] | None = None  # coverage asked of clinicians' own
    is_alike: bool = False  # clinicians do not differ at all: count the nights with a clinician set apart

    @property
    def is_about_clinicians(self) -> bool:
        """Whether clinicians' own figures are asked about, which cost more than all the rest."""
        return self.slopes is not None or self.is_alike


def settings() -> tuple[Setting, ...]:
    """The services measured; feedback is how far a bad week lowers the alliance."""
    null, late = {"beta_within": 0.0, "beta_within_sd": 0.0}, {"feedback": 0.0, "feedback_late": -0.03}
    alike = {"beta_within_sd": 0.0, "change_clinician_sd": 0.0, "alliance_clinician_sd": 0.0, "change_site_sd": 0.0}
    return (
        Setting(name="null", parameters=ClinicParameters(**null), within=COVERS),  # type: ignore[arg-type]
        Setting(name="realistic", parameters=ClinicParameters(), within=COVERS, slopes=COVERS),
        Setting(name="strong feedback", parameters=ClinicParameters(feedback=-0.06), within=COVERS),
        Setting(name="late feedback", parameters=ClinicParameters(**late), within=COVERS),  # type: ignore[arg-type]
        Setting(
            name="15 clinicians",
            parameters=ClinicParameters(clinicians=15, clients=450),
            within=(COVERS_WITH_FEW, 1.0),
        ),
        Setting(
            name="clinicians hardly differ", parameters=ClinicParameters(beta_within_sd=0.1), slopes=(COVERS[0], 1.0)
        ),
        Setting(name="clinicians alike", parameters=ClinicParameters(**alike), is_alike=True),  # type: ignore[arg-type]
    )


def run(replicates: int = 500) -> BenchResult:
    """Simulate, estimate and count.

    Args:
        replicates: Services drawn at each setting; 500 put the sampling error of a coverage of 95% at 1 point.

    Returns:
        One line a setting; measured is the share of promises kept, of which all were promised.
    """
    rows: list[Mapping[str, Cell]] = []
    kept: list[bool] = []
    workers = min(os.cpu_count() or 1, replicates)
    with ProcessPoolExecutor(max_workers=workers, mp_context=get_context("spawn")) as pool:
        for setting in settings():
            jobs = [(setting, SEED + number) for number in range(replicates)]
            found = list(pool.map(_one, jobs, chunksize=max(1, replicates // (4 * workers))))
            row, promises = summary(setting, pl.DataFrame(found, infer_schema_length=None))
            rows.append(row)
            kept += promises
    share = float(np.mean(kept))
    return BenchResult(
        rows=rows,
        measured=share,
        goal=1.0,
        held=all(kept),
        sentence=f"{sum(kept)} of {len(kept)} promises kept, {replicates} services a setting; bias in outcome points.",
    )


def summary(setting: Setting, found: pl.DataFrame) -> tuple[dict[str, Cell], list[bool]]:
    """One setting's line, and which of its promises were kept.

    Args:
        setting: What was simulated, and what is asked.
        found: One row a service, as `measure_one` returns it.

    Returns:
        The line and the promises.
    """
    bias = float(found["within_error"].mean() or 0.0)  # type: ignore[arg-type]
    error = float(found["within_error"].std() or 0.0) / np.sqrt(found.height)  # type: ignore[arg-type]
    covered = float(found["within_covered"].mean() or 0.0)  # type: ignore[arg-type]
    slopes = float(found["slopes_covered"].mean() or 0.0)  # type: ignore[arg-type]
    wrong = float(found["is_anyone_apart"].mean() or 0.0)  # type: ignore[arg-type]
    promises = []
    if setting.within is not None:
        promises.append(setting.within[0] <= covered <= setting.within[1])
        if setting.within == COVERS:
            promises.append(abs(bias) < WORST_BIAS)
    if setting.slopes is not None:
        promises.append(setting.slopes[0] <= slopes <= setting.slopes[1])
    if setting.is_alike:
        promises.append(wrong <= WRONG_NIGHTS)
    line: dict[str, Cell] = {
        "setting": setting.name,
        "services": found.height,
        "naive bias": round(float(found["naive_error"].mean() or 0.0), 3),  # type: ignore[arg-type]
        "bias": round(bias, 3),
        "its error": round(float(error), 3),
        "coverage %": round(100 * covered, 1),
        "clinician coverage %": round(100 * slopes, 1) if setting.is_about_clinicians else "",
        "wrongly apart %": round(100 * wrong, 1) if setting.is_alike else "",
        "kept": f"{sum(promises)} of {len(promises)}",
    }
    return line, promises


def pairs_of(clinic: SimulatedClinic) -> pl.DataFrame:
    """Pairs of a session and the next, as the night's mart gives them."""
    outcome = pl.col("outcome")
    return clinic.sessions.select(
        clinician_id=pl.lit("K") + pl.col("clinician").cast(pl.String).str.zfill(4),
        site=pl.col("site").cast(pl.String),
        client_id=pl.col("client").cast(pl.String),
        session_number=pl.col("session") + 1,
        outcome_now=outcome,
        outcome_next=outcome.shift(-1).over("client"),
        outcome_first=outcome.first().over("client"),
        alliance="alliance",
    )


def episodes_of(clinic: SimulatedClinic) -> pl.DataFrame:
    """First and last score of every client with two, and the circumstances that matter."""
    hard = pl.Series("hard", clinic.truth.has_hard_circumstances)
    scored = clinic.sessions.drop_nulls("outcome").group_by("client", maintain_order=True)
    first_and_last = scored.agg(
        pl.col("clinician", "site").first(),
        pl.len(),
        outcome_first=pl.col("outcome").first(),
        outcome_last=pl.col("outcome").last(),
    )
    return first_and_last.filter(pl.col("len") > 1).select(
        "outcome_first",
        "outcome_last",
        clinician_id=pl.lit("K") + pl.col("clinician").cast(pl.String).str.zfill(4),
        site=pl.col("site").cast(pl.String),
        case_id=pl.col("client").cast(pl.String),
        hard=hard.gather(first_and_last.filter(pl.col("len") > 1)["client"]).cast(pl.String),
    )


def measure_one(setting: Setting, *, seed: int) -> dict[str, float | None]:
    """Draw one service, estimate, and compare with what it was drawn from.

    Args:
        setting: The service, and what is asked.
        seed: Of the draw.

    Returns:
        Errors of the service's effect (published and naive) and whether its interval covers. Where clinicians are asked
        about, the share whose own interval covers; where they are alike, whether any is set apart from the others, by
        link or by adjusted progress; None where not asked.
    """
    clinic = simulate(setting.parameters, seed=seed)
    link = estimate_link(
        pairs_of(clinic),
        minimum_clients=MINIMUM_CLIENTS,
        minimum_clinicians=MINIMUM_CLINICIANS,
        higher_is_better=False,
        describes_clinicians=setting.is_about_clinicians,
    )
    published, naive = _within(link, "corrected"), _within(link, "naive")
    truth = -setting.parameters.beta_within
    return {
        "within_error": published["estimate"] - truth,
        "naive_error": naive["estimate"] - truth,
        "within_covered": float(published["low"] <= truth <= published["high"]),
        "slopes_covered": _slopes_covered(clinic, link) if setting.is_about_clinicians else None,
        "is_anyone_apart": _is_anyone_apart(clinic, link) if setting.is_alike else None,
    }


def _slopes_covered(clinic: SimulatedClinic, link: LinkResult) -> float:
    own = -clinic.truth.within_effect[[int(name[1:]) for name in link.clinicians["clinician_id"]]]
    low, high = link.clinicians["low"].to_numpy(), link.clinicians["high"].to_numpy()
    return float(((low <= own) & (own <= high)).mean())


def _is_anyone_apart(clinic: SimulatedClinic, link: LinkResult) -> float:
    progress = adjusted_progress(
        episodes_of(clinic),
        casemix=["hard"],
        minimum_clients=MINIMUM_CLIENTS,
        minimum_clinicians=3,
        higher_is_better=False,
        margin=SMALLEST_THAT_MATTERS,
    )
    return float(link.clinicians["is_different"].any() or progress.clinicians["is_different"].any())


def _within(link: LinkResult, method: str) -> dict[str, float]:
    chosen = (pl.col("level") == "within_client") & (pl.col("method") == method)
    return link.levels.filter(chosen).select("estimate", "low", "high").row(0, named=True)


def _one(job: tuple[Setting, int]) -> dict[str, float | None]:
    return measure_one(job[0], seed=job[1])
