"""Panels of a clinician's page that rest on the night's estimates: link, improvement and its bounds, appointments.

Belongs here: rows of the analysis tables as panels. Does not belong here: months (`panels`), the alliance's own course
(`alliance_course`) or clients (`clients`).
"""

from typing import Any

import polars as pl

from assets.contracts.analysis import ANSWER
from dashboards import course_words, rate_words, words
from dashboards.figures.link import link
from dashboards.views import panels, recalled
from dashboards.views.model import Panel, Table
from dashboards.views.progress import expected_verdict, rate_verdict
from dashboards.views.scales import score_span, step_words
from dashboards.views.service import Row, Service

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
        & (pl.col("method") == ANSWER)
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
    service: Service,
    row: Row | None,
    *,
    adjusted: Row | None,
    bands: dict[str, list[float]] | None,
    outcome: str,
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
    rows = [
        (
            "Reliably improved",
            words.percent(row["improved_rate"]),
            words.percent_between(row["low"], row["high"]),
            _FUNNEL[row["funnel_rule"]],
        )
    ]
    caption = f"Share of clients reliably improved on the {outcome}, against the bands that chance explains at this caseload; nobody else is drawn."
    said = expected_verdict(adjusted, flagged=service.flagged)
    if adjusted is not None and said.certainty != "too_few":
        reach = words.between(adjusted["low"], adjusted["high"])
        rows.append(("Points beyond clients alike", words.signed(adjusted["estimate"]), reach, said.tag))
        caption += (
            f" Against clients alike at the site: {words.signed(adjusted['estimate'])} points (95% range {reach}; "
            f"{words.certainty(adjusted['certainty']).lower()}), adjusted for {_adjusted(adjusted)}."
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
        is_detail=True,
        shown=True,
    )


def bounds_panel(service: Service, code: str) -> Panel | None:
    """What each rate could be if every missing answer went one way."""
    rows: list[tuple[Any, ...]] = []
    widest = 0.0
    for row in service.own("analysis.rate_bounds", code):
        parts = ("known_rate", "known_rate_low", "known_rate_high", "worst_case", "best_case", "low", "high")
        if (
            row["is_too_few"]
            or row["clients"] < service.settings.minimum_clients
            or any(row[name] is None for name in parts)
        ):
            continue
        widest = max(widest, row["best_case"] - row["worst_case"])
        name = course_words.BOUNDS[row["rate"]]
        rows.append(
            (
                name if row["instrument"] == "all" else f"{name} ({row['instrument']})",
                rate_words.of_counts(row["known"], row["clients"]),
                words.percent(row["known_rate"]),
                words.percent_between(row["known_rate_low"], row["known_rate_high"]),
                words.percent_between(row["worst_case"], row["best_case"]),
                words.percent_between(row["low"], row["high"]),
            )
        )
    if not rows:
        return None
    return Panel(
        key="bounds",
        title=f"Missing answers could move a rate by at most {widest * 100:.0f} points of 100",
        caption="Of ended courses: the rate among those whose answer is known with its 95% range; what it would be if none or all of the unknown had it; and a range "
        "that holds the true rate 95 times in 100 whatever the unknown are.",
        method="bounds",
        table=Table(
            columns=("Rate", "Known", "Among the known", "95% range", "If no unknown did, or all", "Whatever they are"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3, 4, 5}),
        ),
        is_detail=True,
        shown=True,
        wide=True,
    )


def _adjusted(row: Row) -> str:
    return words.listed([each.strip().replace("_", " ") for each in row["adjusted_for"].split(",")])
