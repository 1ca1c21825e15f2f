import subprocess
import sys

import pytest

from pipelines.audits import Audit
from pipelines.browser import CHOSEN_BY, NoBrowser
from pipelines.command_line import run
from pipelines.commands import test as verb


class Ran:
    """Stands in for `subprocess.run`: remembers each command and answers with a status for its program."""

    def __init__(self, **statuses):
        self.statuses = statuses
        self.commands = []
        self.environments = []

    def __call__(self, command, *, env=None, **_):
        name = "pytest" if "pytest" in command else command[0].rpartition("/")[2]
        self.commands.append(command)
        self.environments.append(env)
        return subprocess.CompletedProcess(command, self.statuses.get(name.replace("-", "_"), 0), f"{name} words", "")


@pytest.fixture
def ran(monkeypatch):
    def installed(**statuses):
        stand_in = Ran(**statuses)
        monkeypatch.setattr(verb.subprocess, "run", stand_in)
        monkeypatch.setattr(verb, "find_or_install", lambda *_, **__: "/the/browser")
        monkeypatch.setattr(verb, "audits", list)
        return stand_in

    return installed


def test_every_linter_runs_and_then_the_whole_suite_last_with_the_browser_named(ran, capsys):
    stand_in = ran()
    assert run(["test"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{linter.name}: clean" for linter in verb.linters()]
    assert len(stand_in.commands) == len(verb.linters()) + 1
    assert stand_in.commands[-1][:3] == [sys.executable, "-m", "pytest"]
    assert stand_in.environments[-1][CHOSEN_BY] == "/the/browser"


@pytest.mark.parametrize("program", ["ruff", "mypy", "lint_imports"])
def test_a_linter_that_complains_fails_the_run_and_the_tests_run_all_the_same(ran, program, capsys):
    stand_in = ran(**{program: 1})
    assert run(["test"]) == 1
    shown = capsys.readouterr().out
    assert "FAILED" in shown
    assert f"{program.replace('_', '-')} words" in shown
    assert stand_in.commands[-1][2] == "pytest"


@pytest.mark.parametrize("status", [1, 2, 5])
def test_the_suites_own_status_is_the_verbs(ran, status):
    ran(pytest=status)
    assert run(["test"]) == status


def test_words_after_two_dashes_go_to_pytest_and_no_linter_runs(ran):
    stand_in = ran()
    assert run(["test", "--", "-k", "alliance", "tests/assets"]) == 0
    assert stand_in.commands == [[sys.executable, "-m", "pytest", "-k", "alliance", "tests/assets"]]


def test_without_a_browser_nothing_runs_and_one_line_says_so(ran, monkeypatch, capsys):
    stand_in = ran()

    def none(*_, **__):
        raise NoBrowser("there is none")

    monkeypatch.setattr(verb, "find_or_install", none)
    assert run(["test"]) == 2
    assert (stand_in.commands, capsys.readouterr().err) == ([], "rapport: there is none\n")


@pytest.mark.parametrize(("is_clean", "status"), [(True, 0), (False, 1)])
def test_what_an_audit_found_is_told_and_fails_the_run(ran, monkeypatch, capsys, is_clean, status):
    ran()
    monkeypatch.setattr(
        verb, "audits", lambda: [Audit(sentence="an audit: word", is_clean=is_clean, found=("here:1",))]
    )
    assert run(["test"]) == status
    assert "an audit: word\n  here:1\n" in capsys.readouterr().out
