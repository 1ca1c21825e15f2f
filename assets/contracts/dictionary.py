"""What the warehouse says of itself, generated from the contracts: data dictionary, DuckDB comments, empty tables.

Belongs here: turning declarations into text. Does not belong here: declarations (the layers' modules), or running the
SQL (`assets.warehouse`).
"""

from collections.abc import Iterator
from typing import Final

from assets.contracts import macros, registry
from assets.contracts.metrics import dictionary_entry
from assets.contracts.model import Column, Table
from assets.contracts.rates import METRICS

LAYERS: Final = {
    "staging": "What the clinic sent, as accepted, and what was refused.",
    "marts": "The accepted rows joined: one row a thing, in the clinic's own words.",
    "analysis": "What is estimated from the marts, every figure with its interval and how sure one can be.",
    "quality": "What the night says of itself: where every line went and which checks ran.",
}
"""What each layer is, by its schema."""
_HEAD = """# Data dictionary

Every table of the warehouse and every column in it. This file is generated from the contracts in `assets/contracts`;
edit those and write it again with `python3 -m pipelines dictionary`. The same meanings stand in the warehouse as
comments on its tables and columns. Timestamps are in UTC. A column that may be missing is empty where the thing is
not known or does not apply.
"""

_RATES = """## rates

Every rate of `analysis.rates`: what is counted and out of whom. All are counted over the period that pages show, the
`period_months` of `quality.run` before its data date.
"""


def render() -> str:
    """The whole data dictionary as Markdown, ending in one newline."""
    parts = [_HEAD, *(_layer(name, tables) for name, tables in registry.LAYERS.items()), _RATES]
    parts += [dictionary_entry(metric) for metric in METRICS]
    parts.append(macros.dictionary())
    return "\n".join(parts).rstrip() + "\n"


def comments(table: Table) -> list[str]:
    """The statements that put a table's and its columns' meanings into DuckDB; the table must exist."""
    return [
        f"COMMENT ON TABLE {table.full_name} IS {_quoted(table.meaning)}",
        *(
            f"COMMENT ON COLUMN {table.full_name}.{column.name} IS {_quoted(_comment(column))}"
            for column in table.columns
        ),
    ]


def create_sql(table: Table) -> str:
    """The statement that makes a table, empty, with its columns' names and types; its schema must exist.

    The contract's other promises are kept by checks, which say how many rows break them, not by constraints, which
    stop at the first.
    """
    columns = ", ".join(f"{column.name} {column.duckdb_type}" for column in table.columns)
    return f"CREATE TABLE {table.full_name} ({columns})"


def _layer(name: str, tables: tuple[Table, ...]) -> str:
    return "\n".join([f"## {name}", "", LAYERS[name], "", *(line for table in tables for line in _table(table))])


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.full_name}"
    yield ""
    yield table.meaning
    yield ""
    yield f"One row for each {' and '.join(f'`{name}`' for name in table.key)}.{_about_people(table)}"
    yield ""
    yield "| column | type | values | missing | meaning |"
    yield "|---|---|---|---|---|"
    for column in table.columns:
        missing = "may be" if not column.is_required and column.name not in table.key else "never"
        cells = (f"`{column.name}`", column.duckdb_type, _values(column), missing, _cell(column.meaning))
        yield f"| {' | '.join(cells)} |"
    yield ""


def _about_people(table: Table) -> str:
    return " A row is about one client or case." if table.holds_people else ""


def _values(column: Column) -> str:
    if column.words:
        return ", ".join(f"`{word}`" for word in column.words)
    if column.refers_to:
        return f"among `{column.refers_to}`"
    return ", ".join(part for part in (column.unit, _bounds(column)) if part)


def _bounds(column: Column) -> str:
    if column.minimum is not None and column.maximum is not None:
        return f"{column.minimum:g} to {column.maximum:g}"
    if column.minimum is not None:
        return f"{column.minimum:g} or more"
    return f"{column.maximum:g} or less" if column.maximum is not None else ""


def _comment(column: Column) -> str:
    values = _values(column).replace("`", "")
    return f"{column.meaning} ({values})" if values else column.meaning


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
