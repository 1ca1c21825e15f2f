import os

import yaml

from pipelines.environment import ROOT
from pipelines.state import prepare_dagster, state_folder


def test_the_folder_given_comes_before_the_environments(monkeypatch, tmp_path):
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "environment"))
    assert state_folder(str(tmp_path / "given")) == tmp_path / "given"


def test_the_environments_folder_comes_before_the_clones(monkeypatch, tmp_path):
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "environment"))
    assert state_folder(None) == tmp_path / "environment"


def test_with_nothing_said_state_lives_in_the_clone(monkeypatch):
    monkeypatch.delenv("RAPPORT_HOME", raising=False)
    assert state_folder(None) == ROOT / ".rapport"


def test_a_relative_folder_is_the_callers(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert state_folder("here") == tmp_path / "here"


def test_dagster_reports_to_nobody_and_runs_one_night_at_a_time(monkeypatch, tmp_path):
    monkeypatch.setenv("DAGSTER_HOME", "elsewhere")
    folder = prepare_dagster(tmp_path)
    written = yaml.safe_load((folder / "dagster.yaml").read_text(encoding="utf-8"))
    assert written["telemetry"] == {"enabled": False}
    assert written["concurrency"]["runs"]["max_concurrent_runs"] == 1
    assert os.environ["DAGSTER_HOME"] == str(folder)
