"""One function from an estimate to a word, at every threshold."""

import json
import math
from typing import get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assets.contracts.vocabulary import CERTAINTIES
from assets.science.verdicts import Verdict, Word, certainty_expr, corrected_p_values, verdict


def said(estimate, *, n=30, fewest=15, matters=0.0, **uncertainty):
    return verdict(estimate, n=n, fewest=fewest, smallest_that_matters=matters, **uncertainty)


@pytest.mark.parametrize(
    ("probability", "word", "direction"),
    [
        (1.0, "clear", "up"),
        (0.975, "clear", "up"),
        (0.975 - 1e-9, "likely", "up"),
        (0.90, "likely", "up"),
        (0.90 - 1e-9, "cannot_tell", None),
        (0.5, "cannot_tell", None),
        (0.10 + 1e-9, "cannot_tell", None),
        (0.10, "likely", "down"),
        (0.025 + 1e-9, "likely", "down"),
        (0.025, "clear", "down"),
        (0.0, "clear", "down"),
    ],
)
def test_the_word_changes_at_its_thresholds(probability, word, direction):
    got = said(1.0 if probability > 0.5 else -1.0, probability=probability)
    assert (got.word, got.direction) == (word, direction)


@pytest.mark.parametrize(("quantile", "word"), [(0.975, "clear"), (0.90, "likely")])
def test_a_standard_error_is_read_as_normal(quantile, word):
    z = float(stats.norm.ppf(quantile))
    assert said(z * 2, standard_error=2.0).word == word
    assert said(-z * 2, standard_error=2.0).word == word
    weaker = {"clear": "likely", "likely": "cannot_tell"}[word]
    assert said(z * 2 - 1e-6, standard_error=2.0).word == weaker


@pytest.mark.parametrize(("n", "word"), [(14, "too_few"), (15, "clear")])
def test_below_the_fewest_clients_nothing_is_said(n, word):
    assert said(9.0, n=n, fewest=15, standard_error=1.0).word == word


def test_too_few_hides_the_probability_too():
    want = Verdict(word="too_few", direction=None, probability=None, is_small=False)
    assert said(9.0, n=0, standard_error=1.0) == want
    assert said(None, n=0) == want


@pytest.mark.parametrize(("estimate", "is_small"), [(0.5, False), (0.5 - 1e-9, True), (-0.5, False), (-0.4, True)])
def test_sure_but_smaller_than_what_matters_is_said(estimate, is_small):
    got = said(estimate, standard_error=0.01, matters=0.5)
    assert got.word == "clear"
    assert got.is_small is is_small


def test_what_is_not_sure_is_never_called_small():
    assert not said(0.1, standard_error=1.0, matters=0.5).is_small


@pytest.mark.parametrize(
    ("estimate", "standard_error"),
    [(None, 1.0), (math.nan, 1.0), (math.inf, 1.0), (1.0, 0.0), (1.0, -1.0), (1.0, math.nan), (1.0, math.inf)],
)
def test_what_cannot_be_computed_cannot_be_told(estimate, standard_error):
    got = said(estimate, standard_error=standard_error)
    assert (got.word, got.direction, got.probability) == ("cannot_tell", None, None)


@given(estimate=st.floats(-50, 50), standard_error=st.floats(0.01, 50))
def test_turning_the_sign_turns_the_direction_and_nothing_else(estimate, standard_error):
    one, other = said(estimate, standard_error=standard_error), said(-estimate, standard_error=standard_error)
    assert one.word == other.word
    assert {one.direction, other.direction} in ({"up", "down"}, {None})


@given(estimate=st.floats(-50, 50), standard_error=st.floats(0.01, 50))
def test_both_ways_of_giving_uncertainty_say_the_same(estimate, standard_error):
    above = float(stats.norm.cdf(estimate / standard_error))
    assert said(estimate, standard_error=standard_error) == said(estimate, probability=above)


@pytest.mark.parametrize("uncertainty", [{}, {"standard_error": 1.0, "probability": 0.5}])
def test_uncertainty_is_given_in_exactly_one_way(uncertainty):
    with pytest.raises(ValueError, match="one of the two"):
        said(1.0, **uncertainty)


@pytest.mark.parametrize("probability", [-0.01, 1.01, math.nan])
def test_an_impossible_probability_is_refused(probability):
    with pytest.raises(ValueError, match="between 0 and 1"):
        said(1.0, probability=probability)


def test_a_negative_size_cannot_matter():
    with pytest.raises(ValueError, match="smallest_that_matters"):
        said(1.0, probability=0.5, matters=-1.0)


@pytest.mark.parametrize(
    ("correction", "column"), [("benjamini_hochberg", "BH"), ("holm", "holm"), ("bonferroni", "bonf")]
)
def test_corrections_are_those_of_r(shared_cases, correction, column):
    case = json.loads((shared_cases / "mixed_models" / "padjust.json").read_text())
    assert corrected_p_values(case["p"], correction=correction) == pytest.approx(np.array(case[column]))


@given(
    p=st.lists(st.floats(0, 1), max_size=20),
    correction=st.sampled_from(["benjamini_hochberg", "holm", "bonferroni"]),
    seed=st.randoms(),
)
def test_a_correction_only_raises_and_follows_its_p_value(p, correction, seed):
    got = corrected_p_values(p, correction=correction)
    assert ((got >= np.array(p) - 1e-15) & (got <= 1)).all()
    order = list(range(len(p)))
    seed.shuffle(order)
    shuffled = corrected_p_values([p[i] for i in order], correction=correction)
    assert shuffled == pytest.approx(got[order] if order else got)


@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_milder_the_correction_the_lower_the_p_value(p):
    mild, middle, strong = (
        corrected_p_values(p, correction=name) for name in ("benjamini_hochberg", "holm", "bonferroni")
    )
    assert (mild <= middle + 1e-12).all()
    assert (middle <= strong + 1e-12).all()


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_an_impossible_p_value_is_refused(p):
    with pytest.raises(ValueError, match="p values"):
        corrected_p_values([p], correction="holm")


def test_the_words_are_those_the_tables_allow():
    assert get_args(Word) == CERTAINTIES


@given(st.floats(0, 1), st.integers(0, 30))
def test_a_column_of_words_agrees_with_one_word_at_a_time(probability, clients):
    frame = pl.DataFrame({"probability": [probability], "clients": [clients]})
    word = frame.select(certainty_expr(pl.col("probability"), n=pl.col("clients"), fewest=10)).item()
    alone = verdict(1.0, probability=probability, n=clients, fewest=10, smallest_that_matters=0)
    assert word == alone.word


def test_a_missing_probability_cannot_tell():
    frame = pl.DataFrame(
        {"probability": [None], "clients": [30]}, schema={"probability": pl.Float64, "clients": pl.Int64}
    )
    assert frame.select(certainty_expr(pl.col("probability"), n=pl.col("clients"), fewest=10)).item() == "cannot_tell"
