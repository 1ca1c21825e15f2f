"""How much a service's alliance ratings can say: at which level they differ, how reliably, and what the ceiling hides.

What belongs here: shares of variance, reliabilities, and shares of ratings and clients that say nothing, each with an
interval from leaving clinicians out one at a time. What does not: the sums of squares (`decomposition.py`), and what the
levels go with (`alliance_link.py`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from assets.science.decomposition import Floats, clinician_totals, variances_from_totals
from assets.science.funnel import wilson_interval

COVERAGE: Final = 0.95
LEVELS: Final = ("within_client", "between_client", "between_clinician")
_SUMMED: Final = 10  # columns of `clinician_totals`; at-ceiling ratings and uninformative clients follow


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A share or reliability, 0 to 1, with its 95% interval; nan where it cannot be told."""

    estimate: float
    low: float
    high: float

    @property
    def is_told(self) -> bool:
        """Whether there is a figure with an interval."""
        return bool(np.isfinite([self.estimate, self.low, self.high]).all())


@dataclass(frozen=True, kw_only=True)
class AllianceInformation:
    """What a group's ratings can say.

    Attributes:
        clinicians, clients, ratings: what it rests on; a client counts with each clinician.
        clients_without_information: rated once or always alike.
        variance_shares: by level, of all differences between ratings.
        reliabilities: by level: of one rating's distance from its client's usual level, given the form's internal
            consistency; of a client's mean of the usual number of ratings; of a clinician's mean of the usual number of
            clients.
        at_ceiling: share of ratings that are the best the form can give.
        without_information: share of clients that say nothing of change.
    """

    clinicians: int
    clients: int
    ratings: int
    clients_without_information: int
    variance_shares: dict[str, Figure]
    reliabilities: dict[str, Figure]
    at_ceiling: Figure
    without_information: Figure


def alliance_information(clients: pl.DataFrame, *, alpha: float | None) -> AllianceInformation:
    """How much ratings can say, from each client's sums.

    Args:
        clients: one row a client of a clinician, at least one row: `clinician_id`, `n` (ratings, above 0), `y` and `yy`
            (their sum and sum of squares), `lowest`, `highest`, `tops` (ratings at the ceiling).
        alpha: the form's internal consistency; None where none is known, and then nothing is said of how reliably one
            rating tells a client's ups and downs.

    Returns:
        The figures. Intervals are of t with clinicians less one degrees of freedom around the delete-one-clinician
        standard error (Efron & Stein, 1981, Ann. Stat. 9), kept within 0 and 1.
    """
    mean = pl.col("y") / pl.col("n")
    is_silent = (pl.col("n") <= 1) | (pl.col("lowest") == pl.col("highest"))
    rows = clients.with_columns(
        mean=mean, squares=(pl.col("yy") - pl.col("y") * mean).clip(lower_bound=0.0), is_silent=is_silent
    )
    silent = (
        rows.group_by("clinician_id")
        .agg(tops=pl.col("tops").sum().cast(pl.Float64), silent=pl.col("is_silent").sum().cast(pl.Float64))
        .sort("clinician_id")
        .select("tops", "silent")
        .to_numpy()
    )
    own = np.column_stack([clinician_totals(rows.select("clinician_id", "n", "mean", "squares")), silent])
    whole = own.sum(axis=0)
    figures = _with_intervals(_figures(whole, alpha=alpha), _figures(whole - own, alpha=alpha))
    at_ceiling, without = (
        _widened(figure, events=whole[i], total=whole[of])
        for figure, i, of in ((figures[6], _SUMMED, 0), (figures[7], _SUMMED + 1, 1))
    )
    return AllianceInformation(
        clinicians=len(own),
        clients=int(whole[1]),
        ratings=int(whole[0]),
        clients_without_information=int(whole[_SUMMED + 1]),
        variance_shares=dict(zip(LEVELS, figures[:3], strict=True)),
        reliabilities=dict(zip(LEVELS, figures[3:6], strict=True)),
        at_ceiling=at_ceiling,
        without_information=without,
    )


def _figures(totals: Floats, *, alpha: float | None) -> Floats:
    """Three shares, three reliabilities and two plain shares (..., 8), not yet kept within 0 and 1."""
    variances = variances_from_totals(totals[..., :_SUMMED])
    within, clients, clinicians = np.moveaxis(variances, -1, 0)
    ratings, people, units, tops, silent = (totals[..., i] for i in (0, 1, 2, _SUMMED, _SUMMED + 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = variances.sum(axis=-1)
        error = np.nan if alpha is None else (1.0 - alpha) * whole
        noise = clients * units / people + within * units / ratings
        return np.stack(
            [
                within / whole,
                clients / whole,
                clinicians / whole,
                1.0 - error / within,
                clients / (clients + within * people / ratings),
                clinicians / (clinicians + noise),
                tops / ratings,
                silent / people,
            ],
            axis=-1,
        )


def _with_intervals(whole: Floats, without_one: Floats) -> list[Figure]:
    units = len(without_one)
    if units < 2:
        return [Figure(estimate=float(value), low=np.nan, high=np.nan) for value in np.clip(whole, 0.0, 1.0)]
    spread = ((without_one - without_one.mean(axis=0)) ** 2).sum(axis=0)
    reach = float(stats.t.ppf((1.0 + COVERAGE) / 2.0, units - 1)) * np.sqrt((units - 1) / units * spread)
    return [
        Figure(estimate=float(e), low=float(l), high=float(h))
        for e, l, h in zip(*(np.clip(x, 0.0, 1.0) for x in (whole, whole - reach, whole + reach)), strict=True)
    ]


def _widened(figure: Figure, *, events: float, total: float) -> Figure:
    """At least as wide as if ratings were independent: with none or all, leaving out moves nothing."""
    low, high = wilson_interval([events], [total], confidence=COVERAGE)
    return Figure(
        estimate=figure.estimate, low=float(np.fmin(figure.low, low[0])), high=float(np.fmax(figure.high, high[0]))
    )
