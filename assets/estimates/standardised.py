"""Each clinician's reliably improved clients over those expected of a caseload that began as badly.

Belongs here: which episodes count and how they are banded. Does not belong here: expected numbers and the funnel
(`assets.science.standardised`), the plain rate (`progress`) or sentences.
"""

import polars as pl

from assets.estimates.funnels import TRIM, TRIM_SHARE
from assets.science.standardised import ratio_funnel, with_expected

_CONFIDENCE = 0.95
# Quintiles of severity, of at least as many episodes as make a share worth the name.
_MOST_BANDS = 5
_FEWEST_IN_BAND = 20
_SCHEMA = {
    "clinician_id": pl.String,
    "site": pl.String,
    "instrument": pl.String,
    "clients": pl.Int64,
    "evaluable": pl.Int64,
    "observed": pl.Int64,
    "expected": pl.Float64,
    "ratio": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "limit_low_95": pl.Float64,
    "limit_high_95": pl.Float64,
    "limit_low_998": pl.Float64,
    "limit_high_998": pl.Float64,
    "phi": pl.Float64,
    "tau2": pl.Float64,
    "is_adjusted": pl.Boolean,
    "funnel_rule": pl.String,
}


def improvement_ratios(change: pl.DataFrame, *, minimum_clients: int, minimum_clinicians: int) -> pl.DataFrame:
    """`analysis.improvement_ratios`.

    Args:
        change: `analysis.client_change`; ended episodes with a reliable change, a clinician and both scores count.
        minimum_clients: below it, in different clients, a clinician's ratio is withheld.
        minimum_clinicians: a measure with fewer clinicians than this is left out, since no caseload is like another.
    """
    closed = change.filter(
        ~pl.col("is_open")
        & pl.col("reliable_change").is_not_null()
        & pl.col("clinician_id").is_not_null()
        & pl.col("first_score").is_not_null()
        & pl.col("last_score").is_not_null()
    )
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for name in closed["instrument"].unique().sort():
        cases = closed.filter(pl.col("instrument") == name).sort("clinician_id", "client_id", "episode_id")
        if cases["clinician_id"].n_unique() >= minimum_clinicians:
            parts.append(_of_instrument(cases, str(name), minimum_clients=minimum_clients))
    return pl.concat(parts)


def _of_instrument(cases: pl.DataFrame, name: str, *, minimum_clients: int) -> pl.DataFrame:
    chances = with_expected(
        cases,
        event="is_reliably_improved",
        severity="first_score",
        most_bands=_MOST_BANDS,
        fewest_in_band=_FEWEST_IN_BAND,
    )
    judged = ratio_funnel(
        chances,
        by="clinician_id",
        event="is_reliably_improved",
        fewest_cases=minimum_clients,
        adjusts=True,
        trim=TRIM,
        trim_share=TRIM_SHARE,
        confidence=_CONFIDENCE,
    )
    who = (
        cases.group_by("clinician_id")
        .agg(pl.col("site").drop_nulls().first(), clients=pl.col("client_id").n_unique().cast(pl.Int64))
        .sort("clinician_id")
    )
    # A client in two episodes is one person; a ratio of few people is withheld though their episodes be many.
    is_told = (pl.col("clients") >= minimum_clients) & (pl.col("rule") != "too_few")
    told = {
        "ratio": "ratio",
        "low": "low",
        "high": "high",
        "limit_low_95": "lower_95",
        "limit_high_95": "upper_95",
        "limit_low_998": "lower_998",
        "limit_high_998": "upper_998",
    }
    phi = judged.dispersion.phi if judged.dispersion.points else None
    return (
        who.join(judged.groups, on="clinician_id", maintain_order="left")
        .select(
            "clinician_id",
            "site",
            pl.lit(name).alias("instrument"),
            "clients",
            pl.col("cases").alias("evaluable"),
            "observed",
            pl.col("expected").round(6),
            *(pl.when(is_told).then(pl.col(source).round(6)).alias(column) for column, source in told.items()),
            pl.lit(phi, dtype=pl.Float64).round(6).alias("phi"),
            pl.lit(judged.dispersion.tau2).round(9).alias("tau2"),
            pl.lit(judged.is_adjusted).alias("is_adjusted"),
            pl.when(is_told).then(pl.col("rule")).otherwise(pl.lit("too_few")).alias("funnel_rule"),
        )
        .select(*_SCHEMA)
    )
