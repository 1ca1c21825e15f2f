import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from assets import warehouse
from assets.contracts import staging

START = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)


def stage(home: Path, number: int) -> Path:
    """A finished version whose file says which it is."""
    staged = home / f"staged-{number}"
    (staged / "site").mkdir(parents=True)
    (staged / "site" / "index.html").write_text(str(number), encoding="utf-8")
    with duckdb.connect(str(staged / warehouse.WAREHOUSE_FILE)) as con:
        con.execute(f"CREATE TABLE made AS SELECT {number} AS number")
    return staged


def publish(home: Path, number: int, keep: int = 3) -> Path:
    version = warehouse.new_version(START + timedelta(seconds=number))
    return warehouse.publish(stage(home, number), home=home, version=version, keep=keep)


def number_in(file: Path) -> int:
    with warehouse.open_published(file) as con:
        return con.sql("SELECT number FROM made").fetchall()[0][0]


def test_the_stable_names_lead_to_the_newest_version(tmp_path):
    publish(tmp_path, 1)
    publish(tmp_path, 2)
    assert number_in(tmp_path / "warehouse.duckdb") == 2
    assert (tmp_path / "site" / "index.html").read_text(encoding="utf-8") == "2"


def test_an_open_reader_keeps_what_it_opened(tmp_path):
    publish(tmp_path, 1)
    with warehouse.open_published(tmp_path / "warehouse.duckdb") as reader:
        publish(tmp_path, 2)
        assert reader.sql("SELECT number FROM made").fetchall() == [(1,)]
        assert number_in(tmp_path / "warehouse.duckdb") == 2


def test_only_the_last_versions_are_kept(tmp_path):
    for number in range(5):
        publish(tmp_path, number, keep=3)
    assert len(warehouse.versions(tmp_path)) == 3


def test_the_current_version_is_never_pruned(tmp_path):
    first = publish(tmp_path, 1)
    publish(tmp_path, 2)
    warehouse.point_current_at(tmp_path, version=first.name)
    warehouse.prune(tmp_path, keep=1)
    assert number_in(tmp_path / "warehouse.duckdb") == 1


def test_a_version_that_is_not_kept_cannot_become_current(tmp_path):
    publish(tmp_path, 1)
    with pytest.raises(FileNotFoundError):
        warehouse.point_current_at(tmp_path, version="20200101T000000000000Z")


def test_version_names_sort_as_time_does():
    moments = [START + timedelta(microseconds=step) for step in (0, 9, 10, 999_999, 1_000_000)]
    names = [warehouse.new_version(moment) for moment in moments]
    assert names == sorted(names)


def test_published_files_are_read_only(tmp_path):
    folder = publish(tmp_path, 1)
    assert {oct(path.stat().st_mode & 0o777) for path in folder.rglob("*") if path.is_file()} == {"0o440"}


def test_a_readers_connection_reaches_nothing_but_the_file(tmp_path):
    publish(tmp_path, 1)
    with warehouse.open_published(tmp_path / "warehouse.duckdb") as con:
        with pytest.raises(duckdb.Error):
            con.sql("SELECT * FROM read_text('/etc/hostname')").fetchall()
        with pytest.raises(duckdb.Error):
            con.execute("SET enable_external_access = true")


def test_a_second_night_is_kept_out(tmp_path):
    with (
        warehouse.hold_night(tmp_path),
        pytest.raises(warehouse.NightInProgressError, match="another night is running"),
        warehouse.hold_night(tmp_path),
    ):
        pytest.fail("two nights at once")


def test_a_table_gets_exactly_its_promised_columns_types_and_comments(tmp_path):
    folder = tmp_path / "work"
    warehouse.begin_build(folder, memory_limit="200MB")
    table = staging.CLINICIANS.table
    frame = pl.DataFrame(
        {
            "extra": [1],
            "clinician_id": ["K1"],
            "site": [None],
            "profession": ["counsellor"],
            "started_on": ["2020-01-01"],
            "source_file": ["a.csv"],
            "source_line": [2],
        }
    )
    with warehouse.open_build(folder, memory_limit="200MB") as con:
        assert warehouse.create_table_from_frame(con, table, frame=frame) == 1
        described = con.sql(
            "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = 'clinicians' ORDER BY column_index"
        ).fetchall()
    assert [(name, kind) for name, kind, _ in described] == [(c.name, c.duckdb_type) for c in table.columns]
    assert all(comment for _, _, comment in described)


def test_a_missing_column_stops_the_build(tmp_path):
    warehouse.begin_build(tmp_path / "work", memory_limit="200MB")
    with warehouse.open_build(tmp_path / "work", memory_limit="200MB") as con, pytest.raises(duckdb.BinderException):
        warehouse.create_table(con, staging.CLINICIANS.table, select="SELECT 'K1' AS clinician_id")


def test_a_build_that_a_signal_ends_within_a_query_stops_and_does_not_fail(tmp_path, long_question, a_signal_soon):
    with pytest.raises(KeyboardInterrupt), warehouse.open_build(tmp_path, memory_limit="500MB") as con:
        con.execute(long_question)


def _publish_for_ever(home: str) -> None:
    number = 0
    while True:
        number += 1
        warehouse.publish(
            stage(Path(home), number + os.getpid() * 1_000_000),
            home=Path(home),
            version=warehouse.new_version(datetime.now(UTC)),
            keep=2,
        )


def test_killed_at_any_moment_the_published_file_is_whole(tmp_path):
    publish(tmp_path, 1)
    context = multiprocessing.get_context("spawn")
    for round_ in range(6):
        process = context.Process(target=_publish_for_ever, args=(str(tmp_path),))
        process.start()
        time.sleep(1.2 + 0.07 * round_)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert number_in(tmp_path / "warehouse.duckdb") > 0
        assert (tmp_path / "site" / "index.html").read_text(encoding="utf-8") == str(
            number_in(tmp_path / "warehouse.duckdb")
        )
