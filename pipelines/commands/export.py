"""`export`: the published tables as Parquet files, for tools that read no DuckDB."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder

if TYPE_CHECKING:
    import duckdb

CONTENTS, DICTIONARY = "contents.json", "DICTIONARY.md"
_BATCH = 100_000
_TABLES = """
SELECT schema_name || '.' || table_name AS name FROM duckdb_tables() WHERE NOT internal ORDER BY schema_name, table_name
"""


@click.command(name="export")
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="A folder to make.")
@click.option("--table", "wanted", multiple=True, metavar="SCHEMA.TABLE", help="Only this table; may be repeated.")
@click.option("--version", metavar="VERSION", help="A kept version; the current one if not given.")
@options.home()
def command(*, to: Path, wanted: tuple[str, ...], version: str | None, home: str | None) -> int:
    """Write each published table as a Parquet file with its columns' meanings; rows are people's, under codes."""
    from assets import warehouse  # noqa: PLC0415 -- --help should not wait for it
    from assets.contracts import dictionary  # noqa: PLC0415
    from assets.whole_files import beside  # noqa: PLC0415
    from pipelines.kept import published_file  # noqa: PLC0415

    file = published_file(state_folder(home), version=version)
    if to.exists():
        raise WrongInput("it is there already", place=f"--to {to}", mend="name a folder that is not there yet")
    unfinished = beside(to)
    shutil.rmtree(unfinished, ignore_errors=True)
    with warehouse.open_published(file) as con:
        there = [str(name) for (name,) in con.sql(_TABLES).fetchall()]
        for name in wanted:
            if name not in there:
                raise WrongInput("there is no such table", place=f"--table {name}", mend="`query` alone lists them")
        unfinished.mkdir(parents=True)
        rows = {name: _write(con, name, folder=unfinished) for name in (wanted or there)}
    (unfinished / DICTIONARY).write_text(dictionary.render(), encoding="utf-8")
    (unfinished / CONTENTS).write_text(json.dumps({"version": file.parent.name, "rows": rows}, indent=2) + "\n")
    unfinished.replace(to)
    click.echo(f"{len(rows)} tables, {sum(rows.values()):,} rows: {to}")
    return 0


def _write(con: "duckdb.DuckDBPyConnection", name: str, *, folder: Path) -> int:
    """Write one table batch by batch, in the table's own order, each field with its comment; returns its rows."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    schema, _, table = name.partition(".")
    said = con.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE schema_name = ? AND table_name = ?", [schema, table]
    ).fetchall()
    meanings = {column: {"meaning": meaning} for column, meaning in said if meaning}
    reader = con.sql(f'FROM "{schema}"."{table}"').to_arrow_reader(_BATCH)
    fields = [field.with_metadata(meanings.get(field.name)) for field in reader.schema]
    rows = 0
    (folder / schema).mkdir(exist_ok=True)
    with parquet.ParquetWriter(folder / schema / f"{table}.parquet", pa.schema(fields), compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema(fields)))
            rows += batch.num_rows
    return rows
