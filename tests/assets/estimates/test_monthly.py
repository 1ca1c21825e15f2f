from datetime import date

import polars as pl
import pytest

from assets.contracts.rates import WATCHED_RATES
from assets.estimates.monthly import ALLIANCE_MEAN, chart_rules, monthly_measures
from assets.science.instruments.registry import REGISTRY

COUNTS = {
    "measure": str,
    "site": str,
    "programme": str,
    "instrument": str,
    "month": pl.Date,
    "total": float,
    "counted": pl.Int64,
}


def month(number):
    return date(2024 + (number - 1) // 12, (number - 1) % 12 + 1, 1)


def made(*rows, as_of=date(2026, 3, 31), standards=None, fewest=5):
    return monthly_measures(
        pl.DataFrame(rows, schema=COUNTS, orient="row"),
        registry=REGISTRY,
        standards=standards or {},
        fewest=fewest,
        as_of=as_of,
    )


def missed(values, *, site="north", out_of=100, start=1):
    return [
        ("did_not_attend", site, "brief", "all", month(number), float(value), out_of)
        for number, value in enumerate(values, start)
    ]


ORDINARY = [8, 9, 8, 10, 9, 8, 9, 10, 8, 9, 10, 9]


def test_a_months_value_is_the_share_over_all_sites_of_the_scope():
    table = made(*missed([8]), *missed([4], site="south", out_of=300), as_of=date(2024, 1, 31))
    assert table.select("scope", "scope_name", "counted", "value").rows() == [
        ("programme", "brief", 400, 0.03),
        ("service", "all", 400, 0.03),
        ("site", "north", 100, 0.08),
        ("site", "south", 300, pytest.approx(4 / 300)),
    ]


def test_a_month_outside_the_limits_is_a_concern_where_higher_is_worse():
    table = made(*missed([*ORDINARY, 30]), as_of=date(2025, 1, 31)).filter(pl.col("scope") == "service")
    last = table.row(-1, named=True)
    assert (last["month"], last["rule"], last["direction"], last["point_class"]) == (
        date(2025, 1, 1),
        "outside_limits",
        "up",
        "concern",
    )
    assert set(table["point_class"][:12]) == {"common_cause"}


def test_limits_come_from_the_first_year_and_are_trial_limits_before_it_is_full():
    full = made(*missed([*ORDINARY, 30]), as_of=date(2025, 1, 31)).filter(pl.col("scope") == "service")
    short = made(*missed(ORDINARY[:6]), as_of=date(2024, 6, 30)).filter(pl.col("scope") == "service")
    assert full["centre"].unique().to_list() == pytest.approx([sum(ORDINARY) / 1200])
    assert set(full["is_trial"]) == {False}
    assert set(short["is_trial"]) == {True}


def test_the_month_that_is_not_over_is_not_told():
    rows = missed([8, 9, 8])
    assert made(*rows, as_of=date(2024, 3, 30))["month"].max() == date(2024, 2, 1)
    assert made(*rows, as_of=date(2024, 3, 31))["month"].max() == date(2024, 3, 1)


def test_a_month_without_anything_is_a_row_without_a_value():
    table = made(*missed([8]), *missed([9], start=3), as_of=date(2024, 3, 31)).filter(pl.col("scope") == "service")
    assert table.select("month", "counted", "value", "point_class").rows()[1] == (date(2024, 2, 1), 0, None, "no_value")


@pytest.mark.parametrize(("counted", "value"), [(4, None), (5, 0.2)])
def test_a_month_that_rests_on_too_few_has_no_value(counted, value):
    rows = [("did_not_attend", "north", "brief", "all", month(1), 1.0, counted)]
    assert made(*rows, as_of=date(2024, 1, 31)).filter(pl.col("scope") == "service")["value"].to_list() == [
        value if value is None else pytest.approx(1 / 5)
    ]


@pytest.mark.parametrize(
    ("standard", "word"),
    [(0.5, "yes_consistently"), (0.09, "some_months"), (0.01, "no_unless_something_changes"), (None, None)],
)
def test_assurance_is_against_the_services_own_standard(standard, word):
    table = made(*missed(ORDINARY), as_of=date(2024, 12, 31), standards={"did_not_attend": standard})
    assert table["assurance"].unique().to_list() == [word]
    assert table["target"].unique().to_list() == [standard]


def test_measures_and_instruments_are_series_of_their_own():
    rows = [
        (ALLIANCE_MEAN, "north", None, name, month(number), 40.0 * 10, 10)
        for name in ("WAI-SR", "SRS")
        for number in range(1, 4)
    ]
    table = made(*rows, *missed([8, 9, 8]), as_of=date(2024, 3, 31)).filter(pl.col("scope") == "service")
    assert table.group_by("measure", "instrument").len().sort("measure", "instrument").rows() == [
        (ALLIANCE_MEAN, "SRS", 3),
        (ALLIANCE_MEAN, "WAI-SR", 3),
        ("did_not_attend", "all", 3),
    ]


def test_charts_know_which_way_is_better_and_where_values_end():
    assert chart_rules(ALLIANCE_MEAN, instrument="WAI-SR", registry=REGISTRY).improvement == "up"
    assert chart_rules(ALLIANCE_MEAN, instrument="WAI-SR", registry=REGISTRY).ceiling == 60.0
    ways = {name: chart_rules(name, instrument="all", registry=REGISTRY).improvement for name in WATCHED_RATES}
    assert ways == {
        "did_not_attend": "down",
        "cancelled_by_clinic": "down",
        "alliance_recorded": "up",
        "outcome_recorded": "up",
        "improved": "up",
    }


def test_the_order_of_rows_changes_nothing():
    rows = [*missed(ORDINARY), *missed(ORDINARY[::-1], site="south")]
    assert made(*rows).equals(made(*rows[::-1]))


def test_nothing_counted_gives_an_empty_table_with_its_columns():
    full = made(*missed([8]), as_of=date(2024, 1, 31))
    assert made().schema == full.schema
    assert made(*missed([8]), as_of=date(2024, 1, 30)).is_empty()
