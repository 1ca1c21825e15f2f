"""Tables shaped by the contracts, drawn from one seed: what the pages' tests build sites from."""

from datetime import UTC, datetime

import numpy as np
import polars as pl

from assets.contracts.analysis import ANSWER
from assets.contracts.model import Kind
from assets.contracts.registry import TABLES
from dashboards.page_settings import PageSettings
from tests.dashboards.frame_rows import DATA_DATE, PAIR, one_client, one_clinician
from tests.dashboards.made_up_changes import with_changes
from tests.dashboards.made_up_comparisons import with_comparisons
from tests.dashboards.made_up_flow import with_flow
from tests.dashboards.made_up_measures import with_measures

Frames = dict[str, pl.DataFrame]
TYPES = {
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


def settings(**more) -> PageSettings:
    given = {
        "clinic": "Riverside",
        "data_date": DATA_DATE,
        "time_zone": "Europe/London",
        "minimum_clients": 10,
        "minimum_sessions": 5,
        "period_months": 12,
        "standards": {"alliance_recorded": 0.85, "did_not_attend_rate": 0.12, "improved_rate": 0.35},
        "measures": (PAIR,),
        "run_id": "abc12345",
        "run_at": datetime(2026, 11, 1, 2, 14, tzinfo=UTC),
        "is_synthetic": True,
    }
    return PageSettings(**(given | more))


def empty() -> Frames:
    return {
        name: pl.DataFrame(schema={column.name: TYPES[column.kind] for column in table.columns})
        for name, table in TABLES.items()
    }


def with_rows(frames: Frames, name: str, rows: list[dict]) -> None:
    """Rows of one table; a column not given is null."""
    frames[name] = pl.DataFrame(rows, schema=frames[name].schema) if rows else frames[name].clear()


def service(*, clinicians: int = 8, clients_each: int = 14, falling: str = "T001", absent: str = "") -> Frames:
    """A service in which one clinician's alliance falls in the last year and the first two have open dips.

    Args:
        clinicians: Coded T001 and on.
        clients_each: Clients of each, coded K00001 and on.
        falling: Whose alliance falls.
        absent: Who has no appointment in the period.
    """
    draw = np.random.default_rng(7)
    rows: dict[str, list[dict]] = {name: [] for name in TABLES}
    client = 0
    for number in range(1, clinicians + 1):
        code = f"T{number:03d}"
        site = ("north", "south")[number % 2]
        rows["marts.clinicians"].append(
            {
                "clinician_id": code,
                "site": site,
                "cases": clients_each,
                "sessions": 8 * clients_each,
                "open_episodes": 2,
            }
        )
        for place in range(clients_each):
            client += 1
            one_client(rows, draw, f"K{client:05d}", code, site, place=place, is_falling=code == falling, number=number)
        if code != absent:
            one_clinician(rows, draw, code, site, clients_each=clients_each, number=number)
    for level, estimate in (("within_client", 0.1), ("between_client", 0.02), ("between_clinician", 0.3)):
        rows["analysis.alliance_levels"].append(
            {
                "scope": "service",
                "scope_name": "all",
                "alliance_instrument": PAIR[0],
                "outcome_instrument": PAIR[1],
                "level": level,
                "method": ANSWER,
                "estimate": estimate,
                "low": estimate - 0.06,
                "high": estimate + 0.06,
                "clinicians": clinicians,
                "clients": client,
                "pairs": client * 5,
                "certainty": "clear" if estimate > 0.06 else "cannot_tell",
                "sentence": "A sentence.",
            }
        )
    rows["quality.reconciliation"].append(
        {
            "feed": "attendance",
            "file": "visits.csv",
            "file_number": 1,
            "lines": 12,
            "accepted": 9,
            "refused": 2,
            "superseded": 0,
            "identical": 1,
            "blank": 0,
        }
    )
    rows["staging.refused_rows"] += [
        {
            "feed": "attendance",
            "file": "visits.csv",
            "file_number": 1,
            "line": line,
            "rule": "status_unknown",
            "reason": "the status is none of the words that the configuration names",
        }
        for line in (3, 4)
    ]
    rows["quality.checks"] += [
        {
            "table_name": "marts.sessions",
            "check_name": "one_row_each",
            "severity": "error",
            "is_passed": True,
            "failing_rows": 0,
            "meaning": "Each session stands once.",
        },
        {
            "table_name": "marts.ratings",
            "check_name": "late",
            "severity": "warn",
            "is_passed": False,
            "failing_rows": 3,
            "meaning": "Forms are completed within a week of the session.",
        },
    ]
    rows["quality.run"].append(
        {
            "data_date": DATA_DATE,
            "clinic": "Riverside",
            "time_zone": "Europe/London",
            "minimum_clients": 10,
            "minimum_sessions": 5,
            "episode_gap_days": 120,
            "period_months": 12,
        }
    )
    frames = empty()
    for name, made in rows.items():
        with_rows(frames, name, made)
    with_measures(frames, minimum_clients=10, minimum_sessions=5)
    with_comparisons(frames)
    with_flow(frames)
    with_changes(frames)
    return frames
