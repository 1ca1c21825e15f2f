"""A past night made again from what had landed by then, and held against the version that is kept of it.

Belongs here: laying out what that night had before it, running it, and the comparison. Does not belong here: what a night does
(`pipelines.definitions`), or whether files are still what was written (`integrity`).

Nothing of the state folder is changed and nothing outside it is asked: no inbox, no database, no store. The night is made
beside the folder that it goes to, with the landing copies linked in, the version that readers had then as the one it is held
against, and the name and run of the version that it makes again, which pages carry.
"""

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from assets import published, purging, warehouse
from assets.contracts.registry import TABLES
from assets.feeds.identifier_search import MEMORY
from assets.feeds.manifest import Entry, read_manifest, remains_of, write_manifest
from assets.feeds.wrong_input import WrongInput
from assets.resources import Night
from pipelines.night_end import problem_of
from pipelines.state import secret_file

_LIKE_NIGHT_BEFORE = "what it tells of the version before, and figures held since one, are as on a first night"


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What a rebuilt night came to.

    Attributes:
        compared_with: the kept version of that night; None where none is kept.
        tables: how many tables were made.
        files: how many files of the site, of what pages were given and of the checks' pages were made.
        differences: tables and files that are otherwise in the kept version; empty where there is none to compare with.
        is_same_file: whether the warehouse file has the same bytes too; None where there is none to compare with.
        lost: what can't be as it was, in sentences.
    """

    compared_with: str | None
    tables: int
    files: int
    differences: tuple[str, ...]
    is_same_file: bool | None
    lost: tuple[str, ...]


class NotRebuiltError(Exception):
    """The night could not be made again, with the reason in one line."""


def rebuild(home: Path, *, config: Path, as_of: date, to: Path) -> Rebuilt:
    """Make the night of a data date again.

    Args:
        home: the state folder, which the caller holds.
        config: the settings to read what landed with.
        as_of: the data date.
        to: the folder of the version to make; nothing may be there yet.

    Raises:
        WrongInput: where something stands in the way, or nothing had landed by then.
        NotRebuiltError: where the night stopped.
    """
    if to.exists():
        raise WrongInput("something is there already", place=f"--to {to}", mend="name a folder that is not there yet")
    kept = _kept_of(home, as_of=as_of)
    lines = _landed_by(home, kept=kept, as_of=as_of)
    before, lost = _before(home, kept=kept, as_of=as_of)
    scratch = to.absolute().with_name(f".unfinished-{to.name}")
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        _lay_out(scratch, home=home, lines=lines, before=before)
        _run(scratch, home=home, config=config, as_of=as_of, kept=kept)
        made = scratch / warehouse.CURRENT
        compared = _compared(made.resolve(), None if kept is None else home / "published" / kept["version"])
        made.resolve().rename(to)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    purged = sum(remains_of(home / "landing", line.sha256).is_dir() for line in lines)
    if purged:
        lost.append(
            f"{purged} of {len(lines)} files are purged: their lines stand as they were judged, and changes of their columns can't be told"
        )
    tables, files, differences, is_same_file = compared
    return Rebuilt(
        compared_with=None if kept is None else str(kept["version"]),
        tables=tables,
        files=files,
        differences=differences,
        is_same_file=is_same_file,
        lost=tuple(lost),
    )


def _described(home: Path, version: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((home / "published" / version / published.MANIFEST_FILE).read_text("utf-8"))
    return found


def _kept_of(home: Path, *, as_of: date) -> dict[str, Any] | None:
    """What the newest kept version of that day says of itself."""
    every = (_described(home, version) for version in reversed(warehouse.versions(home)))
    return next((each for each in every if each["data_date"] == as_of.isoformat()), None)


def _landed_by(home: Path, *, kept: dict[str, Any] | None, as_of: date) -> list[Entry]:
    """The lines of landing's manifest that the night had; by their date where no version says how many."""
    entries = read_manifest(home / "landing")
    had = entries[: kept["landed_files"]] if kept is not None and "landed_files" in kept else None
    found = [entry for entry in entries if entry.landed_on <= as_of.isoformat()] if had is None else had
    if not found:
        raise WrongInput("nothing had landed by then", place=f"--as-of {as_of}", mend="name a later day")
    return found


def _before(home: Path, *, kept: dict[str, Any] | None, as_of: date) -> tuple[str | None, list[str]]:
    """The version that the night was held against, where it is kept; and what is lost where it is not."""
    versions = warehouse.versions(home)
    if kept is None:
        earlier = [each for each in versions if _described(home, each)["data_date"] < as_of.isoformat()]
        if earlier:
            return earlier[-1], []
        return None, [f"no version before it is kept: {_LIKE_NIGHT_BEFORE}"]
    against = kept.get("against")
    if against is None or against in versions:
        return against, []
    return None, [f"the version before it, {against}, is no longer kept: {_LIKE_NIGHT_BEFORE}"]


def _lay_out(scratch: Path, *, home: Path, lines: Iterable[Entry], before: str | None) -> None:
    """A state folder of that night: the landing copies and the version before as links, nothing of them to be changed."""
    landing = scratch / "landing"
    landing.mkdir(parents=True)
    write_manifest(landing, lines)
    for path in (home / "landing").iterdir():
        if path.is_dir():
            (landing / path.name).symlink_to(path.absolute())
    if (home / "landing" / MEMORY).is_file():
        shutil.copyfile(home / "landing" / MEMORY, landing / MEMORY)
    if before is not None:
        (scratch / "published").mkdir()
        (scratch / "published" / before).symlink_to((home / "published" / before).absolute())
        warehouse.point_current_at(scratch, version=before)


def _run(scratch: Path, *, home: Path, config: Path, as_of: date, kept: Mapping[str, Any] | None) -> None:
    """The nightly assets and their checks, without an inbox and without the purge, whose bytes are not this night's."""
    from pipelines.definitions import defs  # noqa: PLC0415 -- it reads the environment

    resources = dict(defs.resources or {})
    resources["night"] = Night(
        config_file=str(config.absolute()),
        inbox="",
        home=str(scratch),
        data_date=as_of.isoformat(),
        secret_file=str(secret_file(home)),
        repeats_version="" if kept is None else str(kept["version"]),
        repeats_run="" if kept is None else str(kept["run_id"]),
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [*(defs.assets or ()), *(defs.asset_checks or ())],
            selection=dg.AssetSelection.all() - dg.AssetSelection.assets(purging.PURGED_COPIES),
            instance=instance,
            resources=resources,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    if not result.success:
        raise NotRebuiltError(problem_of(list(result.all_events))[0])


def _compared(made: Path, kept: Path | None) -> tuple[int, int, tuple[str, ...], bool | None]:
    """Tables, files, what of them differs, and whether the warehouse files are the same bytes."""
    hashes = _hashes(made)
    files = len(hashes) - 1
    if kept is None:
        return len(TABLES), files, (), None
    earlier = _hashes(kept)
    tables = _differing_tables(made / warehouse.WAREHOUSE_FILE, kept / warehouse.WAREHOUSE_FILE)
    others = sorted(
        name
        for name in (hashes.keys() | earlier.keys()) - {warehouse.WAREHOUSE_FILE}
        if hashes.get(name) != earlier.get(name)
    )
    is_same_file = hashes[warehouse.WAREHOUSE_FILE] == earlier.get(warehouse.WAREHOUSE_FILE)
    return len(TABLES), files, (*tables, *others), is_same_file


def _hashes(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / published.MANIFEST_FILE).read_text("utf-8"))["sha256"]
    return found


def _differing_tables(made: Path, kept: Path) -> list[str]:
    """Tables of which a row, however often it stands, is not in the other file as often."""
    with warehouse.open_published(made) as one, warehouse.open_published(kept) as other:
        return [name for name in TABLES if _sum_of_rows(one, name) != _sum_of_rows(other, name)]


def _sum_of_rows(con: duckdb.DuckDBPyConnection, name: str) -> tuple[object, ...] | None:
    """A table's columns, how many rows it has, and what their hashes come to in any order; None where there is none."""
    try:
        columns = tuple(con.sql(f"SELECT * FROM {name} LIMIT 0").columns)
        every = ", ".join(columns)
        [row] = con.sql(
            f"SELECT COUNT(*), SUM(CAST(HASH({every}) AS HUGEINT)), BIT_XOR(HASH({every})) FROM {name}"
        ).fetchall()
    except duckdb.CatalogException:
        return None
    return columns, *row
