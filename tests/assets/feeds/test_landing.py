import hashlib
import json
import os
import stat
import tempfile
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.feeds import landing
from assets.feeds.landing import Landing, land, landed_files
from assets.feeds.manifest import MANIFEST
from tests.assets.feeds.inboxes import TONIGHT, Clinic, mapping, wrong


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def test_a_file_is_kept_as_it_came_and_cannot_be_written_to(clinic: Clinic):
    content = b"id\r\n\xe9\0"
    clinic.sends("north/staff.csv", content)
    (file,) = clinic.pull().files
    assert file.path.read_bytes() == content
    assert file.path == clinic.landing / file.sha256[:2] / file.sha256
    assert file.sha256 == hashlib.sha256(content).hexdigest()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o440
    assert (file.file_number, file.name, file.bytes, file.landed_on) == (1, "north/staff.csv", 6, TONIGHT)
    assert file.claims == clinic.mappings["clinicians"]


def test_a_second_pull_of_the_same_inbox_lands_nothing(clinic: Clinic):
    clinic.sends("staff.csv")
    first = clinic.pull()
    again = clinic.pull(TONIGHT + timedelta(days=1))
    assert first.new == (1,)
    assert again.new == ()
    assert again.files == first.files


def test_what_once_landed_is_still_there_when_the_inbox_is_emptied(clinic: Clinic):
    clinic.sends("staff.csv")
    landed = clinic.pull().files
    (clinic.inbox / "staff.csv").unlink()
    assert clinic.pull().files == landed
    assert landed_files(clinic.landing, mappings=clinic.mappings) == landed


def test_a_file_sent_again_with_other_content_is_a_newer_file(clinic: Clinic):
    clinic.sends("staff.csv", b"one")
    clinic.pull()
    clinic.sends("staff.csv", b"two")
    files = clinic.pull().files
    assert [file.path.read_bytes() for file in files] == [b"one", b"two"]
    assert [file.file_number for file in files] == [1, 2]


def test_the_same_bytes_under_another_name_are_landed_as_the_same(clinic: Clinic):
    for name in ("a.csv", "b.csv", "c.csv"):
        clinic.sends(name)
    assert [file.same_as for file in clinic.pull().files] == [None, 1, 1]


def test_empty_files_of_two_mappings_are_not_the_same(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("a*.csv"), mapping("b*.csv", index=1))
    for name in ("a1.csv", "a2.csv", "b1.csv"):
        clinic.sends(name, b"")
    assert [file.same_as for file in clinic.pull().files] == [None, 1, None]


def test_files_count_undated_first_then_by_date_and_corrections_last_of_their_day(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("a*.csv"), mapping("c*.csv", index=1, corrects=True))
    order = ["b_2026-11-02.csv", "a.csv", "c.csv", "a_20261101.csv", "c_2026-11-02.csv", "a_2026-11-02.csv"]
    for name in order:
        clinic.sends(name, name.encode())
    pulled = clinic.pull()
    assert [file.name for file in pulled.files] == [
        "a.csv",
        "c.csv",
        "a_20261101.csv",
        "a_2026-11-02.csv",
        "c_2026-11-02.csv",
    ]
    assert pulled.unclaimed == ("b_2026-11-02.csv",)


def test_digits_that_are_no_day_of_the_calendar_are_no_date(clinic: Clinic):
    for name in ("z_20261399.csv", "y_2026-11-01.csv"):
        clinic.sends(name, name.encode())
    assert clinic.names() == ["z_20261399.csv", "y_2026-11-01.csv"]


@settings(max_examples=15)
@given(st.lists(st.integers(0, 29), min_size=1, max_size=8, unique=True))
def test_one_night_over_thirty_days_of_files_orders_them_as_thirty_nights_do(days: list[int]):
    orders = []
    for is_nightly in (True, False):
        with tempfile.TemporaryDirectory() as folder:
            clinic = Clinic(Path(folder))
            for day in sorted(days):
                on = TONIGHT + timedelta(days=day)
                clinic.sends(f"staff_{on}.csv", str(day).encode())
                if is_nightly:
                    clinic.pull(on)
            orders.append(clinic.names())
    assert orders[0] == orders[1]


def test_a_file_that_no_mapping_claims_is_named_and_not_kept(clinic: Clinic):
    clinic.sends("staff.csv")
    clinic.sends("README.md", b"notes")
    clinic.sends(".staff.csv.part", b"half")
    pulled = clinic.pull()
    assert pulled.unclaimed == ("README.md",)
    assert len(list(clinic.landing.glob("*/*"))) == 1


def test_a_torn_last_line_of_the_manifest_is_healed(clinic: Clinic):
    clinic.sends("a.csv", b"a")
    clinic.sends("b.csv", b"b")
    landed = clinic.pull().files
    manifest = clinic.landing / MANIFEST
    manifest.write_text(manifest.read_text(encoding="utf-8")[:-20], encoding="utf-8")
    assert clinic.pull().files == landed
    assert [json.loads(line)["name"] for line in manifest.read_text(encoding="utf-8").splitlines()] == [
        "a.csv",
        "b.csv",
    ]


@settings(max_examples=15)
@given(st.data())
def test_a_manifest_cut_off_anywhere_in_its_last_line_is_healed(data: st.DataObject):
    with tempfile.TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        clinic.sends("a.csv", b"a")
        clinic.pull()
        clinic.sends("b.csv", b"b")
        landed = clinic.pull().files
        manifest = clinic.landing / MANIFEST
        whole = manifest.read_bytes()
        first_line = whole.index(b"\n") + 1
        manifest.write_bytes(whole[: data.draw(st.integers(first_line, len(whole)))])
        assert clinic.pull().files == landed
        assert manifest.read_bytes() == whole


@pytest.mark.parametrize("which", range(1, 9))
def test_a_pull_cut_off_at_any_write_to_the_disk_leaves_the_next_one_whole(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, which: int
):
    clinic.sends("a.csv", b"a")
    clinic.sends("b.csv", b"b")
    calls = []

    def cut_off(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == which:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", cut_off)
        with pytest.raises(KeyboardInterrupt):
            clinic.pull()
    assert [(file.file_number, file.name, file.path.read_bytes()) for file in clinic.pull().files] == [
        (1, "a.csv", b"a"),
        (2, "b.csv", b"b"),
    ]
    assert not list(clinic.landing.glob(".unfinished-*"))


def test_a_copy_that_was_cut_off_is_cleared_away(clinic: Clinic):
    clinic.sends("a.csv")
    clinic.pull()
    (clinic.landing / ".unfinished-abc").write_bytes(b"half")
    clinic.pull()
    assert not list(clinic.landing.glob(".unfinished-*"))


def test_a_copy_kept_before_its_line_was_written_is_used(clinic: Clinic):
    clinic.sends("a.csv")
    clinic.pull()
    (clinic.landing / MANIFEST).unlink()
    assert clinic.pull().new == (1,)


def test_a_missing_inbox_is_said(clinic: Clinic):
    clinic.inbox.rmdir()
    assert wrong(clinic).place == str(clinic.inbox)


def test_a_mapping_without_a_file_is_said_by_its_key(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("staff.csv"), mapping("late_*.csv", index=1))
    assert wrong(clinic).place == "feeds.clinicians[0].files"
    clinic.sends("staff.csv")
    assert wrong(clinic).place == "feeds.clinicians[1].files"


def test_corrections_need_not_have_come(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("staff.csv"), mapping("corrections_*.csv", index=1, corrects=True))
    clinic.sends("staff.csv")
    assert clinic.names() == ["staff.csv"]


def test_a_link_out_of_the_inbox_is_not_followed(clinic: Clinic, tmp_path: Path):
    (tmp_path / "elsewhere.csv").write_text("id\n1\n", encoding="utf-8")
    (clinic.inbox / "staff.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert "leaves the inbox" in wrong(clinic).what


def test_a_link_within_the_inbox_is_a_file_like_others(clinic: Clinic):
    clinic.sends("staff.csv")
    (clinic.inbox / "again.csv").symlink_to(clinic.inbox / "staff.csv")
    assert clinic.names() == ["again.csv", "staff.csv"]


def test_a_folder_where_a_file_is_asked_for_is_said(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("staff.csv"))
    (clinic.inbox / "staff.csv").mkdir()
    assert wrong(clinic).place == "staff.csv"


def test_a_folder_that_a_glob_happens_to_fit_is_only_looked_into(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("*"))
    clinic.sends("staff.csv")
    clinic.sends("old/staff.csv")
    assert clinic.names() == ["staff.csv"]


def test_a_file_that_may_not_be_read_is_said(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    clinic.sends("staff.csv")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert str(wrong(clinic)) == "staff.csv: permission denied; let this account read the file"


def test_a_file_that_changes_while_it_is_read_is_not_kept(clinic: Clinic, monkeypatch: pytest.MonkeyPatch):
    clinic.sends("staff.csv", b"half")
    hashed = landing._hash

    def hash_and_grow(path: Path, name: str) -> tuple[str, int]:
        found = hashed(path, name)
        clinic.sends("staff.csv", b"half and half")
        return found

    monkeypatch.setattr(landing, "_hash", hash_and_grow)
    assert "changed while it was read" in wrong(clinic).what
    assert not list(clinic.landing.rglob("*staff*"))
    assert not (clinic.landing / MANIFEST).exists()


def test_a_pipe_is_no_file(clinic: Clinic):
    os.mkfifo(clinic.inbox / "staff.csv")
    assert wrong(clinic).place == "staff.csv"


def test_a_kept_copy_that_is_gone_is_said_rather_than_left_out(clinic: Clinic):
    clinic.sends("staff.csv")
    (file,) = clinic.pull().files
    clinic.sends("staff.csv", b"newer")
    file.path.unlink()
    assert wrong(clinic).place == str(file.path)


def test_a_broken_line_within_the_manifest_is_said(clinic: Clinic):
    clinic.sends("staff.csv")
    clinic.pull()
    manifest = clinic.landing / MANIFEST
    manifest.write_text("{\n" + manifest.read_text(encoding="utf-8"), encoding="utf-8")
    assert wrong(clinic).place == f"{manifest}, line 1"


def test_what_was_fetched_counts_as_the_inboxs_under_the_name_of_its_pull(tmp_path: Path):
    clinic = Clinic(tmp_path, mapping("a.csv", "pulled/ehr/v*.csv"))
    clinic.sends("a.csv", b"a\n")
    pulled = tmp_path / "pulled"
    (pulled / "ehr").mkdir(parents=True)
    for name in ("visits.csv", "other.csv", ".marks.json"):
        (pulled / "ehr" / name).write_text("b\n")

    def night() -> Landing:
        return land(clinic.inbox, landing=clinic.landing, mappings=clinic.mappings, data_date=TONIGHT, pulled=pulled)

    landed = night()
    assert [file.name for file in landed.files] == ["a.csv", "pulled/ehr/visits.csv"]
    assert [file.path.read_bytes() for file in landed.files] == [b"a\n", b"b\n"]
    assert landed.unclaimed == ("pulled/ehr/other.csv",)
    assert night().new == ()


def test_a_name_that_goes_back_to_the_bytes_of_two_versions_ago_is_newest(clinic: Clinic):
    for day, content in enumerate((b"one", b"two", b"one", b"one", b"two")):
        clinic.sends("staff.csv", content)
        files = clinic.pull(TONIGHT + timedelta(days=day)).files
    assert [file.path.read_bytes() for file in files] == [b"one", b"two", b"one", b"two"]
    assert [file.same_as for file in files] == [None] * 4
    assert [file.landed_on.day for file in files] == [20, 21, 22, 24]
    assert [file.seen_on.day for file in files] == [20, 21, 20, 21]


def test_a_copy_under_another_name_is_passed_over_until_its_name_says_something_else(clinic: Clinic):
    clinic.sends("a.csv", b"one")
    clinic.sends("b.csv", b"one")
    clinic.pull()
    clinic.sends("b.csv", b"two")
    clinic.pull()
    clinic.sends("b.csv", b"one")
    assert [(file.name, file.same_as) for file in clinic.pull().files] == [
        ("a.csv", None),
        ("b.csv", 1),
        ("b.csv", None),
        ("b.csv", None),
    ]


@settings(max_examples=15)
@given(st.lists(st.sampled_from([b"one", b"two", b"three"]), min_size=1, max_size=6))
def test_the_newest_file_of_a_name_always_has_the_bytes_that_were_sent_last(contents: list[bytes]):
    with tempfile.TemporaryDirectory() as folder:
        clinic = Clinic(Path(folder))
        for content in contents:
            clinic.sends("staff.csv", content)
            files = clinic.pull().files
            assert files[-1].path.read_bytes() == content
            assert files[-1].same_as is None
        assert len(files) == 1 + sum(one != other for one, other in pairwise(contents))
