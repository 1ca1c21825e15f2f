"""What a benchmark hands back, and how it reads on a terminal. The measuring itself belongs beside it, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Cell = str | int | float


@dataclass(frozen=True)
class BenchResult:
    """One benchmark's measurements and its verdict.

    Attributes:
        rows: What was measured, a mapping from column to cell for each line of the table.
        measured: The figure that the goal is about, a ratio within this one run.
        goal: The figure that was promised.
        held: Whether the promise was kept; the benchmark says so, since for some figures less is better, for some more.
        sentence: What the table does not show, where it needs saying.
    """

    rows: Sequence[Mapping[str, Cell]]
    measured: float
    goal: float
    held: bool
    sentence: str = ""


def as_table(rows: Sequence[Mapping[str, Cell]]) -> str:
    """Lines of aligned columns under their names: numbers to the right, words to the left."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [[_written(row.get(column, "")) for column in columns] for row in rows]
    widths = [max(len(line[at]) for line in [columns, *cells]) for at in range(len(columns))]
    numeric = [not any(isinstance(row.get(column), str) for row in rows) for column in columns]
    lines = [
        "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(*parts, strict=True))
        for parts in ((line, widths, numeric) for line in [columns, *cells])
    ]
    return "\n".join(line.rstrip() for line in lines)


def last_line(name: str, result: BenchResult) -> str:
    """The line that a reader, or a script, looks for."""
    verdict = "held" if result.held else "short"
    measured, goal = _told_apart(result.measured, result.goal)
    return f"{name}: measured {measured}, goal {goal}, {verdict}"


def _told_apart(measured: float, goal: float) -> tuple[str, str]:
    # Rounding must not contradict the verdict: 5.004 against a goal of 5 is not "5 against 5".
    digits = next((some for some in range(3, 17) if f"{measured:.{some}g}" != f"{goal:.{some}g}"), 3)
    return f"{measured:.{digits}g}", f"{goal:.{digits}g}"


def _written(cell: Cell) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return f"{cell:,}" if isinstance(cell, int) else cell
