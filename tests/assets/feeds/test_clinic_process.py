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


def test_what_can_be_switched_on_changes_nothing_while_it_is_off():
    plain = simulate(ClinicParameters(clients=60, clinicians=5), seed=1)
    ready = simulate(
        ClinicParameters(clients=60, clinicians=5, holding_back_skips=0.9, holding_back_dropout=5.0), seed=1
    )
    assert plain.sessions.equals(ready.sessions)
    assert not plain.sessions["is_holding_back"].any()
    assert plain.sessions["weeks_later"].sum() == 0


def test_treatments_are_broken_off_as_often_as_the_truth_of_their_sessions_says(big_service):
    sessions, truth = big_service.sessions, big_service.truth
    left = (truth.ending == DROPPED_OUT).sum()
    chances = sessions["dropout_probability"]
    assert abs(left - chances.sum()) < 4 * np.sqrt((chances * (1 - chances)).sum())


def test_alliance_forms_are_left_out_as_often_as_the_truth_of_their_sessions_says(big_service):
    chances = big_service.sessions["skip_probability"]
    skipped = big_service.sessions["alliance"].null_count()
    assert abs(skipped - chances.sum()) < 4 * np.sqrt((chances * (1 - chances)).sum())


def test_a_rupture_that_lasts_keeps_the_alliance_down_until_it_is_repaired():
    settings = {"clients": 3000, "clinicians": 20, "rupture_lasting": 0.8, "alliance_missing": 0.0}
    sessions = simulate(ClinicParameters(**settings), seed=2).sessions
    later = sessions.filter(~pl.col("is_rupture") & (pl.col("session") > 1))
    means = dict(later.group_by("is_torn").agg(pl.col("alliance").mean()).iter_rows())
    assert means[False] - means[True] == pytest.approx(0.8, abs=0.25)


def test_whoever_holds_back_skips_forms_and_appointments_and_leaves_more_often():
    drawn = simulate(ClinicParameters(clients=4000, clinicians=20, holding_back_share=0.5), seed=3)
    rows = drawn.sessions.group_by("is_holding_back").agg(
        pl.col("alliance").is_null().mean().alias("skipped"),
        pl.col("missed_before", "weeks_later", "dropout_probability").mean(),
    )
    calm, back = (rows.filter(pl.col("is_holding_back") == value).row(0, named=True) for value in (False, True))
    assert all(back[name] > 1.3 * calm[name] for name in ("skipped", "missed_before", "dropout_probability"))
    assert calm["weeks_later"] == 0 < back["weeks_later"]
    begins = pl.Series(drawn.truth.holds_back_from)[drawn.sessions["client"]]
    assert (drawn.sessions["is_holding_back"] == (drawn.sessions["session"] >= begins)).all()
