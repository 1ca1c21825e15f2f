from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations, pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from assets.estimates.slices import Night, figures_slice, published_slices, told_tonight
from assets.science.disclosure import DisclosureRule

SEEN = {
    "population": pl.String,
    "scope": pl.String,
    "scope_name": pl.String,
    "instrument": pl.String,
    "case_id": pl.String,
    "clinician_id": pl.String,
    "latest_on": pl.Date,
}
RULE = DisclosureRule(min_clients=5, min_clinicians=2, zero="suppressed", round_to=5, is_complement_protected=True)
NIGHT = Night(data_date=date(2026, 6, 30), months=12, rule=RULE, least_change=5)
LATER = replace(NIGHT, data_date=date(2026, 7, 1))


def cases(numbers, *, scope="service", name="all", population="booked", instrument="all", days_ago=10, by="ABC"):
    day = NIGHT.data_date - timedelta(days=days_ago)
    return [(population, scope, name, instrument, f"case {n}", f"clinician {by[n % len(by)]}", day) for n in numbers]


def frame(*parts):
    return pl.DataFrame([row for part in parts for row in part], schema=SEEN, orient="row")


def decided(*parts, night=NIGHT, last=None):
    seen = frame(*parts)
    numbered = seen.with_columns(
        case=pl.col("case_id").rank("dense").cast(pl.Int32) - 1,
        clinician=pl.col("clinician_id").rank("dense").cast(pl.Int32) - 1,
    )
    return published_slices(
        numbered.partition_by("population", "scope"),
        cases=seen["case_id"].unique().sort(),
        night=night,
        last=last and last.slices,
        last_members=last and last.members,
    )


def statuses(found, *, months=12, population="booked"):
    rows = found.slices.filter((pl.col("months") == months) & (pl.col("population") == population))
    return dict(rows.select(pl.concat_str("scope", "scope_name", separator=" "), "status").iter_rows())


def reasons(found):
    return {name: (reason, against) for name, reason, against, _ in found.withheld.iter_rows()}


def test_a_group_is_shown_to_the_nearest_five_and_keeps_its_true_size_for_the_warehouse():
    row = decided(cases(range(33))).slices.filter(pl.col("months") == 12).row(0, named=True)
    assert (row["cases"], row["standing_cases"], row["shown_cases"], row["status"]) == (33, 33, 35, "shown")


def test_a_small_site_takes_the_smallest_other_with_it_and_both_are_named():
    found = decided(
        cases(range(60)),
        cases(range(3), scope="site", name="hill"),
        cases(range(3, 20), scope="site", name="lake"),
        cases(range(20, 60), scope="site", name="moor"),
    )
    assert statuses(found) == {
        "service all": "shown",
        "site hill": "withheld",
        "site lake": "withheld",
        "site moor": "shown",
    }
    told = reasons(found)
    assert told["booked/site/hill/all/12"] == ("few_clients", None)
    assert told["booked/site/lake/all/12"] == ("complement", None)
    assert found.slices.filter(pl.col("status") == "withheld")["shown_cases"].null_count() == 10


def test_a_site_of_one_clinician_is_withheld_for_that():
    found = decided(
        cases(range(60)),
        *(cases(range(at, at + 20), scope="site", name=name, by=by) for at, name, by in SITES_OF_CLINICIANS),
    )
    assert reasons(found)["booked/site/hill/all/12"] == ("few_clinicians", None)


SITES_OF_CLINICIANS = ((0, "hill", "A"), (20, "lake", "BC"), (40, "moor", "DE"))


def test_of_two_periods_that_differ_by_few_cases_the_services_own_stays():
    found = decided(cases(range(30)), cases(range(30, 33), days_ago=250))
    told = reasons(found)
    assert told["booked/service/all/all/6"] == ("subtraction", "booked/service/all/all/12")
    assert told["booked/service/all/all/3"] == ("subtraction", "booked/service/all/all/12")
    assert "booked/service/all/all/12" not in told


def test_groups_of_two_measures_are_no_figures_of_one_another():
    rated = cases(range(30), population="rated", instrument="PHQ-9")
    other = cases(range(28), population="rated", instrument="GAD-7")
    assert decided(rated, other).withheld.height == 0


def test_a_clinician_has_no_other_groups_than_pages_publish():
    found = decided(cases(range(30)), cases(range(30), scope="clinician", name="A"))
    of_clinician = found.slices.filter(pl.col("scope") == "clinician")
    assert of_clinician["slice_id"].to_list() == ["booked/clinician/A/all/12"]


def test_one_new_case_moves_no_figure_and_five_do():
    first = decided(cases(range(30)))
    second = decided(cases(range(31)), night=LATER, last=first)
    row = second.slices.filter(pl.col("months") == 12).row(0, named=True)
    assert (row["cases"], row["standing_cases"], row["status"]) == (31, 30, "held")
    assert (row["figures_since"], row["has_held_figures"]) == (NIGHT.data_date, True)
    assert row["standing_since"] == NIGHT.data_date
    third = decided(cases(range(35)), night=LATER, last=second)
    row = third.slices.filter(pl.col("months") == 12).row(0, named=True)
    assert (row["standing_cases"], row["shown_cases"], row["has_held_figures"]) == (35, 35, False)
    assert row["figures_since"] == LATER.data_date


def test_cases_that_come_and_go_count_alike_against_those_of_the_night_the_figures_moved():
    first = decided(cases(range(30)))
    second = decided(cases(range(2, 32)), night=LATER, last=first)
    assert second.slices["has_held_figures"].any()
    third = decided(cases(range(3, 33)), night=LATER, last=second)
    assert not third.slices["has_held_figures"].any()
    assert set(third.members["case_id"]) == {f"case {n}" for n in range(3, 33)}


def test_the_same_cases_have_their_figures_told_anew_every_night():
    first = decided(cases(range(30)))
    second = decided(cases(range(30)), night=LATER, last=first)
    assert second.slices.filter(pl.col("months") == 12)["figures_since"].to_list() == [LATER.data_date]


def test_pages_get_nothing_of_a_withheld_scope_and_the_earlier_rows_of_a_held_one():
    table = pl.DataFrame(
        {"scope": ["service", "site", "site"], "scope_name": ["all", "hill", "lake"], "rate": [0.1, 0.2, 0.3]}
    )
    parts = (
        cases(range(60)),
        cases(range(30), scope="site", name="hill"),
        cases(range(30, 60), scope="site", name="lake"),
    )
    first = decided(*parts)
    told = told_tonight(table, last_told=None, slices=first.slices, counts=[], night=NIGHT)
    assert told.equals(table)
    second = decided(*parts[:2], cases(range(30, 61), scope="site", name="lake"), night=LATER, last=first)
    new = table.with_columns(rate=pl.col("rate") + 0.5)
    told = told_tonight(new, last_told=told, slices=second.slices, counts=[], night=NIGHT)
    assert told["rate"].to_list() == [0.6, 0.7, 0.3]
    small = decided(*parts[:2], cases(range(30, 33), scope="site", name="lake"), night=LATER, last=second)
    assert told_tonight(new, last_told=told, slices=small.slices, counts=[], night=NIGHT)["scope_name"].to_list() == [
        "all"
    ]


def test_a_table_that_has_changed_its_columns_is_told_as_it_is_tonight():
    slices = decided(cases(range(31)), night=LATER, last=decided(cases(range(30)))).slices
    table = pl.DataFrame({"scope": ["service"], "scope_name": ["all"], "rate": [0.2]})
    old = table.select("scope", "scope_name", share="rate")
    assert told_tonight(table, last_told=old, slices=slices, counts=[], night=NIGHT).equals(table)


def test_counts_are_given_to_the_nearest_five_beside_rates_from_exact_ones():
    table = pl.DataFrame(
        {"scope": ["service"], "scope_name": ["all"], "numerator": [13], "denominator": [None], "rate": [0.43]}
    )
    table = table.with_columns(pl.col("denominator").cast(pl.Int64))
    slices = decided(cases(range(30))).slices
    told = told_tonight(table, last_told=None, slices=slices, counts=["numerator", "denominator"], night=NIGHT)
    assert told.rows() == [("service", "all", 15, None, 0.43)]


def test_the_group_that_holds_a_scopes_figures_is_among_the_published():
    slices = decided(cases(range(30))).slices
    assert figures_slice("service", "all", months=12) in slices["slice_id"].to_list()


@given(st.lists(st.frozensets(st.integers(0, 25), min_size=1), min_size=2, max_size=4))
def test_no_two_nights_differ_by_the_figures_of_a_small_group(nights):
    last, told = None, []
    for number, members in enumerate(nights):
        night = replace(NIGHT, data_date=NIGHT.data_date + timedelta(days=number))
        last = decided(cases(sorted(members)), night=night, last=last)
        told.append((last.slices, set(last.members["case_id"])))
    for (_, one), (_, other) in pairwise(told):
        if one and other:
            assert len(one ^ other) == 0 or len(one ^ other) >= 5
    sizes = [dict(slices.select("slice_id", "shown_cases").iter_rows()) for slices, _ in told]
    for one, other in combinations(sizes, 2):
        for name in one.keys() & other.keys():
            if one[name] is not None and other[name] is not None:
                assert (one[name] - other[name]) % 5 == 0


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 900), st.sampled_from("hlm")), min_size=1, max_size=60))
def test_no_two_shown_groups_of_one_kind_differ_by_a_small_one(rows):
    parts = [
        row
        for n, days, site in rows
        for row in (
            *cases([n], days_ago=days),
            *cases([n], scope="site", name=site, days_ago=days),
        )
    ]
    found = decided(parts)
    shown = found.slices.filter(pl.col("status") != "withheld")
    members = {}
    for row in shown.iter_rows(named=True):
        after = (
            None
            if row["months"] == 0
            else pl.select(pl.lit(NIGHT.data_date).dt.offset_by(f"-{row['months']}mo")).item()
        )
        members[row["slice_id"]] = {
            case
            for _, scope, name, _, case, _, day in parts
            if (scope, name) == (row["scope"], row["scope_name"]) and (after is None or day > after)
        }
        assert len(members[row["slice_id"]]) == row["cases"] >= 5
    for one, other in combinations(members.values(), 2):
        if one < other or other < one:
            assert len(one ^ other) >= 5
