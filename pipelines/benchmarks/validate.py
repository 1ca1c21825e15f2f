"""`bench validate`: holding attendance lines to their contract and setting the broken ones apart, against SQL by hand.

Belongs here: the made-up lines, the hand-written query, and the two processes that are compared. Does not belong here: any
rule. Both read the same table of text lines; both leave the accepted rows typed, and every refused line with its first
broken rule. Ours is what a night runs: the judging generated from the contract, then the suite of Great Expectations over
what was accepted, its import and start included. By hand it is one query with the same twenty rules and no second look.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.benchmarks.result import BenchResult
from pipelines.environment import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

GOAL = 4.0
MOST_MEBIBYTES = 2048.0
MEMORY_LIMIT = "600MB"
DATA_DATE, FIRST_DAY = date(2026, 10, 31), date(2024, 1, 1)
CLINICIANS = 400
# One line in a thousand has each fault, as in a bad export.
LINES_A_FAULT = 1000
RULES = 20
_OURS, _BY_HAND = "contract and suite", "by hand"


@dataclass(frozen=True, kw_only=True)
class _Spent:
    cpu: float
    wall: float
    mebibytes: float
    refused: int
    accepted: int


def run(rows: int = 10_000_000) -> BenchResult:
    """Judge `rows` lines both ways, in turn, each in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
        folder = Path(name)
        write_lines(folder / "lines.duckdb", rows)
        spent = {what: _spent(what, folder) for what in (_BY_HAND, _OURS)}
    by_hand, ours = spent[_BY_HAND], spent[_OURS]
    if (by_hand.refused, by_hand.accepted) != (ours.refused, ours.accepted):
        raise RuntimeError("the two ways refuse different lines, so their times are of different work")
    measured = ours.cpu / by_hand.cpu
    return BenchResult(
        rows=[
            {
                "what": what,
                "lines": rows,
                "refused": each.refused,
                "CPU s": each.cpu,
                "wall s": each.wall,
                "MiB": each.mebibytes,
                "CPU us a line": each.cpu / rows * 1e6,
            }
            for what, each in spent.items()
        ],
        measured=measured,
        goal=GOAL,
        held=measured <= GOAL and ours.mebibytes <= MOST_MEBIBYTES,
        sentence=f"The same {RULES} rules; at most {ours.mebibytes:,.0f} MiB resident against {MOST_MEBIBYTES:,.0f} allowed.",
    )


def write_lines(file: Path, rows: int) -> None:
    """A file with `lines`, a table of text as a feed is read, and `clinicians`; each of fifteen faults planted."""
    with duckdb.connect(str(file), config={"memory_limit": MEMORY_LIMIT}) as con:
        con.execute("SET preserve_insertion_order = false")
        con.execute(
            f"CREATE TABLE clinicians AS SELECT 'k' || n AS clinician_id FROM RANGE({CLINICIANS}) AS numbered(n)"
        )
        faults = {
            "appointment_id": "CASE fault WHEN 1 THEN NULL WHEN 2 THEN 'a' || (n - 2) ELSE 'a' || n END",
            "episode_id": "'e' || n // 8",
            "case_id": "CASE fault WHEN 3 THEN NULL ELSE 'c' || n // 12 END",
            "clinician_id": f"CASE fault WHEN 4 THEN NULL WHEN 5 THEN 'nobody' ELSE 'k' || n % {CLINICIANS} END",
            "site": "'north'",
            "starts_at": "CASE fault WHEN 6 THEN NULL WHEN 7 THEN '2026-13-40 09:00:00' WHEN 8 THEN '2031-01-05 09:00:00' "
            "WHEN 9 THEN '1985-01-05 09:00:00' ELSE strftime(TIMESTAMP '2024-02-01 09:00:00' + to_minutes(n * 37 % 1400000), "
            "'%Y-%m-%d %H:%M:%S') END",
            "status": "CASE fault WHEN 10 THEN NULL WHEN 11 THEN '?' ELSE "
            "(['attended', 'did_not_attend', 'cancelled_by_client', 'cancelled_by_clinic'])[n % 4 + 1] END",
            "duration_minutes": "CASE fault WHEN 12 THEN 'fifty' WHEN 13 THEN '900' WHEN 14 THEN '0' ELSE '50' END",
            "modality": "CASE fault WHEN 15 THEN '?' ELSE 'video' END",
        }
        listed = ", ".join(f"{sql} AS {name}" for name, sql in faults.items())
        con.execute(
            f"CREATE TABLE lines AS SELECT n + 2 AS source_line, {listed} FROM "
            f"(SELECT n, CASE WHEN n % {LINES_A_FAULT} BETWEEN 1 AND 15 THEN n % {LINES_A_FAULT} END AS fault "
            f"FROM RANGE({rows}) AS numbered(n))"
        )
        con.execute("CHECKPOINT")


def _spent(what: str, folder: Path) -> _Spent:
    begun = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelines.benchmarks.validate", what, str(folder)],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
        stdout=subprocess.PIPE,
        text=True,
    )
    said, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"judging {what} ended with status {process.returncode}")
    cpu, mebibytes, refused, accepted = said.split()[-4:]
    return _Spent(
        cpu=float(cpu),
        wall=time.monotonic() - begun,
        mebibytes=float(mebibytes),
        refused=int(refused),
        accepted=int(accepted),
    )


def judge_by_hand(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """What a careful script would do: one query that reads, asks twenty things and keeps the first that is wrong."""
    con.execute(
        f"""
CREATE TABLE judged AS
WITH repeated AS (
  SELECT appointment_id, MAX(source_line) AS newest FROM source.lines GROUP BY appointment_id HAVING COUNT(*) > 1
),
read AS (
  SELECT line.*,
    TRY_CAST(line.starts_at AS TIMESTAMP) AS local_at,
    TRY_CAST(line.duration_minutes AS BIGINT) AS minutes,
    line.source_line < repeated.newest AS is_replaced,
    known.clinician_id IS NOT NULL AS is_known
  FROM source.lines AS line LEFT JOIN source.clinicians AS known ON known.clinician_id = line.clinician_id
  LEFT JOIN repeated ON repeated.appointment_id = line.appointment_id
)
SELECT appointment_id, episode_id, case_id, clinician_id, site,
  CAST(local_at AT TIME ZONE 'Europe/London' AT TIME ZONE 'UTC' AS TIMESTAMP) AS starts_at, CAST(local_at AS DATE) AS starts_on,
  status, minutes AS duration_minutes, modality, 'lines.csv' AS source_file, source_line,
  CASE
    WHEN appointment_id IS NULL THEN 1 WHEN case_id IS NULL THEN 2 WHEN clinician_id IS NULL THEN 3
    WHEN starts_at IS NULL THEN 4 WHEN local_at IS NULL THEN 5 WHEN local_at::DATE > DATE '{DATA_DATE}' THEN 6
    WHEN local_at::DATE < DATE '{FIRST_DAY}' THEN 7 WHEN status IS NULL THEN 8
    WHEN status NOT IN ('attended', 'did_not_attend', 'cancelled_by_client', 'cancelled_by_clinic', 'late_not_seen') THEN 9
    WHEN duration_minutes IS NOT NULL AND minutes IS NULL THEN 10 WHEN minutes < 1 THEN 11 WHEN minutes > 600 THEN 12
    WHEN modality NOT IN ('in_person', 'video', 'phone', 'text', 'other') THEN 13 WHEN NOT is_known THEN 14
    WHEN is_replaced THEN 15
    WHEN source_line IS NULL THEN 16 WHEN source_line < 1 THEN 17 WHEN CAST(local_at AS DATE) IS NULL THEN 18
    WHEN trim(appointment_id) = '' THEN 19 WHEN trim(case_id) = '' THEN 20
  END AS rule
FROM read
"""
    )
    con.execute("CREATE TABLE quarantine AS SELECT * FROM judged WHERE rule IS NOT NULL")
    con.execute("CREATE TABLE accepted AS SELECT * EXCLUDE (rule) FROM judged WHERE rule IS NULL")
    return _counts(con, refused="quarantine", accepted="accepted")


def judge_by_contract(con: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """What a night does with a feed's lines once they are read, and the suite over what it accepted."""
    from assets import warehouse  # noqa: PLC0415 -- only the process that is timed needs any of these
    from assets.contracts import staging, staging_sql  # noqa: PLC0415
    from assets.contracts.text_as_values import Reading  # noqa: PLC0415
    from quality.expectations import validate  # noqa: PLC0415
    from quality.rules import Parameters, written  # noqa: PLC0415
    from quality.suites import suite_of  # noqa: PLC0415

    feed = staging.ATTENDANCE
    reading = Reading(
        date_format="%Y-%m-%d",
        datetime_format="%Y-%m-%d %H:%M:%S",
        time_zone="Europe/London",
        first_possible_day=FIRST_DAY,
        data_date=DATA_DATE,
    )
    con.execute("CREATE SCHEMA staging")
    con.execute("CREATE TABLE staging.clinicians AS SELECT * FROM source.clinicians")
    present = [str(row[0]) for row in con.sql("DESCRIBE source.lines").fetchall()]
    judged = staging_sql.judged_lines(feed, source="source.lines", present=present, is_long=False, reading=reading)
    references = staging_sql.reference_rules(feed, present=["staging.clinicians"])
    con.execute(
        "CREATE TABLE lines AS SELECT CAST(1 AS BIGINT) AS file_number, CAST(0 AS BIGINT) AS mapping, "
        f"'lines.csv' AS source_file, judged.* FROM (\n{judged}\n) AS judged"
    )
    con.execute(
        "CREATE TEMP TABLE pointing_nowhere AS SELECT * FROM (SELECT line.source_line, "
        f"{staging_sql.first_broken(references)} AS rule FROM lines AS line WHERE line.broken_rule IS NULL) WHERE rule IS NOT NULL"
    )
    con.execute(
        "UPDATE lines AS line SET broken_rule = found.rule FROM pointing_nowhere AS found WHERE line.source_line = found.source_line"
    )
    con.execute(
        "CREATE TABLE fates AS SELECT file_number, mapping, source_line, fate, CAST(NULL AS VARCHAR) AS rule "
        f"FROM ({staging_sql.repeated_lines(feed, lines='lines')}) WHERE fate <> 'accepted' UNION ALL "
        "SELECT file_number, mapping, source_line, 'refused', broken_rule FROM lines WHERE broken_rule IS NOT NULL"
    )
    warehouse.create_table(
        con,
        feed.table,
        select="SELECT line.* FROM lines AS line ANTI JOIN fates AS fate USING (file_number, mapping, source_line)",
    )
    told = Parameters(
        data_date=DATA_DATE,
        first_possible_day=FIRST_DAY,
        score_ranges={"none": (0.0, 0.0)},
        raters={"none": ("client",)},
        minimum_clients=10,
        minimum_difference=5,
    )
    suite = suite_of(feed.table, written=written(told))
    broken = [verdict.name for verdict in validate(con, suites=[suite]) if not verdict.is_passed]
    if broken:
        raise RuntimeError(f"what was accepted breaks its contract: {', '.join(broken)}")
    return _counts(con, refused="fates", accepted=feed.table.full_name)


def _counts(con: duckdb.DuckDBPyConnection, *, refused: str, accepted: str) -> tuple[int, int]:
    counted = [con.sql(f"SELECT COUNT(*) FROM {table}").fetchall()[0][0] for table in (refused, accepted)]
    return int(counted[0]), int(counted[1])


def _judge(what: str, folder: Path) -> None:
    ways: dict[str, Callable[[duckdb.DuckDBPyConnection], tuple[int, int]]] = {
        _BY_HAND: judge_by_hand,
        _OURS: judge_by_contract,
    }
    place = folder / what.replace(" ", "_")
    place.mkdir()
    config = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(place / "spill")}
    con = duckdb.connect(str(place / "made.duckdb"), config=config)
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"ATTACH '{folder / 'lines.duckdb'}' AS source (READ_ONLY)")
    refused, accepted = ways[what](con)
    con.close()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, refused, accepted)


if __name__ == "__main__":
    _judge(sys.argv[1], Path(sys.argv[2]))
