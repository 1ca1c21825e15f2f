"""Published rates from their counts: the share, its interval, and whether there are too few.

Belongs here: what is figured from counted rows. Does not belong here: what is counted (`assets.contracts.rates`) and
rounding (`assets.science.disclosure`).
"""

import polars as pl

from assets.contracts.rates import metric
from assets.science.disclosure import DisclosureRule, percent_half_up, suppressed_cells
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


def shown_rates(rows: pl.DataFrame, *, rule: DisclosureRule) -> pl.DataFrame:
    """The rates that pages may show: no row that is small, nor one that shown ones subtracted from the whole would give away.

    Args:
        rows: `analysis.rates` as pages are given it.
        rule: how small is too small.
    """
    hidden: list[tuple[str, str, str, str]] = []
    for scope in ("site", "programme"):
        of = rows.filter((pl.col("scope") == scope) & (pl.col("cases") > 0))
        for (name, instrument), part in of.partition_by("metric", "instrument", as_dict=True).items():
            counts = dict(part.select("scope_name", "cases").iter_rows())
            gone = suppressed_cells(counts, rule=rule, is_total_shown=True, clinicians=None)
            hidden += [(str(name), scope, each, str(instrument)) for each in gone]
    keys = ["metric", "scope", "scope_name", "instrument"]
    gone = pl.DataFrame(hidden, schema=dict.fromkeys(keys, pl.String), orient="row")
    known = pl.all_horizontal(pl.col("rate", "low", "high").is_not_null())
    return rows.filter(~pl.col("is_too_few") & known).join(gone, on=keys, how="anti")


def _share(numerator: str, denominator: str) -> pl.Expr:
    return pl.when(pl.col(denominator) > 0).then((pl.col(numerator) / pl.col(denominator)).round(9))
