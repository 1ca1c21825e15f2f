"""Runs rules as Great Expectations suites inside DuckDB, on a connection that is already open.

Belongs here: everything that knows Great Expectations but what its expectations count (`quality.counted`). Both are
imported inside functions, because importing the library costs seconds that only a night needs. Does not belong here:
what the rules are (`quality.suites`, `quality.rules`) or making its pages safe to show (`quality.data_docs`).

Verdicts carry counts only: Great Expectations is asked for no failing value, and no row reaches Python.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quality.model import Check, Rule, RuleCouldNotRun, Severity, Suite, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    import duckdb

_RESULTS_WITHOUT_VALUES = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": 0,
    "exclude_unexpected_values": True,
}
# These errors speak of names in the schema; others, such as a failed cast, quote a value from the data.
_ERRORS_WITHOUT_VALUES = ("Binder Error", "Catalog Error", "Parser Error")
_LOOKS_LIKE_A_PARAMETER = re.compile(r"(?<![:\w\\]):(?=\w)")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One suite's run: its verdicts, and Great Expectations' own result, from which its pages are drawn."""

    suite: Suite
    verdicts: tuple[Verdict, ...]
    result: Any


def validate(con: duckdb.DuckDBPyConnection, *, suites: Iterable[Suite]) -> list[Verdict]:
    """Whether every rule holds, one verdict a rule in the suites' own order.

    Args:
        con: an open connection whose current database holds the suites' tables.
        suites: one a table; any number.

    Raises:
        RuleCouldNotRun: a rule gave no verdict, for instance because its table or column does not exist.
    """
    return [verdict for outcome in outcomes(con, suites=suites) for verdict in outcome.verdicts]


def outcomes(con: duckdb.DuckDBPyConnection, *, suites: Iterable[Suite]) -> list[Outcome]:
    """What `validate` finds, with what Great Expectations needs to draw its pages."""
    from quality.duckdb_dialect import shared  # noqa: PLC0415 -- SQLAlchemy is slow to import, too

    with shared(con) as address:
        source = _context().data_sources.add_sql("warehouse", connection_string=address)
        try:
            return [_run(source, suite) for suite in suites]
        finally:
            source.get_execution_engine().close()


def _run(source: Any, suite: Suite) -> Outcome:
    import great_expectations as gx  # noqa: PLC0415

    try:
        batch = _whole_table(source, suite.table)
    except Exception as error:  # noqa: BLE001 -- whatever stopped it, no rule ran
        raise RuleCouldNotRun(f"{suite.table}: no rule could run: {_without_values(str(error))}") from None
    declared = gx.ExpectationSuite(name=suite.table, expectations=[_expectation(rule) for rule in suite.rules])
    result = batch.validate(declared, result_format=_RESULTS_WITHOUT_VALUES)
    found = {item.expectation_config.meta["rule"]: item for item in result.results}
    return Outcome(
        suite=suite, verdicts=tuple(_verdict(rule, found.get(rule.name)) for rule in suite.rules), result=result
    )


def _whole_table(source: Any, table: str) -> Any:
    schema, _, name = table.rpartition(".")
    with warnings.catch_warnings():
        # The library wants one connection a schema; ours is one connection for all of them.
        warnings.filterwarnings("ignore", "`schema_name` is deprecated", DeprecationWarning)
        asset = source.add_table_asset(table, table_name=name, schema_name=schema or None)
    return asset.add_batch_definition_whole_table("whole table").get_batch()


def _verdict(rule: Rule, found: Any) -> Verdict:
    reasons = _reasons_for_no_verdict(found)
    if reasons:
        raise RuleCouldNotRun(f"{rule.table}: {rule.name} could not run: {'; '.join(reasons)}")
    failing = _failing_rows(rule, found)
    if found.success != (failing == 0):
        raise RuleCouldNotRun(f"{rule.table}: {rule.name} says both passed and failed")
    return Verdict(
        table=rule.table,
        name=rule.name,
        severity=rule.severity,
        is_passed=failing == 0,
        failing_rows=failing,
        meaning=rule.meaning,
    )


def _failing_rows(rule: Rule, found: Any) -> int:
    match rule.check:
        case Check.NO_FAILING_ROWS:
            return int(found.result["observed_value"])
        case Check.COLUMNS_IN_ORDER | Check.TYPE:
            return 0 if found.success else 1
        case _:
            return int(found.result["unexpected_count"])


def _reasons_for_no_verdict(found: Any) -> list[str]:
    # An expectation that broke looks like one that failed unless its exceptions are looked for, in either of two
    # shapes.
    if found is None:
        return ["it has no result"]
    info = found.exception_info or {}
    raised = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, dict)]
    return sorted(
        {_without_values(str(entry.get("exception_message"))) for entry in raised if entry["raised_exception"]}
    )


def _without_values(message: str) -> str:
    for kind in _ERRORS_WITHOUT_VALUES:
        if match := re.search(rf"{kind}: [^\n]*", message):
            return match.group()
    return (re.findall(r"\b\w+ Error\b|\b\w+(?:Error|Exception)\b", message) or ["unknown error"])[0]


def _expectation(rule: Rule) -> Any:
    from quality import counted  # noqa: PLC0415 -- it imports the library

    told: dict[str, Any] = {
        "severity": "critical" if rule.severity is Severity.ERROR else "warning",
        "description": rule.meaning,
        "meta": {"rule": rule.name},
    }
    given = rule.arguments
    match rule.check:
        case Check.COLUMNS_IN_ORDER:
            return counted.ExpectTableColumnsToMatchOrderedList(column_list=list(given["columns"]), **told)
        case Check.TYPE:
            return counted.ExpectColumnValuesToBeOfType(column=given["column"], type_=given["type"], **told)
        case Check.NOT_MISSING:
            return counted.ExpectColumnValuesToNotBeNull(column=given["column"], **told)
        case Check.WITHIN:
            return counted.ExpectColumnValuesToBeBetween(
                column=given["column"], min_value=given["minimum"], max_value=given["maximum"], **told
            )
        case Check.AMONG:
            return counted.ExpectColumnValuesToBeInSet(column=given["column"], value_set=list(given["words"]), **told)
        case Check.NO_FAILING_ROWS:
            # Braces in SQL are Great Expectations' placeholders unless doubled, and `:word` is SQLAlchemy's unless
            # escaped. The batch is named to satisfy its check that a query keeps to the batch; the rule's own SQL
            # names its tables.
            sql = str(rule.failing_rows).replace("{", "{{").replace("}", "}}")
            sql = _LOOKS_LIKE_A_PARAMETER.sub(r"\\:", sql)
            return counted.ExpectNoFailingRows(unexpected_rows_query=f"{sql} /* {{batch}} */", **told)


def _context() -> Any:
    _load()
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _load() -> None:
    # Read when the library is first imported, so it is set before.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        # The library imports a module of the standard library that warns of its age; that is not ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        importlib.import_module("great_expectations")
    # `quality.counted` takes the place of some of the library's expectations, which the library would announce.
    logging.getLogger("great_expectations.expectations.registry").setLevel(logging.ERROR)


def drawn(outcome: Outcome) -> str:
    """One suite's result as Great Expectations draws it: a page that loads outside assets, to be cleaned before use."""
    from great_expectations.render.renderer import ValidationResultsPageRenderer  # noqa: PLC0415

    return str(_page_view().render(ValidationResultsPageRenderer().render(outcome.result)))


@functools.cache
def _page_view() -> Any:
    """The view that draws every page: each view of its own would compile all templates again."""
    from great_expectations.render.view import DefaultJinjaPageView  # noqa: PLC0415

    return DefaultJinjaPageView()
