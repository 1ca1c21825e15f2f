"""The night as its steps are given it: its build is held open while the run lasts, and written out whole at its end."""

import dagster as dg
import duckdb
import pytest

from assets import warehouse
from assets.resources import Night


@pytest.fixture
def night(tmp_path):
    return Night(config_file=str(tmp_path / "clinic.toml"), inbox=str(tmp_path), home=str(tmp_path / "home"))


def files_of(night):
    return sorted(path.name for path in night.work.iterdir() if path.is_file())


def test_the_steps_of_a_run_share_one_open_build_and_see_each_others_tables(night):
    with night.yield_for_execution(dg.build_init_resource_context()):
        night.begin_build()
        with night.open_build() as first:
            first.execute("CREATE TABLE marts.made AS SELECT 1 AS one")
        with night.open_build() as second:
            assert second.sql("SELECT one FROM marts.made").fetchall() == [(1,)]
            assert second.sql("SELECT current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_what_a_step_keeps_for_itself_ends_with_it(night):
    with night.yield_for_execution(dg.build_init_resource_context()):
        night.begin_build()
        with night.open_build() as first:
            first.execute("CREATE TEMP TABLE own AS SELECT 1 AS one")
        with night.open_build() as second, pytest.raises(duckdb.CatalogException):
            second.execute("SELECT * FROM own")


def test_a_step_that_breaks_off_in_a_transaction_leaves_nothing_of_it_to_the_next(night):
    with night.yield_for_execution(dg.build_init_resource_context()):
        night.begin_build()
        with night.open_build() as first:
            first.begin()
            first.execute("CREATE TABLE marts.made AS SELECT 1 AS one")
        with night.open_build() as second, pytest.raises(duckdb.CatalogException):
            second.execute("SELECT * FROM marts.made")


def test_the_files_are_whole_and_free_once_the_run_is_over(night):
    with night.yield_for_execution(dg.build_init_resource_context()):
        night.begin_build()
        with night.open_build() as con:
            con.execute("CREATE TABLE marts.made AS SELECT 1 AS one")
    assert files_of(night) == [warehouse.BUILD_FILE, warehouse.SCRATCH_FILE]
    with duckdb.connect(str(night.work / warehouse.BUILD_FILE), read_only=True) as readers:
        assert readers.sql("SELECT one FROM marts.made").fetchall() == [(1,)]


def test_a_build_that_begins_within_a_run_begins_afresh(night):
    with night.yield_for_execution(dg.build_init_resource_context()):
        night.begin_build()
        with night.open_build() as con:
            con.execute("CREATE TABLE marts.made AS SELECT 1 AS one")
        night.begin_build()
        with night.open_build() as con, pytest.raises(duckdb.CatalogException):
            con.execute("SELECT * FROM marts.made")
