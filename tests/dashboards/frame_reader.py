"""Pages' reader over made-up tables: a build in memory, so that what pages ask is asked of DuckDB."""

from collections.abc import Callable, Mapping

import duckdb
import polars as pl

from assets.published import reader
from assets.warehouse import LAYERS


def reader_of(frames: Mapping[str, pl.DataFrame]) -> Callable[[str], pl.DataFrame]:
    """What the site reads from, given every promised table by its full name."""
    con = duckdb.connect()
    for layer in LAYERS:
        con.execute(f"CREATE SCHEMA {layer}")
    for name, frame in frames.items():
        con.register("made_up", frame.to_arrow())
        con.execute(f"CREATE TABLE {name} AS FROM made_up")
        con.unregister("made_up")
    return reader(con, given=frames)
