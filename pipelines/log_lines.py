"""What a night says where nobody watches: one JSON object a line, on standard error, for a journal to keep.

Belongs here: which of Dagster's events become a line, and what stands in it: names of tables and rules, counts, seconds,
versions. Does not belong here: progress on a terminal (`progress`), or anything of a row: no value, code or file name is
ever in a line.
"""

import logging
import math
from typing import Any, Final, TextIO

import dagster as dg
import structlog

from pipelines.night_end import CHECKS, problem_of, stages_of

PROCESSORS: Final = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.JSONRenderer(),
)
_REFUSED: Final = dg.AssetKey(["staging", "refused_rows"])
_VERSION: Final = dg.AssetKey(["published", "version"])
_ROWS: Final = "dagster/row_count"


class LogLines(logging.Handler):
    """Turns a run's events into lines: its start, each table made, each rule broken, each stage, and its end.

    Args:
        stream: where to write.
        run: names the run in every line.
    """

    def __init__(self, stream: TextIO, *, run: str) -> None:
        super().__init__(level=logging.DEBUG)
        self._log: Any = structlog.wrap_logger(structlog.PrintLogger(stream), processors=list(PROCESSORS)).bind(run=run)
        self._events: list[dg.DagsterEvent] = []
        self._begun = math.inf
        self._refused: int | None = None
        self._version: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take notice of one event; a line that can't be written costs the line, never the night."""
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            return
        try:
            self._tell(event, at=record.created)
        except Exception as error:  # noqa: BLE001 -- the library's own way would print the message, which may hold a value
            self._log.error("a line could not be written", kind=type(error).__name__)

    def _tell(self, event: dg.DagsterEvent, *, at: float) -> None:
        self._begun = min(self._begun, at)
        self._events.append(event)
        if event.event_type is dg.DagsterEventType.RUN_START:
            self._log.info("run started")
        elif event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION:
            self._made(event)
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            self._checked(event.asset_check_evaluation_data)
        elif event.is_job_success or event.is_job_failure:
            self._ended(is_success=event.is_job_success, seconds=round(at - self._begun, 1))

    def _made(self, event: dg.DagsterEvent) -> None:
        metadata = event.step_materialization_data.materialization.metadata
        rows = int(metadata[_ROWS].value)
        if event.asset_key == _REFUSED:
            self._refused = rows
        if event.asset_key == _VERSION:
            self._version = str(metadata["version"].value)
        self._log.info("table made", table=".".join(event.asset_key.path) if event.asset_key else None, rows=rows)

    def _checked(self, found: Any) -> None:
        if found.passed:
            return
        rules = {name: int(value.value) for name, value in found.metadata.items() if name != "rules"}
        is_stopped = found.severity is dg.AssetCheckSeverity.ERROR
        say = self._log.error if is_stopped else self._log.warning
        say(
            "contract broken" if is_stopped else "told, and not stopped",
            table=".".join(found.asset_key.path),
            rules=rules,
        )

    def _ended(self, *, is_success: bool, seconds: float) -> None:
        stages = stages_of(self._events)
        for stage in stages:
            done = {"tables": stage.tables, "seconds": stage.seconds}
            self._log.info(
                "stage ended", stage=stage.name, **(done if stage.name == CHECKS else {**done, "rows": stage.rows})
            )
        if is_success:
            self._log.info(
                "run ended", is_success=True, seconds=seconds, refused_rows=self._refused, version=self._version
            )
            return
        problem, is_wrong_input = problem_of(self._events)
        # A wrong input's line names a file or a setting; who started the run is told it, the journal only that there is one.
        told = "wrong input" if is_wrong_input else problem
        self._log.error("run ended", is_success=False, seconds=seconds, refused_rows=self._refused, problem=told)
