from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import change_methods as methods
from assets.science.change import jacobson_truax_index

PRE = [30.0, 28.0, 35.0, 22.0, 31.0, 27.0, 33.0, 25.0, 29.0, 36.0]
POST = [18.0, 26.0, 20.0, 12.0, 30.0, 10.0, 21.0, 19.0, 8.0, 33.0]
FIGURES = methods.sample_figures(PRE, POST)


def index(pre, post, method):
    return methods.change_index(pre, post, method=method, figures=FIGURES, reliability=0.85, reliability_post=0.8)


def test_a_groups_figures_leave_out_half_pairs():
    figures = methods.sample_figures([*PRE, np.nan, 3.0], [*POST, 4.0, np.nan])
    assert figures == FIGURES
    assert (figures.n, figures.mean_pre) == (10, pytest.approx(np.mean(PRE)))
    assert figures.sd_post == pytest.approx(np.std(POST, ddof=1))
    assert figures.correlation == pytest.approx(np.corrcoef(PRE, POST)[0, 1])


@pytest.mark.parametrize(("pre", "post"), [([1, 2], [3, 4]), ([5, 5, 5], [1, 2, 3]), ([1, 2, 3], [5, 5, 5])])
def test_figures_of_too_little_are_refused(pre, post):
    with pytest.raises(ValueError, match="three pairs of scores that vary"):
        methods.sample_figures(pre, post)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("JT", -12 / (4.0 * np.sqrt(2) * np.sqrt(0.2))),
        ("GLN", ((18 - 25) - 0.8 * (30 - 25)) / (4.0 * np.sqrt(1 - 0.64))),
        ("HLL", ((18 - 16) - 0.8 * (30 - 25)) / (4.0 * np.sqrt(1 - 0.64))),
        ("EN", (18 - (0.8 * 5 + 25)) / (4.0 * np.sqrt(0.2))),
        ("NK", (18 - (0.8 * 5 + 25)) / np.sqrt(0.64 * 16 * 0.2 + 16 * 0.3)),
    ],
)
def test_each_index_is_its_formula_written_out(method, expected):
    figures = methods.SampleFigures(n=10, mean_pre=25, mean_post=16, sd_pre=4, sd_post=5, correlation=0.5)
    made = methods.change_index(30.0, 18.0, method=method, figures=figures, reliability=0.8, reliability_post=0.7)
    assert made == pytest.approx(expected, abs=1e-12)


def test_hageman_and_arrindells_index_is_its_formula_written_out():
    error = 16 * 0.2
    first, last = (16 - error) / 16, (25 - error) / 25
    r_dd = (16 * first + 25 * last - 2 * 4 * 5 * 0.5) / (16 + 25 - 2 * 4 * 5 * 0.5)
    expected = (-12 * r_dd + (16 - 25) * (1 - r_dd)) / (np.sqrt(r_dd) * np.sqrt(2 * error))
    made = methods.hageman_arrindell_index(
        30.0, 18.0, mean_pre=25, mean_post=16, sd_pre=4, sd_post=5, correlation=0.5, reliability=0.8
    )
    assert made == pytest.approx(expected, abs=1e-12)


def test_differences_without_true_variance_have_no_hageman_arrindell_index():
    with pytest.raises(ValueError, match="no true variance"):
        methods.reliability_of_difference(sd_pre=4, sd_post=4, correlation=0.95, reliability=0.8)


@pytest.mark.parametrize("method", methods.METHODS)
def test_numbers_arrays_and_polars_give_the_same_index(method):
    from_array = index(np.array(PRE), np.array(POST), method)
    frame = pl.DataFrame({"pre": PRE, "post": POST})
    from_polars = frame.select(index(pl.col("pre"), pl.col("post"), method).alias("i"))["i"].to_list()
    one_by_one = [index(a, b, method) for a, b in zip(PRE, POST, strict=True)]
    assert from_array == pytest.approx(one_by_one, abs=1e-12)
    assert from_polars == pytest.approx(one_by_one, abs=1e-12)


@pytest.mark.parametrize("method", methods.METHODS)
@given(st.floats(0, 40), st.floats(0, 40), st.floats(0.1, 10))
def test_a_higher_end_score_gives_a_higher_index(method, pre, post, more):
    assert index(pre, post + more, method) > index(pre, post, method)


def test_without_error_at_the_mean_edwards_and_jacobson_differ_only_by_the_square_root_of_two():
    edwards = methods.edwards_nunnally_index(25.0, 15.0, mean=25.0, sd=4.0, reliability=0.8)
    assert edwards == pytest.approx(np.sqrt(2) * jacobson_truax_index(25.0, 15.0, sd=4.0, reliability=0.8))


def test_only_hageman_and_arrindell_are_judged_at_the_one_sided_value():
    assert {method: methods.critical_of(method) for method in methods.METHODS} == {
        "JT": 1.96, "GLN": 1.96, "HLL": 1.96, "EN": 1.96, "NK": 1.96, "HA": 1.645,
    }  # fmt: skip


def badge(pre, post, *, benchmark, direction="higher_is_worse"):
    return methods.method_badge(
        pre,
        post,
        sd=4.5,
        reliability=0.85,
        threshold=6,
        direction=direction,
        benchmark=benchmark,
        confidence=0.95,
    )


def test_a_conclusion_every_rule_shares_holds():
    found = badge(PRE * 10, POST * 10, benchmark=0.1)
    assert found.holds
    assert {each.rule for each in found.rates} == {"JT", "EN", "HA", "threshold"}
    assert {each.conclusion for each in found.rates} == {"above"}
    assert badge(PRE * 10, POST * 10, benchmark=0.99).holds


def test_a_conclusion_the_rules_divide_on_does_not_hold():
    found = badge(PRE * 10, POST * 10, benchmark=0.85)
    assert len({each.conclusion for each in found.rates}) > 1
    assert not found.holds


def test_too_few_clients_cannot_tell_and_so_nothing_holds():
    found = badge(PRE, POST, benchmark=0.7)
    assert "cannot tell" in {each.conclusion for each in found.rates}
    assert not found.holds


def test_the_badge_counts_improvement_by_the_threshold_at_and_above_it():
    found = badge([20.0, 21.0, 22.0], [14.0, 15.1, 30.0], benchmark=0.5)
    by_rule = {each.rule: each for each in found.rates}
    assert by_rule["threshold"].n_improved == 1
    assert by_rule["threshold"].n == 3
    assert by_rule["threshold"].low < 1 / 3 < by_rule["threshold"].high


def test_the_badge_reads_a_scale_turned_round_the_same():
    upright = badge(PRE, POST, benchmark=0.5)
    turned = badge([40 - x for x in PRE], [40 - x for x in POST], benchmark=0.5, direction="higher_is_better")
    assert [(each.rule, each.n_improved) for each in upright.rates] == [
        (each.rule, each.n_improved) for each in turned.rates
    ]


def test_without_true_variance_in_change_the_badge_leaves_out_hageman_and_arrindell():
    pre = np.array(PRE)
    found = badge(pre, pre - 6 + np.tile([0.1, -0.1], 5), benchmark=0.5)
    assert {each.rule for each in found.rates} == {"JT", "EN", "threshold"}


@pytest.mark.parametrize(
    ("sd", "reliability", "words"),
    [
        (0.0, 0.8, "standard deviation must be above zero"),
        (5.0, 1.0, "reliability must be"),
        (5.0, -0.1, "reliability"),
    ],
)
@pytest.mark.parametrize("method", methods.METHODS)
def test_no_index_is_made_of_figures_that_cannot_be(method, sd, reliability, words):
    figures = methods.SampleFigures(n=9, mean_pre=20, mean_post=15, sd_pre=sd, sd_post=6, correlation=0.5)
    with pytest.raises(ValueError, match=words):
        methods.change_index(
            20.0, 15.0, method=method, figures=figures, reliability=reliability, reliability_post=reliability
        )


def test_start_and_end_scores_must_be_as_many():
    with pytest.raises(ValueError, match="as many start as end scores"):
        methods.sample_figures([1, 2, 3], [1, 2])


def test_a_score_that_is_not_finite_makes_no_pair():
    assert methods.sample_figures([1, 2, 4, np.inf, 9], [3, 1, 2, 4, np.nan]) == methods.sample_figures(
        [1, 2, 4], [3, 1, 2]
    )


def test_tied_scores_give_the_index_they_give():
    figures = methods.sample_figures([20, 20, 20, 10], [10, 10, 10, 20])
    assert figures.correlation == pytest.approx(-1)
    assert methods.change_index(20.0, 20.0, method="JT", figures=figures, reliability=0.8, reliability_post=0.8) == 0
