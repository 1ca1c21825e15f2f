"""Appointments, waits and drop-out, with every definition at its edges."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contracts.vocabulary import STATUSES
from assets.science.attendance import (
    DEFINITIONS,
    DENOMINATORS,
    MISSED,
    RATES,
    attendance_rates,
    drop_out,
    drop_out_rates,
    gaps_by_episode,
    sessions_and_gaps,
    wait_for_first_session,
)

DAY = date(2026, 1, 1)
APPOINTMENT = {
    "episode_id": pl.String,
    "case_id": pl.String,
    "starts_at": pl.Datetime("us", "UTC"),
    "status": pl.String,
}
EPISODE = {
    "episode_id": pl.String,
    "referred_on": pl.Date,
    "started_on": pl.Date,
    "ended_on": pl.Date,
    "end_reason": pl.String,
}


def appointments_of(**booked):
    rows = [
        {
            "episode_id": name,
            "case_id": name,
            "starts_at": datetime(2026, 1, 1, 9, tzinfo=UTC) + timedelta(days=7 * i),
            "status": s,
        }
        for name, statuses in booked.items()
        for i, s in enumerate(statuses)
    ]
    return pl.DataFrame(rows, schema=APPOINTMENT)


def episodes_of(**ends):
    rows = [
        {
            "episode_id": name,
            "referred_on": DAY,
            "started_on": DAY,
            "ended_on": end and end[0],
            "end_reason": end and end[1],
        }
        for name, end in ends.items()
    ]
    return pl.DataFrame(rows, schema=EPISODE)


def improvement_of(**improved):
    return pl.DataFrame(
        {"episode_id": list(improved), "is_reliably_improved": list(improved.values())},
        schema={"episode_id": pl.String, "is_reliably_improved": pl.Boolean},
    )


ENDED = (date(2026, 6, 1), "planned")
LEFT = (date(2026, 6, 1), "unplanned")
UNSAID = (date(2026, 6, 1), None)


def rates_of(*statuses):
    rates = attendance_rates(appointments_of(e=statuses), by=[], confidence=0.95)
    return {row["rate_name"]: (row["events"], row["appointments"], row["rate"]) for row in rates.iter_rows(named=True)}


def test_each_rate_has_its_own_denominator():
    got = rates_of(*["attended"] * 6, *STATUSES[1:], "did_not_attend")
    assert got["attended_of_offered"] == (6, 10, 0.6)
    assert got["missed_of_booked"] == (3, 11, 3 / 11)
    assert got["missed_of_due"] == (3, 9, 3 / 9)
    assert got["cancelled_by_client_of_offered"] == (1, 10, 0.1)
    assert got["cancelled_by_clinic_of_booked"] == (1, 11, 1 / 11)


def test_what_the_clinic_cancels_never_counts_against_the_client():
    before = rates_of("attended", "did_not_attend", "cancelled_by_client")
    after = rates_of("attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic")
    for name in ("attended_of_offered", "missed_of_due", "cancelled_by_client_of_offered"):
        assert before[name] == after[name]


def test_every_rate_says_what_it_is_a_share_of():
    assert set(DENOMINATORS) == set(RATES)
    for numerator, denominator in RATES.values():
        assert set(numerator) <= set(denominator) <= set(STATUSES)


@settings(max_examples=40)
@given(statuses=st.lists(st.sampled_from([*STATUSES, None]), max_size=20))
def test_rates_are_what_counting_by_hand_gives(statuses):
    got = rates_of(*statuses)
    if not any(statuses):
        assert all(counts == (0, 0, None) for counts in got.values())
        return
    for name, (numerator, denominator) in RATES.items():
        events, total = (sum(s in names for s in statuses) for names in (numerator, denominator))
        assert got[name] == (events, total, events / total if total else None)


def test_rates_of_each_clinician_carry_intervals():
    booked = appointments_of(a=["attended"] * 3, b=["did_not_attend"]).with_columns(clinician_id=pl.col("episode_id"))
    got = attendance_rates(booked, by=["clinician_id"], confidence=0.95)
    assert got["clinician_id"].to_list() == ["a"] * len(RATES) + ["b"] * len(RATES)
    shown = got.filter(pl.col("rate").is_not_null())
    assert (shown["lower"] <= shown["rate"]).all()
    assert (shown["rate"] <= shown["upper"]).all()


def test_a_status_nobody_knows_is_refused_and_not_repeated():
    with pytest.raises(ValueError, match="status that is not one of") as refusal:
        attendance_rates(appointments_of(e=["Smith was ill"]), by=[], confidence=0.95)
    assert "Smith" not in str(refusal.value)


def test_sessions_are_the_attended_appointments_with_days_between_them():
    got = sessions_and_gaps(appointments_of(b=["attended"], a=["attended", "did_not_attend", "attended", "attended"]))
    assert got["episode_id"].to_list() == ["a", "a", "a", "b"]
    assert got["session_number"].to_list() == [1, 2, 3, 1]
    assert got["gap_days"].to_list() == [None, 14, 7, None]


def test_gaps_are_summed_up_by_episode():
    sessions = sessions_and_gaps(
        appointments_of(a=["attended", "did_not_attend", "attended", "attended"], b=["attended"])
    )
    assert gaps_by_episode(sessions).rows() == [("a", 3, 10.5, 14), ("b", 1, None, None)]


def waited(end, statuses, *, as_of=date(2026, 3, 1), referred_on=DAY):
    episodes = episodes_of(e=end).with_columns(referred_on=pl.lit(referred_on, dtype=pl.Date))
    got = wait_for_first_session(episodes, appointments_of(e=statuses), as_of=as_of).row(0, named=True)
    return got["outcome"], got["wait_days"], got["was_seen"]


def test_the_wait_ends_at_the_first_attended_appointment():
    assert waited(None, ["did_not_attend", "attended", "attended"]) == ("seen", 7, True)
    assert waited(None, ["attended"]) == ("seen", 0, True)


def test_those_still_waiting_have_waited_until_now():
    assert waited(None, ["did_not_attend"]) == ("waiting", 59, False)
    assert waited(None, []) == ("waiting", 59, False)


def test_those_who_ended_unseen_waited_until_the_end():
    assert waited(LEFT, []) == ("ended_unseen", 151, False)


def test_a_wait_without_a_referral_or_before_it_is_unknown():
    assert waited(None, ["attended"], referred_on=None) == ("seen", None, True)
    assert waited(None, ["attended"], referred_on=date(2026, 1, 2)) == ("seen", None, True)


def dropped(end, statuses, *, improved=None, fewest=3, missed=MISSED):
    got = drop_out(
        episodes_of(e=end),
        appointments_of(e=statuses),
        improvement_of(e=improved),
        fewest_sessions=fewest,
        missed=missed,
    )
    return got.row(0, named=True)


def test_an_open_episode_is_censored_under_every_definition():
    got = dropped(None, ["attended", "did_not_attend"], improved=False)
    assert got["is_open"]
    assert [got[name] for name in DEFINITIONS] == [None] * 4


@pytest.mark.parametrize(("end", "answer"), [(LEFT, True), (ENDED, False), (UNSAID, None)])
def test_an_unplanned_end_is_what_the_clinician_recorded(end, answer):
    assert dropped(end, ["attended"])["is_judged_unplanned"] is answer


@pytest.mark.parametrize(("sessions", "is_few"), [(0, True), (2, True), (3, False)])
def test_few_sessions_are_fewer_than_the_number_declared(sessions, is_few):
    got = dropped(ENDED, ["attended"] * sessions, fewest=3)
    assert got["has_few_sessions"] is is_few
    assert got["sessions"] == sessions


@pytest.mark.parametrize(
    ("statuses", "answer"),
    [
        (["attended", "did_not_attend"], True),
        (["attended", "late_not_seen"], True),
        (["attended", "did_not_attend", "cancelled_by_clinic"], True),
        (["attended", "did_not_attend", None], False),
        (["did_not_attend", "attended"], False),
        (["attended", "cancelled_by_client"], False),
        (["cancelled_by_clinic"], None),
        ([], None),
    ],
)
def test_the_last_appointment_counts_unless_the_clinic_cancelled_it_or_another_was_booked(statuses, answer):
    assert dropped(ENDED, statuses)["ended_on_missed"] is answer


def test_a_cancelled_last_appointment_can_be_declared_a_miss():
    got = dropped(ENDED, ["attended", "cancelled_by_client"], missed=[*MISSED, "cancelled_by_client"])
    assert got["ended_on_missed"] is True


@pytest.mark.parametrize(("improved", "answer"), [(True, False), (False, True), (None, None)])
def test_without_reliable_improvement_is_drop_out_and_unknown_stays_unknown(improved, answer):
    assert dropped(ENDED, ["attended"], improved=improved)["has_no_reliable_improvement"] is answer


def test_an_episode_without_a_row_of_change_is_not_evaluable():
    got = drop_out(episodes_of(e=ENDED), appointments_of(), improvement_of(), fewest_sessions=3, missed=MISSED)
    assert got["has_no_reliable_improvement"].to_list() == [None]


@pytest.mark.parametrize(
    "choice",
    [{"fewest": 0}, {"missed": []}, {"missed": ["attended"]}, {"missed": ["cancelled_by_clinic"]}, {"missed": ["x"]}],
)
def test_choices_that_make_no_sense_are_refused(choice):
    with pytest.raises(ValueError, match="must"):
        dropped(ENDED, ["attended"], **choice)


def test_the_definitions_stand_side_by_side_with_their_own_denominators():
    appointments = appointments_of(
        a=["attended"] * 5, b=["attended", "did_not_attend"], c=["attended"], d=["attended"] * 4
    )
    episodes = episodes_of(a=ENDED, b=LEFT, c=None, d=UNSAID)
    each = drop_out(episodes, appointments, improvement_of(a=True, b=False), fewest_sessions=3, missed=MISSED)
    got = drop_out_rates(each, by=[], confidence=0.95)
    assert got.select("definition", "open_episodes", "not_evaluable", "events", "episodes", "rate").rows() == [
        ("is_judged_unplanned", 1, 1, 1, 2, 0.5),
        ("has_few_sessions", 1, 0, 1, 3, 1 / 3),
        ("ended_on_missed", 1, 0, 1, 3, 1 / 3),
        ("has_no_reliable_improvement", 1, 1, 1, 2, 0.5),
    ]
    assert got["meaning"].to_list() == list(DEFINITIONS.values())
    assert (got["lower"] < got["rate"]).all()


def test_drop_out_is_counted_by_clinician():
    each = drop_out(
        episodes_of(a=ENDED, b=LEFT), appointments_of(), improvement_of(), fewest_sessions=3, missed=MISSED
    ).with_columns(clinician_id=pl.Series(["y", "x"]))
    got = drop_out_rates(each, by=["clinician_id"], confidence=0.95)
    judged = got.filter(pl.col("definition") == "is_judged_unplanned")
    assert judged.select("clinician_id", "rate").rows() == [("x", 1.0), ("y", 0.0)]


@settings(max_examples=40)
@given(statuses=st.lists(st.sampled_from(STATUSES), max_size=8), later=st.booleans())
def test_appointments_the_clinic_cancelled_change_no_definition(statuses, later):
    kept = [s for s in statuses if s != "cancelled_by_clinic"]
    assert dropped(LEFT, statuses, improved=later) == dropped(LEFT, kept, improved=later)


def test_no_appointments_at_all_have_every_rate_out_of_none():
    rates = attendance_rates(appointments_of(), by=[], confidence=0.95)
    assert rates["rate_name"].to_list() == list(RATES)
    assert rates["appointments"].to_list() == [0] * len(RATES)
    assert rates["rate"].to_list() == rates["lower"].to_list() == rates["upper"].to_list() == [None] * len(RATES)


def test_an_improvement_said_twice_is_refused():
    twice = pl.DataFrame({"episode_id": ["e", "e"], "is_reliably_improved": [True, False]})
    with pytest.raises(ValueError, match="stands twice in improvement"):
        drop_out(episodes_of(e=ENDED), appointments_of(e=["attended"]), twice, fewest_sessions=3, missed=MISSED)
