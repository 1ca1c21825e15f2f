import numpy as np
import polars as pl
import pytest
from scipy import stats

from assets.feeds.clinic_process import ClinicParameters, session_curve, simulate
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


def test_nobody_is_called_different_where_nobody_is():
    nights = [compared(episodes(seed, spread=0.0)[0]).clinicians["is_different"].any() for seed in range(12)]
    assert sum(nights) <= 1


def test_q_values_are_benjamini_and_hochberg_s_over_the_two_tails(found):
    people = found.clinicians
    better = people["probability_better"].to_numpy()
    tails = 2 * np.minimum(better, 1 - better)
    assert people["q_value"].to_numpy() == pytest.approx(stats.false_discovery_control(tails), abs=1e-5)
    assert people["is_different"].to_list() == (people["q_value"] <= 0.05).to_list()


def test_a_clinician_with_too_few_is_not_flagged_and_does_not_count_in_the_correction():
    frame, _ = episodes(1, spread=5.0)
    few = frame.filter((pl.col("clinician_id") != "K00") | (pl.int_range(pl.len()).over("clinician_id") < 5))
    people = compared(few).clinicians
    assert people["q_value"].null_count() == 1
    assert not people.filter(pl.col("clinician_id") == "K00")["is_different"].item()
    assert people["is_different"].sum() > 5


def test_being_better_by_a_margin_is_less_likely_than_being_better(found):
    people = found.clinicians
    assert (people["probability_better_by_margin"] <= people["probability_better"]).all()
    assert (people["probability_worse_by_margin"] <= 1 - people["probability_better"] + 1e-9).all()


def test_funnel_limits_are_what_chance_and_ordinary_differences_give(found):
    people = found.clinicians
    assert (people["limit_high_95"] == -people["limit_low_95"]).all()
    ratio = (people["limit_high_998"] / people["limit_high_95"]).to_numpy()
    assert ratio == pytest.approx(stats.norm.isf(0.001) / stats.norm.isf(0.025), rel=1e-4)
    size = people["raw_difference"].abs()
    outside = [
        "outside_998" if beyond else "outside_95" if apart else "within"
        for beyond, apart in zip(size > people["limit_high_998"], size > people["limit_high_95"], strict=True)
    ]
    assert people["funnel_rule"].to_list() == outside


def test_partners_of_a_couple_are_not_two_independent_witnesses():
    draw = np.random.default_rng(6)
    cases = 16 * 20
    shared, first = draw.normal(0.0, 3.0, cases), draw.normal(10.0, 3.0, cases)
    partner = {
        "clinician_id": [f"K{k // 20:02d}" for k in range(cases)],
        "site": ["S"] * cases,
        "case_id": [f"F{n}" for n in range(cases)],
        "outcome_first": first,
    }
    both = pl.concat(
        [pl.DataFrame({**partner, "outcome_last": first + shared + draw.normal(0.0, 1.0, cases)}) for _ in range(2)]
    )
    told = compared(both, casemix=())
    forgotten = compared(both.with_columns(case_id=pl.int_range(pl.len())), casemix=())
    assert told.shares["share"][0] < forgotten.shares["share"][0]
    assert (told.clinicians["limit_high_95"] > forgotten.clinicians["limit_high_95"]).all()


def test_the_simulated_service_s_own_truth_is_covered():
    covered = []
    for seed in range(3):
        drawn = simulate(ClinicParameters(clinicians=24, clients=900, sites=1), seed=seed)
        scored = drawn.sessions.drop_nulls("outcome").sort("client", "session")
        frame = scored.group_by("client", maintain_order=True).agg(
            pl.col("clinician").first(),
            outcome_first=pl.col("outcome").first(),
            outcome_last=pl.col("outcome").last(),
            last=pl.col("session").last(),
        )
        hard = drawn.truth.has_hard_circumstances[frame["client"].to_numpy()]
        is_seen_twice = frame["last"] > 0
        frame = frame.filter(is_seen_twice).with_columns(
            clinician_id=pl.format("K{}", pl.col("clinician").cast(pl.String).str.zfill(2)),
            site=pl.lit("S"),
            case_id="client",
            hard=pl.Series(hard).filter(is_seen_twice),
        )
        people = compared(frame, casemix=["hard"]).clinicians
        effect = drawn.truth.change_effect - 3.0 * drawn.truth.alliance_effect
        curve = float(session_curve(frame["last"].to_numpy()).mean())
        mine = people["clinician_id"].str.slice(1).cast(pl.Int64).to_numpy()
        truth = -curve * (effect - effect.mean())[mine]
        covered.append(np.mean((people["low"].to_numpy() <= truth) & (truth <= people["high"].to_numpy())))
    assert np.mean(covered) > 0.88


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
