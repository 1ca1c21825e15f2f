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

from assets.science.cross_products import Floats
from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel, fit, leave_one_out
from assets.science.nested_likelihood import Level
from assets.science.sufficient_statistics import compressed_products

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
ROWS_TO_SPLIT: Final = 4  # two a half, so that each half has a mean to differ from


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


def link_model(pairs: pl.DataFrame) -> tuple[NestedModel, pl.Series]:
    """The lagged model of a set of pairs, alliance split by the means of those very pairs.

    Args:
        pairs: clinician, client, session_number, outcome_now, outcome_next, outcome_first, alliance; complete.

    Returns:
        The model, clinicians with intercept and slope, and the clinicians in the order of its units.
    """
    return _model(pairs.sort("clinician", "client", "session_number"))


def _model(ordered: pl.DataFrame) -> tuple[NestedModel, pl.Series]:
    rows = ordered.with_columns(
        client_mean=pl.col("alliance").mean().over("clinician", "client"),
        clinician_mean=pl.col("alliance").mean().over("clinician"),
    )
    centre = pl.col("outcome_now").mean()
    design = rows.select(
        intercept=pl.lit(1.0),
        outcome_now=pl.col("outcome_now") - centre,
        outcome_first=pl.col("outcome_first") - pl.col("outcome_first").mean(),
        session_curve=pl.col("session_number").log() / np.log(9.0) - 0.5,
        within_client=pl.col("alliance") - pl.col("client_mean"),
        between_client=pl.col("client_mean") - pl.col("clinician_mean"),
        between_clinician=pl.col("clinician_mean") - pl.col("alliance").mean(),
        outcome_next=pl.col("outcome_next") - centre,
    ).to_numpy()
    statistics = compressed_products(design, clinician=rows["clinician"].to_numpy(), client=rows["client"].to_numpy())
    level = Level(name="clinician", random=(0, WITHIN), parent=None)
    return NestedModel(columns=COLUMNS, statistics=statistics, levels=(level,)), rows["clinician"].unique(
        maintain_order=True
    )


def split_panel(pairs: pl.DataFrame) -> SplitPanel:
    """The split-panel jackknife of the three effects.

    Args:
        pairs: as for `link_model`.

    Returns:
        Effects, in next-outcome points for one alliance point.

    Raises:
        EstimateRefusedError: the pairs, or one half of them, cannot answer.
    """
    rows = pairs.sort("clinician", "client", "session_number").with_columns(
        of=pl.len().over("clinician", "client"), place=pl.int_range(pl.len()).over("clinician", "client")
    )
    long = rows.filter(pl.col("of") >= ROWS_TO_SPLIT)
    if long.is_empty():
        raise EstimateRefusedError(f"No client has {ROWS_TO_SPLIT} or more sessions with what is needed.")
    names = rows["clinician"].unique(maintain_order=True)
    naive_fit, naive, naive_without = _effects(rows, names, near=None)
    parts = [_effects(part, names, near=naive_fit.theta)[1:] for part in (long, *_halves(long))]
    (whole, whole_without), (early, early_without), (late, late_without) = parts
    return SplitPanel(
        estimate=2.0 * whole - (early + late) / 2.0,
        without=2.0 * whole_without - (early_without + late_without) / 2.0,
        naive=naive,
        naive_without=naive_without,
        naive_fit=naive_fit,
        clinicians=names,
        splittable_clients=long.select("clinician", "client").n_unique(),
    )


def jackknife_error(without: Floats, estimate: Floats) -> Floats:
    """Standard error from estimates (K, ...) without each unit in turn (Efron & Tibshirani, 1993, eq. 11.5)."""
    count = len(without)
    return np.asarray(np.sqrt((count - 1) / count * ((without - estimate) ** 2).sum(axis=0)))


def _halves(long: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    is_early = pl.col("place") < pl.col("of") // 2
    return long.filter(is_early), long.filter(~is_early)


def _effects(rows: pl.DataFrame, names: pl.Series, *, near: Floats | None) -> tuple[Fit, Floats, Floats]:
    """The fit, its three effects, and the same without each of the clinicians in turn.

    Unchanged for a clinician who has no rows here.
    """
    model, present = _model(rows)
    fitted = fit(model, method="REML", near=near)
    effects = np.nan_to_num(fitted.beta[WITHIN:])
    without = np.tile(effects, (len(names), 1))
    without[np.flatnonzero(names.is_in(present.implode()).to_numpy())] = np.nan_to_num(
        leave_one_out(fitted)[:, WITHIN:]
    )
    return fitted, effects, without
