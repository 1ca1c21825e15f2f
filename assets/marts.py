"""The marts as Dagster assets: each is one SELECT, and what it depends on is read from it.

Belongs here: wiring of `assets/sql/marts`. Does not belong here: joins (the SQL files) and meanings (the contracts).
Dagster reads annotations at run time, so this module never postpones them.
"""

import re

import dagster as dg

from assets import tables
from assets.contracts import marts
from assets.contracts.registry import TABLES

_REFERENCE = re.compile(r"\b(?:FROM|JOIN)\s+((?:staging|marts|quality)\.[a-z_]+)")


def referenced_tables(select: str) -> list[str]:
    """The promised tables that a SELECT reads, as `schema.table`, each once and in the order of their names."""
    return sorted(set(_REFERENCE.findall(select)) & set(TABLES))


def _asset(name: str) -> dg.AssetsDefinition:
    file = tables.SQL / "marts" / f"{name}.sql"
    reads = referenced_tables(file.read_text(encoding="utf-8"))
    return tables.sql_asset(
        TABLES[f"marts.{name}"], file=file, depends_on=[tables.key(TABLES[full_name]) for full_name in reads]
    )


ASSETS: list[dg.AssetsDefinition] = [_asset(table.name) for table in marts.TABLES]
