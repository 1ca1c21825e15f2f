"""How far a night has come: a bar on a terminal, lines for a journal where there is none.

Belongs here: the bar that moves as steps end, and the choice between the two. Does not belong here: what a step does, the
lines themselves (`log_lines`), or the report at the end. Dagster reads annotations at run time, so this module never
postpones them.
"""

import functools
import logging
import sys
from typing import TextIO

import click
import dagster as dg

from pipelines.log_lines import LogLines

NAME = "progress"


class ProgressBar(logging.Handler):
    """Counts the steps that ended and shows the one that is under way.

    Args:
        stream: where to draw; a terminal.
        steps: how many steps there are.
    """

    def __init__(self, stream: TextIO, *, steps: int) -> None:
        super().__init__(level=logging.DEBUG)
        # Steps differ a hundredfold in length, so that a guess of the time left would be wrong all night.
        self._bar = click.progressbar(
            length=steps, file=stream, show_eta=False, show_pos=True, width=24, item_show_func=lambda table: table
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Take notice of a step's start or end; everything else is for Dagster's own log."""
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            return
        if event.is_step_start:
            self._bar.update(0, str(event.step_key).replace("__", ".").removesuffix("_contract"))
            self._bar.render_progress()
        elif event.is_step_success or event.is_step_failure:
            self._bar.update(1)
        elif event.is_job_success or event.is_job_failure:
            self._bar.render_finish()


@dg.logger(description="A bar on a terminal, else one JSON object a line.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """A logger that shows progress where somebody watches, and says what happened where nobody does."""
    steps = len(context.job_def.nodes) if context.job_def is not None else 0
    logger = logging.Logger(NAME, level=logging.DEBUG)  # noqa: LOG001 - one for each run, so that no handler is left over
    logger.addHandler(_handler(context.run_id, steps=steps))
    return logger


@functools.lru_cache(maxsize=1)
def _handler(run: str | None, *, steps: int) -> logging.Handler:
    """One handler a run: Dagster asks for a logger once for the run and again for its steps."""
    if sys.stderr.isatty():
        return ProgressBar(sys.stderr, steps=steps)
    return LogLines(sys.stderr, run=run or "")
