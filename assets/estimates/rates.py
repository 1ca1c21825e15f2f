"""Published rates from their counts: the share, its interval, and whether there are too few.

Belongs here: what is figured from counted rows. Does not belong here: what is counted (`assets.contracts.rates`) and
rounding (`assets.science.disclosure`).
"""

import polars as pl

from assets.contracts.rates import metric
from assets.science.disclosure import percent_half_up
from assets.science.funnel import wilson_interval

_CONFIDENCE = 0.95


def rates(counts: pl.DataFrame, *, minimum_clients: int) -> pl.DataFrame:
    """`analysis.rates`.

    Args:
        counts: rows of the declared SELECTs: `metric`, `scope`, `scope_name`, `instrument`, `numerator`, `denominator`,
            `eligible`, `complete`, `cases`.
        minimum_clients: below it, in cases or in complete ones, a rate is not published.
    """
    ordered = counts.sort("metric", "scope", "scope_name", "instrument")
    low, high = wilson_interval(ordered["numerator"], ordered["denominator"], confidence=_CONFIDENCE)
    is_too_few = (pl.col("cases") < minimum_clients) | (pl.col("complete") < minimum_clients)
    figured = ordered.with_columns(
        completeness=_share("complete", "eligible"),
        rate=_share("numerator", "denominator"),
        low=pl.Series(low, dtype=pl.Float64).fill_nan(None).round(9),
        high=pl.Series(high, dtype=pl.Float64).fill_nan(None).round(9),
        is_too_few=is_too_few,
    )
    percents = [
        None
        if row["is_too_few"] or row["denominator"] == 0
        else percent_half_up(row["numerator"], row["denominator"], decimals=metric(row["metric"]).decimals)
        for row in figured.iter_rows(named=True)
    ]
    return figured.with_columns(published_percent=pl.Series(percents, dtype=pl.Float64))


def _share(numerator: str, denominator: str) -> pl.Expr:
    return pl.when(pl.col(denominator) > 0).then((pl.col(numerator) / pl.col(denominator)).round(9))
