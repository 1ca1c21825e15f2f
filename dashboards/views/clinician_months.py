"""One clinician's months, which no table of the night holds: alliance, and shares of appointments and sessions.

Belongs here: counting months by clinician. Does not belong here: the months of the service, its sites and programmes
(`analysis.monthly_measures`) or the verdict on a series (`signals`).
"""

from collections.abc import Iterable, Mapping

import polars as pl

from dashboards import thresholds
from dashboards.page_settings import PageSettings
from dashboards.views.scales import score_span
from dashboards.views.signals import Signal, signals


def monthly_rate(
    months: pl.DataFrame,
    *,
    by: str | None,
    over: str,
    under: str,
    is_better_up: bool,
    smallest: float,
    settings: PageSettings,
    standard: str,
) -> dict[str, Signal]:
    """Verdicts on a share month by month, a series each value of `by`, or one called `all`."""
    name = pl.lit("all") if by is None else pl.col(by)
    cells = (
        months.with_columns(series=name)
        .group_by("series", "month")
        .agg(over=pl.col(over).sum(), count=pl.col(under).sum())
        .select(
            "series",
            "month",
            pl.when(pl.col("count") > 0).then(pl.col("over") / pl.col("count")).alias("value"),
            "count",
        )
    )
    return signals(
        cells,
        data_date=settings.data_date,
        minimum=settings.minimum_sessions,
        improvement="up" if is_better_up else "down",
        floor=0.0,
        ceiling=1.0,
        smallest=smallest,
        standard=settings.standards.get(standard),
    )


def monthly_alliance(
    ratings: pl.DataFrame, *, instrument: str, by: str | None, settings: PageSettings
) -> dict[str, Signal]:
    """Verdicts on the mean alliance score month by month, as clients rate it."""
    low, high, span = score_span(instrument)
    cells = (
        ratings.filter(
            (pl.col("kind") == "alliance")
            & (pl.col("instrument") == instrument)
            & (pl.col("rater") == "client")
            & pl.col("score").is_not_null()
        )
        .with_columns(
            series=pl.lit("all") if by is None else pl.col(by), month=pl.col("completed_on").dt.truncate("1mo")
        )
        .drop_nulls("series")
        .group_by("series", "month")
        .agg(value=pl.col("score").mean(), count=pl.coalesce("appointment_id", "rating_id").n_unique())
    )
    return signals(
        cells,
        data_date=settings.data_date,
        minimum=settings.minimum_sessions,
        improvement="up",
        floor=low,
        ceiling=high,
        smallest=thresholds.SMALLEST_ALLIANCE * span,
        standard=None,
    )


def alliance_by_clinician(
    ratings: pl.DataFrame, pair: Mapping[str, tuple[str, str]], shown: Iterable[str], *, settings: PageSettings
) -> dict[str, Signal]:
    """Verdicts on each shown clinician's alliance, on the measure that speaks for them."""
    of: dict[str, list[str]] = {}
    for code in shown:
        if code in pair:
            of.setdefault(pair[code][0], []).append(code)
    found: dict[str, Signal] = {}
    for instrument, codes in sorted(of.items()):
        some = ratings.filter(pl.col("clinician_id").is_in(codes))
        found |= monthly_alliance(some, instrument=instrument, by="clinician_id", settings=settings)
    return found
