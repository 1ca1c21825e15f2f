"""Progress compared fairly: what clinicians' clients achieve beyond what clients like them usually do.

What belongs here: the case-mix adjustment, clinician and site effects drawn toward the service, the share of the
variance that lies between clinicians, and what may be said of a clinician. What does not: rates and funnels
(`funnel.py`), the model (`multilevel.py`), and any ordering of clinicians: rows come in the order of their identifiers.

Adjustment answers only for what is recorded. A difference that remains may be the clinician's, or the referrals'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from assets.science.intervals import (
    Integrated,
    integrate,
    mixture_below,
    mixture_interval,
    mixture_mean_sd,
    weighted_interval,
)
from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel, fit
from assets.science.nested_likelihood import Floats, Level
from assets.science.shrinkage import false_discoveries_held, reliability
from assets.science.sufficient_statistics import unit_products

COVERAGE: Final = 0.95
SEED: Final = 19760217
DIGITS: Final = 6
FALSE_DISCOVERIES: Final = 0.05
FEWEST_IN_A_CATEGORY: Final = 10  # categories with fewer episodes are taken together
SITES_FOR_A_VARIANCE: Final = 3  # with two, the difference is a fixed one
CLINICIAN_SCHEMA: Final = {
    "clinician_id": pl.String,
    "site": pl.String,
    "episodes": pl.Int64,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "raw_difference": pl.Float64,
    "reliability": pl.Float64,
    "probability_better": pl.Float64,
    "is_different": pl.Boolean,
}
SHARE_SCHEMA: Final = {"part": pl.String, "share": pl.Float64, "low": pl.Float64, "high": pl.Float64, "units": pl.Int64}


@dataclass(frozen=True, kw_only=True)
class AdjustedProgress:
    """What could be said of progress beyond expectation.

    Attributes:
        clinicians: one row a clinician: `estimate`, outcome points of improvement beyond what clients alike usually
            make at
            that site, drawn toward nought, with 95% interval; `raw_difference`, the same before drawing in;
            `reliability`
            (0-1); `probability_better`; `is_different`, with false discoveries held at 5%.
        shares: share of the adjusted variance between clinicians (the intraclass correlation) and, with three sites or
            more, between sites, with 95% intervals.
        refusal: why nothing is said; None where something is.
        dropped: case-mix columns that carried nothing of their own.
    """

    clinicians: pl.DataFrame
    shares: pl.DataFrame
    refusal: str | None
    dropped: tuple[str, ...]


def adjusted_progress(
    episodes: pl.DataFrame,
    *,
    casemix: Sequence[str],
    minimum_clients: int,
    minimum_clinicians: int,
    higher_is_better: bool,
) -> AdjustedProgress:
    """Compare clinicians' progress, adjusted for where their clients began and who they are.

    Args:
        episodes: one row a closed episode: clinician_id, site, outcome_first, outcome_last (own direction), and the
            columns named by `casemix`. Rows without a first or last score are left out; a missing text is a category of
            its own, a missing number is put at the mean and told apart.
        casemix: columns to adjust for besides the first score; text and true-or-false as categories, numbers as
            they are.
        minimum_clients: below so many episodes nothing is said.
        minimum_clinicians: below so many clinicians nothing is said.
        higher_is_better: the outcome measure's direction.

    Returns:
        The comparison, or the reason why there is none. The same rows give the same digits, in any order.
    """
    sign = 1.0 if higher_is_better else -1.0
    rows = episodes.drop_nulls(["clinician_id", "site", "outcome_first", "outcome_last"]).with_columns(
        pl.col("clinician_id").cast(pl.String),
        pl.col("site").cast(pl.String).sort().first().over("clinician_id"),
        first=sign * pl.col("outcome_first").cast(pl.Float64),
        last=sign * pl.col("outcome_last").cast(pl.Float64),
    )
    rows = rows.sort("site", "clinician_id", "first", "last", *casemix)
    clinicians = rows["clinician_id"].n_unique()
    if rows.height < minimum_clients:
        return _refused(
            f"Cannot tell: {rows.height} closed episodes have a first and a last score; {minimum_clients} are asked."
        )
    if clinicians < max(minimum_clinicians, 2):
        return _refused(
            f"Cannot tell: {clinicians} clinicians have such episodes; {max(minimum_clinicians, 2)} are asked."
        )
    try:
        model = _model(rows, casemix)
        fitted = fit(model, method="REML")
    except EstimateRefusedError as refused:
        return _refused(f"Cannot tell: {refused}")
    drawn = integrate(fitted, level="clinician", seed=SEED)
    return AdjustedProgress(
        clinicians=_clinicians(rows, fitted, drawn),
        shares=_shares(model, drawn),
        refusal=None,
        dropped=fitted.dropped,
    )


def casemix_design(rows: pl.DataFrame, *, columns: Sequence[str]) -> tuple[Floats, tuple[str, ...]]:
    """Case-mix columns as numbers: categories against the commonest, numbers centred and scaled.

    Args:
        rows: the episodes.
        columns: which columns.

    Returns:
        (N, c) and the names; rare categories together as `column=other`, missing numbers marked by `column=missing`.
    """
    parts: list[Floats] = []
    names: list[str] = []
    for name in columns:
        column = rows[name]
        if column.dtype.is_numeric():
            known = column.is_not_null().to_numpy()
            values = column.cast(pl.Float64).fill_null(strategy="mean").fill_null(0.0).to_numpy()
            spread = float(values.std())
            parts += [(values - values.mean()) / (spread if spread > 0 else 1.0), (~known).astype(np.float64)]
            names += [name, f"{name}=missing"]
            continue
        text = column.cast(pl.String).fill_null("missing")
        counts = text.value_counts().sort(["count", text.name], descending=[True, False])
        usual = counts.filter(pl.col("count") >= FEWEST_IN_A_CATEGORY)[text.name].to_list()
        grouped = text.to_frame().select(pl.when(pl.col(name).is_in(usual)).then(name).otherwise(pl.lit("other")))[name]
        for category in [*usual[1:], "other"]:
            parts.append((grouped == category).cast(pl.Float64).to_numpy())
            names.append(f"{name}={category}")
    used = [i for i, part in enumerate(parts) if part.any()]
    matrix = np.column_stack([parts[i] for i in used]) if used else np.empty((rows.height, 0))
    return matrix, tuple(names[i] for i in used)


def _model(rows: pl.DataFrame, casemix: Sequence[str]) -> NestedModel:
    sites = rows["site"].unique(maintain_order=True)
    fixed_site = ["site"] if len(sites) == SITES_FOR_A_VARIANCE - 1 else []
    extra, names = casemix_design(rows, columns=[*casemix, *fixed_site])
    first, last = rows["first"].to_numpy(), rows["last"].to_numpy()
    design = np.column_stack([np.ones(rows.height), first - first.mean(), extra, last - last.mean()])
    statistics, starts = unit_products(design, unit=rows["clinician_id"].to_numpy())
    columns = ("intercept", "outcome_first", *names)
    if len(sites) < SITES_FOR_A_VARIANCE:
        return NestedModel(
            columns=columns, statistics=statistics, levels=(Level(name="clinician", random=(0,), parent=None),)
        )
    place = {site: i for i, site in enumerate(sites)}
    parent = np.asarray([place[site] for site in rows["site"].gather(starts)], dtype=np.int64)
    levels = (Level(name="clinician", random=(0,), parent=parent), Level(name="site", random=(0,), parent=None))
    return NestedModel(columns=columns, statistics=statistics, levels=levels)


def _clinicians(rows: pl.DataFrame, fitted: Fit, drawn: Integrated) -> pl.DataFrame:
    effects, effects_sd = drawn.effects[:, :, 0], drawn.effects_sd[:, :, 0]
    mean, sd = mixture_mean_sd(drawn.weights, effects, effects_sd)
    low, high = mixture_interval(drawn.weights, effects, effects_sd, coverage=COVERAGE)
    better = 1.0 - mixture_below(drawn.weights, effects, effects_sd, threshold=0.0)
    p_values = np.clip(2.0 * np.minimum(better, 1.0 - better), 0.0, 1.0)
    between = float(drawn.weights @ (drawn.sigma * drawn.ratios[:, 0]) ** 2)
    trust = reliability(sd**2, between)
    beta = np.nan_to_num(fitted.beta)
    products = fitted.model.statistics.products
    raw = (products[:, 0, -1] - products[:, 0, :-1] @ beta) / products[:, 0, 0]
    counts = rows.group_by("clinician_id", maintain_order=True).agg(pl.col("site").first(), episodes=pl.len())
    found = counts.with_columns(
        estimate=mean.round(DIGITS),
        low=low.round(DIGITS),
        high=high.round(DIGITS),
        raw_difference=raw.round(DIGITS),
        reliability=trust.round(DIGITS),
        probability_better=better.round(DIGITS),
        is_different=false_discoveries_held(p_values, share=FALSE_DISCOVERIES),
    )
    return found.select(CLINICIAN_SCHEMA.keys()).cast(CLINICIAN_SCHEMA).sort("clinician_id")  # type: ignore[arg-type]


def _shares(model: NestedModel, drawn: Integrated) -> pl.DataFrame:
    squared = drawn.ratios**2
    total = 1.0 + squared.sum(axis=1)
    units = [len(model.statistics.products)]
    if len(model.levels) > 1:
        units.append(int(np.asarray(model.levels[0].parent).max()) + 1)
    found = []
    for place, level in enumerate(model.levels):
        share = squared[:, place] / total
        low, high = weighted_interval(drawn.weights, share, coverage=COVERAGE)
        found.append(
            {
                "part": f"between_{level.name}s",
                "share": round(float(drawn.weights @ share), DIGITS),
                "low": round(low, DIGITS),
                "high": round(high, DIGITS),
                "units": units[place],
            },
        )
    return pl.DataFrame(found, schema=SHARE_SCHEMA)


def _refused(sentence: str) -> AdjustedProgress:
    return AdjustedProgress(
        clinicians=pl.DataFrame(schema=CLINICIAN_SCHEMA),
        shares=pl.DataFrame(schema=SHARE_SCHEMA),
        refusal=sentence,
        dropped=(),
    )
