"""What is missing: skipped alliance forms, and bounds on a rate where some outcomes are unknown.

Here: who skips the alliance form, and what a clinician's rate could be at worst and at best. Not here: filling in. No
missing rating or outcome is ever replaced by a guess; a client who holds back is more likely to skip the form, so what
is missing is not like what is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from assets.science.clustered import clustered_rates, rate_differences
from assets.science.funnel import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

PREVIOUS: Final = ("lower", "same_or_higher", "none")
"""How the client's latest rating stood to the mean of the ratings before it; `none` where there were fewer than two."""


def skipped_forms(counts: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """Share of sessions without an alliance rating, by any grouping; sessions of one client are allowed to be alike.

    Args:
        counts: One row a group and client: the columns of `by`, `total` (sessions) and `events` (of these, without a
            rating).
        by: Columns to group by; at least one.
        confidence: Two-sided coverage.

    Returns:
        One row a group, sorted: `by`, `units`, `sessions`, `skipped`, `rate` (0 to 1), `lower`, `upper`.
    """
    return clustered_rates(counts, by=by, confidence=confidence).rename({"total": "sessions", "events": "skipped"})


def skipping_differences(
    counts: pl.DataFrame, *, by: Sequence[str], position: str, unit: str, confidence: float
) -> pl.DataFrame:
    """How much more often forms are skipped in each group than in the first, clients being in both.

    Args:
        counts: As `skipped_forms`, with whole numbers that place the groups, 0 for the one others are held against.
        by: Columns within which groups are compared; at least one.
        position: The column of those numbers.
        unit: The column of clients.
        confidence: Two-sided coverage.

    Returns:
        One row a column value of `by` and place above 0, sorted: `by`, the place, `difference` (positive: skipped
        more), `lower`, `upper`, `probability_above`; null where it cannot be told.
    """
    places = counts[position].unique().sort().to_list()
    own = [*by, unit]
    first = counts.filter(pl.col(position) == 0).select(*own, total_0="total", events_0="events")
    parts = [
        counts.filter(pl.col(position) == place)
        .select(*own, total_1="total", events_1="events")
        .join(first, on=own, how="full", coalesce=True)
        .with_columns(pl.selectors.matches("^(total|events)_[01]$").fill_null(0), pl.lit(place).alias(position))
        for place in places
        if place > 0
    ]
    names = ("total_1", "events_1", "total_0", "events_0")
    empty = counts.clear().select(*own, position, *(pl.lit(0, dtype=pl.UInt32).alias(name) for name in names))
    paired = pl.concat([part.select(*own, position, *names) for part in (empty, *parts)], how="vertical_relaxed")
    told = rate_differences(paired, by=[*by, position], confidence=confidence)
    # A group that nobody of a scope is in has only the other side, and no row.
    present = counts.select(*by, position).unique()
    return told.join(present, on=[*by, position], how="semi", maintain_order="left")


def after_previous(sessions: pl.DataFrame, *, by: Sequence[str]) -> pl.DataFrame:
    """Say of each session how the client's latest rating before it stood to the ratings before that.

    If forms are skipped more often after a fall, the ratings that are there flatter.

    Args:
        sessions: One row a session and client: the columns of `by`, `session_number`, `alliance`.
        by: Columns that name a client's series; numbers take a tenth of what texts take.

    Returns:
        The rows given, sorted, with `previous` (one of `PREVIOUS`).
    """
    given, alliance = pl.col("alliance").is_not_null().cast(pl.Int64), pl.col("alliance").cast(pl.Float64)
    known = alliance.fill_null(0.0)
    return (
        sessions.sort(*by, "session_number")
        .with_columns(_who=pl.struct(*by).rle_id())
        .with_columns(
            _n=(given.cum_sum() - given).over("_who"),
            _sum=(known.cum_sum() - known).over("_who"),
            _latest=alliance.forward_fill().shift(1).over("_who"),
        )
        .with_columns(_before=(pl.col("_sum") - pl.col("_latest")) / (pl.col("_n") - 1))
        .with_columns(
            previous=pl.when(pl.col("_n") < 2)
            .then(pl.lit("none"))
            # Sums of tenths are not exact; a fall smaller than any form can show is none.
            .when(pl.col("_latest") < pl.col("_before") - 1e-9)
            .then(pl.lit("lower"))
            .otherwise(pl.lit("same_or_higher"))
        )
        .drop("_who", "_n", "_sum", "_latest", "_before")
    )


def rate_bounds(clients: pl.DataFrame, *, by: Sequence[str], outcome: str, confidence: float) -> pl.DataFrame:
    """Bound each clinician's rate by what the unknown outcomes could be.

    Args:
        clients: One row a client, with the columns of `by` and a boolean outcome, null where it is not evaluable.
        by: Columns to group by; empty for one row.
        outcome: Name of the outcome column, such as reliable improvement.
        confidence: Two-sided coverage.

    Returns:
        One row a group, sorted: `by`, `clients`, `known`, `unknown`, `events`, `known_rate` with `known_lower` and
        `known_upper` (Wilson, of the known alone; null without any), `worst` (no unknown client had it), `best` (all
        had), and `lower`, `upper`: an interval that holds the true rate at least so often whatever the unknown are.

    Source: Manski 1990, Am Econ Rev 80:319-323 (bounds); Horowitz & Manski 2000, J Am Stat Assoc 95:77-84 (intervals
    from the ends of both).
    """
    grouped = clients.group_by(by) if by else clients.group_by(pl.lit(0).alias("_all"))
    counts = grouped.agg(
        clients=pl.len().cast(pl.Int64),
        known=pl.col(outcome).count().cast(pl.Int64),
        unknown=pl.col(outcome).null_count().cast(pl.Int64),
        events=pl.col(outcome).sum().cast(pl.Int64),
    )
    counts = (counts.sort(by) if by else counts).select(*by, "clients", "known", "unknown", "events")
    events, known, everyone = (counts[name].to_numpy() for name in ("events", "known", "clients"))
    known_lower, known_upper = wilson_interval(events, known, confidence=confidence)
    lower, _ = wilson_interval(events, everyone, confidence=confidence)
    _, upper = wilson_interval(everyone - (known - events), everyone, confidence=confidence)
    return counts.with_columns(
        known_rate=pl.when(pl.col("known") > 0).then(pl.col("events") / pl.col("known")),
        known_lower=pl.Series(known_lower).fill_nan(None),
        known_upper=pl.Series(known_upper).fill_nan(None),
        worst=pl.col("events") / pl.col("clients"),
        best=(pl.col("events") + pl.col("unknown")) / pl.col("clients"),
        lower=pl.Series(lower),
        upper=pl.Series(upper),
    )
