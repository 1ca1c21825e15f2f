"""`bench night`: a whole night over a synthetic export, against the least that DuckDB could do with the same files.

Belongs here: the floor, and the two processes that are compared. Does not belong here: the night itself. The floor reads
the same CSV files with DuckDB's own typed reader and writes the same tables: staging and marts by the same SQL, and the
others, which no SQL makes, as copies of the night's own rows. It lands nothing, accounts for no line, holds no rule, makes
no estimate and draws no page. Both are timed as whole processes, in CPU seconds, which another user of the machine does not
change as much as the clock.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path

from assets.contracts import marts, staging
from assets.contracts.registry import TABLES
from assets.feeds.synthetic import write_export
from assets.tables import SQL
from assets.warehouse import LAYERS, WAREHOUSE_FILE
from pipelines.benchmarks.result import BenchResult
from pipelines.environment import ROOT

GOAL = 3.0
MOST_GROWTH = 1.2
MOST_MEBIBYTES = 4096
DATA_DATE = date(2026, 10, 31)
APPOINTMENTS_A_CLIENT = 9.36
# Over thirty months, some 60 appointments booked a month: a full-time clinician's diary.
CLIENTS_A_CLINICIAN = 200
FEWEST_CLINICIANS = 20


@dataclass(frozen=True)
class Spent:
    """What one process used: CPU and wall seconds, and its largest resident memory in MiB."""

    cpu: float
    wall: float
    mebibytes: float


def run(rows: int = 10_000_000) -> BenchResult:
    """Compare a night over about `rows` appointments, with their forms, with the floor, and with a tenth of the rows."""
    few, many = _measured(max(rows // 10, 1)), _measured(rows)
    measured = many.night.cpu / many.floor.cpu
    growth = many.microseconds_a_row / few.microseconds_a_row
    return BenchResult(
        rows=[line for each in (few, many) for line in each.lines()],
        measured=measured,
        goal=GOAL,
        held=measured <= GOAL and growth <= MOST_GROWTH and many.night.mebibytes <= MOST_MEBIBYTES,
        sentence=(
            f"A row costs the night {growth:.2f} times what it costs among a tenth as many (at most {MOST_GROWTH:g}), "
            f"and it held {many.night.mebibytes:.0f} MiB (at most {MOST_MEBIBYTES}). "
            f"Wall clock: {many.night.wall / many.floor.wall:.2f} times the floor."
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Compared:
    """The floor and the night over the same files of `appointments`."""

    appointments: int
    floor: Spent
    night: Spent

    @property
    def microseconds_a_row(self) -> float:
        """CPU time of the night for each appointment with its forms."""
        return self.night.cpu / self.appointments * 1e6

    def lines(self) -> list[dict[str, str | int | float]]:
        """Both as lines of the benchmark's table."""
        return [
            {
                "what": what,
                "appointments": self.appointments,
                "CPU s": spent.cpu,
                "wall s": spent.wall,
                "MiB": spent.mebibytes,
                "CPU us a row": spent.cpu / self.appointments * 1e6,
            }
            for what, spent in (("floor", self.floor), ("night", self.night))
        ]


def _measured(rows: int) -> Compared:
    clients = max(round(rows / APPOINTMENTS_A_CLIENT), 60)
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
        folder = Path(name)
        # A process begins with the largest memory that its parent has held, so the export is written by another one.
        with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as apart:
            sizes = {"seed": 1, "clinicians": clinicians_of(clients), "clients": clients}
            apart.submit(write_export, folder / "inbox", **sizes, data_on=DATA_DATE).result()
        appointments = sum(1 for _ in (folder / "inbox" / "appointments.csv").open("rb")) - 1
        night = spent_on(
            night_command(
                config=ROOT / "pipelines" / "examples" / "demo.toml",
                inbox=folder / "inbox",
                home=folder / "home",
                as_of=DATA_DATE,
            )
        )
        floor = spent_on(
            [
                *(sys.executable, "-m", "pipelines.benchmarks.night"),
                *(str(folder / "inbox"), str(folder / "floor"), str(folder / "home" / WAREHOUSE_FILE)),
            ]
        )
    return Compared(appointments=appointments, floor=floor, night=night)


def clinicians_of(clients: int) -> int:
    """How many clinicians see so many clients."""
    return max(FEWEST_CLINICIANS, clients // CLIENTS_A_CLINICIAN)


def night_command(*, config: Path, inbox: Path, home: Path, as_of: date) -> list[str]:
    """A night as its own process."""
    return [
        *(sys.executable, "-m", "pipelines", "nightly", "--config", str(config)),
        *("--inbox", str(inbox), "--home", str(home), "--as-of", as_of.isoformat()),
    ]


def spent_on(command: list[str]) -> Spent:
    """Run a command from the project's folder and say what it used.

    Raises:
        RuntimeError: where it ends with another status than 0.
    """
    begun = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "ignore"}, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[2]} ended with status {process.returncode}")
    return Spent(cpu=used.ru_utime + used.ru_stime, wall=time.monotonic() - begun, mebibytes=used.ru_maxrss / 1024)


def write_floor(inbox: Path, *, folder: Path, made: Path) -> None:
    """The same tables from the same files, unchecked: what a script of an afternoon would do.

    Args:
        inbox: the files.
        folder: made; gets the floor's own warehouse.
        made: the night's warehouse, for the rows of tables that estimates make.
    """
    import duckdb  # noqa: PLC0415 - only the process that is timed needs it

    folder.mkdir()
    con = duckdb.connect(str(folder / "floor.duckdb"), config={"memory_limit": "2GB"})
    con.execute("SET TimeZone = 'UTC'")
    for layer in LAYERS:
        con.execute(f"CREATE SCHEMA {layer}")
    con.execute(f"CREATE TABLE quality.run AS SELECT DATE '{DATA_DATE}' AS data_date, 120 AS episode_gap_days")
    for feed, file in _FILES.items():
        read = f"read_csv('{inbox / file}', ignore_errors = true)"
        con.execute(f"CREATE TABLE staging.{feed} AS SELECT {_COLUMNS[feed]} FROM {read}").fetchall()
    con.execute(_SCORES).fetchall()
    for table in _in_order():
        select = (SQL / "marts" / f"{table}.sql").read_text(encoding="utf-8")
        con.execute(f"CREATE TABLE marts.{table} AS {select}").fetchall()
    con.execute(f"ATTACH '{made}' AS made (READ_ONLY)")
    for full_name in TABLES:
        con.execute(f"CREATE TABLE IF NOT EXISTS {full_name} AS FROM made.{full_name}").fetchall()
    con.close()


def _in_order() -> list[str]:
    """The marts, those first that others read."""
    first = ["appointments", "sessions", "episodes", "ratings", "clients"]
    return [*first, *(table.name for table in marts.TABLES if table.name not in first)]


_FILES = {
    staging.CLINICIANS.name: "clinicians.csv",
    staging.PEOPLE.name: "people.csv",
    staging.EPISODES.name: "episodes.csv",
    staging.ATTENDANCE.name: "appointments.csv",
    staging.ALLIANCE.name: "wai_sr.csv",
    staging.OUTCOMES.name: "phq9.csv",
}
_RATING = "rating_id, client_id, client_id AS case_id, {clinician} AS clinician_id, appointment_id, TRY_CAST(completed_on AS DATE) AS completed_on, '{instrument}' AS instrument, 'client' AS rater, [{items}] AS items"
_COLUMNS = {
    staging.CLINICIANS.name: "*",
    staging.PEOPLE.name: "*, client_id AS case_id",
    staging.EPISODES.name: "* REPLACE (TRY_CAST(referred_on AS DATE) AS referred_on)",
    staging.ATTENDANCE.name: "* RENAME (client_id AS case_id), NULL AS site, CAST(TRY_CAST(starts_at AS TIMESTAMP) AS DATE) AS starts_on",
    staging.ALLIANCE.name: _RATING.format(
        clinician="clinician_id",
        instrument="WAI-SR",
        items=", ".join(f"TRY_CAST(item_{number} AS DOUBLE)" for number in range(1, 13)),
    ),
    staging.OUTCOMES.name: _RATING.format(
        clinician="CAST(NULL AS VARCHAR)",
        instrument="PHQ-9",
        items=", ".join(f"TRY_CAST(item_{number} AS DOUBLE)" for number in range(1, 10)),
    ),
}
_SCORES = """
CREATE TABLE staging.scores AS
SELECT
  instrument, rating_id, len(items) AS n_answered, list_sum(items) AS score, CAST(NULL AS DOUBLE) AS bond_score,
  CAST(NULL AS DOUBLE) AS goals_score, CAST(NULL AS DOUBLE) AS tasks_score, FALSE AS is_at_ceiling
FROM (SELECT instrument, rating_id, items FROM staging.alliance UNION ALL SELECT instrument, rating_id, items FROM staging.outcomes) AS forms
"""


if __name__ == "__main__":
    write_floor(Path(sys.argv[1]), folder=Path(sys.argv[2]), made=Path(sys.argv[3]))
