import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from assets.feeds import archives
from assets.feeds.manifest import MANIFEST
from assets.feeds.mapping import FeedMapping
from tests.assets.feeds.inboxes import Clinic, mapping, wrong, zipped


def in_archives(tmp_path: Path, *mappings: FeedMapping) -> Clinic:
    return Clinic(tmp_path, *(mappings or (mapping("*.zip"),)))


def test_each_file_of_an_archive_is_a_file_and_the_archive_is_kept_as_it_was_sent(tmp_path: Path):
    clinic = in_archives(tmp_path)
    content = zipped(**{"a.csv": b"a", "old/b.csv": b"bb"})
    clinic.sends("x.zip", content)
    pulled = clinic.pull()
    assert [(each.name, each.member, each.bytes, each.sent_as) for each in pulled.files] == [
        ("x.zip/a.csv", "a.csv", 1, "x.zip"),
        ("x.zip/old/b.csv", "old/b.csv", 2, "x.zip"),
    ]
    assert {each.path.read_bytes() for each in pulled.files} == {content}
    assert [each.sha256 for each in pulled.files] == [hashlib.sha256(each).hexdigest() for each in (b"a", b"bb")]
    assert pulled.new == (1, 2)
    assert clinic.pull().new == ()
    assert len(list(clinic.landing.glob("*/*"))) == 1


def test_a_mapping_takes_the_members_that_it_names_and_others_are_told(tmp_path: Path):
    clinic = in_archives(tmp_path, mapping("*.zip", members=("a*.csv",)), mapping("*.zip", index=1, members=("b*",)))
    clinic.sends("x.zip", zipped(**{"b.csv": b"b", "a1.csv": b"1", "readme.txt": b"r", "__MACOSX/a.csv": b"junk"}))
    pulled = clinic.pull()
    assert [(each.name, [claim.index for claim in each.claims]) for each in pulled.files] == [
        ("x.zip/a1.csv", [0]),
        ("x.zip/b.csv", [1]),
        ("x.zip/readme.txt", []),
    ]
    assert pulled.unclaimed == ("x.zip/readme.txt",)


def test_members_count_by_their_own_date_or_else_by_their_archives(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("*.zip"), mapping("*.csv", index=1))
    clinic.sends("x_2026-11-03.zip", zipped(**{"a.csv": b"a", "b_2026-11-01.csv": b"b"}))
    clinic.sends("c_2026-11-02.csv")
    assert clinic.names() == ["x_2026-11-03.zip/b_2026-11-01.csv", "c_2026-11-02.csv", "x_2026-11-03.zip/a.csv"]


def test_a_member_that_did_not_change_says_nothing_new_and_one_with_other_bytes_does(tmp_path: Path):
    clinic = in_archives(tmp_path)
    for second in (b"two", b"three", b"two"):
        clinic.sends("x.zip", zipped(**{"a.csv": b"a", "b.csv": second}))
        files = clinic.pull().files
    assert [(each.name, each.same_as) for each in files] == [
        ("x.zip/a.csv", None),
        ("x.zip/b.csv", None),
        ("x.zip/a.csv", 1),
        ("x.zip/b.csv", None),
        ("x.zip/a.csv", 1),
        ("x.zip/b.csv", None),
    ]


def test_a_member_with_the_bytes_of_another_file_is_the_same(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("*.zip", "*.csv"))
    clinic.sends("a.csv", b"one")
    clinic.sends("x.zip", zipped(**{"b.csv": b"one"}))
    assert [(each.name, each.same_as) for each in clinic.pull().files] == [("a.csv", None), ("x.zip/b.csv", 1)]


def test_one_archive_under_two_names_is_kept_once_and_its_files_are_the_same(tmp_path: Path):
    clinic = in_archives(tmp_path)
    for name in ("x.zip", "y.zip", "z.zip"):
        clinic.sends(name, zipped(**{"a.csv": b"a"}))
        files = clinic.pull().files
    assert [(each.name, each.same_as) for each in files] == [
        ("x.zip/a.csv", None),
        ("y.zip/a.csv", 1),
        ("z.zip/a.csv", 1),
    ]


def test_a_mapping_that_finds_no_member_is_said_by_its_key(tmp_path: Path):
    clinic = in_archives(tmp_path, mapping("*.zip", members=("b*",)))
    clinic.sends("x.zip", zipped(**{"a.csv": b"a"}))
    assert wrong(clinic).place == "feeds.clinicians[0].members"


def test_an_archive_that_cannot_be_opened_is_not_kept(tmp_path: Path):
    clinic = in_archives(tmp_path)
    clinic.sends("x.zip", zipped(**{"a.csv": b"a" * 1000})[:-30])
    assert str(wrong(clinic)) == "x.zip: is a damaged archive, or none; send it again whole"
    assert not list(clinic.landing.glob("??/*"))
    clinic.sends("x.zip", zipped(**{"a.csv": b"a"}))
    assert clinic.names() == ["x.zip/a.csv"]


def test_each_sheet_that_settings_name_is_a_file_of_its_own(tmp_path: Path):
    sheets = [mapping("b.xlsx", index=place, sheet=sheet) for place, sheet in enumerate(("north", "south", "north"))]
    clinic = Clinic(tmp_path, *sheets, mapping("c.csv", index=3))
    clinic.sends("b.xlsx", b"b")
    clinic.sends("c.csv", b"c")
    assert [(each.file_number, each.name, len(each.claims), each.same_as) for each in clinic.pull().files] == [
        (1, "b.xlsx/north", 2, None),
        (2, "b.xlsx/south", 1, None),
        (3, "c.csv", 1, None),
    ]


def renamed(content: bytes, name: bytes, to: bytes) -> bytes:
    """An archive with another name in it, as a program that packs anything would write it."""
    assert len(name) == len(to)
    return content.replace(name, to)


def locked(content: bytes) -> bytes:
    """An archive that says that its files are encrypted."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        begins = archive.start_dir
    flags = begins + 8
    return content[:6] + b"\x01" + content[7:flags] + b"\x01" + content[flags + 1 :]


PACKED = zipped(**{"aaaa.csv": b"id\n1\n"})
TWO = zipped(**{"aaaa.csv": b"id\n1\n", "bbbb.csv": b"id\n2\n"})


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (renamed(PACKED, b"aaaa.csv", b"../a.csv"), "names a file outside itself"),
        (renamed(PACKED, b"aaaa.csv", b"/aaa.csv"), "names a file outside itself"),
        (renamed(PACKED, b"aaaa.csv", b"C:/a.csv"), "names a file outside itself"),
        (renamed(PACKED, b"aaaa.csv", b"a\\\\a.csv"[:8]), "names a file outside itself"),
        (renamed(TWO, b"bbbb.csv", b"aaaa.csv"), "holds two files of one name"),
        (locked(PACKED), "is locked with a password"),
        (zipped(), "is an archive without a file in it"),
        (zipped(**{".hidden": b"x"}), "is an archive without a file in it"),
        (zipped(**{"inner.zip": PACKED}), 'holds an archive, "inner.zip"'),
        (zipped(**{"inner.csv.gz": b""}), 'holds an archive, "inner.csv.gz"'),
        (PACKED[:-40], "is a damaged archive, or none"),
        (PACKED[:39] + b"\xff" + PACKED[40:], "is a damaged archive, or none"),
        (b"", "is a damaged archive, or none"),
        (b"id\n1\n", "is a damaged archive, or none"),
    ],
)
def test_an_archive_that_cannot_be_trusted_is_said_in_one_line_and_not_kept(content: bytes, what: str, tmp_path: Path):
    clinic = in_archives(tmp_path)
    clinic.sends("x.zip", content)
    complaint = wrong(clinic)
    assert (complaint.place, complaint.what) == ("x.zip", what)
    assert not (clinic.landing / MANIFEST).exists()
    assert not list(clinic.landing.glob("??/*"))


def test_an_archive_of_too_much_or_too_many_is_not_opened_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clinic = in_archives(tmp_path)
    clinic.sends("x.zip", zipped(**{f"{name}.csv": b"0" * 60_000 for name in "abc"}))
    with monkeypatch.context() as patch:
        patch.setattr(archives, "MOST_BYTES", 150_000)
        assert wrong(clinic).what.startswith("unpacks to more than")
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    assert wrong(clinic).what == "holds more than 2 files"


def test_an_archive_within_one_that_no_mapping_takes_is_left_alone(tmp_path: Path):
    clinic = in_archives(tmp_path, mapping("*.zip", members=("*.csv",)))
    clinic.sends("x.zip", zipped(**{"a.csv": b"a", "old.zip": PACKED}))
    assert clinic.pull().unclaimed == ("x.zip/old.zip",)
