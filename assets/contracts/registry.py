"""Every table that the warehouse holds, found by name.

Belongs here: the list of all declarations and look-ups in it. Does not belong here: declarations themselves.
"""

from assets.contracts import (
    analysis,
    changes,
    comparison,
    couples,
    endings,
    field_measures,
    marts,
    own_figures,
    quality,
    slices,
    staging,
    watch,
)
from assets.contracts.model import Feed, Table

LAYERS: dict[str, tuple[Table, ...]] = {
    "staging": staging.TABLES,
    "marts": marts.TABLES,
    "analysis": (
        *analysis.TABLES,
        *comparison.TABLES,
        *field_measures.TABLES,
        *endings.TABLES,
        *couples.TABLES,
        *own_figures.TABLES,
    ),
    "quality": (*quality.TABLES, *slices.TABLES, *watch.TABLES, *changes.TABLES),
}
TABLES: dict[str, Table] = {table.full_name: table for tables in LAYERS.values() for table in tables}
FEEDS: dict[str, Feed] = {feed.name: feed for feed in staging.FEEDS}


def table(full_name: str) -> Table:
    """The declaration of `schema.table`; KeyError where the warehouse promises no such table."""
    return TABLES[full_name]
