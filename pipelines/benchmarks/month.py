"""`bench month`: whole nights in a row over late, corrected, repeated, missing and spoilt drops, and one night over all of it.

Belongs here: the nights. Does not belong here: what is dropped on which day (`assets.feeds.synthetic_month`), or what may
differ (`pipelines.endurance.same_tables`). The one night finds the files landed in the same order, so that its tables must be
the same to the last column, but for those that tell of the nights themselves.
"""

import json
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from assets import warehouse
from assets.feeds.secret import NAME as SECRET
from assets.feeds.synthetic_month import Drop, month_of_drops
from pipelines.benchmarks.result import BenchResult
from pipelines.endurance import nights
from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import answered, done
from pipelines.endurance.same_tables import compared, differing_tables
from pipelines.environment import ROOT

CONFIG: Final = ROOT / "pipelines" / "examples" / "daily_drops.toml"
LAST_ON: Final = date(2026, 11, 20)
SEED: Final = 5


@dataclass
class Told:
    """What the nights of a month came to.

    Attributes:
        nights: nights that ran.
        published: nights that published.
        stopped: nights that said in one line why not.
        broken: a line for each law that did not hold.
        lines: lines of files accounted for on the last night.
        compared: tables held against those of the one night.
        is_whole: whether all of it was done.
    """

    nights: int = 0
    published: int = 0
    stopped: int = 0
    broken: list[str] = field(default_factory=list)
    lines: int = 0
    compared: int = 0
    is_whole: bool = False


def run(replicates: int = 30) -> BenchResult:
    """Run so many nights and the one; the goal is no broken law and no table that differs.

    Ctrl-C, or SIGTERM, ends it early with what it has by then, which does not hold.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun, told = time.monotonic(), Told()
    with tempfile.TemporaryDirectory(prefix="rapport-month-") as name, suppress(KeyboardInterrupt):
        _many_and_once(Path(name), nights_in_a_row=replicates, told=told)
        told.is_whole = True
    stopped = [] if told.is_whole else ["It was stopped before its end; this is what it had."]
    return BenchResult(
        rows=[
            {
                "nights": told.nights,
                "published": told.published,
                "stopped in one line": told.stopped,
                "lines accounted for": told.lines,
                "tables compared": told.compared,
                "laws broken": len(told.broken),
                "minutes": (time.monotonic() - begun) / 60,
            }
        ],
        measured=float(len(told.broken)),
        goal=0.0,
        held=told.is_whole and not told.broken,
        sentence="\n".join([*stopped, *told.broken]),
    )


def _many_and_once(folder: Path, *, nights_in_a_row: int, told: Told) -> None:
    clinic, once = _clinic(folder / "many"), _clinic(folder / "once")
    drops = month_of_drops(_export(clinic), seed=SEED, last_on=LAST_ON, days=nights_in_a_row)
    nights.warm(clinic)
    every_night(clinic, drops=drops, told=told)
    land_all(once, drops=drops)
    # Codes are made with the clinic's secret.
    shutil.copy2(clinic.home / SECRET, once.home / SECRET)
    if done(partial(nights.whole_night, once, as_of=LAST_ON.isoformat()), told=once.folder / "told") != 0:
        told.broken.append("the one night did not publish")
        return
    differing = answered(partial(differing_tables, clinic.home, once.home), told=once.folder / "told")
    told.compared = len(compared())
    told.broken += [f"{table} differs from that of the one night" for table in differing]


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


def every_night(clinic: SmallClinic, *, drops: tuple[Drop, ...], told: Told) -> None:
    """Each day's drop and its night; a spoilt file stops its night, and no other."""
    problem = clinic.folder / "problem"
    for number, drop in enumerate(drops, start=1):
        receive(clinic, drop)
        problem.unlink(missing_ok=True)
        before = nights.current(clinic)
        status = done(partial(nights.whole_night, clinic, as_of=drop.day.isoformat()), told=clinic.folder / "told")
        expected = 2 if drop.stops_the_night else 0
        told.nights = number
        sys.stderr.write(
            f"night {number} of {len(drops)}, {drop.day}: status {status}, {len(told.broken)} laws broken\n"
        )
        sys.stderr.flush()
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
