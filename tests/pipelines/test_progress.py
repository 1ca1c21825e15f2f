import io
import logging
from types import SimpleNamespace

from pipelines.progress import ProgressLine


def told(*events: SimpleNamespace | None) -> str:
    stream = io.StringIO()
    line = ProgressLine(stream)
    for event in events:
        record = logging.LogRecord("progress", logging.DEBUG, "", 0, "", None, None)
        record.dagster_meta = {"dagster_event": event}
        line.emit(record)
    return stream.getvalue()


def event(kind: str, step: str = "marts__sessions") -> SimpleNamespace:
    kinds = ("is_step_start", "is_step_success", "is_step_failure", "is_job_success", "is_job_failure")
    return SimpleNamespace(step_key=step, **{each: each == kind for each in kinds})


def test_the_step_under_way_is_named_as_its_table():
    assert told(event("is_step_start")).endswith("0 steps done, now marts.sessions")


def test_a_check_is_named_by_the_table_it_checks():
    assert told(event("is_step_start", "marts__sessions_contract")).endswith("now marts.sessions")


def test_steps_that_ended_are_counted():
    assert told(event("is_step_success"), event("is_step_failure"), event("is_step_start")).endswith(
        "2 steps done, now marts.sessions"
    )


def test_the_line_is_gone_when_the_night_ends():
    assert told(event("is_step_start"), event("is_job_success")).endswith("\r\x1b[K")


def test_other_records_say_nothing():
    assert told(None) == ""
