"""Pages of a service with nothing, hardly anything, very much, or everything withheld, in a real Chromium; and by keyboard.

Belongs here: the ends of what a service can be, and ways of using a page without a mouse. Does not belong here: pages of an
ordinary service (`test_pages_in_the_browser`), whose checks are used here, or the gatekeeper's own pages.
"""

from dataclasses import replace

import polars as pl
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from dashboards.render import write_assets, write_page, write_slices
from dashboards.site import build_site
from dashboards.views.areas import areas
from dashboards.views.overview import overview
from dashboards.views.prompts import reasons, standing
from dashboards.views.rates import shown_rates
from dashboards.views.roster import clinician_list
from dashboards.views.service import read_service
from dashboards.views.slices import slices
from tests.dashboards import frames as service_frames
from tests.dashboards import made_up_clinic as clinic_frames
from tests.dashboards.frame_reader import reader_of
from tests.system.test_pages_in_the_browser import AXE, FAULTS, ORIGIN, PAPER_WIDTH, Site, opened, resized, settle

WIDTHS = (1440, 1024, 820, 390)


def whole(folder, *, made, tables):
    """A site of these tables."""
    build_site(reader_of(tables), folder=folder, settings=made.settings())
    return Site(folder, [])


def huge(folder):
    """The service's own pages where five hundred clinicians are shown; theirs are like any other's and are not written."""
    settings = service_frames.settings()
    service = read_service(reader_of(service_frames.service(clinicians=500, clients_each=10)), settings=settings)
    found = reasons(service)
    service = replace(service, flagged=standing(found))
    assert len(service.shown) == 500
    places = areas(service)
    page = overview(service, places[0], areas=places, rates=shown_rates(service), found=found)
    sliced = slices(service, places)
    page = replace(page, filters=sliced.filters, filtered=sliced.panels)
    write_slices(folder / "slices", sliced.files)
    assets = write_assets(folder / "assets")
    for name, each in (("index.html", page), ("clinicians/index.html", clinician_list(service, facts=page.facts))):
        write_page(folder / name, each, template="page.html", settings=settings, assets=assets, depth=name.count("/"))
    return Site(folder, [])


STATES = {
    "empty": (
        lambda folder: whole(folder, made=clinic_frames, tables=clinic_frames.empty_clinic()),
        ("index.html", "clinicians/index.html", "data-quality.html", "changes.html"),
    ),
    "one clinician, three clients": (
        lambda folder: whole(folder, made=service_frames, tables=service_frames.service(clinicians=1, clients_each=3)),
        ("index.html", "clinicians/index.html", "clinicians/T001.html", "data-quality.html"),
    ),
    "every clinician withheld": (
        lambda folder: whole(folder, made=service_frames, tables=service_frames.service(clinicians=6, clients_each=4)),
        ("index.html", "clinicians/index.html", "clinicians/T003.html", "data-quality.html"),
    ),
    "five hundred clinicians": (huge, ("index.html", "clinicians/index.html")),
}


@pytest.fixture(scope="module", params=STATES)
def state(request, tmp_path_factory):
    """A site in one of the states, and its pages that are looked at."""
    made, pages = STATES[request.param]
    return made(tmp_path_factory.mktemp("state")), pages


@pytest.fixture(scope="module")
def ordinary(tmp_path_factory):
    """A site of eight clinicians in two sites."""
    return whole(tmp_path_factory.mktemp("ordinary"), made=service_frames, tables=service_frames.service())


def window(browser: Browser, site: Site, **given):
    """A window in which the site is served under its content policy."""
    context = browser.new_context(reduced_motion="reduce", **given)
    context.route("**/*", site.answer)
    return context


def violations(page):
    found = Axe().run(page, options=AXE).response["violations"]
    return {one["id"]: [node["html"][:120] for node in one["nodes"]] for one in found}


def test_no_state_of_a_service_clips_overlaps_or_breaks_a_page(browser, state):
    site, places = state
    context = window(browser, site)
    for place in places:
        page, errors = opened(context, place)
        faults = {}
        for width in WIDTHS:
            resized(page, width=width)
            faults[width] = page.evaluate(FAULTS)
        assert faults == {width: [] for width in WIDTHS}, place
        assert violations(page) == {}, place
        page.set_viewport_size({"width": PAPER_WIDTH, "height": 900})
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        on_paper = [fault for fault in page.evaluate(FAULTS) if not fault.startswith("smaller")]
        page.close()
        assert on_paper == [], place
        assert errors == [], place
    context.close()
    assert site.strangers == []


def test_the_accessibility_checker_finds_nothing_in_the_dark_in_any_state(browser, state):
    site, places = state
    context = window(browser, site, color_scheme="dark")
    page, _ = opened(context, places[0])
    assert violations(page) == {}
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "place",
    [
        "index.html",
        "sites/north.html",
        "programmes/north~20programme.html",
        "clinicians/T001.html",
        "clinicians/T001/clients/K00001.html",
        "methods.html",
        "dictionary.html",
        "changes.html",
        "data-quality.html",
    ],
)
def test_the_accessibility_checker_finds_nothing_on_a_page_as_it_is_first_seen(browser, ordinary, place, scheme):
    context = window(browser, ordinary, color_scheme=scheme, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(f"{ORIGIN}/{place}")
    page.evaluate("() => document.fonts.ready.then(() => window.__all())")
    assert violations(page) == {}
    context.close()


FOCUSED = """() => {
  const it = document.activeElement;
  const ring = getComputedStyle(it);
  return [it.tagName, it.textContent.trim().slice(0, 40), it.matches(":focus-visible"), ring.outlineStyle !== "none" || it.matches(".skip")];
}"""
REACHABLE = """() => [...document.querySelectorAll("a[href], button, select, summary, [tabindex='0']")]
  .filter((each) => each.checkVisibility()).length"""


@pytest.mark.parametrize("place", ["index.html", "clinicians/T001.html", "clinicians/T001/clients/K00001.html"])
def test_the_keyboard_reaches_everything_that_can_be_used_and_shows_where_it_is(browser, ordinary, place):
    context = window(browser, ordinary, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{ORIGIN}/{place}")
    page.evaluate("() => window.__all()")
    reachable = page.evaluate(REACHABLE)
    seen = []
    for _ in range(reachable):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUSED))
    context.close()
    assert all(is_visible and has_ring for _, _, is_visible, has_ring in seen), seen
    assert {"A", "BUTTON", "SUMMARY"} <= {tag for tag, *_ in seen}
    assert seen[-1][0] != "BODY"


def test_the_keyboard_opens_what_is_folded_and_shows_a_charts_numbers(browser, ordinary):
    context = window(browser, ordinary, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{ORIGIN}/index.html")
    folded = page.locator("#access")
    assert folded.get_attribute("open") is None
    folded.locator("summary").first.focus()
    page.keyboard.press("Enter")
    page.locator("#staying-chart svg.main-svg").first.wait_for()
    page.locator("#staying summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#staying-table tbody tr").first.is_visible()
    context.close()


def test_what_is_folded_says_its_findings_and_opens_by_their_address(browser, ordinary):
    context = window(browser, ordinary, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{ORIGIN}/index.html")
    titles = page.locator("#access + .findings li").all_inner_texts()
    assert titles == page.locator("#access .panel > h2").all_text_contents()
    page.locator("#access + .findings a").first.click()
    assert page.locator("#access").get_attribute("open") is not None
    assert page.locator("#access + .findings").is_hidden()
    page.goto(f"{ORIGIN}/index.html#look-closer")
    assert page.locator("form.filters").is_visible()
    context.close()


def test_paper_shows_what_is_folded_and_folds_it_again_afterwards(browser, ordinary):
    context = window(browser, ordinary, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{ORIGIN}/index.html")
    before = page.locator(".folded[open]").count()
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".folded:not([open])").count() == 0
    assert page.locator("#staying-chart svg.main-svg").count() > 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".folded[open]").count() == before
    context.close()


def test_a_period_that_a_place_has_no_slice_of_cannot_be_chosen_and_says_so(browser, ordinary):
    offered = {file.name for file in (ordinary.folder / "slices").glob("site-north-*.json")}
    assert {"site-north-12.json", "site-north-24.json"} <= offered
    text = (ordinary.folder / "index.html").read_text(encoding="utf-8")
    assert '"site-north-24.json"' in text
    context = window(browser, ordinary, viewport={"width": 1440, "height": 900})
    context.route(
        f"{ORIGIN}/index.html*",
        lambda route: route.fulfill(
            body=text.replace('"site-north-24.json"', '"site-north-0.json"'), headers={"content-type": "text/html"}
        ),
    )
    page = context.new_page()
    page.goto(f"{ORIGIN}/index.html")
    settle(page)
    longest = page.locator("select[name=period] option[value='24']")
    assert longest.is_enabled()
    page.select_option("select[name=place]", "site-north")
    assert not longest.is_enabled()
    assert longest.text_content() == "Last 24 months (not told)"
    page.select_option("select[name=place]", "service-all")
    assert longest.text_content() == "Last 24 months"
    assert "never crossed" in page.locator("#told").inner_text()
    context.close()


def test_pages_without_script_show_every_table_and_open_what_is_folded(browser, ordinary):
    context = window(browser, ordinary, java_script_enabled=False, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(f"{ORIGIN}/index.html")
    page.locator("#access > summary").click()
    assert page.locator("#access .panel").first.is_visible()
    page.locator("#staying summary").click()
    assert page.locator("#staying-table").is_visible()
    page.locator("#look-closer > summary").click()
    assert page.locator("#closer").is_visible()
    assert page.locator("form.filters").is_hidden()
    context.close()


def test_the_made_up_states_are_what_they_are_called(ordinary):
    tables = service_frames.service(clinicians=1, clients_each=3)
    assert tables["marts.clinicians"].height == 1
    assert tables["marts.episodes"].filter(pl.col("case_id").is_not_null())["case_id"].n_unique() == 3
    assert len(list(ordinary.folder.glob("clinicians/T*.html"))) == 8
