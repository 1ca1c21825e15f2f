"""The fault corpus: what record systems, spreadsheets and tired people send, and where every line of it went.

Three kinds of fault. A fault of a file's form is planted in a file of its own; a fault of a row in a line of its own;
each kind is staged in one night, so that one fault must not touch another's lines. What stops a night stops it with one line.
"""

import gzip
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from assets.feeds import landing
from assets.feeds.wrong_input import WrongInput
from tests.assets.staging_harness import CONFIG, SMALL_EXPORT, Clinic, Staged

HEAD = "who,site,since\n"
ROW = "@1,north,2019-05-01\n"


@dataclass(frozen=True)
class Fault:
    """A file of clinicians: its text (`@` begins each id), what becomes of its lines, and how it is mapped."""

    text: str
    accepted: int
    refused: tuple[tuple[int, str], ...] = ()
    superseded: int = 0
    identical: int = 0
    blank: int = 0
    encoding: str = "utf-8"
    keys: str = ""
    sites: tuple[str | None, ...] = field(default=("north",))


FILES = {
    "a byte order mark": Fault("\ufeff" + HEAD + ROW, 1),
    "a byte order mark before a quoted header": Fault('\ufeff"who","site","since"\n' + ROW, 1),
    "UTF-16 with its mark": Fault(HEAD + ROW, 1, encoding="utf-16", keys='encoding = "utf-16"'),
    "UTF-16 without a mark": Fault(HEAD + ROW, 1, encoding="utf-16-le", keys='encoding = "utf-16-le"'),
    "UTF-32": Fault(HEAD + ROW, 1, encoding="utf-32", keys='encoding = "utf-32"'),
    "Windows-1252": Fault(HEAD + "@1,Zürich – Süd,\n", 1, encoding="cp1252", keys='encoding = "cp1252"', sites=("Zürich – Süd",)),
    "Latin-2": Fault(HEAD + "@1,Łódź,\n", 1, encoding="iso8859-2", keys='encoding = "iso8859-2"', sites=("Łódź",)),
    "carriage returns and line feeds": Fault((HEAD + ROW).replace("\n", "\r\n"), 1),
    "carriage returns alone": Fault((HEAD + ROW).replace("\n", "\r"), 1),
    "three kinds of line end": Fault("who,site,since\r\n@1,north,\r@2,north,\n@3,north,", 3, sites=("north",) * 3),
    "no line end at the end": Fault((HEAD + ROW).rstrip(), 1),
    "a header alone": Fault(HEAD, 0, sites=()),
    "a header alone without its line end": Fault(HEAD.rstrip(), 0, sites=()),
    "nothing at all": Fault("", 0, sites=()),
    "blank lines alone": Fault("\n \n\n", 0, blank=3, sites=()),
    "blank lines before the header": Fault("\n\n" + HEAD + ROW, 1, blank=2),
    "blank lines among the records": Fault(HEAD + "\n@1,north,\n \n\n@2,south,\n\n", 2, blank=4, sites=("north", "south")),
    "lines of delimiters alone": Fault(HEAD + ",,\n" + ROW, 1, ((2, "clinician_id_missing"),)),
    "a line that is too short": Fault(HEAD + "@0,north\n" + ROW, 1, ((2, "too_few_columns"),)),
    "a line that is too long": Fault(HEAD + "@0,north,2019-05-01,x\n" + ROW, 1, ((2, "too_many_columns"),)),
    "a line that breaks off": Fault(HEAD + ROW + "@2,nor", 1, ((3, "too_few_columns"),)),
    "a delimiter at the end of every line": Fault("who,site,since,\n@1,north,2019-05-01,\n", 1),
    "delimiters at the ends of records alone": Fault(HEAD + "@1,north,2019-05-01,,\n", 1),
    "a quote that is never closed": Fault(HEAD + '@0,"north,2019-05-01\n' + ROW, 1, ((2, "open_quote"),)),
    "a quote that is never closed, at the end": Fault(HEAD + ROW + '@2,north,"2019-05-01', 1, ((3, "open_quote"),)),
    "text after a closing quote": Fault(HEAD + '@0,"north"x,2019-05-01\n' + ROW, 1, ((2, "stray_quote"),)),
    "a doubled quote": Fault(HEAD + '@1,"the ""old"" house",\n', 1, sites=('the "old" house',)),
    "a quote within a value": Fault(HEAD + '@1,6" gauge,\n', 1, sites=('6" gauge',)),
    "a delimiter within quotes": Fault(HEAD + '@1,"north, upper",\n', 1, sites=("north, upper",)),
    "a line end within quotes": Fault(HEAD + '@1,"north\nupper",\n@2,south,\n', 2, sites=("north\nupper", "south")),
    "an empty value in quotes": Fault(HEAD + '@1,"",""\n', 1, sites=(None,)),
    "a record within quotes": Fault(HEAD + '"@0,north,2019-05-01"\n' + ROW, 1, ((2, "too_few_columns"),)),
    "single quotes": Fault(HEAD + "@1,'north',\n", 1, sites=("'north'",)),
    "a backslash before a quote": Fault(HEAD + '@0,"north\\" upper",\n' + ROW, 1, ((2, "stray_quote"),)),
    "spaces around values and names": Fault(" who , site , since \n @1 , north , 2019-05-01 \n", 1),
    "spaces before a quote": Fault(HEAD + '@1,  "north"  ,2019-05-01\n', 1),
    "tabs and no-break spaces around values": Fault(HEAD + "\u00a0@1\t,\u202fnorth\u00a0,\u00a02019-05-01\n", 1),
    "a no-break space as a value": Fault(HEAD + "@1,\u00a0,\n", 1, sites=(None,)),
    "a NUL": Fault(HEAD + "@0,no\0rth,\n" + ROW, 1, ((2, "nul_character"),)),
    "a line of NULs at the end": Fault(HEAD + ROW + "\0" * 512, 1, ((3, "nul_character"),)),
    "vertical tabs, form feeds and separators of Unicode": Fault(
        HEAD + "@1,a\x0b\x0c\x1c\x85\u2028\u2029z,\n", 1, sites=("a\x0b\x0c\x1c\x85\u2028\u2029z",)
    ),
    "an emoji of several characters": Fault(HEAD + "@1,👩🏽\u200d⚕️ north,\n", 1, sites=("👩🏽\u200d⚕️ north",)),
    "text from right to left": Fault(HEAD + "@1,\u202eשלום\u202c,\n", 1, sites=("\u202eשלום\u202c",)),
    "letters built from two characters": Fault(HEAD + "@1,Zu\u0308rich,\n", 1, sites=("Zu\u0308rich",)),
    "a value of a megabyte": Fault(HEAD + f"@1,{'x' * 1_000_000},\n", 1, sites=("x" * 1_000_000,)),
    "a line longer than any record": Fault(HEAD + f"@0,{'x' * 2_000_001},\n" + ROW, 1, ((2, "line_too_long"),)),
    "a thousand more columns": Fault(HEAD.rstrip() + ",x" * 1000 + "\n" + ROW.rstrip() + ",y" * 1000 + "\n", 1),
    "a formula": Fault(HEAD + '@1,"=HYPERLINK(""http://x"",""y"")",\n', 1, sites=('=HYPERLINK("http://x","y")',)),
    "a command of SQL": Fault(HEAD + "@1,'; DROP TABLE staging.clinicians; --,\n", 1, sites=("'; DROP TABLE staging.clinicians; --",)),
    "markup": Fault(HEAD + "@1,<script>alert(1)</script>,\n", 1, sites=("<script>alert(1)</script>",)),
    "columns in another order": Fault("since,who,site\n2019-05-01,@1,north\n", 1),
    "values under each other's names": Fault("site,who,since\n@1,2019-05-01,north\n", 0, ((2, "started_on_unreadable"),), sites=()),
    "two columns of one name that nobody reads": Fault("who,note,site,note,since\n@1,a,north,b,\n", 1),
    "columns without names": Fault("who,,site,,since\n@1,a,north,b,\n", 1),
    "semicolons": Fault((HEAD + ROW).replace(",", ";"), 1, keys='delimiter = ";"'),
    "tabs": Fault((HEAD + ROW).replace(",", "\t"), 1, keys='delimiter = "\\t"'),
    "an empty last value between tabs": Fault("who\tsite\tsince\n@1\tnorth\t\n", 1, keys='delimiter = "\\t"'),
    "a remark before a record": Fault(HEAD + "# exported by night\n" + ROW, 1, ((2, "too_few_columns"),)),
    "a count below the records": Fault(HEAD + ROW + "(1 row affected)\n", 1, ((3, "too_few_columns"),)),
    "two exports in one file": Fault(HEAD + ROW + HEAD + "@2,south,\n", 2, ((3, "started_on_unreadable"),), sites=("north", "south")),
    "the same line twice": Fault(HEAD + ROW + ROW, 1, identical=1),
    "two versions of a row": Fault(HEAD + ROW + "@1,south,2019-05-01\n", 1, superseded=1, sites=("south",)),
    "a version, another, and the first again": Fault(HEAD + ROW + "@1,south,\n" + ROW, 1, superseded=2),
    "a refused version after an accepted one": Fault(HEAD + ROW + "@1,south,2019-02-30\n", 1, ((3, "started_on_unreadable"),)),
    "an accepted version after a refused one": Fault(HEAD + "@1,south,2019-02-30\n" + ROW, 1, ((2, "started_on_unreadable"),)),
    "ids that differ in case alone": Fault(HEAD + "@a,north,\n@A,south,\n", 2, sites=("north", "south")),
}  # fmt: skip


def mapping_of(number: int, fault: Fault) -> str:
    return f"""
[[feeds.clinicians]]
files = "form/{number}.csv"
columns = {{ clinician_id = "who", site = "site", started_on = "since" }}
{fault.keys}
"""


@pytest.fixture(scope="module")
def forms(tmp_path_factory: pytest.TempPathFactory) -> Staged:
    """One night in which every file of FILES came."""
    mapped = "".join(mapping_of(number, fault) for number, fault in enumerate(FILES.values()))
    clinic = Clinic(tmp_path_factory.mktemp("forms"), config=CONFIG + mapped)
    clinic.sends_the_small_export()
    for number, fault in enumerate(FILES.values()):
        clinic.sends(f"form/{number}.csv", fault.text.replace("@", f"F{number}-").encode(fault.encoding))
    return clinic.stage()


@pytest.mark.parametrize("name", FILES)
def test_every_line_of_a_file_of_a_faulty_form_is_accounted_for(forms, name):
    number, fault = list(FILES).index(name), FILES[name]
    file = f"form/{number}.csv"
    assert forms.rules(file) == list(fault.refused)
    assert forms.account(file) == (
        fault.accepted,
        len(fault.refused),
        fault.superseded,
        fault.identical,
        fault.blank,
    )
    rows = sorted(
        (row for row in forms.tables["clinicians"] if row["source_file"] == file), key=lambda row: row["source_line"]
    )
    assert tuple(row["site"] for row in rows) == fault.sites


def test_one_files_fault_costs_no_other_file_a_line(forms):
    assert {name: forms.account(name)[1:] for name in SMALL_EXPORT} == dict.fromkeys(SMALL_EXPORT, (0, 0, 0, 0))


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


# What stops a night: what is sent as which file, and what the one line names.
STOPPED = {
    "a wrong delimiter": ("booked.csv", SMALL_EXPORT["booked.csv"].replace(",", ";").encode(), "feeds.attendance[0].columns"),
    "no header": ("booked.csv", SMALL_EXPORT["booked.csv"].split("\n", 1)[1].encode(), "feeds.attendance[0].columns"),
    "a column of another name": ("booked.csv", SMALL_EXPORT["booked.csv"].replace("status", "state").encode(), "columns.status"),
    "a mapped column twice": ("booked.csv", b"id,client,who,at,status,minutes,id\n", "columns.appointment_id"),
    "UTF-16 that nobody declared": ("booked.csv", SMALL_EXPORT["booked.csv"].encode("utf-16"), "feeds.attendance[0].encoding"),
    "Windows-1252 that nobody declared": ("booked.csv", SMALL_EXPORT["booked.csv"].encode() + "é".encode("cp1252"), "line 6"),
    "a character cut in two at the end": ("people.csv", SMALL_EXPORT["people.csv"].encode() + "é".encode()[:1], "feeds.people[0].encoding"),
    "half of a UTF-16 character": ("booked.csv", b"\xff\xfei\0d\0,", "feeds.attendance[0].encoding"),
    "a file compressed with gzip": ("booked.csv", gzip.compress(SMALL_EXPORT["booked.csv"].encode()), "encoding"),
    "a Parquet file that is none": ("totals.parquet", b"form,client\nT1,C1\n", "totals.parquet"),
    "a Parquet file without a byte": ("totals.parquet", b"", "totals.parquet"),
    "the two ends of a Parquet file alone": ("totals.parquet", b"PAR1PAR1", "totals.parquet"),
}  # fmt: skip


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    small = Clinic(tmp_path)
    small.sends_the_small_export()
    return small


def complaint(clinic: Clinic) -> str:
    with pytest.raises(WrongInput) as caught:
        clinic.stage()
    said = str(caught.value)
    assert "\n" not in said
    assert not any(code in said for code in ("C1", "A1", "2026-03-02"))
    return said


@pytest.mark.parametrize("name", STOPPED)
def test_a_file_that_cannot_be_read_stops_the_night_in_one_line(clinic, name):
    file, content, named = STOPPED[name]
    clinic.sends(file, content)
    assert named in complaint(clinic)


def test_a_zip_bomb_is_never_unpacked(clinic):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("booked.csv", b"\0" * 50_000_000)
    clinic.sends("booked.csv", packed.getvalue())
    assert "encoding" in complaint(clinic)


def test_a_link_that_leaves_the_inbox_is_not_followed(clinic, tmp_path):
    (tmp_path / "elsewhere").write_text(SMALL_EXPORT["booked.csv"], encoding="utf-8")
    (clinic.inbox / "booked.csv").unlink()
    (clinic.inbox / "booked.csv").symlink_to(tmp_path / "elsewhere")
    assert "booked.csv" in complaint(clinic)


def test_a_link_to_nothing_is_said(clinic):
    (clinic.inbox / "booked.csv").unlink()
    (clinic.inbox / "booked.csv").symlink_to(clinic.inbox / "gone.csv")
    assert "booked.csv" in complaint(clinic)


def test_a_link_to_itself_is_said(clinic):
    (clinic.inbox / "booked.csv").unlink()
    (clinic.inbox / "booked.csv").symlink_to(clinic.inbox / "booked.csv")
    assert "booked.csv" in complaint(clinic)


def test_a_folder_of_a_files_name_is_said(clinic):
    (clinic.inbox / "booked.csv").unlink()
    (clinic.inbox / "booked.csv").mkdir()
    assert "booked.csv" in complaint(clinic)


def test_a_file_that_did_not_come_is_said(clinic):
    (clinic.inbox / "booked.csv").unlink()
    assert "feeds.attendance[0].files" in complaint(clinic)


def test_a_file_that_vanishes_while_the_inbox_is_read_is_said(clinic, monkeypatch):
    found = landing._sort_out

    def then_it_is_taken_away(*asked: object) -> object:
        names = found(*asked)
        (clinic.inbox / "booked.csv").unlink()
        return names

    monkeypatch.setattr(landing, "_sort_out", then_it_is_taken_away)
    assert "booked.csv" in complaint(clinic)


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
