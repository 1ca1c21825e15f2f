"""What every analysis asset has in common: a frame made by an estimate lands as its table.

Belongs here: the factory, and reads that more than one module asks for. Does not belong here: which rows a particular
estimate is given (the modules beside this one). Dagster reads annotations at run time, so this module never postpones
them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.code_behind import code_behind
from assets.contracts.model import Table
from assets.resources import Night
from assets.service import Service

# A frame, or the SELECT of one that already lies in the warehouse.
Made = pl.DataFrame | str
Estimate = Callable[[duckdb.DuckDBPyConnection, Service], Made]
Estimates = Callable[[duckdb.DuckDBPyConnection, Service], Mapping[str, Made]]

ALL_EPISODES = "SELECT * FROM marts.episodes"
ALL_CHANGE = "SELECT * FROM analysis.client_change"
CLIENTS_OWN = "FROM marts.ratings WHERE rater = 'client' AND clinician_id IS NOT NULL AND score IS NOT NULL"


def data_date(con: duckdb.DuckDBPyConnection) -> date:
    """The day that the night's data are said to be of."""
    day: date = con.sql("SELECT data_date FROM quality.run").fetchall()[0][0]
    return day


def store(con: duckdb.DuckDBPyConnection, table: Table, made: Made) -> int:
    """Write what an estimate made as its table; returns the rows."""
    if isinstance(made, str):
        return warehouse.create_table(con, table, select=made)
    return warehouse.create_table_from_frame(con, table, frame=made)


def asset(table: Table, estimate: Estimate, *, reads: Sequence[Table]) -> dg.AssetsDefinition:
    """The asset of a table that one estimate makes."""

    @dg.asset(deps=[tables.key(each) for each in reads], **tables.definition(table, code=code_behind(estimate)))
    def build(night: Night) -> dg.MaterializeResult[None]:
        with night.open_build() as con:
            return tables.made(store(con, table, estimate(con, night.service)))

    return build


def assets_of(made: Sequence[Table], estimates: Estimates, *, reads: Sequence[Table]) -> dg.AssetsDefinition:
    """The assets of tables that come out of the same work.

    Args:
        made: the tables.
        estimates: gives a frame or a SELECT a table, by the table's name.
        reads: the tables that must stand before.
    """
    deps = [tables.key(each) for each in reads]
    specs = [dg.AssetSpec(deps=deps, **tables.definition(table, code=code_behind(estimates))) for table in made]

    @dg.multi_asset(name=estimates.__name__.strip("_"), specs=specs)
    def build(night: Night) -> Iterator[dg.MaterializeResult[None]]:
        with night.open_build() as con:
            frames = estimates(con, night.service)
            for table in made:
                yield tables.made(store(con, table, frames[table.name]), of=tables.key(table))

    return build
