"""The fault corpus, rows: what record systems, spreadsheets and tired people put into a line, and where the line went.

All faulty lines are staged in one night, each at the end of its file, so that one line's fault must not touch another.
"""

from pathlib import Path

import pytest

from tests.assets.staging_harness import SMALL_EXPORT, Clinic, Staged

# File, a line of it, and the rule that refuses it, or what else becomes of it.
ROWS = {
    "the 29th of February in a leap year": ("booked.csv", "L1,C1,K1,2024-02-29 10:00:00,attended,50", "accepted"),
    "the 29th of February in another year": ("booked.csv", "L2,C1,K1,2026-02-29 10:00:00,attended,50", "starts_at_unreadable"),
    "the 29th of February in 1900": ("episodes.csv", "L3,C1,K1,,1900-02-29,,", "started_on_unreadable"),
    "the 31st of April": ("booked.csv", "L4,C1,K1,2026-04-31 10:00:00,attended,50", "starts_at_unreadable"),
    "the 13th month": ("booked.csv", "L5,C1,K1,2026-13-01 10:00:00,attended,50", "starts_at_unreadable"),
    "an hour that the clocks skipped": ("booked.csv", "L6,C1,K1,2026-03-29 01:30:00,attended,50", "accepted"),
    "an hour that the clocks repeated": ("booked.csv", "L7,C1,K1,2025-10-26 01:30:00,attended,50", "accepted"),
    "midnight in summer": ("booked.csv", "L8,C1,K1,2026-07-01 00:00:00,attended,50", "accepted"),
    "midnight as hour 24": ("booked.csv", "L9,C1,K1,2026-06-30 24:00:00,attended,50", "starts_at_unreadable"),
    "a 61st second": ("booked.csv", "L10,C1,K1,2026-06-30 23:59:60,attended,50", "starts_at_unreadable"),
    "year 1": ("booked.csv", "L11,C1,K1,0001-01-01 10:00:00,attended,50", "starts_at_too_early"),
    "year 0": ("booked.csv", "L12,C1,K1,0000-01-01 10:00:00,attended,50", "starts_at_too_early"),
    "year 9999": ("booked.csv", "L13,C1,K1,9999-12-31 23:59:59,attended,50", "starts_at_after_data_date"),
    "a year of five digits": ("booked.csv", "L14,C1,K1,29999-01-01 10:00:00,attended,50", "starts_at_unreadable"),
    "a year of two digits": ("booked.csv", "L15,C1,K1,26-03-02 10:00:00,attended,50", "starts_at_too_early"),
    "the day after the data date": ("booked.csv", "L16,C1,K1,2026-11-21 00:00:00,attended,50", "starts_at_after_data_date"),
    "the last minute of the data date": ("booked.csv", "L17,C1,K1,2026-11-20 23:59:00,attended,50", "accepted"),
    "the day before the first possible day": ("booked.csv", "L18,C1,K1,2014-12-31 23:59:00,attended,50", "starts_at_too_early"),
    "a date without a time": ("booked.csv", "L19,C1,K1,2026-03-02,attended,50", "starts_at_unreadable"),
    "a date in another form": ("booked.csv", "L20,C1,K1,02/03/2026 10:00,attended,50", "starts_at_unreadable"),
    "a T between date and time": ("booked.csv", "L21,C1,K1,2026-03-02T10:00:00,attended,50", "starts_at_unreadable"),
    "a time with a zone": ("booked.csv", "L22,C1,K1,2026-03-02 10:00:00+01,attended,50", "starts_at_unreadable"),
    "a spreadsheet's number for a date": ("booked.csv", "L23,C1,K1,46083.4166,attended,50", "starts_at_unreadable"),
    "the word infinity for a date": ("episodes.csv", "L24,C1,K1,,infinity,,", "started_on_too_early"),
    "the word epoch for a date": ("episodes.csv", "L25,C1,K1,,,epoch,", "ended_on_too_early"),
    "1900-01-01 for no date": ("episodes.csv", "L26,C1,K1,,2026-01-01,1900-01-01,", "ended_on_too_early"),
    "the word now for a date": ("episodes.csv", "L27,C1,K1,,now,,", "started_on_unreadable"),
    "an ending after the data date": ("episodes.csv", "L28,C1,K1,,2026-01-01,2027-01-01,", "ended_on_after_data_date"),
    "digits of another script": ("booked.csv", "L29,C1,K1,٢٠٢٦-03-02 10:00:00,attended,50", "starts_at_unreadable"),
    "a negative number": ("booked.csv", "N1,C1,K1,2026-04-01 10:00:00,attended,-50", "duration_minutes_out_of_range"),
    "nought minutes": ("booked.csv", "N2,C1,K1,2026-04-01 10:00:00,attended,0", "duration_minutes_out_of_range"),
    "a fraction of a minute": ("booked.csv", "N3,C1,K1,2026-04-01 10:00:00,attended,50.5", "duration_minutes_unreadable"),
    "a whole number with a point": ("booked.csv", "N4,C1,K1,2026-04-01 10:00:00,attended,50.0", "accepted"),
    "a number in scientific notation": ("booked.csv", "N5,C1,K1,2026-04-01 10:00:00,attended,5e1", "accepted"),
    "a number with a unit": ("booked.csv", "N6,C1,K1,2026-04-01 10:00:00,attended,50 min", "duration_minutes_unreadable"),
    "a hexadecimal number": ("booked.csv", "N7,C1,K1,2026-04-01 10:00:00,attended,0x32", "duration_minutes_unreadable"),
    "an underscore within a number": ("booked.csv", "N8,C1,K1,2026-04-01 10:00:00,attended,5_0", "duration_minutes_unreadable"),
    "a number beyond 64 bits": ("booked.csv", "N9,C1,K1,2026-04-01 10:00:00,attended,99999999999999999999", "duration_minutes_unreadable"),
    "no number": ("booked.csv", "N10,C1,K1,2026-04-01 10:00:00,attended,nan", "duration_minutes_unreadable"),
    "a comma for thousands": ("booked.csv", 'N11,C1,K1,2026-04-01 10:00:00,attended,"1,050"', "duration_minutes_unreadable"),
    "a quoted number": ("booked.csv", 'N12,C1,K1,2026-04-01 10:00:00,attended,"50"', "accepted"),
    "a number with a quote in it": ("booked.csv", 'N13,C1,K1,2026-04-01 10:00:00,attended,5"0', "duration_minutes_unreadable"),
    "a no-break space within a number": ("booked.csv", "N14,C1,K1,2026-04-01 10:00:00,attended,1\u00a0050", "duration_minutes_unreadable"),
    "a status that is not mapped": ("booked.csv", "W1,C1,K1,2026-04-02 10:00:00,attended?,50", "status_unknown_word"),
    "a status in capitals": ("booked.csv", "W2,C1,K1,2026-04-02 10:00:00,ATTENDED,50", "status_unknown_word"),
    "a status with a soft hyphen": ("booked.csv", "W3,C1,K1,2026-04-02 10:00:00,atten\u00added,50", "status_unknown_word"),
    "no status": ("booked.csv", "W4,C1,K1,2026-04-02 10:00:00,,50", "status_missing"),
    "no client": ("booked.csv", "W5,,K1,2026-04-02 10:00:00,attended,50", "case_id_missing"),
    "no id": ("booked.csv", ",C1,K1,2026-04-02 10:00:00,attended,50", "appointment_id_missing"),
    "a clinician whom nobody describes": ("booked.csv", "W6,C1,K9,2026-04-02 10:00:00,attended,50", "clinician_unknown"),
    "a client whom nobody describes": ("booked.csv", "W7,C9,K1,2026-04-02 10:00:00,attended,50", "accepted"),
    "an exact repeat": ("booked.csv", "A1,C1,K1,2026-03-02 10:00:00,attended,50", "identical"),
    "a total beyond the form": ("phq9.csv", "F1,C1,,2026-03-02,PHQ-9,client,28", "total_out_of_range"),
    "a total below nought": ("phq9.csv", "F2,C1,,2026-03-02,PHQ-9,client,-1", "total_out_of_range"),
    "a total that is no number": ("phq9.csv", "F3,C1,,2026-03-02,PHQ-9,client,n/a", "total_unreadable"),
    "a total of infinity": ("phq9.csv", "F4,C1,,2026-03-02,PHQ-9,client,inf", "total_unreadable"),
    "a total of nan": ("phq9.csv", "F5,C1,,2026-03-02,PHQ-9,client,nan", "total_unreadable"),
    "a total beyond all numbers": ("phq9.csv", "F18,C1,,2026-03-02,PHQ-9,client,1e400", "total_out_of_range"),
    "answers beyond all numbers": ("srs.csv", "G8;C1;;02/03/2026;1e400;-1e400;1e308;5", "answers_out_of_range"),
    "a total with a decimal comma": ("phq9.csv", 'F6,C1,,2026-03-02,PHQ-9,client,"12,0"', "total_unreadable"),
    "a form without a total": ("phq9.csv", "F7,C1,,2026-03-02,PHQ-9,client,", "accepted"),
    "an instrument that nobody knows": ("phq9.csv", "F8,C1,,2026-03-02,PHQ-8000,client,5", "instrument_unknown"),
    "an alliance form among the outcomes": ("phq9.csv", "F9,C1,,2026-03-02,SRS,client,30", "instrument_unknown"),
    "a rater whom the form does not have": ("phq9.csv", "F10,C1,,2026-03-02,PHQ-9,observer,5", "rater_not_allowed"),
    "a rater that is no word of ours": ("phq9.csv", "F11,C1,,2026-03-02,PHQ-9,parent,5", "rater_unknown_word"),
    "an appointment that nobody booked": ("phq9.csv", "F12,C1,A99,2026-03-02,PHQ-9,client,5", "appointment_unknown"),
    "another case's appointment": ("phq9.csv", "F13,C1,A4,2026-03-17,PHQ-9,client,5", "appointment_of_another_case"),
    "a form for a missed appointment": ("phq9.csv", "F14,C2,A3,2026-03-10,PHQ-9,client,5", "appointment_not_attended"),
    "a form of a refused appointment": ("phq9.csv", "F15,C1,N1,2026-04-01,PHQ-9,client,5", "appointment_unknown"),
    "a form completed after the data date": ("phq9.csv", "F16,C1,,2027-03-02,PHQ-9,client,5", "completed_on_after_data_date"),
    "a form completed before the service began": ("phq9.csv", "F17,C1,,2014-03-02,PHQ-9,client,5", "completed_on_too_early"),
    "an answer beyond the form": ("srs.csv", "G1;C1;;02/03/2026;10,1;5;5;5", "answers_out_of_range"),
    "an answer finer than the form": ("srs.csv", "G2;C1;;02/03/2026;8,15;5;5;5", "answers_out_of_range"),
    "a decimal point among decimal commas": ("srs.csv", "G3;C1;;02/03/2026;8.1;5,5;5;5", "accepted"),
    "a point for thousands and a decimal comma": ("srs.csv", "G4;C1;;02/03/2026;1.000,5;5;5;5", "answers_unreadable"),
    "an answer in words": ("srs.csv", "G5;C1;;02/03/2026;eight;5;5;5", "answers_unreadable"),
    "a form with nothing answered": ("srs.csv", "G6;C1;;02/03/2026;;;;", "accepted"),
    "a word where a form's day belongs": ("srs.csv", "G7;C1;;Monday;5;5;5;5", "completed_on_unreadable"),
    "an item twice with two answers": ("long.csv", "O1,C1,A1,2026-03-02,ORS,4,9.9", "accepted"),
    "an item twice with the same answer": ("long.csv", "O1,C1,A1,2026-03-02,ORS,3,7.3", "identical"),
    "an item number beyond the form": ("long.csv", "O1,C1,A1,2026-03-02,ORS,5,5", "item_number_unknown"),
    "an item number of nought": ("long.csv", "O1,C1,A1,2026-03-02,ORS,0,5", "item_number_unknown"),
    "an item number between two items": ("long.csv", "O1,C1,A1,2026-03-02,ORS,1.6,5", "item_number_unknown"),
    "no item number": ("long.csv", "O1,C1,A1,2026-03-02,ORS,,5", "item_number_unknown"),
    "an item's answer beyond the form": ("long.csv", "O2,C1,A1,2026-03-02,ORS,1,11", "answers_out_of_range"),
    "a long form with one item": ("long.csv", "O3,C1,A2,2026-03-09,ORS,2,5", "accepted"),
    "a decile of eleven": ("people.csv", "C3,30-39,female,11", "deprivation_decile_out_of_range"),
    "nothing but an id": ("people.csv", "C4,,,", "accepted"),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """One night in which every line of ROWS came at the end of its file."""
    clinic = Clinic(tmp_path_factory.mktemp("rows"))
    clinic.sends_the_small_export()
    for name, text in SMALL_EXPORT.items():
        added = [line for file, line, _ in ROWS.values() if file == name]
        encoding = "cp1252" if name == "srs.csv" else "utf-8"
        clinic.sends(name, (text + "".join(f"{line}\n" for line in added)).encode(encoding))
    return clinic.stage()


def line_of(name: str) -> tuple[str, int]:
    file = ROWS[name][0]
    before = [other for other in ROWS if ROWS[other][0] == file]
    return file, len(SMALL_EXPORT[file].splitlines()) + before.index(name) + 1


@pytest.mark.parametrize("name", ROWS)
def test_a_faulty_line_meets_its_fate_and_no_other(rows, name):
    file, line = line_of(name)
    refused = {refusal.line: refusal.rule for refusal in rows.refusals if refusal.file == file}
    assert refused.get(line, rows.fates[file, line]) == ROWS[name][2]


def test_the_lines_beside_the_faulty_ones_are_accepted_or_corrected(rows):
    fates = {
        (name, line): rows.fates[name, line]
        for name, text in SMALL_EXPORT.items()
        for line in range(2, len(text.splitlines()) + 1)
    }
    superseded = {place for place, fate in fates.items() if fate != "accepted"}
    assert superseded == {("long.csv", 5)}


def test_no_reason_repeats_a_value(rows):
    said = {f"{refusal.rule} {refusal.reason}" for refusal in rows.refusals}
    values = {value for _, line, _ in ROWS.values() for value in line.replace(";", ",").split(",")}
    sent = {value for value in values if len(value) > 2 and any(letter.isdigit() for letter in value)}
    words = {word.strip(",.'\"") for sentence in said for word in sentence.split()}
    assert words & sent == set()


def test_an_hour_that_the_clocks_skipped_is_read_as_the_hour_after(rows):
    found = rows.row("attendance", appointment_id="L6")
    assert (str(found["starts_at"]), str(found["starts_on"])) == ("2026-03-29 01:30:00", "2026-03-29")


def test_an_hour_that_the_clocks_repeated_is_read_as_the_second_of_the_two(rows):
    found = rows.row("attendance", appointment_id="L7")
    assert (str(found["starts_at"]), str(found["starts_on"])) == ("2025-10-26 01:30:00", "2025-10-26")


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    small = Clinic(tmp_path)
    small.sends_the_small_export()
    return small


# The one row of the Parquet file, column by column, and its rule or the score that it comes to.
PARQUET = {
    "a whole number as text": ({"total": "'12'"}, 12.0),
    "a number of decimals": ({"total": "CAST(12.5 AS DECIMAL(9, 1))"}, 12.5),
    "a total of NaN": ({"total": "'nan'::DOUBLE"}, "total_unreadable"),
    "a total as a list": ({"total": "[12]"}, "total_unreadable"),
    "a total as a yes": ({"total": "true"}, "total_unreadable"),
    "a day as text": ({'"on"': "'2026-03-02'"}, 12.0),
    "a day as a moment": ({'"on"': "TIMESTAMP '2026-03-02 10:00:00'"}, 12.0),
    "a day as a number": ({'"on"': "20260302"}, "completed_on_unreadable"),
    "a day beyond the calendar": ({'"on"': "DATE '290000-01-01'"}, "completed_on_unreadable"),
    "an id as bytes": ({"client": "'C1'::BLOB"}, 12.0),
    "an id as a structure": ({"booked": "{'id': 'A1'}"}, "appointment_unknown"),
    "an id that is missing": ({"form": "CAST(NULL AS VARCHAR)"}, "rating_id_missing"),
    "an id of spaces": ({"form": "'  '"}, "rating_id_missing"),
    "a column of nothing": ({"total": "NULL"}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", PARQUET)
def test_a_parquet_row_of_other_types_is_read_or_refused(clinic, name):
    changed, expected = PARQUET[name]
    good = {
        "form": "'T1'",
        "client": "'C1'",
        "booked": "'A1'",
        '"on"': "DATE '2026-03-02'",
        "measure": "'CSI-4'",
        "total": "12",
    }
    clinic.sends_parquet(
        "totals.parquet", "SELECT " + ", ".join(f"{sql} AS {column}" for column, sql in (good | changed).items())
    )
    staged = clinic.stage()
    if isinstance(expected, str):
        assert staged.rules("totals.parquet") == [(1, expected)]
    else:
        assert staged.row("outcomes", rating_id="T1")["total"] == expected


def test_a_parquet_file_without_a_row_is_read(clinic):
    clinic.sends_parquet("totals.parquet", f"FROM '{clinic.inbox / 'totals.parquet'}' WHERE false")
    assert clinic.stage().account("totals.parquet") == (0, 0, 0, 0, 0)
