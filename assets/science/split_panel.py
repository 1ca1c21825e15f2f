"""The effect of alliance on the next outcome without the look-ahead of the client's mean.

What belongs here: the design of the lagged model with alliance in three parts, and the split-panel jackknife of its
effects with a standard error that leaves out one clinician at a time. What does not: intervals, words and clinicians'
own slopes (`alliance_link.py`).

Why: alliance less the client's mean looks lagged and is not. The mean holds the alliance after the next outcome, which
reacts to that outcome, so the textbook estimate is biased by about -feedback / number of sessions: half a point where
an effect is one point. Half as many sessions give twice the bias; twice the whole estimate less the mean of the two
halves' takes its leading term off (Dhaene & Jochmans, 2015, Rev. Econ. Stud. 82, p. 998). With few sessions the halves'
bias is not quite twice the whole's; how much more follows from how long alliance keeps what moved it, and the
within-client effect is extrapolated with that (`extrapolation`).

What it cannot mend: a reaction of alliance to outcome that is both strong and lasting, where a part of the bias stays.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel, fit, leave_one_out
from assets.science.nested_likelihood import Floats, Level
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
LONGEST_PERSISTENCE: Final = 0.8
STEPS: Final = (0.8, 1.5)
ROWS_TO_SPLIT: Final = 4  # two a half, so that each half has a mean to differ from


@dataclass(frozen=True, kw_only=True)
class SplitPanel:
    """Effects of the three parts of alliance, in the order of LEVELS.

    `naive` is the textbook estimate over all pairs and `shift` what the jackknife adds to it; their standard errors
    leave out one clinician at a time. `naive_fit` is the fitted model behind it, `clinicians` the order of its units.
    """

    estimate: Floats  # (3,)
    standard_error: Floats  # (3,)
    naive: Floats  # (3,)
    naive_standard_error: Floats  # (3,)
    shift: Floats  # (3,)
    shift_standard_error: Floats  # (3,)
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
    rows = pairs.sort("clinician", "client", "session_number").with_columns(
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
    naive_fit, naive, naive_without = _effects(rows, names)
    parts = [_effects(part, names)[1:] for part in (long, *_halves(long))]
    (whole, whole_without), (early, early_without), (late, late_without) = parts
    beyond = np.array([extrapolation(long), 1.0, 1.0])
    estimate = whole + beyond * (whole - (early + late) / 2.0)
    without = whole_without + beyond * (whole_without - (early_without + late_without) / 2.0)
    return SplitPanel(
        estimate=estimate,
        standard_error=_spread(without - estimate),
        naive=naive,
        naive_standard_error=_spread(naive_without - naive),
        shift=estimate - naive,
        shift_standard_error=_spread((without - naive_without) - (estimate - naive)),
        naive_fit=naive_fit,
        clinicians=names,
        splittable_clients=long.select("clinician", "client").n_unique(),
    )


def persistence(rows: pl.DataFrame) -> float:
    """How much of a move of alliance is left at the client's next session, 0 to 0.8.

    From first differences, which need no mean of the client and so no correction for few sessions: for w_t = rho
    w_{t-1} + n_t the covariance of neighbouring differences is -(1 - rho) / 2 of their variance.

    Args:
        rows: clinician, client, session_number, alliance.

    Returns:
        rho; 0 where no client has three sessions.
    """
    unit = ("clinician", "client")
    moves = rows.sort(*unit, "session_number").select(*unit, move=pl.col("alliance").diff().over(unit))
    both = moves.with_columns(before=pl.col("move").shift(1).over(unit)).drop_nulls()
    now, before = both["move"].to_numpy(), both["before"].to_numpy()
    variance = float((now**2 + before**2).sum()) / 2.0
    return float(np.clip(1.0 + 2.0 * float(now @ before) / variance, 0.0, LONGEST_PERSISTENCE)) if variance > 0 else 0.0


def extrapolation(long: pl.DataFrame) -> float:
    """How many steps from the halves' estimate to the whole's the unbiased one lies beyond: 1 with many sessions.

    A reaction to the outcome of session t + 1 moves the alliance there by kappa and h sessions later by kappa rho^h;
    what of it enters a client's mean over T rows adds kappa sum_d (T - d) rho^(d - 1) / T to the covariance of
    predictor and error. Summed over clients and divided by the predictor's sum of squares this is the look-ahead, up to
    kappa, of whole and halves.

    Args:
        long: rows of clients with rows enough to split, with `of` and `place`.

    Returns:
        The step, between 0.8 and 1.5.
    """
    rho = persistence(long)
    whole, early, late = (_look_ahead(part, rho) for part in (long, *_halves(long)))
    half = (early + late) / 2.0
    return float(np.clip(whole / (half - whole), *STEPS)) if half > whole else 1.0


def _look_ahead(rows: pl.DataFrame, rho: float) -> float:
    clients = rows.group_by("clinician", "client").agg(
        pl.len(), squares=((pl.col("alliance") - pl.col("alliance").mean()) ** 2).sum()
    )
    counts = clients["len"].to_numpy()
    lags = np.arange(1, int(counts.max()))
    entering = {n: float((np.maximum(n - lags, 0) * rho ** (lags - 1)).sum()) / n for n in set(counts.tolist())}
    squares = float(clients["squares"].to_numpy().sum())
    return sum(entering[n] for n in counts.tolist()) / squares if squares > 0 else 0.0


def _halves(long: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    is_early = pl.col("place") < pl.col("of") // 2
    return long.filter(is_early), long.filter(~is_early)


def _effects(rows: pl.DataFrame, names: pl.Series) -> tuple[Fit, Floats, Floats]:
    """The fit, its three effects, and the same without each of the clinicians in turn.

    Unchanged for a clinician who has no rows here.
    """
    model, present = link_model(rows)
    fitted = fit(model, method="REML")
    effects = np.nan_to_num(fitted.beta[WITHIN:])
    without = np.tile(effects, (len(names), 1))
    without[np.flatnonzero(names.is_in(present.implode()).to_numpy())] = np.nan_to_num(
        leave_one_out(fitted)[:, WITHIN:]
    )
    return fitted, effects, without


def _spread(differences: Floats) -> Floats:
    """Jackknife standard error of differences from the whole estimate (Efron & Tibshirani, 1993, eq. 11.5)."""
    count = len(differences)
    return np.asarray(np.sqrt((count - 1) / count * (differences**2).sum(axis=0)))
