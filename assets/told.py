"""What pages are given of tables that have a row a scope: nothing withheld, and earlier rows where they are held.

Belongs here: the one place in which a night decides it, for the site and for the comparison with the version before. Does not
belong here: which groups are withheld or held (`assets.slices`), or writing the site (`assets.published`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from assets import warehouse
from assets.contracts import slices
from assets.contracts.model import Kind, Table
from assets.contracts.registry import TABLES
from assets.estimates.slices import Night, told_tonight

TOLD: Final = "told"
"""The folder of a version that keeps it for the next night, a Parquet file a table."""


def tables_of_scopes() -> Iterator[Table]:
    """Every analysis table with a row a scope."""
    for table in TABLES.values():
        if table.layer == "analysis" and {"scope", "scope_name"} <= {column.name for column in table.columns}:
            yield table


def told(con: duckdb.DuckDBPyConnection, *, last: Path, night: Night) -> dict[str, pl.DataFrame]:
    """What pages are given tonight, by table.

    Args:
        con: the night's build.
        last: the same of the version that readers have, as it was kept; it may be missing.
        night: what its groups are held against.
    """
    decided = warehouse.read_frame(con, f"SELECT * FROM {slices.PUBLISHED_SLICES.full_name}")
    before = last_told(last)
    return {
        table.full_name: told_tonight(
            warehouse.read_frame(con, f"SELECT * FROM {table.full_name}"),
            last_told=before.get(table.full_name),
            slices=decided,
            counts=[
                column.name
                for column in table.columns
                if column.kind is Kind.INTEGER and column.name not in slices.NO_COUNTS_OF_CLIENTS
            ],
            night=night,
        )
        for table in tables_of_scopes()
    }


def last_told(folder: Path) -> dict[str, pl.DataFrame]:
    """What a version kept of it, by table; nothing where it kept nothing."""
    kept = {table.full_name: folder / f"{table.full_name}.parquet" for table in tables_of_scopes()}
    return {name: pl.read_parquet(file) for name, file in kept.items() if file.is_file()}


def keep_told(tables: dict[str, pl.DataFrame], *, folder: Path) -> None:
    """Write it for the next night."""
    folder.mkdir()
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
