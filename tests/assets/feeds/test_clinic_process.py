import numpy as np
import polars as pl
import pytest

from assets.feeds.clinic_process import DROPPED_OUT, STILL_OPEN, ClinicParameters, session_curve, simulate


@pytest.fixture(scope="module")
def big_service():
    return simulate(ClinicParameters(clients=6000, clinicians=120), seed=3)


def test_the_same_seed_draws_the_same_service():
    parameters = ClinicParameters(clients=50, clinicians=5)
    first, again = simulate(parameters, seed=1), simulate(parameters, seed=1)
    assert first.sessions.equals(again.sessions)
    assert not first.sessions.equals(simulate(parameters, seed=2).sessions)


def test_the_course_of_change_is_nought_at_the_first_session_and_one_at_the_ninth():
    assert session_curve([0, 8]).tolist() == [0.0, 1.0]


def test_scores_keep_to_their_scales(big_service):
    outcome, alliance = (big_service.sessions[c].drop_nulls() for c in ("outcome", "alliance"))
    assert outcome.is_between(0, 27).all()
    assert (outcome == outcome.round()).all()
    assert alliance.is_between(1, 5).all()
    assert np.allclose(alliance * 12, (alliance * 12).round())


def test_the_service_looks_like_published_ones(big_service):
    sessions, truth = big_service.sessions, big_service.truth
    first = sessions.filter(pl.col("session") == 0)["outcome"]
    assert abs(first.mean() - 15.0) < 0.6
    assert 0.15 < (truth.ending == DROPPED_OUT).mean() < 0.24
    assert 7.5 < sessions.height / 6000 < 9.5
    missed = sessions["missed_before"].sum()
    assert 0.08 < missed / (missed + sessions.height) < 0.13
    assert 0.03 < sessions["is_rupture"].mean() < 0.06


def test_alliance_of_a_session_goes_with_the_next_outcome_as_the_truth_says():
    service = simulate(
        ClinicParameters.undisturbed(clients=4000, clinicians=1, beta_within_sd=0.0, dropout_within=0.0), seed=5
    )
    truth = service.truth
    rows = service.sessions.with_columns(
        expected=pl.Series(truth.client_baseline)[service.sessions["client"]]
        + pl.Series(truth.client_change)[service.sessions["client"]]
        * pl.Series(session_curve(service.sessions["session"])),
    ).with_columns(deviation=pl.col("outcome") - pl.col("expected"))
    rows = rows.with_columns(following=pl.col("deviation").shift(-1).over("client")).drop_nulls()
    design = rows.select("deviation", "within_true").to_numpy()
    carried, effect = np.linalg.lstsq(design, rows["following"].to_numpy(), rcond=None)[0]
    assert effect == pytest.approx(-1.0, abs=0.1)
    assert carried == pytest.approx(0.35, abs=0.02)


def test_late_feedback_begins_when_it_is_said_to():
    settings = {"clients": 4000, "clinicians": 1, "feedback": 0.0, "beta_within": 0.0, "beta_within_sd": 0.0}
    service = simulate(ClinicParameters.undisturbed(**settings, feedback_late=-0.2, feedback_late_from=4), seed=6)
    truth, sessions = service.truth, service.sessions
    client = sessions["client"].to_numpy()
    expected = truth.client_baseline[client] + truth.client_change[client] * session_curve(sessions["session"])
    rows = sessions.with_columns(deviation=pl.col("outcome") - pl.Series(expected))
    early, late = rows.filter(pl.col("session") < 4), rows.filter(pl.col("session") >= 4)
    assert abs(early.select(pl.corr("deviation", "within_true")).item()) < 0.05
    assert late.select(pl.corr("deviation", "within_true")).item() < -0.5


def test_an_undisturbed_service_has_every_form_and_no_missed_appointment():
    sessions = simulate(ClinicParameters.undisturbed(clients=200, clinicians=4), seed=7).sessions
    assert sessions.null_count().sum_horizontal().item() == 0
    assert sessions["missed_before"].sum() == 0
    assert not sessions["is_rupture"].any()


def test_whoever_has_no_ending_is_still_in_treatment_at_the_longest_session():
    service = simulate(
        ClinicParameters(clients=300, clinicians=4, longest=6, planned_sessions=30.0, missed_probability=0.0), seed=8
    )
    still = np.flatnonzero(service.truth.ending == STILL_OPEN)
    last = (
        service.sessions.group_by("client").agg(pl.col("session").max()).filter(pl.col("client").is_in(still.tolist()))
    )
    assert (last["session"] == 5).all()
    assert (service.truth.last_session[still] == -1).all()
