from pathlib import Path

import dagster as dg
import pytest

from assets import warehouse
from pipelines.run_history import end_dead_runs, forget_old_runs
from pipelines.state import prepare_dagster


@dg.op
def speak():
    print("said")  # noqa: T201 - what a run prints is kept, too


@dg.job
def night():
    speak()


@pytest.fixture
def instance(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    prepare_dagster(tmp_path)
    with dg.DagsterInstance.get() as kept:
        yield kept


def files_of(instance, run_id):
    return [path for path in Path(instance.root_directory).rglob("*") if run_id in path.name]


def test_the_newest_runs_stay_and_nothing_of_an_older_one(instance):
    ids = [night.execute_in_process(instance=instance).run_id for _ in range(3)]
    assert files_of(instance, ids[0]) != []
    assert forget_old_runs(instance, keep=2) == 1
    assert set(instance.get_run_ids()) == set(ids[1:])
    assert files_of(instance, ids[0]) == []
    assert files_of(instance, ids[1]) != []


def test_a_run_that_has_not_ended_is_never_forgotten(instance):
    going = instance.create_run_for_job(night, status=dg.DagsterRunStatus.STARTED)
    assert forget_old_runs(instance, keep=0) == 0
    assert instance.get_run_ids() == [going.run_id]
    assert instance.get_run_by_id(going.run_id).status is dg.DagsterRunStatus.STARTED


def test_a_run_whose_process_was_killed_is_noted_as_failed_and_then_forgotten_like_any_other(instance, tmp_path):
    killed = instance.create_run_for_job(night, status=dg.DagsterRunStatus.STARTED)
    assert end_dead_runs(instance, home=tmp_path) == 1
    assert instance.get_run_by_id(killed.run_id).status is dg.DagsterRunStatus.FAILURE
    assert end_dead_runs(instance, home=tmp_path) == 0
    assert forget_old_runs(instance, keep=0) == 1


def test_no_run_is_called_dead_while_a_night_holds_the_state_folder(instance, tmp_path):
    going = instance.create_run_for_job(night, status=dg.DagsterRunStatus.STARTED)
    with warehouse.hold_night(tmp_path), pytest.raises(warehouse.NightInProgressError):
        end_dead_runs(instance, home=tmp_path)
    assert instance.get_run_by_id(going.run_id).status is dg.DagsterRunStatus.STARTED
