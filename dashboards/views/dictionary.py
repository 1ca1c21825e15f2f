"""The data dictionary as a page: every table and column of the warehouse, from the contracts.

Belongs here: laying contracts out for readers. Does not belong here: any meaning (`assets.contracts`).
"""

from assets.contracts.registry import TABLES
from dashboards.page_settings import PageSettings
from dashboards.views.model import Page, Panel, Table


def dictionary(settings: PageSettings) -> Page:
    """One panel a table, in the order of the layers."""
    return Page(
        title=f"Data dictionary: {settings.clinic}",
        heading="Data dictionary",
        about=f"{len(TABLES)} tables, as the night promises them; the same meanings stand in the warehouse file.",
        section="dictionary",
        panels=tuple(
            Panel(
                key=name.replace(".", "-").replace("_", "-"),
                title=name,
                caption=f"{table.meaning} One row for each {', '.join(table.key)}.",
                method="dictionary",
                table=Table(
                    columns=("Column", "Unit", "Meaning"),
                    rows=tuple((column.name, column.unit or "", column.meaning) for column in table.columns),
                ),
                wide=True,
            )
            for name, table in TABLES.items()
        ),
    )
