"""The shape of a promise: columns and tables as plain, frozen declarations.

Belongs here: what a column or table declaration consists of. Does not belong here: any particular table
(one module a layer beside this one) or what is generated from them (`sql`, `dictionary`).
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a column's values are; each has one DuckDB type and one way to be read from text."""

    IDENTIFIER = "identifier"
    TEXT = "text"
    WORD = "word"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    NUMBERS = "numbers"


DUCKDB_TYPES = {
    Kind.IDENTIFIER: "VARCHAR",
    Kind.TEXT: "VARCHAR",
    Kind.WORD: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.NUMBERS: "DOUBLE[]",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column's promise.

    Attributes:
        name: snake case; ends in its unit where it has one.
        kind: what its values are.
        meaning: one sentence for the dictionary, the DuckDB comment and the Dagster schema.
        unit: the unit of a number, in words; None where it has none.
        is_required: False where a missing value is allowed.
        minimum: smallest allowed value, inclusive; None for no bound.
        maximum: largest allowed value, inclusive; None for no bound.
        words: the whole vocabulary of a `WORD` column.
        refers_to: the `schema.table.column` whose values this column's must be among, where that table has rows.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str | None = None
    is_required: bool = True
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()
    refers_to: str | None = None

    @property
    def duckdb_type(self) -> str:
        """The type the column has in the warehouse."""
        return DUCKDB_TYPES[self.kind]


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table's promise.

    Attributes:
        layer: the schema it lives in.
        name: plural noun.
        meaning: one or two sentences for the dictionary and the DuckDB comment.
        columns: in the order they have in the warehouse.
        key: the columns that together name one row.
        holds_people: True where a row is about one client, so that it never leaves the warehouse for a page unsuppressed.
    """

    layer: str
    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    holds_people: bool = False

    @property
    def full_name(self) -> str:
        """`schema.table`, as analysts write it."""
        return f"{self.layer}.{self.name}"

    def column(self, name: str) -> Column:
        """The column of that name; KeyError where the table promises none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.full_name} has no column {name}")


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What one kind of file must deliver, and the staging table its accepted rows make.

    Attributes:
        name: as the configuration writes it (`feeds.<name>`).
        table: the staging table.
        is_required: whether a night can run without it.
        is_ratings: whether rows are completed forms (items or a total of an instrument).
        derived: the table's columns that no clinic sends: where the row came from, and what follows from other columns.
    """

    name: str
    table: Table
    is_required: bool
    is_ratings: bool = False
    derived: tuple[str, ...] = ("source_file", "source_line")

    @property
    def delivered(self) -> tuple[Column, ...]:
        """The columns a clinic maps: the table's, less the derived ones."""
        return tuple(column for column in self.table.columns if column.name not in self.derived)
