import sqlite3
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import adbc_driver_postgresql.dbapi as postgres_driver
import polars as pl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.feeds.pulls.settings import Query, SqlPull
from assets.feeds.pulls.source import PullFailedError
from assets.feeds.pulls.sql import Database, _text, _texts
from assets.feeds.wrong_input import WrongInput

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
VISITS = """
DROP TABLE IF EXISTS visits;
CREATE TABLE visits (
  id bigint PRIMARY KEY, day date, starts timestamp, booked timestamptz, fee numeric(8, 2), score double precision,
  came boolean, note text, updated timestamptz
);
INSERT INTO visits VALUES
  (1, '2026-03-01', '2026-03-01 09:30:00', '2026-07-01 09:30:00+00', 12.50, 3.25, true, 'a, "b"', '2026-11-01 10:00+00'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-02 10:00+00'),
  (3, '2026-03-03', '2026-03-03 23:59:59', '2026-12-01 23:30:00+00', 0, -1, false, '', '2026-11-03 10:00+00');
"""


@pytest.fixture
def run(postgres):
    def ran(sql):
        with postgres_driver.connect(postgres, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in filter(str.strip, sql.split(";")):
                cursor.execute(statement)

    ran(VISITS)
    return ran


def database(url, *, sql="SELECT * FROM visits ORDER BY id", now=NOW, zone="Europe/London", **query):
    queries = (Query(name="visits", sql=sql, **query),)
    settings = SqlPull(kind="sql", url_variable="URL", queries=queries)
    return Database(settings=settings, url=url, zone=ZoneInfo(zone), now=now)


def fetched(source, folder, *, last_mark=None):
    (item,) = source.new_items({})
    to = folder / item.name
    told = source.fetch(item, to=to, last_mark=last_mark)
    return told, pl.read_parquet(to)


def test_every_kind_of_value_comes_as_text_in_one_way_and_moments_in_the_clinics_zone(postgres, run, tmp_path):
    told, frame = fetched(database(postgres), tmp_path)
    assert told.rows == 3
    assert set(frame.dtypes) == {pl.String}
    assert frame.drop("updated").rows() == [
        ("1", "2026-03-01", "2026-03-01 09:30:00", "2026-07-01 10:30:00", "12.50", "3.25", "true", 'a, "b"'),
        ("2", None, None, None, None, None, None, None),
        ("3", "2026-03-03", "2026-03-03 23:59:59", "2026-12-01 23:30:00", "0.00", "-1", "false", ""),
    ]


def test_another_database_gives_the_same_text(tmp_path):
    with sqlite3.connect(tmp_path / "clinic.sqlite") as con:
        con.execute("CREATE TABLE visits (id INTEGER, day TEXT, score REAL, note TEXT)")
        con.executemany("INSERT INTO visits VALUES (?, ?, ?, ?)", [(1, "2026-03-01", 3.25, "a"), (2, None, None, None)])
    con.close()
    told, frame = fetched(database(f"sqlite:///{tmp_path / 'clinic.sqlite'}"), tmp_path)
    assert (told.rows, told.mark) == (2, None)
    assert frame.rows() == [("1", "2026-03-01", "3.25", "a"), ("2", None, None, None)]


def test_many_rows_are_written_many_at_a_time_and_none_is_lost_between(tmp_path):
    with sqlite3.connect(tmp_path / "clinic.sqlite") as con:
        con.execute("CREATE TABLE visits (id INTEGER, note TEXT)")
        con.executemany("INSERT INTO visits VALUES (?, ?)", ((number, f"n{number}") for number in range(100_001)))
    con.close()
    url = f"sqlite:///{tmp_path / 'clinic.sqlite'}"
    told, frame = fetched(database(url), tmp_path)
    assert told.rows == 100_001
    assert frame.rows() == [(str(number), f"n{number}") for number in range(100_001)]
    assert pq.read_metadata(tmp_path / "visits.parquet").num_row_groups == 3


@given(
    st.lists(
        st.none()
        | st.text()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.dates()
        | st.decimals(allow_nan=False, allow_infinity=False, places=2)
        | st.datetimes(min_value=datetime.fromisoformat("1900-01-01"), max_value=datetime.fromisoformat("2100-01-01")),
        max_size=5,
    )
)
def test_values_of_one_kind_are_written_together_as_they_are_one_by_one(values):
    zone = ZoneInfo("Europe/London")
    for value in values:
        alone = [each for each in values if type(each) is type(value)]
        together = _texts([*alone, None], zone=zone).to_pylist()
        one_by_one = [_text(each, zone=zone) for each in alone]
        if isinstance(value, float):
            assert [float(each) for each in together[:-1]] == [float(each) for each in one_by_one]
        else:
            assert together == [*one_by_one, None]


def test_a_table_with_no_rows_is_a_file_with_its_columns(postgres, run, tmp_path):
    run("DELETE FROM visits")
    told, frame = fetched(database(postgres), tmp_path)
    assert (told.rows, told.is_empty, frame.height) == (0, False, 0)
    assert frame.columns[:2] == ["id", "day"]


def test_a_watermark_asks_only_for_what_came_after_and_for_the_overlap(postgres, run, tmp_path):
    source = database(postgres, watermark="updated", overlap_minutes=60)
    told, frame = fetched(source, tmp_path)
    assert (frame.height, told.mark) == (3, "2026-11-03T10:00:00+00:00")
    run(
        "INSERT INTO visits (id, updated) VALUES (4, '2026-11-03 09:30+00'), (5, '2026-11-03 08:59+00'), (6, '2026-11-09 10:00+00')"
    )
    told, frame = fetched(source, tmp_path, last_mark=told.mark)
    assert frame["id"].to_list() == ["3", "4", "6"]
    assert told.mark == "2026-11-09T10:00:00+00:00"


def test_a_number_is_a_watermark_too_and_nine_comes_before_ten(postgres, run, tmp_path):
    source = database(postgres, watermark="id")
    told, _ = fetched(source, tmp_path)
    assert told.mark == "3"
    run("INSERT INTO visits (id) VALUES (9), (10)")
    told, frame = fetched(source, tmp_path, last_mark="3")
    assert (frame["id"].to_list(), told.mark) == (["3", "9", "10"], "10")
    with sqlite3.connect(tmp_path / "clinic.sqlite") as con:
        con.execute("CREATE TABLE visits (id INTEGER)")
        con.executemany("INSERT INTO visits VALUES (?)", [(9,), (10,)])
    con.close()
    assert fetched(database(f"sqlite:///{tmp_path / 'clinic.sqlite'}", watermark="id"), tmp_path)[0].mark == "10"


def test_an_answer_with_nothing_new_is_said_to_be_empty_and_keeps_the_mark(postgres, run, tmp_path):
    told, frame = fetched(database(postgres, watermark="id"), tmp_path, last_mark="7")
    assert (told.is_empty, told.mark, frame.height) == (True, "7", 0)


def test_files_of_a_watermark_carry_the_moment_in_the_clinics_zone_and_others_their_name_alone(postgres):
    summer = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    assert [item.name for item in database(postgres, watermark="id", now=summer).new_items({})] == [
        "visits-20260702T003000.parquet"
    ]
    assert [item.name for item in database(postgres).new_items({})] == ["visits.parquet"]


def test_a_pull_cannot_write_to_the_clinics_database(postgres, run, tmp_path):
    source = database(postgres, sql="DELETE FROM visits RETURNING id")
    with pytest.raises((WrongInput, PullFailedError)):
        fetched(source, tmp_path)
    assert fetched(database(postgres), tmp_path)[1].height == 3


@pytest.mark.parametrize(("sql", "place"), [("SELECT * FROM nowhere", "sql"), ("SELEC 1", "sql")])
def test_a_query_that_the_database_does_not_understand_is_named(postgres, tmp_path, sql, place):
    with pytest.raises(WrongInput, match=rf"^queries.visits.{place}: the database does not understand"):
        fetched(database(postgres, sql=sql), tmp_path)


def test_a_watermark_that_the_answer_lacks_is_named(postgres, run, tmp_path):
    with pytest.raises(WrongInput, match="name one of id, day"):
        fetched(database(postgres, watermark="changed"), tmp_path)


def test_a_connection_cut_in_the_middle_of_an_answer_has_failed(postgres, run, tmp_path):
    cut = """SELECT g AS id, CASE WHEN g = 400000 THEN pg_terminate_backend(pg_backend_pid())::text ELSE repeat('x', 50) END AS t
    FROM generate_series(1, 500000) AS g"""
    with pytest.raises(PullFailedError) as failed:
        fetched(database(postgres, sql=cut), tmp_path)
    assert "127.0.0.1" not in str(failed.value)


def test_a_server_that_is_not_there_has_failed_without_its_address_being_told(tmp_path):
    with pytest.raises(PullFailedError) as failed:
        fetched(database("postgresql://rapport:hidden@127.0.0.1:9/postgres"), tmp_path)  # pragma: allowlist secret
    assert "hidden" not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)
