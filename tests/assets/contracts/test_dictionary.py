from pathlib import Path

import duckdb
import pytest

from assets.contracts import dictionary, registry
from assets.contracts.model import Column, Kind, Table

SCHEMAS = sorted(registry.LAYERS)


@pytest.fixture
def warehouse():
    with duckdb.connect() as connection:
        for schema in SCHEMAS:
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in registry.TABLES.values():
            connection.execute(dictionary.create_sql(table))
        yield connection


def test_the_dictionary_in_the_repository_is_the_contracts_own(repository: Path):
    written = (repository / "DATA_DICTIONARY.md").read_text(encoding="utf-8")
    assert written == dictionary.render(), (
        "DATA_DICTIONARY.md is behind: write it again with `python3 -m pipelines dictionary`"
    )


def test_the_dictionary_names_every_table_with_every_column_and_its_meaning():
    text = dictionary.render()
    for table in registry.TABLES.values():
        section = text.split(f"### {table.full_name}\n")[1].split("\n###")[0]
        rows = [line for line in section.splitlines() if line.startswith("| `")]
        assert [row.split("`")[1] for row in rows] == [column.name for column in table.columns]
        for row, column in zip(rows, table.columns, strict=True):
            assert column.meaning in row
            assert all(word in row for word in column.words)
            assert row.count("|") == 6


def test_made_tables_have_the_contracts_columns_in_their_order(warehouse):
    for table in registry.TABLES.values():
        found = warehouse.execute(f"DESCRIBE {table.full_name}").fetchall()
        assert [(row[0], row[1]) for row in found] == [(column.name, column.duckdb_type) for column in table.columns]


def test_every_table_and_column_can_be_commented(warehouse):
    for table in registry.TABLES.values():
        for statement in dictionary.comments(table):
            warehouse.execute(statement)
    tables = warehouse.execute("SELECT schema_name || '.' || table_name, comment FROM duckdb_tables()").fetchall()
    assert dict(tables) == {name: table.meaning for name, table in registry.TABLES.items()}
    assert warehouse.execute(
        "SELECT count(*) FROM duckdb_columns() WHERE NOT internal AND comment IS NULL"
    ).fetchall() == [(0,)]


def test_a_meaning_with_quotes_is_kept_to_the_letter(warehouse):
    meaning = "The clinic's own word; it's not ours'."
    table = Table(
        layer="staging",
        name="quoted",
        meaning=meaning,
        key=("a",),
        columns=(Column(name="a", kind=Kind.INTEGER, meaning=meaning, unit="days", minimum=0),),
    )
    for statement in (dictionary.create_sql(table), *dictionary.comments(table)):
        warehouse.execute(statement)
    found = warehouse.execute("SELECT comment FROM duckdb_columns() WHERE table_name = 'quoted'").fetchall()
    assert found == [(f"{meaning} (days, 0 or more)",)]
