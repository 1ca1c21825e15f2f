"""One table, written as every kind of file, is read as the same rows."""

import gzip
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contracts.staging import FEEDS
from assets.feeds import archives
from assets.feeds.codes import Codes
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import ReadReport, read_into
from assets.feeds.shapes import shapes_of_landed
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.written_files import (
    DAY_FORM,
    EVERY_KIND,
    MOMENT_FORM,
    Table,
    as_csv,
    as_xlsx,
    zipped,
)

BY_NAME = {feed.name: feed for feed in FEEDS}
Rows = list[dict[str, object]]


class AsSent(Codes):
    """Identifiers as they were sent, for tests that look at the reading alone."""

    @property
    def letters(self) -> dict[str, str]:
        return {}


def read(
    content: bytes, folder: Path, *, name: str, feed: str = "attendance", member: str | None = None, **keys: object
) -> tuple[ReadReport, Rows]:
    path = folder / "landed"
    path.write_bytes(content)
    mapping = FeedMapping.model_validate({"feed": feed, "index": 0, "files": name, **keys})
    landed = LandedFile(
        file_number=1,
        name=name,
        path=path,
        sha256="",
        bytes=len(content),
        landed_on=date(2026, 11, 20),
        member=member,
        claims=(mapping,),
    )
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    with duckdb.connect() as con:
        codes = AsSent(secret=b"", rekeys_clinicians=False)
        report = read_into(con, landed, mapping, feed=BY_NAME[feed], codes=codes, table="read", scratch=scratch)
        rows = con.sql("SELECT * FROM read ORDER BY source_line").to_arrow_table().to_pylist()
    assert report.lines == report.kept + report.blank + len(report.rejected)
    shapes_of_landed(landed, mapping, scratch=scratch)
    assert not list(scratch.iterdir())
    return report, rows


APPOINTMENTS = {
    "columns": {
        "appointment_id": "id",
        "case_id": "client",
        "episode_id": "number",
        "starts_at": "at",
        "status": "what",
        "duration_minutes": "minutes",
    },
    "words": {"status": {"seen & heard": "attended"}},
    "datetime_format": MOMENT_FORM,
    "date_format": DAY_FORM,
}
IDS = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)
MOMENTS = st.builds(
    datetime.combine,
    st.dates(date(1950, 1, 1), date(2049, 1, 1)),
    st.builds(time, st.integers(0, 23), st.integers(0, 59)),
)
NUMBERS = st.one_of(st.integers(-999, 10**9).map(float), st.decimals(-99, 99, places=3).map(float))


@st.composite
def tables(draw: st.DrawFn) -> Table:
    n = draw(st.integers(1, 6))

    def column(of: st.SearchStrategy[object]) -> list[object]:
        # The first is there, so that every library knows the column's type.
        return [draw(of), *draw(st.lists(st.none() | of, min_size=n - 1, max_size=n - 1))]

    return {
        "id": draw(st.lists(IDS, min_size=n, max_size=n)),
        "client": column(IDS),
        "number": column(st.integers(0, 10**9).map(float)),
        "at": column(MOMENTS),
        "what": column(st.sampled_from(["attended", "seen & heard", "other"])),
        "minutes": column(NUMBERS),
    }


@settings(max_examples=6, deadline=None)
@given(tables())
def test_the_same_table_gives_the_same_rows_in_every_format(tmp_path_factory: pytest.TempPathFactory, table: Table):
    folder = tmp_path_factory.mktemp("kinds")
    found = {}
    for kind, (form, end, write) in EVERY_KIND.items():
        content = write(table)
        _, found[kind] = read(content, folder, name=f"a.{end}", format=form, **APPOINTMENTS)
        for row in found[kind]:
            row.pop("source_line")
    assert len(found["csv"]) == len(table["id"])
    for kind, rows in found.items():
        assert rows == found["csv"], kind


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_lines_are_those_that_a_person_finds_in_the_file(kind: str, tmp_path: Path):
    form, end, write = EVERY_KIND[kind]
    table = {"id": ["a", None, "c"], "place": ["north", None, "south"]}
    keys = {"feed": "clinicians", "columns": {"clinician_id": "id", "site": "place"}}
    report, rows = read(write(table), tmp_path, name=f"a.{end}", format=form, **keys)
    first = 1 if kind in {"parquet", "sav", "zsav", "dta"} else 2
    kept = [(row["source_line"], row["site"]) for row in rows if row["site"] is not None]
    assert kept == [(first, "north"), (first + 2, "south")]
    assert report.lines == 3


def test_a_file_of_an_archive_is_read_in_its_own_format(tmp_path: Path):
    table = {"id": ["a"], "place": ["north"]}
    keys = {"feed": "clinicians", "columns": {"clinician_id": "id", "site": "place"}}
    content = zipped({"b.csv": as_csv({"id": ["b"], "place": ["south"]}), "a.xlsx": as_xlsx(table)})
    for member, form, place in (("a.xlsx", "excel", "north"), ("b.csv", "csv", "south")):
        _, rows = read(content, tmp_path, name=f"x.zip/{member}", member=member, format=form, **keys)
        assert [row["site"] for row in rows] == [place]


CLINICIANS = {"feed": "clinicians", "columns": {"clinician_id": "id", "site": "place"}}
SMALL = {"id": ["a"] * 50, "place": ["north"] * 50}


def wrong(content: bytes, folder: Path, **keys: object) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        read(content, folder, **keys)
    assert "\n" not in str(caught.value)
    assert not list((folder / "scratch").iterdir())
    return caught.value


Damage = Callable[[bytes], bytes]
DAMAGES: dict[str, Damage] = {
    "nothing": lambda _: b"",
    "cut in the middle": lambda content: content[: len(content) // 2],
    "something else": lambda _: b"id,place\nsecret,secret\n" * 40,
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", [kind for kind, (form, _, _) in EVERY_KIND.items() if form not in {"csv", "tsv"}])
def test_a_damaged_file_is_said_in_one_line_that_names_it(kind: str, damage: str, tmp_path: Path):
    form, end, write = EVERY_KIND[kind]
    complaint = wrong(DAMAGES[damage](write(SMALL)), tmp_path, name=f"a.{end}", format=form, **CLINICIANS)
    assert f"a.{end}" in str(complaint)
    assert "secret" not in str(complaint)


@pytest.mark.parametrize("damage", ["cut in the middle", "something else", "zeros"])
def test_a_damaged_gzip_is_said(damage: str, tmp_path: Path):
    content = DAMAGES[damage](gzip.compress(as_csv(SMALL)))
    complaint = wrong(content, tmp_path, name="a.csv.gz", **CLINICIANS)
    assert str(complaint) == "a.csv.gz: is a damaged archive, or none; send it again whole"


@pytest.mark.parametrize("name", ["a.csv.gz", "x.zip/a.csv", "a.xlsx"])
def test_what_unpacks_to_more_than_it_may_is_not_unpacked(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "BEYOND_SUSPICION", 1 << 16)
    monkeypatch.setattr(archives, "MOST_TIMES", 20)
    large = as_csv({"id": ["a"] * 60_000, "place": ["north"] * 60_000})
    contents = {
        "a.csv.gz": gzip.compress(large),
        "x.zip/a.csv": zipped({"a.csv": large}),
        "a.xlsx": zipped({"xl/worksheets/sheet1.xml": large}),
    }
    keys = {"format": "excel"} if name == "a.xlsx" else {}
    member = "a.csv" if name.startswith("x.zip") else None
    complaint = wrong(contents[name], tmp_path, name=name, member=member, **keys, **CLINICIANS)
    assert complaint.what.startswith("unpacks to more than")


def test_a_directory_that_belittles_a_member_is_not_believed(tmp_path: Path):
    content = zipped({"a.csv": as_csv(SMALL)})
    with zipfile.ZipFile(tmp_path / "x", "w") as archive:
        archive.writestr("y", b"")
    size = len(as_csv(SMALL)).to_bytes(4, "little")
    complaint = wrong(
        content.replace(size, (7).to_bytes(4, "little")), tmp_path, name="x.zip/a.csv", member="a.csv", **CLINICIANS
    )
    assert "damaged" in complaint.what


def test_times_of_a_day_are_joined_to_days(tmp_path: Path):
    table = {
        "id": ["a", "b"],
        "on": [date(2026, 3, 2), date(2026, 3, 3)],
        "at": [time(10, 30), time(11, 30)],
    }
    keys = {"columns": {"appointment_id": "id", "starts_at": ["on", "at"]}, "datetime_format": MOMENT_FORM}
    for kind in ("xlsx", "sav", "parquet"):
        form, end, write = EVERY_KIND[kind]
        _, rows = read(write(table), tmp_path, name=f"a.{end}", format=form, **keys)
        assert [row["starts_at"] for row in rows] == ["02/03/2026 10:30", "03/03/2026 11:30"], kind
