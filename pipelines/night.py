"""One night from the command line: the same job that the schedule runs, told to whom the settings name.

Belongs here: starting the job. Does not belong here: what the job does, how its end is read (`night_end`) or printed
(`night_report`).
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import FrameType

import dagster as dg
from sqlalchemy.exc import OperationalError

from assets import warehouse
from assets.feeds.secret import hold_secret
from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from pipelines.alerts import read_alerts, tell, told_of_end
from pipelines.night_end import (
    STOPPED,
    NightEnd,
    failed_end,
    kept,
    leave_word,
    published_end,
    said_of,
    stages_of,
    was_stopped,
)
from pipelines.run_history import end_dead_runs, forget_old_runs
from pipelines.state import TELLS_ITSELF, prepare_dagster, secret_file


def run_night(*, config: Path, inbox: Path, home: Path, as_of: str | None) -> NightEnd:
    """Run the nightly job in this process, and leave word of its end whatever that is.

    A second night in the same folder is refused and leaves no word: the one that runs will.

    Args:
        config: the service's TOML file.
        inbox: the folder of the clinic's files.
        home: the state folder.
        as_of: the data date as YYYY-MM-DD; None for today in the clinic's zone.

    Raises:
        WrongInput: before anything is started, where the settings, the date, the inbox or the secret can't be used.
        KeyboardInterrupt: where it was asked to stop, by Ctrl-C or by SIGTERM; what it had built is not published.
    """
    begun = time.monotonic()
    told = _Told(config=config, home=home, begun=begun)
    try:
        with _stopped_by_sigterm():
            result = _job(config=config, inbox=inbox, home=home, as_of=as_of)
    except warehouse.NightInProgressError as busy:
        return NightEnd(version=None, problem=str(busy), is_wrong_input=False, findings=(), seconds=0.0)
    except WrongInput as wrong:
        told.nothing_published(str(wrong), is_wrong_input=True)
        raise
    except KeyboardInterrupt:
        told.nothing_published(STOPPED)
        raise
    except (OSError, OperationalError) as error:
        # The disk, most likely: Dagster keeps its own record of runs there, in SQLite.
        return told.nothing_published(f"the night could not run: {said_of(f'{type(error).__name__}: {error}')}")
    except Exception as error:
        told.nothing_published(f"the night could not run: {type(error).__name__}")
        raise
    seconds = time.monotonic() - begun
    if result.success:
        return told.pass_on(
            published_end(home, seconds=seconds, stages=stages_of(result.all_events)), run=result.run_id
        )
    left = warehouse.current_version(home)
    return told.pass_on(failed_end(result.all_events, left=left, seconds=seconds), run=result.run_id)


def _job(*, config: Path, inbox: Path, home: Path, as_of: str | None) -> dg.ExecuteInProcessResult:
    read_service(config)
    read_alerts(config)
    if as_of is not None:
        _check_day(as_of)
    if not inbox.is_dir():
        raise WrongInput(
            "there is no such folder", place=f"--inbox {inbox}", mend="give the folder that the export is in"
        )
    # The run itself holds the folder; asking first spares a second night the minute that it takes to be refused.
    with warehouse.hold_night(home):
        hold_secret(secret_file(home), landing=home / "landing")
    os.environ |= {
        "RAPPORT_CONFIG": str(config.absolute()),
        "RAPPORT_INBOX": str(inbox.absolute()),
        "RAPPORT_HOME": str(home),
        "RAPPORT_AS_OF": as_of or "",
    }
    prepare_dagster(home)
    # Loading the definitions reads the settings for the schedule's zone, so it comes after the environment is set.
    from pipelines.definitions import defs  # noqa: PLC0415

    with dg.DagsterInstance.get() as instance:
        end_dead_runs(instance, home=home)
        result = defs.resolve_job_def("nightly").execute_in_process(
            instance=instance, raise_on_error=False, tags={TELLS_ITSELF: "yes"}
        )
        forget_old_runs(instance)
    if was_stopped(result.all_events):
        raise KeyboardInterrupt
    return result


@dataclass(frozen=True, kw_only=True)
class _Told:
    """Where a night's end is told: the note in the state folder, and those whom the settings name."""

    config: Path
    home: Path
    begun: float

    def pass_on(self, end: NightEnd, *, run: str) -> NightEnd:
        """Leave the note and tell people; the end with how many could not be told."""
        # On a full disk there is no room for the note either; people are told all the same.
        with suppress(OSError):
            leave_word(self.home, end=end, run_id=run)
        try:
            clinic, alerts = read_service(self.config).clinic.name, read_alerts(self.config)
        except WrongInput:
            # Whom to tell stands in the settings that can't be read.
            return end
        message = told_of_end(clinic=clinic, version=end.version, problem=end.problem, seconds=end.seconds)
        return replace(end, untold=tell(message, alerts=alerts))

    def nothing_published(self, problem: str, *, is_wrong_input: bool = False) -> NightEnd:
        """The end of a night that came to no run, or not to the end of one."""
        end = NightEnd(
            version=None,
            problem=problem + kept(warehouse.current_version(self.home)),
            is_wrong_input=is_wrong_input,
            findings=(),
            seconds=time.monotonic() - self.begun,
        )
        return self.pass_on(end, run="")


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Take a service manager's wish to stop as a person's Ctrl-C."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_day(as_of: str) -> None:
    try:
        date.fromisoformat(as_of)
    except ValueError as error:
        raise WrongInput(f'"{as_of}" is not a day', place="--as-of", mend="write it as YYYY-MM-DD") from error
