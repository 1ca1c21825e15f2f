from __future__ import annotations

from collections import Counter

import pytest

from assets.science.instruments.provenance import Fact, facts_of
from assets.science.instruments.registry import REGISTRY, with_local

FACTS = facts_of(REGISTRY)


def test_every_instrument_has_its_numbers_listed_once():
    assert {each.instrument for each in FACTS} == {each.id for each in REGISTRY}
    assert max(Counter((each.instrument, each.fact) for each in FACTS).values()) == 1
    assert all(each.value and each.source for each in FACTS)


@pytest.mark.parametrize(
    ("instrument", "fact", "value"),
    [
        ("PHQ-9", "cut_off", "10"),
        ("PHQ-9", "item_range", "0 to 3"),
        ("PHQ-9", "n_items", "9"),
        ("PHQ-9", "scoring", "sum"),
        ("PHQ-9", "missing", "at most 2"),
        ("PHQ-9", "clinical_norm", "mean 17.1, SD 6.1"),
        ("CORE-10", "scoring", "10 x mean"),
        ("CORE-10", "reversed_items", "2, 3"),
        ("CSI-4", "item_exceptions.1", "0 to 6"),
        ("WAI-SR", "subscales.bond.items", "3, 5, 7, 9"),
        ("DASS-21", "subscales.stress.cut_off", "15"),
    ],
)
def test_a_fact_reads_as_plain_text(instrument, fact, value):
    (found,) = [each.value for each in FACTS if (each.instrument, each.fact) == (instrument, fact)]
    assert found == value


def test_a_clinics_own_number_says_so():
    registry = with_local(REGISTRY, {"GAD-7": {"alpha": 0.9, "source": "Intakes of 2025"}})
    assert Fact("GAD-7", "alpha", "0.9", "Intakes of 2025", "local") in facts_of(registry)


def test_what_is_not_declared_stands_there_with_its_reason():
    found = {each.fact: each for each in FACTS if each.instrument == "CALPAS" and each.status == "absent"}
    assert set(found) == {"absent.cut_off", "absent.reliable_change", "absent.reversed_items"}
    assert found["absent.reversed_items"].value == "not declared"
    assert "manual" in found["absent.reversed_items"].source
