"""Signals of holding back, against reading each timeline, a second opinion, and clients who are known to hold back."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from assets.feeds.clinic_process import DROPPED_OUT, STILL_OPEN, ClinicParameters, simulate
from assets.science.holding_back import calibration, checks, discrimination, timeline
from assets.science.rupture import flag_ruptures, pooled_within_sd

FIRST = date(2026, 1, 5)
COLUMNS = {
    "gap_days": pl.Int64,
    "missed_before": pl.Int64,
    "clinic_cancelled_before": pl.Int64,
    "is_rated": pl.Boolean,
    "fall_in_sds": pl.Float64,
}
CALM = {"gap_days": 7, "missed_before": 0, "clinic_cancelled_before": 0, "is_rated": True, "fall_in_sds": 0.0}
SIGNALS = ("has_fallen", "is_gap_longer", "is_form_skipped")


def sessions_of(**courses):
    rows = [
        {"client_id": name, "episode_id": name, "session_number": t, "starts_on": FIRST + timedelta(weeks=t)}
        | CALM
        | session
        | ({"gap_days": None} if t == 1 else {})
        for name, course in courses.items()
        for t, session in enumerate(course, start=1)
    ]
    keys = {"client_id": pl.String, "episode_id": pl.String, "session_number": pl.Int64, "starts_on": pl.Date}
    return pl.DataFrame(rows, schema=keys | COLUMNS)


def told(*course):
    return timeline(sessions_of(e=course))


def test_a_calm_course_shows_nothing():
    assert told({}, {}, {}, {})["signals"].to_list() == [0, 0, 0, 0]


def test_a_signal_shows_for_three_sessions():
    assert told({}, {"missed_before": 1}, {}, {}, {})["signals"].to_list() == [0, 1, 1, 1, 0]


def test_kinds_are_counted_and_not_how_often_each_showed():
    course = ({}, {"missed_before": 3}, {"missed_before": 1, "fall_in_sds": 1.0})
    assert told(*course)["signals"].to_list() == [0, 1, 2]


@pytest.mark.parametrize(("fall", "has_fallen"), [(0.99, False), (1.0, True), (None, None)])
def test_a_fall_of_one_spread_counts(fall, has_fallen):
    assert told({}, {}, {"fall_in_sds": fall})["has_fallen"].to_list()[-1] is has_fallen


def test_a_form_is_skipped_only_by_whoever_has_filled_one_in():
    skipped = {"is_rated": False, "fall_in_sds": None}
    assert told(skipped, {}, skipped)["is_form_skipped"].to_list() == [None, None, True]


def test_a_gap_is_longer_than_the_clients_own_past_ones():
    course = ({}, {}, {"gap_days": 7}, {"gap_days": 10}, {"gap_days": 14})
    assert told(*course)["is_gap_longer"].to_list() == [None, None, None, False, True]
    assert told(*course)["usual_gap_days"].to_list() == [None, None, None, 7.0, 8.0]


@pytest.mark.parametrize("reason", ["missed_before", "clinic_cancelled_before"])
def test_a_gap_over_an_appointment_that_fell_through_is_not_told_twice(reason):
    course = ({}, {}, {}, {"gap_days": 21, reason: 1})
    assert told(*course)["is_gap_longer"].to_list()[-1] is None


SESSION = st.fixed_dictionaries(
    {
        "gap_days": st.sampled_from([7, 10, 14, 28]),
        "missed_before": st.sampled_from([0, 0, 0, 2]),
        "clinic_cancelled_before": st.sampled_from([0, 0, 1]),
        "is_rated": st.booleans(),
        "fall_in_sds": st.sampled_from([None, -0.5, 0.9, 1.0, 3.0]),
    }
)


def slow_signals(course):
    shown = []
    for t, now in enumerate(course):
        past = course[:t]
        gaps = [earlier["gap_days"] for earlier in past[1:]]
        explained = now["missed_before"] + now["clinic_cancelled_before"] > 0
        shown.append(
            {
                "fall": (now["fall_in_sds"] or 0) >= 1,
                "missed": now["missed_before"] > 0,
                "gap": t > 0 and len(gaps) > 1 and not explained and now["gap_days"] >= 1.5 * np.mean(gaps) - 1e-9,
                "skip": any(earlier["is_rated"] for earlier in past) and not now["is_rated"],
            }
        )
    return [
        sum(any(each[kind] for each in shown[max(0, t - 2) : t + 1]) for kind in shown[0]) for t in range(len(shown))
    ]


@settings(max_examples=30)
@given(courses=st.lists(st.lists(SESSION, min_size=1, max_size=8), min_size=1, max_size=3))
def test_the_index_is_what_reading_each_timeline_gives(courses):
    named = {f"c{k}": course for k, course in enumerate(courses)}
    got = timeline(sessions_of(**named).reverse())
    assert got["signals"].to_list() == [index for course in courses for index in slow_signals(course)]


@settings(max_examples=30)
@given(course=st.lists(SESSION, min_size=2, max_size=8), data=st.data())
def test_what_comes_later_never_changes_what_is_said_of_a_session(course, data):
    cut = data.draw(st.integers(1, len(course) - 1))
    columns = ["signals", *SIGNALS]
    assert told(*course[:cut]).select(columns).equals(told(*course).head(cut).select(columns))


def endings_of(**ends):
    rows = [
        {"episode_id": name, "sessions": n, "is_open": is_open, "end_reason": reason}
        for name, (n, is_open, reason) in ends.items()
    ]
    types = {"episode_id": pl.String, "sessions": pl.Int64, "is_open": pl.Boolean, "end_reason": pl.String}
    return pl.DataFrame(rows, schema=types)


def checked(n, *, is_open=False, reason=None, until=date(2030, 1, 1)):
    sessions = timeline(sessions_of(e=[{}] * n))
    got = checks(sessions, endings_of(e=(n, is_open, reason)), until=until)
    return got.select("session_number", "is_unplanned").rows()


def test_an_ending_counts_for_one_check_only():
    assert checked(8, reason="unplanned") == [(3, False), (6, True)]
    assert checked(6, reason="unplanned") == [(3, False), (6, True)]
    assert checked(5, reason="planned") == [(3, False)]


def test_what_is_still_open_or_was_never_said_is_left_out():
    assert checked(7, is_open=True) == [(3, False)]
    assert checked(7, reason=None) == [(3, False)]


def test_sessions_near_the_data_date_are_not_checked():
    assert checked(9, reason="unplanned", until=FIRST + timedelta(weeks=6)) == [(3, False), (6, False)]


def test_of_two_partners_the_one_who_shows_more_counts():
    two = sessions_of(a=[{}] * 3, b=[{}, {}, {"missed_before": 1}]).with_columns(episode_id=pl.lit("e"))
    got = checks(timeline(two), endings_of(e=(3, False, "unplanned")), until=date(2030, 1, 1))
    assert got.select("band", "is_unplanned").rows() == [(1, True)]


def rows_of(bands, left, units=8):
    n = len(bands)
    return pl.DataFrame(
        {
            "episode_id": [f"e{i}" for i in range(n)],
            "clinician_id": [f"k{i % units}" for i in range(n)],
            "group": "g",
            "band": pl.Series(bands, dtype=pl.Int64),
            "is_unplanned": pl.Series(left, dtype=pl.Boolean),
        }
    )


def test_discrimination_is_the_share_of_pairs_put_right():
    draw = np.random.default_rng(2)
    bands = draw.integers(0, 4, 300)
    left = draw.random(300) < 0.1 + 0.1 * bands
    chance, low, high, above = discrimination(rows_of(bands, left), unit="clinician_id", confidence=0.95)
    second = stats.mannwhitneyu(bands[left], bands[~left]).statistic / (left.sum() * (~left).sum())
    assert chance == pytest.approx(second)
    assert 0.5 < low < chance < high
    assert above > 0.99


@pytest.mark.parametrize("left", [[True] * 4, [False] * 4, []])
def test_where_all_left_or_nobody_did_there_is_nothing_to_tell_apart(left):
    got = discrimination(rows_of([0, 1, 2, 3][: len(left)], left), unit="clinician_id", confidence=0.95)
    assert got == (None, None, None, None)


def test_an_index_of_noise_is_not_said_to_tell():
    held = []
    for seed in range(100):
        draw = np.random.default_rng(seed)
        rows = rows_of(draw.integers(0, 4, 400), draw.random(400) < 0.1, units=20)
        _, low, high, _ = discrimination(rows, unit="clinician_id", confidence=0.95)
        held.append(low < 0.5 < high)
    assert np.mean(held) >= 0.9


def shown_by(parameters, *, seed):
    """Timelines of a simulated service with who is holding back and how likely each is to leave, and its checks."""
    drawn = simulate(parameters, seed=seed)
    code = pl.col("client").cast(pl.String)
    own = drawn.sessions.select(
        "is_holding_back",
        "dropout_probability",
        client_id=code,
        episode_id=code,
        clinician_id=pl.col("clinician").cast(pl.String),
        session_number=pl.col("session") + 1,
        starts_on=pl.lit(FIRST),
        alliance="alliance",
        gap_days=pl.when(pl.col("session") > 0).then(7 * (1 + pl.col("missed_before") + pl.col("weeks_later"))),
        missed_before="missed_before",
        clinic_cancelled_before=pl.lit(0),
        is_rated=pl.col("alliance").is_not_null(),
    )
    rated = own.filter("is_rated")
    flagged = flag_ruptures(rated, within_sd=pooled_within_sd(rated), drop_sds=1.0, fewest_past_ratings=2)
    falls = flagged.filter(pl.col("past_ratings") >= 2).select("client_id", "session_number", fall_in_sds="drop_in_sds")
    shown = timeline(own.join(falls, on=["client_id", "session_number"], how="left"))
    ending = drawn.truth.ending
    reasons = np.select([ending == DROPPED_OUT, ending != STILL_OPEN], ["unplanned", "planned"], default="")
    ends = pl.DataFrame({"episode_id": [str(i) for i in range(ending.size)], "end_reason": reasons}).with_columns(
        pl.col("end_reason").replace("", None), is_open=pl.Series(ending == STILL_OPEN)
    )
    endings = ends.join(own.group_by("episode_id").agg(sessions=pl.len().cast(pl.Int64)), on="episode_id")
    who = own.select("episode_id", "clinician_id").unique()
    return shown, checks(shown, endings, until=date(2030, 1, 1)).join(who, on="episode_id")


def test_clients_who_hold_back_show_more_signals_and_the_index_tells_of_their_leaving():
    shown, rows = shown_by(ClinicParameters(clients=4000, clinicians=40, holding_back_share=0.3), seed=3)
    later = shown.filter(pl.col("session_number") > 2)
    means = dict(later.group_by("is_holding_back").agg(pl.col("signals").mean()).iter_rows())
    assert means[True] > means[False] + 0.4
    chance, low, _, _ = discrimination(rows, unit="clinician_id", confidence=0.95)
    assert 0.5 < low < chance
    by_band = calibration(rows.with_columns(group=pl.lit("g")), by=["group"], confidence=0.95)
    assert by_band["share"][3] > by_band["share"][0]


def test_shares_by_band_hold_the_true_chance_of_leaving_within_three_sessions():
    # With a chance of leaving that is the same at every session and no other ending, the truth needs no simulation.
    flat = {"dropout_outcome": 0.0, "dropout_within": 0.0, "dropout_between": 0.0, "dropout_log_odds": -2.0}
    parameters = ClinicParameters(
        clients=3000, clinicians=30, planned_sessions=200.0, longest=30, early_probability=0.0, **flat
    )
    _, rows = shown_by(parameters, seed=6)
    truth = 1 - (1 - 1 / (1 + np.exp(2.0))) ** 3
    for row in calibration(rows.with_columns(group=pl.lit("g")), by=["group"], confidence=0.999).iter_rows(named=True):
        assert row["lower"] < truth < row["upper"]
