"""The pages as people meet them, in a real Chromium under the content policy they are served with.

Belongs here: what only a browser can tell: nothing clipped, overlapping or wider than the screen, charts drawn, no error,
nothing that an accessibility checker finds. What pages say is tested in `tests/dashboards`.
"""

import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route

from dashboards.site import build_site
from pipelines.gatekeeper.answers import POLICY
from tests.dashboards import made_up_clinic as frames
from tests.dashboards.frame_reader import reader_of

ORIGIN = "http://rapport.test"
WIDTHS = (1920, 1440, 1024, 820, 390)
PAPER_WIDTH = 688  # A4 less its margins, in CSS pixels
PAGES = {
    "overview": "index.html",
    "clinician": "clinicians/C-1001.html",
    "client": "clinicians/C-1036/clients/P005017.html",
    "site": "sites/north.html",
    "programme": "programmes/Adult~20CBT.html",
    "withheld clinician": "clinicians/C-1008.html",
    "clinicians": "clinicians/index.html",
    "data quality": "data-quality.html",
    "night to night": "changes.html",
    "methods": "methods.html",
    "dictionary": "dictionary.html",
}
AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}

FAULTS = """() => {
  const faults = [];
  const say = (element) => (element.textContent || "").trim().slice(0, 60);
  const isSeen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const box = (element) => element.getBoundingClientRect();
  if (document.documentElement.scrollWidth > innerWidth) { faults.push("the page scrolls sideways"); }
  for (const chart of document.querySelectorAll(".chart")) {
    if (!isSeen(chart)) { continue; }
    if (!chart.querySelector("svg.main-svg")) { faults.push("not drawn: " + chart.id); continue; }
    const outer = box(chart);
    const texts = [...chart.querySelectorAll("svg.main-svg text")].filter((t) => say(t) && isSeen(t)).map((t) => [t, box(t)]);
    texts.forEach(([text, at], place) => {
      if (at.left < outer.left - 1 || at.right > outer.right + 1 || at.top < outer.top - 1 || at.bottom > outer.bottom + 1) {
        faults.push("clipped in " + chart.id + ": " + say(text));
      }
      for (const [other, beside] of texts.slice(place + 1)) {
        const across = Math.min(at.right, beside.right) - Math.max(at.left, beside.left);
        const down = Math.min(at.bottom, beside.bottom) - Math.max(at.top, beside.top);
        if (across > 2 && down > 3) { faults.push("overlapping in " + chart.id + ": " + say(text) + " / " + say(other)); }
      }
    });
  }
  for (const element of document.querySelectorAll("main *, header *, footer *")) {
    if (element.closest("svg, .scroll, [class*=unseen], [class*=hidden]") || !isSeen(element)) { continue; }
    const hasText = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!hasText) { continue; }
    const style = getComputedStyle(element);
    if (style.clipPath !== "none" || style.position === "absolute") { continue; }
    if (style.display !== "inline" && element.scrollWidth > element.clientWidth + 1) { faults.push("wider than its box: " + say(element)); }
    const card = element.closest(".card");
    if (card && box(element).right > box(card).right + 1) { faults.push("leaves its card: " + say(element)); }
    if (parseFloat(style.fontSize) < 12 && !element.closest('[aria-hidden]')) { faults.push("smaller than 12 px: " + say(element)); }
  }
  return faults;
}"""


@dataclass
class Site:
    """A built site, and the requests that went anywhere else."""

    folder: Path
    strangers: list[str]

    def answer(self, route: Route) -> None:
        """Serve a file of the site under the content policy; anything else is refused and noted."""
        address = route.request.url
        file = self.folder / address.removeprefix(ORIGIN + "/").partition("#")[0].partition("?")[0]
        if not address.startswith(ORIGIN) or not file.is_file():
            self.strangers.append(address)
            route.abort()
            return
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        route.fulfill(body=file.read_bytes(), headers={"content-type": kind, "content-security-policy": POLICY})


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    """A clinic of twenty-four clinicians, one of whom is new and has too few clients."""
    folder = tmp_path_factory.mktemp("site")
    build_site(reader_of(frames.clinic(clinicians=24, clients_each=30)), folder=folder, settings=frames.settings())
    return Site(folder, [])


@pytest.fixture(scope="module")
def light(browser: Browser, site: Site):
    """One window for the module's pages in the light."""
    context = browser.new_context(reduced_motion="reduce", color_scheme="light")
    context.route("**/*", site.answer)
    yield context
    context.close()


@pytest.fixture(scope="module")
def dark(browser: Browser, site: Site):
    """One window for the module's pages in the dark."""
    context = browser.new_context(reduced_motion="reduce", color_scheme="dark")
    context.route("**/*", site.answer)
    yield context
    context.close()


def opened(context: BrowserContext, place: str, *, width: int = 1440) -> tuple[Page, list[str]]:
    """A page with every chart drawn, and the errors it reported on the way."""
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{ORIGIN}/{place}")
    settle(page)
    return page, errors


def settle(page: Page) -> None:
    """Open what is folded, wait for type and charts, and for the browser to have painted them."""
    page.evaluate("() => document.querySelectorAll('.folded').forEach((each) => { each.open = true; })")
    page.evaluate(
        "() => document.fonts.ready.then(() => window.__all()).then(() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f))))"
    )


def resized(page: Page, *, width: int) -> None:
    """The same page at another width, redrawn."""
    page.set_viewport_size({"width": width, "height": 900})
    settle(page)


@pytest.mark.parametrize("kind", PAGES)
def test_no_page_clips_overlaps_or_scrolls_sideways_at_any_width(light, site, kind):
    page, errors = opened(light, PAGES[kind])
    faults = {}
    for width in WIDTHS:
        resized(page, width=width)
        faults[width] = page.evaluate(FAULTS)
    page.close()
    assert faults == {width: [] for width in WIDTHS}
    assert errors == []
    assert site.strangers == []


@pytest.mark.parametrize("kind", PAGES)
def test_no_page_clips_or_overlaps_on_paper(light, kind):
    page, errors = opened(light, PAGES[kind], width=PAPER_WIDTH)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.evaluate("() => new Promise((f) => requestAnimationFrame(() => requestAnimationFrame(f)))")
    faults = [fault for fault in page.evaluate(FAULTS) if not fault.startswith("smaller")]
    page.close()
    assert faults == []
    assert errors == []


@pytest.mark.parametrize(
    ("appearance", "kind", "width"),
    [
        *(("light", kind, 1440) for kind in PAGES),
        *(("light", kind, 390) for kind in ("overview", "clinician")),
        *(("dark", kind, 1440) for kind in ("overview", "clinician", "data quality")),
        ("dark", "overview", 390),
    ],
)
def test_the_accessibility_checker_finds_nothing(request, appearance, kind, width):
    page, _ = opened(request.getfixturevalue(appearance), PAGES[kind], width=width)
    found = Axe().run(page, options=AXE).response["violations"]
    page.close()
    assert {one["id"]: [node["html"][:120] for node in one["nodes"]] for one in found} == {}


def test_every_chart_has_its_numbers_beside_it_without_script(browser, site):
    context = browser.new_context(java_script_enabled=False)
    context.route("**/*", site.answer)
    page = context.new_page()
    page.goto(f"{ORIGIN}/{PAGES['clinician']}")
    charts = page.locator(".chart")
    assert charts.count() >= 4
    for place in range(charts.count()):
        table = charts.nth(place).locator("xpath=ancestor::section[1]").locator("table")
        assert table.locator("tbody tr").count() > 0
    context.close()


def test_a_page_opened_from_a_file_draws_its_charts(browser, site):
    context = browser.new_context()
    page = context.new_page()
    page.goto((site.folder / PAGES["overview"]).as_uri())
    settle(page)
    assert page.evaluate(FAULTS) == []
    context.close()


def test_a_download_says_where_it_comes_from_and_runs_no_formula(light):
    page, _ = opened(light, PAGES["overview"])
    with page.expect_download() as started:
        page.locator("button.csv").first.click()
    text = Path(started.value.path()).read_text(encoding="utf-8-sig")
    page.close()
    assert "run 8f31c2a0" in text
    assert not [
        cell for line in text.splitlines() for cell in line.split(",") if cell.strip('"')[:1] in {"=", "@", "\t"}
    ]


def test_rows_of_clients_can_be_saved_as_a_picture(light):
    page, errors = opened(light, PAGES["clinician"])
    buttons = page.locator("button.rows-png")
    assert buttons.count() >= 2
    for place in range(buttons.count()):
        with page.expect_download() as started:
            buttons.nth(place).click()
        assert Path(started.value.path()).read_bytes().startswith(b"\x89PNG")
        assert Path(started.value.path()).stat().st_size > 5000
    page.close()
    assert errors == []


def test_a_name_laid_over_a_code_stands_in_charts_and_downloads_too(light, site):
    context = light.browser.new_context()

    def named(route: Route) -> None:
        file = site.folder / PAGES["overview"]
        text = file.read_text(encoding="utf-8")
        # A label of a chart is made a code that stands on the page.
        code = re.search(r'data-clinician="(C-\d+)"', text).group(1)
        labelled = text.replace('"text":"95%"', f'"text":"{code}"', 1)
        laid = re.sub(r'(data-clinician="[^"]+">)C-(\d+)<', r"\1Dr \2<", labelled)
        route.fulfill(body=laid, headers={"content-type": "text/html", "content-security-policy": POLICY})

    context.route("**/*", site.answer)
    context.route(f"{ORIGIN}/{PAGES['overview']}", named)
    page = context.new_page()
    page.goto(f"{ORIGIN}/{PAGES['overview']}")
    settle(page)
    drawn = page.locator(".chart text").all_text_contents()
    table = page.evaluate("window.__csv(document.querySelector('table[data-name=conversations]'))")
    context.close()
    assert any(text.startswith("Dr ") for text in drawn)
    assert not [text for text in drawn if text.startswith("C-")]
    assert "Dr 10" in table


def test_filters_change_the_panels_and_stand_in_the_address(light, site):
    page, errors = opened(light, PAGES["overview"])
    before = page.locator("#closer-title").text_content()
    page.select_option("select[name=period]", "6")
    page.select_option("select[name=place]", "site-north")
    page.wait_for_url("**place=site-north**")
    page.locator(".showing", has_text="Site north, the 6 months").wait_for()
    address = page.url
    assert page.locator("#closer-title").text_content() != before
    assert "period=6" in address
    fewer = page.locator("#closer-funnel-table tbody tr").count()
    page.select_option("select[name=least]", "30")
    page.locator(".showing", has_text="at least 30").wait_for()
    assert page.locator("#closer-funnel-table tbody tr").count() <= fewer
    assert "Shown: Site north" in page.evaluate("window.__csv(document.getElementById('closer-table'))")
    assert page.evaluate(FAULTS) == []
    page.close()
    again, _ = opened(light, address.removeprefix(f"{ORIGIN}/"))
    again.locator(".showing", has_text="Site north, the 6 months").wait_for()
    again.close()
    assert errors == []


def test_the_keyboard_reaches_the_content_first(light):
    page, _ = opened(light, PAGES["overview"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
    page.close()
