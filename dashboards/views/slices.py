"""Fixed slices behind the overview's filters: the same rates for other periods, sites and programmes, suppressed beforehand.

Belongs here: which slices are offered, and what one holds. Does not belong here: what a rate counts (`assets.contracts`) or
which groups are withheld (`quality.published_slices`). A slice holds no code, no exact size and only whole per cents, and
a browser is never given anything that it must hide.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any, Final

import polars as pl

from assets.contracts.metrics import NO_INSTRUMENT, counting_select
from assets.contracts.rates import POPULATIONS, metric, of_population
from assets.estimates.rates import rates as published_rates
from assets.science.disclosure import rounded_count
from dashboards import rate_words, readings, thresholds, words
from dashboards.addresses import file_stem
from dashboards.figures.link import intervals
from dashboards.views.areas import Area
from dashboards.views.comparison import funnel_of
from dashboards.views.model import Filters, Panel, Table
from dashboards.views.rates import SHORT, shown_of
from dashboards.views.service import Row, Service

MONTHS: Final = (3, 6, 12, 24)
LEASTS: Final = (10, 20, 30, 50)
RATES: Final = (
    "improved", "recovered", "deteriorated", "recovery", "reliable_improvement", "planned_ending", "drop_out_judged",
    "drop_out_few_sessions", "drop_out_last_missed", "first_session_within_42_days", "did_not_attend", "cancelled_by_client",
    "cancelled_by_clinic", "alliance_recorded", "outcome_recorded",
)  # fmt: skip
COLUMNS: Final = ("Rate", "Measure", "Per cent", "95% range", "Out of about")
_KEYS: Final = ["metric", "scope", "scope_name", "instrument"]


@dataclass(frozen=True, kw_only=True)
class Slices:
    """Everything behind the filters.

    Attributes:
        files: What each slice holds, by its file under `slices/`.
        filters: What may be chosen.
        panels: The rates and the funnel of the first slice, which stand without script.
    """

    files: dict[str, dict[str, Any]]
    filters: Filters
    panels: tuple[Panel, ...]


def slices(service: Service, areas: tuple[Area, ...]) -> Slices | None:
    """Every slice that may be offered tonight; None where not even the service's own may be."""
    settings = service.settings
    offered = {(row["scope"], row["scope_name"], row["months"]) for row in _offered(service)}
    periods = sorted({*MONTHS, settings.period_months})
    told = _without_differences(_rates(service, periods), first=settings.period_months)
    files: dict[str, dict[str, Any]] = {}
    for area in areas:
        funnels = {each: funnel_of(service, area, each) for each in dict.fromkeys(outcome for _, outcome in area.pairs)}
        for months in periods:
            if (area.scope, area.name, months) in offered:
                rows = area.rows(told[months])
                files[_file(area, months)] = _held(service, area, months, rows) | {"funnels": funnels}
    first = _file(areas[0], settings.period_months)
    if service.is_withheld or first not in files:
        return None
    measures = [outcome for _, outcome in service.pairs]
    filters = Filters(
        periods=tuple((str(months), f"Last {months} months") for months in periods),
        places=tuple(
            (
                name,
                tuple(
                    (_place(area), _named(area))
                    for area in areas
                    if area.scope == scope and any(_file(area, each) in files for each in periods)
                ),
            )
            for scope, name in (("service", ""), ("site", "Sites"), ("programme", "Programmes"))
        ),
        measures=tuple(dict.fromkeys(measures)),
        leasts=tuple(str(each) for each in LEASTS if each >= settings.minimum_clients),
        chosen={"period": str(settings.period_months), "place": _place(areas[0])},
        files=tuple(sorted(files)),
    )
    return Slices(files=files, filters=filters, panels=_panels(files[first], measure=next(iter(measures), "")))


def _offered(service: Service) -> list[Row]:
    """Caseloads whose size the night shows as it is: neither withheld nor held at an earlier night's."""
    decided = service.tables["quality.published_slices"]
    is_caseload = (pl.col("population") == "booked") & pl.col("scope").is_in(["service", "site", "programme"])
    held = decided.filter(is_caseload & pl.col("has_held_figures")).select("scope", "scope_name")
    return (
        decided.filter(is_caseload & (pl.col("status") == "shown"))
        .join(held, on=["scope", "scope_name"], how="anti")
        .to_dicts()
    )


def _rates(service: Service, periods: Sequence[int]) -> dict[int, pl.DataFrame]:
    """Every rate counted over each period, by the declarations' own SELECTs, without small ones."""
    settings = service.settings
    wanted = [[each for each in of_population(population) if each.id in RATES] for population in POPULATIONS]
    made = {}
    for months in periods:
        run = readings.run_of(settings, months=months)
        counts = pl.concat([service.read(counting_select(each, run=run)) for each in wanted if each])
        figured = published_rates(counts, minimum_clients=settings.minimum_clients)
        made[months] = shown_of(figured, settings=settings)
    return made


def _without_differences(rates: dict[int, pl.DataFrame], *, first: int) -> dict[int, pl.DataFrame]:
    """Of two periods whose subtraction would tell of few, the one that matters less goes: the service's own stays, then the longer."""
    kept: dict[int, pl.DataFrame] = {}
    for months in sorted(rates, key=lambda each: (each != first, -each)):
        frame = rates[months]
        for other in kept.values():
            beside = other.select(*_KEYS, other_cases="cases", other_counted="denominator")
            apart = pl.max_horizontal(
                (pl.col("cases") - pl.col("other_cases")).abs(), (pl.col("denominator") - pl.col("other_counted")).abs()
            )
            near = frame.join(beside, on=_KEYS).filter((apart > 0) & (apart < thresholds.COUNTS_TO_NEAREST * 2))
            frame = frame.join(near.select(_KEYS), on=_KEYS, how="anti")
        kept[months] = frame
    return kept


def _held(service: Service, area: Area, months: int, rows: pl.DataFrame) -> dict[str, Any]:
    order = {name: place for place, name in enumerate(RATES)}
    found = sorted(rows.to_dicts(), key=lambda row: (order[row["metric"]], row["instrument"]))
    settings = service.settings
    return {
        "said": f"{_named(area)}, the {months} months to {words.day(settings.data_date)}",
        "rows": [
            [
                metric(row["metric"]).title,
                "" if row["instrument"] == NO_INSTRUMENT else row["instrument"],
                words.percent(row["rate"]),
                words.percent_between(row["low"], row["high"]),
                f"{rounded_count(row['denominator'], round_to=thresholds.COUNTS_TO_NEAREST):,}",
            ]
            for row in found
        ],
        "figures": {
            each: _drawn([row for row in found if row["instrument"] in {NO_INSTRUMENT, each}])
            for each in dict.fromkeys(outcome for _, outcome in service.pairs)
        },
    }


def _drawn(rows: list[Row]) -> dict[str, Any] | None:
    if not rows:
        return None
    return intervals(
        names=[SHORT.get(row["metric"]) or "<br>".join(wrap(metric(row["metric"]).title, width=16)) for row in rows],
        estimates=[round(row["rate"], 2) for row in rows],
        lows=[round(row["low"], 2) for row in rows],
        highs=[round(row["high"], 2) for row in rows],
        sure=[True] * len(rows),
        is_share=True,
    )


def _panels(held: dict[str, Any], *, measure: str) -> tuple[Panel, ...]:
    rows = [tuple(row) for row in held["rows"] if row[1] in {"", measure}]
    funnel = held["funnels"].get(measure)
    return (
        Panel(
            key="closer",
            title=f"Rates: {held['said']}",
            caption="Whole per cents with 95% ranges; sizes to the nearest five. What is missing here is small, or subtracting it from another slice would "
            "tell of few.",
            how="each mark is one rate with its 95% range.",
            method="closer",
            table=Table(columns=COLUMNS, rows=tuple(rows), numeric=frozenset({2, 3, 4})),
            figure=held["figures"].get(measure),
            empty=None if rows else "No rate may be told here.",
            is_detail=True,
        ),
        Panel(
            key="closer-funnel",
            title="Reliable improvement, one unnamed dot a clinician",
            caption=f"{rate_words.closer_words(measure)} Only clinicians with at least as many clients as chosen are "
            "drawn. Counted, not estimated: the bands say what chance explains.",
            how="inside the darker band chance explains the difference.",
            method="funnel",
            table=Table(columns=("Clients, about", "Reliably improved"), rows=_dots(funnel), numeric=frozenset({0, 1})),
            figure=funnel,
            empty=None if funnel else "Too few clinicians have enough finished courses of treatment.",
            is_detail=True,
        ),
    )


def _dots(figure: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    if figure is None:
        return ()
    dots = next(trace for trace in figure["data"] if trace["mode"] == "markers")
    return tuple((f"{x:.0f}", words.percent(y)) for x, y in zip(dots["x"], dots["y"], strict=True))


def _file(area: Area, months: int) -> str:
    return f"{_place(area)}-{months}.json"


def _place(area: Area) -> str:
    return f"{area.scope}-{file_stem(area.name)}"


def _named(area: Area) -> str:
    return {"service": "The whole service", "site": f"Site {area.name}", "programme": f"Programme {area.name}"}[
        area.scope
    ]
