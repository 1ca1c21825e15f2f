import gzip
import io
import tarfile
from datetime import UTC, datetime

import duckdb
import pytest

from assets import warehouse
from assets.feeds.wrong_input import WrongInput
from pipelines.backup import back_up, restore

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
SECRET = "ab" * 32


@pytest.fixture
def home(tmp_path):
    """A state folder with a landed file, one published version, a secret and work that was left behind."""
    folder = tmp_path / "home"
    staged = folder / "work" / "staged"
    staged.mkdir(parents=True)
    with duckdb.connect(str(staged / warehouse.WAREHOUSE_FILE)) as con:
        con.execute("CREATE TABLE sites AS SELECT 'north' AS site")
    (staged / "site").mkdir()
    (staged / "site" / "index.html").write_text("<p>North</p>")
    warehouse.publish(staged, home=folder, version=warehouse.new_version(NOW), keep=3)
    (folder / "landing" / "alliance").mkdir(parents=True)
    (folder / "landing" / "alliance" / "march.csv").write_text("a,b\n1,2\n")
    (folder / "work" / "left.tmp").write_text("left")
    (folder / "secret.key").write_text(SECRET)
    return folder


def packed(file):
    with tarfile.open(file) as archive:
        return {entry.name: archive.extractfile(entry).read() for entry in archive}


def repacked(file, entries):
    with tarfile.open(file, "w:gz") as archive:
        for name, content in entries.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))


def test_what_is_restored_is_what_was_packed(home, tmp_path):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    contents = restore(tmp_path / "b.tar.gz", home=tmp_path / "other")
    assert warehouse.current_version(tmp_path / "other") == contents.current == warehouse.current_version(home)
    assert (tmp_path / "other" / "landing" / "alliance" / "march.csv").read_text() == "a,b\n1,2\n"
    assert (tmp_path / "other" / "site" / "index.html").read_text() == "<p>North</p>"
    with warehouse.open_published(tmp_path / "other" / warehouse.WAREHOUSE_FILE) as con:
        assert con.sql("FROM sites").fetchall() == [("north",)]


def test_work_in_progress_is_not_packed(home, tmp_path):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    assert not any(name.startswith("work/") for name in packed(tmp_path / "b.tar.gz"))


def test_the_secret_is_packed_only_when_it_is_asked_for(home, tmp_path):
    back_up(home, to=tmp_path / "without.tar.gz", secret=None, now=NOW)
    assert SECRET.encode() not in gzip.decompress((tmp_path / "without.tar.gz").read_bytes())
    back_up(home, to=tmp_path / "with.tar.gz", secret=home / "secret.key", now=NOW)
    restore(tmp_path / "with.tar.gz", home=tmp_path / "other")
    assert (tmp_path / "other" / "secret.key").read_text() == SECRET


def test_a_backup_is_closed_to_others_and_never_written_over(home, tmp_path):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o077 == 0
    with pytest.raises(WrongInput, match="a file is there already"):
        back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)


def test_a_folder_with_nothing_in_it_is_not_packed(tmp_path):
    with pytest.raises(WrongInput, match="nothing has landed"):
        back_up(tmp_path / "none", to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_restored_over_a_folder_in_use(home, tmp_path):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    with pytest.raises(WrongInput, match="the folder is not empty"):
        restore(tmp_path / "b.tar.gz", home=home)
    assert (home / "work" / "left.tmp").exists()


def test_a_backup_cut_short_restores_nothing(home, tmp_path):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    whole = (tmp_path / "b.tar.gz").read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) * 9 // 10):
        (tmp_path / "cut.tar.gz").write_bytes(whole[:length])
        with pytest.raises(WrongInput, match="no whole backup"):
            restore(tmp_path / "cut.tar.gz", home=tmp_path / "other")
        assert not (tmp_path / "other").exists()
    assert not list(tmp_path.glob(".unfinished*"))


@pytest.mark.parametrize("change", ["altered", "missing", "added", "unlisted"])
def test_a_backup_that_somebody_changed_restores_nothing(home, tmp_path, change):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    entries = packed(tmp_path / "b.tar.gz")
    csv = "landing/alliance/march.csv"
    if change == "altered":
        entries[csv] = b"a,b\n1,3\n"
    elif change == "missing":
        del entries[csv]
    elif change == "added":
        entries["landing/more.csv"] = b"x"
    else:
        del entries["contents.json"]
    repacked(tmp_path / "changed.tar.gz", entries)
    with pytest.raises(WrongInput, match="no whole backup"):
        restore(tmp_path / "changed.tar.gz", home=tmp_path / "other")
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("name", ["../outside.txt", "/outside.txt", "landing/../../outside.txt"])
def test_a_name_that_leads_outside_the_folder_is_refused(home, tmp_path, name):
    back_up(home, to=tmp_path / "b.tar.gz", secret=None, now=NOW)
    repacked(tmp_path / "evil.tar.gz", {name: b"x", **packed(tmp_path / "b.tar.gz")})
    with pytest.raises(WrongInput, match="what no backup holds"):
        restore(tmp_path / "evil.tar.gz", home=tmp_path / "deep" / "other")
    assert not list(tmp_path.rglob("outside.txt"))
