"""What the tests of the verbs share: a state folder with one published version."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from assets import warehouse


@pytest.fixture
def published(tmp_path: Path) -> Callable[[Callable[[duckdb.DuckDBPyConnection], None]], Path]:
    """Publishes a version of the tables that are made in it; the state folder."""

    def publish(make: Callable[[duckdb.DuckDBPyConnection], None]) -> Path:
        home = tmp_path / "home"
        staged = home / "work" / "staged"
        staged.mkdir(parents=True)
        with duckdb.connect(str(staged / warehouse.WAREHOUSE_FILE)) as con:
            make(con)
        warehouse.publish(staged, home=home, version=warehouse.new_version(datetime.now(UTC)), keep=3)
        return home

    return publish
