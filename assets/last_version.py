"""The version that readers have while the next one is built: what tonight is held against.

Belongs here: reading it, and saying that there is nothing to read. Does not belong here: publishing
(`assets.warehouse`) or any comparison.
"""

from pathlib import Path

import duckdb
import polars as pl

from assets import warehouse
from assets.contracts.model import Table


def read_last(home: Path, table: Table) -> pl.DataFrame | None:
    """A table of the published version with exactly the columns it has today; None where there is no such one.

    A version of an older release may lack the table, or have other columns: there is nothing to compare with then.
    """
    file = home / warehouse.CURRENT / warehouse.WAREHOUSE_FILE
    if not file.is_file():
        return None
    with warehouse.open_published(file) as con:
        try:
            frame = warehouse.read_frame(con, f"SELECT * FROM {table.full_name}")
        except duckdb.CatalogException:
            return None
    return frame if frame.columns == [column.name for column in table.columns] else None
