"""Databases that are not PostgreSQL: a real MariaDB, and the drivers of those that no package brings."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
import sqlalchemy as sa

from assets.feeds.pulls.databases import KINDS, UnknownDatabaseError, connected
from assets.feeds.pulls.settings import Query, SqlPull
from assets.feeds.pulls.source import PullFailedError
from assets.feeds.pulls.sql import Database
from assets.feeds.wrong_input import WrongInput

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
VISITS = """
DROP TABLE IF EXISTS visits;
CREATE TABLE visits (
  id BIGINT PRIMARY KEY, day DATE, starts DATETIME, at TIME, fee DECIMAL(8, 2), score DOUBLE, came BOOLEAN,
  note VARCHAR(40), code BINARY(2), updated DATETIME(6)
);
INSERT INTO visits VALUES
  (1, '2026-03-01', '2026-03-01 09:30:00', '09:30:00', 12.50, 3.25, TRUE, 'a, "b" 100% :x', x'0aff', '2026-11-01 10:00:00'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2026-11-02 10:00:00'),
  (3, '2026-03-03', '2026-03-03 23:59:59', '23:59:59', 0, -1, FALSE, '', x'0000', '2026-11-03 10:00:00.250000');
"""


def run(url, sql):
    engine = sa.create_engine(sa.make_url(url).set(drivername="mysql+pymysql"))
    with engine.begin() as connection:
        for statement in filter(str.strip, sql.split(";\n")):
            connection.exec_driver_sql(statement.replace("%", "%%"))
    engine.dispose()


@pytest.fixture
def visits(mariadb):
    run(mariadb, VISITS)
    return mariadb


def database(url, *, sql="SELECT * FROM visits ORDER BY id", **query):
    settings = SqlPull(
        kind="sql", url_variable="RAPPORT_RECORDS", queries=(Query(name="visits", sql=sql, **query),), seconds=30
    )
    return Database(settings=settings, url=url, zone=ZoneInfo("Europe/London"), now=NOW)


def fetched(source, folder, *, last_mark=None):
    (item,) = source.new_items({})
    told = source.fetch(item, to=folder / item.name, last_mark=last_mark)
    return told, pl.read_parquet(folder / item.name)


def test_mysql_gives_the_text_that_every_database_gives(visits, tmp_path):
    told, frame = fetched(database(visits), tmp_path)
    assert told.rows == 3
    assert frame.drop("updated").rows() == [
        ("1", "2026-03-01", "2026-03-01 09:30:00", "09:30:00", "12.50", "3.25", "1", 'a, "b" 100% :x', "0aff"),
        ("2", None, None, None, None, None, None, None, None),
        ("3", "2026-03-03", "2026-03-03 23:59:59", "23:59:59", "0.00", "-1", "0", "", "0000"),
    ]


def test_a_watermark_asks_mysql_only_for_what_came_after_and_for_the_overlap(visits, tmp_path):
    source = database(visits, watermark="updated", overlap_minutes=60)
    told, frame = fetched(source, tmp_path)
    assert (frame.height, told.mark) == (3, "2026-11-03T10:00:00.250000")
    run(
        visits,
        "INSERT INTO visits (id, updated) VALUES (4, '2026-11-03 09:30:00'), (5, '2026-11-03 08:59:00'), (6, '2026-11-09 10:00:00')",
    )
    told, frame = fetched(source, tmp_path, last_mark=told.mark)
    assert (frame["id"].to_list(), told.mark) == (["3", "4", "6"], "2026-11-09T10:00:00")
    assert fetched(database(visits, watermark="id"), tmp_path, last_mark="6")[1]["id"].to_list() == ["6"]


def test_a_query_keeps_its_own_colons_and_per_cent_signs(visits, tmp_path):
    asked = (
        "SELECT id, '10:30' AS a, ':x' AS b, DATE_FORMAT(starts, '%H:%i') AS c FROM visits WHERE note LIKE '%100\\%%'"
    )
    assert fetched(database(visits, sql=asked), tmp_path)[1].rows() == [("1", "10:30", ":x", "09:30")]


def test_many_rows_come_in_parts_and_whole(mariadb, tmp_path):
    told, frame = fetched(database(mariadb, sql="SELECT seq AS id FROM seq_1_to_120001"), tmp_path)
    assert told.rows == frame["id"].n_unique() == 120_001


@pytest.mark.parametrize("statement", ["DELETE FROM visits", "INSERT INTO visits (id) VALUES (9)"])
def test_a_pull_cannot_write_to_a_mysql_database(visits, tmp_path, statement):
    with pytest.raises((WrongInput, PullFailedError)):
        fetched(database(visits, sql=statement), tmp_path)
    assert fetched(database(visits), tmp_path)[1].height == 3


def test_a_query_that_mysql_does_not_understand_is_named(mariadb, tmp_path):
    with pytest.raises(WrongInput, match=r"^queries.visits.sql: the database does not understand"):
        fetched(database(mariadb, sql="SELECT * FROM nowhere"), tmp_path)


def test_a_connection_that_mysql_cuts_in_the_middle_of_an_answer_has_failed(mariadb, tmp_path):
    cut = "SELECT seq AS id, CASE WHEN seq = 150000 THEN SLEEP(60) ELSE REPEAT('x', 50) END AS t FROM seq_1_to_200000"
    source = database(mariadb, sql=cut)
    source = Database(
        settings=source.settings.model_copy(update={"seconds": 1}), url=mariadb, zone=source.zone, now=NOW
    )
    with pytest.raises(PullFailedError) as failed:
        fetched(source, tmp_path)
    assert "127.0.0.1" not in str(failed.value)


@pytest.mark.parametrize("kind", ["mysql", "mariadb", "mssql", "oracle"])
def test_a_server_that_is_not_there_has_failed_without_its_address_being_told(kind, tmp_path):
    with pytest.raises(PullFailedError) as failed:
        fetched(database(f"{kind}://rapport:hidden@127.0.0.1:9/records"), tmp_path)  # pragma: allowlist secret
    assert "hidden" not in str(failed.value)
    assert "127.0.0.1" not in str(failed.value)


@pytest.mark.parametrize("url", ["nosuch://rapport@host/hidden", "hidden", "mysql+nosuch://host/hidden"])
def test_an_address_of_no_kind_is_said_by_the_variables_name(url, tmp_path):
    with pytest.raises(WrongInput) as wrong:
        fetched(database(url), tmp_path)
    assert "RAPPORT_RECORDS" in str(wrong.value)
    assert all(f"{kind}://" in str(wrong.value) for kind in KINDS)
    assert "hidden" not in str(wrong.value)
    with pytest.raises(UnknownDatabaseError), connected(url, seconds=1):
        pass
