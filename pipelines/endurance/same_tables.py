"""Whether two state folders publish the same tables, but for what tells of the nights that led there.

Belongs here: the comparison, and what may differ with the reason. Does not belong here: the nights.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from assets import warehouse
from assets.contracts import changes, quality, slices, watch
from assets.contracts.registry import TABLES

_EVERYTHING: Final = "TRUE"
# Rows, by a condition, that say nothing of the version before; nothing else may differ between the last of many nights and
# the only one.
_OF_THE_DAY_ALONE: Final = {
    **{table.full_name: "FALSE" for table in changes.TABLES},
    watch.SINCE_LAST.full_name: "FALSE",
    watch.FRESHNESS.full_name: "table_layer <> 'published'",
    # Which figures stand since an earlier night, and whom they speak of.
    **{table.full_name: "FALSE" for table in slices.TABLES},
    # Rules over the tables above count their rows.
    quality.CHECKS.full_name: "NOT starts_with(table_name, 'quality.')",
}
# Which file a row came in, and at which line.
WAY_IN: Final = frozenset({"source_file", "source_line", "file", "file_number", "line"})
# One row for each file.
OF_FILES: Final = frozenset({quality.FILES.full_name, quality.RECONCILIATION.full_name})


def compared(*, but: Collection[str] = ()) -> list[str]:
    """The tables that are held against each other."""
    return [name for name in TABLES if name not in but and _OF_THE_DAY_ALONE.get(name) != "FALSE"]


def differing_tables(one: Path, other: Path, *, but: Collection[str] = (), without: Collection[str] = ()) -> list[str]:
    """Published tables that are not the same in two state folders, but for what tells of the nights themselves.

    Args:
        one: a state folder.
        other: another, whose codes were made with the same secret.
        but: tables that are not compared.
        without: columns that are not compared, in any table.
    """
    found = []
    with (
        warehouse.open_published(one / warehouse.WAREHOUSE_FILE) as first,
        warehouse.open_published(other / warehouse.WAREHOUSE_FILE) as second,
    ):
        for name in compared(but=but):
            columns = ", ".join(f'"{each.name}"' for each in TABLES[name].columns if each.name not in without)
            condition = _OF_THE_DAY_ALONE.get(name, _EVERYTHING)
            query = f"SELECT {columns} FROM {name} WHERE {condition} ORDER BY ALL"
            if not warehouse.read_frame(first, query).equals(warehouse.read_frame(second, query)):
                found.append(name)
    return found
