"""The service's answer: does the alliance go with progress, at which level, and how sure; and how long people waited.

Belongs here: figures of the service as a whole that the night estimated or counted.
"""

from typing import Any

import polars as pl

from assets.contracts.analysis import ANSWER
from assets.contracts.rates import metric
from assets.science.disclosure import suppressed_cells
from dashboards import finding_words, rate_words, readings, words
from dashboards.figures.link import intervals
from dashboards.views.areas import Area
from dashboards.views.model import Cell, Panel, Table, Tag
from dashboards.views.rates import WAITS, definitions, rate_of
from dashboards.views.scales import step_words
from dashboards.views.service import Service, disclosure_rule
from dashboards.views.sizes import told


def level_rows(service: Service, area: Area) -> list[dict[str, Any]]:
    """An area's levels, measures in the order of the configuration."""
    frame = area.rows(service.tables["analysis.alliance_levels"]).filter(pl.col("method") == ANSWER)
    configured = {each: place for place, each in enumerate(service.settings.measures)}
    order = ["within_client", "between_client", "between_clinician"]
    return sorted(
        frame.iter_rows(named=True),
        key=lambda row: (
            configured.get((row["alliance_instrument"], row["outcome_instrument"]), len(configured)),
            order.index(row["level"]),
        ),
    )


def _level_words(row: dict[str, Any]) -> str:
    return finding_words.level_sentence(
        level=row["level"],
        certainty=row["certainty"],
        estimate=row["estimate"] or 0.0,
        alliance=row["alliance_instrument"],
        outcome=row["outcome_instrument"],
    )


def within_words(row: dict[str, Any]) -> str:
    """The within-client level with its figure and range."""
    said = _level_words(row).removesuffix(".")
    if row["certainty"] == "too_few" or row["estimate"] is None:
        return f"{said}."
    return f"{said}: {words.slope(row['estimate'])} points for {step_words(row['alliance_instrument'])} (95% range {words.slope_between(row['low'], row['high'])})."


def answer_words(service: Service, area: Area) -> str:
    """Whether alliance goes with progress within clients of the area's main measures, and how sure, in a line."""
    if not area.pairs or service.is_withheld:
        return finding_words.answer_in_short("", certainty="too_few", is_positive=False)
    alliance, outcome = area.pairs[0]
    main = {"alliance_instrument": alliance, "outcome_instrument": outcome, "level": "within_client"}
    row = next((each for each in level_rows(service, area) if main.items() <= each.items()), None)
    is_few = row is None or row["estimate"] is None or int(row["clients"]) < service.settings.minimum_clients
    return finding_words.answer_in_short(
        f"{alliance} with {outcome}",
        certainty="too_few" if row is None or is_few else str(row["certainty"]),
        is_positive=row is not None and (row["estimate"] or 0) > 0,
    )


def levels_panel(service: Service, area: Area) -> Panel:
    """Does alliance go with progress here? Three levels, each with its range."""
    found = level_rows(service, area)
    rows: list[tuple[Cell, ...]] = []
    drawn = []
    for row in found:
        is_few = (
            row["certainty"] == "too_few"
            or row["estimate"] is None
            or int(row["clients"]) < service.settings.minimum_clients
        )
        pair = f"{row['alliance_instrument']} with {row['outcome_instrument']}"
        rows.append(
            (
                pair,
                words.LEVELS[str(row["level"])],
                "Too few" if is_few else words.slope(row["estimate"]),
                "Too few" if is_few else words.slope_between(row["low"], row["high"]),
                Tag(words=words.certainty("too_few" if is_few else str(row["certainty"]))),
                "" if is_few and row["estimate"] is not None else _level_words(row),
            )
        )
        if not is_few and row["low"] is not None and row["high"] is not None:
            drawn.append((pair, row))
    main = area.pairs[0] if area.pairs else None
    first = [row for _, row in drawn if main and (row["alliance_instrument"], row["outcome_instrument"]) == main]
    within = next(
        (
            row
            for row in found
            if main
            and (row["alliance_instrument"], row["outcome_instrument"]) == main
            and row["level"] == "within_client"
        ),
        None,
    )
    title = finding_words.service_link_title(
        f"{main[0]} with {main[1]}" if main else "",
        certainty="too_few" if within is None else str(within["certainty"]),
        is_positive=within is not None and (within["estimate"] or 0) > 0,
    )
    short = {
        "within_client": "Within<br>a client",
        "between_client": "Between<br>clients",
        "between_clinician": "Between<br>clinicians",
    }
    low_high = ""
    if main:
        low_high = f" A tenth of the scale is {step_words(main[0])}."
    return Panel(
        key="levels",
        title=title,
        caption="Improvement of the next outcome score for a tenth of the alliance scale, its three levels kept apart, with 95% ranges; right is "
        f"better.{f' Drawn: {main[0]} with {main[1]}.' if main else ''}{low_high} Only the first compares clients with themselves.",
        how="right of the line, a better alliance goes with a better next score; a range across the line cannot tell.",
        method="levels",
        table=Table(
            columns=("Measures", "Level", "Outcome points", "95% range", "How sure", "In words"),
            rows=tuple(rows),
            numeric=frozenset({2}),
        ),
        figure=intervals(
            names=[short[row["level"]] for row in first],
            estimates=[row["estimate"] for row in first],
            lows=[row["low"] for row in first],
            highs=[row["high"] for row in first],
            sure=[row["certainty"] in {"clear", "likely"} for row in first],
        )
        if first
        else None,
        empty=None if first else "Too few ratings for an answer.",
    )


def waits_panel(service: Service, area: Area, rates: pl.DataFrame) -> Panel:
    """How long people waited: within six and eighteen weeks by the national rule, and the middle waits by site."""
    settings = service.settings
    seen = service.read(readings.first_seen(settings))
    if area.scope != "service":
        seen = seen.filter(pl.col(area.scope) == area.name)
    sites = seen.with_columns(pl.col("site").fill_null("not recorded"))
    counts = dict(sites.group_by("site").agg(pl.col("case_id").n_unique()).sort("site").iter_rows())
    hidden = suppressed_cells(counts, rule=disclosure_rule(settings), is_total_shown=True, clinicians=None)
    rows: list[tuple[Cell, ...]] = []
    groups = [("All", seen)]
    if area.scope == "service" and len(counts) > 1:
        groups += [(site, sites.filter(pl.col("site") == site)) for site in counts]
    for name, frame in groups:
        if frame["case_id"].n_unique() < settings.minimum_clients or (name in hidden and name != "All"):
            rows.append((name, "Too few", "Too few", "Too few", "Too few"))
            continue
        parts = [frame["wait_days"].quantile(q, interpolation="linear") for q in (0.25, 0.5, 0.75, 0.9)]
        rows.append(
            (
                name,
                f"{told(service, frame['case_id'].n_unique(), population='first_seen', scope=area.scope if name == 'All' else 'site', name=area.name if name == 'All' else name, months=settings.period_months):,}",
                f"{parts[1]:.0f} days",
                f"{parts[0]:.0f} to {parts[2]:.0f} days",
                f"{parts[3]:.0f} days",
            )
        )
    within = [(name, rate_of(rates, area, name)) for name in WAITS]
    first = within[0][1]
    national = "; ".join(
        f"{metric(name).title[:1].lower()}{metric(name).title[1:]} {rate_words.in_short(row)}" for name, row in within
    )
    return Panel(
        key="waits",
        title=rate_words.waits_title(
            percent=first["published_percent"] if first else None,
            low=first["low"] if first else None,
            high=first["high"] if first else None,
        ),
        caption=f"Everyone first seen in the {settings.period_months} months to {words.day(settings.data_date)}: counted, not estimated. Half waited "
        f"no longer than the middle wait. Of finished courses, by the national rule: {national}.",
        definitions=definitions(WAITS),
        method="waits",
        table=Table(
            columns=("Who", "First seen", "Middle wait", "Middle half", "Nine in ten within"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3, 4}),
        ),
        shown=True,
    )
