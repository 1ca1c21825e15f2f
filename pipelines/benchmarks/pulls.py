"""`bench pulls`: a million rows from each kind of system into the folder of pulled files, against its bare transport.

Belongs here: the two ways of fetching the same, timed in turn. Does not belong here: the systems (`pull_servers`). The bare
way asks the same questions by the same driver or client and throws the answers away: it writes no file, names no column,
turns nothing into text. Both are wall-clock times against a server on this machine, so the network is as quick as it gets and
what we add weighs most.
"""

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
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
        bare: fetches the same and throws it away.
    """

    settings: Pull
    environ: Mapping[str, str]
    bare: Callable[[], None]


@dataclass(frozen=True, kw_only=True, order=True)
class _Spent:
    wall: float
    cpu: float


@contextmanager
def _postgres(rows: int) -> Iterator[System]:
    with database_server() as url:
        with postgres_driver.connect(url, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_ingest("forms", forms(rows).to_arrow(compat_level=pl.CompatLevel.oldest()), mode="create")

        def bare() -> None:
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

        def bare() -> None:
            with closing(sqlite3.connect(file)) as connection:
                cursor = connection.execute(_SQL)
                while cursor.fetchmany(_AT_ONCE):
                    pass

        yield _database(f"sqlite:///{file}", bare)


def _database(url: str, bare: Callable[[], None]) -> System:
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

        def bare() -> None:
            with httpx.stream("GET", signed, timeout=_SECONDS) as answer:
                answer.raise_for_status()
                for _ in answer.iter_bytes():
                    pass

        yield System(settings=_settings(table), environ={_VARIABLE: "none"}, bare=bare)


@contextmanager
def _redcap(rows: int) -> Iterator[System]:
    with served("redcap", rows=rows) as url:
        export = {"name": "phq9", "form": "phq9"}
        settings = _settings({"kind": "redcap", "url": f"{url}/api/", "token_variable": _VARIABLE, "exports": [export]})
        step = settings.records_at_once if isinstance(settings, RedcapPull) else 1

        def bare() -> None:
            with httpx.Client(timeout=_SECONDS) as client:
                ids = client.post(url, data={"fields[0]": "record_id"}).text.split()[1:]
                for start in range(0, len(ids), step):
                    batch = ids[start : start + step]
                    client.post(url, data={f"records[{at}]": each for at, each in enumerate(batch)})

        yield System(settings=settings, environ={_VARIABLE: "none"}, bare=bare)


@contextmanager
def _fhir_search(rows: int) -> Iterator[System]:
    with served("fhir", rows=rows) as url:

        def bare() -> None:
            with httpx.Client(timeout=_SECONDS) as client:
                for page in range(-(-rows // RESOURCES_A_PAGE)):
                    client.get(f"{url}/Appointment?page={page}")

        yield _fhir(url, "search", bare)


@contextmanager
def _fhir_export(rows: int) -> Iterator[System]:
    with served("fhir", rows=rows) as url:

        def bare() -> None:
            with httpx.Client(timeout=_SECONDS) as client:
                for file in range(-(-rows // LINES_A_FILE)):
                    with client.stream("GET", f"{url}/file/{file}") as answer:
                        for _ in answer.iter_bytes():
                            pass

        yield _fhir(url, "bulk", bare)


def _fhir(url: str, way: str, bare: Callable[[], None]) -> System:
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
    """Fetch `rows` rows both ways from each system, in turn, several times; the quickest of each counts."""
    measured = {name: _measured(system, rows=rows) for name, system in SYSTEMS.items()}
    ratios = {name: ours.wall / bare.wall for name, (ours, bare) in measured.items()}
    slowest = max(ratios.values())
    return BenchResult(
        rows=[
            {
                "system": name,
                "rows": rows,
                "bare s": bare.wall,
                "pulled s": ours.wall,
                "ratio": ratios[name],
                "bare CPU s": bare.cpu,
                "pulled CPU s": ours.cpu,
            }
            for name, (ours, bare) in measured.items()
        ],
        measured=slowest,
        goal=GOAL,
        held=slowest <= GOAL,
        sentence=f"Wall clock, the quickest of {TIMES} each, in turn; CPU is this process's alone. The worst ratio counts.",
    )


def _measured(system: Callable[[int], AbstractContextManager[System]], *, rows: int) -> tuple[_Spent, _Spent]:
    ours, bare = [], []
    with system(rows) as there:
        for _ in range(TIMES):
            bare.append(_spent(there.bare))
            with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
                ours.append(_spent(lambda folder=Path(name): _pull(there, folder)))
                _check(Path(name) / _NAME, rows=rows)
    return min(ours), min(bare)


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
