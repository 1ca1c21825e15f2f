"""Which rows the estimates of fair comparison are given, over a few rows put in by hand."""

import math
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import duckdb
import pytest

from assets.analysis import comparison
from assets.contracts import analysis, dictionary, marts

DAY = date(2026, 3, 2)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for schema in ("marts", "analysis"):
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in (*marts.TABLES, analysis.CLIENT_CHANGE):
            connection.execute(dictionary.create_sql(table))
        yield connection


@pytest.fixture
def put(con: duckdb.DuckDBPyConnection) -> Callable[..., None]:
    def add(table: str, **row: Any) -> None:
        marks = ", ".join("?" for _ in row)
        con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))

    return add


def course(put, episode, *scores, is_open=False, first=20.0, ended=DAY):
    """An episode with PHQ-9 scores by session; a list in place of a score is two forms of one session."""
    put("marts.episodes", episode_id=episode, clinician_id="K1", is_open=is_open, ended_on=None if is_open else ended)
    change = {"client_id": "c", "case_id": "c", "clinician_id": "K1", "instrument": "PHQ-9", "is_open": is_open}
    put("analysis.client_change", episode_id=episode, first_score=first, **change)
    for session, given in enumerate(scores, start=1):
        for n, score in enumerate(given if isinstance(given, list) else [given]):
            form = {"rating_id": f"{episode}-{session}-{n}", "completed_on": DAY, "kind": "outcome", "rater": "client"}
            put(
                "marts.ratings",
                client_id="c",
                episode_id=episode,
                instrument="PHQ-9",
                session_number=session,
                score=score,
                **form,
            )


def rated(put, client, session, score, *, clinician="K1", parts=(None, None, None), is_top=False):
    bond, goals, tasks = parts
    put(
        "marts.ratings",
        instrument="WAI-SR",
        kind="alliance",
        rater="client",
        clinician_id=clinician,
        client_id=client,
        case_id="case",
        site="north",
        session_number=session,
        score=score,
        bond_score=bond,
        goals_score=goals,
        tasks_score=tasks,
        is_at_ceiling=is_top,
    )


def rows(con, query):
    found = con.sql(query)
    return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def test_bands_are_learnt_from_what_follows_the_first_score_of_closed_episodes(con, put):
    course(put, "e1", 20.0, None, [12.0, 3.0], 9.0)
    course(put, "e2", 18.0, 11.0, is_open=True)
    found = rows(con, f"SELECT * FROM ({comparison._CLOSED_SCORES}) AS scored ORDER BY session_number")
    assert [(each["episode_id"], each["session_number"], each["score"]) for each in found] == [
        ("e1", 3, 12.0),
        ("e1", 4, 9.0),
    ]
    assert {each["first_score"] for each in found} == {20.0}


def test_only_the_newest_closed_episodes_are_learnt_from(con, put):
    for n in range(4):
        course(put, f"e{n}", 20.0, 10.0, ended=date(2026, 1, 1 + n))
    query = comparison._OUTCOMES.format(which="NOT change.is_open", most=2) + "SELECT DISTINCT episode_id FROM scored"
    assert sorted(each["episode_id"] for each in rows(con, query)) == ["e2", "e3"]


def test_an_open_episode_gives_its_latest_score_and_a_lone_one_is_a_first(con, put):
    course(put, "e1", 20.0, 14.0, None, is_open=True)
    course(put, "e2", None, None, 18.0, is_open=True, first=18.0)
    course(put, "e3", 20.0, 9.0)
    found = rows(con, f"SELECT * FROM ({comparison._LATEST_SCORES}) AS latest ORDER BY episode_id")
    assert [(each["episode_id"], each["session_number"], each["score"]) for each in found] == [
        ("e1", 2, 14.0),
        ("e2", 1, 18.0),
    ]


def test_partners_of_a_couple_are_one_case_and_two_people(con, put):
    for client in ("case-a", "case-b"):
        rated(put, client, 1, 30.0)
    rated(put, "case-a", 6, 34.0)
    [found] = rows(con, comparison._case_sums())
    assert (found["n"], found["people"], found["people_early"], found["people_later"]) == (3, 2, 2, 1)


def test_a_client_s_alliance_is_summed_by_phase_and_part(con, put):
    put("marts.clinicians", clinician_id="K1", site="north")
    rated(put, "c", 1, 40.0, parts=(16.0, 12.0, 12.0))
    rated(put, "c", 5, 45.0, parts=(16.0, 15.0, 14.0))
    rated(put, "c", 11, 50.0, parts=(None, 15.0, 14.0))
    [found] = rows(con, comparison._case_sums())
    g = math.log(5) / math.log(9)
    assert (found["clinician_id"], found["site"], found["n"], found["y"]) == ("K1", "north", 2, 85.0)
    assert (found["g"], found["gg"], found["gy"]) == pytest.approx((g, g * g, 45 * g), abs=1e-7)
    assert (found["n_early"], found["y_early"], found["yy_early"]) == (1, 40.0, 1600.0)
    assert (found["n_later"], found["y_later"]) == (2, 95.0)
    assert (found["n_parts"], found["bond"], found["goals_goals"], found["bond_tasks"]) == (2, 32.0, 369.0, 416.0)


def test_a_client_of_two_clinicians_counts_with_each_and_ceilings_are_counted(con, put):
    rated(put, "c", 1, 60.0, is_top=True)
    rated(put, "c", 2, 55.0)
    rated(put, "c", 3, 50.0, clinician="K2")
    found = rows(con, f"SELECT * FROM ({comparison._INFORMATION}) AS given ORDER BY clinician_id")
    assert [(each["n"], each["y"], each["lowest"], each["highest"], each["tops"]) for each in found] == [
        (2, 115.0, 55.0, 60.0, 1),
        (1, 50.0, 50.0, 50.0, 0),
    ]


def test_case_mix_goes_with_closed_episodes_alone(con, put):
    course(put, "e1", 20.0, 10.0)
    course(put, "e2", 20.0, 10.0, is_open=True)
    put("marts.clients", client_id="c", age_band="30-39", deprivation_decile=3)
    [found] = rows(con, comparison._CLOSED_WITH_CASEMIX)
    assert (found["age_band"], found["deprivation_decile"], found["gender"]) == ("30-39", 3, None)
