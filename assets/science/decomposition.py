"""Where alliance differs: within clients over time, between clients of a clinician, and between clinicians.

Here: the three parts of every rating, the variance at each level, how reliable a mean of few ratings is, and how much a
ceiling hides. Not here: what the parts go with (`assets.science.multilevel`). The three are never mixed: a single
correlation over all ratings can have the opposite sign of the one within clients.

Ratings frame: one row a rating, `clinician_id`, `client_id` and `alliance` (higher is better; null where missing). A
client with two clinicians has two alliances, so clients are told apart within their clinician.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]

CLIENT: Final = ("clinician_id", "client_id")
"""A client of a clinician."""


def alliance_parts(ratings: pl.DataFrame) -> pl.DataFrame:
    """Split every rating into what is the service's, the clinician's, the client's and the moment's.

    A client counts once however many ratings there are: a clinician's mean is the mean of client means, and so is the
    service's. The within part uses all ratings of the client, so it looks ahead; an analysis of what follows from a
    rating must not use it as it is.

    Returns:
        The rows given with `service_mean`, `between_clinicians`, `between_clients` (within the clinician) and
        `within_client`, which add up to `alliance`; the last is null where the rating is missing, all of them where the
        client has none.

    Source: Curran & Bauer 2011, Annu Rev Psychol 62:583-619, on disaggregation.
    """
    clients = ratings.group_by(CLIENT).agg(_client_mean=pl.col("alliance").cast(pl.Float64).mean())
    means = clients.with_columns(
        _clinician_mean=pl.col("_client_mean").mean().over("clinician_id"), service_mean=pl.col("_client_mean").mean()
    )
    own, clinician = pl.col("_client_mean"), pl.col("_clinician_mean")
    return (
        ratings.join(means, on=CLIENT, how="left", maintain_order="left")
        .with_columns(
            service_mean=pl.when(own.is_not_null()).then(pl.col("service_mean")),
            between_clinicians=pl.when(own.is_not_null()).then(clinician - pl.col("service_mean")),
            between_clients=own - clinician,
            within_client=pl.col("alliance") - own,
        )
        .drop("_client_mean", "_clinician_mean")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceParts:
    """Variance of alliance at three levels, in squared points; `None` where the data cannot tell.

    Attributes:
        within_client: Of ratings around their client's level; holds true change and error of measurement.
        between_clients: Of clients' levels around their clinician's.
        between_clinicians: Of clinicians' levels.
        ratings: Ratings used.
        clients: Clients, told apart within clinicians.
        clinicians: Clinicians.
    """

    within_client: float | None
    between_clients: float | None
    between_clinicians: float | None
    ratings: int
    clients: int
    clinicians: int

    @property
    def shares(self) -> tuple[float, float, float] | None:
        """Shares of the whole within clients, between clients and between clinicians; `None` unless all are known."""
        within, clients, clinicians = self.within_client, self.between_clients, self.between_clinicians
        if within is None or clients is None or clinicians is None or within + clients + clinicians <= 0:
            return None
        whole = within + clients + clinicians
        return within / whole, clients / whole, clinicians / whole


def variance_parts(ratings: pl.DataFrame) -> VarianceParts:
    """Estimate the variance at each level from sums of squares of an unbalanced nested design.

    Estimates that fall below 0 are given as 0: no evidence of a difference, which is not evidence of none. They are
    point estimates for describing an instrument here; intervals come from the multilevel model.

    Returns:
        The parts, with `None` for a level that is not repeated: no client with two ratings, no clinician with two
        clients, or one clinician.

    Source: Searle, Casella & McCulloch 1992, Variance Components (analysis of variance estimators, nested unbalanced).
    """
    given = ratings.filter(pl.col("alliance").is_not_null())
    return VarianceParts(
        **{name: None if part is None else max(0.0, part) for name, part in _unbounded_parts(given).items()},
        ratings=given.height,
        clients=given.select(pl.struct(CLIENT).n_unique()).item(),
        clinicians=given["clinician_id"].n_unique(),
    )


def reliability_of_mean(*, between: float, within: float, ratings: float) -> float:
    """How much of the differences between means of so many ratings is real (Spearman-Brown).

    Args:
        between: Variance between what is compared (clients, for a client's mean), 0 or more.
        within: Variance of single ratings around it, 0 or more and not 0 with `between`.
        ratings: Ratings a mean is made of, above 0.

    Returns:
        0 to 1. For the alliance about 4 sessions give .90 and 2 give .80 (Crits-Christoph et al. 2011, J Consult Clin
        Psychol 79:267-278).

    Raises:
        ValueError: If an argument is out of range.
    """
    if between < 0 or within < 0 or between + within <= 0 or ratings <= 0:
        raise ValueError("variances must be 0 or more and not both 0, and ratings above 0")
    return between / (between + within / ratings)


def ratings_needed(*, between: float, within: float, reliability: float) -> int | None:
    """Ratings a mean needs to reach a reliability, at least 1; `None` where nothing differs and no number would do.

    Args:
        between: As `reliability_of_mean`.
        within: As `reliability_of_mean`.
        reliability: Wanted, strictly between 0 and 1.

    Raises:
        ValueError: If an argument is out of range.
    """
    if not 0 < reliability < 1 or between < 0 or within < 0:
        raise ValueError("reliability must lie strictly between 0 and 1, and variances be 0 or more")
    if between == 0:
        return None
    exact = reliability / (1 - reliability) * within / between
    # Nine divided by exactly what makes nine must not round up to ten.
    return max(1, math.ceil(exact - 1e-9))


def information(ratings: pl.DataFrame, *, ceiling: float) -> pl.DataFrame:
    """Count how much each clinician's ratings can say: at the ceiling, and clients who never vary.

    Args:
        ratings: As the module says.
        ceiling: The best score the form can give; nothing above it can be seen.

    Returns:
        One row a clinician, sorted, and none for those without ratings: `clinician_id`, `ratings`, `at_ceiling`,
        `share_at_ceiling`, `clients`, `clients_once` (one rating: no change to see), `clients_unvarying` (two or more,
        all equal), `share_without_information` (the two together, of clients).

    Raises:
        ValueError: If a rating lies above the ceiling.
    """
    given = ratings.filter(pl.col("alliance").is_not_null()).with_columns(pl.col("alliance").cast(pl.Float64))
    if (given["alliance"] > ceiling).any():
        raise ValueError("a rating lies above the ceiling; check which version of the form it is")
    once, same = pl.col("n") == 1, (pl.col("n") > 1) & (pl.col("lowest") == pl.col("highest"))
    return (
        given.group_by(CLIENT)
        .agg(
            n=pl.len(),
            lowest=pl.col("alliance").min(),
            highest=pl.col("alliance").max(),
            tops=(pl.col("alliance") == ceiling).sum(),
        )
        .group_by("clinician_id")
        .agg(
            ratings=pl.col("n").sum().cast(pl.Int64),
            at_ceiling=pl.col("tops").sum().cast(pl.Int64),
            share_at_ceiling=pl.col("tops").sum() / pl.col("n").sum(),
            clients=pl.len().cast(pl.Int64),
            clients_once=once.sum().cast(pl.Int64),
            clients_unvarying=same.sum().cast(pl.Int64),
            share_without_information=(once | same).mean(),
        )
        .sort("clinician_id")
    )


def clinician_totals(clients: pl.DataFrame) -> Floats:
    """What each clinician adds to the sums of squares; any group's totals are the sum over its clinicians.

    Args:
        clients: one row a client of a clinician: `clinician_id`, `n` (ratings, above 0), `mean` and `squares` (sum of
            squares around it).

    Returns:
        (K, 10) in the order of the clinicians' ids: ratings, clients, clinicians, squares within clients and between
        clients, ratings that share a client with a given one, squared ratings of clients and of clinicians, and the
        clinicians' levels with their squares, weighted by ratings.
    """
    n, mean = pl.col("n").cast(pl.Float64), pl.col("mean") - pl.col("mean").mean()
    size = pl.col("size")
    found = (
        clients.select("clinician_id", "squares", n=n, mean=mean)
        .group_by("clinician_id")
        .agg(
            size=pl.col("n").sum(),
            clients=pl.len().cast(pl.Float64),
            within=pl.col("squares").sum(),
            weighted=(pl.col("n") * pl.col("mean")).sum(),
            weighted_squares=(pl.col("n") * pl.col("mean") ** 2).sum(),
            client_squares=(pl.col("n") ** 2).sum(),
        )
        .sort("clinician_id")
        .select(
            size,
            "clients",
            pl.lit(1.0).alias("clinicians"),
            "within",
            between=pl.col("weighted_squares") - pl.col("weighted") ** 2 / size,
            together=pl.col("client_squares") / size,
            client_squares=pl.col("client_squares"),
            size_squares=size**2,
            level=pl.col("weighted"),
            level_squares=pl.col("weighted") ** 2 / size,
        )
    )
    return found.to_numpy().astype(np.float64)


def variances_from_totals(totals: Floats) -> Floats:
    """Solve sums of squares for the variances behind them; estimates may fall below 0.

    Args:
        totals: (..., 10) as `clinician_totals` adds up to.

    Returns:
        (..., 3): within clients, between clients of a clinician, between clinicians; nan for a level that is not
        repeated.
    """
    n, b, a, within, between, together, client_squares, size_squares, level, level_squares = np.moveaxis(totals, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_ratings = np.where(n > b, within / (n - b), np.nan)
        of_clients = np.where(b > a, (between - (b - a) * of_ratings) / (n - together), np.nan)
        shared = together - client_squares / n
        left = level_squares - level**2 / n - (a - 1) * of_ratings - shared * of_clients
        of_clinicians = np.where(a > 1, left / (n - size_squares / n), np.nan)
    return np.stack([of_ratings, of_clients, of_clinicians], axis=-1)


def _unbounded_parts(given: pl.DataFrame) -> dict[str, float | None]:
    alliance = pl.col("alliance").cast(pl.Float64)
    clients = given.group_by(CLIENT).agg(
        n=pl.len().cast(pl.Float64), mean=alliance.mean(), squares=((alliance - alliance.mean()) ** 2).sum()
    )
    found = variances_from_totals(clinician_totals(clients).sum(axis=0))
    names = ("within_client", "between_clients", "between_clinicians")
    return {name: None if np.isnan(value) else float(value) for name, value in zip(names, found, strict=True)}
