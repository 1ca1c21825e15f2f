"""An inbox of every kind of file: the same tables as over CSV, the same account, the same care."""

import csv
import gzip
import io
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from assets.feeds.wrong_input import WrongInput
from assets.purging import purge
from pipelines.integrity import verify
from tests.assets.feeds.written_files import as_dta, as_ods, as_sav, as_xls, as_xlsx, workbook, zipped
from tests.assets.staging_harness import CONFIG, SMALL_EXPORT, SMALL_TOTALS, Clinic, Staged

MIXED = (
    CONFIG.replace(
        'files = "booked.csv"', 'files = "sent.zip"\nmembers = "attendance/*"\nformat = "excel"\nsheet = "Booked"'
    )
    .replace('files = "booked_corrections_*.csv"', 'files = "booked_corrections_*.tsv.gz"\nformat = "tsv"')
    .replace('files = "srs.csv"\ndelimiter = ";"\nencoding = "cp1252"', 'files = "srs.xls"\nformat = "excel"')
    .replace('files = "phq9.csv"', 'files = "phq9.sav"\nformat = "spss"\nlabels = ["rater"]')
    .replace('files = "long.csv"', 'files = "sent.zip"\nmembers = "long.csv"')
    .replace('files = "episodes.csv"', 'files = "episodes.dta"\nformat = "stata"')
    .replace('files = "people.csv"', 'files = "people.ods"\nformat = "excel"')
    .replace('files = "clinicians.csv"', 'files = "clinicians.csv.gz"')
)
NUMBERS = {"minutes", "total", "decile", "srs1", "srs2", "srs3", "srs4"}
DAYS = {"on", "referred", "started", "ended"}
CORRECTION = "A3,C2,K1,2026-03-10 11:00:00,attended,55\n"


def table(name: str, text: str | None = None) -> dict[str, list[object]]:
    """A file of the small export as the values that it writes."""
    lines = list(csv.reader(io.StringIO(text or SMALL_EXPORT[name]), delimiter=";" if name == "srs.csv" else ","))
    return {column: [_value(column, line[at]) for line in lines[1:]] for at, column in enumerate(lines[0])}


def _value(column: str, text: str) -> object:
    if not text:
        return None
    if column in NUMBERS:
        return float(text.replace(",", "."))
    if column in DAYS:
        return date.fromisoformat("-".join(reversed(text.split("/"))))
    return datetime.fromisoformat(text) if column == "at" else text


def rows(columns: dict[str, list[object]]) -> list[list[object]]:
    return [list(columns), *map(list, zip(*columns.values(), strict=True))]


def booked(text: str | None = None) -> bytes:
    """The appointments under a title, on one of two sheets."""
    return workbook({"Notes": [["Sent on Mondays"]], "Booked": [[], *rows(table("booked.csv", text))]})


def mixed_clinic(folder: Path) -> Clinic:
    clinic = Clinic(folder, config=MIXED)
    clinic.sends(
        "sent.zip", zipped({"attendance/booked.xlsx": booked(), "long.csv": SMALL_EXPORT["long.csv"].encode()})
    )
    clinic.sends("srs.xls", as_xls(table("srs.csv")))
    clinic.sends("phq9.sav", as_sav(_coded(table("phq9.csv")), variable_value_labels={"rater": {1: "client"}}))
    clinic.sends("episodes.dta", as_dta(table("episodes.csv")))
    clinic.sends("people.ods", as_ods(table("people.csv")))
    clinic.sends("clinicians.csv.gz", gzip.compress(SMALL_EXPORT["clinicians.csv"].encode(), mtime=0))
    clinic.sends_parquet("totals.parquet", SMALL_TOTALS)
    return clinic


def _coded(columns: dict[str, list[object]]) -> dict[str, list[object]]:
    return {**columns, "rater": [1.0] * len(columns["rater"])}


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return mixed_clinic(tmp_path / "mixed")


def tables(staged: Staged) -> dict[str, list[str]]:
    """Every table's rows but for where they were read, in an order of their own."""
    return {
        name: sorted(str({key: row[key] for key in row if key not in {"source_file", "source_line"}}) for row in found)
        for name, found in staged.tables.items()
    }


def everything(staged: Staged) -> object:
    return tables(staged), staged.accounts, staged.refusals, staged.fates


def later(clinic: Clinic, *, days: int):
    night = clinic.night()
    return night.model_copy(update={"data_date": (night.as_of + timedelta(days=days)).isoformat()})


def test_a_mixed_inbox_gives_the_tables_that_csv_gives(clinic, tmp_path):
    plain = Clinic(tmp_path / "plain")
    plain.sends_the_small_export()
    correction = SMALL_EXPORT["booked.csv"].splitlines()[0] + "\n" + CORRECTION
    plain.sends("booked_corrections_2026-11-01.csv", correction)
    clinic.sends("booked_corrections_2026-11-01.tsv.gz", gzip.compress(correction.replace(",", "\t").encode()))
    over_csv, mixed = plain.stage(), clinic.stage()
    assert tables(mixed) == tables(over_csv)
    assert mixed.refusals == ()
    assert mixed.accounts["attendance", "sent.zip/attendance/booked.xlsx/Booked"] == (3, 0, 1, 0, 1)
    assert mixed.accounts["attendance", "booked_corrections_2026-11-01.tsv.gz"] == (1, 0, 0, 0, 0)


def test_a_refused_row_is_named_by_sheet_and_row(clinic):
    text = (
        SMALL_EXPORT["booked.csv"] + "A5,C1,K1,2026-04-02 10:00:00,=#N/A,50\nA6,C1,K9,2026-04-03 10:00:00,attended,50\n"
    )
    clinic.sends("sent.zip", zipped({"attendance/b.xlsx": booked(text), "long.csv": SMALL_EXPORT["long.csv"].encode()}))
    staged = clinic.stage()
    assert staged.rules("sent.zip/attendance/b.xlsx/Booked") == [(7, "failed_cell"), (8, "clinician_unknown")]
    assert staged.account("sent.zip/attendance/b.xlsx/Booked") == (4, 2, 0, 0, 1)


@pytest.mark.parametrize("file", ["people.ods", "phq9.sav", "episodes.dta", "clinicians.csv.gz", "sent.zip"])
def test_an_identifier_holds_a_file_of_any_kind(clinic, file):
    def told(name: str) -> dict[str, list[object]]:
        columns = table(name)
        return {**columns, "remarks": ["call jo.bloggs@example.org"] * len(next(iter(columns.values())))}

    staff = (
        SMALL_EXPORT["clinicians.csv"]
        .replace("who,site,since", "who,site,since,remarks")
        .replace("-01\n", "-01,jo.bloggs@example.org\n")
    )
    contents = {
        "people.ods": lambda: as_ods(told("people.csv")),
        "phq9.sav": lambda: as_sav(told("phq9.csv")),
        "episodes.dta": lambda: as_dta(told("episodes.csv")),
        "clinicians.csv.gz": lambda: gzip.compress(staff.encode()),
        "sent.zip": lambda: zipped(
            {"attendance/b.xlsx": booked(), "long.csv": _with_remarks(SMALL_EXPORT["long.csv"])}
        ),
    }
    clinic.sends(file, contents[file]())
    staged = clinic.stage()
    held = {refusal.file: refusal.reason for refusal in staged.refusals if refusal.rule == "file_held"}
    (name,) = held
    assert name.startswith(file)
    assert 'column "remarks"' in held[name]
    assert "bloggs" not in held[name]
    assert staged.account(name)[0] == 0


def _with_remarks(text: str) -> bytes:
    head, *lines = text.splitlines()
    return "\n".join([f"{head},remarks", *(f"{line},jo.bloggs@example.org" for line in lines)]).encode()


def test_a_purge_changes_no_table_and_an_archive_goes_with_the_last_of_its_files(clinic):
    before = everything(clinic.stage())
    landing = clinic.folder / "home" / "landing"
    done = purge(later(clinic, days=3), older_than=2)
    assert done.kept_back == {}
    assert [path for path in landing.glob("??/*") if path.is_file()] == []
    assert everything(clinic.stage()) == before
    assert [path for path in landing.glob("??/*") if path.is_file()] == []
    assert not [said for said in verify(clinic.folder / "home").differences if "landing" in said and "open" not in said]


def test_an_archive_stays_while_one_of_its_files_must(clinic):
    text = SMALL_EXPORT["booked.csv"] + "A9,C1,K1,2026-11-28 10:00:00,attended,50\n"
    clinic.sends("sent.zip", zipped({"attendance/b.xlsx": booked(text), "long.csv": SMALL_EXPORT["long.csv"].encode()}))
    clinic.stage()
    done = purge(later(clinic, days=3), older_than=2)
    assert set(done.kept_back) == {"sent.zip/attendance/b.xlsx/Booked"}
    assert len([path for path in (clinic.folder / "home" / "landing").glob("??/*") if path.is_file()]) == 1
    assert clinic.stage().account("sent.zip/long.csv") == (4, 0, 0, 0, 0)


DAMAGE = {
    "people.ods": b"PK",
    "phq9.sav": b"$FL2",
    "episodes.dta": b"",
    "srs.xls": b"who;what\n",
    "clinicians.csv.gz": gzip.compress(b"who,site,since\n" * 900)[:-9],
}


@pytest.mark.parametrize("file", DAMAGE)
def test_a_damaged_file_stops_the_night_until_it_is_sent_again(clinic, file):
    whole = (clinic.inbox / file).read_bytes()
    clinic.sends(file, DAMAGE[file])
    with pytest.raises(WrongInput, match=file):
        clinic.stage()
    clinic.sends(file, whole)
    staged = clinic.stage()
    assert sum(staged.account(file)) == sum(mixed_clinic(clinic.folder / "again").stage().account(file))


def sheet(minutes: float) -> bytes:
    return as_xlsx({**table("booked.csv"), "minutes": [minutes] * 4})


def test_bytes_that_come_back_are_newest_also_after_a_purge(tmp_path):
    config = CONFIG.replace('files = "booked.csv"', 'files = "booked.xlsx"\nformat = "excel"')
    clinic = Clinic(tmp_path, config=config)
    clinic.sends_the_small_export()
    (clinic.inbox / "booked.csv").unlink()
    for minutes in (10.0, 20.0, 10.0):
        clinic.sends("booked.xlsx", sheet(minutes))
        staged = clinic.stage()
        assert {row["duration_minutes"] for row in staged.tables["attendance"]} == {minutes}
    assert staged.account("booked.xlsx") == (4, 0, 8, 0, 0)
    purge(later(clinic, days=3), older_than=2)
    assert everything(clinic.stage()) == everything(staged)
