"""What the tests of the whole thing share: a browser, found as the `test` verb finds it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pipelines.browser import NO_BROWSER, Machine, find, launch_flags


# A module, not the session: while Playwright is open its event loop runs, and no other test could start one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium for one module's tests; without one the test fails, it does not skip.

    Under the site's content policy `page.wait_for_function("text")` cannot work, since it evaluates in the page:
    poll with `page.evaluate`, or use locators.
    """
    machine = Machine()
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
