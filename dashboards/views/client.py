"""One open client's page, for the clinician who treats them and the client to look at together.

Belongs here: the page's headline and the order of its panels. It holds no figure of the service, no colleague and no other
client; what is usual by then is learnt from many and names nobody.
"""

from collections.abc import Sequence

from dashboards import client_words, words
from dashboards.addresses import clinician_file, file_stem
from dashboards.views import panels
from dashboards.views.client_panels import (
    attendance_panel,
    course_panel,
    reached_panel,
    signs_lately,
    signs_panel,
    standing,
    together_panel,
)
from dashboards.views.client_rows import ClientRows
from dashboards.views.model import Clinician, Headline, Link, Page, Panel, Sure, Table
from dashboards.views.service import Service


def client_page(service: Service, rows: ClientRows) -> Page:
    """Everything on one client's page."""
    settings = service.settings
    pair = service.pair.get(rows.code)
    alliance = _main(rows.alliance, first=pair[0] if pair else None)
    together = together_panel(rows, alliance)
    outcomes = sorted(rows.outcomes, key=lambda each: (each != (pair[1] if pair else None), each))
    courses = [course_panel(service, rows, each) for each in outcomes]
    rest = (*courses, together, reached_panel(service, rows), attendance_panel(rows), signs_panel(rows))
    return Page(
        title=f"Client {rows.client}: {settings.clinic}",
        heading=f"Client {rows.client}: looking at it together",
        about=client_words.about(sessions=rows.sessions, day=words.day(settings.data_date)),
        section="clinicians",
        above=Clinician(code=rows.code, href=f"../../{clinician_file(rows.code)}"),
        notice="A check of the data failed: some of what stands here may be wrong." if service.is_alarming else None,
        headline=_headline(rows, outcomes=outcomes, courses=courses, together=together, alliance=alliance),
        panels=panels.beside_each_other(rest),
    )


def page_links(clients: Sequence[ClientRows]) -> dict[str, str]:
    """Where each client's page lies, seen from the page of the clinician who treats them."""
    return {each.client: f"{file_stem(each.code)}/clients/{file_stem(each.client)}.html" for each in clients}


def clients_panel(clients: Sequence[ClientRows]) -> Panel | None:
    """Every open client with their page; None where nobody is open."""
    if not clients:
        return None
    links = page_links(clients)
    return Panel(
        key="clients",
        title=f"{words.counted(len(clients), 'open client')}, each with a page to look at together",
        caption="Counted, not estimated. A client\u2019s page is in plain words and holds nothing about anyone else.",
        method="progress",
        table=Table(
            columns=("Client", "Sessions so far", "Page"),
            rows=tuple(
                (each.client, str(each.sessions), Link(words=f"Page of {each.client}", href=links[each.client]))
                for each in clients
            ),
            numeric=frozenset({1}),
        ),
        is_detail=True,
        shown=True,
    )


def _main(found: dict[str, list[tuple[int, float]]], *, first: str | None) -> str | None:
    """The clinician's own measure where the client has it, else the one with most ratings."""
    if first in found or not found:
        return first
    return max(sorted(found), key=lambda each: len(found[each]))


def _headline(
    rows: ClientRows, *, outcomes: Sequence[str], courses: Sequence[Panel], together: Panel, alliance: str | None
) -> Headline:
    sure = []
    for each in outcomes:
        certainty, is_better = standing(rows, each)
        said = client_words.course_finding(each, certainty=certainty, is_better=is_better)
        sure.append(Sure(word=certainty, finding=said))
    if not sure:
        sure.append(Sure(word="too_few", finding="There are no scores yet."))
    dips = [row for row in rows.ruptures if row["instrument"] == alliance]
    to_do = []
    if dips and dips[-1]["state"] != "repaired":
        to_do.append(f"Ask what was different around session {dips[-1]['session_number']}, and what would help.")
    if any(track["standing"] in {"behind", "well_behind"} for track in rows.tracks.values()):
        to_do.append("Ask what would have to be different for things to get better.")
    if signs_lately(rows):
        to_do.append("Ask whether anything is hard to say here.")
    if any(row["milestone"] != "sudden_loss" and row["is_held"] is not False for row in rows.milestones):
        to_do.append("Look at what has gone well, and what helped.")
    if not to_do:
        to_do.append("Ask how it looks from where you sit: do the numbers say what you feel?")
    return Headline(
        changed=". ".join(each.title for each in courses[:2]) + "." if courses else "No scores yet.",
        because=f"{together.title}.",
        to_do=tuple(to_do),
        sure=tuple(sure),
    )
