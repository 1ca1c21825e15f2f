from __future__ import annotations

import csv
from dataclasses import replace
from itertools import combinations, pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import disclosure

NHS = disclosure.DisclosureRule(
    min_clients=5, min_clinicians=1, zero="suppressed", round_to=5, is_complement_protected=False
)
OURS = disclosure.DisclosureRule(
    min_clients=5, min_clinicians=2, zero="shown", round_to=1, is_complement_protected=True
)
rules = st.builds(
    disclosure.DisclosureRule,
    min_clients=st.integers(1, 12),
    min_clinicians=st.integers(1, 4),
    zero=st.sampled_from(["shown", "suppressed"]),
    round_to=st.sampled_from([1, 5, 10]),
    is_complement_protected=st.booleans(),
)
tables = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(0, 30), min_size=1, max_size=8)


def test_counts_from_0_to_60_are_published_as_nhs_england_does(shared_cases):
    with (shared_cases / "nhs_suppression" / "expected" / "mapping_0_60.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 61
    for row in rows:
        expected = int(row["km_published"]) if row["km_published"] else None
        assert disclosure.published_count(int(row["count"]), rule=NHS) == expected
        assert (int(row["pdt_published"]) if row["pdt_published"] else None) == expected


@given(st.lists(st.one_of(st.none(), st.integers(0, 1000))), rules)
def test_a_column_of_counts_is_published_as_each_count_is(counts, rule):
    frame = pl.DataFrame({"n": counts}, schema={"n": pl.Int64})
    published = frame.select(disclosure.published_count_expr(pl.col("n"), rule=rule).alias("n"))["n"].to_list()
    assert published == [disclosure.published_count(each, rule=rule) for each in counts]


@pytest.mark.parametrize(("count", "zero", "small"), [(0, "shown", False), (0, "suppressed", True), (1, "shown", True)])
def test_zero_is_small_only_where_the_rule_says_so(count, zero, small):
    assert disclosure.is_small(count, rule=replace(NHS, zero=zero)) is small


def test_the_boundary_itself_is_published():
    assert disclosure.published_count(4, rule=NHS) is None
    assert disclosure.published_count(5, rule=NHS) == 5


@given(st.integers(0, 10_000), st.integers(1, 20))
def test_rounding_moves_a_count_by_at_most_half_a_step_and_ties_go_up(count, step):
    rounded = disclosure.rounded_count(count, round_to=step)
    assert rounded % step == 0
    assert -step < 2 * (count - rounded) < step or 2 * (rounded - count) == step


@given(st.integers(0, 1000))
def test_rounding_to_five_is_the_integer_division_of_the_official_sql(count):
    assert disclosure.rounded_count(count, round_to=5) == (count + 2) // 5 * 5


@pytest.mark.parametrize(
    ("numerator", "denominator", "rule", "expected"),
    [
        (5, 10, NHS, 50.0),
        (4, 10, NHS, None),
        (0, 10, NHS, None),
        (0, 10, OURS, 0.0),
        (10, 10, OURS, 100.0),
        (4, 4, NHS, None),
        (0, 0, OURS, None),
        (None, 10, NHS, None),
        (5, None, NHS, None),
        (9, 13, NHS, 69.2),
        (9, 13, OURS, None),
        (9, 14, OURS, 64.3),
        (321061, 635185, NHS, 50.5),
    ],
)
def test_a_rate_is_withheld_when_its_counts_are_small(numerator, denominator, rule, expected):
    assert disclosure.published_rate(numerator, denominator, rule=rule, decimals=1) == expected


def test_half_a_percent_is_rounded_up():
    assert disclosure.published_rate(5, 40, rule=NHS, decimals=0) == 13.0
    assert disclosure.published_rate(25, 40, rule=NHS, decimals=0) == 63.0


def test_a_rate_above_its_whole_is_refused():
    with pytest.raises(ValueError, match="cannot exceed"):
        disclosure.published_rate(11, 10, rule=NHS, decimals=1)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="not negative"):
        disclosure.published_count(-1, rule=NHS)


@pytest.mark.parametrize("change", [{"min_clients": 0}, {"min_clinicians": 0}, {"round_to": 0}, {"zero": "hidden"}])
def test_a_rule_that_protects_nothing_is_refused(change):
    with pytest.raises(ValueError, match=r"from 1|Zero is"):
        replace(NHS, **change)


def withheld(counts, *, rule=OURS, is_total_shown=True, clinicians=None):
    return disclosure.suppressed_cells(counts, rule=rule, is_total_shown=is_total_shown, clinicians=clinicians)


def test_a_single_small_cell_takes_the_smallest_shown_one_with_it():
    assert withheld({"a": 3, "b": 40, "c": 12, "d": 0}) == {"a", "c"}


def test_without_a_total_only_the_small_cell_goes():
    assert withheld({"a": 3, "b": 40}, is_total_shown=False) == {"a"}


def test_two_small_cells_that_are_small_together_take_a_third():
    assert withheld({"a": 1, "b": 2, "c": 9, "d": 50}) == {"a", "b", "c"}
    assert withheld({"a": 2, "b": 3, "c": 9, "d": 50}) == {"a", "b"}


def test_nothing_small_withholds_nothing():
    assert withheld({"a": 5, "b": 6}) == frozenset()


def test_a_cell_of_one_clinician_is_small_whatever_its_clients():
    assert withheld({"a": 30, "b": 40, "c": 0}, clinicians={"a": 1, "b": 2, "c": 0}, is_total_shown=False) == {"a"}


@given(tables, rules)
def test_with_the_total_shown_what_is_left_over_is_never_small(counts, rule):
    gone = disclosure.suppressed_cells(counts, rule=rule, is_total_shown=True, clinicians=None)
    assert {cell for cell, n in counts.items() if disclosure.is_small(n, rule=rule)} <= gone
    shown = [n for cell, n in counts.items() if cell not in gone]
    left = sum(counts.values()) - sum(shown)
    assert not gone or (len(gone) >= 2 and left >= rule.min_clients) or not shown


@given(tables, rules)
def test_no_more_is_withheld_than_the_total_asks_for(counts, rule):
    primary = disclosure.suppressed_cells(counts, rule=rule, is_total_shown=False, clinicians=None)
    gone = disclosure.suppressed_cells(counts, rule=rule, is_total_shown=True, clinicians=None)
    extra = sorted(gone - primary, key=lambda cell: (counts[cell] == 0, counts[cell], cell))
    if extra:
        before = gone - {extra[-1]}
        assert len(before) < 2 or sum(counts[cell] for cell in before) < rule.min_clients


def group(name, *numbers, by=""):
    return disclosure.Slice(name, disclosure.members(numbers), disclosure.members([ord(each) for each in by]))


@given(st.frozensets(st.integers(0, 300) | st.integers(0, 2**32 - 1)))
def test_a_set_of_members_holds_what_was_put_into_it(numbers):
    assert set(disclosure.members([*numbers, *numbers])) == numbers


def test_two_slices_that_differ_by_few_clients_leak_them():
    slices = [group("all", *range(20)), group("all but two", *range(18)), group("half", *range(10))]
    assert disclosure.differencing_leaks(slices, rule=OURS) == (
        disclosure.Leak("all", "all but two", n_clients=2, n_clinicians=0),
    )


def test_the_boundary_between_a_leak_and_none_is_the_smallest_group():
    whole = group("all", *range(20))
    assert disclosure.differencing_leaks([whole, group("p", *range(15))], rule=OURS) == ()
    assert len(disclosure.differencing_leaks([whole, group("p", *range(16))], rule=OURS)) == 1


def test_everybody_less_every_other_clinician_leaks_the_one():
    slices = [group("all", *range(40), by="ABC"), group("without C", *range(25), by="AB")]
    (leak,) = disclosure.differencing_leaks(slices, rule=OURS)
    assert (leak.n_clients, leak.n_clinicians) == (15, 1)
    assert disclosure.differencing_leaks(slices, rule=NHS) == ()


def test_slices_of_the_same_clients_or_merely_overlapping_do_not_leak():
    slices = [group("a", *range(20)), group("b", *range(20)), group("c", *range(2, 21)), group("d")]
    assert disclosure.differencing_leaks(slices[:2], rule=OURS) == ()
    assert disclosure.differencing_leaks([slices[0], slices[2]], rule=OURS) == ()
    assert disclosure.differencing_leaks([group("e", 1), slices[3]], rule=OURS) == ()


def test_of_a_leaking_pair_the_later_goes_and_names_the_other():
    everyone, most = group("all", *range(20)), group("most", *range(18))
    told = disclosure.Withheld("most", "subtraction", "all")
    assert disclosure.withheld_slices([everyone, most], rule=OURS) == (told,)
    assert [each.name for each in disclosure.withheld_slices([most, everyone], rule=OURS)] == ["all"]


def test_a_small_slice_goes_first_and_then_leaks_nothing():
    slices = [group("few", *range(4)), group("all", *range(6))]
    assert disclosure.withheld_slices(slices, rule=OURS) == (disclosure.Withheld("few", "few_clients"),)


def test_a_slice_of_too_few_clinicians_is_withheld_for_that():
    slices = [group("all", *range(60), by="ABCD"), group("site", *range(30), by="A")]
    assert disclosure.withheld_slices(slices, rule=OURS) == (disclosure.Withheld("site", "few_clinicians"),)


def test_slices_of_one_name_are_refused():
    with pytest.raises(ValueError, match="share a name"):
        disclosure.withheld_slices([group("a", 1), group("a", 2)], rule=OURS)


@given(
    st.lists(st.tuples(st.frozensets(st.integers(0, 14)), st.frozensets(st.sampled_from("ABCD"))), max_size=6), rules
)
def test_what_is_left_holds_no_small_slice_and_no_leaking_pair(groups, rule):
    slices = [group(str(n), *members, by="".join(by)) for n, (members, by) in enumerate(groups)]
    gone = {each.name for each in disclosure.withheld_slices(slices, rule=rule)}
    left = [members for n, (members, _) in enumerate(groups) if str(n) not in gone]
    assert not any(disclosure.is_small(len(each), rule=rule) for each in left)
    assert disclosure.differencing_leaks([each for each in slices if each.name not in gone], rule=rule) == ()
    for first, second in combinations(left, 2):
        if first and second and (first < second or second < first):
            assert len(first ^ second) >= rule.min_clients


def test_a_figure_stands_until_the_group_has_changed_by_enough():
    assert [disclosure.standing_count(now, last=12, least_change=5) for now in (7, 8, 12, 16, 17)] == [
        7,
        12,
        12,
        12,
        17,
    ]
    assert disclosure.standing_count(12, last=None, least_change=5) == 12


@given(st.lists(st.integers(0, 60), min_size=2, max_size=30), st.integers(1, 12))
def test_no_two_nights_figures_differ_by_a_small_group(nights, least_change):
    told, last = [], None
    for now in nights:
        last = disclosure.standing_count(now, last=last, least_change=least_change)
        told.append(disclosure.rounded_count(last, round_to=least_change))
    for first, second in pairwise(told):
        assert first == second or abs(first - second) >= least_change


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 12))
def test_figures_that_are_rounded_never_differ_by_a_small_group(one, other, step):
    difference = disclosure.rounded_count(one, round_to=step) - disclosure.rounded_count(other, round_to=step)
    assert difference % step == 0


def test_all_figures_of_a_group_move_with_enough_arrivals_and_leavings_or_with_none():
    moves = [disclosure.may_move(entered, left, least_change=5) for entered, left in ((0, 0), (1, 0), (2, 2), (3, 2))]
    assert moves == [True, False, False, True]


def test_an_unknown_count_is_small():
    assert disclosure.is_small(None, rule=OURS)
    assert disclosure.is_rate_small(None, 10, rule=OURS)
    assert disclosure.is_rate_small(10, None, rule=OURS)


@pytest.mark.parametrize(("numerator", "denominator"), [(1, 0), (1, -1), (-1, 3)])
def test_a_share_of_nobody_is_refused(numerator, denominator):
    with pytest.raises(ValueError, match="denominator above 0"):
        disclosure.percent_half_up(numerator, denominator, decimals=1)
