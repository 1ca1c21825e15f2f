"""The gatekeeper as people meet it, in a real Chromium: signing in, their pages with names, the account, signing out.

Belongs here: what needs the server and the browser both. What the pages themselves look like is tested in
`test_pages_in_the_browser`.
"""

import json
import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe

from assets import warehouse
from dashboards.site import build_site
from pipelines.gatekeeper import opening
from pipelines.gatekeeper.passwords import new_entry
from pipelines.gatekeeper.policy import Role, Viewer
from pipelines.gatekeeper.releases import MANIFEST, Releases
from pipelines.gatekeeper.reread import Fixed
from pipelines.gatekeeper.settings import Password
from tests.dashboards import made_up_clinic
from tests.dashboards.frame_reader import reader_of
from tests.pipelines.gatekeeper import served

AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
WIDTHS = (1440, 1024, 820, 390)
SETTLED = "() => document.fonts.ready.then(() => window.__all ? window.__all() : 0)"
NARROW_ENOUGH = "() => document.documentElement.scrollWidth <= innerWidth"
CLINICIANS = {"C-1001": "First & Clinician", "C-1015": "Third Clinician"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A made-up clinic's site, published."""
    home = tmp_path_factory.mktemp("served")
    tables = made_up_clinic.clinic(clinicians=6, clients_each=30)
    build_site(reader_of(tables), folder=home / "staged" / "site", settings=made_up_clinic.settings())
    (home / "staged" / warehouse.WAREHOUSE_FILE).write_bytes(b"")
    (home / "staged" / MANIFEST).write_text(json.dumps({"data_date": "2026-11-20"}), encoding="utf-8")
    warehouse.publish(home / "staged", home=home, version=served.FIRST, keep=7)
    return home


@pytest.fixture(scope="module")
def gate(home):
    """One-click sign-ins, and names for two clinicians."""
    viewers = {
        "director": Viewer(id="director", roles=frozenset({Role.DIRECTOR})),
        "clinician": Viewer(id="clinician", roles=frozenset({Role.CLINICIAN}), clinician="C-1001"),
    }
    opened = served.demo_gate(home, port=served.free_port(), viewers=viewers)
    opened.names = Fixed(CLINICIANS)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def address(gate):
    """A server with that gate."""
    with served.running(gate) as found:
        yield found


@pytest.fixture
def watched(browser):
    """A window, and the errors that it reports."""
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    page = context.new_page()
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("requestfailed", lambda request: errors.append(request.url))
    yield page, errors
    context.close()


def sign_in(page, address, viewer):
    page.goto(f"{address}/")
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("button", name=viewer).click()


def violations(page):
    found = Axe().run(page, options=AXE).response["violations"]
    return {one["id"]: [node["html"][:120] for node in one["nodes"]] for one in found}


def test_a_director_signs_in_sees_names_and_drawn_charts_and_signs_out(watched, address):
    page, errors = watched
    sign_in(page, address, "director")
    page.evaluate(SETTLED)
    assert page.url == f"{address}/"
    assert page.locator(".chart svg.main-svg").count() > 3
    page.goto(f"{address}/clinicians/")
    page.goto(f"{address}/clinicians/index.html")
    assert page.locator('[data-clinician="C-1001"]').first.inner_text() == "First & Clinician"
    assert page.locator('[data-clinician="C-1008"]').first.inner_text() == "C-1008"
    page.get_by_role("link", name="First & Clinician").click()
    page.evaluate(SETTLED)
    assert "First & Clinician" in page.locator("h1").inner_text()
    assert violations(page) == {}
    page.get_by_role("link", name="Account").click()
    page.get_by_role("button", name="Sign out here").click()
    page.wait_for_url(f"{address}/sign-in")
    page.goto(f"{address}/index.html")
    assert page.url == f"{address}/sign-in?then=/index.html"
    assert [error for error in errors if "404" not in error] == []


def test_a_clinician_begins_at_their_own_page_and_finds_no_way_to_another(watched, address):
    page, errors = watched
    sign_in(page, address, "clinician")
    page.evaluate(SETTLED)
    assert page.url == f"{address}/clinicians/C-1001.html"
    shown = page.get_by_role("navigation").get_by_role("link").all_inner_texts()
    assert {"Service overview", "Clinicians", "Data quality"} & set(shown) == set()
    assert "Account" in shown
    assert page.locator(".chart svg.main-svg").count() > 2
    assert violations(page) == {}
    assert errors == []
    page.goto(f"{address}/index.html")
    assert page.get_by_role("heading").inner_text() == "There is nothing here for you"


@pytest.fixture
def password_address(tmp_path):
    """A server with nothing published that asks for a password and a code."""
    entry, _ = new_entry("director@clinic.example", "a few random words")
    (tmp_path / "passwords.toml").write_text(entry, encoding="utf-8")
    (tmp_path / "passwords.toml").chmod(0o600)
    (tmp_path / "roster.toml").write_text(
        '[[viewers]]\nid = "director@clinic.example"\nroles = ["director"]\n', encoding="utf-8"
    )
    settings = served.settings_at(
        served.free_port(),
        sign_in=Password(method="password", passwords=tmp_path / "passwords.toml"),
        roster=tmp_path / "roster.toml",
    )
    gate = opening.open_gate(settings, home=tmp_path / "home", log=served.Quiet())
    with served.running(gate) as found:
        yield found
    gate.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_gatekeepers_own_pages_fit_every_width_and_the_accessibility_checker_finds_nothing(
    watched, address, password_address, scheme
):
    page, errors = watched
    page.emulate_media(color_scheme=scheme)
    for own in (f"{password_address}/sign-in", f"{address}/sign-in"):
        page.goto(own)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(NARROW_ENOUGH)
        assert violations(page) == {}
    sign_in(page, address, "director")
    page.goto(f"{address}/account")
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(NARROW_ENOUGH)
    assert violations(page) == {}
    page.goto(f"{address}/nowhere")
    assert violations(page) == {}
    assert [error for error in errors if "404" not in error] == []


def test_a_wrong_code_is_said_where_a_screen_reader_hears_it_and_the_keyboard_is_enough(watched, password_address):
    page, _ = watched
    page.goto(f"{password_address}/sign-in")
    for typed in ("director@clinic.example", "a few random words", "000000"):
        page.keyboard.press("Tab")
        page.keyboard.type(typed)
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").inner_text().startswith("That did not work")
    assert page.locator("#password").input_value() == ""


def test_an_open_pages_filters_keep_to_its_own_night_and_the_page_is_renewed_when_that_is_gone(
    watched, home, gate, address
):
    page, errors = watched
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith(".json") else None)
    sign_in(page, address, "director")
    page.evaluate(SETTLED)
    page.get_by_role("heading", name="Look closer").click()
    period = page.locator("form.filters select[name=period]")
    first, second = (option.get_attribute("value") for option in period.locator("option").all()[:2])
    # A night is published and the one before removed while the page is open.
    shutil.copytree(home / "published" / served.FIRST, home / "staged")
    warehouse.publish(home / "staged", home=home, version=served.later(1), keep=1)
    with page.expect_response(lambda answer: answer.url.endswith(".json")) as answered:
        period.select_option(second)
    assert answered.value.status == 200
    assert [each.rpartition("/")[0] for each in asked] == [f"{address}/at/{served.FIRST}/slices"]
    # The server has started anew meanwhile: it knows nothing of that night any more.
    gate.releases = Releases(home)
    with page.expect_event("load"):
        period.select_option(first)
    page.evaluate(SETTLED)
    assert page.locator("form.filters").get_attribute("data-slices") == f"/at/{served.later(1)}/slices/"
    assert [error for error in errors if "410" not in error and served.FIRST not in error] == []
