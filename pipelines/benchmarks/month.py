"""`bench month`: whole nights in a row over late, corrected, repeated, missing and spoilt drops, and one night over all of it.

Belongs here: the nights, and what is compared of the published tables. Does not belong here: what is dropped on which day
(`assets.feeds.synthetic_month`). The one night finds the files landed in the same order, so that its tables must be the same
to the last column, but for those that tell of the nights themselves; they are named below with the reason.
"""

import json
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from assets import warehouse
from assets.contracts import changes, quality, slices, watch
from assets.contracts.registry import TABLES
from assets.feeds.secret import NAME as SECRET
from assets.feeds.synthetic_month import Drop, month_of_drops
from pipelines.benchmarks.result import BenchResult
from pipelines.endurance import nights
from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import answered, done
from pipelines.environment import ROOT

CONFIG: Final = ROOT / "pipelines" / "examples" / "daily_drops.toml"
LAST_ON: Final = date(2026, 11, 20)
SEED: Final = 5
_EVERYTHING: Final = "TRUE"
# Rows, by a condition, that say nothing of the version before; nothing else may differ between the last of many nights and
# the only one.
_OF_THE_DAY_ALONE: Final = {
    **{table.full_name: "FALSE" for table in changes.TABLES},
    watch.SINCE_LAST.full_name: "FALSE",
    watch.FRESHNESS.full_name: "table_layer <> 'published'",
    # Which figures stand since an earlier night, and whom they speak of.
    **{table.full_name: "FALSE" for table in slices.TABLES},
    # Rules over the tables above count their rows.
    quality.CHECKS.full_name: "NOT starts_with(table_name, 'quality.')",
}


@dataclass
class Told:
    """What the nights of a month came to.

    Attributes:
        published: nights that published.
        stopped: nights that said in one line why not.
        broken: a line for each law that did not hold.
        lines: lines of files accounted for on the last night.
    """

    published: int = 0
    stopped: int = 0
    broken: list[str] = field(default_factory=list)
    lines: int = 0


def run(replicates: int = 30) -> BenchResult:
    """Run so many nights and the one; the goal is no broken law and no table that differs."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rapport-month-") as name:
        clinic, once = _clinic(Path(name) / "many"), _clinic(Path(name) / "once")
        drops = month_of_drops(_export(clinic), seed=SEED, last_on=LAST_ON, days=replicates)
        nights.warm(clinic)
        told = every_night(clinic, drops=drops)
        land_all(once, drops=drops)
        # Codes are made with the clinic's secret.
        shutil.copy2(clinic.home / SECRET, once.home / SECRET)
        if done(partial(nights.whole_night, once, as_of=LAST_ON.isoformat()), told=once.folder / "told") != 0:
            told.broken.append("the one night did not publish")
        else:
            differing = answered(partial(differing_tables, clinic.home, once.home), told=once.folder / "told")
            told.broken += [f"{table} differs from that of the one night" for table in differing]
    compared = len(TABLES) - sum(condition == "FALSE" for condition in _OF_THE_DAY_ALONE.values())
    return BenchResult(
        rows=[
            {
                "nights": len(drops),
                "published": told.published,
                "stopped in one line": told.stopped,
                "lines accounted for": told.lines,
                "tables compared": compared,
                "laws broken": len(told.broken),
                "minutes": (time.monotonic() - begun) / 60,
            }
        ],
        measured=float(len(told.broken)),
        goal=0.0,
        held=not told.broken,
        sentence="\n".join(told.broken),
    )


def _clinic(folder: Path) -> SmallClinic:
    folder.mkdir()
    clinic = SmallClinic(folder)
    clinic.inbox.mkdir()
    shutil.copyfile(CONFIG, clinic.config)
    return clinic


def _export(clinic: SmallClinic) -> dict[str, str]:
    """A whole export as texts, written by a process of its own so that this one may go on forking."""
    folder = clinic.folder / "export"

    def write() -> int:
        from assets.feeds.synthetic import write_export  # noqa: PLC0415 - only who writes needs polars

        write_export(folder, seed=11, clinicians=6, clients=40, data_on=LAST_ON)
        return 0

    done(write, told=clinic.folder / "told")
    return {file.stem: file.read_text(encoding="utf-8") for file in folder.glob("*.csv") if "resent" not in file.name}


def every_night(clinic: SmallClinic, *, drops: tuple[Drop, ...]) -> Told:
    """Each day's drop and its night; a spoilt file stops its night, and no other."""
    told, problem = Told(), clinic.folder / "problem"
    for number, drop in enumerate(drops, start=1):
        receive(clinic, drop)
        problem.unlink(missing_ok=True)
        before = nights.current(clinic)
        status = done(partial(nights.whole_night, clinic, as_of=drop.day.isoformat()), told=clinic.folder / "told")
        expected = 2 if drop.stops_the_night else 0
        sys.stderr.write(f"night {number}, {drop.day}: status {status}\n")
        if status != expected:
            said = problem.read_text(encoding="utf-8") if problem.exists() else "no word"
            told.broken.append(f"{drop.day}: status {status} where {expected} was expected: {said}")
        if status == 0:
            told.published += 1
            lost, told.lines = answered(partial(reconciled, clinic.home), told=clinic.folder / "told")
            told.broken += [f"{drop.day}: {name} loses lines" for name in lost]
            if json.loads((clinic.home / "current" / "manifest.json").read_text())["data_date"] != str(drop.day):
                told.broken.append(f"{drop.day}: what is published speaks of another day")
        else:
            told.stopped += problem.exists() and len(problem.read_text(encoding="utf-8").splitlines()) == 1
            if nights.current(clinic) != before:
                told.broken.append(f"{drop.day}: a night that stopped has published")
    return told


def receive(clinic: SmallClinic, drop: Drop) -> None:
    """Put a day's files into the inbox."""
    for name, data in drop.files.items():
        (clinic.inbox / name).write_bytes(data)


def land_all(clinic: SmallClinic, *, drops: tuple[Drop, ...]) -> None:
    """Every day's drop landed as its night would, and no night."""

    def work() -> int:
        from assets.feeds.landing import land  # noqa: PLC0415
        from assets.service import read_service  # noqa: PLC0415

        service = read_service(clinic.config)
        for drop in drops:
            receive(clinic, drop)
            land(clinic.inbox, landing=clinic.home / "landing", mappings=service.feeds, data_date=drop.day)
        return 0

    if done(work, told=clinic.folder / "told") != 0:
        raise RuntimeError("the drops could not be landed")


def reconciled(home: Path) -> tuple[list[str], int]:
    """Files whose lines are not the sum of their fates, and the lines of all."""
    with warehouse.open_published(home / warehouse.WAREHOUSE_FILE) as con:
        lost = con.sql(
            "SELECT DISTINCT file FROM quality.reconciliation"
            " WHERE lines IS DISTINCT FROM accepted + refused + superseded + identical + blank ORDER BY file"
        ).fetchall()
        lines = con.sql("SELECT CAST(SUM(lines) AS BIGINT) FROM quality.reconciliation").fetchall()[0][0]
    return [str(row[0]) for row in lost], int(lines)


def differing_tables(one: Path, other: Path) -> list[str]:
    """Published tables that are not the same in two state folders, but for what tells of the nights themselves."""
    found = []
    with (
        warehouse.open_published(one / warehouse.WAREHOUSE_FILE) as first,
        warehouse.open_published(other / warehouse.WAREHOUSE_FILE) as second,
    ):
        for name in TABLES:
            condition = _OF_THE_DAY_ALONE.get(name, _EVERYTHING)
            query = f"SELECT * FROM {name} WHERE {condition} ORDER BY ALL"
            if not warehouse.read_frame(first, query).equals(warehouse.read_frame(second, query)):
                found.append(name)
    return found
