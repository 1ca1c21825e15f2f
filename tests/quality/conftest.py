"""What tests of checks may ask for: an empty warehouse with every promised table, and small rows to put in it."""

from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from assets.contracts import dictionary, registry


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the contracts, empty."""
    with duckdb.connect() as connection:
        for schema in registry.LAYERS:
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in registry.TABLES.values():
            connection.execute(dictionary.create_sql(table))
        yield connection


@pytest.fixture
def put(warehouse: duckdb.DuckDBPyConnection) -> Callable[..., None]:
    """Adds one row to a table: `put("staging.attendance", appointment_id="a1")`; columns not named are missing."""

    def add(table: str, **row: Any) -> None:
        marks = ", ".join("?" for _ in row)
        warehouse.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    return add
