"""What Dagster's daemon watches: how nights end, that they happen at all, and what arrives.

Belongs here: the sensors. Does not belong here: whom they tell and what they say (`alerts`), or how an end is read
(`night_end`). Dagster reads annotations at run time, so this module never postpones them.
"""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from assets import warehouse
from assets.service import read_service
from pipelines.alerts import Message, read_alerts, tell, told_of_end, told_of_silence
from pipelines.doctor import hours_since_last_night
from pipelines.night_end import NightEnd, failed_end, leave_word, published_end, stages_of
from pipelines.run_history import forget_old_runs
from pipelines.schedules import NIGHTLY_JOB
from pipelines.state import TELLS_ITSELF


def _config() -> Path:
    return Path(os.environ["RAPPORT_CONFIG"])


def _home() -> Path:
    return Path(os.environ["RAPPORT_HOME"])


def _clinic() -> str:
    return read_service(_config()).clinic.name


def _seconds(context: dg.RunStatusSensorContext) -> float:
    stats = context.instance.get_run_stats(context.dagster_run.run_id)
    return (stats.end_time or 0.0) - (stats.start_time or stats.launch_time or stats.end_time or 0.0)


def _events(context: dg.RunStatusSensorContext) -> list[dg.DagsterEvent]:
    logs = context.instance.all_logs(context.dagster_run.run_id)
    return [entry.dagster_event for entry in logs if entry.dagster_event is not None]


def _is_ours(context: dg.RunStatusSensorContext) -> bool:
    return context.dagster_run.job_name == NIGHTLY_JOB.name and TELLS_ITSELF not in context.dagster_run.tags


def _failed(context: dg.RunStatusSensorContext) -> NightEnd:
    return failed_end(_events(context), left=warehouse.current_version(_home()), seconds=_seconds(context))


def _pass_on(context: dg.RunStatusSensorContext, *, end: NightEnd) -> None:
    leave_word(_home(), end=end, run_id=context.dagster_run.run_id)
    forget_old_runs(context.instance)
    message = told_of_end(clinic=_clinic(), version=end.version, problem=end.problem, seconds=end.seconds)
    _send(context.log, message)


def _send(log: dg.DagsterLogManager, message: Message) -> None:
    for failure in tell(message, alerts=read_alerts(_config())):
        log.error(failure)


# Runs that were started outside the daemon belong to no code location that it knows; only so are they seen at all.
@dg.run_failure_sensor(monitor_all_code_locations=True, default_status=dg.DefaultSensorStatus.RUNNING)
def failed_night(context: dg.RunFailureSensorContext) -> dg.SkipReason | None:
    """Leaves word of a night that published nothing, and tells those whom the settings name."""
    if not _is_ours(context):
        return dg.SkipReason("another job's run, or one that tells of its own end")
    _pass_on(context, end=_failed(context))
    return None


# Dagster takes a run that a person ended on its pages for no failure.
@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.CANCELED,
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def stopped_night(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    """Leaves word of a night that a person ended on Dagster's pages."""
    if not _is_ours(context):
        return dg.SkipReason("another job's run, or one that tells of its own end")
    _pass_on(context, end=_failed(context))
    return None


@dg.run_status_sensor(
    run_status=dg.DagsterRunStatus.SUCCESS,
    monitor_all_code_locations=True,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def published_night(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
    """Leaves word of a night that was published."""
    if not _is_ours(context):
        return dg.SkipReason("another job's run, or one that tells of its own end")
    stages = stages_of(_events(context))
    _pass_on(context, end=published_end(_home(), seconds=_seconds(context), stages=stages))
    return None


@dg.sensor(minimum_interval_seconds=1800, default_status=dg.DefaultSensorStatus.RUNNING)
def silent_nights(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Tells, once a silence, that no night has ended in time."""
    now = datetime.now(UTC)
    hours = hours_since_last_night(_home(), now=now)
    if hours is not None and hours <= read_alerts(_config()).overdue_hours:
        context.update_cursor("")
        return dg.SkipReason("a night has ended in time")
    if context.cursor:
        return dg.SkipReason("this silence has been told")
    _send(context.log, told_of_silence(clinic=_clinic(), hours=hours))
    context.update_cursor(now.isoformat())
    return dg.SkipReason("no night has ended in time; told")


@dg.sensor(job=NIGHTLY_JOB, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def new_drops(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """Runs the night when files arrived in the inbox and lie still; for services that export by day. Off until turned on."""
    seen = _fingerprint(Path(os.environ["RAPPORT_INBOX"]))
    if context.cursor != seen:
        context.update_cursor(seen)
        return dg.SkipReason("the inbox is changing; looking again")
    return dg.RunRequest(run_key=seen)


def _fingerprint(inbox: Path) -> str:
    """Names, sizes and times of the inbox's files, which change for as long as something is being written."""
    stats = ((file.relative_to(inbox).as_posix(), file.stat()) for file in sorted(inbox.rglob("*")) if file.is_file())
    told = "\n".join(f"{name}\t{stat.st_size}\t{stat.st_mtime_ns}" for name, stat in stats)
    return hashlib.sha256(told.encode()).hexdigest()


SENSORS: list[dg.SensorDefinition] = [failed_night, stopped_night, published_night, silent_nights, new_drops]
