"""Which pairs the link is given, over a few rows put in by hand."""

from collections.abc import Callable, Iterator

import duckdb
import pytest

from assets.analysis.alliance import pairs_in_blocks
from assets.contracts import dictionary, marts
from assets.service import MeasurePair

MEASURE = MeasurePair(alliance="WAI-SR", outcome="PHQ-9")


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA marts")
        connection.execute(dictionary.create_sql(marts.ALLIANCE_PAIRS))
        yield connection


@pytest.fixture
def put(con: duckdb.DuckDBPyConnection) -> Callable[..., None]:
    def add(clinician: str, *sessions: tuple[int, int], outcome: str = "PHQ-9") -> None:
        for session, following in sessions:
            con.execute(
                "INSERT INTO marts.alliance_pairs (clinician_id, client_id, session_number, next_session_number, "
                "alliance_instrument, outcome_instrument) VALUES (?, 'c', ?, ?, 'WAI-SR', ?)",
                [clinician, session, following, outcome],
            )

    return add


def sessions(con, *, most=100):
    return [block["session_number"].sort().to_list() for block in pairs_in_blocks(con, MEASURE, most=most)]


def test_a_next_score_from_further_on_than_usual_says_nothing_of_the_link(con, put):
    put("K1", (1, 2), (2, 3), (3, 5), (5, 6))
    assert sessions(con) == [[1, 2, 5]]


def test_a_step_is_as_many_sessions_as_usual(con, put):
    put("K1", (1, 3), (3, 5), (5, 8))
    assert sessions(con) == [[1, 3]]


def test_another_measure_s_pairs_are_left_out(con, put):
    put("K1", (1, 2))
    put("K1", (7, 8), outcome="GAD-7")
    assert sessions(con) == [[1]]


def test_a_clinician_stands_in_one_block(con, put):
    put("K2", (1, 2), (2, 3), (3, 4))
    put("K1", (4, 5), (5, 6))
    put("K3", (6, 7))
    blocks = list(pairs_in_blocks(con, MEASURE, most=2))
    assert [block["clinician_id"].unique().sort().to_list() for block in blocks] == [["K1"], ["K2"], ["K3"]]
    assert [block.height for block in pairs_in_blocks(con, MEASURE, most=3)] == [5, 1]


def test_no_pairs_are_one_block_without_rows(con):
    assert [block.height for block in pairs_in_blocks(con, MEASURE, most=2)] == [0]
