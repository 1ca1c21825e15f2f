"""The six key figures at the head of a clinician's page, each with its range and its verdict."""

from assets.science.funnel import wilson_interval
from dashboards import words
from dashboards.views import panels, recalled
from dashboards.views.clients import Caseload
from dashboards.views.model import Card, Tag
from dashboards.views.progress import expected_verdict, rate_verdict
from dashboards.views.recording import is_the_sites_matter
from dashboards.views.scales import score_span
from dashboards.views.service import Row, Service


def key_figures(
    service: Service,
    code: str,
    *,
    level: Row | None,
    progress: Row | None,
    adjusted: Row | None,
    attendance: Row,
    clients: Caseload,
    dips_of_service: tuple[int, int],
) -> tuple[Card, ...]:
    """Alliance, improvement, dips, missed appointments and recording."""
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
        said = rate_verdict(progress)
        cards.append(
            Card(
                label=recalled.marked(
                    service,
                    "Reliably improved",
                    instrument=progress["instrument"],
                    facts=(recalled.RELIABLE_CHANGE,),
                ),
                figure=words.percent(progress["improved_rate"], beside=progress["service_rate"]),
                beside=f"of {progress['evaluable']}",
                note=f"95% range {words.percent_between(progress['low'], progress['high'])}; service {words.percent(progress['service_rate'])}",
                tag=Tag(words=said.tag, tone=said.tone),
            )
        )
    cards.append(_against_expected(service, adjusted))
    settled = sum(row["state"] in {"repaired", "unrepaired"} for row in clients.ruptures)
    repaired = sum(row["state"] == "repaired" for row in clients.ruptures)
    if settled < service.settings.minimum_sessions:
        cards.append(
            Card(label="Dips repaired", figure="Too few", beside="", note="alliance dips to give a share", tag=few)
        )
    else:
        low, high = (float(each[0]) for each in wilson_interval([repaired], [settled], confidence=0.95))
        share = dips_of_service[0] / dips_of_service[1] if dips_of_service[1] else None
        is_inside = share is None or low <= share <= high
        cards.append(
            Card(
                label="Dips repaired",
                figure=words.percent(repaired / settled),
                beside=f"of {settled}",
                note=f"95% range {words.percent_between(low, high)}; service {words.percent(share)}",
                tag=Tag(
                    words="Chance could explain it" if is_inside else "Likely beyond chance",
                    tone="ordinary"
                    if is_inside or share is None
                    else "better"
                    if repaired / settled > share
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
        is_shared = not met and is_the_sites_matter(service, attendance)
        cards.append(
            Card(
                label="Sessions with alliance score",
                figure=words.percent(share, beside=standard),
                beside=f"of {attendance['sessions']:,}",
                note="No standard set"
                if standard is None
                else f"Standard {words.percent(standard)}; counted, not estimated",
                tag=Tag(
                    words="Recorded"
                    if standard is None
                    else "At or above standard"
                    if met
                    else "Below, as all of the site"
                    if is_shared
                    else "Below standard",
                    tone="ordinary" if standard is None or is_shared else "better" if met else "worse",
                ),
            )
        )
    return tuple(cards)


def _against_expected(service: Service, adjusted: Row | None) -> Card:
    said = expected_verdict(adjusted, flagged=service.flagged)
    if adjusted is None or said.certainty == "too_few":
        note = "finished courses of treatment"
        return Card(label="Progress beyond expected", figure="Too few", beside="", note=note, tag=Tag(words=said.tag))
    low, high = adjusted["low"], adjusted["high"]
    return Card(
        label="Progress beyond expected",
        figure=words.signed(adjusted["estimate"]),
        beside=f"{adjusted['instrument']} points",
        note=f"95% range {words.between(low, high)}; clients alike at the site",
        tag=Tag(words=said.tag, tone=said.tone),
    )
