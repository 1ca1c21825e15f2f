"""One night from the command line: the same job that the schedule runs, and what it came to.

Belongs here: starting the job, and reading its end. Does not belong here: what the job does, or how its end is printed
(`night_report`).
"""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from assets import warehouse
from assets.feeds.secret import hold_secret
from assets.feeds.wrong_input import WrongInput
from assets.published import MANIFEST_FILE
from assets.service import read_service
from assets.tables import WRONG_INPUT
from pipelines.progress import NAME
from pipelines.state import prepare_dagster, secret_file

LAST_RUN = "last_run.json"


@dataclass(frozen=True, kw_only=True)
class NightEnd:
    """How a night ended.

    Attributes:
        version: what was published; None where nothing was.
        problem: one line saying why nothing was published; None where all went well.
        is_wrong_input: whether the problem is in what was given.
        findings: the site's findings in words.
        seconds: how long it took.
    """

    version: str | None
    problem: str | None
    is_wrong_input: bool
    findings: tuple[str, ...]
    seconds: float


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
    read_service(config)
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
        )
    end = _read_end(result, home=home, before=before, seconds=time.monotonic() - begun)
    _leave_word(home, end=end, run_id=result.run_id)
    return end


def _check_day(as_of: str) -> None:
    try:
        date.fromisoformat(as_of)
    except ValueError as error:
        raise WrongInput(f'"{as_of}" is not a day', place="--as-of", mend="write it as YYYY-MM-DD") from error


def _read_end(result: dg.ExecuteInProcessResult, *, home: Path, before: str | None, seconds: float) -> NightEnd:
    if result.success:
        version = warehouse.current_version(home)
        described = json.loads((home / warehouse.CURRENT / MANIFEST_FILE).read_text(encoding="utf-8"))
        return NightEnd(
            version=version, problem=None, is_wrong_input=False, findings=tuple(described["findings"]), seconds=seconds
        )
    problem, is_wrong_input = _problem(result)
    kept = f"; {before} stays published" if before else "; nothing is published yet"
    return NightEnd(version=None, problem=problem + kept, is_wrong_input=is_wrong_input, findings=(), seconds=seconds)


def _problem(result: dg.ExecuteInProcessResult) -> tuple[str, bool]:
    """The first reason why the night stopped, in one line, and whether a person's input is to blame."""
    for event in result.all_events:
        if event.event_type_value == "ASSET_CHECK_EVALUATION":
            found = event.asset_check_evaluation_data
            if not found.passed and found.severity is dg.AssetCheckSeverity.ERROR:
                broken = ", ".join(name for name in found.metadata if name != "rules")
                return f"{'.'.join(found.asset_key.path)} breaks its contract: {broken}", False
    for event in result.all_events:
        if event.is_step_failure:
            told = event.step_failure_data.user_failure_data
            if told is not None and WRONG_INPUT in told.metadata:
                return str(told.description), True
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            return f"{event.step_key} failed: {error.cls_name if error else 'for no stated reason'}", False
    failures = [event for event in result.all_events if event.is_failure]
    if failures and failures[0].pipeline_failure_data.error is not None:
        error = failures[0].pipeline_failure_data.error
        while error.cause is not None:
            error = error.cause
        return " ".join(error.message.split()), False
    return "the night stopped for no stated reason", False


def _leave_word(home: Path, *, end: NightEnd, run_id: str) -> None:
    """A machine-readable note of the last run, moved into place whole."""
    home.mkdir(parents=True, exist_ok=True)
    note = home / f".{LAST_RUN}.new"
    note.write_text(
        json.dumps(
            {
                "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "run_id": run_id,
                "is_success": end.problem is None,
                "version": end.version,
                "problem": end.problem,
                "seconds": round(end.seconds, 1),
            },
            indent=2,
        ),
        encoding="utf-8",
    )
    note.replace(home / LAST_RUN)
