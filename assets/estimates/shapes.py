"""Frames in the shape that a table promises.

Belongs here: laying a frame out as a declared table. Does not belong here: what any column holds.
"""

import polars as pl

from assets.contracts.model import Kind, Table

_POLARS = {Kind.NUMBER: pl.Float64, Kind.INTEGER: pl.Int64, Kind.BOOLEAN: pl.Boolean, Kind.DATE: pl.Date}


def empty(table: Table) -> pl.DataFrame:
    """No rows, with the table's columns in its order and types."""
    return pl.DataFrame(schema={column.name: _POLARS.get(column.kind, pl.String) for column in table.columns})


def shaped(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The frame with the table's columns in its order and types; a column it lacks is missing throughout."""
    schema = empty(table).schema
    missing = [pl.lit(None).alias(name) for name in schema if name not in frame.columns]
    return frame.with_columns(missing).select(pl.col(name).cast(kind) for name, kind in schema.items())
