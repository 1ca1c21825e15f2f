"""Skipped forms and bounds on rates, against counting by hand."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science.funnel import wilson_interval
from assets.science.missingness import after_previous, rate_bounds, skipped_forms, skipping_differences

KEYS = ("client_id", "episode_id")


def sessions_of(**courses):
    rows = [
        {"client_id": name, "episode_id": name, "session_number": i + 1, "alliance": a}
        for name, course in courses.items()
        for i, a in enumerate(course)
    ]
    schema = {"client_id": pl.String, "episode_id": pl.String, "session_number": pl.Int64, "alliance": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def counted(sessions, *by):
    skipped = pl.col("alliance").is_null().sum()
    return sessions.group_by(*by, "client_id").agg(total=pl.len(), events=skipped)


def test_skipped_forms_are_counted_by_group():
    sessions = sessions_of(b=[None, 1.0], a=[None, None, 2.0]).with_columns(group=pl.col("client_id"))
    got = skipped_forms(counted(sessions, "group"), by=["group"], confidence=0.95)
    assert got.select("group", "sessions", "skipped", "rate").rows() == [("a", 3, 2, 2 / 3), ("b", 2, 1, 0.5)]
    assert (got["lower"] < got["rate"]).all()
    assert (got["upper"] > got["rate"]).all()


def test_clients_who_always_or_never_skip_say_less_than_as_many_sessions():
    alike = {f"a{k}": [None] * 4 for k in range(20)} | {f"b{k}": [1.0] * 4 for k in range(20)}
    mixed = {f"c{k}": [None, None, 1.0, 1.0] for k in range(40)}
    widths = []
    for courses in (alike, mixed):
        sessions = sessions_of(**courses).with_columns(everyone=pl.lit(value=True))
        got = skipped_forms(counted(sessions, "everyone"), by=["everyone"], confidence=0.95).row(0, named=True)
        assert got["rate"] == 0.5
        widths.append(got["upper"] - got["lower"])
    assert widths[0] == pytest.approx(2 * widths[1], rel=0.1)


def previous(*course):
    return after_previous(sessions_of(e=course), by=KEYS)["previous"].to_list()


def test_two_ratings_are_needed_before_one_can_have_fallen():
    assert previous(4.0, None, None) == ["none", "none", "none"]
    assert previous(4.0, 3.0, None) == ["none", "none", "lower"]
    assert previous(4.0, 4.0, None) == ["none", "none", "same_or_higher"]


def test_a_fall_is_told_from_the_latest_rating_however_long_ago():
    assert previous(4.0, None, 3.0, None, None) == ["none", "none", "none", "lower", "lower"]


def test_equal_tenths_are_no_fall():
    assert previous(0.1, 0.2, 0.3, 0.2, None)[-1] == "same_or_higher"


def slow_previous(course):
    said = []
    for i in range(len(course)):
        past = [a for a in course[:i] if a is not None]
        if len(past) < 2:
            said.append("none")
        else:
            fell = past[-1] < sum(past[:-1]) / len(past[:-1]) - 1e-9
            said.append("lower" if fell else "same_or_higher")
    return said


COURSE = st.lists(st.one_of(st.none(), st.integers(0, 10).map(lambda v: v / 2)), max_size=9)


@settings(max_examples=60)
@given(courses=st.lists(COURSE, max_size=3))
def test_what_came_before_is_what_reading_each_course_gives(courses):
    named = {f"c{k}": course for k, course in enumerate(courses)}
    got = after_previous(sessions_of(**named).reverse(), by=KEYS)
    assert got["previous"].to_list() == [word for course in courses for word in slow_previous(course)]


def after_a_fall(**courses):
    sessions = after_previous(sessions_of(**courses), by=KEYS).filter(pl.col("previous") != "none")
    placed = sessions.with_columns(place=(pl.col("previous") == "lower").cast(pl.Int64), all=pl.lit("all"))
    got = skipping_differences(
        counted(placed, "all", "place"), by=["all"], position="place", unit="client_id", confidence=0.95
    )
    return got.row(0, named=True) if got.height else None


def test_skipping_more_after_a_fall_is_a_positive_difference():
    falls = {f"f{k}": [4.0, 3.0, None if k % 3 else 4.0] for k in range(30)}
    rest = {f"r{k}": [4.0, 4.0, None if k % 3 == 0 else 4.0] for k in range(30)}
    got = after_a_fall(**falls, **rest)
    assert got["difference"] == pytest.approx(1 / 3)
    assert 0 < got["lower"] < 1 / 3 < got["upper"]
    assert got["probability_above"] > 0.99


def test_a_difference_of_independent_clients_has_the_textbook_interval():
    # 56 of 70 against 48 of 80, as in Newcombe 1998, table II, whose simple asymptotic interval is 0.0575 to 0.3425.
    falls = {f"f{k}": [4.0, 3.0, None if k < 56 else 4.0] for k in range(70)}
    rest = {f"r{k}": [4.0, 4.0, None if k < 48 else 4.0] for k in range(80)}
    got = after_a_fall(**falls, **rest)
    assert got["difference"] == pytest.approx(0.2)
    assert (got["lower"], got["upper"]) == pytest.approx((0.0575, 0.3425), abs=0.003)


def test_nobody_after_a_fall_has_no_comparison():
    assert after_a_fall(e=[4.0, 4.0, None]) is None


def test_nobody_to_compare_with_has_no_difference():
    assert after_a_fall(e=[4.0, 3.0, None])["difference"] is None


def clients_of(*outcomes, clinician="k"):
    return pl.DataFrame(
        {"clinician_id": [clinician] * len(outcomes), "improved": pl.Series(outcomes, dtype=pl.Boolean)}
    )


def bounds(clients, by=()):
    return rate_bounds(clients, by=list(by), outcome="improved", confidence=0.95)


def test_the_worst_and_the_best_take_the_unknown_one_way_and_the_other():
    row = bounds(clients_of(True, True, False, None)).row(0, named=True)
    assert [row[name] for name in ("clients", "known", "unknown", "events")] == [4, 3, 1, 2]
    assert (row["worst"], row["known_rate"], row["best"]) == (0.5, 2 / 3, 0.75)


def test_with_nothing_unknown_the_bounds_meet_at_the_rate():
    row = bounds(clients_of(True, False)).row(0, named=True)
    assert row["worst"] == row["known_rate"] == row["best"] == 0.5
    assert (row["lower"], row["upper"]) == (row["known_lower"], row["known_upper"])


def test_with_nothing_known_the_bounds_are_everything_and_there_is_no_rate():
    row = bounds(clients_of(None, None)).row(0, named=True)
    assert (row["worst"], row["best"], row["lower"], row["upper"]) == (0.0, 1.0, 0.0, 1.0)
    assert (row["known_rate"], row["known_lower"], row["known_upper"]) == (None, None, None)


def test_each_clinician_has_bounds():
    both = pl.concat([clients_of(True, clinician="b"), clients_of(None, False, clinician="a")])
    assert bounds(both, ["clinician_id"]).select("clinician_id", "worst", "best").rows() == [
        ("a", 0.0, 0.5),
        ("b", 1.0, 1.0),
    ]


@settings(max_examples=60)
@given(outcomes=st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12), data=st.data())
def test_whatever_the_unknown_turn_out_to_be_the_rate_stays_within_its_bounds(outcomes, data):
    row = bounds(clients_of(*outcomes)).row(0, named=True)
    settled = [data.draw(st.booleans()) if o is None else o for o in outcomes]
    rate = sum(settled) / len(settled)
    assert row["worst"] - 1e-12 <= rate <= row["best"] + 1e-12
    lower, upper = wilson_interval(sum(settled), len(settled), confidence=0.95)
    assert row["lower"] <= lower + 1e-12
    assert upper <= row["upper"] + 1e-12
