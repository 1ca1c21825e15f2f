"""Ruptures and repairs: marked falls of the alliance below the client's own past, and recoveries from them.

Here: the pooled within-client spread, the flag on each rating, and the course of each rupture. Not here: what follows
from a rupture (`assets.science.after_rupture`), and any claim about why it fell: a flag is a reason to ask, and in
simulated clinics about a third of flags at two standard deviations mark no true fall.

Every frame holds one row a session and client: `client_id`, `episode_id`, `session_number` (1, 2, ... within the
episode) and `alliance` (higher is better; null where the form was not filled in). A client in two episodes has two
alliances, and each partner of a couple has one, so the past is that of the client in the episode.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

KEYS: Final = ("client_id", "episode_id")
"""Whose past a rating is compared with."""

STATUSES: Final = ("repaired", "unrepaired", "open")
"""What became of a rupture; `open` is censored: the data end before its time for repair does."""

_ROUNDING: Final = 1e-9


def pooled_within_sd(ratings: pl.DataFrame, *, by: Sequence[str] = KEYS) -> float | None:
    """Spread of ratings around their own client's mean, pooled over clients.

    Args:
        ratings: One row a session and client, as the module says.
        by: Columns that name a client's series, where a number does in place of the two.

    Returns:
        The square root of summed squares about client means over summed (ratings - 1), in points of the instrument;
        `None` where no client has two ratings.

    A pooled spread is used because one client's own is estimated from a handful of sessions (Gumz et al. 2012, BMC Med
    Res Methodol 12:10).
    """
    alliance = pl.col("alliance").cast(pl.Float64).fill_nan(None)
    own = (
        ratings.filter(alliance.is_not_null())
        .group_by(by)
        .agg(squares=((alliance - alliance.mean()) ** 2).sum(), spare=pl.len().cast(pl.Int64) - 1)
        .select(pl.col("squares", "spare").sum())
    )
    squares, spare = own.row(0)
    return float((squares / spare) ** 0.5) if spare else None


def flag_ruptures(
    ratings: pl.DataFrame, *, within_sd: float | None, drop_sds: float, fewest_past_ratings: int
) -> pl.DataFrame:
    """Mark each rating that falls far below the mean of the client's earlier ratings.

    Only the past counts: a mean of the whole series would look ahead, and move the flags of old sessions whenever a new
    rating arrives. A missing rating is neither flagged nor part of any mean.

    Args:
        ratings: One row a session and client, as the module says.
        within_sd: The pooled spread, from `pooled_within_sd` or from elsewhere. With `None` or 0 nothing can be judged.
        drop_sds: A fall of this many pooled standard deviations or more is a rupture; above 0. Published thresholds
            are 1 (Strauss et al. 2006) and 2 (Stiles et al. 2004).
        fewest_past_ratings: Earlier ratings needed before a rating can be judged; at least 1.

    Returns:
        The rows given, sorted, with `past_ratings` (how many), `past_mean`, `drop` (past mean less rating, in points),
        `drop_in_sds`, and `is_rupture`: null where the rating is missing or has too little past to be judged.

    Raises:
        ValueError: If a session of a client stands twice or a choice is out of range.

    Source: thresholds as reviewed by Gumz et al. 2012, BMC Med Res Methodol 12:10.
    """
    if drop_sds <= 0 or fewest_past_ratings < 1:
        raise ValueError("drop_sds must lie above 0 and fewest_past_ratings be at least 1")
    if within_sd is not None and not within_sd >= 0:
        raise ValueError("within_sd must be 0 or more, or None where it is not known")
    if ratings.select(pl.struct(*KEYS, "session_number").is_duplicated().any()).item():
        raise ValueError("a session of a client stands twice; keep one rating a session")
    spread = within_sd or None
    alliance = pl.col("alliance").cast(pl.Float64).fill_nan(None)
    given = alliance.is_not_null().cast(pl.Int64)
    return (
        ratings.sort(*KEYS, "session_number")
        .with_columns(
            past_ratings=(given.cum_sum() - given).over(KEYS),
            _past_sum=(alliance.fill_null(0.0).cum_sum() - alliance.fill_null(0.0)).over(KEYS),
        )
        .with_columns(
            past_mean=pl.when(pl.col("past_ratings") > 0).then(pl.col("_past_sum") / pl.col("past_ratings")),
        )
        .with_columns(drop=pl.col("past_mean") - alliance)
        .with_columns(drop_in_sds=pl.col("drop") / pl.lit(spread, dtype=pl.Float64))
        .with_columns(
            is_rupture=pl.when(pl.col("past_ratings") >= fewest_past_ratings).then(
                # Tenths do not add up exactly; a fall of just the threshold counts.
                pl.col("drop_in_sds") >= drop_sds - _ROUNDING
            )
        )
        .drop("_past_sum")
    )


def trace_ruptures(
    flagged: pl.DataFrame,
    *,
    within_sd: float | None,
    repair_within_sessions: int,
    repair_sds: float,
    ended_episodes: Collection[str] | None = None,
) -> pl.DataFrame:
    """Follow each rupture to its repair, to the end of its time for repair, or to the end of the data.

    A rupture starts at a flagged rating, and further low ratings belong to it until it is over: repaired, or its time
    for repair passed. It is repaired at the first rating, within `repair_within_sessions` sessions, no more than
    `repair_sds` pooled standard deviations below the past mean it fell from. Where no rating follows within that time,
    or the sessions end before it does, nobody can say, and it is open.

    Args:
        flagged: What `flag_ruptures` returned.
        within_sd: The pooled spread given there.
        repair_within_sessions: How many sessions after the fall a repair may take (Gumz et al. 2012 saw declines of up
            to 6 sessions); at least 1.
        repair_sds: How near the old level counts as back; 0 or more.
        ended_episodes: Episodes known to have ended. In these nothing more can come, so a rupture still standing at the
            last session is unrepaired; where sessions followed it and none was rated it stays open. With `None` every
            episode may go on. A status that an ending decides must not be used to explain that ending.

    Returns:
        One row a rupture, sorted: `client_id`, `episode_id`, `ruptured_at` (session number), `level_before` (the past
        mean it fell from), `repaired_at` (session number, or null), `status` (one of `STATUSES`), `sessions_to_repair`,
        `magnitude` (deepest fall below `level_before` until it was over, in points) and `magnitude_in_sds`.

    Raises:
        ValueError: If a choice is out of range.
    """
    if repair_within_sessions < 1 or repair_sds < 0:
        raise ValueError("repair_within_sessions must be at least 1 and repair_sds not below 0")
    spread = within_sd or 0.0
    waiting = flagged.filter(pl.col("is_rupture")).select(
        *KEYS, ruptured_at=pl.col("session_number").cast(pl.Int64), level_before="past_mean"
    )
    rated = flagged.select(
        *KEYS,
        session=pl.col("session_number").cast(pl.Int64),
        alliance=pl.col("alliance").cast(pl.Float64).fill_nan(None),
    ).filter(pl.col("alliance").is_not_null())
    lasts = flagged.group_by(KEYS).agg(last_session=pl.col("session_number").max().cast(pl.Int64))
    lasts = lasts.with_columns(has_ended=pl.col("episode_id").is_in(list(ended_episodes or ())))
    rounds = [_course(waiting.clear(), rated, lasts, within=repair_within_sessions, slack=repair_sds * spread)]
    # A round settles the earliest waiting rupture of every client at once; few clients have more than two.
    while waiting.height:
        first = waiting.group_by(KEYS, maintain_order=True).first()
        settled = _course(first, rated, lasts, within=repair_within_sessions, slack=repair_sds * spread)
        rounds.append(settled)
        over = settled.select(*KEYS, over_at=pl.coalesce("repaired_at", pl.col("ruptured_at") + repair_within_sessions))
        waiting = (
            waiting.join(over, on=KEYS, how="left", maintain_order="left")
            .filter(pl.col("ruptured_at") > pl.col("over_at"))
            .drop("over_at")
        )
    return (
        pl.concat(rounds)
        .with_columns(magnitude_in_sds=pl.col("magnitude") / pl.lit(spread or None, dtype=pl.Float64))
        .sort(*KEYS, "ruptured_at")
    )


def _course(
    first: pl.DataFrame, rated: pl.DataFrame, lasts: pl.DataFrame, *, within: int, slack: float
) -> pl.DataFrame:
    """Settle one rupture a client: when it was repaired, how deep it went, and what became of it."""
    window = rated.join(first, on=KEYS).filter(
        (pl.col("session") >= pl.col("ruptured_at")) & (pl.col("session") <= pl.col("ruptured_at") + within)
    )
    is_after = pl.col("session") > pl.col("ruptured_at")
    is_back = is_after & (pl.col("alliance") >= pl.col("level_before") - slack - _ROUNDING)
    seen = window.group_by(KEYS).agg(
        repaired_at=pl.col("session").filter(is_back).min(), ratings_after=is_after.sum().cast(pl.Int64)
    )
    depth = (
        window.join(seen, on=KEYS)
        .filter(pl.col("repaired_at").is_null() | (pl.col("session") <= pl.col("repaired_at")))
        .group_by(KEYS)
        .agg(magnitude=(pl.col("level_before") - pl.col("alliance")).max())
    )
    is_over = (pl.col("last_session") >= pl.col("ruptured_at") + within) | pl.col("has_ended")
    was_last = pl.col("has_ended") & (pl.col("last_session") == pl.col("ruptured_at"))
    return (
        first.join(seen, on=KEYS)
        .join(depth, on=KEYS)
        .join(lasts, on=KEYS)
        .select(
            *KEYS,
            "ruptured_at",
            "level_before",
            "repaired_at",
            status=pl.when(pl.col("repaired_at").is_not_null())
            .then(pl.lit("repaired"))
            .when(is_over & ((pl.col("ratings_after") > 0) | was_last))
            .then(pl.lit("unrepaired"))
            .otherwise(pl.lit("open")),
            sessions_to_repair=pl.col("repaired_at") - pl.col("ruptured_at"),
            magnitude="magnitude",
        )
    )
