from datetime import date

import polars as pl
import pytest

from assets.estimates.courses import courses

ENDED = date(2026, 5, 1)
EPISODE = {
    "case_id": str,
    "clinician_id": str,
    "site": str,
    "programme": str,
    "problem": str,
    "ended_on": pl.Date,
    "sessions": pl.Int64,
    "wait_days": pl.Int64,
    "episode_id": str,
}
CHANGE = {
    "client_id": str,
    "case_id": str,
    "episode_id": str,
    "instrument": str,
    "first_score": float,
    "last_score": float,
}


def judged(*episodes, scores=()):
    rows = [
        {
            "episode_id": f"e{number}",
            "case_id": f"c{number}",
            "site": "north",
            "sessions": 6,
            "ended_on": ENDED,
            "wait_days": 20,
            **episode,
        }
        for number, episode in enumerate(episodes)
    ]
    change = [
        {
            "client_id": f"c{number}",
            "case_id": f"c{number}",
            "episode_id": f"e{number}",
            "instrument": name,
            "first_score": first,
            "last_score": last,
        }
        for number, name, first, last in scores
    ]
    return courses(pl.DataFrame(rows, schema=EPISODE), pl.DataFrame(change, schema=CHANGE)).to_dicts()


@pytest.mark.parametrize(
    ("sessions", "ended", "stage"),
    [
        (6, None, "not_ended"),
        (0, ENDED, "ended_before_treatment"),
        (1, ENDED, "ended_treated_once"),
        (2, ENDED, "finished_course"),
    ],
)
def test_two_sessions_make_a_finished_course(sessions, ended, stage):
    assert judged({"sessions": sessions, "ended_on": ended})[0]["stage"] == stage


def test_a_course_recovers_when_both_measures_end_below_caseness():
    row = judged({}, scores=[(0, "PHQ-9", 15.0, 9.0), (0, "GAD-7", 12.0, 7.0)])[0]
    assert (row["anxiety_measure"], row["is_paired"], row["is_recovered"], row["is_improved"]) == (
        "GAD-7",
        True,
        True,
        True,
    )
    assert (row["phq_first"], row["phq_last"], row["anxiety_first"], row["anxiety_last"]) == (15.0, 9.0, 12.0, 7.0)


def test_the_measure_made_for_the_problem_stands_in_for_the_gad_7():
    scores = [(0, "PHQ-9", 15.0, 9.0), (0, "GAD-7", 12.0, 7.0), (0, "PCL-5", 50.0, 45.0)]
    row = judged({"problem": "PTSD"}, scores=scores)[0]
    assert (row["anxiety_measure"], row["anxiety_first"], row["is_recovered"]) == ("PCL-5", 50.0, False)
    assert judged({"problem": "depression"}, scores=scores)[0]["anxiety_measure"] == "GAD-7"


def test_a_problem_measure_without_a_last_score_gives_way_to_one_that_has_both():
    scores = [(0, "PHQ-9", 15.0, 9.0), (0, "GAD-7", 12.0, 7.0), (0, "PCL-5", 50.0, None)]
    assert judged({"problem": "F431"}, scores=scores)[0]["anxiety_measure"] == "GAD-7"


def test_first_scores_alone_can_say_that_a_course_began_below_caseness():
    row = judged({}, {}, scores=[(0, "PHQ-9", 4.0, None), (0, "GAD-7", 3.0, None), (1, "PHQ-9", 4.0, 4.0)])
    assert [(each["is_not_at_caseness"], each["is_paired"]) for each in row] == [(True, False), (False, False)]


def test_a_couples_scores_are_no_pair_of_a_course():
    change = pl.DataFrame(
        [
            {
                "client_id": "c0-a",
                "case_id": "c0",
                "episode_id": "e0",
                "instrument": "PHQ-9",
                "first_score": 15.0,
                "last_score": 2.0,
            }
        ],
        schema=CHANGE,
    )
    episode = pl.DataFrame([{"episode_id": "e0", "case_id": "c0", "ended_on": ENDED, "sessions": 4}], schema=EPISODE)
    assert courses(episode, change)["phq_first"].to_list() == [None]


def test_a_site_that_never_pairs_is_told_apart_from_one_that_does():
    rows = judged({}, {}, {"site": "couples"}, scores=[(0, "PHQ-9", 15.0, 9.0), (0, "GAD-7", 12.0, 7.0)])
    assert [row["uses_pair"] for row in rows] == [True, True, False]
    assert not any(row["is_recovered"] for row in rows[1:])
