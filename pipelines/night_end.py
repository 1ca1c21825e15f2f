"""How a night ended: read off Dagster's events, whoever started the run, and left behind as a note for machines.

Belongs here: the one line that says why nothing was published, and `last_run.json`. Does not belong here: starting a night
(`night`), telling people (`alerts`), or how an end is printed (`night_report`).
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from assets import warehouse
from assets.published import MANIFEST_FILE
from assets.tables import WRONG_INPUT
from assets.whole_files import written_whole

LAST_RUN = "last_run.json"
CHECKS = "checks"
STOPPED = "it was stopped before its end"
_STOPPED = frozenset({"KeyboardInterrupt", "DagsterExecutionInterruptedError"})
# What the system says, as Python, DuckDB, SQLite and polars write it, and the mend where there is one of ours.
_OF_THE_SYSTEM = {
    "no space left on device": "the disk is full; `doctor` says how much room a night wants",
    "disk is full": "the disk is full; `doctor` says how much room a night wants",
    "disk quota exceeded": "this account's share of the disk is used up",
    "file too large": "a file may not grow that long here",
    "read-only file system": "the file system can only be read",
    "readonly database": "the file system can only be read",
    "permission denied": "this account may not write there; `doctor` says where",
    "input/output error": "the disk could not be read or written",
    "disk i/o error": "the disk could not be read or written, or is full",
    "cannot allocate memory": "the machine has no memory left",
    "out of memory": "the night needs more memory than it may use",
}


@dataclass(frozen=True, kw_only=True)
class NightEnd:
    """How a night ended.

    Attributes:
        version: what was published; None where nothing was.
        problem: one line saying why nothing was published; None where all went well.
        is_wrong_input: whether the problem is in what was given.
        findings: the site's findings in words.
        seconds: how long it took.
        stages: where the time went, in the order of the night.
        untold: a line for each way in which people could not be told.
    """

    version: str | None
    problem: str | None
    is_wrong_input: bool
    findings: tuple[str, ...]
    seconds: float
    stages: tuple["Stage", ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage of a night: how many tables it made (the checks: looked at), of how many rows, in how many seconds."""

    name: str
    tables: int
    rows: int
    seconds: float


def stages_of(events: Iterable[dg.DagsterEvent]) -> tuple[Stage, ...]:
    """What each stage made and took; the checks are a stage of their own, wherever they stand between the others."""
    made: dict[str, dict[str, int]] = {}
    took: dict[str, float] = {}
    stage_of: dict[str, str] = {}
    checked: set[dg.AssetKey] = set()
    for event in events:
        step = str(event.step_key)
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key is not None:
            stage = event.asset_key.path[0]
            stage_of.setdefault(step, stage)
            rows = event.step_materialization_data.materialization.metadata["dagster/row_count"].value
            made.setdefault(stage, {})[event.asset_key.to_user_string()] = int(rows)
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            checked.add(event.asset_check_evaluation_data.asset_key)
        elif event.event_type is dg.DagsterEventType.STEP_SUCCESS:
            stage = stage_of.get(step, CHECKS)
            took[stage] = took.get(stage, 0.0) + event.step_success_data.duration_ms / 1000
    return tuple(
        Stage(
            name=name,
            tables=len(checked) if name == CHECKS else len(made.get(name, {})),
            rows=sum(made.get(name, {}).values()),
            seconds=round(seconds, 1),
        )
        for name, seconds in took.items()
    )


def published_end(home: Path, *, seconds: float, stages: tuple[Stage, ...] = ()) -> NightEnd:
    """The end of a night whose version readers now get."""
    described = json.loads((home / warehouse.CURRENT / MANIFEST_FILE).read_text(encoding="utf-8"))
    return NightEnd(
        version=warehouse.current_version(home),
        problem=None,
        is_wrong_input=False,
        findings=tuple(described["findings"]),
        seconds=seconds,
        stages=stages,
    )


def failed_end(events: Iterable[dg.DagsterEvent], *, left: str | None, seconds: float) -> NightEnd:
    """The end of a night that did not come to its end.

    Args:
        events: the run's events, in their order.
        left: the version that readers get after it: the one before it, but for a night that stopped right after it had
            published; None where there is none.
        seconds: how long the run took.
    """
    problem, is_wrong_input = problem_of(list(events))
    return NightEnd(
        version=None, problem=problem + kept(left), is_wrong_input=is_wrong_input, findings=(), seconds=seconds
    )


def kept(left: str | None) -> str:
    """What readers have after a night that did not come to its end, as the end of its line."""
    return f"; {left} stays published" if left else "; nothing is published yet"


def said_of(error: str) -> str:
    """What may be told of an error, which is its kind and what the system said: a message may hold anybody's values."""
    found = next((told for sign, told in _OF_THE_SYSTEM.items() if sign in error.lower()), None)
    kind = (re.findall(r"\b\w+(?:Error|Exception)\b", error) or ["unknown error"])[0]
    return kind if found is None else f"{kind}, {found}"


def was_stopped(events: Iterable[dg.DagsterEvent]) -> bool:
    """Whether somebody stopped the run, within a step or between two: it did not fail by itself."""
    return any(
        event.event_type is dg.DagsterEventType.RUN_CANCELED or getattr(_error_of(event), "cls_name", None) in _STOPPED
        for event in events
    )


def _error_of(event: dg.DagsterEvent) -> Any:
    """What broke a step or a run; None for every other event, and where a run was noted as failed from outside."""
    if event.is_step_failure or event.event_type is dg.DagsterEventType.RUN_FAILURE:
        return getattr(event.event_specific_data, "error", None)
    return None


def problem_of(events: list[dg.DagsterEvent]) -> tuple[str, bool]:
    """The first reason why a night stopped, in one line, and whether a person's input is to blame."""
    for event in events:
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            found = event.asset_check_evaluation_data
            if not found.passed and found.severity is dg.AssetCheckSeverity.ERROR:
                broken = ", ".join(name for name in found.metadata if name != "rules")
                return f"{'.'.join(found.asset_key.path)} breaks its contract: {broken}", False
    if was_stopped(events):
        return STOPPED, False
    for event in events:
        if event.is_step_failure:
            return _problem_of_step(event)
    for event in events:
        if event.event_type is dg.DagsterEventType.RUN_FAILURE:
            error = _error_of(event)
            if error is None:
                return str(event.message), False
            cause = _first_cause(error)
            return f"the run failed: {said_of(f'{cause.cls_name}: {cause.message}')}", False
    return "the night stopped for no stated reason", False


def _problem_of_step(event: dg.DagsterEvent) -> tuple[str, bool]:
    told = event.step_failure_data.user_failure_data
    if told is not None and WRONG_INPUT in told.metadata:
        return str(told.description), True
    error = event.step_failure_data.error
    if error is None:
        return f"{event.step_key} failed: for no stated reason", False
    cause = _first_cause(error)
    return f"{event.step_key} failed: {said_of(f'{cause.cls_name}: {cause.message}')}", False


def _first_cause(error: Any) -> Any:
    while error.cause is not None:
        error = error.cause
    return error


def leave_word(home: Path, *, end: NightEnd, run_id: str) -> None:
    """A machine-readable note of the last run, moved into place whole."""
    home.mkdir(parents=True, exist_ok=True)
    said = {
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "run_id": run_id,
        "is_success": end.problem is None,
        "version": end.version,
        "problem": end.problem,
        "seconds": round(end.seconds, 1),
        "stages": [asdict(stage) for stage in end.stages],
    }
    with written_whole(home / LAST_RUN, mode=0o644) as note:
        note.write(json.dumps(said, indent=2).encode())
