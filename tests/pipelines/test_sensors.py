import json
import logging
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
import pytest

from assets import warehouse
from assets.published import MANIFEST_FILE
from pipelines import sensors
from pipelines.alerts import Alerts
from pipelines.sensors import TELLS_ITSELF, failed_night, new_drops, published_night, silent_nights, stopped_night


@pytest.fixture
def told(monkeypatch):
    """What would have been sent."""
    messages = []

    def remember(message, *, alerts):
        messages.append(message)
        return ()

    monkeypatch.setattr(sensors, "tell", remember)
    monkeypatch.setattr(sensors, "read_alerts", lambda _: Alerts(overdue_hours=26))
    monkeypatch.setattr(sensors, "_clinic", lambda: "North")
    return messages


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home"
    (tmp_path / "inbox").mkdir()
    staged = folder / "work" / "staged"
    staged.mkdir(parents=True)
    (staged / warehouse.WAREHOUSE_FILE).touch()
    (staged / MANIFEST_FILE).write_text(json.dumps({"findings": ["steady"]}))
    warehouse.publish(staged, home=folder, version="20261120T030000000000Z", keep=3)
    monkeypatch.setenv("RAPPORT_HOME", str(folder))
    monkeypatch.setenv("RAPPORT_INBOX", str(tmp_path / "inbox"))
    monkeypatch.setenv("RAPPORT_CONFIG", str(tmp_path / "clinic.toml"))
    return folder


@dg.logger
def quiet(_):
    return logging.Logger("quiet")  # noqa: LOG001 - nobody listens to it


def job(*, named, fails):
    @dg.op
    def step():
        if fails:
            raise ValueError("client 4711")

    @dg.job(name=named, logger_defs={"quiet": quiet})
    def made():
        step()

    return made


def ended(sensor, *, named="nightly", fails, tags=None):
    """A run of that name in an instance of its own, as the sensor is shown it."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = job(named=named, fails=fails).execute_in_process(
            instance=instance, raise_on_error=False, tags=tags, run_config={"loggers": {"quiet": {}}}
        )
        event = next(each for each in result.all_events if each.is_job_failure or each.is_job_success)
        context = dg.build_run_status_sensor_context(
            sensor_name=sensor.name, dagster_instance=instance, dagster_run=result.dagster_run, dagster_event=event
        )
        return sensor(context.for_run_failure() if fails else context)


def ended_from_outside(sensor, *, by):
    """A run that said nothing of its own end, as the sensor is shown it."""
    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(job(named="nightly", fails=False))
        event = by(instance, run)
        context = dg.build_run_status_sensor_context(
            sensor_name=sensor.name, dagster_instance=instance, dagster_run=run, dagster_event=event
        )
        return sensor(context.for_run_failure() if sensor is failed_night else context)


def last_run(home):
    return json.loads((home / "last_run.json").read_text())


def test_a_failed_night_is_told_and_leaves_word_whoever_started_it(home, told):
    ended(failed_night, fails=True)
    assert last_run(home)["is_success"] is False
    assert last_run(home)["problem"] == "step failed: ValueError; 20261120T030000000000Z stays published"
    (message,) = told
    assert message.subject == "Rapport: North: nothing was published"
    assert "4711" not in message.text


def test_a_night_whose_process_was_killed_is_told_once_that_is_known(home, told):
    killed = partial(dg.DagsterInstance.report_run_failed, message="its process was killed before the run ended")
    ended_from_outside(failed_night, by=killed)
    ending = "; 20261120T030000000000Z stays published"
    assert last_run(home)["problem"] == f"its process was killed before the run ended{ending}"
    assert len(told) == 1


def test_a_night_that_a_person_ended_on_the_pages_is_told_and_leaves_word(home, told):
    ended_from_outside(stopped_night, by=dg.DagsterInstance.report_run_canceled)
    assert last_run(home)["is_success"] is False
    assert last_run(home)["problem"] == "it was stopped before its end; 20261120T030000000000Z stays published"
    assert [message.subject for message in told] == ["Rapport: North: nothing was published"]


def test_a_published_night_leaves_word_of_its_version(home, told):
    ended(published_night, fails=False)
    assert last_run(home)["version"] == "20261120T030000000000Z"
    assert [message.is_good_news for message in told] == [True]


@pytest.mark.parametrize("how", [{"named": "another"}, {"tags": {TELLS_ITSELF: "yes"}}])
def test_another_jobs_run_and_one_that_tells_of_its_own_end_are_left_alone(home, told, how):
    assert isinstance(ended(failed_night, fails=True, **how), dg.SkipReason)
    assert isinstance(ended(published_night, fails=False, **how), dg.SkipReason)
    assert told == []
    assert not (home / "last_run.json").exists()


def test_a_silence_is_told_once_and_again_only_after_a_night_has_ended(home, told):
    def night(hours_ago):
        moment = datetime.now(UTC) - timedelta(hours=hours_ago)
        (home / "last_run.json").write_text(json.dumps({"ended_at": moment.isoformat(), "is_success": True}))

    context = dg.build_sensor_context()
    silent_nights(context)
    silent_nights(context)
    assert len(told) == 1
    night(1)
    silent_nights(context)
    assert len(told) == 1
    night(27)
    silent_nights(context)
    silent_nights(context)
    assert len(told) == 2
    assert "27 hours ago" in told[-1].text


def test_a_drop_starts_a_night_once_it_lies_still(home, tmp_path):
    context = dg.build_sensor_context()
    drop = tmp_path / "inbox" / "march.csv"
    drop.write_text("a,b\n")
    assert isinstance(new_drops(context), dg.SkipReason)
    drop.write_text("a,b\n1,2\n")
    assert isinstance(new_drops(context), dg.SkipReason)
    first = new_drops(context)
    assert isinstance(first, dg.RunRequest)
    assert new_drops(context).run_key == first.run_key
    (tmp_path / "inbox" / "april.csv").touch()
    assert isinstance(new_drops(context), dg.SkipReason)
    assert new_drops(context).run_key != first.run_key


def test_the_daemon_watches_ends_and_silences_from_the_start_and_drops_when_it_is_told_to():
    on = {sensor.name for sensor in sensors.SENSORS if sensor.default_status is dg.DefaultSensorStatus.RUNNING}
    assert on == {"failed_night", "stopped_night", "published_night", "silent_nights"}
