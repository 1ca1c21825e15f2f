import numpy as np
import polars as pl
import pytest
from scipy import stats

from assets.feeds.clinic_process import ClinicParameters, simulate
from assets.science.expected_progress import bands_at, learn_bands, standing


def scores_of(seed, *, clients=900):
    sessions = simulate(ClinicParameters(clients=clients, clinicians=20), seed=seed).sessions
    return sessions.select(
        episode_id=pl.col("client"),
        session_number=pl.col("session") + 1,
        outcome="outcome",
        outcome_first=pl.col("outcome").first().over("client"),
    )


@pytest.fixture(scope="module")
def bands():
    return learn_bands(scores_of(1), minimum_episodes=200, higher_is_better=False)


def test_bands_worsen_from_expected_to_well_behind(bands):
    found = bands_at(bands, first=np.array([20.0, 10.0]), session_number=np.array([5.0, 5.0]))
    assert (found["expected"] < found["behind_limit"]).all()
    assert (found["behind_limit"] < found["well_behind_limit"]).all()
    assert found["expected"][0] > found["expected"][1]
    assert "closed episodes" in bands.sentence


def test_the_limits_are_the_fifth_and_the_tenth_of_the_predictive_spread(bands):
    found = bands_at(bands, first=np.array([15.0]), session_number=np.array([9.0]))
    spread = np.sqrt(bands.covariance.sum() + bands.residual_variance)
    assert found["behind_limit"][0] - found["expected"][0] == pytest.approx(stats.norm.ppf(0.8) * spread, abs=1e-5)
    assert found["well_behind_limit"][0] - found["expected"][0] == pytest.approx(stats.norm.ppf(0.9) * spread, abs=1e-5)


def test_about_a_fifth_of_new_clients_are_behind_and_a_tenth_well_behind(bands):
    found = standing(scores_of(2), bands=bands, reliable_change=6.0).filter(pl.col("standing") != "cannot_tell")
    assert found["basis"].unique().to_list() == ["growth_model"]
    assert found["standing"].is_in(["behind", "well_behind"]).mean() == pytest.approx(0.2, abs=0.04)
    assert (found["standing"] == "well_behind").mean() == pytest.approx(0.1, abs=0.03)


def test_the_measure_s_direction_turns_nothing(bands):
    turned = scores_of(1).with_columns(-pl.col("outcome", "outcome_first"))
    mirrored = learn_bands(turned, minimum_episodes=200, higher_is_better=True)
    one = standing(scores_of(1), bands=bands, reliable_change=6.0)["standing"]
    two = standing(turned, bands=mirrored, reliable_change=6.0)["standing"]
    assert one.equals(two)


def test_first_sessions_and_missing_scores_cannot_be_told(bands):
    rows = pl.DataFrame(
        {"session_number": [1, 5, 5], "outcome": [27.0, None, 27.0], "outcome_first": [5.0, 5.0, None]},
        schema_overrides={"outcome": pl.Float64, "outcome_first": pl.Float64},
    )
    assert standing(rows, bands=bands, reliable_change=6.0)["standing"].unique().to_list() == ["cannot_tell"]


@pytest.mark.parametrize(("higher_is_better", "sign"), [(False, 1.0), (True, -1.0)])
def test_few_closed_episodes_leave_only_reliable_deterioration(higher_is_better, sign):
    bands = learn_bands(scores_of(1, clients=150), minimum_episodes=200, higher_is_better=higher_is_better)
    assert bands.beta is None
    assert "fewer than the 200 asked" in bands.sentence
    rows = pl.DataFrame(
        {"session_number": [3, 3, 1], "outcome": [16.0, 15.0, 16.0], "outcome_first": [10.0, 10.0, 10.0]}
    )
    rows = rows.with_columns(pl.col("outcome", "outcome_first") * sign)
    found = standing(rows, bands=bands, reliable_change=6.0)
    assert found["standing"].to_list() == ["well_behind", "cannot_tell", "cannot_tell"]
    assert found["basis"].unique().to_list() == ["reliable_deterioration"]
    assert found["expected"].null_count() == 3


def test_episodes_with_one_later_score_each_give_no_bands():
    one_each = scores_of(1).filter(pl.col("session_number") == 3)
    bands = learn_bands(one_each, minimum_episodes=200, higher_is_better=False)
    assert bands.beta is None
    assert "every client has one row" in bands.sentence
