"""DuckDB in one place: where a night builds, how a table is made, and how a version is published.

Belongs here: connections, attaching, creating promised tables, reading them as frames, and the swap of one
published version for the next. Does not belong here: what any table holds (`assets.contracts`, `assets/sql`).

A night builds two files: `build.duckdb`, which is what analysts will get, and `scratch.duckdb` with everything
that must not travel. A reader's open connection blocks a writer in DuckDB, so nothing is ever written in
place: a version is a folder, made whole, and `current` is a symbolic link moved to it in one step.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from assets.contracts import macros
from assets.contracts.dictionary import comments
from assets.contracts.model import Table
from assets.whole_files import sync

# Older DuckDB clients (1.4 and later) cannot read a newer default format.
STORAGE_VERSION = "v1.4.0"
BUILD_FILE = "build.duckdb"
SCRATCH_FILE = "scratch.duckdb"
WAREHOUSE_FILE = "warehouse.duckdb"
CURRENT = "current"
_GOING = ".going-"
LAYERS = ("staging", "marts", "analysis", "quality")

# A reader's connection that can do nothing but read the one file.
READ_ONLY_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "lock_configuration": True,
}

_ENDED_BY_A_SIGNAL = "Query interrupted"


class NightInProgressError(Exception):
    """Another night holds the state folder."""


def begin_build(folder: Path, *, memory_limit: str) -> None:
    """Make the two files of a night in `folder`, emptying what an interrupted night left there."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with open_build(folder, memory_limit=memory_limit) as con:
        for layer in LAYERS:
            con.execute(f"CREATE SCHEMA {layer}")
        for statement in macros.statements():
            con.execute(statement)


@contextmanager
def open_build(folder: Path, *, memory_limit: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that writes the night's build: unqualified schemas are the warehouse's, `scratch.*` stays behind.

    `memory_limit` is DuckDB's own, such as `"600MB"`; beyond it DuckDB spills into `folder`. Both files are written out
    whole, with no log beside them, once it is closed.
    """
    build = connect_build(folder, memory_limit=memory_limit)
    try:
        with session(build) as con:
            yield con
    finally:
        build.close()


def connect_build(folder: Path, *, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """The night's two files held open, for sessions that follow each other; whoever opens it closes it."""
    build = duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": str(folder / "spill")})
    build.execute(f"ATTACH '{_quoted(folder / BUILD_FILE)}' AS warehouse (STORAGE_VERSION '{STORAGE_VERSION}')")
    build.execute(f"ATTACH '{_quoted(folder / SCRATCH_FILE)}' AS scratch")
    return build


@contextmanager
def session(build: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own to a build that is held open: temporary tables and what is registered end with it."""
    con = build.cursor()
    try:
        with stopped_as_asked():
            con.execute("SET TimeZone = 'UTC'")
            con.execute("USE warehouse")
            yield con
    finally:
        con.close()


@contextmanager
def stopped_as_asked() -> Iterator[None]:
    """Let whoever is asked to stop within a query stop: DuckDB ends the query, and takes the signal's exception for its own error.

    Raises:
        KeyboardInterrupt: where a signal ended a query.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) == _ENDED_BY_A_SIGNAL:
            raise KeyboardInterrupt from error
        raise


def create_table(con: duckdb.DuckDBPyConnection, table: Table, *, select: str) -> int:
    """Build a promised table from one SELECT, with exactly its columns, types and comments; returns its rows.

    Raises:
        duckdb.Error: where the SELECT lacks a promised column or a value does not fit its type.
    """
    columns = ",\n  ".join(f"CAST({column.name} AS {column.duckdb_type}) AS {column.name}" for column in table.columns)
    # One transaction for the table and its comments: each commit by itself waits for the disk.
    con.begin()
    try:
        con.execute(f"CREATE OR REPLACE TABLE {table.full_name} AS SELECT\n  {columns}\nFROM (\n{select}\n) AS made")
        for comment in comments(table):
            con.execute(comment)
    except duckdb.Error:
        con.rollback()
        raise
    con.commit()
    return count_rows(con, table.full_name)


def create_table_from_frame(con: duckdb.DuckDBPyConnection, table: Table, *, frame: pl.DataFrame) -> int:
    """Build a promised table from a polars frame that has its columns, in any order; returns its rows."""
    con.register("frame_to_store", frame.to_arrow())
    try:
        return create_table(con, table, select="SELECT * FROM frame_to_store")
    finally:
        con.unregister("frame_to_store")


def count_rows(con: duckdb.DuckDBPyConnection, full_name: str) -> int:
    """How many rows a table has."""
    return int(con.sql(f"SELECT COUNT(*) FROM {full_name}").fetchall()[0][0])


def read_frame(con: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    """The rows of a query as a polars frame."""
    frame: pl.DataFrame = con.sql(query).pl()
    return frame


@contextmanager
def open_published(file: Path, *, memory_limit: str | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A hardened, read-only connection to a published warehouse file: no other file, network or setting.

    `memory_limit` is DuckDB's own, such as `"2GB"`; beyond it a question fails, since nothing may be spilled to disk.
    """
    limit = {} if memory_limit is None else {"memory_limit": memory_limit}
    con = duckdb.connect(str(file), read_only=True, config=READ_ONLY_CONFIG | limit)
    try:
        yield con
    finally:
        con.close()


@contextmanager
def hold_night(home: Path) -> Iterator[None]:
    """Keep a second night out of the same state folder; the kernel lets go of it when the process dies.

    Raises:
        NightInProgressError: where another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".night.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise NightInProgressError(f"{home}: another night is running there; wait for it to end") from busy
        yield


def new_version(now: datetime) -> str:
    """A version's name: its moment in UTC, padded to the microsecond so that names sort as time does."""
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")


def next_version(home: Path, *, now: datetime) -> str:
    """The name of a version made now: later than every kept one, also where the clock has been set back."""
    return new_version(max([now, *(moment_of(kept) + timedelta(microseconds=1) for kept in versions(home)[-1:])]))


def moment_of(version: str) -> datetime:
    """When a version was made, by its name; in UTC."""
    return datetime.strptime(version, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)


def publish(staged: Path, *, home: Path, version: str, keep: int) -> Path:
    """Make a finished folder the current version, in one step that a reader or a crash can't see half of.

    `staged` holds the whole version (warehouse file, site) and lies on the same file system as `home`. The last
    `keep` versions stay; the current one is never removed. Returns the published folder.
    """
    for path in sorted(staged.rglob("*")):
        if path.is_file():
            path.chmod(0o440)
        sync(path)
    sync(staged)
    published = home / "published"
    published.mkdir(parents=True, exist_ok=True)
    folder = published / version
    staged.rename(folder)
    sync(published)
    point_current_at(home, version=version)
    prune(home, keep=keep)
    return folder


def point_current_at(home: Path, *, version: str) -> None:
    """Move the `current` link to a version, and keep the two stable names that go through it.

    Raises:
        FileNotFoundError: where that version is not kept.
    """
    if not (home / "published" / version / WAREHOUSE_FILE).is_file():
        raise FileNotFoundError(version)
    _move_link(home / CURRENT, target=Path("published") / version)
    for name in (WAREHOUSE_FILE, "site"):
        if not (home / name).is_symlink():
            _move_link(home / name, target=Path(CURRENT) / name)
    sync(home)


def versions(home: Path) -> list[str]:
    """The kept versions, oldest first."""
    published = home / "published"
    if not published.is_dir():
        return []
    return sorted(
        folder.name
        for folder in published.iterdir()
        if not folder.name.startswith(_GOING) and (folder / WAREHOUSE_FILE).is_file()
    )


def current_version(home: Path) -> str | None:
    """The published version that readers get, or None before the first."""
    link = home / CURRENT
    return link.readlink().name if link.is_symlink() else None


def prune(home: Path, *, keep: int) -> None:
    """Remove all but the last `keep` versions; never the current one. Open readers keep what they opened."""
    current, published = current_version(home), home / "published"
    for version in versions(home)[:-keep]:
        if version != current:
            # Under its own name a half removed folder would look like a version, or be left over for good.
            (published / version).rename(published / f"{_GOING}{version}")
    for folder in published.glob(f"{_GOING}*"):
        shutil.rmtree(folder)


def _move_link(link: Path, *, target: Path) -> None:
    new = link.with_name(f".{link.name}.new")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
