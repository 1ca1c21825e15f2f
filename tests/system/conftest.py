"""What the tests of the whole thing share: nights that have been run, and a browser, found as the `test` verb finds it."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from assets.feeds.synthetic import write_export
from pipelines.browser import NO_BROWSER, BrowserMachine, find, launch_flags
from tests.system.night_runs import DATA_DATE, DEMO, THREE_SITES, Ended, run_nightly


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory, shared_export: Path) -> Ended:
    """One night over the three-site export."""
    return run_nightly(config=THREE_SITES, inbox=shared_export, home=tmp_path_factory.mktemp("night"))


@pytest.fixture(scope="session")
def small_inbox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A synthetic clinic's export, small enough for many nights."""
    folder = tmp_path_factory.mktemp("small") / "inbox"
    write_export(folder, seed=7, clinicians=12, clients=60, data_on=date.fromisoformat(DATA_DATE))
    return folder


@pytest.fixture(scope="session")
def small_night(tmp_path_factory: pytest.TempPathFactory, small_inbox: Path) -> Ended:
    """One night over the small export, for tests to copy its state folder."""
    return run_nightly(config=DEMO, inbox=small_inbox, home=tmp_path_factory.mktemp("small_night"))


# A module, not the session: while Playwright is open its event loop runs, and no other test could start one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium for one module's tests; without one the test fails, it does not skip.

    Under the site's content policy `page.wait_for_function("text")` cannot work, since it evaluates in the page:
    poll with `page.evaluate`, or use locators.
    """
    machine = BrowserMachine()
    path = find(machine)
    if path is None:
        pytest.fail(f"{NO_BROWSER}; `python3 -m pipelines test` looks for one and installs it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=launch_flags(machine))
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a window of its own, with nothing remembered from another test and no movement."""
    context = browser.new_context(reduced_motion="reduce", viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()
