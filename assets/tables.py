"""From a promised table to its Dagster asset: key, group, column schema, row count, all from the contract.

Belongs here: what every table's asset has in common. Does not belong here: how a particular table is made (the layers'
modules). Dagster reads annotations at run time, so this module never postpones them.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from assets import warehouse
from assets.code_behind import settings_named
from assets.contracts.model import Column, Table
from assets.feeds.wrong_input import WrongInput
from assets.resources import Night

# Marks a failed step whose line is for the person who gave the input, not for an engineer.
WRONG_INPUT = "wrong input"
# The settings that decide a table, by name, beside its column schema.
SETTINGS = "settings"
SQL = Path(__file__).parent / "sql"


def key(table: Table) -> dg.AssetKey:
    """The asset of a table."""
    return dg.AssetKey([table.layer, table.name])


def column_schema(table: Table) -> dg.TableSchema:
    """A table's columns as Dagster's pages show them."""
    return dg.TableSchema(
        columns=[_dagster_column(column, is_key=table.key == (column.name,)) for column in table.columns]
    )


def _dagster_column(column: Column, *, is_key: bool) -> dg.TableColumn:
    other = [f"one of {', '.join(column.words)}"] if column.words else []
    if column.minimum is not None:
        other.append(f"at least {column.minimum:g}")
    if column.maximum is not None:
        other.append(f"at most {column.maximum:g}")
    return dg.TableColumn(
        name=column.name,
        type=column.duckdb_type,
        description=column.meaning if column.unit is None else f"{column.meaning} In {column.unit}.",
        constraints=dg.TableColumnConstraints(nullable=not column.is_required, unique=is_key, other=other),
    )


def definition(table: Table, *, code: str) -> dict[str, Any]:
    """The keyword arguments that every table's asset decorator shares.

    Args:
        table: the promise.
        code: what the asset is made by; its hash is the code version that Dagster shows, and the settings that it names
            are the table's.
    """
    return {
        "key": key(table),
        "group_name": table.layer,
        "description": table.meaning,
        "kinds": {"duckdb"},
        "code_version": hashlib.sha256(code.encode()).hexdigest()[:12],
        "metadata": {
            "dagster/column_schema": column_schema(table),
            "dagster/table_name": table.full_name,
            SETTINGS: list(settings_named(code)),
        },
    }


def made(
    rows: int, *, of: dg.AssetKey | None = None, more: Mapping[str, Any] | None = None
) -> dg.MaterializeResult[None]:
    """What an asset tells Dagster when its table stands: counts, never values.

    Args:
        rows: how many the table has.
        of: which of several assets made together; None for the only one.
        more: further counts, by name.
    """
    return dg.MaterializeResult(asset_key=of, metadata={"dagster/row_count": rows, **(more or {})})


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """A wrong input fails the step at once, with its one line and no second try."""
    try:
        yield
    except WrongInput as wrong:
        raise dg.Failure(description=str(wrong), metadata={WRONG_INPUT: True}, allow_retries=False) from wrong


def sql_asset(table: Table, *, file: Path, depends_on: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """An asset made by one SELECT of the same name under `assets/sql`."""
    select = file.read_text(encoding="utf-8")
    plain = " ".join(re.sub(r"--[^\n]*", "", select).split())

    @dg.asset(deps=list(depends_on), **definition(table, code=plain))
    def build(night: Night) -> dg.MaterializeResult[None]:
        with night.open_build() as con:
            return made(warehouse.create_table(con, table, select=select))

    return build
