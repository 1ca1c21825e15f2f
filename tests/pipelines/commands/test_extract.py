from datetime import date

import polars as pl
import pytest

from assets.contracts import dictionary
from assets.contracts.extract import EXTRACT
from assets.contracts.registry import table
from pipelines.command_line import run

TABLES = ("analysis.client_change", "marts.episodes", "marts.clients", "quality.run")


def put(con, name, **row):
    con.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})", list(row.values()))


@pytest.fixture
def home(published):
    """A state folder with a published version of twelve clients' courses."""

    def make(con):
        for name in TABLES:
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
            con.execute(dictionary.create_sql(table(name)))
        put(con, "quality.run", data_date=date(2026, 11, 20))
        for n in range(12):
            put(con, "marts.clients", client_id=f"K{n}", case_id=f"K{n}", age_band="30-39", gender="female")
            put(con, "marts.episodes", episode_id=f"E{n}", case_id=f"K{n}", started_on=date(2026, 1, 1 + n), sessions=n)
            put(
                con,
                "analysis.client_change",
                client_id=f"K{n}",
                episode_id=f"E{n}",
                instrument="PHQ-9",
                is_open=False,
                first_score=15.0,
                category="unchanged",
            )

    return published(make)


def test_an_extract_holds_no_code_and_comes_with_its_dictionary(home, tmp_path, capsys):
    to = tmp_path / "given" / "away"
    assert run(["extract", "--to", str(to), "--home", str(home)]) == 0
    rows = pl.read_parquet(to / "courses.parquet")
    assert rows.columns == [column.name for column in EXTRACT.columns]
    assert rows.height == 12
    everything = b"".join(path.read_bytes() for path in to.iterdir())
    assert b"K1" not in everything
    assert b"E1" not in everything
    assert "at least 10 clients" in (to / "DICTIONARY.md").read_text(encoding="utf-8")
    assert "12 rows in 1 combination of at least 12 clients" in capsys.readouterr().out


def test_more_are_asked_for_than_there_are(home, tmp_path, capsys):
    assert run(["extract", "--k", "20", "--to", str(tmp_path / "none"), "--home", str(home)]) == 0
    assert pl.read_parquet(tmp_path / "none" / "courses.parquet").height == 0
    assert "left out: 12 of 12 rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--k", "1", "--to", "x"], "'--k'"),
        (["--to", "{home}"], "it is there already"),
        (["--to", "x", "--home", "{home}/nowhere"], "nothing is published there yet"),
    ],
)
def test_a_wrong_wish_gets_one_line(words, said, home, capsys):
    given = [word.format(home=home) for word in words]
    assert run(["extract", *given, *([] if "--home" in given else ["--home", str(home)])]) == 2
    complained = capsys.readouterr().err
    assert said in complained
    assert complained.count("\n") == 1
