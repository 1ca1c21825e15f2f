from datetime import date, datetime

import polars as pl

from assets.estimates.drop_out import drop_out, episode_gaps

EPISODE = {
    "episode_id": str,
    "case_id": str,
    "clinician_id": str,
    "site": str,
    "programme": str,
    "referred_on": pl.Date,
    "started_on": pl.Date,
    "ended_on": pl.Date,
    "end_reason": str,
}
CHANGE = {"episode_id": str, "category": str, "is_reliably_improved": bool}


def an_episode(**given):
    row = {"episode_id": "e1", "case_id": "c1", "clinician_id": "k1", "site": "north", "programme": "brief"}
    dates = {"referred_on": date(2026, 1, 1), "started_on": date(2026, 1, 8), "ended_on": date(2026, 6, 1)}
    return pl.DataFrame([row | dates | {"end_reason": "planned"} | given], schema=EPISODE)


def booked(*statuses, first=8, apart=7):
    days = [date(2026, 1, 1).toordinal() + first - 1 + apart * number for number in range(len(statuses))]
    return pl.DataFrame(
        {
            "episode_id": ["e1"] * len(statuses),
            "case_id": ["c1"] * len(statuses),
            "starts_at": [datetime.combine(date.fromordinal(day), datetime.min.time()) for day in days],
            "status": list(statuses),
        },
        schema={"episode_id": str, "case_id": str, "starts_at": pl.Datetime("us"), "status": str},
    )


def judged(*statuses, change=(), **given):
    rows = [{"episode_id": "e1", "category": category, "is_reliably_improved": better} for category, better in change]
    return drop_out(an_episode(**given), booked(*statuses), pl.DataFrame(rows, schema=CHANGE)).to_dicts()[0]


FOUR = ("is_judged_unplanned", "has_few_sessions", "ended_on_missed", "has_no_reliable_improvement")


def test_four_definitions_stand_side_by_side_and_differ():
    row = judged("attended", "attended", "attended", "did_not_attend", change=[("improved", True)])
    assert [row[name] for name in FOUR] == [False, False, True, False]
    assert row["sessions"] == 3


def test_the_third_session_is_no_longer_few():
    assert judged(*["attended"] * 2)["has_few_sessions"] is True
    assert judged(*["attended"] * 3)["has_few_sessions"] is False


def test_an_open_episode_answers_no_definition():
    row = judged("attended", "did_not_attend", ended_on=None, end_reason=None)
    assert row["is_open"] is True
    assert [row[name] for name in FOUR] == [None] * 4


def test_any_clients_improvement_on_any_measure_counts_and_none_to_judge_is_unknown():
    assert judged("attended", change=[("unchanged", False), ("improved", True)])["has_no_reliable_improvement"] is False
    assert (
        judged("attended", change=[("unchanged", False), ("not_evaluable", False)])["has_no_reliable_improvement"]
        is True
    )
    assert judged("attended", change=[("not_evaluable", False)])["has_no_reliable_improvement"] is None


def test_a_clinics_own_cancellation_at_the_end_is_not_the_clients_miss():
    assert judged("attended", "cancelled_by_clinic")["ended_on_missed"] is False
    assert judged("did_not_attend", "cancelled_by_clinic")["ended_on_missed"] is True


def test_gaps_are_between_sessions_and_the_wait_is_from_referral():
    row = episode_gaps(
        an_episode(), booked("attended", "did_not_attend", "attended"), as_of=date(2026, 7, 1)
    ).to_dicts()[0]
    assert (row["wait_days"], row["wait_outcome"], row["sessions"]) == (7, "seen", 2)
    assert (row["median_gap_days"], row["longest_gap_days"]) == (14.0, 14.0)


def test_who_still_waits_has_waited_until_the_data_date():
    row = episode_gaps(an_episode(ended_on=None), booked(), as_of=date(2026, 2, 1)).to_dicts()[0]
    assert (row["wait_days"], row["wait_outcome"], row["sessions"]) == (31, "waiting", 0)
    assert (row["median_gap_days"], row["longest_gap_days"]) == (None, None)
