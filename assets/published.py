"""Publication as a Dagster asset: the site beside the audited warehouse file, and the swap that makes both current.

Belongs here: the last step of a night. Does not belong here: how a swap is made (`assets.warehouse`) or what a page
holds: this room knows nothing of pages and is given them as a resource.
Dagster reads annotations at run time, so this module never postpones them.
"""

import hashlib
import json
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import polars as pl

from assets import tables, warehouse
from assets.contracts.registry import TABLES
from assets.feeds.manifest import read_manifest
from assets.resources import Night
from assets.service import Service
from assets.slices import against
from assets.told import TOLD, keep_told, told

VERSION = dg.AssetKey(["published", "version"])
MANIFEST_FILE = "manifest.json"


class Pages(dg.ConfigurableResource, ABC):
    """Whatever can draw a site from the warehouse's tables."""

    @abstractmethod
    def build(  # noqa: PLR0913 -- what a page says of its night
        self,
        read: Callable[[str], pl.DataFrame],
        *,
        folder: Path,
        service: Service,
        data_date: str,
        run_id: str,
        run_at: datetime,
    ) -> list[str]:
        """Write the site into `folder`; returns its findings in words. `read` is a `reader`."""


def reader(con: duckdb.DuckDBPyConnection, *, given: Mapping[str, pl.DataFrame]) -> Callable[[str], pl.DataFrame]:
    """What pages read with: a promised table whole by its full name, else the rows of a SELECT over promised tables.

    Args:
        con: the build, or a published file.
        given: what pages are told of tables that have a row a scope, which stands for those tables.
    """

    def read(asked: str) -> pl.DataFrame:
        if asked in given:
            return given[asked]
        return warehouse.read_frame(con, f"SELECT * FROM {asked}" if asked in TABLES else asked)

    return read


class IncompleteWarehouseError(Exception):
    """The built file lacks what the contracts promise, so it is not published."""


def audit(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Rows of every promised table.

    Raises:
        IncompleteWarehouseError: where a table is missing or its columns differ from the promise.
    """
    found: dict[str, list[str]] = {}
    for schema, table, column in con.sql(
        "SELECT schema_name, table_name, column_name FROM duckdb_columns() WHERE NOT internal "
        "ORDER BY schema_name, table_name, column_index"
    ).fetchall():
        found.setdefault(f"{schema}.{table}", []).append(str(column))
    for full_name, table in TABLES.items():
        if found.get(full_name) != [column.name for column in table.columns]:
            raise IncompleteWarehouseError(f"{full_name} is not as its contract promises")
    return {full_name: warehouse.count_rows(con, full_name) for full_name in TABLES}


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest(folder: Path, *, described: Mapping[str, object]) -> str:
    """The version's own description as JSON: what is said of it, and the hash of every file."""
    return json.dumps(
        {
            **described,
            "sha256": {
                path.relative_to(folder).as_posix(): _sha256(path)
                for path in sorted(folder.rglob("*"))
                if path.is_file()
            },
        },
        indent=2,
    )


@dg.asset(
    key=VERSION,
    group_name="published",
    kinds={"duckdb", "plotly"},
    deps=[tables.key(table) for table in TABLES.values()],
    description="The warehouse file and the site that readers get, swapped in together; the last few versions stay.",
)
def version(context: dg.AssetExecutionContext, night: Night, pages: Pages) -> dg.MaterializeResult[None]:
    """Audit the build, draw the site from it, and make both current in one step."""
    staged = night.work / "staged"
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir()
    home, data_date = Path(night.home), night.as_of.isoformat()
    name = night.repeats_version or warehouse.next_version(home, now=datetime.now(UTC))
    run_id = night.repeats_run or context.run_id
    with night.open_build() as con:
        rows = audit(con)
        given = told(con, last=home / warehouse.CURRENT / TOLD, night=against(night))
        keep_told(given, folder=staged / TOLD)

        findings = pages.build(
            reader(con, given=given),
            folder=staged / "site",
            service=night.service,
            data_date=data_date,
            run_id=run_id,
            run_at=warehouse.moment_of(name),
        )
    night.close_build()
    file = staged / warehouse.WAREHOUSE_FILE
    (night.work / warehouse.BUILD_FILE).rename(file)
    if (night.work / f"{warehouse.BUILD_FILE}.wal").exists():
        raise IncompleteWarehouseError("the built file was not written out whole")
    docs = night.work / "data_docs"
    if docs.is_dir():
        docs.rename(staged / "data_docs")
    described = {
        "version": name,
        "data_date": data_date,
        "run_id": run_id,
        "against": warehouse.current_version(home),
        "landed_files": len(read_manifest(night.landing)),
        "findings": findings,
        "rows": rows,
    }
    (staged / MANIFEST_FILE).write_text(manifest(staged, described=described), encoding="utf-8")
    folder = warehouse.publish(staged, home=home, version=name, keep=night.keep_versions)
    return tables.made(sum(rows.values()), more={"version": folder.name, "tables": len(rows)})
