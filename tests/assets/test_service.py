from pathlib import Path

import pytest

from assets.feeds.wrong_input import WrongInput
from assets.service import read_service

EXAMPLES = Path(__file__).resolve().parents[2] / "pipelines" / "examples"
THREE_SITES = (EXAMPLES / "three_sites.toml").read_text(encoding="utf-8")


def complaint(tmp_path: Path, text: str) -> str:
    file = tmp_path / "clinic.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WrongInput) as told:
        read_service(file)
    assert "\n" not in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.toml")), ids=lambda file: file.stem)
def test_every_example_can_be_read(example):
    assert read_service(example).clinic.name


def test_settings_cannot_be_changed_once_read():
    service = read_service(EXAMPLES / "three_sites.toml")
    with pytest.raises(ValueError, match="frozen"):
        service.clinic.name = "Another"


def test_an_environment_variable_moves_no_setting(monkeypatch):
    monkeypatch.setenv("PERIOD_MONTHS", "1")
    monkeypatch.setenv("period_months", "1")
    assert read_service(EXAMPLES / "demo.toml").period_months == 12


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('time_zone = "Europe/London"', 'time_zone = "London"'), "clinic.time_zone"),
        (("minimum_clients = 10", "minimum_clients = 0"), "suppression.minimum_clients"),
        (("gap_days = 120", "gap_day = 120"), "episodes.gap_day"),
        (('alliance = "WAI-SR"\noutcome = "PHQ-9"', 'alliance = "WAI-XX"\noutcome = "PHQ-9"'), "measures[0].alliance"),
        (("[[feeds.people]]", "[[feeds.peoples]]"), "feeds.peoples"),
        (('status = "AttendOrDNACode"', 'statuss = "AttendOrDNACode"'), "feeds.attendance[0].columns.statuss"),
        (('instrument = "WAI-SR"', 'instrument = "WAI-RS"'), "feeds.alliance"),
        (("[clinic]", "[clinic"), "line 4"),
    ],
)
def test_a_wrong_setting_is_named_with_its_mend_in_one_line(tmp_path, change, named):
    assert change[0] in THREE_SITES
    assert named in complaint(tmp_path, THREE_SITES.replace(*change, 1))


def test_a_missing_required_feed_is_named(tmp_path):
    kept = THREE_SITES.replace("[[feeds.attendance]]", "[[feeds.clinicians]]").replace(
        "[feeds.attendance.words", "[feeds.clinicians.words"
    )
    assert "feeds." in complaint(tmp_path, kept)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(WrongInput, match=r"nowhere\.toml"):
        read_service(tmp_path / "nowhere.toml")


def test_a_clinics_own_number_is_laid_over_the_registry(tmp_path):
    file = tmp_path / "clinic.toml"
    file.write_text(
        THREE_SITES + '\n[instruments."PHQ-9"]\ncut_off = 11\nsource = "Own sample of 2025"\n', encoding="utf-8"
    )
    cut_off = read_service(file).registry["PHQ-9"].cut_off
    assert (cut_off.value, cut_off.status) == (11.0, "local")


def test_a_clinics_own_number_without_its_source_is_refused(tmp_path):
    assert "instruments" in complaint(tmp_path, THREE_SITES + '\n[instruments."PHQ-9"]\ncut_off = 11\n')
