"""What a proposal says, and what it leaves to the clinic rather than guess."""

import gzip
import io
import tomllib
import zipfile
from datetime import datetime, timedelta

import pytest
import xlsxwriter

from assets.service import read_service
from tests.assets.feeds.proposal.british_exports import core_net_like
from tests.assets.feeds.proposal.made_up_service import table

FIRST = datetime(2026, 1, 5, 10)  # noqa: DTZ001 -- a clinic's local time
BOOKED = ["appointment_id", "client_id", "clinician_id", "date", "time", "status"]


def booked(*, form="%d/%m/%Y", days=range(0, 300, 5), status=lambda _: "attended", header=BOOKED, clock="%H:%M"):
    """Appointments of ten clients and two clinicians."""
    rows = [
        (f"A{n:04d}", f"C{n % 10:03d}", f"K{n % 2}", (FIRST + timedelta(days=day)).strftime(form), FIRST.strftime(clock), status(n))
        for n, day in enumerate(days)
    ]  # fmt: skip
    return table(header, rows)


def phq(*, header=None, form="%d/%m/%Y", days=range(0, 300, 5), answers=lambda n, item: (n + item) % 4, count=9):
    """A questionnaire at each of those appointments."""
    rows = [
        (f"F{n}", f"C{n % 10:03d}", f"A{n:04d}", (FIRST + timedelta(days=day)).strftime(form), *(answers(n, item) for item in range(count)))
        for n, day in enumerate(days)
    ]  # fmt: skip
    return table(
        header or ["form_id", "client_id", "appointment_id", "completed_on", *(f"phq9_{k + 1}" for k in range(count))],
        rows,
    )


def settled(proposal, *words):
    """Whether one of the lines to settle has all of these words."""
    return any(all(word in line for word in words) for _, line in proposal.to_settle)


def test_a_day_format_is_decided_on_every_value(text_for):
    # Only the very last value tells day from month.
    days = [0] * 60 + [20]
    text = text_for({"appointments.csv": booked(days=days)}).text
    assert (
        'datetime_format = "%d/%m/%Y %H:%M"  # date: all 61 values read as day first, and 1 of them in no other way'
        in text
    )


def test_days_that_read_both_ways_are_told_and_not_guessed(text_for):
    proposal = text_for({"appointments.csv": booked(days=[0] * 60)})
    assert settled(proposal, "datetime_format", "reads both as", '"%d/%m/%Y %H:%M"', '"%m/%d/%Y %H:%M"')
    assert "datetime_format" not in tomllib.loads(proposal.text)["feeds"]["attendance"][0]


def test_days_that_read_both_ways_are_read_as_the_same_systems_other_files(text_for):
    proposal = text_for({"east/appointments.csv": booked(days=[0] * 60), "east/phq9.csv": phq()})
    assert 'datetime_format = "%d/%m/%Y %H:%M"' in proposal.text
    assert "east/phq9.csv of the same folder reads in this one way" in proposal.text
    assert not settled(proposal, "datetime_format")


def test_another_folder_does_not_tell(text_for):
    proposal = text_for({"west/appointments.csv": booked(days=[0] * 60), "east/phq9.csv": phq()})
    assert settled(proposal, "datetime_format", "reads both as")


def test_a_status_that_the_table_does_not_know_is_asked_for_and_its_lines_wait(text_for):
    proposal = text_for({"appointments.csv": booked(status=lambda n: ("attended", "Cancelled", "booked")[n % 3])})
    assert settled(proposal, 'Cancelled = ""', "20 lines", "cancelled_by_client, cancelled_by_clinic")
    assert not settled(proposal, "booked")
    assert "20 lines of appointments still to come" in proposal.text


def test_appointments_without_a_time_of_day_are_left_to_the_clinic(text_for):
    proposal = text_for({"appointments.csv": booked(header=[*BOOKED[:4], "room", "status"], clock="R1")})
    assert settled(proposal, "starts_at", "no column holds the time of day")


def test_two_columns_that_may_both_be_the_clinician_are_left_to_the_clinic(text_for):
    content = table(
        ["appointment_id", "client_id", "therapist_id", "clinician_id", "starts_at", "status"],
        [(n, n % 9, f"T{n % 3}", f"K{n % 2}", f"2026-01-{n % 27 + 1:02d} 10:00:00", "attended") for n in range(60)],
    )
    assert settled(
        text_for({"appointments.csv": content}), "clinician_id", "therapist_id or clinician_id: both may be it"
    )


def test_clients_by_their_nhs_number_are_not_mapped(text_for):
    proposal = text_for({"appointments.csv": booked().replace(b"C00", b"943 476 591")})
    assert ("appointments.csv", "client_id", "NHS numbers") in proposal.identifiers
    assert settled(proposal, "case_id", "seems to hold NHS numbers")
    assert "943" not in proposal.text


def test_items_without_a_name_are_a_measure_only_once_somebody_says_so(text_for):
    header = ["form_id", "client_id", "appointment_id", "completed_on", *(f"q{n}" for n in range(1, 10))]
    proposal = text_for({"appointments.csv": booked(), "answers.csv": phq(header=header)})
    assert settled(proposal, "no name says that these 9 columns are the PHQ-9")
    assert "outcomes" not in tomllib.loads(proposal.text)["feeds"]


def test_answers_that_a_measure_does_not_offer_are_not_that_measures(text_for):
    proposal = text_for({"appointments.csv": booked(), "phq9.csv": phq(answers=lambda n, item: (n + item) % 7 + 2)})
    assert ("phq9.csv", "nothing in it is what a night asks for") in proposal.left


def test_the_working_alliance_inventorys_two_scales_are_told_by_their_answers(text_for):
    header = ["form_id", "client_id", "appointment_id", "completed_on", *(f"wai_{n}" for n in range(1, 13))]
    for top, name in ((5, "WAI-SR"), (7, "WAI-S")):
        content = phq(header=header, count=12, answers=lambda n, item, top=top: (n + item) % top + 1)
        text = text_for({"appointments.csv": booked(), "wai.csv": content}).text
        assert f'instrument = "{name}"' in text


def test_a_tenth_question_beside_nine_items_is_left_out(text_for):
    text = text_for({"appointments.csv": booked(), "phq9.csv": phq(count=10)}).text
    assert 'items = "phq9_{n}"' in text
    assert 'instrument = "PHQ-9"' in text


def test_totals_that_never_leave_an_items_range_are_perhaps_means(text_for):
    content = table(
        ["form_id", "client_id", "appointment_id", "completed_on", "PHQ9 Total"],
        [(f"F{n}", f"C{n % 10:03d}", f"A{n:04d}", "2026-01-20", n % 4) for n in range(60)],
    )
    assert settled(text_for({"appointments.csv": booked(), "totals.csv": content}), "perhaps means of the items")


def test_first_and_last_totals_of_a_course_are_no_forms(text_for):
    content = table(["client_id", "phq9_first", "phq9_last"], [(f"C{n:03d}", n % 20, n % 10) for n in range(10)])
    assert ("ends.csv", "nothing in it is what a night asks for") in text_for({"ends.csv": content}).left


def test_later_drops_of_one_name_are_taken_by_one_glob_and_corrections_after_them(text_for):
    proposal = text_for(
        {
            "appointments_2026-11-01.csv": booked(),
            "appointments_2026-11-08.csv": booked(),
            "appointments_corrections_2026-11-09.csv": booked(days=range(3)),
        }
    )
    drops, corrections = tomllib.loads(proposal.text)["feeds"]["attendance"]
    assert drops["files"] == "appointments_????-??-??.csv"
    assert (corrections["files"], corrections["corrects"]) == ("appointments_corrections_????-??-??.csv", True)
    assert corrections["columns"] == drops["columns"]


def test_no_file_is_claimed_by_two_groups_of_a_feed(text_for, tmp_path):
    proposal = text_for({"a_2026.csv": booked(), "a_2026_x.csv": booked(header=[*BOOKED[:5], "outcome"])})
    files = [mapping["files"] for mapping in tomllib.loads(proposal.text)["feeds"]["attendance"]]
    assert sorted(files) == ["a_????.csv", "a_????_x.csv"]


def test_a_folder_is_a_site_where_there_are_several(text_for):
    feeds = tomllib.loads(text_for({"north/a.csv": booked(), "south/a.csv": booked()}).text)["feeds"]
    assert [mapping["constants"]["site"] for mapping in feeds["attendance"]] == ["north", "south"]


def test_what_is_no_table_is_said_to_be_none(text_for):
    assert ("notes.pdf", "it is no table") in text_for({"notes.pdf": b"%PDF-1.7"}).left


def test_an_empty_inbox_says_which_feeds_a_night_needs(text_for):
    proposal = text_for({})
    assert [line for _, line in proposal.to_settle if "no file is taken" in line] == [
        f"no file is taken for the {feed} feed, and a night needs one"
        for feed in ("attendance", "alliance", "outcomes")
    ]


def workbook(files):
    """A workbook with a sheet for each file."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        for name, text in files.items():
            sheet = book.add_worksheet(name.partition(".")[0])
            for at, line in enumerate(text.decode().splitlines()):
                sheet.write_row(at, 0, line.split(","))
    return content.getvalue()


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


@pytest.mark.parametrize(
    "packed",
    [
        lambda files: {"export.xlsx": workbook(files)},
        lambda files: {"export_2026-11-20.zip": zipped(files)},
        lambda files: {f"{name}.gz": gzip.compress(text) for name, text in files.items()},
    ],
    ids=["workbook", "zip", "gzip"],
)
def test_sheets_archives_and_packed_files_are_mapped_as_plain_ones(packed, proposed, tmp_path):
    export = core_net_like()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name, content in packed(export.files).items():
        (inbox / name).write_bytes(content)
    true = tmp_path / "true.toml"
    true.write_text(export.truth, encoding="utf-8")
    ours, theirs = (read_service(file).feeds for file in (proposed(inbox)[1], true))
    for feed, mappings in theirs.items():
        (mapping,), (found,) = mappings, ours[feed]
        assert (found.columns, found.constants, found.items, found.words) == (
            mapping.columns, mapping.constants, mapping.items, mapping.words,
        )  # fmt: skip


def test_a_sessions_number_is_not_taken_for_an_appointment_that_has_the_same_digits(text_for):
    visits = table(
        ["appointment_id", "client_id", "clinician_id", "starts_at", "status"],
        [(n, f"C{n % 10:03d}", f"K{n % 2}", f"2026-01-{n % 27 + 1:02d} 10:00:00", "attended") for n in range(60)],
    )
    forms = table(
        ["form_id", "client_id", "session", "completed_on", *(f"phq9_{n}" for n in range(1, 10))],
        [(f"F{n}", f"C{n % 10:03d}", n // 10 + 1, "2026-01-28", *[n % 4] * 9) for n in range(60)],
    )
    proposal = text_for({"visits.csv": visits, "phq9.csv": forms})
    assert settled(proposal, "appointment_id", "perhaps a session's number")


def test_a_column_of_yes_is_no_status_unless_it_is_called_one(text_for):
    content = table(
        ["invoice_id", "client_id", "date", "time", "paid"],
        [(n, f"C{n % 10:03d}", f"2026-01-{n % 27 + 1:02d}", "10:00", "yes") for n in range(60)],
    )
    assert ("invoices.csv", "nothing in it is what a night asks for") in text_for({"invoices.csv": content}).left


def test_clinicians_that_the_list_does_not_have_are_looked_at(text_for):
    staff = table(["clinician_id", "profession"], [(f"X{n}", "counsellor") for n in range(12)])
    proposal = text_for({"appointments.csv": booked(), "staff.csv": staff})
    assert settled(proposal, "clinician_id", "only 0 of 2 are among the clinicians that are sent")


def test_a_questionnaire_that_is_not_known_is_no_list_of_episodes(text_for):
    header = ["id", "client_id", "clinician_id", "date_completed", *(f"ghq{n}" for n in range(1, 13))]
    rows = [(f"G{n}", f"C{n % 10:03d}", f"K{n % 2}", f"2026-01-{n % 27 + 1:02d}", *[n % 4] * 12) for n in range(60)]
    assert ("ghq.csv", "nothing in it is what a night asks for") in text_for({"ghq.csv": table(header, rows)}).left
