"""Does a lower early alliance go with leaving unplanned later: those still there after the first sessions, set side by side.

Here: halves of early alliance among clients who were doing alike by then, and the difference in later unplanned endings
with an interval that takes clinicians as the units. Not here: who is in such a comparison and why others are not
(`assets.science.leaving.landmark`), and the Cox model beside it.

Alliance counts up to the landmark only, and endings after it only. A mean over the whole treatment would need the
sessions that only those who stay have (immortal time), and "predicts" staying where there is nothing to predict.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from assets.science.clustered import jackknife_error, jackknife_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

THIRDS: Final = 3
"""Into how many groups of like score each site's clients are put; within them halves of alliance are compared."""

FEWEST_ENDINGS: Final = 10
"""Unplanned endings below which nothing is compared."""


def with_halves(rows: pl.DataFrame) -> pl.DataFrame:
    """Put clients of each site into the lower or the upper half of early alliance, and into thirds of the early score.

    Sites differ in whom they see and in how often treatment is broken off, so a client is placed among their own site's.

    Args:
        rows: One row an episode past the landmark: `site`, `early_alliance` (higher is better), `score_at_landmark`.

    Returns:
        The rows with `is_lower` (below the site's median; those at the median are in the upper half, since the best the
        form can give is often the median) and `score_third` (0 to 2, by the score).
    """
    score, alliance = pl.col("score_at_landmark"), pl.col("early_alliance")
    # A hair, since means of the same ratings in another order differ in their last digit.
    place = (score.rank("average") - 0.5) / pl.len()
    return rows.with_columns(
        is_lower=alliance < alliance.median().over("site") - 1e-9,
        score_third=(place.over("site") * THIRDS).floor().clip(0, THIRDS - 1).cast(pl.Int64),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Later unplanned endings in the lower half of early alliance less those in the upper half.

    Attributes:
        lower_half: share with its ends, of the lower half.
        upper_half: the same of the upper half.
        difference: lower less upper, with its ends.
        probability_above: that the difference lies above 0.
        unplanned: unplanned endings by the horizon.
        clinicians: how many.
        refusal: why nothing is told: `too_few_clients`, `too_few_endings`, `too_few_clinicians` or `cannot_tell`; null
            where something is.
    """

    lower_half: tuple[float | None, float | None, float | None]
    upper_half: tuple[float | None, float | None, float | None]
    difference: tuple[float | None, float | None, float | None]
    probability_above: float | None
    unplanned: int
    clinicians: int
    refusal: str | None


def early_alliance_difference(
    rows: pl.DataFrame, *, horizon: int, fewest_clients: int, fewest_clinicians: int, confidence: float
) -> Difference:
    """Compare the halves among clients of the same site and third of the early score.

    Within each site and third the share that has ended unplanned by the horizon is Aalen and Johansen's, planned
    endings competing and open episodes censored; differences are averaged by how many clients each holds.

    Args:
        rows: What `with_halves` returned, with `clinician_id`, `time` (sessions after the landmark, 1 or more),
            `is_unplanned` and `is_planned` (neither: censored).
        horizon: By how many sessions after the landmark endings are counted; at least 1.
        fewest_clients: Below it in either half nothing is told.
        fewest_clinicians: Below it nothing is told.
        confidence: Two-sided coverage.

    Returns:
        The difference, or the reason why there is none. Intervals leave each clinician out in turn, and are never
        narrower than those that leave out each client.

    Raises:
        ValueError: If the horizon is below 1.

    Source: Anderson, Cain & Gelber 1983, J Clin Oncol 1:710-719 (landmark); direct standardisation, Rothman,
    Greenland & Lash 2008, Modern Epidemiology, chapter 15; Efron & Stein 1981, Ann Stat 9:586-596 (jackknife).
    """
    if horizon < 1:
        raise ValueError("horizon must be at least 1")
    unplanned = rows.filter(pl.col("is_unplanned") & (pl.col("time") <= horizon)).height
    clinicians = rows["clinician_id"].n_unique()
    smaller = min(rows["is_lower"].sum(), rows.height - rows["is_lower"].sum())
    refusal = (
        "too_few_clients"
        if smaller < fewest_clients
        else "too_few_endings"
        if unplanned < FEWEST_ENDINGS
        else "too_few_clinicians"
        if clinicians < fewest_clinicians
        else None
    )
    nothing = (None, None, None)
    refused = Difference(
        lower_half=nothing,
        upper_half=nothing,
        difference=nothing,
        probability_above=None,
        unplanned=unplanned,
        clinicians=clinicians,
        refusal=refusal,
    )
    if refusal is not None:
        return refused
    whole, without, single, times = _standardised(rows, horizon=horizon)
    lower, upper = (
        _within_a_share(
            whole[half], without[:, half], confidence=confidence, floor=jackknife_error(single[:, half], times=times)
        )
        for half in (0, 1)
    )
    gap = float(whole[0] - whole[1])
    low, high, above = jackknife_interval(
        gap,
        without[:, 0] - without[:, 1],
        confidence=confidence,
        least_error=jackknife_error(single[:, 0] - single[:, 1], times=times),
    )
    if low is None or lower[1] is None or upper[1] is None:
        return replace(refused, refusal="cannot_tell")
    return Difference(
        lower_half=lower,
        upper_half=upper,
        difference=(gap, low, high),
        probability_above=above,
        unplanned=unplanned,
        clinicians=clinicians,
        refusal=None,
    )


def _within_a_share(
    whole: float, without: Floats, *, confidence: float, floor: float
) -> tuple[float | None, float | None, float | None]:
    low, high, _ = jackknife_interval(float(whole), without, confidence=confidence, least_error=floor)
    if low is None or high is None:
        return None, None, None
    return float(whole), max(0.0, low), min(1.0, high)


def _standardised(rows: pl.DataFrame, *, horizon: int) -> tuple[Floats, Floats, Floats, Floats]:
    """Standardised shares of both halves (2,), (K, 2) the same without each clinician, and without single clients.

    Clients who are alike in everything counted stand for one another: the third is (C, 2), the last how many each is.
    """
    sums, weight = np.zeros(2), 0.0
    by_clinician: list[tuple[Floats, Floats]] = []
    by_client: list[tuple[Floats, Floats]] = []
    times = []
    for _, of_site in sorted(rows.partition_by("site", as_dict=True).items(), key=str):
        counts = _counts(of_site, horizon=horizon)
        total = counts.sum(axis=0)
        own, size = _weighted(total[None])
        sums, weight = sums + own[0], weight + size[0]
        by_clinician.append(_less(_weighted(total - counts), own, size))
        singles, of_kind = _kinds_of_clients(total)
        by_client.append(_less(_weighted(total - singles), own, size))
        times.append(of_kind)
    found = []
    for changes in (by_clinician, by_client):
        changed, lighter = (np.concatenate([change[part] for change in changes]) for part in (0, 1))
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append((sums + changed) / (weight + lighter)[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        return sums / weight, found[0], found[1], np.concatenate(times)


def _weighted(counts: Floats) -> tuple[Floats, Floats]:
    """Shares times clients, summed over thirds (K, 2), and the clients (K,)."""
    shares, people = _shares_of_strata(counts)
    return (shares * people[..., None]).sum(axis=1), people.sum(axis=1)


def _less(left: tuple[Floats, Floats], own: Floats, size: Floats) -> tuple[Floats, Floats]:
    return left[0] - own, left[1] - size


def _kinds_of_clients(total: Floats) -> tuple[Floats, Floats]:
    """One client of each kind as counts, and how many there are: by third, half, time, and how it ended if it did."""
    leaving, unplanned, ended = (total[..., column] for column in range(3))
    kinds = {(1.0, 0.0, 0.0): leaving - ended, (1.0, 0.0, 1.0): ended - unplanned, (1.0, 1.0, 1.0): unplanned}
    cells = np.eye(leaving.size).reshape(-1, *leaving.shape)
    singles = np.concatenate([cells[..., None] * np.array(kind) for kind in kinds])
    return singles, np.concatenate([number.ravel() for number in kinds.values()])


def _counts(rows: pl.DataFrame, *, horizon: int) -> Floats:
    """(K, thirds, 2, horizon, 3): of clinician, third, half (lower first) and time, who left, unplanned, and at all."""
    k = rows["clinician_id"].rank("dense").to_numpy().astype(int) - 1
    time = rows["time"].to_numpy()
    is_within = time <= horizon
    unplanned = rows["is_unplanned"].to_numpy() & is_within
    ended = unplanned | (rows["is_planned"].to_numpy() & is_within)
    shape = (int(k.max()) + 1, THIRDS, 2, horizon)
    half = 1 - rows["is_lower"].to_numpy().astype(int)
    last = np.minimum(time, horizon).astype(int) - 1
    cell = np.ravel_multi_index((k, rows["score_third"].to_numpy(), half, last), shape)
    columns = [
        np.bincount(cell, weights=flag, minlength=int(np.prod(shape))).reshape(shape)
        for flag in (np.ones(len(time)), unplanned, ended)
    ]
    return np.stack(columns, axis=-1)


def _shares_of_strata(counts: Floats) -> tuple[Floats, Floats]:
    """(K, thirds, 2) share ended unplanned by the horizon, and (K, thirds) clients; both 0 where a half is empty."""
    leaving, unplanned, ended = (counts[..., column] for column in range(3))
    at_risk = leaving.sum(axis=-1, keepdims=True) - np.cumsum(leaving, axis=-1) + leaving
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = np.where(at_risk > 0, 1 - ended / at_risk, 1.0)
        happens = np.where(at_risk > 0, unplanned / at_risk, 0.0)
    before = np.concatenate([np.ones_like(stays[..., :1]), np.cumprod(stays, axis=-1)[..., :-1]], axis=-1)
    people = leaving.sum(axis=-1)
    has_both = (people > 0).all(axis=-1)
    share = np.where(has_both[..., None], (before * happens).sum(axis=-1), 0.0)
    return share, np.where(has_both, people.sum(axis=-1), 0.0)
