"""Killed before its every change of the disk: publishing, landing and fetching, each as often as it has changes.

Whole nights that are killed are in `test_killed_nights`; `bench kills` does the same to whole nights in numbers.
"""

import sqlite3
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import polars as pl
import pytest

from assets import warehouse
from assets.feeds.landing import land
from assets.feeds.mapping import FeedMapping
from assets.feeds.pulls.pulling import pull
from assets.feeds.pulls.settings import Query, SqlPull
from assets.feeds.pulls.sql import Database
from assets.published import MANIFEST_FILE, manifest
from pipelines.endurance.forked import KILLED, die_before_change, done
from pipelines.integrity import verify

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
KEPT = 2


def killed_before_each_change(
    folder: Path, *, begin: Callable[[], None], work: Callable[[], object], told: Path
) -> int:
    """Do the work until it comes to its end, killed one change later each time; how often it was killed."""
    kills = 0
    while True:
        begin()

        def dying(number: int = kills + 1) -> int:
            die_before_change(folder, number=number)
            work()
            return 0

        status = done(dying, told=told)
        if status != KILLED:
            assert status == 0, told.read_text()
            return kills
        kills += 1


def finished(work: Path, number: int) -> Path:
    """A version as a night leaves it before it is published."""
    staged = work / "staged"
    (staged / "site" / "assets").mkdir(parents=True)
    (staged / "site" / "index.html").write_text(str(number))
    (staged / "site" / "assets" / "a.css").write_text("a")
    with duckdb.connect(str(staged / warehouse.WAREHOUSE_FILE)) as con:
        con.execute(f"CREATE TABLE made AS SELECT {number} AS number")
    (staged / MANIFEST_FILE).write_text(manifest(staged, described={"number": number}))
    return staged


def test_a_publication_killed_anywhere_leaves_whole_versions_and_the_next_one_clears_up(tmp_path):
    home, begun = tmp_path / "home", iter(range(1000))
    home.mkdir(mode=0o750)
    for number in range(KEPT):
        staged = finished(tmp_path / f"first-{number}", number)
        warehouse.publish(staged, home=home, version=warehouse.next_version(home, now=NOW), keep=KEPT)

    def begin() -> None:
        found = verify(home)
        assert found.differences == ()
        assert (home / "site" / "index.html").read_text().isdigit()
        number = next(begun)
        begin.staged = finished(tmp_path / f"work-{number}", number)

    def publish() -> None:
        name = warehouse.next_version(home, now=NOW)
        warehouse.publish(begin.staged, home=home, version=name, keep=KEPT)

    kills = killed_before_each_change(home, begin=begin, work=publish, told=tmp_path / "told")
    assert kills > 5
    assert len(warehouse.versions(home)) == KEPT
    assert {path.name for path in (home / "published").iterdir()} == set(warehouse.versions(home))
    assert warehouse.current_version(home) == warehouse.versions(home)[-1]


def test_a_landing_killed_anywhere_counts_every_file_once(tmp_path):
    inbox, landing = tmp_path / "inbox", tmp_path / "landing"
    inbox.mkdir()
    mapping = FeedMapping(feed="people", index=1, files=("*.csv",), columns={"client_id": "id"})
    sent: list[str] = []

    def begin() -> None:
        for _ in range(2):
            name = f"{len(sent):03d}.csv"
            (inbox / name).write_text(f"id\n{name}\n")
            sent.append(name)

    def work() -> None:
        land(inbox, landing=landing, mappings={"people": (mapping,)}, data_date=date(2026, 11, 20))

    kills = killed_before_each_change(landing, begin=begin, work=work, told=tmp_path / "told")
    assert kills > 5
    done_at_last = land(inbox, landing=landing, mappings={"people": (mapping,)}, data_date=date(2026, 11, 20))
    assert sorted(file.name for file in done_at_last.files) == sent
    assert [file.file_number for file in done_at_last.files] == list(range(1, len(sent) + 1))
    assert all(file.path.read_text() == f"id\n{file.name}\n" for file in done_at_last.files)
    assert [path.name for path in landing.iterdir() if path.name.startswith(".")] == []


def test_a_fetch_killed_anywhere_loses_no_row(tmp_path):
    database, pulled = tmp_path / "forms.sqlite", tmp_path / "pulled"
    with sqlite3.connect(database) as con:
        con.execute("CREATE TABLE forms (id TEXT, changed INTEGER)")
    settings = SqlPull(
        kind="sql", url_variable="X", queries=(Query(name="forms", sql="SELECT * FROM forms", watermark="changed"),)
    )
    sent: list[str] = []

    def begin() -> None:
        sent.append(f"F{len(sent)}")
        with sqlite3.connect(database) as con:
            con.execute("INSERT INTO forms VALUES (?, ?)", [sent[-1], len(sent)])

    def work() -> None:
        source = Database(
            settings=settings,
            url=f"sqlite:///{database}",
            zone=ZoneInfo("Europe/London"),
            now=NOW + timedelta(seconds=len(sent)),
        )
        pull("ehr", source, into=pulled, wait=0.0)

    kills = killed_before_each_change(pulled, begin=begin, work=work, told=tmp_path / "told")
    assert kills >= 3
    fetched = pl.concat([pl.read_parquet(file) for file in pulled.glob("ehr/forms*.parquet")])
    assert set(fetched["id"]) == set(sent)


@pytest.mark.parametrize("shift", [timedelta(days=-400), timedelta(0), timedelta(hours=1)])
def test_whatever_the_clock_says_the_version_made_last_sorts_last(tmp_path, shift):
    for moment in (NOW, NOW + shift):
        name = warehouse.next_version(tmp_path, now=moment)
        warehouse.publish(finished(tmp_path / "work", 1), home=tmp_path, version=name, keep=KEPT)
        assert warehouse.versions(tmp_path)[-1] == name == warehouse.current_version(tmp_path)
    assert len(warehouse.versions(tmp_path)) == 2
