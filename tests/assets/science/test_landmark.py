"""Later leaving by early alliance, against slow counting, leaving each client out, and services with a known truth."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.feeds.clinic_process import DROPPED_OUT, STILL_OPEN, ClinicParameters, simulate
from assets.science import landmark, leaving
from assets.science.clustered import jackknife_error
from assets.science.landmark import THIRDS, _standardised, early_alliance_difference, with_halves
from assets.science.retention import aalen_johansen


def rows_of(n, *, seed, sites=2, clinicians=6, lower_leave=0.3, upper_leave=0.3):
    """Clients past the landmark; whoever rates low leaves with one chance, the others with another."""
    draw = np.random.default_rng(seed)
    alliance, score = draw.normal(4, 0.5, n), np.round(draw.normal(14, 5, n))
    site = draw.integers(0, sites, n)
    leaves = draw.random(n) < np.where(alliance < 4, lower_leave, upper_leave)
    planned = ~leaves & (draw.random(n) < 0.6)
    return with_halves(
        pl.DataFrame(
            {
                "site": [f"s{s}" for s in site],
                "clinician_id": [f"s{s}-k{k}" for s, k in zip(site, draw.integers(0, clinicians, n), strict=True)],
                "early_alliance": alliance,
                "score_at_landmark": score,
                "time": draw.integers(1, 10, n),
                "is_unplanned": leaves,
                "is_planned": planned,
            }
        )
    )


def difference(rows, *, horizon=7, fewest_clients=10, fewest_clinicians=3):
    return early_alliance_difference(
        rows, horizon=horizon, fewest_clients=fewest_clients, fewest_clinicians=fewest_clinicians, confidence=0.95
    )


def slow_shares(rows, horizon):
    """Stratum by stratum with the ordinary curve, averaged by how many clients each holds."""
    sums, weight = [0.0, 0.0], 0
    for stratum in rows.partition_by("site", "score_third"):
        halves = [stratum.filter(pl.col("is_lower") == is_lower) for is_lower in (True, False)]
        if min(half.height for half in halves) == 0:
            continue
        for place, half in enumerate(halves):
            within = half["time"] <= horizon
            outcomes = [
                "u" if unplanned and ok else "p" if planned and ok else None
                for unplanned, planned, ok in zip(half["is_unplanned"], half["is_planned"], within, strict=True)
            ]
            times = [min(time, horizon) for time in half["time"]]
            curve = aalen_johansen(times, outcomes, causes=["u", "p"], confidence=0.95)
            sums[place] += stratum.height * curve["u"][-1]
        weight += stratum.height
    return [each / weight for each in sums]


@pytest.mark.parametrize("seed", range(3))
def test_shares_are_those_of_going_stratum_by_stratum(seed):
    rows = rows_of(160, seed=seed)
    got = difference(rows)
    lower, upper = slow_shares(rows, 7)
    assert (got.lower_half[0], got.upper_half[0]) == pytest.approx((lower, upper))
    assert got.difference[0] == pytest.approx(lower - upper)


def test_leaving_out_clinicians_and_clients_is_what_doing_so_one_by_one_gives():
    rows = rows_of(90, seed=8, clinicians=3)
    _, by_clinician, kinds, times = _standardised(rows, horizon=7)
    for got, name in zip(by_clinician, rows["clinician_id"].unique().sort(), strict=True):
        assert got.tolist() == pytest.approx(slow_shares(rows.filter(pl.col("clinician_id") != name), 7))
    numbered = rows.with_row_index("n")
    slow = [slow_shares(numbered.filter(pl.col("n") != n), 7) for n in range(90)]
    gaps = np.array([lower - upper for lower, upper in slow])
    want = np.sqrt(89 / 90 * ((gaps - gaps.mean()) ** 2).sum())
    assert times.sum() == 90
    assert jackknife_error(kinds[:, 0] - kinds[:, 1], times=times) == pytest.approx(want)


def test_halves_and_thirds_are_of_the_clients_own_site():
    rows = pl.DataFrame(
        {
            "site": ["a"] * 4 + ["b"] * 4,
            "early_alliance": [1.0, 2.0, 3.0, 4.0, 11.0, 12.0, 13.0, 14.0],
            "score_at_landmark": [1.0, 2.0, 3.0, 4.0, 20.0, 20.0, 20.0, 20.0],
        }
    )
    got = with_halves(rows)
    assert got["is_lower"].to_list() == [True, True, False, False] * 2
    assert got["score_third"].to_list() == [0, 1, 1, 2, 1, 1, 1, 1]


def test_those_at_the_ceiling_are_together_in_the_upper_half():
    rows = pl.DataFrame(
        {"site": "a", "early_alliance": [3.0, 5.0, 5.0, 5.0], "score_at_landmark": [1.0, 2.0, 3.0, 4.0]}
    )
    assert with_halves(rows)["is_lower"].to_list() == [True, False, False, False]


@given(st.lists(st.integers(0, 27), min_size=1, max_size=30))
def test_thirds_follow_the_score(scores):
    rows = pl.DataFrame({"site": "a", "early_alliance": 1.0, "score_at_landmark": [float(s) for s in scores]})
    got = with_halves(rows).sort("score_at_landmark")["score_third"]
    assert got.is_sorted()
    assert got.is_between(0, THIRDS - 1).all()


@pytest.mark.parametrize(
    ("rows", "settings", "refusal"),
    [
        (rows_of(30, seed=1), {"fewest_clients": 20}, "too_few_clients"),
        (rows_of(80, seed=1, lower_leave=0.05, upper_leave=0.05), {}, "too_few_endings"),
        (rows_of(80, seed=1, sites=1, clinicians=2), {}, "too_few_clinicians"),
    ],
)
def test_thin_data_are_refused(rows, settings, refusal):
    got = difference(rows, **settings)
    assert got.refusal == refusal
    assert got.difference == got.lower_half == got.upper_half == (None, None, None)
    assert got.probability_above is None


def test_a_horizon_lies_after_the_landmark():
    with pytest.raises(ValueError, match="horizon"):
        difference(rows_of(80, seed=1), horizon=0)


def test_a_difference_that_is_there_is_found_with_its_sign():
    got = difference(rows_of(1500, seed=2, lower_leave=0.5, upper_leave=0.2))
    assert got.difference[1] > 0.1
    assert got.probability_above > 0.999
    assert difference(rows_of(1500, seed=2, lower_leave=0.2, upper_leave=0.5)).difference[2] < -0.1


def placed(parameters, *, seed):
    """A simulated service at its landmark, and beside it what must not be used: the mean alliance of the whole treatment."""
    drawn = simulate(parameters, seed=seed)
    ending = drawn.truth.ending
    reason = np.select([ending == DROPPED_OUT, ending != STILL_OPEN], ["unplanned", "planned"], default="")
    code = pl.col("client").cast(pl.String)
    own = drawn.sessions.select(
        client_id=code,
        episode_id=code,
        session_number=pl.col("session") + 1,
        alliance="alliance",
        score="outcome",
        clinician_id=pl.col("clinician").cast(pl.String),
        site=pl.col("site").cast(pl.String),
    )
    who = own.group_by("episode_id").agg(
        pl.col("clinician_id", "site").first(),
        sessions=pl.len().cast(pl.Int64),
        whole=pl.col("alliance").mean(),
    )
    reasons = pl.DataFrame({"episode_id": [str(i) for i in range(ending.size)], "end_reason": reason})
    endings = who.join(reasons.with_columns(pl.col("end_reason").replace("", None)), on="episode_id")
    states = leaving.landmark(own, endings, landmark_session=3, fewest_ratings=1)
    described = endings.select("episode_id", "clinician_id", "site", "whole")
    return states.filter(pl.col("state") == "analysed").join(described, on="episode_id").drop_nulls("whole")


NOTHING = {
    "dropout_within": 0.0,
    "dropout_between": 0.0,
    "beta_within": 0.0,
    "beta_within_sd": 0.0,
    "beta_between": 0.0,
    "beta_clinician": 0.0,
}


def test_where_the_alliance_does_nothing_intervals_hold_nothing_about_as_often_as_they_say():
    held = []
    for seed in range(40):
        rows = with_halves(placed(ClinicParameters(clients=1000, clinicians=25, sites=3, **NOTHING), seed=seed))
        got = difference(rows)
        held.append(got.difference[1] < 0 < got.difference[2])
    assert np.mean(held) >= 0.85


def test_an_early_alliance_that_keeps_clients_is_found_and_a_second_opinion_agrees():
    effect = NOTHING | {"dropout_between": -1.5}
    rows = with_halves(placed(ClinicParameters(clients=6000, clinicians=60, sites=3, **effect), seed=3))
    got = difference(rows)
    assert got.difference[1] > 0
    ratio = leaving.hazard_ratios(
        rows,
        time="time",
        event="is_unplanned",
        covariates=["early_alliance", "score_at_landmark"],
        fewest_events=10,
        confidence=0.95,
    )
    assert ratio["upper"][0] < 1


def test_means_over_the_whole_treatment_would_find_what_is_not_there():
    growing = NOTHING | {"alliance_growth": 1.0}
    rows = placed(ClinicParameters(clients=12000, clinicians=120, sites=3, **growing), seed=21)
    early = difference(with_halves(rows))
    whole = difference(with_halves(rows.with_columns(early_alliance=pl.col("whole"))))
    assert early.difference[1] < 0 < early.difference[2]
    assert whole.difference[1] > 0.01


def test_where_no_interval_can_be_had_nothing_is_told(monkeypatch):
    monkeypatch.setattr(landmark, "jackknife_interval", lambda *_, **__: (None, None, None))
    found = difference(rows_of(400, seed=3))
    assert found.refusal == "cannot_tell"
    assert found.difference == (None, None, None)
