"""What the trials of nights would see if a publication were torn: witnesses that see nothing prove nothing."""

import json
import shutil

import duckdb
import pytest

from assets import warehouse
from assets.published import MANIFEST_FILE, manifest
from pipelines.endurance.law import Account, account, broken_after_healing, broken_at_rest, broken_word
from pipelines.endurance.readers import GOOD, gathered, one_reading
from pipelines.gatekeeper.releases import Releases
from pipelines.night_end import LAST_RUN

PAGES = ("index.html", "data-quality.html", "clinicians/index.html")
NAMES = ("20261120T023000000001Z", "20261120T023000000002Z")


def publish(home, *, name, rows, run):
    """A version with so many rows in each table, whose pages name the run."""
    staged = home / "work" / "staged"
    staged.mkdir(parents=True)
    with duckdb.connect(str(staged / warehouse.WAREHOUSE_FILE)) as con:
        for layer in ("quality", "staging", "marts"):
            con.execute(f"CREATE SCHEMA {layer}")
        tables = ("quality.run", "staging.attendance", "staging.outcomes", "marts.sessions", "quality.checks")
        for table in tables:
            con.execute(f"CREATE TABLE {table} AS FROM range({rows})")
        con.execute(
            "CREATE TABLE quality.reconciliation AS SELECT 2 AS lines, 1 AS accepted, 1 AS refused, 0 AS superseded,"
            " 0 AS identical, 0 AS blank"
        )
    for page in PAGES:
        (staged / "site" / page).parent.mkdir(parents=True, exist_ok=True)
        (staged / "site" / page).write_text(f"<p>run {run}</p>")
    described = {"version": name, "run_id": run, "data_date": "2026-11-20", "rows": dict.fromkeys(tables, rows)}
    (staged / MANIFEST_FILE).write_text(manifest(staged, described=described))
    return warehouse.publish(staged, home=home, version=name, keep=3)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir(mode=0o750)
    for number, name in enumerate(NAMES, start=3):
        publish(folder, name=name, rows=number, run=f"{number}" * 8)
    return folder


def reading(home):
    return [one_reading(home, wait=0.0, releases=way) for way in (None, Releases(home))]


def rewrite(file, text):
    file.chmod(0o640)
    file.write_text(text)
    file.chmod(0o440)


def test_a_whole_version_is_read_and_breaks_no_law(home):
    assert reading(home) == [f"{GOOD} {NAMES[1]}"] * 2
    assert broken_at_rest(home) == []
    assert broken_after_healing(home, expected=Account(appointments=4, forms=4)) == []


def test_a_page_of_another_run_is_seen(home):
    rewrite(home / "published" / NAMES[1] / "site" / "index.html", "<p>run 33333333</p>")
    assert reading(home) == ["a page of another version"] * 2
    assert broken_at_rest(home)[1:] == ["1 pages are of another run"]


def test_rows_that_no_version_has_are_seen(home):
    file = home / "published" / NAMES[1] / warehouse.WAREHOUSE_FILE
    file.chmod(0o640)
    with duckdb.connect(str(file)) as con:
        con.execute("INSERT INTO staging.attendance FROM range(7)")
    file.chmod(0o440)
    assert reading(home) == ["MixedVersionError"] * 2
    assert broken_at_rest(home)[1:] == ["staging.attendance is not as long as it was"]


def test_a_file_that_is_gone_is_seen(home):
    shutil.rmtree(home / "published" / NAMES[1] / "site" / "clinicians")
    assert reading(home) == ["FileNotFoundError", "a page is missing"]
    assert broken_at_rest(home) == [f"published/{NAMES[1]}/site/clinicians/index.html: is gone"]


def test_a_version_without_its_front_page_is_seen(home):
    (home / "published" / NAMES[1] / "site" / "index.html").unlink()
    assert broken_at_rest(home)[1:] == ["the current version is not whole"]


@pytest.mark.parametrize(
    ("said", "broken"),
    [
        ({"is_success": True, "version": NAMES[1], "problem": None}, []),
        ({"is_success": True, "version": NAMES[0], "problem": None}, ["it says that it published, and did not"]),
        ({"is_success": False, "version": None, "problem": f"x; {NAMES[1]} stays published"}, []),
        (
            {"is_success": False, "version": None, "problem": f"x; {NAMES[0]} stays published"},
            ["it names another version than the one that is published"],
        ),
        (None, ["it ended and left no word"]),
    ],
)
def test_a_word_that_is_not_so_is_seen(home, said, broken):
    if said is not None:
        (home / LAST_RUN).write_text(json.dumps(said))
    assert broken_word(home, before=NAMES[0]) == broken


@pytest.mark.parametrize("expected", [Account(appointments=5, forms=4), Account(appointments=4, forms=3)])
def test_a_lost_and_a_doubled_row_are_seen(home, expected):
    assert account(home) == Account(appointments=4, forms=4)
    assert len(broken_after_healing(home, expected=expected)) == 1


def test_what_a_killed_night_left_behind_is_seen(home):
    (home / "published" / ".going-x").mkdir()
    broken = broken_after_healing(home, expected=Account(appointments=4, forms=4))
    assert broken == ["published/.going-x was left behind"]


def test_a_reader_that_is_told_to_stop_within_a_query_stops_and_has_met_no_error(
    home, monkeypatch, long_question, a_signal_soon
):
    monkeypatch.setattr(warehouse, "count_rows", lambda con, _: con.execute(long_question).fetchall())
    with pytest.raises(KeyboardInterrupt):
        one_reading(home, wait=0.0, releases=None)


def test_readings_are_counted_with_what_went_wrong(tmp_path):
    (tmp_path / "1").write_text(f"{GOOD} V1\n{GOOD} V2\nIOException\n")
    (tmp_path / "2").write_text(f"{GOOD} V2\n")
    found = gathered(tmp_path)
    assert (found.times, found.versions, found.errors) == (4, 2, {"IOException": 1})
