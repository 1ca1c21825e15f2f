import hashlib
import json
from pathlib import Path

import pytest

from pipelines.integrity import verify

VERSION = "20261120T020000000000Z"


def kept(path: Path, content: bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o440)
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder of one landed file and one version."""
    home = tmp_path / "home"
    home.mkdir(mode=0o750)
    digest = hashlib.sha256(b"sent").hexdigest()
    kept(home / "landing" / digest[:2] / digest, b"sent")
    line = {"file_number": 1, "name": "a.csv", "sha256": digest, "bytes": 4, "landed_on": "2026-11-20"}
    (home / "landing" / "manifest.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    folder = home / "published" / VERSION
    hashes = {name: kept(folder / name, name.encode()) for name in ("warehouse.duckdb", "site/index.html")}
    (folder / "manifest.json").write_text(json.dumps({"sha256": hashes}), encoding="utf-8")
    return home


def landed(home: Path) -> Path:
    return next((home / "landing").glob("??/*"))


def test_an_untouched_state_folder_is_as_written(home):
    assert verify(home) == type(verify(home))(files=3, differences=())


@pytest.mark.parametrize("name", ["warehouse.duckdb", "site/index.html"])
def test_a_changed_published_file_is_named(home, name):
    file = home / "published" / VERSION / name
    file.chmod(0o640)
    file.write_bytes(b"changed")
    file.chmod(0o440)
    (difference,) = verify(home).differences
    assert difference.startswith(f"published/{VERSION}/{name}: is not what was written")


def test_a_changed_landed_copy_is_named(home):
    landed(home).chmod(0o640)
    landed(home).write_bytes(b"Sent")
    landed(home).chmod(0o440)
    assert "is not what was written" in verify(home).differences[0]


def test_a_file_that_is_gone_is_named(home):
    landed(home).unlink()
    (home / "published" / VERSION / "site" / "index.html").unlink()
    assert [difference.rpartition(": ")[2] for difference in verify(home).differences] == ["is gone", "is gone"]


def test_a_file_that_no_manifest_names_is_named(home):
    kept(home / "published" / VERSION / "site" / "more.html", b"more")
    kept(landed(home).with_name("f" * 64), b"more")
    assert sum("no manifest names it" in difference for difference in verify(home).differences) == 2


def test_a_version_without_its_manifest_is_named(home):
    (home / "published" / VERSION / "manifest.json").unlink()
    assert any("manifest.json: is gone" in difference for difference in verify(home).differences)


def test_a_kept_file_that_can_be_written_to_is_named(home):
    landed(home).chmod(0o640)
    assert "chmod 440" in verify(home).differences[0]


def test_a_state_folder_that_every_account_can_read_is_named(home):
    home.chmod(0o755)
    assert ".: is open to every account; chmod o-rwx" in verify(home).differences


def test_nothing_landed_and_nothing_published_is_as_written(tmp_path):
    assert verify(tmp_path / "none").files == 0
