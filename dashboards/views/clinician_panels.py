"""Panels of a clinician's page that rest on the night's estimates: link, improvement, appointments, parts of the alliance.

Belongs here: rows of the analysis tables as panels. Does not belong here: months (`panels`) or clients (`clients`).
"""

from typing import Any

import polars as pl

from dashboards import words
from dashboards.figures.link import link
from dashboards.views import panels, recalled
from dashboards.views.model import Panel, Table, Tag
from dashboards.views.progress import rate_verdict
from dashboards.views.service import Row, Service, score_span, step_words

_FUNNEL = {
    "within": "Chance could explain it",
    "outside_95": "Likely beyond chance",
    "outside_998": "Clearly beyond chance",
}


def link_panel(service: Service, row: Row | None, *, pair: tuple[str, str] | None) -> Panel:
    """Whether alliance goes with the next score for this clinician's clients."""
    step = step_words(pair[0]) if pair else "a tenth of the scale"
    columns = ("Whose", f"{pair[1] if pair else 'Outcome'} points for {step}", "95% range", "How sure")
    if (
        row is None
        or pair is None
        or row["certainty"] == "too_few"
        or None in (row["estimate"], row["low"], row["high"])
    ):
        return Panel(
            key="link",
            title=words.link_title(certainty="too_few", is_positive=True),
            caption="Progress at the next session against alliance.",
            method="link",
            table=Table(columns=columns, rows=()),
            empty="Too few sessions have an alliance score and a next outcome score.",
        )
    tenth = score_span(pair[0])[2] / 10
    rows = [
        (
            "This clinician\u2019s clients",
            words.slope(row["estimate"]),
            words.slope_between(row["low"], row["high"]),
            words.certainty(row["certainty"]),
        )
    ]
    level = service.tables["analysis.alliance_levels"].filter(
        (pl.col("scope") == "service")
        & (pl.col("level") == "within_client")
        & (pl.col("method") == "split_panel_jackknife")
        & (pl.col("alliance_instrument") == pair[0])
        & (pl.col("outcome_instrument") == pair[1])
        & pl.col("estimate").is_not_null()
    )
    rows += [
        (
            "The service",
            words.slope(each["estimate"]),
            words.slope_between(each["low"], each["high"]),
            words.certainty(each["certainty"]),
        )
        for each in level.iter_rows(named=True)
        if each["certainty"] != "too_few"
    ]
    return Panel(
        key="link",
        title=words.link_title(certainty=row["certainty"], is_positive=row["estimate"] > 0),
        caption=f"Up: improvement on the {pair[1]} at the next session. Across: {pair[0]} points above or below the client\u2019s own usual. Each client is compared with "
        f"themselves; the shading is the 95% range. A steadied estimate from {words.counted(row['clients'], 'client')}.",
        how="a line that rises to the right means that a better alliance goes with a better next score; shading that holds the flat line cannot tell.",
        method="link",
        table=Table(columns=columns, rows=tuple(rows), numeric=frozenset({1})),
        figure=link(
            estimate=row["estimate"] / tenth,
            low=row["low"] / tenth,
            high=row["high"] / tenth,
            service=None if row["service_estimate"] is None else row["service_estimate"] / tenth,
            reach=round(1.25 * tenth, 1),
        ),
    )


def improvement_panel(
    service: Service, row: Row | None, *, bands: dict[str, list[float]] | None, outcome: str
) -> Panel:
    """Reliable improvement inside the funnel's bands, with only this clinician's mark."""
    columns = ("Figure", "Here", "95% range", "How sure")
    if row is None or row["funnel_rule"] == "too_few" or row["improved_rate"] is None:
        return Panel(
            key="improvement",
            title=words.progress_title(rule="too_few", is_above=False, rate=None, count=0, low=None, high=None),
            caption="Share of clients reliably improved.",
            method="funnel",
            table=Table(columns=columns, rows=()),
            empty="Too few clients have finished with a first and a last score.",
        )
    expected = row["expected_difference"]
    rows = [
        (
            "Reliably improved",
            words.percent(row["improved_rate"]),
            words.percent_between(row["low"], row["high"]),
            _FUNNEL[row["funnel_rule"]],
        )
    ]
    caption = f"Share of clients reliably improved on the {outcome}, against the bands that chance explains at this caseload; nobody else is drawn."
    if expected is not None:
        rows.append(
            (
                "Points beyond expected",
                words.signed(expected),
                words.between(row["expected_difference_low"], row["expected_difference_high"]),
                words.certainty(row["certainty"]),
            )
        )
        caption += (
            f" Against clients of the same site with the same first score: {words.signed(expected)} points "
            f"(95% range {words.between(row['expected_difference_low'], row['expected_difference_high'])}; {words.certainty(row['certainty']).lower()})."
        )
    caption += recalled.note(service, [(outcome, recalled.RELIABLE_CHANGE)])
    return Panel(
        key="improvement",
        title=rate_verdict(row).title,
        caption=caption,
        how="the diamond is this clinician; inside the darker band chance explains the difference.",
        method="funnel",
        table=Table(columns=columns, rows=tuple(rows), numeric=frozenset({1})),
        figure=None
        if bands is None
        else panels.funnel_figure(
            bands,
            dots=(),
            own=(row["evaluable"], row["improved_rate"], f"This clinician {words.percent(row['improved_rate'])}"),
        ),
        empty="No bands: too few clinicians have finished courses of treatment." if bands is None else None,
    )


def appointments_panel(attendance: Row) -> Panel | None:
    """What became of appointments, the clinic's own cancellations apart."""
    total = attendance.get("appointments", 0)
    if not total:
        return None
    named = (
        ("Attended", "attended"),
        ("Missed without notice", "did_not_attend"),
        ("Called off by the client", "cancelled_by_client"),
        ("Called off by the clinic", "cancelled_by_clinic"),
    )
    rows = [(label, f"{attendance[name]:,}", words.percent(attendance[name] / total)) for label, name in named]
    rest = total - sum(attendance[name] for _, name in named)
    rows.append(("Came too late to be seen", f"{rest:,}", words.percent(rest / total)))
    return Panel(
        key="appointments",
        title=f"The clinic itself called off {words.percent(attendance['clinic_cancelled_rate'])} of appointments "
        f"(95% range {words.percent_between(attendance['clinic_cancelled_low'], attendance['clinic_cancelled_high'])})",
        caption=f"What became of {words.counted(total, 'appointment')} in the period: counted, not estimated. The clinic\u2019s own cancellations are no sign of clients\u2019 engagement.",
        method="attendance",
        table=Table(columns=("Outcome", "Appointments", "Share"), rows=tuple(rows), numeric=frozenset({1, 2})),
        shown=True,
    )


def parts_panel(level: Row | None, instrument: str) -> Panel | None:
    """Bond, goals and tasks, described."""
    parts = [("Bond", "bond_mean"), ("Goals", "goals_mean"), ("Tasks", "tasks_mean")]
    if level is None or level["certainty"] == "too_few" or all(level[name] is None for _, name in parts):
        return None
    rows: list[tuple[Any, ...]] = [
        (label, words.decimal(level[name]), Tag(words="Cannot tell"))
        for label, name in parts
        if level[name] is not None
    ]
    return Panel(
        key="parts",
        title="The alliance\u2019s parts: described, not compared",
        caption=f"Average {instrument} subscale scores of {words.counted(level['clients'], 'client')}. Whether they truly differ cannot be told from averages alone: "
        f"parts of one form rise and fall together. {words.percent(level['share_at_ceiling'])} of forms have the best score there is.",
        method="parts",
        table=Table(columns=("Part", "Average", "Do they differ?"), rows=tuple(rows), numeric=frozenset({1})),
        shown=True,
    )
