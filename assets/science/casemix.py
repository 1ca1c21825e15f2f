"""Progress compared fairly: what clinicians' clients achieve beyond what clients like them usually do.

What belongs here: the case-mix adjustment, clinician and site effects drawn toward the service, the share of the
variance that lies between clinicians, the funnel of adjusted differences, and what may be said of a clinician. What does
not: funnels of rates (`funnel.py`), the model (`multilevel.py`), and any ordering of clinicians: rows come in the order
of their identifiers.

Adjustment answers only for what is recorded. A difference that remains may be the clinician's, or the referrals'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from assets.science.cross_products import Floats, Statistics
from assets.science.funnel import CONFIDENCES, FEWEST_TO_SHOW, overdispersion
from assets.science.intervals import Integrated, integrate
from assets.science.mixtures import mixture_below, mixture_interval, mixture_mean_sd, weighted_interval
from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel, fit
from assets.science.nested_likelihood import Level, has_client_intercept
from assets.science.shrinkage import reliability, unit_effects
from assets.science.sufficient_statistics import compressed_products, unit_products
from assets.science.verdicts import corrected_p_values

COVERAGE: Final = 0.95
SEED: Final = 19760217
DIGITS: Final = 6
FALSE_DISCOVERIES: Final = 0.05
FEWEST_IN_A_CATEGORY: Final = 10  # categories with fewer episodes are taken together
SITES_FOR_A_VARIANCE: Final = 3  # with two, the difference is a fixed one
SHARED_CASES: Final = 0.10  # from so large a share of cases with several rows on, a case has a variance of its own
NEGLIGIBLE_SHARE: Final = 0.01  # of variance; below it clinicians are as good as alike
TRIM_SHARE: Final = 0.10  # Spiegelhalter (2005) winsorises a tenth at each end
SEVERITY: Final = ("outcome_first", "outcome_first_squared")
CLINICIAN_SCHEMA: Final = {
    "clinician_id": pl.String,
    "site": pl.String,
    "episodes": pl.Int64,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "reliability": pl.Float64,
    "probability_better": pl.Float64,
    "probability_better_by_margin": pl.Float64,
    "probability_worse_by_margin": pl.Float64,
    "q_value": pl.Float64,
    "is_different": pl.Boolean,
    "raw_difference": pl.Float64,
    "limit_low_95": pl.Float64,
    "limit_high_95": pl.Float64,
    "limit_low_998": pl.Float64,
    "limit_high_998": pl.Float64,
    "funnel_rule": pl.String,
}
SHARE_SCHEMA: Final = {
    "part": pl.String,
    "share": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "units": pl.Int64,
    "probability_not_negligible": pl.Float64,
}


@dataclass(frozen=True, kw_only=True)
class AdjustedProgress:
    """What could be said of progress beyond expectation.

    Attributes:
        clinicians: one row a clinician: `estimate`, outcome points of improvement beyond what clients alike usually
            make at that site, drawn toward nought, with 95% interval; `reliability` (0-1); probabilities that the
            difference is above nought, and beyond the margin either way; `q_value` and `is_different`, with false
            discoveries held at 5%; `raw_difference`, the same before drawing in and less the site's, with its funnel.
        shares: share of the adjusted variance between clinicians (the intraclass correlation) and, with three sites or
            more, between sites, with 95% intervals and the probability that it is more than negligible.
        refusal: why nothing is said; None where something is.
        dropped: case-mix columns that carried nothing of their own.
        episodes: rows with a first and a last score.
    """

    clinicians: pl.DataFrame
    shares: pl.DataFrame
    refusal: str | None
    dropped: tuple[str, ...]
    episodes: int


def adjusted_progress(
    episodes: pl.DataFrame,
    *,
    casemix: Sequence[str],
    margin: float,
    minimum_clients: int,
    minimum_clinicians: int,
    higher_is_better: bool,
) -> AdjustedProgress:
    """Compare clinicians' progress, adjusted for where their clients began and who they are.

    Args:
        episodes: one row a client and closed episode: clinician_id, site, case_id, outcome_first, outcome_last (own
            direction), and the columns named by `casemix`. Rows without a first or last score are left out; a missing
            text is a category of its own, a missing number is put at the mean and told apart. Partners of a couple
            share a case: where a tenth of the cases or more have several rows, a case has a random intercept.
        casemix: columns to adjust for besides the first score and its square; text and true-or-false as categories,
            numbers as they are.
        margin: the smallest difference that matters, in outcome points.
        minimum_clients: with fewer episodes in all nothing is said; a clinician with fewer is not flagged.
        minimum_clinicians: below so many clinicians nothing is said.
        higher_is_better: the outcome measure's direction.

    Returns:
        The comparison, or the reason why there is none. The same rows give the same digits, in any order.
    """
    sign = 1.0 if higher_is_better else -1.0
    rows = episodes.drop_nulls(["clinician_id", "site", "outcome_first", "outcome_last"]).with_columns(
        pl.col("clinician_id", "case_id").cast(pl.String),
        pl.col("site").cast(pl.String).sort().first().over("clinician_id"),
        first=sign * pl.col("outcome_first").cast(pl.Float64),
        last=sign * pl.col("outcome_last").cast(pl.Float64),
    )
    rows = rows.sort("site", "clinician_id", "case_id", "first", "last", *casemix)
    clinicians = rows["clinician_id"].n_unique()
    if rows.height < minimum_clients:
        return _refused(
            f"Cannot tell: {rows.height} closed episodes have a first and a last score; {minimum_clients} are asked.",
            episodes=rows.height,
        )
    if clinicians < max(minimum_clinicians, 2):
        return _refused(
            f"Cannot tell: {clinicians} clinicians have such episodes; {max(minimum_clinicians, 2)} are asked.",
            episodes=rows.height,
        )
    try:
        model = _model(rows, casemix)
        fitted = fit(model, method="REML")
    except EstimateRefusedError as refused:
        return _refused(f"Cannot tell: {refused}", episodes=rows.height)
    drawn = integrate(fitted, level="clinician", seed=SEED)
    people = _clinicians(rows, fitted, drawn, margin=margin, minimum_clients=minimum_clients)
    return AdjustedProgress(
        clinicians=people.select(CLINICIAN_SCHEMA.keys()).cast(CLINICIAN_SCHEMA).sort("clinician_id"),  # type: ignore[arg-type]
        shares=_shares(model, drawn),
        refusal=None,
        dropped=fitted.dropped,
        episodes=rows.height,
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
    severity = (first - first.mean()) / (first.std() or 1.0)
    design = np.column_stack([np.ones(rows.height), severity, severity**2, extra, last - last.mean()])
    clinician = rows["clinician_id"].to_numpy()
    statistics: Statistics
    statistics, starts = unit_products(design, unit=clinician)
    cases = rows.group_by("clinician_id", "case_id").len()["len"]
    if (cases > 1).mean() >= SHARED_CASES:  # type: ignore[operator]
        statistics = compressed_products(design, clinician=clinician, client=rows["case_id"].to_numpy())
    columns = ("intercept", *SEVERITY, *names)
    if len(sites) < SITES_FOR_A_VARIANCE:
        return NestedModel(
            columns=columns, statistics=statistics, levels=(Level(name="clinician", random=(0,), parent=None),)
        )
    place = {site: i for i, site in enumerate(sites)}
    parent = np.asarray([place[site] for site in rows["site"].gather(starts)], dtype=np.int64)
    levels = (Level(name="clinician", random=(0,), parent=parent), Level(name="site", random=(0,), parent=None))
    return NestedModel(columns=columns, statistics=statistics, levels=levels)


def _clinicians(
    rows: pl.DataFrame, fitted: Fit, drawn: Integrated, *, margin: float, minimum_clients: int
) -> pl.DataFrame:
    effects, effects_sd = drawn.effects[:, :, 0], drawn.effects_sd[:, :, 0]
    mean, sd = mixture_mean_sd(drawn.weights, effects, effects_sd)
    low, high = mixture_interval(drawn.weights, effects, effects_sd, coverage=COVERAGE)
    worse, worse_by, not_better_by = (
        mixture_below(drawn.weights, effects, effects_sd, threshold=at) for at in (0.0, -margin, margin)
    )
    place = 1 if has_client_intercept(fitted.model.statistics) else 0
    between = float(drawn.weights @ (drawn.sigma * drawn.ratios[:, place]) ** 2)
    cases = rows.group_by("clinician_id", "case_id", maintain_order=True).agg(pl.col("site").first(), n=pl.len())
    counts = cases.group_by("clinician_id", maintain_order=True).agg(
        pl.col("site").first(), episodes=pl.col("n").sum(), squares=(pl.col("n") ** 2).sum()
    )
    is_judged = counts["episodes"].to_numpy() >= minimum_clients
    q_values = np.full(counts.height, np.nan)
    tail = np.clip(2.0 * np.minimum(worse, 1.0 - worse), 0.0, 1.0)
    q_values[is_judged] = corrected_p_values(tail[is_judged], correction="benjamini_hochberg")
    found = counts.with_columns(
        estimate=mean.round(DIGITS),
        low=low.round(DIGITS),
        high=high.round(DIGITS),
        reliability=reliability(sd**2, between).round(DIGITS),
        probability_better=(1.0 - worse).round(DIGITS),
        probability_better_by_margin=(1.0 - not_better_by).round(DIGITS),
        probability_worse_by_margin=worse_by.round(DIGITS),
        q_value=pl.Series(q_values.round(DIGITS)).fill_nan(None),
        is_different=is_judged & (np.nan_to_num(q_values, nan=1.0) <= FALSE_DISCOVERIES),
    )
    return _with_funnel(found, fitted)


def _with_funnel(found: pl.DataFrame, fitted: Fit) -> pl.DataFrame:
    """The differences before drawing in, against limits that allow for what clinicians ordinarily differ by.

    Source: Spiegelhalter 2005, Stat Med 24:1185-1202, additive overdispersion, here for means of residuals.
    """
    products = fitted.model.statistics.products
    raw = (products[:, 0, -1] - products[:, 0, :-1] @ np.nan_to_num(fitted.beta)) / products[:, 0, 0]
    parent = fitted.model.levels[0].parent
    if parent is not None:
        raw = raw - unit_effects(fitted)["site"].effects[parent, 0]
    n, squares = found["episodes"].to_numpy(), found["squares"].to_numpy()
    error = np.sqrt(fitted.residual_variance / n + (fitted.client_variance or 0.0) * squares / n**2)
    is_judged = n >= FEWEST_TO_SHOW
    spread = overdispersion(
        (raw / error)[is_judged], standard_errors=error[is_judged], trim="winsorise", trim_share=TRIM_SHARE
    )
    whole = np.sqrt(error**2 + (spread.tau2 if spread.is_present else 0.0))
    inner, outer = (float(stats.norm.isf((1 - confidence) / 2)) * whole for confidence in CONFIDENCES)
    size = np.abs(raw)
    rule = np.select([~is_judged, size > outer, size > inner], ["too_few", "outside_998", "outside_95"], "within")
    return found.with_columns(
        raw_difference=raw.round(DIGITS),
        limit_low_95=-inner.round(DIGITS),
        limit_high_95=inner.round(DIGITS),
        limit_low_998=-outer.round(DIGITS),
        limit_high_998=outer.round(DIGITS),
        funnel_rule=pl.Series(rule, dtype=pl.String),
    )


def _shares(model: NestedModel, drawn: Integrated) -> pl.DataFrame:
    squared = drawn.ratios**2
    total = 1.0 + squared.sum(axis=1)
    units = [len(model.statistics.products)]
    if len(model.levels) > 1:
        units.append(int(np.asarray(model.levels[0].parent).max()) + 1)
    first = 1 if has_client_intercept(model.statistics) else 0
    found = []
    for place, level in enumerate(model.levels):
        share = squared[:, first + place] / total
        low, high = weighted_interval(drawn.weights, share, coverage=COVERAGE)
        found.append(
            {
                "part": f"between_{level.name}s",
                "share": round(float(drawn.weights @ share), DIGITS),
                "low": round(low, DIGITS),
                "high": round(high, DIGITS),
                "units": units[place],
                "probability_not_negligible": round(float(drawn.weights @ (share > NEGLIGIBLE_SHARE)), DIGITS),
            },
        )
    return pl.DataFrame(found, schema=SHARE_SCHEMA)


def _refused(sentence: str, *, episodes: int) -> AdjustedProgress:
    return AdjustedProgress(
        clinicians=pl.DataFrame(schema=CLINICIAN_SCHEMA),
        shares=pl.DataFrame(schema=SHARE_SCHEMA),
        refusal=sentence,
        dropped=(),
        episodes=episodes,
    )
