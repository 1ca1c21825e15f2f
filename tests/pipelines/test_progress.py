import io
import logging
from types import SimpleNamespace

from pipelines.progress import ProgressBar


class Terminal(io.StringIO):
    """A stream on which somebody watches."""

    def isatty(self):
        return True


def shown(*events: SimpleNamespace | None) -> str:
    stream = Terminal()
    bar = ProgressBar(stream, steps=4)
    for event in events:
        record = logging.LogRecord("progress", logging.DEBUG, "", 0, "", None, None)
        record.dagster_meta = {"dagster_event": event}
        bar.emit(record)
    return stream.getvalue()


def event(kind: str, step: str = "marts__sessions") -> SimpleNamespace:
    kinds = ("is_step_start", "is_step_success", "is_step_failure", "is_job_success", "is_job_failure")
    return SimpleNamespace(step_key=step, **{each: each == kind for each in kinds})


def test_the_step_under_way_is_named_as_its_table():
    assert "0/4  marts.sessions" in shown(event("is_step_start"))


def test_a_check_is_named_by_the_table_it_checks():
    assert "0/4  marts.sessions" in shown(event("is_step_start", "marts__sessions_contract"))


def test_steps_that_ended_are_counted():
    told = shown(event("is_step_success"), event("is_step_failure"), event("is_step_start"))
    assert "2/4  marts.sessions" in told


def test_the_line_is_ended_when_the_night_ends():
    assert shown(event("is_step_start"), event("is_job_success")).endswith("\n")


def test_other_records_say_nothing():
    assert "marts" not in shown(None)
