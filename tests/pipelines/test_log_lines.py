import io
import json
import logging

import dagster as dg
import pytest

from assets.feeds.wrong_input import WrongInput
from assets.tables import made, told_in_one_line
from pipelines.log_lines import LogLines


def key(name):
    return dg.AssetKey(name.split("."))


def lines_of(*, fails=None, broken=dg.AssetCheckSeverity.WARN):
    """What a run of two tables and a check says, line by line."""
    stream = io.StringIO()

    @dg.asset(key=key("staging.people"))
    def people() -> dg.MaterializeResult:
        return made(3)

    @dg.asset_check(asset=key("staging.people"), name="contract", blocking=True)
    def contract():
        return dg.AssetCheckResult(passed=False, severity=broken, metadata={"rules": 9, "is_never_negative": 2})

    @dg.asset(key=key("staging.refused_rows"), deps=[key("staging.people")])
    def refused() -> dg.MaterializeResult:
        return made(2)

    @dg.asset(key=key("published.version"), deps=[key("staging.refused_rows")])
    def version() -> dg.MaterializeResult:
        if fails is not None:
            with told_in_one_line():
                raise fails
        return made(5, more={"version": "V1"})

    @dg.logger
    def lines(context):
        logger = logging.Logger("lines")  # noqa: LOG001 - one for each run
        logger.addHandler(handler)
        return logger

    handler = LogLines(stream, run="r1")
    defs = dg.Definitions(
        assets=[people, refused, version],
        asset_checks=[contract],
        jobs=[dg.define_asset_job("n", config={"loggers": {"lines": {}}})],
        loggers={"lines": lines},
        executor=dg.in_process_executor,
    )
    with dg.DagsterInstance.ephemeral() as instance:
        defs.resolve_job_def("n").execute_in_process(instance=instance, raise_on_error=False)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_night_says_its_start_its_tables_its_stages_and_its_end():
    lines = lines_of()
    assert [line["event"] for line in lines] == [
        "run started",
        "table made",
        "told, and not stopped",
        "table made",
        "table made",
        "stage ended",
        "stage ended",
        "stage ended",
        "run ended",
    ]
    assert all(line["run"] == "r1" and line["timestamp"].endswith("Z") for line in lines)
    assert {(line["table"], line["rows"]) for line in lines if line["event"] == "table made"} == {
        ("staging.people", 3),
        ("staging.refused_rows", 2),
        ("published.version", 5),
    }
    stages = {line["stage"]: line for line in lines if line["event"] == "stage ended"}
    assert (stages["staging"]["tables"], stages["staging"]["rows"]) == (2, 5)
    assert stages["staging"]["seconds"] >= 0
    assert (lines[-1]["is_success"], lines[-1]["version"], lines[-1]["refused_rows"]) == (True, "V1", 2)


def test_a_broken_rule_is_named_with_how_many_rows():
    (told,) = [line for line in lines_of() if line["event"] == "told, and not stopped"]
    assert (told["level"], told["table"], told["rules"]) == ("warning", "staging.people", {"is_never_negative": 2})


def test_a_contract_that_is_broken_ends_the_night_in_its_lines():
    lines = lines_of(broken=dg.AssetCheckSeverity.ERROR)
    assert "contract broken" in [line["event"] for line in lines]
    assert (lines[-1]["is_success"], lines[-1]["level"]) == (False, "error")
    assert lines[-1]["problem"] == "staging.people breaks its contract: is_never_negative"


@pytest.mark.parametrize(
    ("fails", "problem"),
    [
        (ValueError("client 4711"), "published__version failed: ValueError"),
        (WrongInput("no column 4711", place="4711.csv", mend="mend it"), "wrong input"),
    ],
)
def test_a_night_that_fails_says_why_without_a_word_of_the_data(fails, problem):
    lines = lines_of(fails=fails)
    assert lines[-1]["problem"] == problem
    assert "4711" not in json.dumps(lines)
