from pathlib import Path

import pytest

from assets.feeds.wrong_input import WrongInput
from tests.assets.staging_harness import CONFIG, DATA_DATE, SMALL_EXPORT, Clinic

BOOKED, SRS, LONG = SMALL_EXPORT["booked.csv"], SMALL_EXPORT["srs.csv"], SMALL_EXPORT["long.csv"]


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    small = Clinic(tmp_path)
    small.sends_the_small_export()
    return small


def wrong(clinic: Clinic) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        clinic.stage()
    assert "\n" not in str(caught.value)
    return caught.value


def header(text: str) -> str:
    return text.splitlines(keepends=True)[0]


def test_an_export_without_a_fault_is_accepted_whole(clinic):
    staged = clinic.stage()
    assert staged.refusals == ()
    assert {fates[1:] for fates in staged.accounts.values()} == {(0, 0, 0, 0)}


def test_a_long_form_becomes_one_row_with_its_answers_in_order(clinic):
    clinic.sends("long.csv", header(LONG) + "".join(reversed(LONG.splitlines(keepends=True)[1:])))
    assert clinic.stage().row("outcomes", rating_id="O1")["items"] == [5.1, 4.6, 7.3, 4.9]


def test_the_same_file_under_another_name_is_identical_line_by_line(clinic):
    clinic.sends("booked_corrections_2026-11-01.csv", BOOKED)
    assert clinic.stage().account("booked_corrections_2026-11-01.csv") == (0, 0, 0, 4, 0)


@pytest.mark.parametrize("name", ["booked_corrections_2026-11-01.csv", "booked_corrections_a.csv"])
def test_a_correction_stands_whichever_name_comes_first(clinic, name):
    clinic.sends(name, header(BOOKED) + "A3,C2,K1,2026-03-10 11:00:00,attended,55\n")
    staged = clinic.stage()
    assert staged.account("booked.csv") == (3, 0, 1, 0, 0)
    assert staged.row("attendance", appointment_id="A3")["status"] == "attended"


def test_of_two_corrections_the_later_dated_one_stands(clinic):
    clinic.sends("booked_corrections_2026-11-02.csv", header(BOOKED) + "A3,C2,K1,2026-03-10 11:00:00,late_not_seen,\n")
    clinic.sends("booked_corrections_2026-11-01.csv", header(BOOKED) + "A3,C2,K1,2026-03-10 11:00:00,attended,55\n")
    staged = clinic.stage()
    assert staged.row("attendance", appointment_id="A3")["status"] == "late_not_seen"
    assert staged.account("booked_corrections_2026-11-01.csv") == (0, 0, 1, 0, 0)


def test_a_refused_correction_leaves_what_it_would_have_corrected(clinic):
    clinic.sends("booked_corrections_a.csv", header(BOOKED) + "A1,C1,K1,2026-03-02 10:00:00,attended,-5\n")
    staged = clinic.stage()
    assert staged.rules("booked_corrections_a.csv") == [(2, "duration_minutes_out_of_range")]
    assert staged.row("attendance", appointment_id="A1")["duration_minutes"] == 50


def test_a_correction_of_a_refused_row_is_accepted(clinic):
    clinic.sends("booked.csv", BOOKED + "A5,C2,K1,2026-03-24 11:00:00,attended,-5\n")
    clinic.sends("booked_corrections_a.csv", header(BOOKED) + "A5,C2,K1,2026-03-24 11:00:00,attended,50\n")
    staged = clinic.stage()
    assert staged.account("booked.csv") == (4, 1, 0, 0, 0)
    assert staged.row("attendance", appointment_id="A5")["duration_minutes"] == 50


def test_one_corrected_answer_of_a_long_form_replaces_that_answer_alone(clinic):
    clinic.sends("long.csv", LONG + "O1,C1,A1,2026-03-02,ORS,2,9.9\n")
    staged = clinic.stage()
    assert staged.account("long.csv") == (4, 0, 1, 0, 0)
    assert staged.row("outcomes", rating_id="O1")["items"] == [5.1, 9.9, 7.3, 4.9]


def test_a_form_whose_lines_name_two_people_is_refused_whole(clinic):
    clinic.sends("long.csv", LONG.replace("O1,C1,A1,2026-03-02,ORS,4", "O1,C2,,2026-03-02,ORS,4"))
    staged = clinic.stage()
    assert staged.rules("long.csv") == [(line, "form_lines_disagree") for line in (2, 3, 4, 5)]
    assert staged.row("outcomes", rating_id="O1") is None


def test_a_form_of_a_refused_appointment_is_refused_with_it(clinic):
    clinic.sends("booked.csv", BOOKED.replace("A1,C1,K1,2026-03-02", "A1,C1,K1,2026-13-02"))
    staged = clinic.stage()
    assert staged.rules("srs.csv") == [(2, "appointment_unknown")]


def test_a_refused_row_is_judged_again_every_night_and_admitted_once_its_clinician_is_known(clinic):
    clinic.sends("booked.csv", BOOKED + "A5,C2,K2,2026-03-24 11:00:00,attended,50\n")
    assert clinic.stage().rules("booked.csv") == [(6, "clinician_unknown")]
    clinic.sends("clinicians.csv", SMALL_EXPORT["clinicians.csv"] + "K2,north,2020-01-01\n")
    staged = clinic.stage()
    assert staged.fates["booked.csv", 6] == "accepted"


def test_a_second_night_on_the_same_inbox_changes_nothing(clinic):
    first, second = clinic.stage(), clinic.stage()
    assert (first.accounts, first.tables) == (second.accounts, second.tables)


def test_a_spoilt_file_stops_the_night_until_a_whole_one_of_its_name_has_come(clinic):
    clinic.sends("booked.csv", BOOKED.replace("status", "state"))
    assert wrong(clinic).place == "feeds.attendance[0].columns.status"
    assert wrong(clinic).place == "feeds.attendance[0].columns.status"
    clinic.sends("booked.csv", BOOKED)
    staged = clinic.stage()
    assert staged.account("booked.csv") == (4, 4, 0, 0, 0)
    assert {refusal.rule for refusal in staged.refusals} == {"file_replaced"}


def test_a_spoilt_parquet_file_stops_the_night_until_a_whole_one_of_its_name_has_come(clinic):
    whole = (clinic.inbox / "totals.parquet").read_bytes()
    clinic.sends("totals.parquet", whole[: len(whole) // 2])
    assert wrong(clinic).place == "totals.parquet"
    clinic.sends("totals.parquet", whole)
    assert clinic.stage().account("totals.parquet") == (1, 0, 0, 0, 0)


def many_appointments(day: str) -> str:
    return header(BOOKED) + "".join(f"B{n},C1,K1,{day} {n % 9 + 9}:00:00,attended,50\n" for n in range(30))


def test_dates_in_another_form_than_the_configuration_says_are_named_by_their_key(clinic):
    clinic.sends("booked.csv", BOOKED + many_appointments("25/03/2026").split("\n", 1)[1])
    complaint = wrong(clinic)
    assert complaint.place == "feeds.attendance[0].datetime_format"
    assert '30 of 34 lines of booked.csv can\'t be read with "%Y-%m-%d %H:%M:%S"' in complaint.what


def test_days_and_months_the_wrong_way_round_are_noticed_where_days_go_beyond_twelve(clinic):
    clinic.config = CONFIG.replace('"%d/%m/%Y"', '"%m/%d/%Y"')
    rows = [f"S{day};C1;;{day:02}/03/2026;8;8;8;8\n" for day in range(1, 31)]
    clinic.sends("srs.csv", header(SRS) + "".join(rows))
    assert wrong(clinic).place == "feeds.alliance[0].date_format"


def test_decimal_marks_in_another_form_than_the_configuration_says_are_named_by_their_key(clinic):
    clinic.config = CONFIG.replace('decimal = ","\n', "")
    clinic.sends("srs.csv", header(SRS) + "".join(f"S{n};C1;A1;02/03/2026;8,1;8;8;8\n" for n in range(12)))
    assert wrong(clinic).place == "feeds.alliance[0].decimal"


def test_a_few_wrong_dates_are_refused_and_stop_nothing(clinic):
    clinic.sends("booked.csv", many_appointments("2026-03-25") + "A1,C1,K1,25/03/2026 9:00,attended,50\n")
    staged = clinic.stage()
    assert staged.account("booked.csv") == (30, 1, 0, 0, 0)


def test_no_reason_repeats_what_was_sent(clinic):
    clinic.sends(
        "booked.csv", BOOKED + "A5,C2,K1,secret,attended,50\nA6,secret\nA7,C2,K1,2026-03-24 11:00:00,secret,\n"
    )
    told = " ".join(f"{refusal.rule} {refusal.reason}" for refusal in clinic.stage().refusals)
    assert told
    assert "secret" not in told


def test_an_export_of_headers_alone_is_staged_as_nothing(clinic):
    for name, text in SMALL_EXPORT.items():
        clinic.sends(name, header(text))
    clinic.sends_parquet("totals.parquet", f"FROM '{clinic.inbox / 'totals.parquet'}' WHERE false")
    assert set(clinic.stage().accounts.values()) == {(0, 0, 0, 0, 0)}


def test_the_data_date_is_the_nights_own(clinic):
    clinic.sends(
        "booked.csv", BOOKED + f"A5,C2,K1,{DATA_DATE} 11:00:00,attended,50\nA6,C2,K1,2026-11-21 11:00:00,attended,5\n"
    )
    assert clinic.stage().rules("booked.csv") == [(7, "starts_at_after_data_date")]


def test_two_forms_side_by_side_in_a_line_are_judged_each_by_itself(clinic):
    mapping = """
[[feeds.outcomes]]
files = "both.csv"
columns = { rating_id = "form", client_id = "client", completed_on = "on" }
constants = { rater = "client", instrument = "%s" }
total = "%s"
"""
    clinic.config = CONFIG + mapping % ("PHQ-9", "phq") + mapping % ("GAD-7", "gad")
    clinic.sends(
        "both.csv",
        "form,client,on,phq,gad\nB1,C1,2026-03-02,5,6\nB2,C1,2026-03-02,50,6\nB3,C1,2026-03-02,50,60\nB4,C1\n",
    )
    staged = clinic.stage()
    # Read for two forms, each line counts twice; the one that is no record is told by the first.
    assert staged.account("both.csv") == (3, 4, 0, 0, 0)
    assert staged.row("outcomes", rating_id="B2")["instrument"] == "GAD-7"
