"""A made-up version before, and what moved since, told by the code that tells it of a night.

Belongs here: what was otherwise in it. Does not belong here: what a movement's reason is.
"""

from datetime import date

import polars as pl

from assets.contracts.changes import CHANGED_ROWS
from assets.contracts.figures import FIGURES
from assets.contracts.registry import TABLES
from assets.estimates.changes import Data, figure_changes, row_name
from assets.estimates.shapes import shaped

ROWS = (
    *(("staging.attendance", f"new-{n}", "new", "north", None) for n in range(42)),
    *(("staging.attendance", f"late-{n}", "late", "north", None) for n in range(3)),
    *(("staging.outcomes", f"PHQ-9/corrected-{n}", "corrected", "north", "PHQ-9") for n in range(7)),
)
AS_OF = date(2026, 10, 19)
GAP = "episodes.gap_days"


def with_changes(frames: dict[str, pl.DataFrame]) -> None:
    """Fill the tables of night to night: rates of the north a little lower before, the service's link a little higher."""
    rows = [
        {"table_name": name, "row_key": key, "reason": reason, "site": site, "instrument": instrument}
        for name, key, reason, site, instrument in ROWS
    ]
    frames["quality.changed_rows"] = shaped(pl.DataFrame(rows, infer_schema_length=None), CHANGED_ROWS)
    frames["quality.definitions"] = pl.DataFrame(
        [
            _definition("setting", GAP, value="90", value_before="120", changed=GAP),
            _definition("rate", "did_not_attend", changed=GAP),
            _definition("rate", "planned_ending"),
            _definition("table", "analysis.alliance_levels"),
        ],
        schema=frames["quality.definitions"].schema,
    )
    since = {"table_layer": "published", "subject": "version", "site": "all", "age_days": 1, "promised_days": 3}
    frames["quality.freshness"] = pl.concat(
        [
            frames["quality.freshness"],
            pl.DataFrame(
                [{**since, "newest_on": AS_OF, "is_kept": True, "sentence": "A sentence."}],
                schema=frames["quality.freshness"].schema,
            ),
        ]
    )
    rates, links = frames["analysis.rates"], frames["analysis.alliance_levels"]
    is_far = pl.col("metric").is_in(["did_not_attend", "planned_ending", "improved"]) | (
        pl.col("scope_name") == "north"
    )
    before = {
        "analysis.rates": rates.with_columns(
            (pl.col(name) - pl.when(is_far).then(0.06 * (pl.col("rate") - 0.5)).otherwise(0.001)).clip(0, 1)
            for name in ("rate", "low", "high")
        ),
        "analysis.alliance_levels": links.with_columns(pl.col(name) + 0.03 for name in ("estimate", "low", "high")),
    }
    now = {name: frames[name] for name in before}
    shown = {
        name: frozenset(row_name(TABLES[name], row) for row in rows_of.iter_rows(named=True))
        for name, rows_of in (
            ("analysis.rates", rates.filter(~pl.col("is_too_few") & pl.col("rate").is_not_null())),
            ("analysis.alliance_levels", links.filter(pl.col("estimate").is_not_null())),
        )
    }
    made = figure_changes(
        [(figure, TABLES[figure.table]) for figure in FIGURES],
        now=now,
        before=before,
        data=Data(
            changed=frames["quality.changed_rows"],
            sizes=pl.DataFrame(
                [
                    ("service", "all", None, 6000, 20),
                    ("site", "north", None, 2400, 9),
                    ("site", "north", "PHQ-9", 700, 0),
                ],
                schema=["scope", "scope_name", "instrument", "rows", "aged"],
                orient="row",
            ),
            definitions=frames["quality.definitions"],
            has_time_passed=True,
        ),
        shown=shown,
    )
    frames["quality.changes"] = made.select(
        pl.col(name).cast(kind) for name, kind in frames["quality.changes"].schema.items()
    )


def _definition(kind: str, name: str, *, changed: str | None = None, **values: str) -> dict[str, object]:
    return {
        "kind": kind,
        "name": name,
        "own_version": "0123456789ab",
        "version": "ba9876543210",
        "has_changed_itself": changed == name,
        "has_changed": changed is not None,
        "because_of": changed,
        **values,
    }
