"""Nights made again, and a definition that changed: what moved by it, and that the past can still be had as it was.

Two nights of the small clinic share one export and differ by one setting, so that nothing but the definition can have moved a
figure. Then all landing copies are purged, and both nights are made again.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from assets import warehouse
from tests.system.night_runs import DATA_DATE, DEMO, Ended, run_nightly, run_verb

NEXT = "2026-11-21"
MEASURES = '[[measures]]\nalliance = "WAI-SR"\noutcome = "PHQ-9"\n'
# A clinic's own threshold of reliable change, twice the published one.
OWN_NUMBER = '[instruments."PHQ-9"]\nreliable_change = 12.0\nsource = "The clinic\'s own sample"\n'


@dataclass(frozen=True)
class Past:
    """A state folder of two nights, the second under another definition, and both of them made again."""

    second: Ended
    first_again: Ended
    second_again: Ended
    first_folder: Path
    second_folder: Path


@pytest.fixture(scope="module")
def past(small_night: Ended, small_inbox: Path, tmp_path_factory: pytest.TempPathFactory) -> Past:
    """The nights, run once."""
    folder = tmp_path_factory.mktemp("past")
    home, other = folder / "home", folder / "other.toml"
    shutil.copytree(small_night.home, home, symlinks=True)
    text = DEMO.read_text(encoding="utf-8")
    assert MEASURES in text
    other.write_text(text.replace(MEASURES, f"{MEASURES}\n{OWN_NUMBER}"), encoding="utf-8")
    second = run_nightly(config=other, inbox=small_inbox, home=home, as_of=NEXT)
    assert second.status == 0, second.complained
    first_again = rebuilt(home, config=DEMO, as_of=DATA_DATE, to=folder / "first")
    purged = run_verb("purge", "--config", str(other), "--older-than", "0", "--as-of", "2026-11-22", home=home)
    assert purged.status == 0, purged.complained
    second_again = rebuilt(home, config=other, as_of=NEXT, to=folder / "second")
    return Past(
        second=second,
        first_again=first_again,
        second_again=second_again,
        first_folder=folder / "first",
        second_folder=folder / "second",
    )


def rebuilt(home: Path, *, config: Path, as_of: str, to: Path) -> Ended:
    return run_verb("rebuild", "--config", str(config), "--as-of", as_of, "--to", str(to), home=home)


def test_a_night_is_made_again_to_the_last_digit_and_its_pages_to_the_byte(past, small_night):
    assert past.first_again.status == 0, past.first_again.said + past.first_again.complained
    version = warehouse.versions(small_night.home)[-1]
    assert f"All as in {version}: every table to the last digit, every file to the byte" in past.first_again.said
    kept = small_night.home / "published" / version
    pages = [path.relative_to(kept) for path in (kept / "site").rglob("*") if path.is_file()]
    assert len(pages) > 10
    assert [page for page in pages if (kept / page).read_bytes() != (past.first_folder / page).read_bytes()] == []


def test_what_is_made_again_is_a_whole_version_that_names_the_night_it_repeats(past, small_night):
    said = json.loads((past.first_folder / "manifest.json").read_text(encoding="utf-8"))
    first = json.loads((small_night.home / "current" / "manifest.json").read_text(encoding="utf-8"))
    assert {name: said[name] for name in ("version", "data_date", "run_id", "against", "rows")} == {
        name: first[name] for name in ("version", "data_date", "run_id", "against", "rows")
    }


def test_a_night_is_made_again_from_purged_landing_too_and_says_what_is_lost(past):
    assert past.second_again.status == 0, past.second_again.said + past.second_again.complained
    assert "files are purged: their lines stand as they were judged" in past.second_again.said
    assert "every table to the last digit" in past.second_again.said


def test_making_nights_again_leaves_the_state_folder_as_it_was(past):
    assert len(warehouse.versions(past.second.home)) == 2
    assert [path.name for path in past.first_folder.parent.glob(".unfinished-*")] == []
    looked = run_verb("verify", home=past.second.home)
    assert looked.status == 0, looked.said


def test_a_changed_setting_is_named_with_everything_that_rests_on_it(past):
    itself = past.second.rows("SELECT kind, name FROM quality.definitions WHERE has_changed_itself")
    assert itself == [("setting", "registry")]
    resting = {row[0] for row in past.second.rows("SELECT name FROM quality.definitions WHERE has_changed")}
    assert {"analysis.client_change", "analysis.rates", "recovered", "improved"} <= resting
    assert not resting & {"staging.attendance", "marts.appointments", "episodes.gap_days"}
    assert "Every setting, rate and table is defined as in the version before." in past.second.said


def test_a_definition_moves_all_history_in_one_night_and_every_moved_figure_says_that_it_did(past):
    assert past.second.rows("SELECT COUNT(*) FROM quality.changed_rows") == [(0,)]
    reasons = dict(past.second.rows("SELECT reason, COUNT(*) FROM quality.changes GROUP BY reason"))
    assert reasons["definition"] > 10
    assert "unexplained" not in reasons
    moved = past.second.rows(
        "SELECT definitions_changed, difference FROM quality.changes"
        " WHERE row_key = 'improved/service/all/PHQ-9' AND figure = 'rate'"
    )
    assert [(names, difference < 0) for names, difference in moved] == [("registry", True)]
    undefined = "SELECT COUNT(*) FROM quality.changes WHERE reason = 'definition' AND table_name = 'analysis.clinician_attendance'"
    assert past.second.rows(undefined) == [(0,)]


def test_every_figure_that_differs_between_the_two_versions_is_listed_once(past, small_night):
    listed = past.second.rows(
        "SELECT row_key, value_before, value FROM quality.changes"
        " WHERE table_name = 'analysis.clinician_progress' AND figure = 'improved_rate'"
    )
    asked = "SELECT clinician_id || '/' || instrument, improved_rate FROM analysis.clinician_progress"
    before, now = dict(small_night.rows(asked)), dict(past.second.rows(asked))
    differing = {
        key: (before.get(key), now.get(key)) for key in before.keys() | now.keys() if before.get(key) != now.get(key)
    }
    assert differing
    assert {key for key, _, _ in listed} >= set(differing)
    assert {key: (was, is_) for key, was, is_ in listed if key in differing} == differing


def test_the_page_of_night_to_night_names_the_definition(past):
    page = (past.second.home / "site" / "changes.html").read_text(encoding="utf-8")
    assert "registry" in page
    assert "all history was made anew" in page
    assert "A definition changed" in page


def test_a_night_before_anything_landed_is_refused_in_one_line(past):
    refused = rebuilt(past.second.home, config=DEMO, as_of="2020-01-01", to=past.first_folder.parent / "never")
    assert refused.status == 2
    assert "nothing had landed by then" in refused.complained
