import subprocess
import sys
from pathlib import Path

import click
import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines import command_line
from pipelines.command_line import VERBS, cli, run

ROOT = Path(command_line.__file__).resolve().parents[1]


@pytest.fixture
def verb(monkeypatch):
    """Put a verb's body in the place of a verb that exists."""

    def replaced(body):
        monkeypatch.setattr(command_line.Verbs, "get_command", lambda *_: click.command(name="test")(body))
        return run(["test"])

    return replaced


def test_help_names_every_verb_that_exists_and_no_other(capsys):
    assert run(["--help"]) == 0
    shown = capsys.readouterr().out
    existing = [verb for verb in VERBS if (ROOT / "pipelines" / "commands" / f"{verb}.py").is_file()]
    listed = [line.split()[0] for line in shown.partition("Verbs:")[2].splitlines() if line.strip()]
    assert listed == existing
    assert "test" in listed


def test_without_a_verb_the_help_is_shown(capsys):
    assert run([]) == 0
    assert "Verbs:" in capsys.readouterr().out


def test_every_verb_has_a_page_of_help(capsys):
    for verb in cli.list_commands(click.Context(cli)):
        assert run([verb, "--help"]) == 0
        assert f"Usage: python3 -m pipelines {verb}" in capsys.readouterr().out


def test_asking_for_help_loads_no_verb_and_nothing_heavy():
    names = "{'dagster', 'polars', 'duckdb', 'numpy', 'great_expectations', 'plotly'}"
    program = f"import sys; from pipelines.command_line import run; run([]); print({names} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "set()"


@pytest.mark.parametrize("words", [["nosuchverb"], ["bench"], ["bench", "x", "--rows", "many"], ["--nosuchoption"]])
def test_a_word_it_does_not_know_gets_one_line_that_points_to_help(words, capsys):
    assert run(words) == 2
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert complaint.startswith("rapport: ")
    assert complaint.endswith(" --help`\n")


def test_wrong_input_is_one_line_with_its_place_and_mend_and_status_2(verb, capsys):
    def body():
        raise WrongInput(
            "there is no\nsuch column", place="clinic.toml: feeds.alliance", mend="name one of its columns"
        )

    assert verb(body) == 2
    assert capsys.readouterr().err == (
        "rapport: clinic.toml: feeds.alliance: there is no such column; name one of its columns\n"
    )


def test_ctrl_c_ends_with_status_130(verb):
    def body():
        raise KeyboardInterrupt

    assert verb(body) == 130


def test_a_fault_of_ours_stays_an_exception(verb):
    def body():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        verb(body)


@pytest.mark.parametrize(("returned", "status"), [(None, 0), (0, 0), (1, 1)])
def test_what_a_verb_returns_is_its_exit_status(verb, returned, status):
    assert verb(lambda: returned) == status
