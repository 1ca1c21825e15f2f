"""What a person can get wrong at the command line: one line that names the place and the mend, and nothing published."""

import shutil
from pathlib import Path

import pytest

from assets import warehouse
from tests.system.night_runs import DEMO, Ended, nightly_words, run_nightly, run_verb


@pytest.fixture
def home(small_night: Ended, tmp_path: Path) -> Path:
    """A state folder in which an earlier night has been published."""
    assert small_night.status == 0, small_night.complained
    copy = tmp_path / "home"
    shutil.copytree(small_night.home, copy, symlinks=True)
    return copy


def settings(folder: Path, *, old: str = "", new: str = "") -> Path:
    """The demonstration's settings with one thing changed."""
    text = DEMO.read_text(encoding="utf-8")
    assert old in text
    file = folder / "clinic.toml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    return file


def assert_told_in_one_line(ended: Ended, *parts: str) -> None:
    """Status 2, one line with every part, and the earlier version still what readers get."""
    assert ended.status == 2, ended.complained
    assert ended.said == ""
    assert len(ended.complained.splitlines()) == 1
    assert ended.complained.startswith("rapport: ")
    for part in parts:
        assert part in ended.complained
    kept = warehouse.versions(ended.home)
    assert len(kept) == 1
    assert warehouse.current_version(ended.home) == kept[0]
    assert ended.rows("SELECT COUNT(*) > 0 FROM marts.sessions") == [(True,)]


SETTINGS = {
    "a key that there is not": ("[suppression]", "[supression]", ("supression", "mend its name")),
    "a table that is not closed": ("[clinic]", "[clinic", ("TOML", "line 3")),
    "a zone that there is not": ("Europe/London", "Europe/Londn", ("clinic.time_zone", "IANA")),
    "an instrument that nobody knows": ('instrument = "PHQ-9"', 'instrument = "PHQ9"', ("instrument", '"PHQ-9"')),
    "a measure that nobody knows": ('outcome = "PHQ-9"', 'outcome = "PHQ-8000"', ("measures[0].outcome", "known are")),
    "a feed that there is not": ("[[feeds.people]]", "[[feeds.persons]]", ("feeds.persons", "people")),
    "a column of ours that there is not": ("age_band = ", "ageband = ", ("people[0].columns.ageband", "age_band")),
    "letters that are no date format": (
        'files = "clinicians.csv"',
        'files = "clinicians.csv"\ndate_format = "DD/MM/YYYY"',
        ("feeds.clinicians[0].date_format", "%d/%m/%Y"),
    ),
    "an encoding that there is not": (
        'files = "clinicians.csv"',
        'files = "clinicians.csv"\nencoding = "utf-9"',
        ("feeds.clinicians[0].encoding", "cp1252"),
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_cannot_be_used_are_named_by_their_key(home, small_inbox, tmp_path, name):
    old, new, parts = SETTINGS[name]
    config = settings(tmp_path, old=old, new=new)
    assert_told_in_one_line(run_nightly(config=config, inbox=small_inbox, home=home), *parts)


def test_settings_that_are_not_there_are_named(home, small_inbox, tmp_path):
    config = tmp_path / "none.toml"
    assert_told_in_one_line(run_nightly(config=config, inbox=small_inbox, home=home), str(config), "name a TOML file")


def test_a_data_date_that_is_no_day_is_named(home, small_inbox):
    ended = run_nightly(config=DEMO, inbox=small_inbox, home=home, as_of="2026-02-30")
    assert_told_in_one_line(ended, "--as-of", "YYYY-MM-DD")


def test_an_inbox_that_is_not_there_is_named(home, tmp_path):
    ended = run_nightly(config=DEMO, inbox=tmp_path / "none", home=home)
    assert_told_in_one_line(ended, "--inbox", "give the folder")


def test_an_option_that_is_missing_is_named(home, small_inbox):
    ended = run_verb("nightly", "--inbox", str(small_inbox), home=home)
    assert_told_in_one_line(ended, "--config", "nightly --help")


FILES = {
    "a misspelt column": (
        'started_on = "started_on"',
        'started_on = "startd_on"',
        ("columns.started_on", "started_on"),
    ),
    "dates of another form": (
        'files = "clinicians.csv"',
        'files = "clinicians.csv"\ndate_format = "%d/%m/%Y"',
        ("feeds.clinicians[0].date_format", "clinicians.csv"),
    ),
    "text of another encoding": (
        'files = "clinicians.csv"',
        'files = "clinicians.csv"\nencoding = "utf-16"',
        ("feeds.clinicians[0].encoding", "clinicians.csv, line 1"),
    ),
    "a file that did not come": (
        'files = "clinicians.csv"',
        'files = "staff.csv"',
        ("feeds.clinicians[0].files", "staff.csv"),
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_not_what_the_settings_say_are_named_by_the_key(home, small_inbox, tmp_path, name):
    old, new, parts = FILES[name]
    text = DEMO.read_text(encoding="utf-8")
    # The last of the settings is the clinicians' mapping, which is read first.
    at = text.rindex(old)
    config = tmp_path / "clinic.toml"
    config.write_text(text[:at] + text[at:].replace(old, new, 1), encoding="utf-8")
    ended = run_nightly(config=config, inbox=small_inbox, home=home)
    assert_told_in_one_line(ended, *parts, "stays published")


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("rollback",), "no earlier version is kept"),
        (("rollback", "20200101T000000000000Z"), "see `versions`"),
        (("ui", "--config", "none.toml"), "name a TOML file"),
        (("ui", "--port", "http"), "--port"),
    ],
)
def test_the_other_verbs_are_told_in_one_line_too(home, words, part):
    assert_told_in_one_line(run_verb(*words, home=home), part)


def test_versions_marks_the_one_that_readers_get(home):
    ended = run_verb("versions", home=home)
    assert (ended.status, ended.said) == (0, f"* {warehouse.current_version(home)}\n")


def test_a_state_folder_without_a_version_says_so(tmp_path):
    ended = run_verb("versions", home=tmp_path)
    assert ended.status == 0
    assert "nothing is published" in ended.complained


def test_the_words_of_a_night_are_those_that_the_readme_gives(repository):
    readme = (repository / "README.md").read_text(encoding="utf-8")
    words = [word for word in nightly_words(config=DEMO, inbox=Path("x")) if word.startswith("--")]
    assert all(word in readme for word in words)
