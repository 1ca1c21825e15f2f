"""The director's overview: is the alliance helping clients progress, for whom, and how sure are we?

Belongs here: the overview's opening and the order of its panels. Does not belong here: the panels (`answer`, `measures`,
`comparison`) or who is worth a conversation (`prompts`).
"""

from dashboards import words
from dashboards.addresses import clinician_page
from dashboards.views import panels
from dashboards.views.answer import level_rows, levels_panel, waits_panel, within_words
from dashboards.views.comparison import by_pair
from dashboards.views.measures import Measure, measure_rows, measures_panel
from dashboards.views.model import Cell, Clinician, Fact, Headline, Page, Panel, Sure, Table, Tag
from dashboards.views.prompts import Prompt, conversations, reasons
from dashboards.views.service import Service


def overview(service: Service) -> Page:
    """Everything on the first page."""
    settings = service.settings
    prompts = () if service.is_withheld else conversations(service)
    measures = () if service.is_withheld else measure_rows(service)
    shown = [] if service.is_withheld else by_pair(service)
    head = _headline(service, prompts=prompts, measures=measures)
    cases = service.tables["marts.appointments"]["case_id"].n_unique()
    about = f"{words.counted(cases, 'case')} and {words.counted(len(service.clinicians), 'clinician')} on record"
    pages: list[Panel] = []
    if not service.is_withheld:
        pages = [levels_panel(service), _conversations(service, prompts=prompts)]
        if measures:
            pages.append(measures_panel(measures))
        # The main measures first, whatever they can say; further ones only where there is something to draw.
        pages += [*(shown[0] if shown else ()), waits_panel(service)]
        pages += [each for more in shown[1:] for each in more if each.figure is not None]
    return Page(
        title=f"{settings.clinic}: service overview",
        heading="Service overview: is the alliance helping clients progress?",
        about=f"{'Too few clients to count' if service.is_withheld else about}; data to {words.day(settings.data_date)}.",
        section="overview",
        facts=(*strip(service), Fact(label="Clinicians not shown", words=_not_shown(service))),
        is_alarming=panels.is_alarming(service),
        headline=head,
        panels=tuple(pages),
        explains=("alliance", "compared", "progress", "reliable", "steadied", "signal", "withheld", "certainty"),
        notice=f"Fewer than {settings.minimum_clients} clients: every figure is withheld."
        if service.is_withheld
        else None,
    )


def findings(page: Page, service: Service) -> tuple[str, str, str]:
    """The overview in three sentences."""
    if page.headline is None:
        return ("Nothing to report.", "Nothing to report.", "Nothing to report.")
    within = [row for row in level_rows(service) if row["level"] == "within_client"]
    said = [
        f"{words.certainty(row['certainty']).lower()} for {row['alliance_instrument']} with {row['outcome_instrument']}"
        for row in within
        if (row["alliance_instrument"], row["outcome_instrument"]) in service.pairs
    ]
    answer = words.listed(said) if said and not service.is_withheld else "too few ratings to say"
    signs = 0 if service.is_withheld else sum(bool(reasons(service, code)) for code in service.shown)
    return (
        page.headline.changed,
        f"Whether a better alliance than a client\u2019s own usual goes with a better next score: {answer}.",
        words.looked_at_sentence(shown=len(service.shown), signs=signs, withheld=len(service.withheld)),
    )


def strip(service: Service) -> tuple[Fact, ...]:
    """The service's freshness and completeness."""
    attendance = service.tables["analysis.clinician_attendance"]
    sessions = 0 if service.is_withheld else int(attendance["sessions"].sum())

    def share(name: str) -> float | None:
        if not sessions:
            return None
        return float((attendance[name].fill_null(0) * attendance["sessions"]).sum()) / sessions

    return panels.facts(service, alliance=share("alliance_recorded"), outcome=share("outcome_recorded"))


def _headline(service: Service, *, prompts: tuple[Prompt, ...], measures: tuple[Measure, ...]) -> Headline:
    concerns = [_inside(name) for name, _, signal, _ in measures if signal.tone == "worse"]
    better = [_inside(name) for name, _, signal, _ in measures if signal.tone == "better"]
    to_do = []
    asked = [each for each in prompts if not each.is_to_learn]
    if asked:
        to_do.append(f"Have the {words.counted(len(prompts), 'conversation')} listed below.")
    elif prompts:
        to_do.append("Ask the clinician named below what has gone well: nobody needs a conversation about a concern.")
    else:
        to_do.append("No conversation is needed: no clinician\u2019s figures differ from usual beyond chance.")
    for name, _, signal, is_share in measures:
        if signal.assurance == "no_unless_something_changes" and signal.standard is not None and len(to_do) < 4:
            now = panels.value_words(signal.latest, is_share=is_share, beside=signal.standard)
            to_do.append(
                f"{name}: {now} in the latest month against a standard of {words.percent(signal.standard)}, "
                "which will not be met unless something changes."
            )
    if service.is_withheld:
        to_do = ["Nothing yet: too few clients have been seen."]
    sure = [
        Sure(word=row["certainty"], finding=within_words(row))
        for row in level_rows(service)
        if row["level"] == "within_client"
        and (row["alliance_instrument"], row["outcome_instrument"]) in service.pairs[:3]
    ]
    sure.append(
        Sure(
            word="cannot_tell",
            finding="Whether raising the alliance would cause better outcomes: this is routine data.",
        )
    )
    return Headline(
        changed=words.service_headline(concerns=concerns[:3], improvements=better[:3], withheld=service.is_withheld),
        because=f"{_looked_at(service)}. Changes too small to matter are left out.",
        to_do=tuple(to_do),
        sure=tuple(sure if not service.is_withheld else sure[-1:]),
    )


def _inside(name: str) -> str:
    """A row's name inside a sentence: its first letter small, except in an abbreviation."""
    return name[:1].lower() + name[1:]


def _conversations(service: Service, *, prompts: tuple[Prompt, ...]) -> Panel:
    rows: list[tuple[Cell, ...]] = []
    for each in prompts:
        who = service.row("clinicians", each.code) or {}
        learn = "Learn from: " if each.is_to_learn else ""
        rows.append(
            (
                Clinician(code=each.code, href=clinician_page(each.code)),
                who.get("site") or "",
                f"{learn}{each.why[:1].lower() + each.why[1:] if learn else each.why}",
                Tag(words=words.certainty(each.certainty), tone="better" if each.is_to_learn else "worse"),
            )
        )
    total = sum(bool(reasons(service, code)) for code in service.shown)
    caption = (
        f"{len(prompts)} of {words.counted(total, 'clinician')} with a sign, from {len(service.shown)} looked at, by how sure and then by "
        "code; with so many looked at, some signs are chance. Prompts for supervision, not a comparison of people."
    )
    if prompts and not any(each.is_to_learn for each in prompts):
        caption += (
            " Nobody\u2019s figures are better than usual beyond chance, so there is no one to learn from by name."
        )
    return Panel(
        key="conversations",
        title="Conversations worth having this month",
        caption=caption,
        method="conversations",
        table=Table(columns=("Clinician", "Site", "Why now", "How sure"), rows=tuple(rows)),
        shown=True,
        empty=None if rows else "No clinician\u2019s figures differ from usual beyond chance.",
    )


def _looked_at(service: Service) -> str:
    return f"{words.counted(len(service.shown), 'clinician')} looked at"


def _not_shown(service: Service) -> str:
    return f"{len(service.withheld)} (small groups)"
