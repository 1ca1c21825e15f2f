"""Numbers of clients' series, over a few rows put in by hand."""

from collections.abc import Iterator
from datetime import date

import duckdb
import polars as pl
import pytest

from assets.analysis import series
from assets.contracts import dictionary, marts

DAY = date(2026, 3, 2)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts")
        for table in marts.TABLES:
            connection.execute(dictionary.create_sql(table))
        connection.execute(
            "INSERT INTO marts.clients (client_id, case_id) VALUES ('b', 'pair'), ('a', 'pair'), ('c', 'c')"
        )
        connection.execute(
            "INSERT INTO marts.episodes (episode_id, case_id) VALUES ('e2', 'pair'), ('e1', 'pair'), ('e3', 'c')"
        )
        yield connection


def rate(con, client, episode, session, score, *, form="r", day=DAY, rater="client", kind="outcome"):
    con.execute(
        "INSERT INTO marts.ratings (client_id, episode_id, session_number, score, rating_id, completed_on, rater, kind, instrument)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'PHQ-9')",
        [client, episode, session, score, form, day, rater, kind],
    )


def numbered(con):
    return con.sql("SELECT client_id, episode_id, series FROM series ORDER BY series").fetchall()


def test_every_member_of_a_case_has_a_number_in_each_of_its_episodes_in_the_order_of_the_codes(con):
    series.number_series(con)
    assert numbered(con) == [("a", "e1", 1), ("a", "e2", 2), ("b", "e1", 3), ("b", "e2", 4), ("c", "e3", 5)]
    assert con.sql("SELECT DISTINCT episode_id, episode FROM series ORDER BY ALL").fetchall() == [
        ("e1", 1),
        ("e2", 2),
        ("e3", 3),
    ]


def test_whoever_is_known_by_a_form_or_a_session_alone_has_one_too(con):
    rate(con, "d", "e3", 1, 9.0)
    con.execute("INSERT INTO marts.sessions (case_id, episode_id) VALUES ('c', 'e9')")
    series.number_series(con)
    assert numbered(con)[4:] == [("c", "e3", 5), ("c", "e9", 6), ("d", "e3", 7)]


def test_of_two_forms_of_one_session_the_first_stands(con):
    rate(con, "c", "e3", 1, 9.0, form="r2")
    rate(con, "c", "e3", 1, 7.0, form="r1")
    rate(con, "c", "e3", 2, 5.0, form="r3", day=date(2026, 3, 3))
    rate(con, "c", "e3", 2, 6.0, form="r4")
    series.number_series(con)
    series.number_scores(con, "outcome")
    assert con.sql("SELECT session_number, score FROM scores ORDER BY ALL").fetchall() == [(1, 7.0), (2, 6.0)]


def test_a_form_without_a_score_or_a_session_or_by_somebody_else_gives_no_score(con):
    rate(con, "c", "e3", 1, None)
    rate(con, "c", "e3", None, 9.0)
    rate(con, "c", "e3", 2, 9.0, rater="clinician")
    rate(con, "c", "e3", 3, 9.0, kind="alliance")
    series.number_series(con)
    series.number_scores(con, "outcome")
    assert con.sql("SELECT COUNT(*) FROM scores").fetchall() == [(0,)]


def test_the_parts_hold_every_series_once(con, monkeypatch):
    monkeypatch.setattr(series, "AT_ONCE", 2)
    series.number_series(con)
    held = [con.sql(f"SELECT series FROM series WHERE {part} ORDER BY ALL").fetchall() for part in series.parts(con)]
    assert [[number for (number,) in part] for part in held] == [[1, 2], [3, 4], [5]]


def test_a_service_without_clients_is_one_empty_part(con):
    con.execute("DELETE FROM marts.clients")
    series.number_series(con)
    assert len(list(series.parts(con))) == 1


def test_what_is_made_of_parts_lies_together(con):
    for number in range(3):
        series.keep(con, "told", pl.DataFrame({"number": [number]}), is_first=number == 0)
    series.keep(con, "told", pl.DataFrame({"number": [7]}), is_first=True)
    series.keep(con, "told", pl.DataFrame({"number": [8]}), is_first=False)
    assert con.sql("SELECT number FROM told ORDER BY ALL").fetchall() == [(7,), (8,)]
