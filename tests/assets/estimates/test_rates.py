import polars as pl
import pytest

from assets.estimates.rates import rates


def rated(numerator, denominator, *, cases=None, complete=None, minimum_clients=10, metric="recovery"):
    row = {
        "metric": metric,
        "scope": "service",
        "scope_name": "all",
        "instrument": "all",
        "numerator": numerator,
        "denominator": denominator,
        "eligible": denominator,
        "complete": denominator if complete is None else complete,
        "cases": denominator if cases is None else cases,
    }
    return rates(pl.DataFrame([row]), minimum_clients=minimum_clients).to_dicts()[0]


def test_a_rate_comes_with_its_interval_and_its_published_form():
    row = rated(321061, 635185)
    assert row["published_percent"] == 50.5
    assert row["low"] < row["rate"] < row["high"]


def test_published_per_cents_round_halves_up():
    assert rated(1, 80)["published_percent"] == 1.3
    assert rated(0, 80)["published_percent"] == 0.0


@pytest.mark.parametrize(("cases", "few"), [(9, True), (10, False)])
def test_below_the_smallest_group_nothing_is_published(cases, few):
    row = rated(6, 20, cases=cases)
    assert row["is_too_few"] is few
    assert row["published_percent"] == (None if few else 30.0)


def test_too_few_complete_ones_are_too_few():
    row = rated(6, 20, complete=9)
    assert (row["is_too_few"], row["published_percent"], row["completeness"]) == (True, None, 0.45)


def test_nobody_to_count_is_no_rate_and_not_nought():
    row = rated(0, 0, minimum_clients=0)
    assert (row["rate"], row["low"], row["high"], row["completeness"], row["published_percent"]) == (None,) * 5


def test_rows_come_in_a_fixed_order():
    made = rates(
        pl.DataFrame(
            {
                "metric": ["recovery", "improved", "improved"],
                "scope": ["service", "site", "service"],
                "scope_name": ["all", "north", "all"],
                "instrument": ["all", "PHQ-9", "PHQ-9"],
                "numerator": [1, 2, 3],
                "denominator": [20, 20, 20],
                "eligible": [20, 20, 20],
                "complete": [20, 20, 20],
                "cases": [20, 20, 20],
            }
        ),
        minimum_clients=10,
    )
    assert made.select("metric", "scope").rows() == [
        ("improved", "service"),
        ("improved", "site"),
        ("recovery", "service"),
    ]
