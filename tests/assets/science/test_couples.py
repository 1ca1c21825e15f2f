"""Couples, against a process whose every figure is known, slow reading and laws."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.feeds.couple_process import CoupleParameters, simulate_couples
from assets.science.clinician_effects import clinician_effects
from assets.science.couples import LEVELS, alliance_of_sessions, between_members_sd, members_within_cases

NAMES = ("episode_id", "session_number", "client_id", "score")


def ratings_of(*rows):
    return pl.DataFrame(
        rows, schema=dict(zip(NAMES, (pl.String, pl.Int64, pl.String, pl.Float64), strict=True)), orient="row"
    )


def test_two_scores_of_a_session_have_a_mean_a_lowest_and_a_difference():
    got = alliance_of_sessions(ratings_of(("e", 1, "a", 36.0), ("e", 1, "b", 30.0)), members_sd=6.0)
    assert got.drop("episode_id").rows() == [(1, 2, 33.0, 30.0, 6.0, True)]


def test_one_score_alone_is_no_difference_and_no_agreement():
    got = alliance_of_sessions(ratings_of(("e", 1, "a", 36.0)), members_sd=6.0)
    assert got.drop("episode_id").rows() == [(1, 1, None, None, None, None)]


def test_a_family_differs_by_its_highest_less_its_lowest():
    rows = [("e", 2, name, score) for name, score in zip("abc", (20.0, 31.0, 26.0), strict=True)]
    got = alliance_of_sessions(ratings_of(*rows), members_sd=None).row(0, named=True)
    assert (got["raters"], got["lowest"], got["difference"], got["is_split"]) == (3, 20.0, 11.0, None)


@given(
    st.lists(
        st.tuples(st.sampled_from("ef"), st.integers(1, 3), st.sampled_from("abc"), st.integers(0, 40)),
        unique_by=lambda row: row[:3],
        min_size=1,
    )
)
def test_every_session_is_what_reading_its_forms_gives(rows):
    got = alliance_of_sessions(ratings_of(*[(*row[:3], float(row[3])) for row in rows]), members_sd=10.0)
    for row in got.iter_rows(named=True):
        scores = [s for e, t, _, s in rows if (e, t) == (row["episode_id"], row["session_number"])]
        assert row["raters"] == len(scores)
        if len(scores) > 1:
            assert (row["lowest"], row["difference"]) == (min(scores), max(scores) - min(scores))
            assert row["mean"] == pytest.approx(np.mean(scores))
            assert row["is_split"] is (max(scores) - min(scores) >= 10)
        else:
            assert row["is_split"] is None
    assert got.height == len({row[:2] for row in rows})


def test_the_spread_between_members_is_that_of_their_own_means():
    got = between_members_sd(
        ratings_of(("e", 1, "a", 30.0), ("e", 2, "a", 34.0), ("e", 1, "b", 20.0), ("f", 1, "a", 26.0))
    )
    assert got == pytest.approx(np.std([32.0, 20.0, 26.0], ddof=1))
    assert between_members_sd(ratings_of(("e", 1, "a", 30.0))) is None


@pytest.fixture(scope="module")
def couples():
    parameters = CoupleParameters(clinicians=25)
    drawn = simulate_couples(parameters, seed=5)
    found = members_within_cases(drawn.ratings, minimum_clinicians=3, confidence=0.95, seed=1)
    return parameters, drawn, found


def test_the_process_differs_as_it_says(couples):
    parameters, drawn, _ = couples
    told = alliance_of_sessions(drawn.ratings, members_sd=None)
    assert told["difference"].mean() == pytest.approx(parameters.mean_difference, rel=0.03)


def test_shares_of_variance_are_recovered_at_every_level(couples):
    parameters, _, found = couples
    for level in LEVELS:
        share, low, high = found.shares[level]
        assert low < parameters.shares[level] < high
        assert low < share < high
    assert sum(share for share, _, _ in found.shares.values()) == pytest.approx(1.0, abs=1e-5)


def test_clinicians_levels_are_recovered_and_as_surely_as_is_said():
    covered = []
    for seed in range(12):
        drawn = simulate_couples(CoupleParameters(cases=15), seed=seed)
        found = members_within_cases(drawn.ratings, minimum_clinicians=3, confidence=0.95, seed=1)
        truth = np.array([drawn.clinician_level[name] for name in found.clinicians["clinician_id"]])
        low, high = found.clinicians.select("low", "high").to_numpy().T
        covered += list((low < truth) & (truth < high))
    assert 0.90 <= np.mean(covered) <= 0.99


def test_taking_partners_for_strangers_would_make_clinicians_look_surer(couples):
    _, drawn, found = couples
    alone = clinician_effects(
        drawn.ratings, score="score", predictors=(), client="client_id", minimum_clinicians=3, seed=1
    ).clinicians
    width = (found.clinicians["high"] - found.clinicians["low"]).mean()
    assert (alone["high"] - alone["low"]).mean() < 0.95 * width


def test_few_clinicians_are_not_compared():
    drawn = simulate_couples(CoupleParameters(clinicians=2, cases=5), seed=1)
    found = members_within_cases(drawn.ratings, minimum_clinicians=3, confidence=0.95, seed=1)
    assert found.clinicians.is_empty()
    assert found.shares == {}
    assert found.refusal.startswith("Fewer than 3 clinicians")


def test_what_the_model_cannot_tell_apart_is_refused_in_a_sentence():
    drawn = simulate_couples(CoupleParameters(clinicians=4, cases=3, sessions=1, skipped=0.0), seed=1)
    one = drawn.ratings.unique("episode_id", maintain_order=True)
    found = members_within_cases(one, minimum_clinicians=3, confidence=0.95, seed=1)
    assert found.service is None
    assert found.refusal.endswith(".")
