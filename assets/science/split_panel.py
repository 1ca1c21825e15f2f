"""The effect of alliance on the next outcome without the look-ahead of the client's mean.

What belongs here: the design of the lagged model with alliance in three parts, the split-panel jackknife of its effects,
and the same without each clinician. What does not: intervals, words and clinicians' own slopes (`alliance_link.py`).

Why: alliance less the client's mean looks lagged and is not. The mean holds the alliance after the next outcome, which
reacts to that outcome, so the textbook estimate is biased by about -feedback / number of sessions: half a point where
an effect is one point. Half as many sessions give twice the bias; twice the whole estimate less the mean of the two
halves' takes its leading term off (Dhaene & Jochmans, 2015, Rev. Econ. Stud. 82, p. 998).

What it cannot mend: clients whose courses are not the curve's, and what of the bias is left where sessions are few. The
within-client effect is therefore published from `corrected_moments.py`, and the jackknife's kept beside it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from assets.science.cross_products import CompressedProducts, Floats, recombined, together
from assets.science.link_sums import BASE, ROWS_TO_SPLIT, LinkSums
from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel, fit, leave_one_out
from assets.science.nested_likelihood import Level

COLUMNS: Final = (
    "intercept",
    "outcome_now",
    "outcome_first",
    "session_curve",
    "within_client",
    "between_client",
    "between_clinician",
)
WITHIN: Final = COLUMNS.index("within_client")
LEVELS: Final = COLUMNS[WITHIN:]


@dataclass(frozen=True, kw_only=True)
class SplitPanel:
    """Effects of the three parts of alliance, in the order of LEVELS; each also without each clinician in turn.

    `naive` is the textbook estimate over all pairs, `naive_fit` the fitted model behind it, `clinicians` the order of
    its units.
    """

    estimate: Floats  # (3,)
    without: Floats  # (K, 3)
    naive: Floats  # (3,)
    naive_without: Floats  # (K, 3)
    naive_fit: Fit
    clinicians: pl.Series
    splittable_clients: int


def link_model(sums: CompressedProducts) -> NestedModel:
    """The lagged model: clinicians with intercept and slope.

    Args:
        sums: products of BASE, a unit a clinician, each with rows.
    """
    plain = sums.products[:, 0]
    now, first, alliance = plain[:, [BASE.index(name) for name in ("outcome_now", "outcome_first", "client_mean")]].T
    rows = plain[:, 0]
    of_clinician, of_all = alliance / rows, alliance.sum() / rows.sum()
    by = np.zeros((len(rows), len(BASE), len(COLUMNS) + 1))
    new = {name: place for place, name in enumerate((*COLUMNS, "outcome_next"))}
    for place, name in enumerate(BASE):
        by[:, place, new["between_client" if name == "client_mean" else name]] = 1.0
    centre = now.sum() / rows.sum()
    by[:, 0, new["outcome_now"]] = by[:, 0, new["outcome_next"]] = -centre
    by[:, 0, new["outcome_first"]] = -first.sum() / rows.sum()
    by[:, 0, new["between_client"]] = -of_clinician
    by[:, 0, new["between_clinician"]] = of_clinician - of_all
    level = Level(name="clinician", random=(0, WITHIN), parent=None)
    return NestedModel(columns=COLUMNS, statistics=recombined(sums, by), levels=(level,))


def split_panel(sums: LinkSums) -> SplitPanel:
    """The split-panel jackknife of the three effects.

    Args:
        sums: a cell a clinician.

    Returns:
        Effects, in next-outcome points for one alliance point.

    Raises:
        EstimateRefusedError: the pairs, or one half of them, cannot answer.
    """
    long, count = sums.panel["long"], sums.cells.height
    if long.rows == 0:
        raise EstimateRefusedError(f"No client has {ROWS_TO_SPLIT} or more sessions with what is needed.")
    everyone = np.arange(count)
    every = together([(sums.panel["short"], everyone), (long, everyone)], units=count)
    naive_fit, naive, naive_without = _effects(every, near=None)
    parts = [_effects(sums.panel[part], near=naive_fit.theta)[1:] for part in ("long", "early", "late")]
    (whole, whole_without), (early, early_without), (late, late_without) = parts
    return SplitPanel(
        estimate=2.0 * whole - (early + late) / 2.0,
        without=2.0 * whole_without - (early_without + late_without) / 2.0,
        naive=naive,
        naive_without=naive_without,
        naive_fit=naive_fit,
        clinicians=sums.cells["clinician"],
        splittable_clients=round(float(long.pattern_clients.sum())),
    )


def jackknife_error(without: Floats, estimate: Floats) -> Floats:
    """Standard error from estimates (K, ...) without each unit in turn (Efron & Tibshirani, 1993, eq. 11.5)."""
    count = len(without)
    return np.asarray(np.sqrt((count - 1) / count * ((without - estimate) ** 2).sum(axis=0)))


def _effects(sums: CompressedProducts, *, near: Floats | None) -> tuple[Fit, Floats, Floats]:
    """The fit, its three effects, and the same without each of the clinicians in turn.

    Unchanged for a clinician who has no rows here.
    """
    has_rows = sums.products[:, 0, 0] > 0
    place = np.where(has_rows, np.cumsum(has_rows) - 1, -1)
    fitted = fit(link_model(together([(sums, place)], units=int(has_rows.sum()))), method="REML", near=near)
    effects = np.nan_to_num(fitted.beta[WITHIN:])
    without = np.tile(effects, (len(has_rows), 1))
    without[has_rows] = np.nan_to_num(leave_one_out(fitted)[:, WITHIN:])
    return fitted, effects, without
