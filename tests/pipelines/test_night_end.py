import json

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._utils.error import SerializableErrorInfo

from assets.feeds.wrong_input import WrongInput
from assets.tables import made, told_in_one_line
from pipelines.night_end import LAST_RUN, NightEnd, Stage, failed_end, leave_word, problem_of, said_of, stages_of


def table(name, *, deps=(), rows=3, fails=None):
    @dg.asset(key=dg.AssetKey(name.split(".")), deps=[dg.AssetKey(each.split(".")) for each in deps])
    def build() -> dg.MaterializeResult:
        if fails is not None:
            with told_in_one_line():
                raise fails
        return made(rows)

    return build


def contract(of, *, passed, severity=dg.AssetCheckSeverity.ERROR):
    @dg.asset_check(asset=dg.AssetKey(of.split(".")), name="contract", blocking=True)
    def check() -> dg.AssetCheckResult:
        metadata = {"rules": 7, **({} if passed else {"is_never_negative": 2})}
        return dg.AssetCheckResult(passed=passed, severity=severity, metadata=metadata)

    return check


def events_of(*parts):
    assets = [part for part in parts if not isinstance(part, dg.AssetChecksDefinition)]
    checks = [part for part in parts if isinstance(part, dg.AssetChecksDefinition)]
    defs = dg.Definitions(
        assets=assets, asset_checks=checks, jobs=[dg.define_asset_job("n")], executor=dg.in_process_executor
    )
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("n").execute_in_process(instance=instance, raise_on_error=False)
    return list(result.all_events)


def test_a_contract_that_is_broken_is_named_with_its_rules_and_no_value():
    events = events_of(table("marts.sessions"), contract("marts.sessions", passed=False))
    assert problem_of(events) == ("marts.sessions breaks its contract: is_never_negative", False)


def test_a_warning_is_no_problem():
    warned = contract("marts.sessions", passed=False, severity=dg.AssetCheckSeverity.WARN)
    assert "breaks its contract" not in problem_of(events_of(table("marts.sessions"), warned))[0]


def test_wrong_input_is_told_in_its_own_line():
    wrong = WrongInput("no such column", place="feeds.alliance", mend="see its header")
    events = events_of(table("sources.alliance", fails=wrong))
    assert problem_of(events) == ("feeds.alliance: no such column; see its header", True)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), DagsterExecutionInterruptedError()])
def test_a_night_that_somebody_stopped_says_so(error):
    assert problem_of(events_of(table("marts.sessions", fails=error)))[0] == "it was stopped before its end"


def run_that_failed(error):
    said = SerializableErrorInfo(message="client 4711", stack=[], cls_name=error) if error else None
    return dg.DagsterEvent(
        event_type_value="PIPELINE_FAILURE",
        job_name="n",
        message="the executor is gone",
        event_specific_data=JobFailureData(error=said, failure_reason=RunFailureReason.RUN_EXCEPTION),
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("DagsterExecutionInterruptedError", "it was stopped before its end"),
        ("DagsterResourceError", "the run failed: DagsterResourceError"),
        (None, "the executor is gone"),
    ],
)
def test_a_run_that_failed_between_two_steps_says_why_and_no_value(error, said):
    assert problem_of([run_that_failed(error)]) == (said, False)


def test_a_fault_of_ours_is_named_by_its_kind_and_never_by_its_message():
    events = events_of(table("marts.sessions", fails=ValueError("client 4711")))
    assert problem_of(events) == ("marts__sessions failed: ValueError", False)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("OSError: [Errno 28] No space left on device: '/x/4711'", "OSError, the disk is full; "),
        (
            '_duckdb.IOException: IO Error: Could not write file "x": No space left on device',
            "IOException, the disk is full",
        ),
        ("sqlite3.OperationalError: database or disk is full", "OperationalError, the disk is full"),
        ("PermissionError: [Errno 13] Permission denied: '/x/4711'", "PermissionError, this account may not write"),
        ("ValueError: client 4711 said no", "ValueError"),
        ("4711", "unknown error"),
    ],
)
def test_of_an_error_its_kind_and_the_systems_own_words_are_told(error, said):
    assert said_of(error).startswith(said)
    assert "4711" not in said_of(error)


def test_a_step_that_makes_tables_of_two_layers_counts_under_the_first():
    @dg.multi_asset(
        specs=[dg.AssetSpec(dg.AssetKey(["landing", "files"])), dg.AssetSpec(dg.AssetKey(["quality", "run"]))]
    )
    def landing():
        yield made(7, of=dg.AssetKey(["landing", "files"]))
        yield made(1, of=dg.AssetKey(["quality", "run"]))

    stages = stages_of(events_of(landing, table("quality.checks", deps=["quality.run"], rows=5)))
    assert [(each.name, each.tables, each.rows) for each in stages] == [("landing", 1, 7), ("quality", 2, 6)]


@pytest.mark.parametrize(("left", "ending"), [("V1", "; V1 stays published"), (None, "; nothing is published yet")])
def test_what_readers_keep_is_said(left, ending):
    end = failed_end(events_of(table("a.b", fails=ValueError("x"))), left=left, seconds=2.0)
    assert end.problem == "a__b failed: ValueError" + ending
    assert (end.version, end.is_wrong_input, end.seconds) == (None, False, 2.0)


def test_rows_and_tables_are_counted_a_stage_and_checks_are_a_stage_of_their_own():
    stages = stages_of(
        events_of(
            table("staging.people", rows=3),
            table("staging.episodes", rows=4),
            contract("staging.people", passed=True),
            table("marts.clients", deps=["staging.people"], rows=5),
        )
    )
    assert {(each.name, each.tables, each.rows) for each in stages} == {
        ("staging", 2, 7),
        ("checks", 1, 0),
        ("marts", 1, 5),
    }
    assert all(each.seconds >= 0 for each in stages)


def test_the_note_of_the_last_run_can_be_read_by_a_machine(tmp_path):
    end = NightEnd(
        version="V",
        problem=None,
        is_wrong_input=False,
        findings=(),
        seconds=1.25,
        stages=(Stage(name="marts", tables=9, rows=100, seconds=0.5),),
    )
    leave_word(tmp_path / "home", end=end, run_id="r")
    told = json.loads((tmp_path / "home" / LAST_RUN).read_text())
    assert (told["is_success"], told["version"], told["problem"], told["run_id"]) == (True, "V", None, "r")
    assert told["stages"] == [{"name": "marts", "tables": 9, "rows": 100, "seconds": 0.5}]
    assert [path.name for path in (tmp_path / "home").iterdir()] == [LAST_RUN]
