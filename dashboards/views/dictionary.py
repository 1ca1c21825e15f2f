"""The data dictionary as a page: every table and column of the warehouse, from the contracts.

Belongs here: laying contracts out for readers. Does not belong here: any meaning (`assets.contracts`).
"""

from assets.contracts import model as contracts
from assets.contracts.dictionary import LAYERS
from assets.contracts.registry import TABLES
from dashboards.page_settings import PageSettings
from dashboards.views.model import Group, Page, Panel, Table


def dictionary(settings: PageSettings) -> Page:
    """One panel a table, the tables of a layer folded under its name."""
    layers = dict.fromkeys(table.layer for table in TABLES.values())
    return Page(
        title=f"Data dictionary: {settings.clinic}",
        heading="Data dictionary",
        about=f"{len(TABLES)} tables, as the night promises them; the same meanings stand in the warehouse file.",
        section="dictionary",
        groups=tuple(
            Group(
                key=layer,
                title=f"{layer}: {LAYERS[layer][:1].lower()}{LAYERS[layer][1:].rstrip('.')}",
                panels=tuple(_panel(table) for table in TABLES.values() if table.layer == layer),
                is_open=False,
            )
            for layer in layers
        ),
    )


def _panel(table: contracts.Table) -> Panel:
    return Panel(
        key=table.full_name.replace(".", "-").replace("_", "-"),
        title=table.full_name,
        caption=f"{table.meaning} One row for each {', '.join(table.key)}.",
        method="dictionary",
        shown=True,
        table=Table(
            columns=("Column", "Unit", "Meaning"),
            rows=tuple((column.name, column.unit or "", column.meaning) for column in table.columns),
        ),
        wide=True,
    )
