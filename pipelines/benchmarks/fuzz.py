"""`bench fuzz`: random damage to the three-site export, and whether every line is told or the one reason is.

Belongs here: the damaged nights and the law that they are held to. Does not belong here: the kinds of damage
(`corruption`). Each night takes slices of the export through the real landing, search, reading and staging, one to four
files of it damaged; the seed of a night that breaks the law is in the table.
"""

import random
import shutil
import tempfile
import time
from pathlib import Path

import duckdb

from assets import staging as layer
from assets import warehouse
from assets.contracts import accounting, quality, staging
from assets.feeds.landing import land, landed_files
from assets.feeds.wrong_input import WrongInput
from assets.purging import staging_in_memory
from assets.resources import Night
from assets.scores import score_forms
from pipelines.benchmarks.corruption import damage
from pipelines.benchmarks.result import BenchResult
from pipelines.environment import ROOT

EXPORT = ROOT.parent / "shared" / "clinic_export"
CONFIG = ROOT / "pipelines" / "examples" / "three_sites.toml"
DATA_DATE = "2026-11-20"
MOST_FILES, LINES = 4, 60


def run(replicates: int = 1000) -> BenchResult:
    """Damage the export so many times; the goal is no night that is neither told in one line nor accounted for."""
    begun = time.monotonic()
    stopped, broken = 0, []
    with tempfile.TemporaryDirectory(prefix="rapport-fuzz-") as name:
        slices = Path(name) / "slices"
        names = cut_slices(EXPORT, slices)
        for seed in range(replicates):
            folder = Path(name) / "night"
            shutil.copytree(slices, folder / "inbox")
            chosen = random.Random(seed).sample(names, 1 + seed % MOST_FILES)  # noqa: S311 -- damage, no secret
            damaged = damage(folder / "inbox", chosen, seed=seed)
            fault = one_night(folder)
            stopped += fault == ""
            if fault:
                broken.append({"seed": seed, "fault": fault, "damage": ", ".join(way for _, way in damaged)})
            shutil.rmtree(folder)
    account = {"nights": replicates, "told in one line": stopped, "accounted for": replicates - stopped - len(broken)}
    return BenchResult(
        rows=[{**account, "broken": len(broken), "seconds": time.monotonic() - begun}],
        measured=float(len(broken)),
        goal=0.0,
        held=not broken,
        sentence="\n".join(f"seed {each['seed']}: {each['fault']} ({each['damage']})" for each in broken),
    )


def cut_slices(export: Path, inbox: Path) -> list[str]:
    """The first lines of every file of an export, under the same names; returns the names."""
    names = []
    for file in sorted(export.rglob("*")):
        name = file.relative_to(export).as_posix()
        target = inbox / name
        if file.suffix not in {".parquet", ".csv"}:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix == ".parquet":
            with duckdb.connect() as con:
                con.execute(f"COPY (FROM '{file}' LIMIT {LINES}) TO '{target}' (FORMAT parquet)")
        else:
            target.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:LINES]))
        names.append(name)
    return names


def one_night(folder: Path) -> str | None:
    """Stage what lies in `folder/inbox`: None where every line is accounted for, nothing where one line said why not.

    Returns:
        Else what is wrong: a crash by its kind, or the file whose lines are not the sum of their fates.
    """
    night = Night(config_file=str(CONFIG), inbox=str(folder / "inbox"), home=str(folder / "home"), data_date=DATA_DATE)
    try:
        land(Path(night.inbox), landing=night.landing, mappings=night.service.feeds, data_date=night.as_of)
        night.work.mkdir(parents=True, exist_ok=True)
        with staging_in_memory(night) as con:
            _stage(con, night)
            return _broken_law(con)
    except WrongInput as wrong:
        return "" if len(str(wrong).splitlines()) == 1 else "more than one line"
    except Exception as crash:  # noqa: BLE001 -- what is looked for
        return f"{type(crash).__name__}"


def _stage(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    landed = landed_files(night.landing, mappings=night.service.feeds)
    for feed in staging.FEEDS:
        layer.stage_feed(con, feed, night=night, landed=landed)
    score_forms(con, registry=night.service.registry)
    warehouse.create_table(con, staging.REFUSED_ROWS, select=accounting.refused_lines())
    warehouse.create_table(con, quality.RECONCILIATION, select=accounting.reconciliation())


def _broken_law(con: duckdb.DuckDBPyConnection) -> str | None:
    """The first file whose lines are not accepted, refused, superseded, identical or blank."""
    found = con.sql(
        "SELECT file FROM quality.reconciliation WHERE lines IS DISTINCT FROM"
        " accepted + refused + superseded + identical + blank ORDER BY file"
    ).fetchall()
    return f"{found[0][0]} loses lines" if found else None
