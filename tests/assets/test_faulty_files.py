"""The fault corpus, files: faults of a file's form, each planted in a file of its own, and files that stop a night.

All files of a faulty form are staged in one night, so that one file's fault must not cost another a line.
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
    "Windows-1252": Fault(HEAD + "@1,Zürich \u2013 Süd,\n", 1, encoding="cp1252", keys='encoding = "cp1252"', sites=("Zürich \u2013 Süd",)),
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
    "text from right to left": Fault(HEAD + "@1,\u202e\u05e9\u05dc\u05d0\u05dd\u202c,\n", 1, sites=("\u202e\u05e9\u05dc\u05d0\u05dd\u202c",)),
    "letters built from two characters": Fault(HEAD + "@1,Zu\u0308rich,\n", 1, sites=("Zu\u0308rich",)),
    "a value of a megabyte": Fault(HEAD + f"@1,{'x' * 1_000_000},\n", 0, ((2, "site_is_free_text"),), sites=()),
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
    found = landing.sort_out

    def then_it_is_taken_away(*asked: object) -> object:
        names = found(*asked)
        (clinic.inbox / "booked.csv").unlink()
        return names

    monkeypatch.setattr(landing, "sort_out", then_it_is_taken_away)
    assert "booked.csv" in complaint(clinic)
