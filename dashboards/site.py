"""One night's pages, written whole into a folder.

What is written, by path from the site's top:

- `index.html`: the service, with codes of clinicians where a figure is a sign.
- `sites/*.html`, `programmes/*.html`: the same of one site or programme.
- `slices/*.json`: the same figures for fixed periods, sites and programmes, for the overview's filters; no code in them.
- `clinicians/index.html`: every code, without figures.
- `clinicians/CODE.html`: one clinician's page; it holds no other clinician's code and no other clinician's client.
  `dashboards.addresses` gives a code's path and a path's code.
- `clinicians/CODE/clients/CLIENT.html`: one open client of that clinician, for looking at together; no colleague's code,
  no other client's, and no figure of the service. None where the clinician's own page is withheld.
- `data-quality.html`: recording by code. `changes.html`: what moved since the version before; no clinician. `methods.html`, `dictionary.html`: no figure of anyone.
- `assets/`: shared parts without any data, under names that carry their content's hash.

Every code that a reader sees is the whole text of an element whose attribute `data-clinician` is that code, save in a
page's `<title>`. Whoever serves the pages may put a name in such an element's place of text for those entitled to it;
charts and downloads take the names they find there.

Belongs here: which pages exist and in which order they are written. Does not belong here: what stands on a page
(`dashboards.views`), its sentences (`dashboards.words`), its charts (`dashboards.figures`) or its markup (templates).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from dashboards import readings
from dashboards.addresses import client_page as client_address
from dashboards.addresses import clinician_page as clinician_address
from dashboards.page_settings import PageSettings
from dashboards.render import write_assets, write_page, write_slices
from dashboards.views import panels
from dashboards.views.areas import areas
from dashboards.views.changes import PAGE as CHANGES
from dashboards.views.changes import changes_page
from dashboards.views.client import client_page
from dashboards.views.client_rows import of_open_courses, open_clients
from dashboards.views.clients import caseloads
from dashboards.views.clinician import clinician_page, withheld_page
from dashboards.views.data_quality import data_quality
from dashboards.views.dictionary import dictionary
from dashboards.views.methods import methods
from dashboards.views.overview import findings, overview, strip
from dashboards.views.prompts import reasons, standing
from dashboards.views.rates import shown_rates
from dashboards.views.roster import clinician_list
from dashboards.views.service import read_service
from dashboards.views.slices import slices


@dataclass(frozen=True, kw_only=True)
class SiteReport:
    """What became of a site.

    Attributes:
        pages: Pages written.
        findings: Three sentences in words, as the overview says them.
        withheld: Clinicians whose figures are withheld because their group is small.
    """

    pages: int
    findings: tuple[str, ...]
    withheld: int


def build_site(read: Callable[[str], pl.DataFrame], *, folder: Path, settings: PageSettings) -> SiteReport:
    """Write every page into `folder`; `read` gives a table whole by its full name, or a SELECT's rows."""
    folder.mkdir(parents=True, exist_ok=True)
    assets = write_assets(folder / "assets")
    service = read_service(read, settings=settings)
    found = reasons(service)
    service = replace(service, flagged=standing(found))
    rates = shown_rates(service)
    places = areas(service)
    overviews = [overview(service, area, areas=places, rates=rates, found=found) for area in places]
    sliced = slices(service, places)
    if sliced is not None:
        overviews[0] = replace(overviews[0], filters=sliced.filters, filtered=sliced.panels)
        write_slices(folder / "slices", sliced.files)
    facts = strip(service, places[0], rates=rates)
    pages = (
        *((area.page, page, "page.html") for area, page in zip(places, overviews, strict=True)),
        ("data-quality.html", data_quality(service, places[0], facts=facts), "page.html"),
        (CHANGES, changes_page(service, facts=facts), "page.html"),
        ("methods.html", methods(service), "methods.html"),
        ("dictionary.html", dictionary(settings), "page.html"),
        ("clinicians/index.html", clinician_list(service, facts=facts), "page.html"),
    )
    for name, page, template in pages:
        write_page(folder / name, page, template=template, settings=settings, assets=assets, depth=name.count("/"))
    answers = of_open_courses(service)
    caseload, clients_of = caseloads(service, answers), open_clients(service, answers)
    progress = service.tables["analysis.clinician_progress"]
    bands = {
        str(instrument): panels.funnel_bands(part, minimum=settings.minimum_clients)
        for (instrument,), part in progress.partition_by("instrument", as_dict=True).items()
    }
    settled = answers[readings.DIPS].filter(pl.col("state") != "open")
    dips = (int((settled["state"] == "repaired").sum()), settled.height)
    del answers, settled
    written = 0
    for code in service.clinicians:
        clients = [] if code in service.withheld else clients_of(code)
        page = (
            withheld_page(service, code)
            if code in service.withheld
            else clinician_page(
                service,
                code,
                clients=caseload(code),
                open_clients=clients,
                bands=bands,
                dips_of_service=dips,
                found=found.get(code, ()),
            )
        )
        own = [(client_address(code, rows.client), client_page(service, rows)) for rows in clients]
        for name, each in ((clinician_address(code), page), *own):
            write_page(
                folder / name, each, template="page.html", settings=settings, assets=assets, depth=name.count("/")
            )
        written += 1 + len(own)
    return SiteReport(
        pages=len(pages) + written,
        findings=findings(overviews[0], service, places[0], found=found),
        withheld=len(service.withheld),
    )
