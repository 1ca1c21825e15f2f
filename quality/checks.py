"""The suites as Dagster asset checks, and the table that tells what they found.

Belongs here: wiring. Does not belong here: what a rule is (`quality.suites`, `quality.rules`) or how it runs
(`quality.expectations`). A failed ERROR rule stops everything below its table; a failed WARN rule is told.
Dagster reads annotations at run time, so this module never postpones them.
"""

from pathlib import Path

import dagster as dg
import polars as pl

from assets import tables, warehouse
from assets.contracts import quality
from assets.contracts.model import Table
from assets.contracts.registry import TABLES
from assets.resources import Night
from quality.data_docs import write_index, write_page
from quality.expectations import outcomes
from quality.model import Severity, Verdict
from quality.rules import Parameters, raters, score_ranges, written
from quality.suites import suite_of

VERDICTS = "scratch.verdicts"
_VERDICT_SCHEMA = {
    "table_name": pl.String,
    "check_name": pl.String,
    "severity": pl.String,
    "is_passed": pl.Boolean,
    "failing_rows": pl.Int64,
    "meaning": pl.String,
}
CHECKED = tuple(table for table in TABLES.values() if table is not quality.CHECKS)


def check_result(verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """What Dagster is told of one table: names and counts of broken rules, never a value."""
    broken = [verdict for verdict in verdicts if not verdict.is_passed]
    is_stopped = any(verdict.severity is Severity.ERROR for verdict in broken)
    return dg.AssetCheckResult(
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if is_stopped else dg.AssetCheckSeverity.WARN,
        metadata={"rules": len(verdicts), **{verdict.name: verdict.failing_rows for verdict in broken}},
    )


def verdicts_frame(verdicts: list[Verdict]) -> pl.DataFrame:
    """Verdicts as rows of `quality.checks`."""
    rows = [
        (verdict.table, verdict.name, verdict.severity.value, verdict.is_passed, verdict.failing_rows, verdict.meaning)
        for verdict in verdicts
    ]
    return pl.DataFrame(rows, schema=_VERDICT_SCHEMA, orient="row")


def _check(table: Table) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=tables.key(table),
        name="contract",
        blocking=True,
        description=f"Every rule of {table.full_name}: those of its contract and those written by hand.",
    )
    def contract(night: Night) -> dg.AssetCheckResult:
        with night.open_build() as con:
            outcome = outcomes(con, suites=[suite_of(table, written=written(parameters(night)))])[0]
            verdicts = list(outcome.verdicts)
            write_page(outcome, folder=docs_folder(night))
            con.register("verdicts_to_store", verdicts_frame(verdicts).to_arrow())
            con.execute(f"CREATE TABLE IF NOT EXISTS {VERDICTS} AS SELECT * FROM verdicts_to_store WITH NO DATA")
            con.execute(f"INSERT INTO {VERDICTS} SELECT * FROM verdicts_to_store")
        return check_result(verdicts)

    return contract


def parameters(night: Night) -> Parameters:
    """What this night's written rules depend on."""
    service = night.service
    return Parameters(
        data_date=night.as_of,
        first_possible_day=service.clinic.first_possible_day,
        score_ranges=score_ranges(service.registry),
        raters=raters(service.registry),
        minimum_clients=service.suppression.minimum_clients,
        minimum_difference=service.suppression.minimum_difference,
    )


def docs_folder(night: Night) -> Path:
    """Where the pages of the checks are drawn while a night is built."""
    return night.work / "data_docs"


@dg.asset(deps=[tables.key(table) for table in CHECKED], **tables.definition(quality.CHECKS, code="checks"))
def checks(night: Night) -> dg.MaterializeResult[None]:
    """Gather every check's verdict into one table."""
    with night.open_build() as con:
        rows = warehouse.create_table(
            con, quality.CHECKS, select=f"SELECT * FROM {VERDICTS} ORDER BY table_name, check_name"
        )
        found = con.sql(
            f"SELECT {', '.join(_VERDICT_SCHEMA)} FROM {VERDICTS} ORDER BY table_name, check_name"
        ).fetchall()
    write_index(
        [
            Verdict(
                table=row[0],
                name=row[1],
                severity=Severity(row[2]),
                is_passed=row[3],
                failing_rows=row[4],
                meaning=row[5],
            )
            for row in found
        ],
        folder=docs_folder(night),
        data_date=night.as_of,
    )
    return tables.made(rows)


ASSETS = [checks]
CHECKS = [_check(table) for table in CHECKED]
