"""`query`: one question to the published warehouse, on a connection that can do nothing but read it."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder

if TYPE_CHECKING:
    import duckdb
    import polars as pl

_WHAT_THERE_IS = """
SELECT schema_name || '.' || table_name AS name, CAST(estimated_size AS BIGINT) AS row_count, comment AS meaning
FROM duckdb_tables() WHERE NOT internal ORDER BY schema_name, table_name
"""
FORMATS = ("table", "csv", "json", "parquet")


@click.command(name="query")
@click.argument("sql", required=False)
@options.home()
@click.option("--version", metavar="VERSION", help="A kept version; the current one if not given.")
@click.option(
    "--format", "shape", type=click.Choice(FORMATS), help="How rows are written; by --to's ending, else a table."
)
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), help="A file to write; the terminal if not given."
)
@click.option("--memory", default="2GB", show_default=True, help="The most memory that the question may take.")
def command(
    *, sql: str | None, home: str | None, version: str | None, shape: str | None, to: Path | None, memory: str
) -> int:
    """Run SQL, one SELECT, on the published warehouse; `-` reads it from standard input, none lists the tables."""
    import duckdb  # noqa: PLC0415 -- --help should not wait for it

    from assets import warehouse  # noqa: PLC0415
    from pipelines.kept import published_file  # noqa: PLC0415

    file = published_file(state_folder(home), version=version)
    shape = _shape(shape, to=to)
    asked = sys.stdin.read() if sql == "-" else sql or _WHAT_THERE_IS
    with warehouse.open_published(file, memory_limit=memory) as con:
        try:
            frame = _answer(con, asked)
        except duckdb.Error as error:
            raise WrongInput(_first_line(error), place="the query", mend="`query` alone lists the tables") from error
    _write(frame, shape=shape, to=to)
    return 0


def _shape(shape: str | None, *, to: Path | None) -> str:
    ending = to.suffix.removeprefix(".") if to else ""
    chosen = shape or (ending if ending in FORMATS else "csv" if to else "table")
    if chosen == "parquet" and to is None:
        raise WrongInput("Parquet is not for a terminal", place="--format parquet", mend="add --to FILE.parquet")
    return chosen


def _answer(con: "duckdb.DuckDBPyConnection", asked: str) -> "pl.DataFrame":
    import duckdb  # noqa: PLC0415

    statements = con.extract_statements(asked)
    allowed = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in allowed:
        raise WrongInput(
            "it is not one SELECT", place="the query", mend="ask one question at a time; nothing is written"
        )
    return con.sql(statements[0].query).pl()


def _first_line(error: Exception) -> str:
    # DuckDB's later lines repeat the query, which may hold what somebody typed in from a record.
    return str(error).splitlines()[0].rstrip(".")


def _write(frame: "pl.DataFrame", *, shape: str, to: Path | None) -> None:
    import polars as pl  # noqa: PLC0415

    if shape == "table":
        with pl.Config(
            tbl_rows=200, tbl_cols=-1, fmt_str_lengths=120, tbl_width_chars=240, tbl_hide_column_data_types=True
        ):
            text = str(frame)
        if to is None:
            click.echo(text)
        else:
            to.write_text(text + "\n", encoding="utf-8")
        return
    if shape == "parquet":
        frame.write_parquet(to or sys.stdout.buffer)
    elif to is not None:
        frame.write_csv(to) if shape == "csv" else frame.write_json(to)
    else:
        click.echo(frame.write_csv() if shape == "csv" else frame.write_json(), nl=shape == "json")
