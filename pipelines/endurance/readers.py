"""People who read all the time, and what each of them was given.

Belongs here: one reader's loop over the warehouse file, as an analyst opens it, and the site, as the gatekeeper reads it. Does
not belong here: how many there are, or what a night does meanwhile.

A version is told by its own manifest: the rows of every table, and the run that every page names. A reading that fits no
version, or two, is a mixed one.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from assets import warehouse
from assets.published import MANIFEST_FILE

if TYPE_CHECKING:
    from pipelines.gatekeeper.releases import Releases

_TABLES: Final = ("quality.run", "staging.attendance", "staging.outcomes", "marts.sessions", "quality.checks")
_PAUSE: Final = (2.0, 12.0)
# The server packs what pages share for each version anew, which twenty servers would do twenty times.
_DIRECTOR_AMONG: Final = 5
_PAGES: Final = ("index.html", "data-quality.html", "clinicians/index.html")
GOOD: Final = "good"


@dataclass(frozen=True, kw_only=True)
class Readings:
    """How often readers read, how many versions they met, and what went wrong, by kind."""

    times: int
    versions: int
    errors: dict[str, int]


def read_until_stopped(home: Path, *, notes: Path) -> int:
    """One reader's loop; appends a line a reading to a file of its own in `notes`."""
    from pipelines.gatekeeper.releases import Releases  # noqa: PLC0415 - the server's room is not needed to count rows

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chance = random.Random(os.getpid())  # noqa: S311 -- only to read at different moments
    releases = Releases(home) if os.getpid() % _DIRECTOR_AMONG == 0 else None
    with (notes / str(os.getpid())).open("a", encoding="utf-8", buffering=1) as told:
        try:
            while True:
                told.write(one_reading(home, wait=chance.uniform(0.0, 1.0), releases=releases) + "\n")
                time.sleep(chance.uniform(*_PAUSE))
        except KeyboardInterrupt:
            return 0


def gathered(notes: Path) -> Readings:
    """What all readers of a folder noted."""
    lines = [line for file in notes.iterdir() for line in file.read_text(encoding="utf-8").splitlines()]
    errors = Counter(line for line in lines if not line.startswith(GOOD))
    return Readings(
        times=len(lines), versions=len({line for line in lines if line.startswith(GOOD)}), errors=dict(errors)
    )


def one_reading(home: Path, *, wait: float, releases: "Releases | None") -> str:
    """Read rows and pages once.

    Args:
        home: the state folder.
        wait: seconds between the two questions to one open connection.
        releases: the server's way to pages; None for whoever opens the site's folder.

    Returns:
        The version, after `GOOD`; else the kind of what went wrong.
    """
    try:
        version = _analyst(home, wait=wait)
        page = asyncio.run(_director(releases)) if releases is not None else _onlooker(home)
    except Exception as error:  # noqa: BLE001 -- what is looked for
        return f"{type(error).__name__}"
    return page or f"{GOOD} {version}"


def _analyst(home: Path, *, wait: float) -> str:
    """Ask one open connection twice; the version that both answers are of."""
    with warehouse.stopped_as_asked(), warehouse.open_published(home / warehouse.WAREHOUSE_FILE) as con:
        con_file = str(con.execute("SELECT path FROM duckdb_databases() WHERE NOT internal").fetchall()[0][0])
        first = {table: warehouse.count_rows(con, table) for table in _TABLES}
        described = json.loads((Path(con_file).resolve().parent / MANIFEST_FILE).read_text(encoding="utf-8"))
        time.sleep(wait)
        again = {table: warehouse.count_rows(con, table) for table in _TABLES}
    if first != again:
        raise MixedVersionError("one connection, two answers")
    if not _is_of(home, first, described=described):
        raise MixedVersionError("rows that no version has")
    return str(described["version"])


def _is_of(home: Path, counted: dict[str, int], *, described: dict[str, dict[str, int]]) -> bool:
    """Whether the rows are those of that version, or of another that is kept: the link may have moved since the opening."""
    if all(described["rows"][table] == rows for table, rows in counted.items()):
        return True
    kept = [
        json.loads((home / "published" / version / MANIFEST_FILE).read_text(encoding="utf-8"))
        for version in warehouse.versions(home)
    ]
    return any(all(each["rows"][table] == rows for table, rows in counted.items()) for each in kept)


def _onlooker(home: Path) -> str | None:
    """Open pages of the folder that the stable name leads to; what is wrong, or nothing."""
    site = (home / "site").resolve()
    run = _run_of(site.parent)
    is_whole = all(run in (site / path).read_bytes() for path in _PAGES)
    return None if is_whole else "a page of another version"


async def _director(releases: "Releases") -> str | None:
    """Open pages as the server does; what is wrong, or nothing."""
    from pipelines.gatekeeper.places import place_of  # noqa: PLC0415

    for path in _PAGES:
        place = place_of(path)
        found = None if place is None else await releases.page(place)
        if found is None:
            return "a page is missing"
        release, body = found
        if _run_of(release.folder.parent) not in body:
            return "a page of another version"
    return None


def _run_of(version: Path) -> bytes:
    """The run that every page of a version names."""
    return str(json.loads((version / MANIFEST_FILE).read_text(encoding="utf-8"))["run_id"])[:8].encode()


class MixedVersionError(Exception):
    """What was read is of no one version."""
