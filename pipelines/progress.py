"""How far a night has come, on a terminal; nothing where nobody watches.

Belongs here: one line that is written over as steps end. Does not belong here: what a step does, or the report at the end.
Dagster reads annotations at run time, so this module never postpones them.
"""

import logging
import sys
from typing import TextIO

import dagster as dg

NAME = "progress"
_ERASE = "\r\x1b[K"


class ProgressLine(logging.Handler):
    """Counts the steps that ended and shows the one that is under way.

    Args:
        stream: where to write; a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(level=logging.DEBUG)
        self.stream = stream
        self.ended = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Take notice of a step's start or end; everything else is for Dagster's own log."""
        event = getattr(record, "dagster_meta", {}).get("dagster_event")
        if event is None:
            return
        if event.is_step_start:
            table = str(event.step_key).replace("__", ".").removesuffix("_contract")
            self.stream.write(f"{_ERASE}{self.ended} steps done, now {table}")
        elif event.is_step_success or event.is_step_failure:
            self.ended += 1
        elif event.is_job_success or event.is_job_failure:
            self.stream.write(_ERASE)
        self.stream.flush()


@dg.logger(description="One line of progress on a terminal.")
def progress_logger(context: dg.InitLoggerContext) -> logging.Logger:  # noqa: ARG001 - Dagster's signature
    """A logger that shows progress where somebody watches."""
    logger = logging.Logger(NAME, level=logging.DEBUG)  # noqa: LOG001 - one for each run, so that no handler is left over
    if sys.stderr.isatty():
        logger.addHandler(ProgressLine(sys.stderr))
    else:
        logger.addHandler(logging.NullHandler())
    return logger
