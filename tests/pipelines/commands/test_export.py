import json

import duckdb
import polars as pl
import pyarrow.parquet as pq
import pytest

from assets import warehouse
from pipelines.command_line import run


@pytest.fixture
def home(published):
    """A state folder with one published version of two tables."""

    def make(con):
        con.execute("CREATE SCHEMA marts")
        con.execute("CREATE TABLE marts.sites AS SELECT range AS number, 'x' || range AS site FROM range(250000)")
        con.execute("COMMENT ON COLUMN marts.sites.site IS 'The place.'")
        con.execute("CREATE SCHEMA quality")
        con.execute("CREATE TABLE quality.empty (made_at TIMESTAMP, shares DOUBLE[])")

    return published(make)


def test_every_table_becomes_a_file_with_all_its_rows_in_order(home, tmp_path, capsys):
    assert run(["export", "--to", str(tmp_path / "out"), "--home", str(home)]) == 0

    with duckdb.connect(str(home / warehouse.WAREHOUSE_FILE), read_only=True) as con:
        assert pl.read_parquet(tmp_path / "out/marts/sites.parquet").equals(con.sql("FROM marts.sites").pl())
        assert (
            pl.read_parquet(tmp_path / "out/quality/empty.parquet").schema == con.sql("FROM quality.empty").pl().schema
        )
    told = json.loads((tmp_path / "out/contents.json").read_text())
    assert told == {"version": warehouse.current_version(home), "rows": {"marts.sites": 250000, "quality.empty": 0}}
    assert "2 tables, 250,000 rows" in capsys.readouterr().out


def test_a_column_carries_its_meaning(home, tmp_path):
    run(["export", "--to", str(tmp_path / "out"), "--home", str(home)])
    schema = pq.read_schema(tmp_path / "out/marts/sites.parquet")
    assert schema.field("site").metadata[b"meaning"] == b"The place."
    assert "# Data dictionary" in (tmp_path / "out/DICTIONARY.md").read_text()


def test_one_table_may_be_asked_for(home, tmp_path):
    assert run(["export", "--to", str(tmp_path / "out"), "--table", "marts.sites", "--home", str(home)]) == 0
    assert [path.name for path in (tmp_path / "out").rglob("*.parquet")] == ["sites.parquet"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--table", "marts.nothing"], "--table marts.nothing: there is no such table; `query` alone lists them"),
        (["--version", "20200101T000000000000Z"], "no such version is kept"),
    ],
)
def test_what_is_not_there_gets_one_line_and_leaves_no_folder(home, tmp_path, capsys, words, said):
    assert run(["export", "--to", str(tmp_path / "out"), "--home", str(home), *words]) == 2
    assert said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_a_folder_that_is_there_is_never_written_over(home, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    assert run(["export", "--to", str(tmp_path / "out"), "--home", str(home)]) == 2
    assert "name a folder that is not there yet" in capsys.readouterr().err
