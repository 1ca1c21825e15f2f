"""Ruptures, against one-client-at-a-time loops and at every edge."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science.rupture import STATUSES, flag_ruptures, pooled_within_sd, trace_ruptures


def ratings_of(*series, numbers=None):
    rows = [
        {"client_id": f"c{k}", "episode_id": f"e{k}", "session_number": (numbers or range(1, 99))[i], "alliance": a}
        for k, one in enumerate(series)
        for i, a in enumerate(one)
    ]
    schema = {"client_id": pl.String, "episode_id": pl.String, "session_number": pl.Int64, "alliance": pl.Float64}
    return pl.DataFrame(rows, schema=schema)


def flags(ratings, *, sd=1.0, drop_sds=2.0, fewest=2):
    return flag_ruptures(ratings, within_sd=sd, drop_sds=drop_sds, fewest_past_ratings=fewest)


def traced(*series, sd=1.0, drop_sds=2.0, fewest=2, within=5, repair_sds=0.5, numbers=None, ended=None):
    flagged = flags(ratings_of(*series, numbers=numbers), sd=sd, drop_sds=drop_sds, fewest=fewest)
    return trace_ruptures(
        flagged, within_sd=sd, repair_within_sessions=within, repair_sds=repair_sds, ended_episodes=ended
    )


def test_the_pooled_spread_is_that_around_each_clients_own_mean():
    assert pooled_within_sd(ratings_of([1, 3], [10, 14, None, 12])) == pytest.approx(math.sqrt((2 + 8) / (1 + 2)))


@pytest.mark.parametrize("series", [[], [[4.0]], [[4.0], [None, 5.0]]])
def test_without_a_second_rating_there_is_no_spread(series):
    assert pooled_within_sd(ratings_of(*series)) is None


def slow_flags(one, sd, drop_sds, fewest):
    said = []
    for i, now in enumerate(one):
        past = [a for a in one[:i] if a is not None]
        if now is None or len(past) < fewest:
            said.append(None)
        else:
            said.append((sum(past) / len(past) - now) / sd >= drop_sds - 1e-9)
    return said


def slow_course(one, *, sd, drop_sds, fewest, within, repair_sds):
    """Walk through the sessions of one client."""
    flagged = slow_flags(one, sd, drop_sds, fewest)
    found, free_from = [], 0
    for i, is_fall in enumerate(flagged):
        if not is_fall or i < free_from:
            continue
        past = [a for a in one[:i] if a is not None]
        level = sum(past) / len(past)
        repaired, deepest, answers = None, level - one[i], 0
        for j in range(i + 1, min(i + within, len(one) - 1) + 1):
            if one[j] is None:
                continue
            answers += 1
            deepest = max(deepest, level - one[j])
            if one[j] >= level - repair_sds * sd - 1e-9:
                repaired = j
                break
        free_from = (repaired if repaired is not None else i + within) + 1
        has_had_time = len(one) - 1 >= i + within and answers > 0
        status = "repaired" if repaired is not None else "unrepaired" if has_had_time else "open"
        found.append((i + 1, None if repaired is None else repaired + 1, status, round(deepest, 6)))
    return found


SERIES = st.lists(st.one_of(st.none(), st.integers(0, 40).map(lambda v: v / 4)), max_size=18)


CHOICES = st.fixed_dictionaries(
    {
        "sd": st.sampled_from([0.5, 1.0, 2.0]),
        "drop_sds": st.sampled_from([1.0, 2.0]),
        "fewest": st.integers(1, 3),
        "within": st.integers(1, 5),
        "repair_sds": st.sampled_from([0.0, 0.5, 1.0]),
    }
)


@settings(max_examples=120)
@given(series=st.lists(SERIES, max_size=4), choices=CHOICES)
def test_whole_caseloads_at_once_say_what_one_client_at_a_time_says(series, choices):
    sd, drop_sds, fewest = choices["sd"], choices["drop_sds"], choices["fewest"]
    flagged = flags(ratings_of(*series), sd=sd, drop_sds=drop_sds, fewest=fewest)
    got = traced(*series, **choices)
    for k, one in enumerate(series):
        own_flags = flagged.filter(pl.col("client_id") == f"c{k}")["is_rupture"].to_list()
        assert own_flags == slow_flags(one, sd, drop_sds, fewest)
        own = got.filter(pl.col("client_id") == f"c{k}").select("ruptured_at", "repaired_at", "status", "magnitude")
        rounded = [(a, b, c, round(d, 6)) for a, b, c, d in own.iter_rows()]
        assert rounded == slow_course(one, **choices)


@settings(max_examples=60)
@given(one=SERIES, later=SERIES)
def test_what_comes_later_never_changes_an_earlier_flag(one, later):
    alone = flags(ratings_of(one))["is_rupture"].to_list()
    assert flags(ratings_of(one + later))["is_rupture"].to_list()[: len(one)] == alone


@settings(max_examples=60)
@given(one=SERIES, where=st.integers(0, 18))
def test_a_missing_rating_never_makes_or_mends_a_rupture(one, where):
    with_gap = [*one[:where], None, *one[where:]]
    kept = flags(ratings_of(with_gap)).filter(pl.col("alliance").is_not_null())["is_rupture"].to_list()
    assert kept == flags(ratings_of(one)).filter(pl.col("alliance").is_not_null())["is_rupture"].to_list()
    numbers = {session for session, rating in enumerate(with_gap, start=1) if rating is None}
    got = traced(with_gap)
    assert not numbers & set(got["ruptured_at"])
    assert not numbers & set(got["repaired_at"])


@settings(max_examples=60)
@given(one=SERIES, shift=st.integers(-10, 10))
def test_the_level_of_the_instrument_does_not_matter(one, shift):
    moved = [None if a is None else a + shift for a in one]
    keep = ["ruptured_at", "repaired_at", "status"]
    assert traced(one).select(keep).equals(traced(moved).select(keep))


@settings(max_examples=60)
@given(one=SERIES)
def test_a_higher_threshold_never_flags_more(one):
    strict = flags(ratings_of(one), drop_sds=2.0)["is_rupture"].sum()
    assert strict <= flags(ratings_of(one), drop_sds=1.0)["is_rupture"].sum()


@pytest.mark.parametrize(("now", "is_rupture"), [(3.0, True), (3.0 + 1e-6, False)])
def test_a_fall_of_just_the_threshold_is_a_rupture(now, is_rupture):
    assert flags(ratings_of([5.0, 5.0, now]))["is_rupture"].to_list() == [None, None, is_rupture]


def test_tenths_that_do_not_add_up_exactly_still_reach_the_threshold():
    assert flags(ratings_of([0.3, 0.3, 0.1]), sd=0.1)["is_rupture"][-1]


def test_one_past_rating_is_too_little_where_two_are_asked_for():
    assert flags(ratings_of([9.0, 1.0]), fewest=2)["is_rupture"].to_list() == [None, None]
    assert flags(ratings_of([9.0, 1.0]), fewest=1)["is_rupture"].to_list() == [None, True]


@pytest.mark.parametrize("spread", [None, 0.0])
def test_without_spread_nobody_can_be_judged(spread):
    got = flags(ratings_of([5.0, 5.0, 5.0]), sd=spread)
    assert got["is_rupture"].to_list() == [None, None, None]
    assert trace_ruptures(got, within_sd=spread, repair_within_sessions=5, repair_sds=0.5).height == 0


def test_two_episodes_of_one_client_have_two_pasts():
    ratings = ratings_of([9.0, 9.0, 9.0], [5.0, 5.0]).with_columns(client_id=pl.lit("same"))
    assert flags(ratings)["is_rupture"].to_list() == [None, None, False, None, None]


def test_partners_in_one_episode_have_a_past_each():
    ratings = ratings_of([9.0, 9.0, 9.0], [2.0, 2.0, 2.0]).with_columns(episode_id=pl.lit("shared"))
    assert flags(ratings)["is_rupture"].to_list() == [None, None, False] * 2


@pytest.mark.parametrize(("back", "status"), [(4.5, "repaired"), (4.5 - 1e-6, "unrepaired")])
def test_back_within_the_margin_is_repaired_and_just_short_is_not(back, status):
    assert traced([5, 5, 2, back, 2, 2, 2, 2])["status"].to_list()[0] == status


@pytest.mark.parametrize(("sessions_later", "status"), [(5, "repaired"), (6, "unrepaired")])
def test_a_repair_may_take_five_sessions_and_not_six(sessions_later, status):
    row = traced([5, 5, 2, *[2] * (sessions_later - 1), 5]).row(0, named=True)
    assert row["status"] == status
    assert row["repaired_at"] == (8 if status == "repaired" else None)


@pytest.mark.parametrize(("sessions_after", "status"), [(0, "open"), (4, "open"), (5, "unrepaired")])
def test_a_rupture_at_the_end_of_the_data_is_open_until_its_time_has_passed(sessions_after, status):
    assert traced([5, 5, 2, *[2] * sessions_after])["status"].to_list() == [status]


def test_a_rupture_followed_by_no_rating_stays_open_however_many_sessions_follow():
    assert traced([5, 5, 2, *[None] * 8])["status"].to_list() == ["open"]


@pytest.mark.parametrize(
    ("later", "status"),
    [([], "unrepaired"), ([2], "unrepaired"), ([None], "open"), ([None, 2], "unrepaired"), ([5], "repaired")],
)
def test_where_the_episode_has_ended_a_standing_rupture_is_unrepaired_if_anybody_could_know(later, status):
    assert traced([5, 5, 2, *later], ended=["e0"])["status"].to_list() == [status]
    assert traced([5, 5, 2, *later], ended=["another"])["status"][0] == ("repaired" if status == "repaired" else "open")


def test_low_ratings_after_a_fall_are_one_rupture():
    got = traced([5, 5, 2, 2, 2, 5])
    assert got.select("ruptured_at", "repaired_at", "sessions_to_repair").rows() == [(3, 6, 3)]


def test_a_fall_after_a_repair_is_another_rupture():
    assert traced([5, 5, 2, 5, 1, 5])["ruptured_at"].to_list() == [3, 5]


def test_the_magnitude_is_the_deepest_fall_before_the_repair():
    row = traced([5, 5, 2, 1, 5, 0], sd=0.5).row(0, named=True)
    assert (row["level_before"], row["magnitude"], row["magnitude_in_sds"]) == (5.0, 4.0, 8.0)


def test_sessions_are_counted_by_their_number_not_by_their_row():
    assert traced([5, 5, 2, 5], numbers=[1, 2, 3, 9])["status"].to_list() == ["open"]
    assert traced([5, 5, 2, 5], numbers=[1, 2, 3, 8])["status"].to_list() == ["repaired"]


def test_every_status_is_listed():
    got = traced([5, 5, 2, 5], [5, 5, 2, *[2] * 5], [5, 5, 2])
    assert got["status"].to_list() == list(STATUSES)


def test_order_of_rows_does_not_matter():
    ratings = ratings_of([5, 5, 2, 5], [5, 5, 2])
    assert flags(ratings.reverse()).equals(flags(ratings))


def test_a_session_that_stands_twice_is_refused():
    with pytest.raises(ValueError, match="stands twice"):
        flags(ratings_of([5, 5], numbers=[1, 1]))


@pytest.mark.parametrize(("choice", "amount"), [("drop_sds", 0), ("fewest", 0), ("within", 0), ("repair_sds", -0.1)])
def test_choices_out_of_range_are_refused(choice, amount):
    with pytest.raises(ValueError, match="must"):
        traced([5, 5, 2], **{choice: amount})


def test_a_rating_that_is_no_number_is_a_form_not_filled_in():
    given, missing = ratings_of([5, 5, math.nan, 2, math.nan, 5]), ratings_of([5, 5, None, 2, None, 5])
    assert pooled_within_sd(given) == pooled_within_sd(missing)
    assert flags(given)["is_rupture"].to_list() == flags(missing)["is_rupture"].to_list()
    follow = {"within_sd": 1.0, "repair_within_sessions": 5, "repair_sds": 0.5}
    assert trace_ruptures(flags(given), **follow).equals(trace_ruptures(flags(missing), **follow))


@pytest.mark.parametrize("sd", [-1.0, math.nan])
def test_a_spread_that_cannot_be_is_refused(sd):
    with pytest.raises(ValueError, match="within_sd must be 0 or more"):
        flags(ratings_of([5, 5, 2]), sd=sd)
