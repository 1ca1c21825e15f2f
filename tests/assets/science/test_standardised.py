from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science.funnel import RULES, funnel
from assets.science.standardised import ratio_funnel, with_expected

CHOICES = {"adjusts": True, "trim": "winsorise", "trim_share": 0.1, "confidence": 0.95}


def cases(*rows):
    return pl.DataFrame(rows, schema={"group": pl.String, "first": pl.Float64, "got": pl.Boolean}, orient="row")


def expected_of(frame, *, most_bands=5, fewest_in_band=2):
    return with_expected(frame, event="got", severity="first", most_bands=most_bands, fewest_in_band=fewest_in_band)


def judged(frame, *, fewest_cases=1, **changes):
    return ratio_funnel(frame, by="group", event="got", fewest_cases=fewest_cases, **CHOICES | changes)


def many(groups, *, each, rate, seed=0):
    draw = np.random.default_rng(seed)
    return cases(
        *(
            (f"g{group:02}", float(draw.integers(5, 27)), bool(draw.random() < rate(group)))
            for group in range(groups)
            for _ in range(each)
        )
    )


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 27).map(float), st.booleans()), min_size=1, max_size=60
)


def test_each_band_expects_the_share_that_it_had():
    frame = cases(("a", 5, True), ("a", 6, False), ("b", 20, True), ("b", 21, True))
    assert expected_of(frame)["expected"].to_list() == [0.5, 0.5, 1.0, 1.0]


def test_with_too_few_for_two_bands_everybody_is_expected_alike():
    frame = cases(("a", 5, True), ("a", 6, False), ("b", 20, False), ("b", 21, False))
    assert expected_of(frame, fewest_in_band=3)["expected"].to_list() == [0.25] * 4


@settings(deadline=None)
@given(rows)
def test_as_many_are_expected_as_were_observed_and_equal_scores_alike(drawn):
    made = expected_of(cases(*drawn))
    assert made["expected"].sum() == pytest.approx(made["got"].sum(), abs=1e-9)
    assert made["expected"].is_between(0, 1).all()
    assert made.group_by("first").agg(pl.col("expected").n_unique())["expected"].max() == 1
    assert made.drop("expected").equals(cases(*drawn))


@settings(deadline=None)
@given(rows)
def test_severity_in_other_units_or_turned_round_leaves_what_is_expected(drawn):
    plain = expected_of(cases(*drawn), most_bands=2)
    other = expected_of(cases(*drawn).with_columns(pl.col("first") * 3 + 1), most_bands=2)
    assert plain["expected"].equals(other["expected"])


def test_observed_over_expected_and_its_interval_are_the_formulas_written_out():
    frame = expected_of(many(3, each=20, rate=lambda _: 0.5))
    row = judged(frame).groups.row(0, named=True)
    own = frame.filter(pl.col("group") == "g00")
    chances, events = own["expected"].to_list(), own["got"].sum()
    wanted = sum(chances)
    s = math.sqrt(sum(p * (1 - p) for p in chances)) / (2 * wanted)
    p, z = events / 20, 1.959963984540054
    middle, half = (p + z**2 / 40) / (1 + z**2 / 20), z / (1 + z**2 / 20) * math.sqrt(p * (1 - p) / 20 + z**2 / 1600)
    assert (row["cases"], row["observed"]) == (20, events)
    assert row["expected"] == pytest.approx(wanted, abs=1e-12)
    assert row["ratio"] == pytest.approx(events / wanted, abs=1e-12)
    assert row["z"] == pytest.approx((math.sqrt(events / wanted) - 1) / s, abs=1e-9)
    assert (row["low"], row["high"]) == pytest.approx(
        ((middle - half) * 20 / wanted, (middle + half) * 20 / wanted), abs=1e-9
    )
    assert (row["lower_95"], row["upper_95"]) == pytest.approx(((1 - z * s) ** 2, (1 + z * s) ** 2), abs=1e-9)


def test_for_rare_events_it_is_the_published_funnel_of_square_roots():
    frame = many(6, each=1000, rate=lambda _: 0.005).with_columns(expected=pl.lit(0.005))
    groups = frame.group_by("group").agg(pl.col("got").sum(), pl.col("expected").sum()).sort("group")
    published = funnel(
        groups,
        events="got",
        totals="expected",
        kind="standardised_ratio_root",
        target=None,
        adjusts=False,
        exact=False,
        trim="winsorise",
        trim_share=0.1,
    ).points
    found = judged(frame, adjusts=False).groups
    assert found["ratio"].to_list() == pytest.approx(published["rate"].to_list(), abs=1e-12)
    assert (found["z"] * math.sqrt(1 - 0.005)).to_list() == pytest.approx(published["z"].to_list(), abs=1e-9)
    assert found["rule"].to_list() == published["rule"].to_list()


def test_groups_that_differ_by_more_than_chance_widen_the_funnel():
    frame = expected_of(many(12, each=200, rate=lambda group: 0.2 if group % 2 else 0.8))
    wide, narrow = judged(frame), judged(frame, adjusts=False)
    assert wide.is_adjusted
    assert wide.dispersion.phi == narrow.dispersion.phi > 10
    assert not narrow.is_adjusted
    assert (wide.groups["upper_95"] > narrow.groups["upper_95"]).all()
    assert set(narrow.groups["rule"]) == {"outside_998"}
    assert set(wide.groups["rule"]) == {"within"}
    assert narrow.groups["direction"].to_list() == ["up", "down"] * 6


def test_groups_alike_are_within_an_unwidened_funnel_mostly():
    found = judged(expected_of(many(40, each=50, rate=lambda _: 0.6)))
    assert found.groups["rule"].is_in(["within"]).mean() > 0.8
    assert found.groups["ratio"].mean() == pytest.approx(1, abs=0.02)


def test_a_group_between_the_limits_is_named_after_the_inner_one():
    improved = [25, 25, 25, 34, 25, 25, 25, 17]
    frame = cases(*((f"g{g}", 10.0, case < n) for g, n in enumerate(improved) for case in range(50)))
    found = judged(expected_of(frame), adjusts=False).groups
    assert found["rule"].to_list() == ["within"] * 3 + ["outside_95"] + ["within"] * 3 + ["outside_95"]
    assert found["direction"].drop_nulls().to_list() == ["up", "down"]


def test_one_case_fewer_than_needed_has_counts_and_nothing_else():
    frame = expected_of(cases(*[("a", 5, True)] * 3, *[("b", 20, False)] * 4))
    few, enough = judged(frame, fewest_cases=4).groups.iter_rows(named=True)
    assert (few["rule"], few["cases"], few["observed"]) == ("too_few", 3, 3)
    assert all(few[name] is None for name in ("ratio", "low", "high", "z", "lower_95", "upper_998", "direction"))
    assert enough["rule"] == "within"


def test_where_nobody_or_everybody_has_the_event_there_are_no_limits_and_no_nan():
    nobody = judged(expected_of(cases(("a", 5, False), ("b", 6, False), ("b", 7, False))))
    everybody = judged(expected_of(cases(("a", 5, True), ("b", 6, True), ("b", 7, True))))
    assert set(nobody.groups["rule"]) == set(everybody.groups["rule"]) == {"within"}
    assert everybody.groups["ratio"].to_list() == [1.0, 1.0]
    for found in (nobody, everybody):
        assert found.groups["upper_95"].null_count() == 2
        assert not found.groups.select(pl.selectors.float().is_nan().any()).row(0).count(True)


def test_no_cases_make_no_groups():
    assert judged(expected_of(cases())).groups.is_empty()


@settings(deadline=None, max_examples=40)
@given(rows)
def test_every_group_has_a_known_rule_and_a_ratio_within_its_interval(drawn):
    found = judged(expected_of(cases(*drawn))).groups
    assert set(found["rule"]) <= set(RULES)
    inside = found.filter(pl.col("ratio").is_not_null())
    assert (inside["low"] <= inside["ratio"] + 1e-9).all()
    assert (inside["ratio"] <= inside["high"] + 1e-9).all()
    assert (inside["direction"].is_not_null() == inside["rule"].str.starts_with("outside")).all()


@pytest.mark.parametrize("changes", [{"most_bands": 0}, {"fewest_in_band": 0}])
def test_choices_below_one_are_refused(changes):
    with pytest.raises(ValueError, match="at least 1"):
        expected_of(cases(("a", 5, True)), **changes)
    with pytest.raises(ValueError, match="at least 1"):
        judged(expected_of(cases(("a", 5, True))), fewest_cases=0)


@pytest.mark.parametrize("row", [("a", None, True), ("a", math.nan, True), ("a", 5, None)])
def test_a_case_without_its_severity_or_its_event_is_refused(row):
    with pytest.raises(ValueError, match="needs its event and its severity"):
        expected_of(cases(row))
