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
    over: str,
    under: str,
    is_better_up: bool,
    smallest: float,
    settings: PageSettings,
    standard: str,
) -> dict[str, Signal]:
    """Verdicts on a share month by month, by clinician."""
    counted = pl.col(under)
    cells = months.select(
        "month",
        series="clinician_id",
        value=pl.when(counted > 0).then(pl.col(over) / counted),
        count=counted,
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


def alliance_by_clinician(
    months: pl.DataFrame, pair: Mapping[str, tuple[str, str]], shown: Iterable[str], *, settings: PageSettings
) -> dict[str, Signal]:
    """Verdicts on each shown clinician's mean alliance score, on the measure that speaks for them.

    Args:
        months: `readings.ALLIANCE_MONTHS`.
        pair: Each clinician's alliance and outcome measure.
        shown: Whose months are told.
        settings: The build's.
    """
    of: dict[str, list[str]] = {}
    for code in shown:
        if code in pair:
            of.setdefault(pair[code][0], []).append(code)
    found: dict[str, Signal] = {}
    for instrument, codes in sorted(of.items()):
        low, high, span = score_span(instrument)
        some = months.filter((pl.col("instrument") == instrument) & pl.col("clinician_id").is_in(codes))
        found |= signals(
            some.select("month", series="clinician_id", value="mean_score", count="occasions"),
            data_date=settings.data_date,
            minimum=settings.minimum_sessions,
            improvement="up",
            floor=low,
            ceiling=high,
            smallest=thresholds.SMALLEST_ALLIANCE * span,
            standard=None,
        )
    return found
