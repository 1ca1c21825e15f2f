from datetime import date

import duckdb
import pytest

from assets.contracts import staging, staging_sql
from assets.contracts.model import Column, Kind

READING = staging_sql.Reading(
    date_format="%d/%m/%Y",
    datetime_format="%d/%m/%Y %H:%M",
    time_zone="Europe/London",
    first_possible_day=date(2015, 1, 1),
    data_date=date(2026, 11, 20),
)
GOOD = {
    "appointment_id": "A1",
    "episode_id": "E1",
    "case_id": "C1",
    "clinician_id": "K1",
    "site": "north",
    "starts_at": "01/07/2026 10:00",
    "status": "attended",
    "duration_minutes": "50",
    "modality": "video",
}


@pytest.fixture
def con():
    with duckdb.connect() as opened:
        opened.execute("ATTACH ':memory:' AS scratch")
        yield opened


def judge(con, **changed):
    row = GOOD | changed
    columns = ", ".join(f"CAST(${name} AS VARCHAR) AS {name}" for name in row)
    con.execute(f"CREATE OR REPLACE TABLE sent AS SELECT CAST(2 AS BIGINT) AS source_line, {columns}", row)
    judged = staging_sql.judged_lines(
        staging.ATTENDANCE, source="sent", present=["source_line", *row], is_long=False, reading=READING
    )
    return con.sql(judged).pl().row(0, named=True)


def test_a_good_line_breaks_no_rule(con):
    assert judge(con)["broken_rule"] is None


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"appointment_id": None}, "appointment_id_missing"),
        ({"case_id": None}, "case_id_missing"),
        ({"status": "?"}, "status_unknown_word"),
        ({"modality": "?"}, "modality_unknown_word"),
        ({"starts_at": "31/02/2026 10:00"}, "starts_at_unreadable"),
        ({"starts_at": "2026-07-01 10:00"}, "starts_at_unreadable"),
        ({"starts_at": "21/11/2026 00:00"}, "starts_at_after_data_date"),
        ({"starts_at": "31/12/2014 23:59"}, "starts_at_too_early"),
        ({"duration_minutes": "fifty"}, "duration_minutes_unreadable"),
        ({"duration_minutes": "50.5"}, "duration_minutes_unreadable"),
        ({"duration_minutes": "0"}, "duration_minutes_out_of_range"),
        ({"duration_minutes": "601"}, "duration_minutes_out_of_range"),
    ],
)
def test_each_way_of_being_wrong_is_named(con, changed, rule):
    assert judge(con, **changed)["broken_rule"] == rule


@pytest.mark.parametrize("day", ["20/11/2026 23:59", "01/01/2015 00:00"])
def test_the_data_date_and_the_first_possible_day_are_themselves_allowed(con, day):
    assert judge(con, starts_at=day)["broken_rule"] is None


@pytest.mark.parametrize("minutes", ["1", "600", "50.0"])
def test_the_ends_of_a_range_are_allowed(con, minutes):
    assert judge(con, duration_minutes=minutes)["broken_rule"] is None


def test_local_summer_time_becomes_utc_and_the_day_stays_the_clinics(con):
    row = judge(con, starts_at="01/07/2026 00:30")
    assert str(row["starts_at"]) == "2026-06-30 23:30:00"
    assert str(row["starts_on"]) == "2026-07-01"


def test_no_reason_can_hold_a_value():
    rules = [rule for feed in staging.FEEDS for rule in staging_sql.rules(feed, reading=READING)]
    assert all("{" not in rule.reason and "%" not in rule.reason for rule in rules)


def test_a_column_speaks_of_itself_in_plain_words():
    assert staging_sql.label(Column(name="clinician_id", kind=Kind.IDENTIFIER, meaning="x")) == "clinician"
    assert staging_sql.label(Column(name="referred_on", kind=Kind.DATE, meaning="x")) == "referred"


def fates(con, *versions):
    """What becomes of versions of one clinician, each (file number, line, profession)."""
    con.execute(
        "CREATE OR REPLACE TABLE lines (file_number BIGINT, mapping BIGINT, source_line BIGINT, clinician_id VARCHAR, site VARCHAR,"
        " profession VARCHAR, started_on DATE, broken_rule VARCHAR)"
    )
    con.executemany(
        "INSERT INTO lines VALUES (?, 0, ?, 'K1', NULL, ?, NULL, NULL)", [list(version) for version in versions]
    )
    found = con.sql(staging_sql.repeated_lines(staging.CLINICIANS, lines="lines")).fetchall()
    return {(number, line): fate for number, _, line, fate in found}


def test_the_later_file_stands_and_the_earlier_version_is_superseded(con):
    assert fates(con, (1, 2, "trainee"), (2, 2, "counsellor")) == {(1, 2): "superseded", (2, 2): "accepted"}


def test_an_exact_repeat_is_identical_and_the_first_copy_stands(con):
    assert fates(con, (1, 2, "trainee"), (2, 2, "trainee")) == {(1, 2): "accepted", (2, 2): "identical"}


def test_a_version_that_comes_back_stands_again(con):
    assert fates(con, (1, 2, "a"), (2, 2, "b"), (3, 2, "a")) == {
        (1, 2): "superseded",
        (2, 2): "superseded",
        (3, 2): "accepted",
    }


def test_a_row_sent_once_needs_no_decision(con):
    assert fates(con, (1, 2, "a")) == {}
