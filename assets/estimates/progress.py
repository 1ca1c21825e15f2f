"""Reliable improvement of each clinician's closed episodes, against a funnel and against what was expected.

Belongs here: which episodes count; the funnel is the whole service's, the comparison with what was expected is within one
site. Does not belong here: funnels (`assets.science.funnel`), the comparison
(`assets.science.clinician_effects`) or sentences.
"""

import polars as pl

from assets.estimates.funnels import funnel_of_shares
from assets.science.clinician_effects import clinician_effects
from assets.science.funnel import wilson_interval
from assets.science.verdicts import certainty_expr

_CONFIDENCE = 0.95


def clinician_progress(change: pl.DataFrame, *, minimum_clients: int, minimum_clinicians: int) -> pl.DataFrame:
    """`analysis.clinician_progress`.

    Args:
        change: `analysis.client_change`.
        minimum_clients: below it a clinician's certainty and funnel rule are too_few.
        minimum_clinicians: below it clinicians of a measure are not compared.
    """
    closed = change.filter(
        ~pl.col("is_open") & pl.col("reliable_change").is_not_null() & pl.col("clinician_id").is_not_null()
    )
    parts = [
        _of_instrument(closed.filter(pl.col("instrument") == name), minimum_clients, minimum_clinicians)
        for name in closed["instrument"].unique().sort()
    ]
    return pl.concat(parts) if parts else _of_instrument(closed, minimum_clients, minimum_clinicians)


def _of_instrument(closed: pl.DataFrame, minimum_clients: int, minimum_clinicians: int) -> pl.DataFrame:
    counted = (
        closed.group_by("clinician_id", "instrument")
        .agg(
            pl.col("site").drop_nulls().first(),
            pl.col("client_id").n_unique().cast(pl.Int64).alias("clients"),
            pl.col("last_score").count().cast(pl.Int64).alias("evaluable"),
            pl.col("is_reliably_improved").sum().cast(pl.Int64).alias("improved"),
            (pl.col("category") == "recovered").sum().cast(pl.Int64).alias("recovered"),
            pl.col("is_reliably_deteriorated").sum().cast(pl.Int64).alias("deteriorated"),
        )
        .sort("clinician_id")
    )
    low, high = wilson_interval(counted["improved"], counted["evaluable"], confidence=_CONFIDENCE)
    judged = funnel_of_shares(counted, events="improved", totals="evaluable")
    groups = closed.with_columns(squared=pl.col("first_score") ** 2).partition_by("site", as_dict=True)
    against = pl.concat(
        [_against_expected(groups[site], minimum_clinicians) for site in sorted(groups, key=str)] or [_NOBODY]
    )
    few = pl.col("evaluable") < minimum_clients
    word = certainty_expr(pl.col("probability_above"), n=pl.col("evaluable"), fewest=minimum_clients)
    return (
        judged.points.with_columns(pl.Series("low", low).fill_nan(None), pl.Series("high", high).fill_nan(None))
        .join(against, on="clinician_id", how="left", maintain_order="left")
        .with_columns(
            pl.when(pl.col("evaluable") > 0).then(pl.col("improved") / pl.col("evaluable")).alias("improved_rate"),
            pl.lit(judged.target, dtype=pl.Float64).fill_nan(None).alias("service_rate"),
            pl.when(few).then(pl.lit("too_few")).otherwise(pl.col("rule")).alias("funnel_rule"),
            word.alias("certainty"),
        )
        .rename(
            {
                "lower_95": "limit_low_95",
                "upper_95": "limit_high_95",
                "lower_998": "limit_low_998",
                "upper_998": "limit_high_998",
            }
        )
    )


def _against_expected(closed: pl.DataFrame, minimum_clinicians: int) -> pl.DataFrame:
    """Each clinician of one site against what its clients with the same first score usually make."""
    expected = clinician_effects(
        closed,
        score="improvement",
        predictors=("first_score", "squared"),
        client=None,
        minimum_clinicians=minimum_clinicians,
        seed=2,
    )
    usual = pl.lit(expected.service, dtype=pl.Float64)
    return expected.clinicians.select(
        "clinician_id",
        "probability_above",
        expected_difference=(pl.col("estimate") - usual).round(6),
        expected_difference_low=(pl.col("low") - usual).round(6),
        expected_difference_high=(pl.col("high") - usual).round(6),
    )


_NOBODY = pl.DataFrame(
    schema={
        "clinician_id": pl.String,
        "probability_above": pl.Float64,
        "expected_difference": pl.Float64,
        "expected_difference_low": pl.Float64,
        "expected_difference_high": pl.Float64,
    }
)
