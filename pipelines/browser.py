"""Finding a browser for the tests, or installing one: each way in turn, and one clear sentence when none is left.

Driving the browser belongs in the tests.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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


def run_quietly(command: list[str]) -> bool:
    """Run an installer's command, keeping its words to ourselves; whether it went well."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def playwrights_own() -> str | None:
    """Where Playwright's own Chromium is, if it has been downloaded."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (only when a browser is wanted)

    with sync_playwright() as playwright:
        return existing(playwright.chromium.executable_path)


def existing(path: str) -> str | None:
    """The path itself, if a file stands there."""
    return path if Path(path).is_file() else None


def _is_debian(os_release: Path) -> bool:
    return os_release.is_file() and "ID=debian" in os_release.read_text(encoding="utf-8").splitlines()


@dataclass(frozen=True)
class Machine:
    """What the search may look at and do here; the tests put a machine of their own in its place."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    which: Callable[[str], str | None] = shutil.which
    own: Callable[[], str | None] = playwrights_own
    run: Callable[[list[str]], bool] = run_quietly
    is_root: bool = field(default_factory=lambda: os.geteuid() == 0)
    is_debian: bool = field(default_factory=lambda: _is_debian(Path("/etc/os-release")))


def find(machine: Machine) -> str | None:
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


def find_or_install(machine: Machine, *, say: Callable[[str], None]) -> str:
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
    # Debian only: what Ubuntu installs under this name is a stub that fetches another kind of package.
    if machine.is_root and machine.is_debian:
        say("installing Debian's chromium for the browser tests (once)")
        machine.run(["apt-get", "update"])
        machine.run(["apt-get", "install", "-y", "--no-install-recommends", "chromium"])
        found = find(machine)
        if found:
            return found
    say("downloading Playwright's chromium for the browser tests (once)")
    machine.run([sys.executable, "-m", "playwright", "install", "--with-deps", "chromium"])
    found = find(machine)
    if not found:
        raise NoBrowser(NO_BROWSER)
    return found


def launch_flags(machine: Machine) -> list[str]:
    """What Chromium is started with here."""
    return [*QUIET, "--no-sandbox"] if machine.is_root else list(QUIET)
