import numpy as np
import polars as pl
import pytest

from assets.contracts.analysis import ANSWER, METHODS
from assets.contracts.vocabulary import LEVELS
from assets.feeds.clinic_process import ClinicParameters, simulate
from assets.science.alliance_link import CLINICIAN_SCHEMA, LEVEL_SCHEMA, effective_units, estimate_link


def pairs_of(parameters, *, seed):
    sessions = simulate(parameters, seed=seed).sessions
    outcome = pl.col("outcome")
    return sessions.select(
        clinician_id=pl.format("K{}", pl.col("clinician").cast(pl.String).str.zfill(2)),
        site=pl.col("site").cast(pl.String),
        client_id=pl.col("client"),
        session_number=pl.col("session") + 1,
        outcome_now=outcome,
        outcome_next=outcome.shift(-1).over("client"),
        outcome_first=outcome.first().over("client"),
        alliance="alliance",
    )


def estimated(pairs, *, clients=30, clinicians=15, higher_is_better=False):
    return estimate_link(
        pairs, minimum_clients=clients, minimum_clinicians=clinicians, higher_is_better=higher_is_better
    )


@pytest.fixture(scope="module")
def pairs():
    return pairs_of(ClinicParameters(clinicians=20, clients=500), seed=11)


@pytest.fixture(scope="module")
def link(pairs):
    return estimated(pairs)


def level(link, name, method="corrected"):
    return link.levels.filter((pl.col("level") == name) & (pl.col("method") == method)).row(0, named=True)


def test_three_levels_are_kept_apart_each_with_an_interval_and_the_naive_figure_beside_it(link):
    assert link.refusal is None
    assert dict(link.levels.schema) == LEVEL_SCHEMA
    assert dict(link.clinicians.schema) == CLINICIAN_SCHEMA
    assert link.levels.select("level", "method").n_unique() == 7
    assert (link.levels["low"] < link.levels["estimate"]).all()
    assert (link.levels["estimate"] < link.levels["high"]).all()
    assert link.levels.null_count().sum_horizontal().item() == 0


def test_a_better_alliance_that_lowers_symptoms_is_a_positive_link(link):
    within = level(link, "within_client")
    assert within["low"] < 1.0 < within["high"]
    assert within["estimate"] > level(link, "within_client", "naive")["estimate"]
    assert within["probability_positive"] > 0.95


def test_every_published_method_is_declared_and_has_the_answer_at_every_level(link):
    assert set(link.levels["method"]) == set(METHODS)
    assert set(link.levels.filter(pl.col("method") == ANSWER)["level"]) == set(LEVELS)


def test_within_clients_the_jackknife_is_a_second_opinion(link):
    within, second = level(link, "within_client"), level(link, "within_client", "split_panel_jackknife")
    assert within["estimate"] != second["estimate"]
    assert abs(within["estimate"] - second["estimate"]) < 4.0 * within["standard_error"]


def test_clients_who_come_too_few_times_to_tell_a_course_are_answered_for_by_the_jackknife(pairs):
    gaps = pairs.filter(pl.col("session_number").is_in([1, 2, 5, 7, 12]))
    link = estimated(gaps)
    assert link.refusal is None
    assert level(link, "within_client")["estimate"] == level(link, "within_client", "split_panel_jackknife")["estimate"]


def test_the_measure_s_direction_turns_nothing_but_the_sign(pairs, link):
    turned = pairs.with_columns(-pl.col("outcome_now", "outcome_next", "outcome_first"))
    assert estimated(turned, higher_is_better=True).levels.equals(link.levels)


def test_rows_in_any_order_and_rows_with_gaps_give_the_same_digits(pairs, link):
    gaps = pl.concat([pairs, pairs.head(5).with_columns(alliance=pl.lit(None, dtype=pl.Float64))])
    again = estimated(gaps.sample(fraction=1.0, shuffle=True, seed=1))
    assert again.levels.equals(link.levels)
    assert again.clinicians.equals(link.clinicians)


def test_clinicians_are_drawn_toward_the_service_and_stand_in_no_order_of_merit(link):
    people = link.clinicians
    assert people["clinician_id"].is_sorted()
    assert people["service_estimate"].n_unique() == 1
    assert people["estimate"].std() < 0.6
    assert (people["low"] < people["estimate"]).all()
    assert people["probability_positive"].is_between(0, 1).all()
    assert people["pairs"].sum() == level(link, "within_client")["pairs"]


def test_episodes_of_one_client_are_told_apart(pairs):
    twice = pl.concat([pairs.with_columns(episode_id=pl.lit("a")), pairs.with_columns(episode_id=pl.lit("b"))])
    assert (
        level(estimated(twice), "within_client")["clients"] == 2 * level(estimated(pairs), "within_client")["clients"]
    )


def test_few_clinicians_widen_the_interval_and_the_sentence_says_so(pairs):
    few = pairs.filter(pl.col("clinician_id") < "K08")
    wide, plain = estimated(few), estimated(few, clinicians=4)
    assert wide.is_widened
    assert not plain.is_widened
    ratio = level(wide, "within_client")["standard_error"] / level(plain, "within_client")["standard_error"]
    assert ratio == pytest.approx(np.sqrt(15 / few["clinician_id"].n_unique()), abs=1e-4)
    assert "widened" in level(wide, "within_client")["sentence"]
    assert "widened" not in level(plain, "within_client")["sentence"]


def test_a_sentence_says_which_way_or_that_it_cannot_be_told(link):
    assert "better by" in level(link, "within_client")["sentence"]
    turned = estimated(pairs_of(ClinicParameters(clinicians=20, clients=500, beta_within=3.0), seed=2))
    assert "worse by" in level(turned, "within_client")["sentence"]
    none = estimated(pairs_of(ClinicParameters(clinicians=8, clients=80, beta_within=0.0), seed=3))
    assert "cannot be told" in level(none, "within_client")["sentence"]


def test_too_few_clients_or_clinicians_are_refused_in_words(pairs):
    few = pairs.filter(pl.col("client_id") < 10)
    assert "10 clients" not in (estimated(pairs).refusal or "")
    assert estimated(few).refusal.startswith("Cannot tell: ")
    two = pairs.filter(pl.col("clinician_id").is_in(["K01", "K02"]))
    refused = estimated(two, clients=2)
    assert "2 clinicians" in refused.refusal
    assert refused.levels.is_empty()
    assert refused.clinicians.is_empty()
    assert not refused.is_widened


def test_an_outcome_that_never_changes_is_refused_in_words(pairs):
    flat = pairs.with_columns(outcome_next=pl.lit(9.0), outcome_now=pl.lit(9.0))
    assert (
        estimated(flat).refusal == "Cannot tell: The outcome is the same in every row, so there is nothing to explain."
    )


def test_equal_caseloads_carry_as_many_units_as_there_are():
    assert effective_units(np.full(7, 3.0)) == 7.0
    assert effective_units(np.array([100.0, 1.0])) < 1.1
