"""`bench scoring`: scoring PHQ-9 item rows by the declared rule, against DuckDB adding up the same nine columns.

Belongs here: the table, the two statements that are compared and their timing. Does not belong here: what a score is
(`assets.science.scoring`). Both statements read the same stored table and write one number for each of its rows; what
adding up leaves out is the rule: forms with skipped items, answers out of range, prorating.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets.science.instruments.registry import REGISTRY
from assets.science.scoring import score_sql
from pipelines.benchmarks.result import BenchResult

GOAL = 3.0
REPEATS = 5
MEMORY_LIMIT = "600MB"
# One answer in a thousand is skipped, as in ordinary exports: nearly one form in a hundred is incomplete.
ANSWERS_A_SKIP = 1000
ITEMS = tuple(f"phq9_{number}" for number in range(1, 10))


@dataclass(frozen=True)
class Timed:
    """The seconds of one statement, each time it ran."""

    cpu: Sequence[float]
    wall: Sequence[float]


def run(rows: int = 10_000_000) -> BenchResult:
    """Score `rows` forms and add up the nine columns of the same table, in turn, and compare the usual times."""
    adding = " + ".join(ITEMS)
    scoring = score_sql(REGISTRY["PHQ-9"], ITEMS)
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder, _forms(Path(folder), rows) as con:
        written = {
            "add up nine columns": f"CREATE OR REPLACE TABLE made AS SELECT {adding} AS score FROM forms",
            "score nine columns": f"CREATE OR REPLACE TABLE made AS SELECT {scoring} AS score FROM forms",
        }
        # Without the writing, which costs both alike, the rule shows at its dearest.
        read = {
            "nine column totals": f"SELECT {', '.join(f'SUM({item})' for item in ITEMS)} FROM forms",
            "total of all scores": f"SELECT SUM({scoring}) FROM forms",
        }
        times = {**_timed(con, written), **_timed(con, read)}
    usual = {name: statistics.median(each.cpu) for name, each in times.items()}
    floor, scored, totals, total = usual.values()
    measured = scored / floor
    return BenchResult(
        rows=[
            {
                "what": name,
                "rows": rows,
                "CPU s": usual[name],
                "wall s": statistics.median(each.wall),
                "ns a row": usual[name] / rows * 1e9,
            }
            for name, each in times.items()
        ],
        measured=measured,
        goal=GOAL,
        held=measured <= GOAL,
        sentence=(
            f"Compared are the first two, median CPU time of {REPEATS} turns, a number written for each row; "
            f"where nothing is written, all scores take {total / totals:.2g} times nine column totals."
        ),
    )


def _forms(folder: Path, rows: int) -> duckdb.DuckDBPyConnection:
    """A connection to a file with a table of so many forms, answers 0 to 3, a few skipped."""
    con = duckdb.connect(
        str(folder / "forms.duckdb"), config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(folder / "spill")}
    )
    con.execute("SET preserve_insertion_order = false")
    answers = ", ".join(
        f"CAST(CASE WHEN HASH(form * 9 + {number}) % {ANSWERS_A_SKIP} > 0 "
        f"THEN HASH(form * 9 + {number}) // {ANSWERS_A_SKIP} % 4 END AS DOUBLE) AS {item}"
        for number, item in enumerate(ITEMS)
    )
    con.execute(f"CREATE TABLE forms AS SELECT {answers} FROM RANGE({rows}) AS numbered(form)")
    con.execute("CHECKPOINT")
    return con


def _timed(con: duckdb.DuckDBPyConnection, statements: dict[str, str]) -> dict[str, Timed]:
    """Each statement's times, the statements taking turns so that a busy machine slows them alike."""
    cpu: dict[str, list[float]] = {name: [] for name in statements}
    wall: dict[str, list[float]] = {name: [] for name in statements}
    for turn in range(REPEATS + 1):
        for name, statement in statements.items():
            begun, spent = time.perf_counter(), time.process_time()
            con.execute(statement).fetchall()
            # The first turn warms the cache and is not counted.
            if turn > 0:
                cpu[name].append(time.process_time() - spent)
                wall[name].append(time.perf_counter() - begun)
    return {name: Timed(cpu[name], wall[name]) for name in statements}
