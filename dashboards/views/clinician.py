"""One clinician's page: their clients' alliance and progress, and nobody else's.

Belongs here: the page's cards, headline and panels. Client ids stand here and nowhere else, and only this clinician's.
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from assets.science.funnel import wilson_interval
from dashboards import words
from dashboards.figures.link import link
from dashboards.views import panels
from dashboards.views.clients import ClientFrames, courses_panel, dips_panel
from dashboards.views.model import Card, Headline, Page, Panel, Sure, Table, Tag
from dashboards.views.progress import progress_verdict
from dashboards.views.prompts import reasons
from dashboards.views.service import Row, Service, score_span

_FUNNEL = {
    "within": "Chance could explain it",
    "outside_95": "Likely beyond chance",
    "outside_998": "Clearly beyond chance",
}


def clinician_page(
    service: Service,
    code: str,
    *,
    clients: ClientFrames,
    bands: Mapping[str, dict[str, list[float]] | None],
    dips_of_service: tuple[int, int],
) -> Page:
    """Everything on one clinician's page.

    Args:
        service: The night.
        code: Whose page it is.
        clients: This clinician's own clients, and nobody else's.
        bands: The funnel's bands of each outcome measure.
        dips_of_service: Repaired dips and all settled dips of the service.
    """
    settings = service.settings
    who = service.row("clinicians", code) or {}
    if code in service.withheld:
        return Page(
            title=f"{code}: {settings.clinic}",
            heading=f"{code}: not shown",
            section="clinicians",
            about=f"Data to {words.day(settings.data_date)}.",
            facts=panels.facts(service, alliance=None, outcome=None)[:2],
            notice=f"Every figure is withheld: fewer than {settings.minimum_clients} clients had an appointment in the "
            f"{settings.period_months} months to {words.day(settings.data_date)}, or the page would give away someone who has fewer.",
        )
    attendance = service.row("clinician_attendance", code) or {}
    pair = service.pair.get(code)
    level = service.row("clinician_alliance", code, pair[0]) if pair else None
    progress = service.row("clinician_progress", code, pair[1]) if pair else None
    linked = service.row("alliance_link", code, " ".join(pair)) if pair else None
    dips = dips_panel(clients, instrument=pair[0] if pair else None)
    courses = courses_panel(clients, instrument=pair[1] if pair else None)
    site = f"{who['site']}. " if who.get("site") else ""
    return Page(
        title=f"{code}: {settings.clinic}",
        heading=f"{code}: alliance and client progress",
        about=f"{site}{words.counted(attendance.get('cases', 0), 'case')} in the {settings.period_months} months to "
        f"{words.day(settings.data_date)}, {words.counted(who.get('open_episodes', 0), 'course')} of treatment open now.",
        section="clinicians",
        facts=panels.facts(
            service, alliance=attendance.get("alliance_recorded"), outcome=attendance.get("outcome_recorded")
        ),
        is_alarming=panels.is_alarming(service),
        headline=_headline(
            service,
            code,
            linked=linked,
            level=level,
            progress=progress,
            dips=dips,
            courses=courses,
            attendance=attendance,
        ),
        cards=_cards(
            service,
            code,
            level=level,
            progress=progress,
            attendance=attendance,
            clients=clients,
            dips_of_service=dips_of_service,
        ),
        panels=tuple(
            each
            for each in (
                panels.control_panel(
                    service.alliance.get(code),
                    key="alliance",
                    subject="alliance",
                    is_share=False,
                    unit="Sessions",
                    method="signal",
                    caption=f"Monthly average of clients\u2019 {pair[0]} ratings, {_scale(pair[0])}; higher is better. The usual range comes from the first 12 "
                    "months shown; triangles are signs beyond ordinary variation."
                    if pair
                    else "Clients\u2019 ratings by month.",
                ),
                _link(service, linked, pair=pair),
                dips,
                courses,
                _improvement(
                    service, progress, bands=bands.get(pair[1]) if pair else None, outcome=pair[1] if pair else ""
                ),
                panels.control_panel(
                    service.missed.get(code),
                    key="missed",
                    subject="missed appointments",
                    is_share=True,
                    unit="Appointments",
                    method="attendance",
                    caption="Appointments missed without notice, as a share of all booked, by month; lower is better.",
                ),
                _appointments(attendance),
                _parts(level, pair[0] if pair else ""),
                panels.control_panel(
                    service.recorded.get(code),
                    key="recorded",
                    subject="sessions with an alliance score",
                    is_share=True,
                    unit="Sessions",
                    method="recording",
                    caption=words.recording_sentence(
                        attendance.get("alliance_recorded"),
                        settings.standards.get("alliance_recorded"),
                        what="an alliance score",
                    )
                    + " By month; higher is better.",
                ),
            )
            if each is not None
        ),
        explains=("alliance", "compared", "reliable", "dip", "steadied", "signal", "withheld", "certainty"),
    )


def _headline(
    service: Service,
    code: str,
    *,
    linked: Row | None,
    level: Row | None,
    progress: Row | None,
    dips: Panel,
    courses: Panel,
    attendance: Row,
) -> Headline:
    settings = service.settings
    found = reasons(service, code)
    signal = service.alliance.get(code)
    changed = (
        found[0].why
        if found
        else "No sign of change: alliance, missed appointments and improvement are within what chance explains."
    )
    if found and signal is not None and signal.tone != "ordinary":
        changed = panels.title(signal, subject="alliance") + "."
    because = "Too few ratings to say what that means for progress."
    if linked is not None and linked["certainty"] != "too_few" and linked["estimate"] is not None:
        title = words.link_title(certainty=linked["certainty"], is_positive=linked["estimate"] > 0)
        because = (
            f"{title}: {words.slope(linked['estimate'])} outcome points for each alliance point "
            f"(95% range {words.slope_between(linked['low'], linked['high'])}; service {words.slope(linked['service_estimate'])})."
        )
    to_do = []
    waiting = [each.client for each in dips.strips if each.tone == "worse"]
    if waiting:
        to_do.append(
            f"Ask about the alliance with {words.counted(len(waiting), 'client')} whose dip is not repaired: {words.listed(waiting[:5])}{' and more' if len(waiting) > 5 else ''}."
        )
    behind = [each.client for each in courses.trajectories if each.tone == "worse"]
    if behind:
        to_do.append(
            f"Review {words.counted(len(behind), 'open client')} reliably worse than at the start: {words.listed(behind[:5])}{' and more' if len(behind) > 5 else ''}."
        )
    standard, share = settings.standards.get("alliance_recorded"), attendance.get("alliance_recorded")
    if standard is not None and share is not None and share < standard:
        to_do.append(
            f"Collect more alliance ratings: {words.recording_sentence(share, standard, what='an alliance score')}"
        )
    if any(each.is_to_learn for each in found):
        to_do.append("Ask what has gone well, and whether others could learn from it.")
    if not to_do:
        to_do.append("Nothing calls for a conversation this month.")
    sure = []
    if linked is not None and linked["certainty"] != "too_few":
        is_positive = (linked["estimate"] or 0) > 0
        sure.append(
            Sure(word=linked["certainty"], finding=words.link_finding(linked["certainty"], is_positive=is_positive))
        )
        # The night holds false discoveries among all clinicians at 5%; without that mark nobody stands apart.
        if linked["probability_above_service"] is not None:
            apart = "clear" if linked["is_different"] else "cannot_tell"
            is_stronger = linked["probability_above_service"] > 0.5
            sure.append(Sure(word=apart, finding=words.apart_finding(apart, is_stronger=is_stronger)))
    if signal is not None:
        sure.append(
            Sure(word=signal.certainty, finding=words.change_finding(signal.certainty, direction=signal.direction))
        )
    if level is not None and level["shrunken_mean"] is not None:
        side = "higher" if level["shrunken_mean"] > level["service_mean"] else "lower"
        sure.append(Sure(word=level["certainty"], finding=words.level_finding(level["certainty"], side=side)))
    if progress is not None and progress["expected_difference"] is not None:
        side = "ahead of" if progress["expected_difference"] > 0 else "behind"
        sure.append(Sure(word=progress["certainty"], finding=words.expected_finding(progress["certainty"], side=side)))
    if not sure:
        sure.append(
            Sure(word="too_few", finding="There are too few ratings to say anything about alliance or progress.")
        )
    return Headline(changed=changed, because=because, to_do=tuple(to_do), sure=tuple(sure))


def _cards(
    service: Service,
    code: str,
    *,
    level: Row | None,
    progress: Row | None,
    attendance: Row,
    clients: ClientFrames,
    dips_of_service: tuple[int, int],
) -> tuple[Card, ...]:
    signal, missed = service.alliance.get(code), service.missed.get(code)
    standards = service.settings.standards
    few = Tag(words="Too few to say")
    cards = []
    month = (
        words.month(signal.latest_month)
        if signal is not None and signal.latest_month is not None
        else "no month with enough"
    )
    cards.append(
        Card(
            label=f"Alliance, {month}",
            figure=panels.value_words(signal.latest if signal else None, is_share=False),
            beside=f"of {score_span(level['instrument'])[1]:.0f}"
            if level and score_span(level["instrument"])[1] is not None
            else "",
            note=f"Usual {panels.usual_words(signal, is_share=False)}"
            if signal and signal.centre is not None
            else "Too few months for a usual range",
            tag=panels.tag(signal) if signal else few,
        )
    )
    if progress is None or progress["funnel_rule"] == "too_few" or progress["improved_rate"] is None:
        cards.append(
            Card(label="Reliably improved", figure="Too few", beside="", note="finished courses of treatment", tag=few)
        )
    else:
        said = progress_verdict(progress)
        cards.append(
            Card(
                label="Reliably improved",
                figure=words.percent(progress["improved_rate"], beside=progress["service_rate"]),
                beside=f"of {progress['evaluable']}",
                note=f"95% range {words.percent_between(progress['low'], progress['high'])}; service {words.percent(progress['service_rate'])}",
                tag=Tag(words=said.tag, tone=said.tone),
            )
        )
    settled = clients.ruptures.filter(pl.col("state").is_in(["repaired", "unrepaired"]))
    repaired = int((settled["state"] == "repaired").sum())
    if settled.height < service.settings.minimum_sessions:
        cards.append(
            Card(label="Dips repaired", figure="Too few", beside="", note="alliance dips to give a share", tag=few)
        )
    else:
        low, high = (float(each[0]) for each in wilson_interval([repaired], [settled.height], confidence=0.95))
        share = dips_of_service[0] / dips_of_service[1] if dips_of_service[1] else None
        is_inside = share is None or low <= share <= high
        cards.append(
            Card(
                label="Dips repaired",
                figure=words.percent(repaired / settled.height),
                beside=f"of {settled.height}",
                note=f"95% range {words.percent_between(low, high)}; service {words.percent(share)}",
                tag=Tag(
                    words="Chance could explain it" if is_inside else "Likely beyond chance",
                    tone="ordinary"
                    if is_inside or share is None
                    else "better"
                    if repaired / settled.height > share
                    else "worse",
                ),
            )
        )
    cards.append(
        Card(
            label="Missed without notice",
            figure=words.percent(attendance["did_not_attend_rate"], beside=standards.get("did_not_attend_rate")),
            beside=f"of {attendance['appointments']:,}",
            note=f"95% range {words.percent_between(attendance['low'], attendance['high'])}",
            tag=panels.tag(missed) if missed else few,
        )
        if attendance.get("appointments", 0) >= service.settings.minimum_sessions
        and attendance["did_not_attend_rate"] is not None
        else Card(
            label="Missed without notice", figure="Too few", beside="", note="appointments in the period", tag=few
        )
    )
    share, standard = attendance.get("alliance_recorded"), standards.get("alliance_recorded")
    if share is None or attendance["sessions"] < service.settings.minimum_sessions:
        cards.append(
            Card(
                label="Sessions with alliance score",
                figure="Too few",
                beside="",
                note="sessions in the period",
                tag=few,
            )
        )
    else:
        met = standard is None or share >= standard
        cards.append(
            Card(
                label="Sessions with alliance score",
                figure=words.percent(share, beside=standard),
                beside=f"of {attendance['sessions']:,}",
                note="No standard set"
                if standard is None
                else f"Standard {words.percent(standard)}; counted, not estimated",
                tag=Tag(
                    words="Recorded" if standard is None else "At or above standard" if met else "Below standard",
                    tone="ordinary" if standard is None else "better" if met else "worse",
                ),
            )
        )
    return tuple(cards)


def _link(service: Service, row: Row | None, *, pair: tuple[str, str] | None) -> Panel:
    columns = ("Whose", "Points per point", "95% range", "How sure")
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
    span = score_span(pair[0])[2]
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
    for each in level.iter_rows(named=True):
        if each["certainty"] != "too_few":
            rows.append(
                (
                    "The service",
                    words.slope(each["estimate"]),
                    words.slope_between(each["low"], each["high"]),
                    words.certainty(each["certainty"]),
                )
            )
    return Panel(
        key="link",
        title=words.link_title(certainty=row["certainty"], is_positive=row["estimate"] > 0),
        caption=f"Up: improvement on the {pair[1]} at the next session. Across: {pair[0]} points above or below the client\u2019s own usual. Each client is compared with "
        f"themselves; the shading is the 95% range. A steadied estimate from {words.counted(row['clients'], 'client')}.",
        method="link",
        table=Table(columns=columns, rows=tuple(rows), numeric=frozenset({1})),
        figure=link(
            estimate=row["estimate"],
            low=row["low"],
            high=row["high"],
            service=row["service_estimate"],
            reach=round(span / 8, 1),
        ),
    )


def _improvement(service: Service, row: Row | None, *, bands: dict[str, list[float]] | None, outcome: str) -> Panel:
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
    return Panel(
        key="improvement",
        title=progress_verdict(row).title,
        caption=caption,
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


def _appointments(attendance: Row) -> Panel | None:
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


def _parts(level: Row | None, instrument: str) -> Panel | None:
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


def _scale(instrument: str) -> str:
    low, high, _ = score_span(instrument)
    return "in points" if low is None or high is None else f"{low:.0f} to {high:.0f}"
