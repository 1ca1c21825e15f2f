"""Falls of alliance below the client's own past, and whether they were repaired.

Belongs here: one alliance series a client, episode and measure. Does not belong here: what a fall and a repair are
(`assets.science.rupture`).
"""

from collections.abc import Collection

import polars as pl

from assets.science.rupture import flag_ruptures, pooled_within_sd, trace_ruptures

# Below two earlier ratings there is no past to fall from (measured: sensitivity .55, positive predictive value .68).
_FEWEST_PAST_RATINGS = 2
# Back within half a spread of the old level counts as repaired: assumed.
_REPAIR_SDS = 0.5
_KEYS = ["client_id", "episode_id"]


def ruptures(
    sessions: pl.DataFrame, *, falls_by_sd: float, repaired_within_sessions: int, ended_episodes: Collection[str]
) -> pl.DataFrame:
    """`analysis.ruptures`.

    Args:
        sessions: one row a session of a client, episode and measure: `client_id`, `episode_id`, `instrument`,
            `session_number`, `clinician_id`, `site`, and `score`, null where the form was skipped.
        falls_by_sd: how many pooled within-client standard deviations are a rupture.
        repaired_within_sessions: how soon it must be made good.
        ended_episodes: those in which no repair can come any more.
    """
    who = sessions.select(*_KEYS, "instrument", "session_number", "clinician_id", "site")
    names = sessions["instrument"].unique().sort().to_list()
    parts = []
    for name in names or [""]:
        series = sessions.filter(pl.col("instrument") == name).select(*_KEYS, "session_number", alliance="score")
        spread = pooled_within_sd(series)
        flagged = flag_ruptures(
            series, within_sd=spread, drop_sds=falls_by_sd, fewest_past_ratings=_FEWEST_PAST_RATINGS
        )
        traced = trace_ruptures(
            flagged,
            within_sd=spread,
            repair_within_sessions=repaired_within_sessions,
            repair_sds=_REPAIR_SDS,
            ended_episodes=ended_episodes,
        )
        parts.append(traced.with_columns(instrument=pl.lit(name)))
    return (
        pl.concat(parts)
        .select(
            *_KEYS,
            "instrument",
            pl.col("ruptured_at").alias("session_number"),
            pl.col("magnitude").round(6).alias("fall"),
            pl.col("status").alias("state"),
            pl.col("repaired_at").alias("repaired_session_number"),
        )
        .join(who, on=[*_KEYS, "instrument", "session_number"], how="left", maintain_order="left")
    )
