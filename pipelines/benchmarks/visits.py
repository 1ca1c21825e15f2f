"""What a browser sees of a page's coming: when something stands, when charts are drawn, what was sent, how quickly a filter answers.

Belongs here: driving Chromium, with nothing remembered from one visit to the next. Does not belong here: which pages are
asked for and what was promised (`pages`). Everything goes through the gatekeeper, under its content policy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from assets.feeds.wrong_input import WrongInput
from pipelines.browser import BrowserMachine, NoBrowser, find_or_install, launch_flags

WINDOW: Final = {"width": 1440, "height": 900}
_MOST_SECONDS: Final = 30

# Asked anew at every frame, so that the time is that of the first frame in which every chart in view stands; where the
# opening fills the window, the first chart, which is drawn before a reader comes to it.
_WATCH: Final = """(() => {
  const look = () => {
    const all = [...document.querySelectorAll(".chart")].filter((box) => box.getBoundingClientRect().height > 0);
    const inView = all.filter((box) => box.getBoundingClientRect().top < innerHeight);
    const seen = inView.length ? inView : all.slice(0, 1);
    if (seen.length && seen.every((box) => box.querySelector("svg.main-svg"))) { window.__drawn = performance.now(); return; }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""
_TIMES: Final = """(most) => new Promise((answer, fail) => {
  const look = () => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const way = performance.getEntriesByType("navigation")[0];
    if (window.__drawn && paint && way.loadEventEnd) {
      answer({ byte: way.responseStart - way.requestStart, paint: paint.startTime, drawn: window.__drawn });
    } else if (performance.now() > most) { fail(new Error("no chart in view was drawn")); } else { setTimeout(look, 20); }
  };
  look();
})"""
_CHOOSE: Final = """([name, value, ids]) => new Promise((answer) => {
  const field = document.querySelector(`form.filters select[name=${name}]`);
  const begun = performance.now();
  const drawn = ids.map((id) => new Promise((done) => document.getElementById(id).once("plotly_afterplot", done)));
  field.value = value;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  Promise.all(drawn).then(() => requestAnimationFrame(() => answer(performance.now() - begun)));
})"""
_FILTERED: Final = ("closer-chart", "closer-funnel-chart")


@dataclass(frozen=True, kw_only=True)
class Visit:
    """One visit of a browser that has nothing; milliseconds since it began, and bytes on the line with their heads.

    Attributes:
        first_byte: from asking for the page to its first byte.
        first_paint: until the first words stand.
        drawn: until every chart in view is drawn.
        sent: of everything that was asked for until then.
        bundle: of the charts' library among it.
    """

    first_byte: float
    first_paint: float
    drawn: float
    sent: int
    bundle: int


@contextmanager
def browser() -> Iterator[Browser]:
    """A headless Chromium.

    Raises:
        WrongInput: where there is none and none can be installed.
    """
    machine = BrowserMachine()
    try:
        path = find_or_install(machine, say=lambda _: None)
    except NoBrowser as none:
        raise WrongInput("there is no browser", place="bench pages", mend=str(none)) from none
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=launch_flags(machine))
        yield started
        started.close()


def visit(browser: Browser, *, address: str, cookie: tuple[str, str]) -> Visit:
    """Open one page in a window that has never been anywhere, signed in by a session's cookie."""
    with _window(browser, address=address, cookie=cookie) as context:
        page = context.new_page()
        sent = _counted(context, page)
        page.add_init_script(_WATCH)
        page.goto(address, wait_until="load")
        times = page.evaluate(_TIMES, _MOST_SECONDS * 1000)
    return Visit(
        first_byte=times["byte"],
        first_paint=times["paint"],
        drawn=times["drawn"],
        sent=sum(sent.values()),
        bundle=sum(size for url, size in sent.items() if "/assets/plotly." in url),
    )


def redraws(browser: Browser, *, address: str, cookie: tuple[str, str], times: int) -> list[float]:
    """Milliseconds from choosing another period to the frame in which both charts show it, once a choice."""
    with _window(browser, address=address, cookie=cookie) as context:
        page = context.new_page()
        page.goto(address, wait_until="load")
        page.evaluate("() => { document.querySelectorAll('details').forEach((each) => { each.open = true; }); }")
        page.evaluate("() => window.__all()")
        field = page.locator("form.filters select[name=period]")
        values = [
            each.get_attribute("value")
            for each in field.locator("option").all()
            if each.get_attribute("disabled") is None
        ]
        now = field.input_value()
        others = [each for each in values if each != now]
        choices = [*others, now]
        return [
            float(page.evaluate(_CHOOSE, ["period", choices[place % len(choices)], list(_FILTERED)]))
            for place in range(times)
        ]


@contextmanager
def _window(browser: Browser, *, address: str, cookie: tuple[str, str]) -> Iterator[BrowserContext]:
    name, token = cookie
    origin = "/".join(address.split("/")[:3])
    context = browser.new_context(viewport=WINDOW)
    context.add_cookies([{"name": name, "value": token, "url": origin}])
    yield context
    context.close()


def _counted(context: BrowserContext, page: Page) -> dict[str, int]:
    """What comes over the line, by address, as it comes."""
    asked: dict[str, str] = {}
    sent: dict[str, int] = {}

    def begun(event: dict[str, Any]) -> None:
        asked[event["requestId"]] = event["request"]["url"]

    def ended(event: dict[str, Any]) -> None:
        url = asked[event["requestId"]]
        if url.startswith("http"):
            sent[url] = sent.get(url, 0) + int(event["encodedDataLength"])

    line = context.new_cdp_session(page)
    line.on("Network.requestWillBeSent", begun)
    line.on("Network.loadingFinished", ended)
    line.send("Network.enable")
    return sent
