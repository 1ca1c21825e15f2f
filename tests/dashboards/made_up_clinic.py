"""A small clinic's tables, shaped by the contracts and the same on every run, for the pages' tests.

Belongs here: made-up rows. Does not belong here: the simulated service that whole nights run on (`assets.feeds`).
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

from assets.contracts.model import Kind
from assets.contracts.registry import TABLES, table
from dashboards.page_settings import PageSettings
from tests.dashboards.made_up_caseloads import DATA_DATE, caseload, months
from tests.dashboards.made_up_changes import with_changes
from tests.dashboards.made_up_comparisons import with_comparisons
from tests.dashboards.made_up_estimates import estimates, quality, service
from tests.dashboards.made_up_flow import with_flow
from tests.dashboards.made_up_measures import with_measures

_TYPES = {
    Kind.IDENTIFIER: pl.String,
    Kind.TEXT: pl.String,
    Kind.WORD: pl.String,
    Kind.INTEGER: pl.Int64,
    Kind.NUMBER: pl.Float64,
    Kind.DATE: pl.Date,
    Kind.TIMESTAMP: pl.Datetime("us"),
    Kind.BOOLEAN: pl.Boolean,
    Kind.NUMBERS: pl.List(pl.Float64),
}


def settings(**changes) -> PageSettings:
    """The settings of the made-up clinic."""
    given = {
        "clinic": "Riverbank Therapies",
        "data_date": DATA_DATE,
        "time_zone": "Europe/London",
        "minimum_clients": 10,
        "minimum_sessions": 5,
        "period_months": 12,
        "standards": {
            "alliance_recorded": 0.85,
            "outcome_recorded": 0.90,
            "improved_rate": 0.35,
            "did_not_attend_rate": 0.12,
        },
        "measures": (("WAI-SR", "PHQ-9"), ("SRS", "ORS"), ("SRS", "CSI-4")),
        "run_id": "8f31c2a0",
        "run_at": datetime(2026, 11, 21, 2, 14, tzinfo=UTC),
        "is_synthetic": True,
    }
    return PageSettings(**(given | changes))


def shaped(full_name: str, rows: list[dict]) -> pl.DataFrame:
    """Rows as the contract shapes them; columns not given are empty."""
    promised = table(full_name)
    schema = {column.name: _TYPES[column.kind] for column in promised.columns}
    unknown = set().union(*(row.keys() for row in rows)) - schema.keys() if rows else set()
    assert not unknown, f"{full_name} promises no {unknown}"
    return pl.DataFrame(rows, schema=schema, orient="row")


def empty_clinic() -> dict[str, pl.DataFrame]:
    """Every table with no row at all."""
    return {name: shaped(name, []) for name in TABLES}


def clinic(
    *, clinicians: int, clients_each: int, seed: int = 7, sites: tuple[str, ...] = ("north", "harbour", "couples")
) -> dict[str, pl.DataFrame]:
    """A clinic of so many clinicians with about so many clients each over thirty months.

    The first clinician's alliance falls in the last year, the second's clients improve more, the third's less.
    """
    rng = np.random.default_rng(seed)
    rows: dict[str, list[dict]] = {name: [] for name in TABLES}
    start = DATA_DATE - timedelta(days=913)
    for k in range(clinicians):
        clinician_id = f"C-{1001 + 7 * k}"
        site = sites[k % len(sites)] if k > 3 else sites[0]
        caseload(
            rows,
            rng,
            k=k,
            clinician_id=clinician_id,
            site=site,
            clients=max(1, int(clients_each * rng.uniform(0.6, 1.5))),
            start=start,
        )
    months(rows)
    estimates(rows, rng)
    service(rows)
    quality(rows)
    frames = {name: shaped(name, found) for name, found in rows.items()}
    with_measures(frames, minimum_clients=10, minimum_sessions=5)
    with_comparisons(frames)
    with_flow(frames)
    with_changes(frames)
    return frames
