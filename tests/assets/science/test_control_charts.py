"""The special-cause rules, checked against slow loops and at every edge."""

import itertools
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science import control_charts
from assets.science.control_charts import ChartRules, classify, summarise


def rules(improvement="up", *, screened=False, baseline=None, firm_from=13, floor=None, ceiling=None):
    return ChartRules(
        improvement=improvement,
        screens_moving_ranges=screened,
        baseline_points=baseline,
        firm_from_points=firm_from,
        floor=floor,
        ceiling=ceiling,
    )


def chart(values, *, rebase_at=(), **choices):
    points = pl.DataFrame(
        {
            "month": range(len(values)),
            "value": pl.Series(values, dtype=pl.Float64),
            "starts_phase": [i in rebase_at for i in range(len(values))],
        }
    )
    return classify(points, by=[], order="month", value="value", rebase="starts_phase", rules=rules(**choices))


def test_limits_agree_with_those_computed_elsewhere_from_the_same_numbers(shared_cases):
    case = json.loads((shared_cases / "mixed_models" / "xmr.json").read_text())
    got = chart(case["x"])
    assert got["centre"][0] == pytest.approx(case["centre"], rel=1e-12)
    assert got["mean_moving_range"][0] == pytest.approx(case["mRbar"], rel=1e-12)
    assert got["upper_limit"][0] == pytest.approx(case["unpl"], rel=1e-12)
    assert got["lower_limit"][0] == pytest.approx(case["lnpl"], rel=1e-12)
    outside = got.filter(pl.col("rule") == "outside_limits")["month"] + 1
    assert outside.to_list() == [case["out_of_limits"]]


def slow_chart(values, better, screened, baseline):
    """The rules read aloud, one point at a time."""
    base = values[:baseline]
    centre = sum(base) / len(base)
    ranges = [abs(b - a) for a, b in itertools.pairwise(base)]
    if screened and ranges and sum(ranges) > 0:
        cut = 3.267 * sum(ranges) / len(ranges)
        ranges = [r for r in ranges if r < cut]
    if not ranges:
        return [(None, None, "no_limits" if len(base) < 2 else "common_cause") for _ in values]
    reach = 2.66 * sum(ranges) / len(ranges)
    side = [0 if abs(v - centre) < 1e-9 else (1 if v > centre else -1) for v in values]
    outside = [abs(v - centre) > reach + 1e-9 for v in values]
    near = [not o and abs(v - centre) > reach * 2 / 3 + 1e-9 for v, o in zip(values, outside, strict=True)]
    found = []
    for i in range(len(values)):
        sevens = [range(s, s + 7) for s in range(i - 6, i + 1) if s >= 0 and s + 7 <= len(values)]
        threes = [range(s, s + 3) for s in range(i - 2, i + 1) if s >= 0 and s + 3 <= len(values)]
        rising = [w for w in sevens if all(values[j] < values[j + 1] for j in list(w)[:-1])]
        falling = [w for w in sevens if all(values[j] > values[j + 1] for j in list(w)[:-1])]
        rule = way = None
        if outside[i]:
            rule, way = "outside_limits", side[i]
        elif rising or falling:
            last = max(rising + falling, key=lambda w: w.start)
            rule, way = "trend", 1 if last in rising else -1
        elif near[i] and any(sum(near[j] for j in w) >= 2 and abs(sum(side[j] for j in w)) == 3 for w in threes):
            rule, way = "two_of_three", side[i]
        elif any(side[i] != 0 and all(side[j] == side[i] for j in w) for w in sevens):
            rule, way = "one_side", side[i]
        direction = {1: "up", -1: "down", None: None}[way]
        if rule is None:
            label = "common_cause"
        elif better == "neutral":
            label = {"up": "neutral_high", "down": "neutral_low"}[direction]
        else:
            label = "improvement" if direction == better else "concern"
        found.append((rule, direction, label))
    return found


@settings(max_examples=150, deadline=None)
@given(
    values=st.one_of(
        st.lists(st.integers(0, 12), min_size=1, max_size=30),
        st.lists(st.sampled_from([0, 50, 100]), min_size=1, max_size=30),
        st.lists(st.integers(0, 3), min_size=8, max_size=30).map(lambda steps: [sum(steps[:i]) for i in range(30)]),
    ),
    better=st.sampled_from(["up", "down", "neutral"]),
    screened=st.booleans(),
    baseline=st.sampled_from([None, 2, 12]),
)
def test_fast_rules_say_what_slow_loops_say(values, better, screened, baseline):
    got = chart(values, improvement=better, screened=screened, baseline=baseline)
    assert list(zip(got["rule"], got["direction"], got["point_class"], strict=True)) == slow_chart(
        values, better, screened, baseline
    )


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(-20, 20), min_size=2, max_size=30), shift=st.integers(-50, 50))
def test_moving_every_value_by_the_same_amount_moves_only_the_limits(values, shift):
    before, after = chart(values), chart([v + shift for v in values])
    assert before["point_class"].to_list() == after["point_class"].to_list()
    assert after["centre"][0] - before["centre"][0] == pytest.approx(shift)


@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.integers(-20, 20), min_size=2, max_size=30))
def test_turning_a_chart_upside_down_and_swapping_what_is_better_changes_no_class(values):
    before, after = chart(values, improvement="up"), chart([-v for v in values], improvement="down")
    assert before["point_class"].to_list() == after["point_class"].to_list()


@settings(max_examples=25, deadline=None)
@given(series=st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=16), min_size=1, max_size=4))
def test_series_side_by_side_are_read_as_if_each_were_alone(series):
    rows = [
        {"clinician_id": f"c{k}", "team": "t", "month": m, "value": float(v)}
        for k, values in enumerate(series)
        for m, v in enumerate(values)
    ]
    together = classify(
        pl.DataFrame(rows).reverse(),
        by=["team", "clinician_id"],
        order="month",
        value="value",
        rebase=None,
        rules=rules("down"),
    )
    alone = [label for values in series for label in chart(values, improvement="down")["point_class"]]
    assert together["point_class"].to_list() == alone


WITHIN = [10, 12, 10, 12, 10, 12]  # mean 11, moving range 2: limits 11 +/- 5.32, two thirds 11 +/- 3.546...


def fixed(*later):
    return chart([*WITHIN, *later], baseline=6)


def test_a_point_at_the_limit_is_inside_and_just_beyond_is_outside():
    limit = 11 + 2.66 * 2
    assert fixed(limit)["rule"][-1] is None
    assert fixed(limit + 1e-6)["rule"][-1] == "outside_limits"
    assert fixed(22 - limit)["rule"][-1] is None
    assert fixed(22 - limit - 1e-6)["direction"][-1] == "down"


def test_seven_points_on_one_side_make_a_run_and_six_do_not():
    assert fixed(9, *[11.5, 11.6] * 3)["rule"].null_count() == 13
    assert fixed(9, *[11.5, 11.6] * 3, 11.5)["rule"].to_list()[-7:] == ["one_side"] * 7


def test_a_point_on_the_centre_ends_a_run():
    assert fixed(9, *[11.5, 11.6, 11.5, 11, 11.5, 11.6, 11.5, 11.6])["rule"].null_count() == 15


def test_seven_rising_points_make_a_trend_and_six_do_not():
    assert fixed(9, 9.5, 10, 10.5, 11.5, 12)["rule"].null_count() == 12
    got = fixed(9, 9.5, 10, 10.5, 11.5, 12, 12.5)
    assert got["rule"].to_list()[-7:] == ["trend"] * 7
    assert got["rule"].null_count() == 6
    assert set(got["direction"][-7:]) == {"up"}


def test_a_trend_with_two_equal_points_is_no_trend():
    assert fixed(9, 9.5, 10, 10, 10.5, 11.5, 12, 12.5)["rule"].null_count() == 14


def test_where_a_rise_turns_into_a_fall_the_turning_point_belongs_to_the_fall():
    got = fixed(9, 9.5, 10, 10.5, 11.5, 12, 12.5, 12, 11.5, 10.5, 10, 9.5, 9)
    assert got["direction"].to_list()[-13:] == ["up"] * 6 + ["down"] * 7


def test_two_of_three_beyond_two_thirds_mark_only_those_beyond():
    assert fixed(11.5, 15, 15)["rule"].to_list()[-3:] == [None, "two_of_three", "two_of_three"]
    assert fixed(15, 11.5, 15)["rule"].to_list()[-3:] == ["two_of_three", None, "two_of_three"]


def test_two_of_three_need_the_third_on_the_same_side():
    assert fixed(15, 10.5, 15, 10.5)["rule"].null_count() == 10


def test_two_thirds_of_the_way_is_not_beyond():
    edge = 11 + 2.66 * 2 * 2 / 3
    assert fixed(11.5, edge, edge)["rule"].null_count() == 9
    assert fixed(11.5, edge + 1e-6, edge + 1e-6)["rule"].null_count() == 7


def test_a_point_outside_the_limits_is_not_one_of_the_two():
    assert fixed(11.5, 15, 20)["rule"].to_list()[-3:] == [None, None, "outside_limits"]


def test_an_outside_point_in_a_trend_is_named_outside():
    got = fixed(9, 9.5, 10, 10.5, 11.5, 12, 20)
    assert got["rule"].to_list()[-7:] == ["trend"] * 6 + ["outside_limits"]


def test_two_of_three_come_before_a_run_on_one_side():
    got = fixed(9, *[11.5] * 5, 15, 15)
    assert got["rule"].to_list()[-7:] == ["one_side"] * 5 + ["two_of_three"] * 2


def test_a_declared_event_starts_new_limits_and_no_run_crosses_it():
    values = [10, 12] * 6 + [20, 22] * 6
    whole, rebased = chart(values), chart(values, rebase_at=(12,))
    assert set(rebased["rule"]) == {None}
    assert whole["rule"].null_count() < 24
    assert rebased["phase"].to_list() == [0] * 12 + [1] * 12
    assert rebased["centre"].to_list() == [11.0] * 12 + [21.0] * 12


def test_limits_are_on_trial_below_the_firm_number_of_points():
    assert set(chart([1, 2] * 6, firm_from=13)["is_trial"]) == {True}
    assert set(chart([1, 2] * 6 + [1], firm_from=13)["is_trial"]) == {False}


def test_limits_from_a_short_baseline_stay_on_trial_however_long_the_chart():
    assert set(chart([1, 2] * 12, baseline=6)["is_trial"]) == {True}


def test_limits_of_a_percentage_are_clipped_and_say_so():
    got = chart([2, 90, 95, 100, 99, 5], floor=0, ceiling=100)
    assert (got["lower_limit"][0], got["upper_limit"][0], got["is_clipped"][0]) == (0.0, 100.0, True)
    assert not chart([50, 51, 50], floor=0, ceiling=100)["is_clipped"][0]
    assert not chart([2, 90, 95, 100, 99, 5])["is_clipped"][0]


def test_a_missing_value_is_left_out_and_comes_back_without_a_class():
    got = chart([10, None, 12, float("nan"), 10])
    assert got["point_class"].to_list() == ["common_cause", "no_value", "common_cause", "no_value", "common_cause"]
    assert got["mean_moving_range"].to_list() == [2.0] * 5


def test_a_point_without_a_value_still_has_the_limits_of_its_phase():
    got = chart([10, 12, None, 20, 22, None, None], rebase_at=(3, 6))
    assert got["centre"].to_list() == [11.0, 11.0, 11.0, 21.0, 21.0, 21.0, None]
    assert got["point_class"].to_list()[-1] == "no_value"


def test_one_point_has_no_limits():
    got = chart([5])
    assert got.row(0, named=True)["point_class"] == "no_limits"
    assert got["upper_limit"].to_list() == [None]


@pytest.mark.parametrize("screened", [True, False])
def test_a_series_that_never_moves_has_no_special_cause(screened):
    assert set(chart([0.1] * 13, screened=screened)["point_class"]) == {"common_cause"}


def test_screening_drops_a_range_at_the_threshold_and_keeps_one_below():
    flat = [0, 1] * 6
    spike = chart([*flat, 40], screened=True)
    assert spike["mean_moving_range"][0] == pytest.approx(1.0)
    assert chart([*flat, 4], screened=True)["mean_moving_range"][0] == pytest.approx((11 + 3) / 12)


def test_an_empty_chart_stays_empty():
    got = chart([])
    assert got.height == 0
    assert "point_class" in got.columns


def test_two_points_at_one_place_in_the_order_are_refused():
    points = pl.DataFrame({"month": [1, 1], "value": [1.0, 2.0]})
    with pytest.raises(ValueError, match="share the same month"):
        classify(points, by=[], order="month", value="value", rebase=None, rules=rules())


@pytest.mark.parametrize(
    ("improvement", "target", "word"),
    [
        ("up", 16.33, "no_unless_something_changes"),
        ("up", 16.32, "some_months"),
        ("up", 5.68, "some_months"),
        ("up", 5.67, "yes_consistently"),
        ("down", 16.33, "yes_consistently"),
        ("down", 11.0, "some_months"),
        ("down", 5.67, "no_unless_something_changes"),
        ("neutral", 5.67, None),
        ("up", None, None),
    ],
)
def test_assurance_depends_on_where_the_target_lies(improvement, target, word):
    choices = rules(improvement, baseline=6)
    got = chart(WITHIN, improvement=improvement, baseline=6).with_columns(
        upper_limit=pl.lit(16.32), lower_limit=pl.lit(5.68), goal=pl.lit(target, dtype=pl.Float64)
    )
    summary = summarise(got, by=[], order="month", target="goal", rules=choices)
    assert summary["assurance"].to_list() == [word]


def test_without_limits_there_is_no_assurance():
    got = chart([5]).with_columns(goal=pl.lit(7.0))
    assert summarise(got, by=[], order="month", target="goal", rules=rules())["assurance"].to_list() == [None]


def test_a_summary_reads_the_last_phase_and_skips_points_without_a_value():
    got = chart([10, 12] * 6 + [20, 22] * 6 + [None], rebase_at=(12,))
    row = summarise(got, by=[], order="month", target=None, rules=rules()).row(0, named=True)
    assert (row["phase"], row["centre"], row["last_point"], row["points"]) == (1, 21.0, 23, 24)
    assert row["assurance"] is None


def test_a_summary_has_a_row_a_series():
    points = pl.DataFrame({"clinician_id": ["b", "b", "a"], "month": [1, 2, 1], "value": [1.0, 2.0, 3.0]})
    got = classify(points, by=["clinician_id"], order="month", value="value", rebase=None, rules=rules())
    summary = summarise(got, by=["clinician_id"], order="month", target=None, rules=rules())
    assert dict(zip(summary["clinician_id"], summary["points"], strict=True)) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    ("choices", "complaint"),
    [
        ({"improvement": "sideways"}, "improvement"),
        ({"baseline": 1}, "baseline_points"),
        ({"floor": 1.0, "ceiling": 1.0}, "floor"),
        ({"firm_from": -1}, "firm_from_points"),
    ],
)
def test_impossible_choices_are_refused(choices, complaint):
    with pytest.raises(ValueError, match=complaint):
        rules(**choices)


def test_every_class_that_can_be_given_is_listed():
    assert set(control_charts.CLASSES) >= {
        *chart([1, 2, 30, 1, None])["point_class"],
        *chart([1, 2, 1, 2, 1, 2, 30, -30], baseline=6, improvement="neutral")["point_class"],
        "no_limits",
    }
