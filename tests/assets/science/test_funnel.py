"""Funnel limits and overdispersion, against R and laws."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assets.science.funnel import (
    FEWEST_TO_SHOW,
    RULES,
    Overdispersion,
    binomial_limits,
    clopper_pearson_interval,
    funnel,
    overdispersion,
    poisson_limits,
    wilson_interval,
)


def judged(points, **choices):
    settled = {
        "events": "events",
        "totals": "totals",
        "kind": "proportion",
        "target": None,
        "adjusts": True,
        "exact": False,
        "trim": "winsorise",
        "trim_share": 0.1,
    }
    return funnel(points, **(settled | choices))


def points_of(events, totals):
    return pl.DataFrame({"events": pl.Series(events, dtype=pl.Int64), "totals": pl.Series(totals, dtype=pl.Float64)})


@pytest.fixture
def computed_in_r(shared_cases):
    return json.loads((shared_cases / "mixed_models" / "funnel_limits.json").read_text())


def test_interpolated_binomial_limits_are_those_computed_in_r(computed_in_r):
    for confidence, low, high in ((0.95, "p0.025", "p0.975"), (0.998, "p0.001", "p0.999")):
        lower, upper = binomial_limits(computed_in_r["n"], target=computed_in_r["target"], confidence=confidence)
        assert lower == pytest.approx(np.array(computed_in_r["interpolated"][low]), abs=1e-12)
        assert upper == pytest.approx(np.array(computed_in_r["interpolated"][high]), abs=1e-12)


def test_intervals_are_those_computed_in_r(computed_in_r):
    cases = computed_in_r["ci"]
    x, n = [c["x"] for c in cases], [c["n"] for c in cases]
    for interval, low, high in (
        (wilson_interval, "wilson_lo", "wilson_hi"),
        (clopper_pearson_interval, "cp_lo", "cp_hi"),
    ):
        lower, upper = interval(x, n, confidence=0.95)
        assert lower == pytest.approx(np.array([c[low] for c in cases]), abs=1e-12)
        assert upper == pytest.approx(np.array([c[high] for c in cases]), abs=1e-12)


def test_overdispersion_on_the_plain_scale_is_that_computed_in_r(computed_in_r):
    case = computed_in_r["overdispersion"]
    n, p = np.array(case["n"]), case["p0"]
    s = np.sqrt(p * (1 - p) / n)
    z = (np.array(case["y"]) / n - p) / s
    got = overdispersion(z, standard_errors=s, trim="winsorise", trim_share=case["winsor"])
    assert z == pytest.approx(np.array(case["z"]), abs=1e-12)
    assert got.phi == pytest.approx(case["phi"], abs=1e-12)
    assert got.tau2 == pytest.approx(case["tau2_additive"], abs=1e-12)


def slow_truncation(z, s, share):
    """Ranks by counting, sums by loops."""
    k = 1 / share
    kept = []
    for zi, si in zip(z, s, strict=True):
        rank = sum(other < zi for other in z) + (sum(other == zi for other in z) + 1) / 2
        group = math.floor(rank * k / (len(z) + 1))
        if 0 < group < k - 1:
            kept.append((zi, si))
    if not kept:
        return None
    phi = sum(zi**2 for zi, _ in kept) / len(kept)
    w = [si**-2 for _, si in kept]
    spread = sum(w) - sum(v**2 for v in w) / sum(w)
    tau2 = max(0.0, (len(kept) * phi - (len(kept) - 1)) / spread) if len(kept) > 1 else 0.0
    return phi, tau2, len(kept)


@settings(max_examples=60)
@given(
    scored=st.lists(
        st.tuples(st.integers(-80, 80).map(lambda v: v / 10), st.integers(1, 50).map(lambda v: v / 50)), max_size=40
    ),
    share=st.sampled_from([0.1, 0.2, 0.25]),
)
def test_truncation_is_what_counting_ranks_by_hand_gives(scored, share):
    z, s = [v for v, _ in scored], [v for _, v in scored]
    got = overdispersion(z, standard_errors=s, trim="truncate", trim_share=share)
    want = slow_truncation(z, s, share)
    if want is None:
        assert got.points == 0
        assert math.isnan(got.phi)
        assert not got.is_present
    else:
        assert (got.phi, got.tau2, got.points) == pytest.approx(want)


@settings(max_examples=60)
@given(
    total=st.integers(1, 500),
    share=st.floats(0, 1),
    confidence=st.sampled_from([0.8, 0.95, 0.998]),
    interval=st.sampled_from([wilson_interval, clopper_pearson_interval]),
)
def test_an_interval_holds_the_rate_and_mirrors_when_events_are_swapped(total, share, confidence, interval):
    x = round(share * total)
    lower, upper = interval(x, total, confidence=confidence)
    assert 0 <= lower <= x / total <= upper <= 1
    mirrored_lower, mirrored_upper = interval(total - x, total, confidence=confidence)
    assert [1 - mirrored_upper, 1 - mirrored_lower] == pytest.approx([float(lower), float(upper)], abs=1e-9)


@settings(max_examples=60)
@given(total=st.integers(1, 300), x=st.integers(0, 300))
def test_the_exact_interval_has_at_most_its_tails_outside(total, x):
    x = min(x, total)
    lower, upper = clopper_pearson_interval(x, total, confidence=0.95)
    if x > 0:
        assert stats.binom.sf(x - 1, total, lower) == pytest.approx(0.025)
    if x < total:
        assert stats.binom.cdf(x, total, upper) == pytest.approx(0.025)


@pytest.mark.parametrize("interval", [wilson_interval, clopper_pearson_interval])
def test_nobody_counted_gives_no_interval(interval):
    lower, upper = interval([0, 1], [0, 2], confidence=0.95)
    assert np.isnan([lower[0], upper[0]]).all()
    assert np.isfinite([lower[1], upper[1]]).all()


@pytest.mark.parametrize("interval", [wilson_interval, clopper_pearson_interval])
@pytest.mark.parametrize(
    ("events", "total", "confidence"), [(-1, 2, 0.95), (3, 2, 0.95), (1, 2, 0.0), (1, 2, 1.0), (math.nan, 2, 0.95)]
)
def test_impossible_counts_have_no_interval(interval, events, total, confidence):
    with pytest.raises(ValueError, match=r"counts|confidence"):
        interval(events, total, confidence=confidence)


@settings(max_examples=40)
@given(target=st.floats(0.05, 0.95), kind=st.sampled_from(["proportion", "standardised_ratio"]))
def test_exact_limits_narrow_as_caseloads_grow_and_hold_the_target(target, kind):
    sizes = np.array([3, 10, 30, 100, 300, 1000])
    limits = binomial_limits if kind == "proportion" else poisson_limits
    lower, upper = limits(sizes, target=target, confidence=0.95)
    outer_lower, outer_upper = limits(sizes, target=target, confidence=0.998)
    assert (np.diff(upper[1:] - lower[1:]) < 0).all()
    assert ((lower <= target) & (target <= upper)).all()
    assert ((outer_lower <= lower) & (upper <= outer_upper)).all()


@settings(max_examples=50)
@given(
    rows=st.lists(st.tuples(st.integers(0, 400), st.floats(0, 1)), min_size=2, max_size=25),
    kind=st.sampled_from(["proportion", "standardised_ratio", "standardised_ratio_root", "ratio_of_counts"]),
    adjusts=st.booleans(),
    exact=st.booleans(),
    trim=st.sampled_from(["winsorise", "truncate"]),
)
def test_any_funnel_is_nested_and_its_rules_say_what_its_limits_say(rows, kind, adjusts, exact, trim):
    totals, events = [n for n, _ in rows], [round(n * share) for n, share in rows]
    got = judged(points_of(events, totals), kind=kind, target=0.5, adjusts=adjusts, exact=exact, trim=trim)
    for row in got.points.iter_rows(named=True):
        assert row["rule"] in RULES
        if row["totals"] < FEWEST_TO_SHOW:
            assert (row["rule"], row["rate"], row["upper_95"], row["direction"]) == ("too_few", None, None, None)
            continue
        lower, upper = row["lower_95"], row["upper_95"]
        assert row["lower_998"] <= lower <= upper <= row["upper_998"]
        if kind == "proportion":
            assert row["lower_998"] >= 0
            assert row["upper_998"] <= 1
        is_within, is_near = lower <= row["rate"] <= upper, row["lower_998"] <= row["rate"] <= row["upper_998"]
        assert row["rule"] == ("within" if is_within else "outside_95" if is_near else "outside_998")
        assert row["direction"] == (None if is_within else "up" if row["rate"] > upper else "down")


def test_widening_for_overdispersion_never_calls_more_points_unusual():
    points = points_of([30, 45, 70, 20, 90, 55, 61, 12], [100.0] * 8)
    plain, widened = judged(points, adjusts=False), judged(points)
    assert widened.is_adjusted
    assert not plain.is_adjusted
    unusual = [(f.points["rule"] != "within").sum() for f in (plain, widened)]
    assert unusual[0] > unusual[1]


def test_points_no_further_apart_than_chance_are_not_widened():
    got = judged(points_of([48, 50, 52, 51], [100.0] * 4))
    assert got.dispersion.tau2 == 0
    assert not got.is_adjusted


@pytest.mark.parametrize(("phi", "tau2", "is_present"), [(1.0, 0.1, False), (1.01, 0.1, True), (1.01, 0.0, False)])
def test_overdispersion_needs_more_spread_than_chance(phi, tau2, is_present):
    assert Overdispersion(phi=phi, tau2=tau2, points=10).is_present is is_present


def test_a_single_point_has_no_spread_between_points():
    assert overdispersion([4.0], standard_errors=[0.1], trim="winsorise", trim_share=0.1).tau2 == 0


@pytest.mark.parametrize(("total", "is_shown"), [(2, False), (3, True)])
def test_two_clients_are_too_few_and_three_are_not(total, is_shown):
    got = judged(points_of([1, 50, 40], [total, 100, 90]))
    assert (got.points["rule"][0] != "too_few") is is_shown
    assert (got.points["rate"][0] is not None) is is_shown


def test_a_clinician_without_clients_bends_nothing():
    with_empty = judged(points_of([0, 50, 40], [0, 100, 90]))
    without = judged(points_of([50, 40], [100, 90]))
    assert with_empty.points["rule"][0] == "too_few"
    assert with_empty.dispersion == without.dispersion
    assert with_empty.target == without.target


def test_a_point_at_a_limit_is_within():
    free = judged(points_of([50, 50], [100, 100]), target=0.5, adjusts=False, exact=True)
    upper = free.points["upper_95"][0]
    at_limit = pl.DataFrame({"events": [upper * 100], "totals": [100.0]})
    assert judged(at_limit, target=0.5, adjusts=False, exact=True).points["rule"].to_list() == ["within"]
    beyond = at_limit.with_columns(pl.col("events") + 1e-6)
    assert judged(beyond, target=0.5, adjusts=False, exact=True).points["rule"].to_list() == ["outside_95"]


def test_nothing_observed_where_ten_were_expected_is_outside_and_does_not_break_the_spread():
    got = judged(points_of([0, 10, 12, 9], [10, 10, 10, 10]), kind="standardised_ratio", exact=True, trim="winsorise")
    assert got.points.row(0, named=True) | {"rule": "outside_998", "direction": "down", "z": None} == got.points.row(
        0, named=True
    )
    assert got.dispersion.points == 3


def test_both_scales_of_a_standardised_ratio_agree_where_much_is_expected():
    points = points_of([9800, 10300, 10100], [10000, 10000, 10000])
    log, root = (
        judged(points, kind=kind, adjusts=False).points for kind in ("standardised_ratio", "standardised_ratio_root")
    )
    assert log["rule"].to_list() == root["rule"].to_list() == ["outside_95", "outside_95", "within"]
    assert log["upper_95"].to_list() == pytest.approx(root["upper_95"].to_list(), rel=1e-3)


def test_root_limits_of_a_small_expectation_stop_at_nothing():
    got = judged(points_of([0, 30, 0, 30], [10] * 4), kind="standardised_ratio_root")
    assert got.is_adjusted
    assert got.points["lower_998"].to_list() == [0.0] * 4
    assert got.points["rule"].to_list() == ["within"] * 4


def test_the_centre_of_standardised_ratios_is_one_unless_declared():
    assert judged(points_of([9, 12], [10, 10]), kind="standardised_ratio").target == 1
    assert judged(points_of([9, 12], [10, 10]), kind="standardised_ratio_root").target == 1
    assert judged(points_of([9, 12], [10, 10]), kind="standardised_ratio", target=1.1).target == 1.1
    assert judged(points_of([9, 12], [10, 10]), kind="ratio_of_counts").target == pytest.approx(1.05)


@pytest.mark.parametrize("kind", ["proportion", "ratio_of_counts"])
@pytest.mark.parametrize(("exact", "events"), [(True, [0, 0, 0]), (False, [0, 0, 0]), (True, [9, 4, 2])])
def test_where_all_points_are_alike_none_is_outside(kind, exact, events):
    got = judged(points_of(events, [9, 4, 2]), kind=kind, exact=exact)
    assert got.points["rule"].to_list() == ["within", "within", "too_few"]


def test_where_nobody_had_an_event_there_is_a_rate_and_no_limit():
    got = judged(points_of([0, 0], [9, 0]))
    assert got.points["rate"].to_list() == [0.0, None]
    assert got.points["upper_998"].to_list() == [None, None]
    assert got.dispersion.points == 0


def test_an_empty_funnel_stays_empty():
    got = judged(points_of([], []))
    assert got.points.height == 0
    assert {"rule", "direction", "lower_998"} <= set(got.points.columns)
    assert not got.is_adjusted


@pytest.mark.parametrize(
    ("events", "totals", "choices", "complaint"),
    [
        ([1, None], [2, 3], {}, "every count"),
        ([5], [3], {}, "no more than their total"),
        ([-1], [3], {"kind": "standardised_ratio"}, "0 or more"),
        ([1], [3], {"target": 0.0, "kind": "standardised_ratio"}, "target must lie"),
        ([1], [3], {"target": 1.0}, "target must lie"),
        ([1], [3], {"trim_share": 0.5}, "trim_share"),
        ([1], [3], {"trim_share": 0.0}, "trim_share"),
        ([1], [3], {"trim": "cut"}, "winsorise or truncate"),
        ([1], [3], {"kind": "rate"}, "kind must be one of: proportion"),
    ],
)
def test_impossible_funnels_are_refused(events, totals, choices, complaint):
    with pytest.raises(ValueError, match=complaint):
        judged(points_of(events, totals), **choices)


@pytest.mark.parametrize(("total", "target"), [(0, 0.5), (5, 0.0), (5, 1.0)])
def test_exact_binomial_limits_need_clients_and_a_real_target(total, target):
    with pytest.raises(ValueError, match="exact binomial limits"):
        binomial_limits([total], target=target, confidence=0.95)


def test_exact_poisson_limits_need_an_expectation():
    with pytest.raises(ValueError, match="above 0"):
        poisson_limits([0.0], target=1, confidence=0.95)


def test_overdispersion_needs_standard_errors():
    with pytest.raises(ValueError, match="standard errors must lie above 0"):
        overdispersion([1.0, 2.0], standard_errors=[0.0, 1.0], trim="winsorise", trim_share=0.1)


def test_a_count_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        judged(points_of([1], [3]).with_columns(pl.first().cast(pl.Float64) * float("nan")))
