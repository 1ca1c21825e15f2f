import polars as pl

from assets.estimates.milestones import milestones
from assets.science.instruments.registry import REGISTRY

RUPTURES = {
    "client_id": str,
    "episode_id": str,
    "instrument": str,
    "session_number": pl.Int64,
    "state": str,
    "repaired_session_number": pl.Int64,
}
EPISODES = pl.DataFrame({"episode_id": ["e1"], "clinician_id": ["k1"], "site": ["north"], "programme": ["brief"]})


def found(*scores, instrument="PHQ-9", ruptures=()):
    rows = [("c1", "e1", instrument, number, score) for number, score in enumerate(scores, 1) if score is not None]
    ratings = pl.DataFrame(
        rows,
        schema={"client_id": str, "episode_id": str, "instrument": str, "session_number": pl.Int64, "score": float},
        orient="row",
    )
    falls = pl.DataFrame([("c1", "e1", "WAI-SR", *each) for each in ruptures], schema=RUPTURES, orient="row")
    made = milestones(ratings, falls, EPISODES, registry=REGISTRY)
    return [(row["milestone"], row["session_number"], row["is_held"]) for row in made.iter_rows(named=True)]


def test_a_sudden_gain_shows_in_the_session_after_it():
    assert found(20.0, 19.0, 20.0, 10.0, 9.0, 10.0) == [
        ("crossed_cut_off", 5, False),
        ("first_reliable_improvement", 4, True),
        ("sudden_gain", 4, True),
    ]


def test_a_sudden_gain_that_is_lost_again_is_not_held():
    assert ("sudden_gain", 4, False) in found(20.0, 19.0, 20.0, 10.0, 11.0, 10.0, 20.0)


def test_a_sudden_loss_is_told_as_one():
    assert found(8.0, 9.0, 8.0, 18.0, 19.0, 18.0) == [("sudden_loss", 4, True)]


def test_higher_is_better_on_the_ors():
    assert found(15.0, 16.0, 15.0, 26.0, 27.0, 26.0, instrument="ORS") == [
        ("crossed_cut_off", 4, True),
        ("first_reliable_improvement", 4, True),
        ("sudden_gain", 4, True),
    ]


def test_scores_before_and_after_stand_with_a_sudden_change_only():
    rows = [
        ("c1", "e1", "PHQ-9", number, score) for number, score in enumerate((20.0, 19.0, 20.0, 10.0, 10.0, 10.0), 1)
    ]
    names = {"client_id": str, "episode_id": str, "instrument": str, "session_number": pl.Int64, "score": float}
    made = milestones(
        pl.DataFrame(rows, schema=names, orient="row"), pl.DataFrame(schema=RUPTURES), EPISODES, registry=REGISTRY
    )
    sudden = made.filter(pl.col("milestone") == "sudden_gain").to_dicts()[0]
    assert (sudden["score_before"], sudden["score_after"], sudden["clinician_id"]) == (20.0, 10.0, "k1")
    assert made.filter(pl.col("milestone") != "sudden_gain")["score_before"].to_list() == [None]


def test_a_measure_without_a_reliable_change_can_only_cross_its_cut_off():
    assert REGISTRY["DAS-7"].reliable_change is None
    assert found(10.0, 10.0, 10.0, 30.0, 30.0, 30.0, instrument="DAS-7") == [("crossed_cut_off", 4, True)]


def test_a_measure_without_any_threshold_has_no_milestones():
    assert REGISTRY["YP-CORE"].cut_off is None
    assert found(3.0, 3.0, 3.0, 0.0, 0.0, 0.0, instrument="YP-CORE") == []


def test_only_repaired_ruptures_are_milestones_and_two_mended_by_one_session_are_one():
    falls = [(3, "repaired", 5), (4, "repaired", 5), (7, "unrepaired", None), (9, "open", None)]
    assert found(ruptures=falls) == [("repaired_rupture", 5, None)]


def test_nothing_rated_gives_an_empty_table():
    assert found() == []
