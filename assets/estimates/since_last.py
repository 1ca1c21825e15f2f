"""What changed in the flow of lines since the version that readers had: counts by fate and reason, and what was healed.

Belongs here: the comparison. Does not belong here: reading either version.
"""

from typing import Final

import polars as pl

from assets.contracts.watch import SINCE_LAST

_FATES: Final = ("accepted", "refused", "superseded", "identical", "blank")
_LINE: Final = ("feed", "file_number", "mapping", "line")


def since_last(
    counted: pl.DataFrame,
    refused: pl.DataFrame,
    *,
    counted_before: pl.DataFrame | None,
    refused_before: pl.DataFrame | None,
) -> pl.DataFrame:
    """`quality.since_last`.

    Args:
        counted: tonight's `quality.reconciliation`.
        refused: tonight's `staging.refused_rows`.
        counted_before: the last version's reconciliation; None where there is no version to compare with.
        refused_before: its refused rows; None likewise.
    """
    now = _lines(counted, refused)
    if counted_before is None or refused_before is None:
        compared = now.with_columns(lines_before=pl.lit(None, dtype=pl.Int64))
    else:
        admitted = (
            refused_before.join(refused, on=_LINE, how="anti")
            .group_by("feed", "reason")
            .agg(lines=pl.len().cast(pl.Int64))
            .select(
                "feed",
                pl.lit("admitted_since").alias("fate"),
                "reason",
                "lines",
                pl.lit(0, pl.Int64).alias("lines_before"),
            )
        )
        before = _lines(counted_before, refused_before).rename({"lines": "lines_before"})
        both = now.join(before, on=["feed", "fate", "reason"], how="full", coalesce=True)
        compared = pl.concat([both.with_columns(pl.col("lines", "lines_before").fill_null(0)), admitted])
    told = compared.with_columns(more_lines=pl.col("lines") - pl.col("lines_before"))
    sentences = pl.Series([_sentence(row) for row in told.iter_rows(named=True)], dtype=pl.String)
    names = [column.name for column in SINCE_LAST.columns]
    return told.with_columns(sentence=sentences).select(names).sort("feed", "fate", "reason")


def _lines(counted: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    fates = counted.select("feed", *_FATES).unpivot(
        on=list(_FATES), index="feed", variable_name="fate", value_name="lines"
    )
    by_fate = (
        fates.group_by("feed", "fate").agg(pl.col("lines").sum().cast(pl.Int64)).with_columns(reason=pl.lit("all"))
    )
    by_reason = (
        refused.group_by("feed", "reason").agg(lines=pl.len().cast(pl.Int64)).with_columns(fate=pl.lit("refused"))
    )
    columns = ["feed", "fate", "reason", "lines"]
    return pl.concat([by_fate.select(columns), by_reason.select(columns)])


def _sentence(row: dict[str, object]) -> str:
    feed, fate, lines, more = str(row["feed"]).capitalize(), row["fate"], int(str(row["lines"])), row["more_lines"]
    because = "" if row["reason"] == "all" else f" ({row['reason']})"
    if fate == "admitted_since":
        return f"{feed}: {_lines_words(lines)} refused until now and no longer{because}"
    said = f"{feed}: {_lines_words(lines)} {fate}{because}"
    if not isinstance(more, int):
        return f"{said}; there is no version to compare with"
    if more == 0:
        return f"{said}, as before"
    return f"{said}, {abs(more):,} {'more' if more > 0 else 'fewer'} than before"


def _lines_words(lines: int) -> str:
    return f"{lines:,} line{'' if lines == 1 else 's'}"
