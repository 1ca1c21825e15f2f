"""The service's answer: does the alliance go with progress, at which level, and how sure; and how long people waited.

Belongs here: figures of the service as a whole that the night estimated or counted.
"""

from typing import Any

import polars as pl

from assets.science.disclosure import suppressed_cells
from dashboards import words
from dashboards.figures.link import intervals
from dashboards.views.model import Cell, Panel, Table, Tag
from dashboards.views.service import Service, disclosure_rule, step_words


def level_rows(service: Service) -> list[dict[str, Any]]:
    """The service's levels, measures in the order of the configuration."""
    frame = service.tables["analysis.alliance_levels"].filter(
        (pl.col("method") == "split_panel_jackknife") & (pl.col("scope") == "service")
    )
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
    return words.level_sentence(
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


def levels_panel(service: Service) -> Panel:
    """Does alliance go with progress here? Three levels, each with its range."""
    found = level_rows(service)
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
    main = service.pairs[0] if service.pairs else None
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
    title = words.service_link_title(
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


def waits_panel(service: Service) -> Panel:
    """How long people waited, by site."""
    settings = service.settings
    start = pl.lit(settings.data_date).dt.offset_by(f"-{settings.period_months}mo")
    seen = service.tables["marts.episodes"].filter(
        pl.col("wait_days").is_not_null() & (pl.col("wait_days") >= 0) & (pl.col("first_session_on") > start)
    )
    sites = seen.with_columns(pl.col("site").fill_null("not recorded"))
    counts = dict(sites.group_by("site").agg(pl.col("case_id").n_unique()).sort("site").iter_rows())
    hidden = suppressed_cells(counts, rule=disclosure_rule(settings), is_total_shown=True, clinicians=None)
    rows: list[tuple[Cell, ...]] = []
    groups = [("All sites", seen)] + [
        (site, sites.filter(pl.col("site") == site)) for site in counts if len(counts) > 1
    ]
    for name, frame in groups:
        if frame["case_id"].n_unique() < settings.minimum_clients or (name in hidden and name != "All sites"):
            rows.append((name, "Too few", "Too few", "Too few", "Too few"))
            continue
        parts = [frame["wait_days"].quantile(q, interpolation="linear") for q in (0.25, 0.5, 0.75, 0.9)]
        rows.append(
            (
                name,
                f"{frame.height:,}",
                f"{parts[1]:.0f} days",
                f"{parts[0]:.0f} to {parts[2]:.0f} days",
                f"{parts[3]:.0f} days",
            )
        )
    return Panel(
        key="waits",
        title="How long people waited from referral to a first session",
        caption=f"Everyone first seen in the {settings.period_months} months to {words.day(settings.data_date)}: counted, not estimated. Half waited "
        "no longer than the middle wait.",
        method="waits",
        table=Table(
            columns=("Site", "First seen", "Middle wait", "Middle half", "Nine in ten within"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3, 4}),
        ),
        shown=True,
    )
