import numpy as np
import polars as pl
import pytest

from assets.science.casemix import CLINICIAN_SCHEMA, SHARE_SCHEMA, adjusted_progress, casemix_design


def episodes(seed, *, clinicians=24, each=25, sites=4, spread=1.5):
    draw = np.random.default_rng(seed)
    size = clinicians * each
    clinician = np.repeat(np.arange(clinicians), each)
    effect = draw.normal(0.0, spread, clinicians)
    hard = draw.random(size) < 0.2 + 0.6 * (clinician % 2)
    first = draw.normal(15.0, 4.0, size)
    last = 4.0 + 0.5 * first + 3.0 * hard - effect[clinician] + draw.normal(0.0, 3.0, size)
    frame = pl.DataFrame(
        {
            "clinician_id": [f"K{k:02d}" for k in clinician],
            "site": [f"S{k % sites}" for k in clinician],
            "case_id": np.arange(size),
            "outcome_first": first,
            "outcome_last": last,
            "problem": np.where(hard, "trauma", "grief"),
            "deprivation": draw.integers(1, 11, size),
        },
    )
    return frame, effect


def compared(frame, *, casemix=("problem", "deprivation"), clients=20, clinicians=5, higher_is_better=False):
    return adjusted_progress(
        frame,
        casemix=casemix,
        margin=0.8,
        minimum_clients=clients,
        minimum_clinicians=clinicians,
        higher_is_better=higher_is_better,
    )


@pytest.fixture(scope="module")
def found():
    return compared(episodes(1)[0])


def test_clinicians_come_with_intervals_in_the_order_of_their_names(found):
    assert found.refusal is None
    assert dict(found.clinicians.schema) == CLINICIAN_SCHEMA
    assert found.clinicians["clinician_id"].to_list() == [f"K{k:02d}" for k in range(24)]
    assert (found.clinicians["low"] < found.clinicians["estimate"]).all()
    assert found.clinicians.null_count().sum_horizontal().item() == 0


def test_intervals_cover_the_truth_and_better_is_positive():
    covered, agreement = [], []
    for seed in range(3):
        frame, effect = episodes(seed)
        people = compared(frame).clinicians
        covered.append(((people["low"].to_numpy() < effect) & (effect < people["high"].to_numpy())).mean())
        agreement.append(np.corrcoef(people["estimate"], effect)[0, 1])
    assert np.mean(covered) > 0.85
    assert min(agreement) > 0.6


def test_case_mix_is_not_held_against_a_clinician():
    frame, _ = episodes(5, spread=0.0, sites=1)
    adjusted, raw = compared(frame).clinicians, compared(frame, casemix=()).clinicians
    assert adjusted["raw_difference"].std() < 0.6 * raw["raw_difference"].std()
    assert not adjusted["is_different"].any()


def test_shares_of_variance_have_intervals(found):
    assert dict(found.shares.schema) == SHARE_SCHEMA
    assert found.shares["part"].to_list() == ["between_clinicians", "between_sites"]
    assert found.shares["units"].to_list() == [24, 4]
    assert (found.shares["low"] <= found.shares["share"]).all()
    assert 0.02 < found.shares["share"][0] < 0.4
    assert (found.shares["share"] <= found.shares["high"]).all()


@pytest.mark.parametrize("sites", [1, 2])
def test_one_or_two_sites_have_no_variance_of_their_own(sites):
    found = compared(episodes(2, sites=sites)[0])
    assert found.refusal is None
    assert found.shares["part"].to_list() == ["between_clinicians"]


def test_rows_in_any_order_give_the_same_digits(found):
    again = compared(episodes(1)[0].sample(fraction=1.0, shuffle=True, seed=3))
    assert again.clinicians.equals(found.clinicians)
    assert again.shares.equals(found.shares)


def test_the_measure_s_direction_turns_nothing(found):
    turned = episodes(1)[0].with_columns(-pl.col("outcome_first", "outcome_last"))
    assert compared(turned, higher_is_better=True).clinicians.equals(found.clinicians)


def test_thin_data_are_refused_in_words():
    frame, _ = episodes(3)
    assert "closed episodes" in compared(frame.head(10)).refusal
    refused = compared(frame, clinicians=30)
    assert "24 clinicians" in refused.refusal
    assert refused.clinicians.is_empty()
    assert "the same in every row" in compared(frame.with_columns(outcome_last=pl.lit(3.0))).refusal


def test_a_column_that_repeats_another_is_dropped_and_named():
    frame = episodes(4)[0].with_columns(again=pl.col("problem"))
    assert compared(frame, casemix=["problem", "again"]).dropped == ("again=trauma",)


def test_categories_are_set_against_the_commonest_and_rare_ones_taken_together():
    kinds = ["a"] * 30 + ["b"] * 20 + ["c"] * 4 + ["d"] * 3 + [None] * 12
    matrix, names = casemix_design(pl.DataFrame({"kind": kinds}), columns=["kind"])
    assert names == ("kind=b", "kind=missing", "kind=other")
    assert matrix.sum(axis=0).tolist() == [20.0, 12.0, 7.0]


def test_missing_numbers_are_put_at_the_mean_and_marked():
    matrix, names = casemix_design(pl.DataFrame({"n": [1.0, 3.0, None, None]}), columns=["n"])
    assert names == ("n", "n=missing")
    assert matrix[2:, 0].tolist() == [0.0, 0.0]
    assert matrix[:, 1].tolist() == [0.0, 0.0, 1.0, 1.0]


def test_a_number_that_never_changes_carries_nothing():
    matrix, names = casemix_design(pl.DataFrame({"n": [2, 2, 2]}), columns=["n"])
    assert names == ()
    assert matrix.shape == (3, 0)
