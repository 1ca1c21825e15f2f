"""Finding a browser for the tests, or installing one: each way in turn, and one clear sentence when none is left.

Driving the browser belongs in the tests.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipelines.machine import Machine

CHOSEN_BY = "RAPPORT_BROWSER"
NAMES = ("chromium", "google-chrome")
NO_BROWSER = (
    "No browser for the tests was found and none could be installed: install Chromium or Google Chrome, "
    f"or set {CHOSEN_BY} to the path of one"
)
# Chromium calls home at each start unless it is told not to; --no-sandbox is what it asks of root.
QUIET = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)


class NoBrowser(Exception):
    """There is no browser, and the message says what mends it."""


def playwrights_own() -> str | None:
    """Where Playwright's own Chromium is, if it has been downloaded."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only when a browser is wanted)

    with sync_playwright() as playwright:
        return existing(playwright.chromium.executable_path)


def existing(path: str) -> str | None:
    """The path itself, if a file stands there."""
    return path if Path(path).is_file() else None


@dataclass(frozen=True)
class BrowserMachine(Machine):
    """The machine, and the browser that Playwright keeps on it."""

    own: Callable[[], str | None] = playwrights_own


def find(machine: BrowserMachine) -> str | None:
    """A browser that is already here: the chosen one, Playwright's own, or one on the search path.

    Raises:
        NoBrowser: when a browser was chosen and is not there; another one is then not taken in its place.
    """
    chosen = machine.environ.get(CHOSEN_BY)
    if chosen:
        if not Path(chosen).is_file():
            raise NoBrowser(f"{CHOSEN_BY} names {chosen}, where there is no browser: correct it or unset it")
        return chosen
    return machine.own() or next(filter(None, map(machine.which, NAMES)), None)


def find_or_install(machine: BrowserMachine, *, say: Callable[[str], None]) -> str:
    """A browser's path, installing one where this machine lets us.

    Args:
        machine: Where to look and what to run.
        say: Told before a long step.

    Raises:
        NoBrowser: when every way has failed.
    """
    found = find(machine)
    if found:
        return found
    if machine.installs_packages():
        say("installing Debian's chromium for the browser tests (once)")
        machine.install_packages(["chromium"])
        found = find(machine)
        if found:
            return found
    say("downloading Playwright's chromium for the browser tests (once)")
    machine.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"])
    found = find(machine)
    if not found:
        raise NoBrowser(NO_BROWSER)
    return found


def launch_flags(machine: BrowserMachine) -> list[str]:
    """What Chromium is started with here."""
    return [*QUIET, "--no-sandbox"] if machine.is_root else list(QUIET)
