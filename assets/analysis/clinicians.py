"""Each clinician beside the service as Dagster assets: attendance and progress.

Belongs here: which rows each estimate is given. Does not belong here: the estimates (`assets.estimates`) and their
formulas (`assets.science`). Dagster reads annotations at run time, so this module never postpones them.
"""

import dagster as dg
import duckdb
import polars as pl

from assets import warehouse
from assets.analysis.wiring import ALL_CHANGE, asset
from assets.contracts import analysis, marts
from assets.estimates.attendance import clinician_attendance
from assets.estimates.progress import clinician_progress
from assets.service import Service

_IN_PERIOD = (
    "FROM marts.{table}, quality.run AS run WHERE {day} > run.data_date - to_months(CAST(run.period_months AS INTEGER))"
)


def _attendance(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:  # noqa: ARG001
    months = _IN_PERIOD.format(table="clinician_months", day="month")
    booked = _IN_PERIOD.format(table="appointments", day="starts_on")
    return clinician_attendance(
        warehouse.read_frame(con, f"SELECT clinician_months.* {months}"),
        warehouse.read_frame(
            con, f"SELECT clinician_id, COUNT(DISTINCT case_id) AS cases {booked} GROUP BY clinician_id"
        ),
        warehouse.read_frame(con, "SELECT * FROM marts.clinicians"),
    )


def _progress(con: duckdb.DuckDBPyConnection, service: Service) -> pl.DataFrame:
    return clinician_progress(
        warehouse.read_frame(con, ALL_CHANGE),
        minimum_clients=service.suppression.minimum_clients,
    )


ASSETS: list[dg.AssetsDefinition] = [
    asset(
        analysis.CLINICIAN_ATTENDANCE, _attendance, reads=[marts.CLINICIAN_MONTHS, marts.APPOINTMENTS, marts.CLINICIANS]
    ),
    asset(analysis.CLINICIAN_PROGRESS, _progress, reads=[analysis.CLIENT_CHANGE]),
]
