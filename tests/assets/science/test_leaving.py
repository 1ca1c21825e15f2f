"""What goes with leaving, against R's survival package, slow counting and laws."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assets.science.leaving import (
    LANDMARK_STATES,
    hazard_ratios,
    landmark,
)


@pytest.fixture(scope="module")
def clinic(shared_cases):
    folder = shared_cases / "mixed_models"
    return (
        pl.read_csv(folder / "clinic_clean_survival.csv"),
        json.loads((folder / "clinic_clean_survival.json").read_text()),
    )


def test_hazard_ratios_are_those_of_r(clinic):
    data, r = clinic
    got = hazard_ratios(
        data, time="time", event="event", covariates=["a_early", "y0"], fewest_events=10, confidence=0.95
    )
    want = r["cox_efron"]
    assert got["log_hazard_ratio"].to_list() == pytest.approx(list(want["coef"].values()), abs=1e-6)
    assert got["standard_error"].to_list() == pytest.approx(list(want["se"].values()), abs=1e-6)
    assert got["refusal"].to_list() == [None, None]
    assert (got["clients"][0], got["events"][0]) == (r["n"], r["events"])
    assert got["lower"].to_list() == pytest.approx(
        np.exp(np.array(list(want["coef"].values())) - stats.norm.ppf(0.975) * np.array(list(want["se"].values())))
    )


def sessions_of(**courses):
    rows = [
        {"client_id": name, "episode_id": name, "session_number": i + 1, "alliance": a, "score": y}
        for name, course in courses.items()
        for i, (a, y) in enumerate(course)
    ]
    types = {"client_id": pl.String, "episode_id": pl.String, "session_number": pl.Int64}
    return pl.DataFrame(rows, schema=types | {"alliance": pl.Float64, "score": pl.Float64})


def endings_of(**ends):
    rows = [{"episode_id": name, "sessions": n, "end_reason": reason} for name, (n, reason) in ends.items()]
    return pl.DataFrame(rows, schema={"episode_id": pl.String, "sessions": pl.Int64, "end_reason": pl.String})


def landed(course, end, *, at=3, fewest=1):
    got = landmark(sessions_of(e=course), endings_of(e=end), landmark_session=at, fewest_ratings=fewest)
    return got.row(0, named=True)


def test_only_the_first_sessions_describe_a_client():
    got = landed([(4, 20), (5, 18), (None, None), (1, 2), (1, 1)], (5, "unplanned"))
    assert (got["early_alliance"], got["early_ratings"], got["score_at_landmark"]) == (4.5, 2, 18)
    assert (got["state"], got["time"], got["is_unplanned"], got["is_planned"]) == ("analysed", 2, True, False)


@pytest.mark.parametrize(("sessions", "state", "time"), [(3, "not_past_landmark", None), (4, "analysed", 1)])
def test_whoever_ends_at_the_landmark_is_not_past_it(sessions, state, time):
    got = landed([(4, 20)] * sessions, (sessions, "unplanned"))
    assert (got["state"], got["time"]) == (state, time)


@pytest.mark.parametrize(("rated", "state"), [(1, "too_few_ratings"), (2, "analysed")])
def test_too_few_early_ratings_are_counted_apart(rated, state):
    course = [(4, 20)] * rated + [(None, 20)] * (5 - rated)
    assert landed(course, (5, "planned"), fewest=2)["state"] == state


def test_without_an_early_score_a_client_is_counted_apart():
    assert landed([(4, None)] * 3 + [(4, 9)] * 2, (5, None))["state"] == "no_score"


def test_open_and_unexplained_endings_are_censored():
    got = landed([(4, 20)] * 5, (5, None))
    assert (got["is_unplanned"], got["is_planned"], got["time"]) == (False, False, 2)


def test_a_client_without_a_known_ending_is_not_past_the_landmark():
    got = landmark(sessions_of(e=[(4, 20)]), endings_of(), landmark_session=3, fewest_ratings=1)
    assert got["state"].to_list() == ["not_past_landmark"]
    assert got["is_unplanned"].to_list() == [False]


@settings(max_examples=40)
@given(later=st.lists(st.tuples(st.integers(1, 5), st.integers(0, 27)), max_size=6))
def test_what_happens_after_the_landmark_never_changes_what_describes_a_client(later):
    early = [(4, 20), (3, 18), (5, 19)]
    got = landed(early + later, (3 + len(later), "unplanned"))
    assert (got["early_alliance"], got["score_at_landmark"]) == (4, 19)
    assert got["state"] in LANDMARK_STATES


@pytest.mark.parametrize("choice", [{"at": 0}, {"fewest": 0}])
def test_a_landmark_needs_a_session_and_a_rating(choice):
    with pytest.raises(ValueError, match="at least 1"):
        landed([(4, 20)], (1, None), **choice)


def ratios(data, *, fewest=1, covariates=("x",)):
    return hazard_ratios(
        data, time="time", event="left", covariates=list(covariates), fewest_events=fewest, confidence=0.95
    )


COHORT = pl.DataFrame(
    {
        "time": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        "left": [True, True, False, True, True, False, True, False, True, True],
        "x": [1.0, 3.0, 2.0, 5.0, 1.0, 4.0, 2.0, 6.0, 3.0, 5.0],
    }
)


@pytest.mark.parametrize(("fewest", "refusal"), [(7, None), (8, "too_few_events")])
def test_below_the_fewest_events_nothing_is_estimated(fewest, refusal):
    got = ratios(COHORT, fewest=fewest)
    assert got["refusal"].to_list() == [refusal]
    assert (got["hazard_ratio"][0] is None) is (refusal is not None)
    assert got["events"][0] == 7


def test_nobody_leaving_is_too_few_however_few_are_asked_for():
    assert ratios(COHORT.with_columns(left=pl.lit(value=False)), fewest=0)["refusal"][0] == "too_few_events"


def test_a_covariate_that_never_varies_or_repeats_another_is_refused():
    assert ratios(COHORT.with_columns(x=pl.lit(3.0)))["refusal"][0] == "no_variation"
    doubled = COHORT.with_columns(twice=2 * pl.col("x"))
    assert set(ratios(doubled, covariates=("x", "twice"))["refusal"]) == {"no_variation"}


def test_a_covariate_that_parts_leavers_from_stayers_has_no_solution():
    apart = COHORT.with_columns(x=pl.col("left").cast(pl.Float64), time=pl.when("left").then(1).otherwise(2))
    got = ratios(apart)
    assert got["refusal"].to_list() == ["no_solution"]
    assert got["upper"].to_list() == [None]


def test_a_missing_figure_is_refused():
    with pytest.raises(ValueError, match="complete rows"):
        ratios(COHORT.with_columns(x=pl.lit(None, dtype=pl.Float64)))


def test_changing_the_unit_of_a_covariate_changes_the_ratio_by_that_unit():
    one, ten = ratios(COHORT), ratios(COHORT.with_columns(x=pl.col("x") * 10))
    assert one["log_hazard_ratio"][0] == pytest.approx(10 * ten["log_hazard_ratio"][0])


def test_a_rating_or_score_that_is_no_number_is_missing_at_the_landmark():
    sessions = pl.DataFrame(
        {
            "client_id": ["a"] * 3,
            "episode_id": ["e"] * 3,
            "session_number": [1, 2, 3],
            "alliance": [5.0, math.nan, 4.0],
            "score": [10.0, 9.0, math.nan],
        }
    )
    endings = pl.DataFrame({"episode_id": ["e"], "sessions": [5], "end_reason": ["unplanned"]})
    row = landmark(sessions, endings, landmark_session=3, fewest_ratings=2).row(0, named=True)
    assert (row["early_alliance"], row["early_ratings"], row["score_at_landmark"]) == (4.5, 2, 9.0)


@pytest.mark.parametrize("figure", [math.nan, math.inf])
@pytest.mark.parametrize("column", ["time", "x"])
def test_a_hazard_ratio_is_not_made_of_figures_that_are_not_finite(column, figure):
    data = pl.DataFrame({"time": [1.0, 2.0], "left": [True, False], "x": [1.0, 2.0]})
    with pytest.raises(ValueError, match="needs finite figures"):
        hazard_ratios(
            data.with_columns(pl.lit(figure).alias(column)),
            time="time",
            event="left",
            covariates=["x"],
            fewest_events=1,
            confidence=0.95,
        )
