import io
import json
import sys

import polars as pl
import pytest

from pipelines.command_line import run


@pytest.fixture
def home(published):
    """A state folder with one published version of one table, and its comment."""

    def make(con):
        con.execute("CREATE SCHEMA marts")
        con.execute(
            "CREATE TABLE marts.sites AS SELECT * FROM (VALUES ('north', 2), ('south', 3)) AS t (site, clinicians)"
        )
        con.execute("COMMENT ON TABLE marts.sites IS 'One row a site.'")

    return published(make)


@pytest.fixture
def ask(home, capsys):
    def asked(*words):
        status = run(["query", *words, "--home", str(home)])
        said = capsys.readouterr()
        return status, said.out, said.err

    return asked


def test_without_a_question_the_tables_are_listed_with_what_they_mean(ask):
    status, shown, _ = ask()
    assert status == 0
    assert "marts.sites" in shown
    assert "One row a site." in shown


def test_an_answer_is_a_table_on_the_terminal_and_csv_or_json_for_a_program(ask):
    question = "SELECT site, clinicians FROM marts.sites ORDER BY site"
    assert "north" in ask(question)[1]
    assert ask(question, "--format", "csv")[1] == "site,clinicians\nnorth,2\nsouth,3\n"
    assert json.loads(ask(question, "--format", "json")[1])[1] == {"site": "south", "clinicians": 3}


@pytest.mark.parametrize(
    ("name", "read"), [("a.csv", pl.read_csv), ("a.parquet", pl.read_parquet), ("a.json", pl.read_json)]
)
def test_a_files_ending_says_how_it_is_written(ask, tmp_path, name, read):
    assert ask("FROM marts.sites ORDER BY site", "--to", str(tmp_path / name))[0] == 0
    assert read(tmp_path / name).rows() == [("north", 2), ("south", 3)]


def test_a_question_may_come_from_standard_input(ask, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("SELECT COUNT(*) AS n FROM marts.sites"))
    assert ask("-", "--format", "csv")[1] == "n\n2\n"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM marts.sites",
        "CREATE TEMP TABLE copy AS FROM marts.sites",
        "SELECT 1; SELECT 2",
        "",
        "SELECT * FROM read_csv('/etc/hostname')",
        "ATTACH '/tmp/other.duckdb'",
        "SET memory_limit = '90GB'",
        "SELECT nothing FROM marts.sites",
        "SELEC 1",
    ],
)
def test_whatever_is_not_one_readable_select_gets_one_line_and_changes_nothing(ask, statement):
    status, shown, complaint = ask(statement) if statement else ask("   ")
    assert status == 2
    assert shown == ""
    assert complaint.count("\n") == 1
    assert complaint.startswith("rapport: the query: ")
    assert ask("SELECT COUNT(*) AS n FROM marts.sites", "--format", "csv")[1] == "n\n2\n"


def test_a_question_that_needs_more_memory_than_it_may_take_is_refused_in_one_line(ask):
    status, _, complaint = ask("SELECT list(range) FROM range(50000000)", "--memory", "40MB")
    assert status == 2
    assert "emory" in complaint


def test_parquet_is_not_written_to_a_terminal(ask):
    assert ask("FROM marts.sites", "--format", "parquet")[2] == (
        "rapport: --format parquet: Parquet is not for a terminal; add --to FILE.parquet\n"
    )


def test_before_the_first_night_it_says_how_to_get_one(tmp_path, capsys):
    assert run(["query", "--home", str(tmp_path)]) == 2
    assert "nothing is published there yet" in capsys.readouterr().err


def test_a_version_that_is_not_kept_is_named(ask):
    assert "no such version is kept" in ask("FROM marts.sites", "--version", "20200101T000000000000Z")[2]
