"""One night from the command line: the same job that the schedule runs, told to whom the settings name.

Belongs here: starting the job. Does not belong here: what the job does, how its end is read (`night_end`) or printed
(`night_report`).
"""

import os
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import dagster as dg

from assets import warehouse
from assets.feeds.secret import hold_secret
from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from pipelines.alerts import read_alerts, tell, told_of_end
from pipelines.night_end import NightEnd, failed_end, leave_word, published_end, stages_of
from pipelines.progress import NAME
from pipelines.run_history import forget_old_runs
from pipelines.state import TELLS_ITSELF, prepare_dagster, secret_file


def run_night(*, config: Path, inbox: Path, home: Path, as_of: str | None) -> NightEnd:
    """Run the nightly job in this process.

    Args:
        config: the service's TOML file.
        inbox: the folder of the clinic's files.
        home: the state folder.
        as_of: the data date as YYYY-MM-DD; None for today in the clinic's zone.

    Raises:
        WrongInput: before anything is started, where the settings, the date, the inbox or the secret can't be used.
    """
    begun = time.monotonic()
    clinic, alerts = read_service(config).clinic.name, read_alerts(config)
    if as_of is not None:
        _check_day(as_of)
    if not inbox.is_dir():
        raise WrongInput(
            "there is no such folder", place=f"--inbox {inbox}", mend="give the folder that the export is in"
        )
    try:
        # The run itself holds the folder; asking first spares a second night the minute that it takes to be refused.
        with warehouse.hold_night(home):
            hold_secret(secret_file(home), landing=home / "landing")
    except warehouse.NightInProgressError as busy:
        return NightEnd(version=None, problem=str(busy), is_wrong_input=False, findings=(), seconds=0.0)
    os.environ |= {
        "RAPPORT_CONFIG": str(config.absolute()),
        "RAPPORT_INBOX": str(inbox.absolute()),
        "RAPPORT_HOME": str(home),
        "RAPPORT_AS_OF": as_of or "",
    }
    prepare_dagster(home)
    # Loading the definitions reads the settings for the schedule's zone, so it comes after the environment is set.
    from pipelines.definitions import defs  # noqa: PLC0415

    before = warehouse.current_version(home)
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("nightly").execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {NAME: {}}},
            tags={TELLS_ITSELF: "yes"},
        )
        forget_old_runs(instance)
    seconds = time.monotonic() - begun
    if result.success:
        end = published_end(home, seconds=seconds, stages=stages_of(result.all_events))
    else:
        end = failed_end(result.all_events, before=before, seconds=seconds)
    leave_word(home, end=end, run_id=result.run_id)
    message = told_of_end(clinic=clinic, version=end.version, problem=end.problem, seconds=seconds)
    return replace(end, untold=tell(message, alerts=alerts))


def _check_day(as_of: str) -> None:
    try:
        date.fromisoformat(as_of)
    except ValueError as error:
        raise WrongInput(f'"{as_of}" is not a day', place="--as-of", mend="write it as YYYY-MM-DD") from error
