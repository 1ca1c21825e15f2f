"""The director's overview, of the service, a site or a programme: is the alliance helping clients progress, and how sure?

Belongs here: the overview's opening and the order of its panels. Does not belong here: the panels (`answer`, `measures`,
`rates`, `change`, `comparison`) or who is worth a conversation (`prompts`).
"""

import polars as pl

from dashboards import finding_words, words
from dashboards.addresses import clinician_page
from dashboards.views import panels
from dashboards.views.answer import answer_words, level_rows, levels_panel, waits_panel, within_words
from dashboards.views.areas import Area
from dashboards.views.change import change_panel, rules_panel
from dashboards.views.comparison import by_pair
from dashboards.views.holding_back import worth_panel
from dashboards.views.measures import Measure, measure_rows, measures_panel
from dashboards.views.model import Cell, Clinician, Fact, Group, Headline, Link, Page, Panel, Sure, Table, Tag
from dashboards.views.prompts import Prompt, Reasons, conversations, signed
from dashboards.views.rates import attendance_panel, drop_out_panel, official_panel, rate_of
from dashboards.views.service import Row, Service
from dashboards.views.sizes import told
from dashboards.views.staying import leaving_panel, staying_panel, variance_panel
from dashboards.views.withheld import held_notice

_KINDS = {"site": "Site", "programme": "Programme"}


def overview(service: Service, area: Area, *, areas: tuple[Area, ...], rates: pl.DataFrame, found: Reasons) -> Page:
    """The first page, or the page of one site or programme in its form.

    Args:
        service: The night.
        area: What the page speaks of.
        areas: Everything that has a page of this form.
        rates: Rates that may be shown.
        found: Every shown clinician's reasons for a conversation.
    """
    settings = service.settings
    prompts = () if service.is_withheld else conversations(found, area.codes)
    measures = () if service.is_withheld else measure_rows(service, area)
    first: list[Panel | None] = []
    if not service.is_withheld:
        first = [
            levels_panel(service, area),
            _conversations(service, area, prompts=prompts, signs=len(signed(found, area.codes)))
            if area.scope != "programme"
            else None,
            measures_panel(measures) if measures else None,
            _areas_panel(service, areas, rates=rates) if area.scope == "service" else None,
        ]
    is_whole = area.scope == "service"
    named = "Service overview" if is_whole else f"{_KINDS[area.scope]} {area.name}"
    return Page(
        title=f"{settings.clinic}: {named[:1].lower() + named[1:]}",
        heading=f"{named}: is the alliance helping clients progress?",
        answer=answer_words(service, area),
        about=f"{_about(service, area)}; data to {words.day(settings.data_date)}.",
        section="overview",
        facts=(*strip(service, area, rates=rates), Fact(label="Clinicians not shown", words=_not_shown(service))),
        is_alarming=service.is_alarming,
        headline=_headline(service, area, prompts=prompts, measures=measures),
        panels=panels.beside_each_other(first),
        groups=() if service.is_withheld else _groups(service, area, rates=rates),
        explains=("alliance", "compared", "progress", "reliable", "steadied", "signal", "withheld", "certainty"),
        notice=f"Fewer than {settings.minimum_clients} clients: every figure is withheld."
        if service.is_withheld
        else held_notice(service, area),
    )


def _groups(service: Service, area: Area, *, rates: pl.DataFrame) -> tuple[Group, ...]:
    """Everything behind the answer, in the order in which a director asks."""
    shown = by_pair(service, area)
    # The main measures, whatever they can say; further ones on the sites' own pages, where there is something to draw.
    clinicians = [*(shown[0] if shown else ()), variance_panel(service, area)]
    if area.scope != "service":
        clinicians += [each for more in shown[1:] for each in more if each.figure is not None]
    return (
        *panels.group("beside", "Clinicians beside each other", clinicians, is_open=True),
        *panels.group(
            "improvement",
            "Improvement and how treatment ends",
            [
                change_panel(rates, area, service),
                rules_panel(area, service),
                drop_out_panel(rates, area, service),
                official_panel(rates, area, service),
            ],
            is_open=False,
        ),
        *panels.group(
            "access",
            "Waiting, appointments and staying",
            [
                waits_panel(service, area, rates),
                attendance_panel(rates, area, service),
                staying_panel(service, scope=area.scope, name=area.name),
            ],
            is_open=False,
        ),
        *panels.group(
            "before-leaving",
            "What comes before leaving",
            [leaving_panel(service, area), worth_panel(service, area)],
            is_open=False,
        ),
    )


def findings(page: Page, service: Service, whole: Area, *, found: Reasons) -> tuple[str, str, str]:
    """The overview in three sentences."""
    if page.headline is None:
        return ("Nothing to report.", "Nothing to report.", "Nothing to report.")
    within = [row for row in level_rows(service, whole) if row["level"] == "within_client"]
    said = [
        f"{words.certainty(row['certainty']).lower()} for {row['alliance_instrument']} with {row['outcome_instrument']}"
        for row in within
        if (row["alliance_instrument"], row["outcome_instrument"]) in service.pairs
    ]
    answer = words.listed(said) if said and not service.is_withheld else "too few ratings to say"
    signs = 0 if service.is_withheld else len(signed(found, service.shown))
    return (
        page.headline.changed,
        f"Whether a better alliance than a client\u2019s own usual goes with a better next score: {answer}.",
        finding_words.looked_at_sentence(shown=len(service.shown), signs=signs, withheld=len(service.withheld)),
    )


def strip(service: Service, area: Area, *, rates: pl.DataFrame) -> tuple[Fact, ...]:
    """Freshness, and an area's completeness."""

    def share(name: str) -> float | None:
        row = None if service.is_withheld else rate_of(rates, area, name)
        return None if row is None else float(row["rate"])

    return panels.facts(service, alliance=share("alliance_recorded"), outcome=share("outcome_recorded"))


def _about(service: Service, area: Area) -> str:
    if service.is_withheld:
        return "Too few clients to count"
    cases = service.cases.get((area.scope, area.name), 0)
    about = words.counted(told(service, cases, population="booked", scope=area.scope, name=area.name, months=0), "case")
    if area.scope == "programme":
        return f"About {about} on record"
    people = len(area.codes) if area.scope == "site" else len(service.clinicians)
    return f"About {about} and {words.counted(people, 'clinician')} {'shown' if area.scope == 'site' else 'on record'}"


def _headline(service: Service, area: Area, *, prompts: tuple[Prompt, ...], measures: tuple[Measure, ...]) -> Headline:
    concerns = [_inside(each.name) for each in measures if each.signal.tone == "worse"]
    better = [_inside(each.name) for each in measures if each.signal.tone == "better"]
    to_do = []
    asked = [each for each in prompts if not each.is_to_learn]
    if asked:
        to_do.append(f"Have the {words.counted(len(prompts), 'conversation')} listed below.")
    elif prompts:
        to_do.append("Ask the clinician named below what has gone well: nobody needs a conversation about a concern.")
    elif area.scope != "programme":
        to_do.append("No conversation is needed: no clinician\u2019s figures differ from usual beyond chance.")
    for each in measures:
        signal = each.signal
        if signal.assurance == "no_unless_something_changes" and signal.standard is not None and len(to_do) < 4:
            now = panels.value_words(signal.latest, is_share=each.is_share, beside=signal.standard)
            to_do.append(
                f"{each.name}: {now} in the latest month against a standard of {words.percent(signal.standard)}, "
                "which will not be met unless something changes."
            )
    if service.is_withheld:
        to_do = ["Nothing yet: too few clients have been seen."]
    sure = [
        Sure(word=row["certainty"], finding=within_words(row))
        for row in level_rows(service, area)
        if row["level"] == "within_client" and (row["alliance_instrument"], row["outcome_instrument"]) in area.pairs[:3]
    ]
    sure.append(
        Sure(
            word="cannot_tell",
            finding="Whether raising the alliance would cause better outcomes: this is routine data.",
        )
    )
    return Headline(
        changed=words.service_headline(
            concerns=concerns[:3], improvements=better[:3], withheld=service.is_withheld, of=_of(area)
        ),
        because=f"{_looked_at(area)}. Changes too small to matter are left out.",
        to_do=tuple(to_do or ["Nothing calls for a conversation this month."]),
        sure=tuple(sure if not service.is_withheld else sure[-1:]),
    )


def _of(area: Area) -> str:
    return {"service": "The service", "site": "The site", "programme": "The programme"}[area.scope]


def _inside(name: str) -> str:
    """A row's name inside a sentence: its first letter small, except in an abbreviation."""
    return name[:1].lower() + name[1:]


def _conversations(service: Service, area: Area, *, prompts: tuple[Prompt, ...], signs: int) -> Panel:
    rows: list[tuple[Cell, ...]] = []
    up = "" if area.scope == "service" else "../"
    for each in prompts:
        who = service.row("clinicians", each.code) or {}
        learn = "Learn from: " if each.is_to_learn else ""
        rows.append(
            (
                Clinician(code=each.code, href=up + clinician_page(each.code)),
                who.get("site") or "",
                f"{learn}{each.why[:1].lower() + each.why[1:] if learn else each.why}",
                Tag(words=words.certainty(each.certainty), tone="better" if each.is_to_learn else "worse"),
            )
        )
    caption = finding_words.conversations_caption(listed=len(prompts), signed=signs, looked_at=len(area.codes))
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
        empty=None
        if rows
        else "No clinician\u2019s figures differ from usual beyond what chance brings among so many.",
    )


def _areas_panel(service: Service, areas: tuple[Area, ...], *, rates: pl.DataFrame) -> Panel | None:
    """The way to every site and programme, by name, with its own answer."""
    rows: list[tuple[Cell, ...]] = []
    for area in areas[1:]:
        within = {
            (row["alliance_instrument"], row["outcome_instrument"]): row
            for row in level_rows(service, area)
            if row["level"] == "within_client"
        }
        answer = [
            f"{' with '.join(pair)}: {words.certainty(within[pair]['certainty']).lower()}" for pair in area.pairs[:2]
        ]
        improved = rate_of(rates, area, "improved", area.pairs[0][1]) if area.pairs else None
        rows.append(
            (
                Link(words=area.name, href=area.page),
                _KINDS[area.scope],
                "; ".join(answer) or "too few ratings",
                _rate_words(improved),
                _rate_words(rate_of(rates, area, "did_not_attend")),
            )
        )
    if not rows:
        return None
    return Panel(
        key="areas",
        title="Each site and programme has a page of this form",
        caption="By name. Whether alliance goes with the next score there, reliable improvement on the main measure, and appointments missed without "
        "notice, with 95% ranges; small ones have no page.",
        method="withheld",
        table=Table(
            columns=("Where", "Kind", "Alliance with progress", "Reliably improved", "Missed"), rows=tuple(rows)
        ),
        shown=True,
        wide=True,
    )


def _rate_words(row: Row | None) -> str:
    if row is None:
        return "Too few"
    return f"{words.percent(row['rate'])} ({words.percent_between(row['low'], row['high'])})"


def _looked_at(area: Area) -> str:
    if area.scope == "programme":
        return (
            "Clinicians\u2019 figures are of whole caseloads and stand on the service\u2019s and the sites\u2019 pages"
        )
    return f"{words.counted(len(area.codes), 'clinician')} looked at"


def _not_shown(service: Service) -> str:
    return f"{len(service.withheld)} (small groups)"
