"""Rules about what is estimated: no figure without its interval.

Belongs here: what must hold of every estimate whatever the formula. Does not belong here: formulas (`assets.science`)
or what a column's declaration says by itself (`quality.suites`).
"""

from assets.contracts.figures import ESTIMATED, Figure
from quality.model import Rule, Severity, by_hand

# An interval's end and its figure can differ by a rounding error where they are equal.
_HAIR = "0.000001"


def interval_rules(of: Figure) -> tuple[Rule, Rule]:
    """That a figure has its interval, and lies within it."""
    table, figure, low, high = of.table, of.name, of.low, of.high
    return (
        by_hand(
            table,
            f"{figure}.has_interval",
            Severity.ERROR,
            meaning=f"No `{figure}` stands without its interval.",
            why="A figure alone looks sure, and a small caseload never is.",
            sql=f"SELECT {figure} FROM {table} WHERE {figure} IS NOT NULL AND ({low} IS NULL OR {high} IS NULL)",
        ),
        by_hand(
            table,
            f"{figure}.within_interval",
            Severity.WARN,
            meaning=f"Each `{figure}` lies within its interval.",
            why="An interval that leaves its own figure out was made of something else.",
            sql=f"SELECT {figure} FROM {table} WHERE {figure} < {low} - {_HAIR} OR {figure} > {high} + {_HAIR}",
        ),
    )


ESTIMATES: tuple[Rule, ...] = tuple(rule for figure in ESTIMATED for rule in interval_rules(figure))
