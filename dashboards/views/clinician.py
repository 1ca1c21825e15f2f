"""One clinician's page: their clients' alliance and progress, and nobody else's.

Belongs here: the page's headline and the order of its panels. Client ids stand on it, and only this clinician's.
"""

from collections.abc import Mapping, Sequence

from dashboards import finding_words, words
from dashboards.views import panels
from dashboards.views.alliance_course import growth_panel, parts_panel, split_panel
from dashboards.views.client import clients_panel, page_links
from dashboards.views.client_panels import with_pages
from dashboards.views.client_rows import ClientRows
from dashboards.views.clients import Caseload, dips_panel
from dashboards.views.clinician_panels import appointments_panel, bounds_panel, improvement_panel, link_panel
from dashboards.views.courses import courses_panel
from dashboards.views.holding_back import timelines_panel
from dashboards.views.key_figures import key_figures
from dashboards.views.milestones import milestones_panel
from dashboards.views.model import Group, Headline, Page, Panel, Sure
from dashboards.views.progress import expected_verdict
from dashboards.views.prompts import Prompt
from dashboards.views.recording import is_the_sites_matter
from dashboards.views.scales import score_span, step_words
from dashboards.views.service import Row, Service
from dashboards.views.signals import Signal
from dashboards.views.staying import staying_panel


def clinician_page(
    service: Service,
    code: str,
    *,
    clients: Caseload,
    open_clients: Sequence[ClientRows],
    bands: Mapping[str, dict[str, list[float]] | None],
    dips_of_service: tuple[int, int],
    found: tuple[Prompt, ...],
) -> Page:
    """Everything on one clinician's page.

    Args:
        service: The night.
        code: Whose page it is.
        clients: This clinician's own clients, and nobody else's.
        open_clients: Those of them who have a page of their own.
        bands: The funnel's bands of each outcome measure.
        dips_of_service: Repaired dips and all settled dips of the service.
        found: This clinician's reasons for a conversation, the surest first.
    """
    settings = service.settings
    who = service.row("clinicians", code) or {}
    attendance = service.row("clinician_attendance", code) or {}
    pair = service.pair.get(code)
    level = service.row("clinician_alliance", code, pair[0]) if pair else None
    adjusted = service.row("clinician_adjusted_progress", code, pair[1]) if pair else None
    linked = service.row("alliance_link", code, " ".join(pair)) if pair else None
    dips = dips_panel(clients, instrument=pair[0] if pair else None)
    courses = courses_panel(service, clients, instrument=pair[1] if pair else None)
    pages = page_links(open_clients)
    site = f"{who['site']}. " if who.get("site") else ""
    return Page(
        title=f"{code}: {settings.clinic}",
        who=code,
        heading="alliance and client progress",
        about=f"{site}{words.counted(attendance.get('cases', 0), 'case')} in the {settings.period_months} months to "
        f"{words.day(settings.data_date)}, {words.counted(who.get('open_episodes', 0), 'course')} of treatment open now.",
        section="clinicians",
        facts=panels.facts(
            service, alliance=attendance.get("alliance_recorded"), outcome=attendance.get("outcome_recorded")
        ),
        is_alarming=service.is_alarming,
        headline=_headline(
            service,
            code,
            linked=linked,
            level=level,
            adjusted=adjusted,
            dips=dips,
            courses=courses,
            attendance=attendance,
            found=found,
        ),
        cards=key_figures(
            service,
            code,
            level=level,
            progress=service.row("clinician_progress", code, pair[1]) if pair else None,
            adjusted=adjusted,
            attendance=attendance,
            clients=clients,
            dips_of_service=dips_of_service,
        ),
        panels=tuple(
            with_pages(each, pages)
            for each in panels.beside_each_other(
                _evidence(service, code, clients=clients, bands=bands, dips=dips, courses=courses)
            )
        ),
        groups=_groups(service, code, open_clients=open_clients),
        explains=("alliance", "compared", "reliable", "dip", "steadied", "signal", "withheld", "certainty"),
    )


def _evidence(
    service: Service,
    code: str,
    *,
    clients: Caseload,
    bands: Mapping[str, dict[str, list[float]] | None],
    dips: Panel,
    courses: Panel,
) -> list[Panel | None]:
    """What a clinician looks at first: the alliance, clients one by one, progress, milestones."""
    pair = service.pair.get(code)
    alliance, outcome = pair or (None, None)
    scale = f"ratings, {_scale(alliance)}" if alliance else "ratings"
    return [
        panels.control_panel(
            service.alliance.get(code),
            key="alliance",
            subject="alliance",
            is_share=False,
            unit="Sessions",
            method="signal",
            caption=f"Monthly average of clients\u2019 {alliance or 'alliance'} {scale}; higher is better. The usual range comes from the first "
            "12 months shown; triangles are signs beyond ordinary variation.",
        ),
        growth_panel(service, code, alliance),
        link_panel(service, service.row("alliance_link", code, " ".join(pair)) if pair else None, pair=pair),
        parts_panel(service, code, alliance),
        split_panel(service, code, alliance),
        dips,
        courses,
        timelines_panel(clients.timelines),
        improvement_panel(
            service,
            service.row("clinician_progress", code, outcome) if outcome else None,
            adjusted=service.row("clinician_adjusted_progress", code, outcome) if outcome else None,
            bands=bands.get(outcome) if outcome else None,
            outcome=outcome or "",
        ),
        milestones_panel(service, clients),
    ]


def _groups(service: Service, code: str, *, open_clients: Sequence[ClientRows]) -> tuple[Group, ...]:
    """What stands behind: who stayed, appointments and forms; every open client; what missing answers could change."""
    attendance = service.row("clinician_attendance", code) or {}
    recording = words.recording_sentence(
        attendance.get("alliance_recorded"),
        service.settings.standards.get("alliance_recorded"),
        what="an alliance score",
    )
    return (
        *panels.group(
            "attending",
            "Staying, appointments and forms",
            [
                staying_panel(service, scope="clinician", name=code),
                appointments_panel(attendance),
                panels.control_panel(
                    service.missed.get(code),
                    key="missed",
                    subject="missed appointments",
                    is_share=True,
                    unit="Appointments",
                    method="attendance",
                    caption="Appointments missed without notice, as a share of all booked, by month; lower is better.",
                ),
                panels.control_panel(
                    service.recorded.get(code),
                    key="recorded",
                    subject="sessions with an alliance score",
                    is_share=True,
                    unit="Sessions",
                    method="recording",
                    caption=f"{recording} By month; higher is better.",
                    is_detail=True,
                ),
            ],
            is_open=False,
        ),
        *panels.group("open-clients", "Open clients", [clients_panel(open_clients)], is_open=False),
        *panels.group("missing-answers", "Missing answers", [bounds_panel(service, code)], is_open=False),
    )


def withheld_page(service: Service, code: str) -> Page:
    """The page of a clinician of whom nothing is shown."""
    settings = service.settings
    return Page(
        title=f"{code}: {settings.clinic}",
        who=code,
        heading="not shown",
        section="clinicians",
        about=f"Data to {words.day(settings.data_date)}.",
        facts=panels.facts(service, alliance=None, outcome=None)[:2],
        notice=f"Every figure is withheld: fewer than {settings.minimum_clients} clients had an appointment in the "
        f"{settings.period_months} months to {words.day(settings.data_date)}, or the page would give away someone who has fewer.",
    )


def _headline(
    service: Service,
    code: str,
    *,
    linked: Row | None,
    level: Row | None,
    adjusted: Row | None,
    dips: Panel,
    courses: Panel,
    attendance: Row,
    found: tuple[Prompt, ...],
) -> Headline:
    signal = service.alliance.get(code)
    changed = "No sign of change: alliance, missed appointments and improvement are within what chance explains."
    if found:
        first = found[0]
        changed = first.why if first.stands else finding_words.lost_among(first.why, looked_at=len(service.shown))
    because = "Too few ratings to say what that means for progress."
    if linked is not None and linked["certainty"] != "too_few" and linked["estimate"] is not None:
        title = words.link_title(certainty=linked["certainty"], is_positive=linked["estimate"] > 0)
        because = (
            f"{title}: {words.slope(linked['estimate'])} outcome points for {step_words(linked['alliance_instrument'])} "
            f"(95% range {words.slope_between(linked['low'], linked['high'])}; service {words.slope(linked['service_estimate'])})."
        )
    to_do = _to_do(
        service,
        dips=dips,
        courses=courses,
        attendance=attendance,
        is_to_learn=any(each.is_to_learn and each.stands for each in found),
        adjusted=adjusted,
    )
    sure = _sure(service, linked=linked, level=level, adjusted=adjusted, signal=signal)
    return Headline(changed=changed, because=because, to_do=tuple(to_do), sure=tuple(sure))


def _to_do(
    service: Service, *, dips: Panel, courses: Panel, attendance: Row, is_to_learn: bool, adjusted: Row | None
) -> list[str]:
    """What to do next, clients first."""
    to_do = []
    waiting = [each.client for each in dips.strips if each.tone == "worse"]
    if waiting:
        to_do.append(
            f"Ask about the alliance with {words.counted(len(waiting), 'client')} whose dip is not repaired: {words.listed(waiting[:5])}{' and more' if len(waiting) > 5 else ''}."
        )
    behind = [each.client for each in courses.trajectories if each.tone == "worse"]
    if behind:
        to_do.append(
            f"Review {words.counted(len(behind), 'open client')} well behind expected progress: {words.listed(behind[:5])}{' and more' if len(behind) > 5 else ''}."
        )
    standard, share = service.settings.standards.get("alliance_recorded"), attendance.get("alliance_recorded")
    if standard is not None and share is not None and share < standard:
        is_shared = is_the_sites_matter(service, attendance)
        asked = "With the whole site, which is all below the standard, look" if is_shared else "Look"
        sentence = words.recording_sentence(share, standard, what="an alliance score")
        to_do.append(f"{asked} at how alliance forms are handed out: {sentence}")
    if expected_verdict(adjusted, flagged=service.flagged).tone == "worse":
        to_do.append(
            "Talk through progress at supervision, case-mix first: the difference starts a question and answers none."
        )
    if is_to_learn:
        to_do.append("Ask what has gone well, and whether others could learn from it.")
    if not to_do:
        to_do.append("Nothing calls for a conversation this month.")
    return to_do


def _sure(
    service: Service, *, linked: Row | None, level: Row | None, adjusted: Row | None, signal: Signal | None
) -> list[Sure]:
    """Each finding with how sure it is."""
    sure = []
    if linked is not None and linked["certainty"] != "too_few":
        is_positive = (linked["estimate"] or 0) > 0
        sure.append(
            Sure(
                word=linked["certainty"],
                finding=finding_words.link_finding(linked["certainty"], is_positive=is_positive),
            )
        )
        # The night holds false discoveries among all clinicians at 5%; without that mark nobody stands apart.
        if linked["probability_above_service"] is not None:
            apart = "clear" if linked["is_different"] else "cannot_tell"
            is_stronger = linked["probability_above_service"] > 0.5
            sure.append(Sure(word=apart, finding=finding_words.apart_finding(apart, is_stronger=is_stronger)))
    if signal is not None:
        sure.append(
            Sure(
                word=signal.certainty,
                finding=finding_words.change_finding(signal.certainty, direction=signal.direction),
            )
        )
    if level is not None and level["shrunken_mean"] is not None:
        side = "higher" if level["shrunken_mean"] > level["service_mean"] else "lower"
        sure.append(Sure(word=level["certainty"], finding=finding_words.level_finding(level["certainty"], side=side)))
    said = expected_verdict(adjusted, flagged=service.flagged)
    if adjusted is not None and said.certainty != "too_few":
        # Beyond what chance brings among so many, or nobody can tell.
        word = said.certainty if said.tone != "ordinary" else "cannot_tell"
        side = "ahead of" if adjusted["estimate"] > 0 else "behind"
        sure.append(Sure(word=word, finding=finding_words.expected_finding(word, side=side)))
    if not sure:
        sure.append(
            Sure(word="too_few", finding="There are too few ratings to say anything about alliance or progress.")
        )
    return sure


def _scale(instrument: str) -> str:
    low, high, _ = score_span(instrument)
    return "in points" if low is None or high is None else f"{low:.0f} to {high:.0f}"
