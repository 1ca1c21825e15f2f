"""Published rates as panels: the national ones, change by measure with its method badge, drop-out side by side, attendance.

Belongs here: which rates stand together and what is withheld of them. Does not belong here: what a rate counts
(`assets.contracts.rates`), whose own words are the notes here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from assets.contracts.metrics import NO_INSTRUMENT, caption
from assets.contracts.rates import metric
from assets.estimates.rates import shown_rates as may_be_shown
from dashboards import rate_words, words
from dashboards.figures.link import intervals
from dashboards.page_settings import PageSettings
from dashboards.views.areas import Area
from dashboards.views.model import Cell, Panel, Table
from dashboards.views.service import Row, Service, disclosure_rule

OFFICIAL = (
    "recovery",
    "reliable_recovery",
    "reliable_improvement",
    "reliable_deterioration",
    "no_reliable_change",
    "finished_course",
)
DROP_OUT = (
    "drop_out_judged",
    "drop_out_few_sessions",
    "drop_out_last_missed",
    "drop_out_without_improvement",
    "planned_ending",
)
ATTENDANCE = (
    "did_not_attend",
    "late_not_seen",
    "cancelled_by_client",
    "cancelled_by_clinic",
    "missed_of_due",
    "attended_of_offered",
)
WAITS = ("first_session_within_42_days", "first_session_within_126_days")
CHANGES = ("improved", "recovered", "deteriorated", "unchanged")
COLUMNS = ("Rate", "Per cent", "95% range", "Counted", "Measured")
SHORT = {
    "drop_out_judged": "Clinician<br>judged",
    "drop_out_few_sessions": "Under three<br>sessions",
    "drop_out_last_missed": "Last one<br>missed",
    "drop_out_without_improvement": "Without<br>improvement",
}


def shown_rates(service: Service) -> pl.DataFrame:
    """`analysis.rates` without any row that is small, or that shown ones subtracted from the whole would give away."""
    return shown_of(service.tables["analysis.rates"], settings=service.settings)


def shown_of(rows: pl.DataFrame, *, settings: PageSettings) -> pl.DataFrame:
    """The same of rates counted over another period."""
    return may_be_shown(rows, rule=disclosure_rule(settings))


def rate_of(rates: pl.DataFrame, area: Area, name: str, instrument: str = NO_INSTRUMENT) -> Row | None:
    """One shown rate of an area, or None."""
    found = area.rows(rates).filter((pl.col("metric") == name) & (pl.col("instrument") == instrument))
    return found.row(0, named=True) if found.height else None


def rate_cells(row: Row | None, *, name: str) -> tuple[Cell, ...]:
    """A rate as a row: its name, per cent, range, counts and completeness."""
    head = metric(name).title
    if row is None:
        return (head, "Too few", "Too few", "Too few", "Too few")
    return (
        head,
        rate_words.published(row["published_percent"], is_too_few=row["is_too_few"]),
        words.percent_between(row["low"], row["high"]),
        rate_words.of_counts(row["numerator"], row["denominator"]),
        rate_words.measured(row["complete"], row["eligible"]),
    )


def definitions(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """What each rate counts, in its declaration's own words."""
    return tuple((metric(name).title, caption(metric(name))) for name in names)


def official_panel(rates: pl.DataFrame, area: Area, service: Service) -> Panel | None:
    """The national rates; None where no course could count."""
    if not any(_anyone(service, area, name) for name in OFFICIAL[:5]):
        return None
    said = _parts(rate_of(rates, area, "recovery"))
    return _panel(
        "talking-therapies",
        title=rate_words.official_title(**said),
        said=f"NHS Talking Therapies\u2019 rates over {_period(service)}, counted by {metric('recovery').population.day_words}. "
        "Ranges are 95%; counts are to the nearest five. Measured says how many had all four scores: the rest count as not recovered and not improved.",
        rows=[rate_cells(rate_of(rates, area, name), name=name) for name in OFFICIAL],
        names=OFFICIAL,
    )


def drop_out_panel(rates: pl.DataFrame, area: Area, service: Service) -> Panel:
    """Drop-out by four definitions, side by side, and planned endings."""
    found = {name: rate_of(rates, area, name) for name in DROP_OUT}
    four = {name: row for name, row in found.items() if name in SHORT and row is not None}
    shares = [row["rate"] for row in four.values()]
    return _panel(
        "drop-out",
        title=rate_words.drop_out_title(lowest=min(shares, default=None), highest=max(shares, default=None)),
        said=f"Episodes ended in {_period(service)}, by four definitions of drop-out with 95% ranges; open episodes count in none. "
        "Measured says of how many the question could be answered; counts are to the nearest five.",
        rows=[rate_cells(row, name=name) for name, row in found.items()],
        names=DROP_OUT,
        figure=intervals(
            names=[SHORT[name] for name in four],
            estimates=[row["rate"] for row in four.values()],
            lows=[row["low"] for row in four.values()],
            highs=[row["high"] for row in four.values()],
            sure=[True] * len(four),
            is_share=True,
        )
        if four
        else None,
    )


def attendance_panel(rates: pl.DataFrame, area: Area, service: Service) -> Panel:
    """What became of appointments; what the clinic called off apart."""
    return _panel(
        "attendance-rates",
        title=rate_words.attendance_title(**_parts(rate_of(rates, area, "did_not_attend"))),
        said=f"Appointments booked for a day in {_period(service)}. The clinic\u2019s own cancellations are its own reliability and "
        "say nothing of clients. Ranges are 95% and take appointments of one client as independent; counts are to the nearest five.",
        rows=[rate_cells(rate_of(rates, area, name), name=name)[:4] for name in ATTENDANCE],
        names=ATTENDANCE,
        columns=COLUMNS[:4],
    )


def _anyone(service: Service, area: Area, name: str) -> bool:
    rows = area.rows(service.tables["analysis.rates"]).filter(pl.col("metric") == name)
    return rows.height > 0 and int(rows["denominator"].sum()) > 0


def _parts(row: Row | None) -> dict[str, float | None]:
    if row is None:
        return {"percent": None, "low": None, "high": None}
    return {"percent": row["published_percent"], "low": row["low"], "high": row["high"]}


def _period(service: Service) -> str:
    settings = service.settings
    return f"the {settings.period_months} months to {words.day(settings.data_date)}"


def _panel(
    key: str,
    *,
    title: str,
    said: str,
    rows: Sequence[tuple[Cell, ...]],
    names: Sequence[str],
    columns: tuple[str, ...] = COLUMNS,
    figure: dict[str, Any] | None = None,
) -> Panel:
    return Panel(
        key=key,
        is_detail=key == "attendance-rates",
        title=title,
        caption=said,
        how="each mark is one definition\u2019s rate with its 95% range." if figure else "",
        definitions=definitions(names),
        method="rates",
        table=Table(columns=columns, rows=tuple(rows), numeric=frozenset({1, 2, 3})),
        figure=figure,
        shown=figure is None,
    )
