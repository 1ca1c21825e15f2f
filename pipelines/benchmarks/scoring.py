"""`bench scoring`: scoring PHQ-9 item rows by the declared rule, against DuckDB adding up the same nine columns.

Belongs here: the table, the statements that are compared and their timing. Does not belong here: what a score is
(`assets.science.scoring`). What adding up leaves out is the rule: forms with skipped items, answers out of range,
prorating. Adding up reads in two ways, and the benchmark holds where both do: nine column totals with nothing written,
against the total of all scores; and a sum written for each row, against a score written for each row.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from assets.science.instruments.registry import REGISTRY
from assets.science.scoring import score_items, scored_sql
from pipelines.benchmarks.result import BenchResult

GOAL = 3.0
REPEATS = 5
MEMORY_LIMIT = "600MB"
# One answer in a thousand is skipped, as in ordinary exports: nearly one form in a hundred is incomplete.
ANSWERS_A_SKIP = 1000
ITEMS = tuple(f"phq9_{number}" for number in range(1, 10))
READ_FLOOR, READ, WRITE_FLOOR, WRITE, FRAME = (
    "nine column totals, nothing written",
    "total of all scores, nothing written",
    "nine columns added up and written",
    "scores written",
    "scores of a polars frame",
)


@dataclass(frozen=True)
class Timed:
    """The seconds of one piece of work, each time it was done."""

    cpu: Sequence[float]
    wall: Sequence[float]


def run(rows: int = 10_000_000) -> BenchResult:
    """Score `rows` forms and add up the nine columns of the same table, in turn, and compare the usual times."""
    phq = REGISTRY["PHQ-9"]
    scored = scored_sql(phq, ITEMS, source="forms")
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder, forms(Path(folder), rows) as con:
        statements = {
            READ_FLOOR: f"SELECT {', '.join(f'SUM({item})' for item in ITEMS)} FROM forms",
            READ: f"SELECT SUM(score) FROM ({scored})",
            WRITE_FLOOR: f"CREATE OR REPLACE TABLE made AS SELECT {' + '.join(ITEMS)} AS score FROM forms",
            WRITE: f"CREATE OR REPLACE TABLE made AS SELECT score FROM ({scored})",
        }
        times = timed({name: lambda sql=sql: con.execute(sql).fetchall() for name, sql in statements.items()})
        frame = con.sql("FROM forms").pl()
        times |= timed({FRAME: lambda: score_items(frame, instrument=phq, item_columns=ITEMS)})
    usual = {name: statistics.median(each.cpu) for name, each in times.items()}
    read, written, framed = (
        usual[scoring] / usual[floor]
        for scoring, floor in ((READ, READ_FLOOR), (WRITE, WRITE_FLOOR), (FRAME, READ_FLOOR))
    )
    measured = max(read, written)
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
            f"Median CPU time of {REPEATS} turns; scores take {read:.2f} times the nine totals where neither writes and "
            f"{written:.2f} times adding up where both write, and the larger is judged. A frame in memory, which no night "
            f"scores, takes polars {framed:.2f} times DuckDB's nine totals."
        ),
    )


def forms(folder: Path, rows: int) -> duckdb.DuckDBPyConnection:
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


def timed(work: Mapping[str, Callable[[], list[tuple[object, ...]] | pl.DataFrame]]) -> dict[str, Timed]:
    """The times of each piece of work, the pieces taking turns so that a busy machine slows them alike."""
    cpu: dict[str, list[float]] = {name: [] for name in work}
    wall: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(REPEATS + 1):
        for name, do in work.items():
            begun, spent = time.perf_counter(), time.process_time()
            do()
            # The first turn warms the cache and is not counted.
            if turn > 0:
                cpu[name].append(time.process_time() - spent)
                wall[name].append(time.perf_counter() - begun)
    return {name: Timed(cpu[name], wall[name]) for name in work}
