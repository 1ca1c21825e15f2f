from pathlib import Path

import pytest

from pipelines import browser
from pipelines.browser import CHOSEN_BY, NO_BROWSER, BrowserMachine, NoBrowser, find, find_or_install, launch_flags


class Pretend:
    """A machine of the test's own, which remembers what was run on it."""

    def __init__(self, *, environ=None, own=None, on_path=(), brings=None, is_root=True, is_debian=True):
        self.ran = []
        self.on_path = set(on_path)
        self.own = own
        self.brings = brings or {}
        self.machine = BrowserMachine(
            environ=environ or {},
            which=lambda name: f"/usr/bin/{name}" if name in self.on_path else None,
            own=lambda: self.own,
            run=self.run,
            is_root=is_root,
            is_debian=is_debian,
        )

    def run(self, command):
        self.ran.append(command)
        what = self.brings.get(command[0] if command[0] == "apt-get" else "playwright")
        if "install" in command and what == "own":
            self.own = "/cache/chrome"
        elif "install" in command and what:
            self.on_path.add(what)
        return True


@pytest.fixture
def said():
    return []


def test_a_chosen_browser_is_taken_before_any_other(tmp_path):
    chosen = tmp_path / "chrome"
    chosen.touch()
    pretend = Pretend(environ={CHOSEN_BY: str(chosen)}, own="/cache/chrome", on_path=["chromium"])
    assert find(pretend.machine) == str(chosen)


def test_a_chosen_browser_that_is_not_there_is_said_and_no_other_taken(tmp_path):
    pretend = Pretend(environ={CHOSEN_BY: str(tmp_path / "gone")}, own="/cache/chrome")
    with pytest.raises(NoBrowser, match="where there is no browser"):
        find(pretend.machine)


@pytest.mark.parametrize(
    ("own", "on_path", "found"),
    [
        ("/cache/chrome", ["chromium"], "/cache/chrome"),
        (None, ["google-chrome", "chromium"], "/usr/bin/chromium"),
        (None, ["google-chrome"], "/usr/bin/google-chrome"),
    ],
)
def test_playwrights_own_comes_before_those_on_the_path_and_nothing_is_installed(own, on_path, found, said):
    pretend = Pretend(own=own, on_path=on_path)
    assert find_or_install(pretend.machine, say=said.append) == found
    assert (pretend.ran, said) == ([], [])


def test_root_on_debian_installs_debians_chromium(said):
    pretend = Pretend(brings={"apt-get": "chromium"})
    assert find_or_install(pretend.machine, say=said.append) == "/usr/bin/chromium"
    assert pretend.ran == [
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
    ]
    assert len(said) == 1


@pytest.mark.parametrize("who", [{"is_root": False}, {"is_debian": False}])
def test_elsewhere_playwrights_download_is_tried_at_once(who, said):
    pretend = Pretend(brings={"playwright": "own"}, **who)
    assert find_or_install(pretend.machine, say=said.append) == "/cache/chrome"
    assert [command[1:] for command in pretend.ran] == [["-m", "playwright", "install", "--with-deps", "chromium"]]


def test_when_every_way_has_failed_one_sentence_says_what_to_do(said):
    pretend = Pretend()
    with pytest.raises(NoBrowser) as none:
        find_or_install(pretend.machine, say=said.append)
    assert str(none.value) == NO_BROWSER
    assert [command[0] == "apt-get" for command in pretend.ran] == [True, True, False]


def test_only_root_starts_the_browser_without_its_sandbox():
    assert "--no-sandbox" in launch_flags(Pretend(is_root=True).machine)
    assert "--no-sandbox" not in launch_flags(Pretend(is_root=False).machine)
    assert set(browser.QUIET) <= set(launch_flags(Pretend().machine))


def test_the_browser_that_playwright_keeps_here_is_a_file_or_none():
    own = BrowserMachine().own()
    assert own is None or Path(own).is_file()
