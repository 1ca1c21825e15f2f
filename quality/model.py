"""The shape of a rule and of its verdict: plain, frozen data that a page can list and a test can read.

Belongs here: what a rule, a suite and a verdict consist of. Does not belong here: any particular rule
(`quality.suites` from the contracts, `quality.rules` by hand) or how one is run (`quality.expectations`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any


class Severity(StrEnum):
    """What a failure does to the night."""

    ERROR = "error"
    WARN = "warn"


class Check(StrEnum):
    """The ways in which a rule can be tested, each one Great Expectations expectation."""

    COLUMNS_IN_ORDER = "columns_in_order"
    TYPE = "type"
    NOT_MISSING = "not_missing"
    WITHIN = "within"
    AMONG = "among"
    NO_FAILING_ROWS = "no_failing_rows"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that must be true of one table.

    Attributes:
        table: `schema.table`.
        name: fixed for good, unique within its table; `<table>.<column>.<what>` where it comes from the contract.
        severity: ERROR where wrong data must not travel further, WARN where a person is told.
        meaning: what the rule says, in one plain sentence.
        check: how it is tested.
        arguments: what that check needs, by name: `column`, `minimum`, `maximum`, `words`, `columns`, `type`.
        failing_rows: for `NO_FAILING_ROWS`, one SELECT that gives a row for each row that fails.
        why: why it matters clinically, for rules written by hand.
    """

    table: str
    name: str
    severity: Severity
    meaning: str
    check: Check
    arguments: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    failing_rows: str | None = None
    why: str | None = None

    def __post_init__(self) -> None:
        if (self.check is Check.NO_FAILING_ROWS) != (self.failing_rows is not None):
            raise ValueError(f"{self.name}: SQL for failing rows belongs to a rule of the kind {Check.NO_FAILING_ROWS}")


def by_hand(  # noqa: PLR0913 -- what a rule says, each part by its name
    table: str, name: str, severity: Severity, *, meaning: str, why: str, sql: str
) -> Rule:
    """A rule written by hand, as the SQL that gives a row for each row that breaks it.

    Args:
        table: `schema.table`.
        name: fixed for good; the table's own name is put before it.
        severity: what a failure does to the night.
        meaning: what the rule says, in one plain sentence.
        why: why it matters, in one plain sentence.
        sql: one SELECT, however it is laid out.
    """
    return Rule(
        table=table,
        name=f"{table.rpartition('.')[2]}.{name}",
        severity=severity,
        meaning=meaning,
        why=why,
        check=Check.NO_FAILING_ROWS,
        failing_rows=" ".join(sql.split()),
    )


@dataclass(frozen=True, kw_only=True)
class Suite:
    """Every rule of one table.

    Attributes:
        table: `schema.table`.
        rules: with names unique among them; all of this table.
    """

    table: str
    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        names = [rule.name for rule in self.rules]
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{self.table}: rule names must be unique: {', '.join(repeated)}")
        if strays := sorted(rule.name for rule in self.rules if rule.table != self.table):
            raise ValueError(f"{self.table}: these rules are another table's: {', '.join(strays)}")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one rule found; it holds counts and words, never a value from the data.

    Attributes:
        table: `schema.table`.
        name: the rule's name.
        severity: the rule's severity.
        is_passed: whether no row failed.
        failing_rows: rows that failed; 1 where the table's own shape is wrong.
        meaning: the rule's meaning.
    """

    table: str
    name: str
    severity: Severity
    is_passed: bool
    failing_rows: int
    meaning: str


class RuleCouldNotRun(RuntimeError):
    """A rule gave no verdict, which is never a pass."""
