"""Shares, differences and ratios over units, against slow formulas, statsmodels and laws."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import StratifiedTable

from assets.science.clustered import clustered_rates, jackknife_interval, rate_differences, stratified_ratios
from assets.science.funnel import wilson_interval


def units_of(*pairs, group="g"):
    return pl.DataFrame(
        {"group": [group] * len(pairs), "events": [e for e, _ in pairs], "total": [t for _, t in pairs]}
    )


def test_units_of_one_row_have_the_ordinary_interval():
    got = clustered_rates(units_of(*[(1, 1)] * 6, *[(0, 1)] * 14), by=["group"], confidence=0.95).row(0, named=True)
    lower, upper = wilson_interval(6, 20, confidence=0.95)
    assert (got["units"], got["total"], got["events"], got["rate"]) == (20, 20, 6, 0.3)
    # Units less one, in the variance over units, makes it wider by a hair.
    assert (got["lower"], got["upper"]) == pytest.approx((float(lower), float(upper)), abs=0.006)
    assert got["lower"] <= lower
    assert got["upper"] >= upper


def test_units_that_agree_within_count_as_one_row_each():
    got = clustered_rates(units_of(*[(5, 5)] * 6, *[(0, 5)] * 14), by=["group"], confidence=0.95).row(0, named=True)
    lower, upper = wilson_interval(6, 20, confidence=0.95)
    assert (got["lower"], got["upper"]) == pytest.approx((float(lower), float(upper)), abs=0.006)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)).map(lambda p: (min(p), p[1])), min_size=1, max_size=12))
def test_an_interval_over_units_is_never_narrower_than_one_over_rows(pairs):
    got = clustered_rates(units_of(*pairs), by=["group"], confidence=0.9).row(0, named=True)
    events, total = sum(e for e, _ in pairs), sum(t for _, t in pairs)
    lower, upper = wilson_interval(events, total, confidence=0.9)
    assert got["lower"] <= lower + 1e-12
    assert got["upper"] >= upper - 1e-12
    assert got["lower"] - 1e-12 <= events / total <= got["upper"] + 1e-12


def both_of(rows, group="g"):
    names = ("events_1", "total_1", "events_0", "total_0")
    return pl.DataFrame([dict(zip(names, row, strict=True)) for row in rows]).with_columns(group=pl.lit(group))


SIDES = st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4)).map(
    lambda r: (min(r[0], r[1]), r[1], min(r[2], r[3]), r[3])
)


@given(st.lists(SIDES, min_size=3, max_size=10))
def test_a_difference_is_what_the_linearised_formula_gives(rows):
    got = rate_differences(both_of(rows), by=["group"], confidence=0.95).row(0, named=True)
    x1, n1, x0, n0 = (np.array([row[i] for row in rows], dtype=float) for i in range(4))
    if n1.sum() == 0 or n0.sum() == 0:
        assert got["difference"] is None
        return
    p1, p0 = x1.sum() / n1.sum(), x0.sum() / n0.sum()
    influence = (x1 - p1 * n1) / n1.sum() - (x0 - p0 * n0) / n0.sum()
    error = np.sqrt(len(rows) / (len(rows) - 1) * (influence**2).sum())
    if error < 1e-9:
        assert got["lower"] is None
        return
    half = stats.t.isf(0.025, len(rows) - 1) * error
    assert got["difference"] == pytest.approx(p1 - p0)
    assert (got["lower"], got["upper"]) == pytest.approx((p1 - p0 - half, p1 - p0 + half), abs=1e-6)
    assert got["probability_above"] == pytest.approx(stats.t.cdf((p1 - p0) / error, len(rows) - 1), abs=1e-6)


def cells(seed, *, units=8, strata=4, odds=1.0):
    draw = np.random.default_rng(seed)
    rows = []
    for k in range(units):
        for s in range(strata):
            n1, n0 = draw.integers(1, 30, 2)
            base = 0.1 + 0.05 * s
            rows.append(
                {
                    "group": "g",
                    "stratum": s,
                    "unit": f"k{k}",
                    "total_1": int(n1),
                    "events_1": int(draw.binomial(n1, min(1.0, base * odds))),
                    "total_0": int(n0),
                    "events_0": int(draw.binomial(n0, base)),
                }
            )
    return pl.DataFrame(rows)


def ratio_of(counts):
    return stratified_ratios(counts, by=["group"], strata=["stratum"], unit="unit", confidence=0.95).row(0, named=True)


def slow_ratio(counts):
    up = down = 0.0
    for stratum in counts.partition_by("stratum"):
        n1, x1, n0, x0 = (stratum[name].sum() for name in ("total_1", "events_1", "total_0", "events_0"))
        if n1 + n0:
            up += x1 * n0 / (n1 + n0)
            down += x0 * n1 / (n1 + n0)
    return up / down


@pytest.mark.parametrize("seed", range(4))
def test_the_ratio_and_its_leave_one_out_are_those_of_writing_them_out(seed):
    counts = cells(seed, odds=1.8)
    got = ratio_of(counts)
    assert got["ratio"] == pytest.approx(slow_ratio(counts))
    without = np.log([slow_ratio(counts.filter(pl.col("unit") != name)) for name in counts["unit"].unique().sort()])
    jackknife = np.sqrt(7 / 8 * ((without - without.mean()) ** 2).sum())
    table = StratifiedTable(
        [
            np.array(
                [
                    [s["events_1"].sum(), s["total_1"].sum() - s["events_1"].sum()],
                    [s["events_0"].sum(), s["total_0"].sum() - s["events_0"].sum()],
                ]
            )
            for s in counts.partition_by("stratum")
        ]
    )
    assert got["ratio"] == pytest.approx(table.riskratio_pooled)
    half = np.log(got["upper"] / got["ratio"]) / stats.t.isf(0.025, 7)
    assert half >= jackknife - 1e-9
    assert got["units"] == 8


def test_no_event_on_one_side_is_no_ratio():
    assert ratio_of(cells(1).with_columns(events_1=0))["ratio"] is None


def test_a_ratio_that_hangs_on_one_unit_has_no_interval_and_is_not_told():
    counts = cells(1).with_columns(events_1=pl.when(pl.col("unit") == "k3").then(1).otherwise(0))
    assert ratio_of(counts)["ratio"] is None


def test_two_units_are_too_few_to_say_how_sure():
    assert ratio_of(cells(2, units=2))["ratio"] is None


def test_where_nothing_differs_intervals_of_ratios_hold_one_about_as_often_as_they_say():
    got = [ratio_of(cells(seed, units=10)) for seed in range(200)]
    held = np.mean([row["lower"] < 1 < row["upper"] for row in got])
    assert 0.93 <= held <= 1.0


def test_a_jackknife_of_a_mean_is_its_t_interval():
    values = np.array([3.0, 5.0, 4.0, 8.0, 7.0])
    without = (values.sum() - values) / 4
    lower, upper, above = jackknife_interval(float(values.mean()), without, confidence=0.95)
    want = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (lower, upper) == pytest.approx((want.low, want.high))
    assert above == pytest.approx(stats.t.cdf(values.mean() / stats.sem(values), 4))


@pytest.mark.parametrize(("whole", "without"), [(1.0, [1.0, 2.0]), (1.0, [1.0, 1.0, 1.0]), (1.0, [1.0, np.nan, 2.0])])
def test_a_jackknife_that_cannot_tell_tells_nothing(whole, without):
    assert jackknife_interval(whole, without, confidence=0.95) == (None, None, None)
