"""The flow of made-up tables, made by the code that makes a night's: a version before, months, promises and columns.

Belongs here: which made-up rows each is given. Does not belong here: what is usual or late.
"""

from datetime import date, timedelta

import polars as pl

from assets.estimates.flow import flow, freshness
from assets.estimates.since_last import since_last

PROMISED = {"file": 7, "appointment": 7, "alliance form": 14}


def with_flow(frames: dict[str, pl.DataFrame]) -> None:
    """Fill the tables of the flow: one more accepted line than before, one usual and one unusual series, a late site."""
    as_of = frames["quality.run"]["data_date"][0]
    counted, refused = frames["quality.reconciliation"], frames["staging.refused_rows"]
    refused = refused.with_columns(
        mapping=pl.col("mapping").fill_null(0), file_number=pl.col("file_number").fill_null(0)
    )
    before = pl.concat([refused, refused.head(1).with_columns(line=pl.col("line") + 5000)])
    frames["quality.since_last"] = _shaped(
        since_last(
            counted,
            refused,
            counted_before=counted.with_columns(accepted=pl.col("accepted") - 1, refused=pl.col("refused") + 1),
            refused_before=before,
        ),
        frames["quality.since_last"],
    )
    frames["quality.flow"] = _shaped(
        flow(_months(as_of), _files(counted), as_of=as_of, fewest=20), frames["quality.flow"]
    )
    newest = [
        ("landing", "file", "all", 0),
        ("staging", "appointment", "north", 30),
        ("staging", "alliance form", "north", 3),
    ]
    frames["quality.freshness"] = _shaped(
        freshness(
            pl.DataFrame(
                [(layer, subject, site, as_of - timedelta(days=age)) for layer, subject, site, age in newest],
                schema=["table_layer", "subject", "site", "newest_on"],
                orient="row",
            ),
            as_of=as_of,
            promised=PROMISED,
        ),
        frames["quality.freshness"],
    )
    changes = [
        {"column_name": "starts", "change": "renamed", "name_before": "start", "is_latest": True},
        {"column_name": "room", "change": "new", "name_before": None, "is_latest": True},
        {"column_name": "older", "change": "missing", "name_before": None, "is_latest": False},
    ]
    of = {
        "feed": "attendance",
        "mapping": 0,
        "file_number": 1,
        "file": "visits.csv",
        "file_before": "visits_1.csv",
        "sentence": "A sentence.",
    }
    frames["quality.schema_changes"] = pl.DataFrame(
        [of | each for each in changes], schema=frames["quality.schema_changes"].schema
    )


def _months(as_of: date) -> pl.DataFrame:
    rows = []
    last = (as_of + timedelta(days=1)).replace(day=1) - timedelta(days=1)
    for back in range(24):
        month = date(last.year - (back + 12 - last.month) // 12, (last.month - back - 1) % 12 + 1, 1)
        wobble = (back * 7) % 5
        rows += [
            ("attendance", "north", "volume", "all", month, 12 if back == 0 else 200 + wobble, 0.0),
            ("alliance", "north", "mean_score", "WAI-SR", month, 200, 45 + wobble / 4),
            ("attendance", "north", "with_alliance", "all", month, 200, 0.9 + wobble / 100),
            ("alliance", "a small place", "mean_score", "WAI-SR", month, 31, 33.3 + wobble / 4),
            ("alliance", "a small place", "scored", "WAI-SR", month, 3, 0.5),
        ]
    return pl.DataFrame(
        rows, schema=["feed", "site", "measure", "instrument", "month", "counted", "value"], orient="row"
    )


def _files(counted: pl.DataFrame) -> pl.DataFrame:
    return counted.select("feed", pl.lit("all").alias("site"), "file_number", "file", "lines", "refused")


def _shaped(made: pl.DataFrame, promised: pl.DataFrame) -> pl.DataFrame:
    return made.select(pl.col(name).cast(kind) for name, kind in promised.schema.items())
