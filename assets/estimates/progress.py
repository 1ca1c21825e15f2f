"""Reliable improvement of each clinician's closed episodes, against the whole service's funnel.

Belongs here: which episodes count. Does not belong here: funnels (`assets.science.funnel`), progress against what clients
alike usually make (`assets.estimates.adjusted_progress`) or sentences.
"""

import polars as pl

from assets.estimates.funnels import funnel_of_shares
from assets.science.funnel import wilson_interval

_CONFIDENCE = 0.95


def clinician_progress(change: pl.DataFrame, *, minimum_clients: int) -> pl.DataFrame:
    """`analysis.clinician_progress`.

    Args:
        change: `analysis.client_change`.
        minimum_clients: below it a clinician's funnel rule is too_few.
    """
    closed = change.filter(
        ~pl.col("is_open") & pl.col("reliable_change").is_not_null() & pl.col("clinician_id").is_not_null()
    )
    parts = [
        _of_instrument(closed.filter(pl.col("instrument") == name), minimum_clients)
        for name in closed["instrument"].unique().sort()
    ]
    return pl.concat(parts) if parts else _of_instrument(closed, minimum_clients)


def _of_instrument(closed: pl.DataFrame, minimum_clients: int) -> pl.DataFrame:
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
    few = pl.col("evaluable") < minimum_clients
    return (
        judged.points.with_columns(pl.Series("low", low).fill_nan(None), pl.Series("high", high).fill_nan(None))
        .with_columns(
            pl.when(pl.col("evaluable") > 0).then(pl.col("improved") / pl.col("evaluable")).alias("improved_rate"),
            pl.lit(judged.target, dtype=pl.Float64).fill_nan(None).alias("service_rate"),
            pl.when(few).then(pl.lit("too_few")).otherwise(pl.col("rule")).alias("funnel_rule"),
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
