"""What pages ask of the large tables: every answer is one answer, however the rows lie."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dashboards import readings
from tests.dashboards.frame_reader import reader_of


def questions(made) -> dict[str, str]:
    settings = made.settings()
    told = {name: text for name, text in vars(readings).items() if name.isupper()}
    return told | {
        "first_seen": readings.first_seen(settings),
        "seen": readings.seen(settings),
        "milestones_shown": readings.milestones_shown(settings),
        "signs_now": readings.signs_now(at_least=2),
    }


@pytest.fixture(scope="module")
def read(frames):
    return reader_of(frames)


@pytest.fixture(scope="module")
def read_shuffled(frames):
    return reader_of({name: frame.sample(fraction=1, shuffle=True, seed=7) for name, frame in frames.items()})


def test_an_answer_is_the_same_in_whatever_order_the_rows_lie(made, read, read_shuffled):
    asked = questions(made)
    for name, text in asked.items():
        order = ["scope", "scope_name"] if name in {"CASES", "signs_now"} else []
        before, after = (each(text).sort(order) if order else each(text) for each in (read, read_shuffled))
        assert_frame_equal(before, after, check_exact=True)


def test_open_courses_are_those_that_no_one_has_ended_with_whoever_treats_them(made, frames, read):
    courses = frames["marts.episodes"].filter("is_open")
    treats = dict(courses.select("episode_id", "clinician_id").iter_rows())
    answer = read(readings.OPEN_RATINGS)
    assert set(answer["episode_id"]) <= set(treats)
    assert answer["treated_by"].to_list() == [treats[episode] for episode in answer["episode_id"]]
    expected = frames["marts.ratings"].filter(
        pl.col("episode_id").is_in(list(treats))
        & (pl.col("rater") == "client")
        & pl.col("score").is_not_null()
        & pl.col("session_number").is_not_null()
    )
    assert answer.height == expected.height > 0


def test_an_ended_course_keeps_its_dips_and_is_treated_by_nobody(frames, read):
    dips, ended = read(readings.DIPS), frames["marts.episodes"].filter(~pl.col("is_open"))["episode_id"]
    assert dips.height == frames["analysis.ruptures"].height
    assert (
        dips.filter(pl.col("episode_id").is_in(ended.to_list()))["treated_by"].null_count()
        == dips.filter(pl.col("episode_id").is_in(ended.to_list())).height
    )


def test_a_months_alliance_is_the_mean_of_clients_own_scores_by_occasion(frames, read):
    own = frames["marts.ratings"].filter(
        (pl.col("kind") == "alliance") & (pl.col("rater") == "client") & pl.col("score").is_not_null()
    )
    expected: dict[tuple, list] = {}
    for row in own.iter_rows(named=True):
        key = (row["clinician_id"], row["instrument"], row["completed_on"].replace(day=1))
        expected.setdefault(key, []).append(row)
    answer = read(readings.ALLIANCE_MONTHS)
    assert answer.height == len(expected)
    for code, instrument, month, mean, occasions in answer.iter_rows():
        rows = expected[code, instrument, month]
        assert mean == pytest.approx(sum(row["score"] for row in rows) / len(rows), abs=1e-6)
        assert occasions == len({row["appointment_id"] or row["rating_id"] for row in rows})


def test_a_night_without_rows_is_answered_too(made, frames):
    nothing = reader_of({name: frame.clear() for name, frame in frames.items()})
    for name, text in questions(made).items():
        assert nothing(text).height == (1 if name in {"CASES", "LATEST_SESSION", "signs_now"} else 0)
