"""What is made a part of the service at a time is what is made of all of it: three hundred courses a part, against the night."""

from collections.abc import Iterator, Mapping

import duckdb
import pytest

from assets import warehouse
from assets.analysis import alliance, endings, measures, series
from assets.contracts import analysis, field_measures
from assets.contracts import endings as endings_contract
from assets.service import read_service
from tests.system.night_runs import THREE_SITES

MADE = {
    analysis.CLIENT_CHANGE: measures._change,
    field_measures.DROP_OUT: measures._endings,
    field_measures.EPISODE_GAPS: measures._endings,
    field_measures.MILESTONES_REACHED: measures._milestones,
    analysis.RUPTURES: alliance._ruptures,
    endings_contract.AFTER_RUPTURE: endings._after_rupture,
    endings_contract.HOLDING_BACK: endings._holding_back,
    endings_contract.HOLDING_BACK_CALIBRATION: endings._holding_back,
    endings_contract.MISSING_FORMS: endings._missing_forms,
}


@pytest.fixture(scope="module")
def con(night) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{night.home / 'warehouse.duckdb'}' AS published (READ_ONLY)")
        connection.execute("SET TimeZone = 'UTC'; USE published")
        yield connection


@pytest.mark.parametrize("table", MADE, ids=lambda table: table.name)
def test_a_table_made_of_parts_is_the_table_made_at_once(con, monkeypatch, table):
    monkeypatch.setattr(series, "AT_ONCE", 300)
    made = MADE[table](con, read_service(THREE_SITES))
    if isinstance(made, Mapping):
        made = made[table.name]
    frame = warehouse.read_frame(con, made) if isinstance(made, str) else made
    con.register("made_of_parts", frame.to_arrow())
    columns = ", ".join(f"CAST({column.name} AS {column.duckdb_type}) AS {column.name}" for column in table.columns)
    parts, whole = f"SELECT {columns} FROM made_of_parts", f"SELECT {columns} FROM {table.full_name}"
    assert con.sql(f"{parts} EXCEPT ALL {whole}").fetchall() == []
    assert con.sql(f"{whole} EXCEPT ALL {parts}").fetchall() == []
    assert con.sql(f"SELECT COUNT(*) FROM {table.full_name}").fetchall()[0][0] > 0
