from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import effect_size
from assets.science.effect_size import GroupFigures

ONE = {"n": 20, "mean_pre": 30.0, "mean_post": 20.0, "sd_pre": 8.0, "correlation": 0.6, "confidence": 0.95}
WORSE = {"direction": "higher_is_worse"}


def test_change_over_the_intake_spread_and_its_interval_are_the_formula_written_out():
    found = effect_size.d_intake(**ONE, **WORSE)
    half = 1.959963984540054 * math.sqrt(2 * 0.4 / 20 + 1.25**2 / 40)
    assert (found.kind, found.n, found.estimate) == ("d_intake", 20, 1.25)
    assert (found.low, found.high) == pytest.approx((1.25 - half, 1.25 + half), abs=1e-12)


def test_the_corrected_effect_is_the_raw_one_times_j():
    raw, corrected = effect_size.d_intake(**ONE, **WORSE), effect_size.smcr(**ONE, **WORSE)
    assert corrected.estimate == pytest.approx(raw.estimate * effect_size.small_sample_correction(19), abs=1e-12)


@given(st.integers(2, 500))
def test_the_exact_correction_is_near_its_well_known_approximation_and_below_one(df):
    exact = effect_size.small_sample_correction(df)
    assert exact < 1
    assert exact == pytest.approx(1 - 3 / (4 * df - 1), abs=0.01 if df < 5 else 0.002)


def test_change_over_its_own_spread_is_the_formula_written_out():
    found = effect_size.smcc(n=20, mean_pre=30, mean_post=20, sd_change=5, confidence=0.9, **WORSE)
    estimate = 2 * effect_size.small_sample_correction(19)
    half = 1.6448536269514722 * math.sqrt(1 / 20 + estimate**2 / 40)
    assert (found.estimate, found.low, found.high) == pytest.approx((estimate, estimate - half, estimate + half))


def test_change_beyond_a_control_groups_is_the_formula_written_out():
    treated, control = GroupFigures(30, 25, 15, 6), GroupFigures(20, 24, 22, 7)
    found = effect_size.d_ppc2(treated, control=control, correlation=0.5, confidence=0.95, **WORSE)
    correction = 1 - 3 / (4 * 48 - 1)
    estimate = correction * 8 / math.sqrt((29 * 36 + 19 * 49) / 48)
    scale = 2 * 0.5 * 50 / 600
    variance = correction**2 * scale * (48 / 46) * (1 + estimate**2 / scale) - estimate**2
    assert (found.kind, found.n) == ("d_ppc2", 50)
    assert found.estimate == pytest.approx(estimate, abs=1e-12)
    assert found.high - found.estimate == pytest.approx(1.959963984540054 * math.sqrt(variance), abs=1e-12)


def test_a_group_that_changed_as_its_control_has_no_effect_beyond_it():
    group = GroupFigures(30, 25, 15, 6)
    found = effect_size.d_ppc2(group, control=group, correlation=0.5, confidence=0.95, **WORSE)
    assert found.low < found.estimate == 0 < found.high


scores = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=15).filter(
    lambda pairs: (
        len({a for a, _ in pairs}) > 1 and len({b for _, b in pairs}) > 1 and len({a - b for a, b in pairs}) > 1
    )
)


@given(scores)
def test_a_scale_turned_round_has_the_same_effects(pairs):
    pre, post = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    upright = effect_size.pre_post_effects(pre, post, direction="higher_is_worse", confidence=0.95)
    turned = effect_size.pre_post_effects(40 - pre, 40 - post, direction="higher_is_better", confidence=0.95)
    for kind, effect in upright.items():
        assert (effect.estimate, effect.low, effect.high) == pytest.approx(
            (turned[kind].estimate, turned[kind].low, turned[kind].high), abs=1e-9
        )


@given(scores, st.floats(0.1, 10), st.floats(-20, 20))
def test_other_units_change_no_effect(pairs, scale, shift):
    pre, post = (np.array(side, dtype=float) for side in zip(*pairs, strict=True))
    plain = effect_size.pre_post_effects(pre, post, direction="higher_is_worse", confidence=0.95)
    other = effect_size.pre_post_effects(
        pre * scale + shift, post * scale + shift, direction="higher_is_worse", confidence=0.95
    )
    assert {kind: each.estimate for kind, each in plain.items()} == pytest.approx(
        {kind: each.estimate for kind, each in other.items()}, abs=1e-7
    )


def test_effects_of_scores_leave_out_half_pairs_and_count_the_whole_ones():
    pre, post = [30, 28, 35, 22, np.nan, 31], [18, 26, 20, 12, 9, np.nan]
    found = effect_size.pre_post_effects(pre, post, direction="higher_is_worse", confidence=0.95)
    changes = np.array([-12, -2, -15, -10])
    assert set(found) == {"d_intake", "smcr", "smcc"}
    assert {each.n for each in found.values()} == {4}
    assert found["d_intake"].estimate == pytest.approx(-changes.mean() / np.std([30, 28, 35, 22], ddof=1))
    assert found["smcc"].estimate == pytest.approx(
        -changes.mean() / changes.std(ddof=1) * effect_size.small_sample_correction(3)
    )


def test_perfectly_correlated_scores_leave_an_interval_and_no_error():
    found = effect_size.d_intake(**(ONE | {"correlation": 1.0, "mean_post": 30.0}), **WORSE)
    assert found.low == found.estimate == found.high == 0


def test_more_confidence_asks_for_a_wider_interval():
    narrow, wide = (effect_size.smcr(**(ONE | {"confidence": c}), **WORSE) for c in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.estimate < narrow.high < wide.high


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"n": 2}, "three clients"),
        ({"sd_pre": 0.0}, "above zero"),
        ({"sd_pre": math.inf}, "above zero"),
        ({"sd_pre": math.nan}, "above zero"),
        ({"mean_pre": math.nan}, "not finite"),
        ({"correlation": 1.1}, "between -1 and 1"),
        ({"confidence": 1.0}, "Confidence"),
    ],
)
def test_figures_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        effect_size.smcr(**(ONE | changes), **WORSE)


def test_one_degree_of_freedom_has_no_correction():
    with pytest.raises(ValueError, match="more than one degree"):
        effect_size.small_sample_correction(1)


def test_everybody_changing_alike_has_no_effect_over_the_spread_of_changes():
    with pytest.raises(ValueError, match="above zero"):
        effect_size.pre_post_effects([30, 20, 25], [20, 10, 15], direction="higher_is_worse", confidence=0.95)


# Morris 2008, table 5, five studies of training: treated and control mean, end mean, start SD and number.
MORRIS = [
    ((30.6, 38.5, 15.0, 20), (23.1, 19.7, 13.8, 20), 0.47, 0.77),
    ((23.5, 26.8, 3.1, 50), (24.9, 25.3, 4.1, 42), 0.64, 0.80),
    ((0.5, 0.7, 0.1, 9), (0.6, 0.6, 0.2, 9), 0.77, 1.20),
    ((53.4, 75.9, 14.5, 10), (55.7, 60.7, 17.3, 11), 0.89, 1.05),
    ((35.6, 36.0, 4.7, 14), (34.8, 33.4, 3.1, 14), 0.44, 0.44),
]


@pytest.mark.parametrize(("treated", "control", "correlation", "published"), MORRIS)
def test_published_studies_with_a_control_group_have_their_published_effect(treated, control, correlation, published):
    groups = [GroupFigures(n=n, mean_pre=pre, mean_post=post, sd_pre=sd) for pre, post, sd, n in (treated, control)]
    found = effect_size.d_ppc2(
        groups[0], control=groups[1], correlation=correlation, direction="higher_is_better", confidence=0.95
    )
    assert found.estimate == pytest.approx(published, abs=0.005)
    assert found.low < published < found.high


two_groups = st.tuples(scores, scores)


@given(two_groups)
def test_the_effect_of_two_groups_scores_is_that_of_their_figures(pairs):
    groups = [tuple(np.array(side, dtype=float) for side in zip(*each, strict=True)) for each in pairs]
    found = effect_size.compared_effect(groups[0], control=groups[1], confidence=0.95, **WORSE)
    figures = [GroupFigures(len(a), a.mean(), b.mean(), a.std(ddof=1)) for a, b in groups]
    apart = [(a - a.mean(), b - b.mean()) for a, b in groups]
    within = np.corrcoef(np.concatenate([a for a, _ in apart]), np.concatenate([b for _, b in apart]))[0, 1]
    by_hand = effect_size.d_ppc2(figures[0], control=figures[1], correlation=within, confidence=0.95, **WORSE)
    assert (found.estimate, found.low, found.high) == pytest.approx(
        (by_hand.estimate, by_hand.low, by_hand.high), abs=1e-6
    )


@given(two_groups)
def test_two_groups_changed_places_have_the_opposite_effect(pairs):
    groups = [tuple(np.array(side, dtype=float) for side in zip(*each, strict=True)) for each in pairs]
    one = effect_size.compared_effect(groups[0], control=groups[1], confidence=0.95, **WORSE)
    other = effect_size.compared_effect(groups[1], control=groups[0], confidence=0.95, **WORSE)
    assert (one.estimate, one.low) == pytest.approx((-other.estimate, -other.high), abs=1e-9)


def test_a_group_of_two_pairs_is_compared_with_none():
    with pytest.raises(ValueError, match="three pairs"):
        effect_size.compared_effect(
            ([1, 2, np.nan], [3, 4, 5]), control=([1, 2, 3], [2, 4, 1]), confidence=0.95, **WORSE
        )


def test_a_direction_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="Direction 'lower' is not one of higher_is_better, higher_is_worse"):
        effect_size.d_intake(**ONE, direction="lower")
