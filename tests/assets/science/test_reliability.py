from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import reliability

FORMS = [[1, 2, 2], [3, 3, 4], [2, 2, 1], [4, 4, 5], [5, 3, 4], [1, 1, 2]]


@pytest.fixture(scope="module")
def published(shared_cases):
    return json.loads((shared_cases / "cecpfuns" / "expected" / "results.json").read_text())


def test_attenuation_and_its_correction_agree_with_published_code(published):
    rho, first, second = published["attenuated"]["in_"]
    seen = reliability.attenuated_correlation(rho, reliability=first, other_reliability=second)
    assert round(seen, 3) == published["attenuated"]["out"]
    rho, first, second = published["corrected"]["in_"]
    true = reliability.corrected_correlation(rho, reliability=first, other_reliability=second)
    assert round(true, 3) == published["corrected"]["out"]


def test_half_a_scale_is_as_reliable_as_published_code_says(published):
    halved = reliability.spearman_brown(0.8, length_ratio=0.5)
    assert halved == pytest.approx(published["spearman_brown"]["out"], abs=1e-12)


@given(st.floats(0.01, 0.99), st.floats(0.1, 10))
def test_lengthening_and_shortening_back_changes_nothing(known, ratio):
    longer = reliability.spearman_brown(known, length_ratio=ratio)
    assert reliability.spearman_brown(longer, length_ratio=1 / ratio) == pytest.approx(known)


@given(st.floats(-1, 1), st.floats(0.05, 1), st.floats(0.05, 1))
def test_correcting_undoes_attenuating(rho, first, second):
    facts = {"reliability": first, "other_reliability": second}
    seen = reliability.attenuated_correlation(rho, **facts)
    assert reliability.corrected_correlation(seen, **facts) == pytest.approx(rho)


def test_alpha_is_its_formula_written_out():
    table = np.array(FORMS, dtype=float)
    total = table.sum(axis=1).var(ddof=1)
    expected = 3 / 2 * (1 - sum(table[:, item].var(ddof=1) for item in range(3)) / total)
    found = reliability.cronbach_alpha(table, confidence=0.95)
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    assert (found.n_forms, found.n_items) == (6, 3)
    assert found.low < found.estimate < found.high <= 1


def test_forms_with_an_open_item_are_left_out_of_alpha():
    with_gap = [*FORMS, [5, np.nan, 1]]
    assert reliability.cronbach_alpha(with_gap, confidence=0.9) == reliability.cronbach_alpha(FORMS, confidence=0.9)


def test_alphas_interval_covers_the_truth_about_as_often_as_it_says():
    random = np.random.default_rng(7)
    true = reliability.spearman_brown(0.4, length_ratio=5)
    hits = 0
    for _ in range(400):
        trait = random.normal(size=(40, 1))
        answers = np.sqrt(0.4) * trait + np.sqrt(0.6) * random.normal(size=(40, 5))
        found = reliability.cronbach_alpha(answers, confidence=0.9)
        hits += found.low <= true <= found.high
    assert 0.86 < hits / 400 < 0.94


@pytest.mark.parametrize(
    ("answers", "confidence", "words"),
    [
        ([[1], [2], [3]], 0.95, "at least two items"),
        ([1, 2, 3], 0.95, "at least two items"),
        ([[1, 2], [2, 3]], 0.95, "three complete forms"),
        ([[1, 2], [2, 1], [1.5, 1.5]], 0.95, "totals vary"),
        (FORMS, 1.0, "Confidence"),
        ([[1, 2], [2, 3], [3, np.inf]], 0.95, "three complete forms"),
    ],
)
def test_forms_alpha_cannot_be_had_from_are_refused(answers, confidence, words):
    with pytest.raises(ValueError, match=words):
        reliability.cronbach_alpha(answers, confidence=confidence)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: reliability.spearman_brown(1.1, length_ratio=1), "between 0 and 1"),
        (lambda: reliability.spearman_brown(0.8, length_ratio=0), "above 0"),
        (lambda: reliability.attenuated_correlation(2, reliability=0.8, other_reliability=0.8), "-1 and 1"),
        (lambda: reliability.corrected_correlation(0.2, reliability=0, other_reliability=0.8), "above 0"),
    ],
)
def test_numbers_that_cannot_be_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
