"""`bench pulls`: a million rows from each kind of system into the folder of pulled files, against its bare transport.

Belongs here: the ways of fetching the same, timed in turn. Does not belong here: the systems (`pull_servers`). The bare way
asks the same questions by the same driver or client, names no column and turns nothing into text. What comes over HTTP it
writes to one file as it comes and waits until that is on the disk, as a download does and as a pull does with its own file;
the table also has the time where the bytes are thrown away unseen. What a database's driver hands over is thrown away. All are
wall-clock times against a server on this machine, so the network is as quick as it gets and what we add weighs most.
"""

import os
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO
from zoneinfo import ZoneInfo

import adbc_driver_postgresql.dbapi as postgres_driver
import httpx
import obstore
import polars as pl
import pyarrow.parquet as pq
from obstore.store import S3Store

from assets.feeds.pulls.pulling import pull, source_of
from assets.feeds.pulls.redcap_settings import RedcapPull
from assets.feeds.pulls.settings import Pull, read_pulls
from assets.whole_files import sync
from pipelines.benchmarks.pull_servers import BUCKET, LINES_A_FILE, OBJECT, REGION, RESOURCES_A_PAGE, forms, served
from pipelines.benchmarks.result import BenchResult
from pipelines.database_server import database_server

GOAL = 3.0
TIMES = 3
_NAME = "system"
_SQL = "SELECT * FROM forms"
_VARIABLE = "RAPPORT_BENCH"
_AT_ONCE = 50_000
_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class System:
    """One system with its rows in place.

    Attributes:
        settings: how we pull from it.
        environ: its secrets.
        bare: fetches the same, and writes what comes over HTTP to what it is given.
    """

    settings: Pull
    environ: Mapping[str, str]
    bare: Callable[[BinaryIO], None]


@dataclass(frozen=True, kw_only=True, order=True)
class _Spent:
    wall: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """The quickest of each way."""

    pulled: _Spent
    bare: _Spent
    thrown_away: _Spent


@contextmanager
def _postgres(rows: int) -> Iterator[System]:
    with database_server() as url:
        with postgres_driver.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("forms", forms(rows).to_arrow(compat_level=pl.CompatLevel.oldest()), mode="create")

        def bare(_: BinaryIO) -> None:
            with postgres_driver.connect(url) as connection, connection.cursor() as cursor:
                cursor.execute(_SQL)
                for _ in cursor.fetch_record_batch():
                    pass

        yield _database(url, bare)


@contextmanager
def _sqlite(rows: int) -> Iterator[System]:
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as folder:
        file = Path(folder) / "clinic.sqlite"
        frame = forms(rows).with_columns(pl.col("completed_at").dt.to_string("%Y-%m-%d %H:%M:%S"))
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(f"CREATE TABLE forms ({', '.join(frame.columns)})")
            places = ", ".join("?" * frame.width)
            connection.executemany(f"INSERT INTO forms VALUES ({places})", frame.iter_rows())

        def bare(_: BinaryIO) -> None:
            with closing(sqlite3.connect(file)) as connection:
                cursor = connection.execute(_SQL)
                while cursor.fetchmany(_AT_ONCE):
                    pass

        yield _database(f"sqlite:///{file}", bare)


def _database(url: str, bare: Callable[[BinaryIO], None]) -> System:
    table = {"kind": "sql", "url_variable": _VARIABLE, "queries": [{"name": "forms", "sql": _SQL}]}
    return System(settings=_settings(table), environ={_VARIABLE: url}, bare=bare)


@contextmanager
def _objects(rows: int) -> Iterator[System]:
    with served("objects", rows=rows) as url:
        table = {
            "kind": "objects",
            "url": f"s3://{BUCKET}/exports",
            "options": {"endpoint": url, "region": REGION, "allow_http": "true"},
            "secrets": {"access_key_id": _VARIABLE, "secret_access_key": _VARIABLE},
        }

        options = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
        store = S3Store(BUCKET, endpoint=url, region=REGION, client_options={"allow_http": True}, **options)
        signed = obstore.sign(store, "GET", OBJECT, timedelta(hours=1))

        def bare(sink: BinaryIO) -> None:
            with httpx.stream("GET", signed, timeout=_SECONDS) as answer:
                answer.raise_for_status()
                sink.writelines(answer.iter_bytes())

        yield System(settings=_settings(table), environ={_VARIABLE: "none"}, bare=bare)


@contextmanager
def _redcap(rows: int) -> Iterator[System]:
    with served("redcap", rows=rows) as url:
        export = {"name": "phq9", "form": "phq9"}
        settings = _settings({"kind": "redcap", "url": f"{url}/api/", "token_variable": _VARIABLE, "exports": [export]})
        step = settings.records_at_once if isinstance(settings, RedcapPull) else 1

        def bare(sink: BinaryIO) -> None:
            with httpx.Client(timeout=_SECONDS) as client:
                ids = client.post(url, data={"fields[0]": "record_id"}).text.split()[1:]
                for start in range(0, len(ids), step):
                    batch = ids[start : start + step]
                    answer = client.post(url, data={f"records[{at}]": each for at, each in enumerate(batch)})
                    sink.write(answer.content)

        yield System(settings=settings, environ={_VARIABLE: "none"}, bare=bare)


@contextmanager
def _fhir_search(rows: int) -> Iterator[System]:
    with served("fhir", rows=rows) as url:

        def bare(sink: BinaryIO) -> None:
            with httpx.Client(timeout=_SECONDS) as client:
                sink.writelines(
                    client.get(f"{url}/Appointment?page={page}").content for page in range(-(-rows // RESOURCES_A_PAGE))
                )

        yield _fhir(url, "search", bare)


@contextmanager
def _fhir_export(rows: int) -> Iterator[System]:
    with served("fhir", rows=rows) as url:

        def bare(sink: BinaryIO) -> None:
            with httpx.Client(timeout=_SECONDS) as client:
                for file in range(-(-rows // LINES_A_FILE)):
                    with client.stream("GET", f"{url}/file/{file}") as answer:
                        sink.writelines(answer.iter_bytes())

        yield _fhir(url, "bulk", bare)


def _fhir(url: str, way: str, bare: Callable[[BinaryIO], None]) -> System:
    settings = _settings({"kind": "fhir", "url": url, "way": way, "resources": ["Appointment"]})
    return System(settings=settings, environ={}, bare=bare)


SYSTEMS: Mapping[str, Callable[[int], AbstractContextManager[System]]] = {
    "PostgreSQL, ADBC": _postgres,
    "SQLite, SQLAlchemy": _sqlite,
    "object store, S3": _objects,
    "REDCap": _redcap,
    "FHIR search": _fhir_search,
    "FHIR bulk export": _fhir_export,
}


def run(rows: int = 1_000_000) -> BenchResult:
    """Fetch `rows` rows each way from each system, in turn, several times; the quickest of each counts."""
    measured = {name: _measured(system, rows=rows) for name, system in SYSTEMS.items()}
    ratios = {name: each.pulled.wall / each.bare.wall for name, each in measured.items()}
    slowest = max(ratios.values())
    return BenchResult(
        rows=[
            {
                "system": name,
                "rows": rows,
                "bare s": each.bare.wall,
                "pulled s": each.pulled.wall,
                "ratio": ratios[name],
                "bare CPU s": each.bare.cpu,
                "pulled CPU s": each.pulled.cpu,
                "thrown away s": each.thrown_away.wall,
                "ratio to that": each.pulled.wall / each.thrown_away.wall,
            }
            for name, each in measured.items()
        ],
        measured=slowest,
        goal=GOAL,
        held=slowest <= GOAL,
        sentence=(
            f"Wall clock, the quickest of {TIMES} each, in turn; CPU is this process's alone. The worst ratio counts, of"
            " the pull to the bare fetch that keeps on the disk what came over HTTP, as the pull keeps its rows."
        ),
    )


def _measured(system: Callable[[int], AbstractContextManager[System]], *, rows: int) -> _Measured:
    pulled, bare, thrown_away = [], [], []
    with system(rows) as there:
        for _ in range(TIMES):
            with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
                folder = Path(name)
                thrown_away.append(_spent(lambda: _fetch_bare(there, Path(os.devnull))))
                bare.append(_spent(lambda kept=folder / "kept": _fetch_bare(there, kept)))
                pulled.append(_spent(lambda into=folder / "pulled": _pull(there, into)))
                _check(folder / "pulled" / _NAME, rows=rows)
    return _Measured(pulled=min(pulled), bare=min(bare), thrown_away=min(thrown_away))


def _fetch_bare(there: System, kept: Path) -> None:
    with kept.open("wb") as sink:
        there.bare(sink)
    if kept.is_file():
        sync(kept)


def _pull(there: System, folder: Path) -> None:
    source = source_of(
        _NAME, there.settings, environ=there.environ, zone=ZoneInfo("Europe/London"), now=datetime.now(UTC)
    )
    pull(_NAME, source, into=folder, wait=1.0)


def _check(folder: Path, *, rows: int) -> None:
    """What was pulled is all there, or its time is of other work."""
    found = sum(pq.read_metadata(file).num_rows for file in folder.rglob("*.parquet"))
    for file in folder.rglob("*.csv"):
        with file.open("rb") as opened:
            found += sum(1 for _ in opened) - 1
    if found != rows:
        raise RuntimeError(f"{found:,} rows were pulled of {rows:,}")


def _settings(table: Mapping[str, object]) -> Pull:
    return read_pulls({_NAME: table})[_NAME]


def _spent(work: Callable[[], None]) -> _Spent:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return _Spent(wall=time.perf_counter() - wall, cpu=time.process_time() - cpu)
