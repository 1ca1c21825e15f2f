from datetime import UTC, date, datetime

import duckdb
import pytest

from assets import warehouse
from assets.contracts import dictionary
from assets.contracts.quality import RECONCILIATION, RUN
from assets.last_version import read_last


@pytest.fixture
def publish(tmp_path):
    """Publishes a version made by some SQL; returns the state folder."""

    def published(*statements):
        staged = tmp_path / "work" / "staged"
        staged.mkdir(parents=True)
        with duckdb.connect(str(staged / warehouse.WAREHOUSE_FILE)) as con:
            con.execute("CREATE SCHEMA quality")
            for statement in statements:
                con.execute(statement)
        warehouse.publish(staged, home=tmp_path, version=warehouse.new_version(datetime.now(UTC)), keep=2)
        return tmp_path

    return published


def test_the_table_that_readers_have_is_read_with_its_columns(publish):
    home = publish(dictionary.create_sql(RUN), "INSERT INTO quality.run (data_date) VALUES (DATE '2026-11-20')")
    last = read_last(home, RUN)
    assert last is not None
    assert last["data_date"].to_list() == [date(2026, 11, 20)]
    assert last.columns == [column.name for column in RUN.columns]


def test_before_the_first_version_there_is_nothing_to_read(tmp_path):
    assert read_last(tmp_path, RUN) is None


def test_a_version_without_the_table_has_nothing_to_compare_with(publish):
    assert read_last(publish(dictionary.create_sql(RUN)), RECONCILIATION) is None


def test_nor_has_one_whose_table_had_other_columns(publish):
    assert read_last(publish("CREATE TABLE quality.run AS SELECT DATE '2026-11-20' AS data_date"), RUN) is None
