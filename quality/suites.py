"""One suite a table, generated from its contract: what the declaration says is what is checked.

Belongs here: turning a declared column or key into rules with fixed names and plain words. Does not belong here:
rules that the contract cannot say (`quality.rules`), or running them (`quality.expectations`).
"""

from collections.abc import Iterable, Iterator
from types import MappingProxyType
from typing import Any

from assets.contracts.model import Column, Table
from quality.model import Check, Rule, Severity, Suite


def from_contract(table: Table) -> tuple[Rule, ...]:
    """Every rule that a declaration implies: columns, types, missing values, ranges, words, references and the key."""
    return (
        _shape(table),
        *(rule for column in table.columns for rule in _of_column(table, column)),
        _unique_key(table),
    )


def suite_of(table: Table, *, written: Iterable[Rule] = ()) -> Suite:
    """A table's whole suite: the rules of its contract, then those among `written` that are about it."""
    return Suite(
        table=table.full_name,
        rules=(*from_contract(table), *(rule for rule in written if rule.table == table.full_name)),
    )


def _shape(table: Table) -> Rule:
    return _rule(
        table,
        what="columns",
        meaning=f"The table has exactly the {len(table.columns)} columns it promises, in their order.",
        check=Check.COLUMNS_IN_ORDER,
        columns=tuple(column.name for column in table.columns),
    )


def _of_column(table: Table, column: Column) -> Iterator[Rule]:
    name, described = column.name, _described(column)
    yield _rule(
        table,
        what=f"{name}.type",
        meaning=f"`{name}` is of the type {column.duckdb_type}.",
        check=Check.TYPE,
        column=name,
        type=column.duckdb_type,
    )
    if column.is_required or name in table.key:
        yield _rule(
            table,
            what=f"{name}.not_missing",
            meaning=f"`{name}` is never missing. {described}",
            check=Check.NOT_MISSING,
            column=name,
        )
    if column.minimum is not None or column.maximum is not None:
        yield _rule(
            table,
            what=f"{name}.range",
            meaning=f"`{name}` is {_bounds(column)}. {described}",
            check=Check.WITHIN,
            column=name,
            minimum=column.minimum,
            maximum=column.maximum,
        )
    if column.words:
        yield _rule(
            table,
            what=f"{name}.vocabulary",
            meaning=f"`{name}` is one of {', '.join(column.words)}. {described}",
            check=Check.AMONG,
            column=name,
            words=column.words,
        )
    if column.refers_to:
        yield _rule(
            table,
            what=f"{name}.reference",
            meaning=f"Each `{name}` stands in {column.refers_to}, where that table has rows. {described}",
            check=Check.NO_FAILING_ROWS,
            failing_rows=_without_target(table, column),
        )


def _unique_key(table: Table) -> Rule:
    names = " and ".join(f"`{name}`" for name in table.key)
    same = " AND ".join(f"rows_of_table.{name} = repeated.{name}" for name in table.key)
    listed, keys = ", ".join(table.key), ", ".join(f"rows_of_table.{name}" for name in table.key)
    return _rule(
        table,
        what="key",
        meaning=f"No two rows share {names}. {table.meaning}",
        check=Check.NO_FAILING_ROWS,
        # Counting groups first keeps the whole table out of a sort; the join then gives every row of a repeated key.
        failing_rows=(
            f"SELECT {keys} FROM {table.full_name} AS rows_of_table INNER JOIN "
            f"(SELECT {listed} FROM {table.full_name} GROUP BY {listed} HAVING COUNT(*) > 1) AS repeated ON {same}"
        ),
    )


def _without_target(table: Table, column: Column) -> str:
    target, _, target_column = str(column.refers_to).rpartition(".")
    keys = ", ".join(f"rows_of_table.{name}" for name in table.key)
    return (
        f"SELECT {keys} FROM {table.full_name} AS rows_of_table WHERE rows_of_table.{column.name} IS NOT NULL "
        f"AND EXISTS (SELECT 1 FROM {target}) "
        f"AND NOT EXISTS (SELECT 1 FROM {target} AS target WHERE target.{target_column} = rows_of_table.{column.name})"
    )


def _rule(
    table: Table, *, what: str, meaning: str, check: Check, failing_rows: str | None = None, **arguments: Any
) -> Rule:
    return Rule(
        table=table.full_name,
        name=f"{table.name}.{what}",
        severity=Severity.ERROR,
        meaning=meaning,
        check=check,
        arguments=MappingProxyType(arguments),
        failing_rows=failing_rows,
    )


def _described(column: Column) -> str:
    return column.meaning if column.meaning.endswith(".") else f"{column.meaning}."


def _bounds(column: Column) -> str:
    unit = f" {column.unit}" if column.unit and column.unit not in {"share", "decile"} else ""
    if column.maximum is None:
        return f"{column.minimum:g}{unit} or more"
    if column.minimum is None:
        return f"{column.maximum:g}{unit} or less"
    return f"between {column.minimum:g} and {column.maximum:g}{unit}"
