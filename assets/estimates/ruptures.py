"""Falls of alliance below the client's own past, and whether they were repaired.

Belongs here: one alliance series a client, episode and measure. Does not belong here: what a fall and a repair are
(`assets.science.rupture`).
"""

import polars as pl

from assets.science.rupture import flag_ruptures, pooled_within_sd, trace_ruptures

# Below two earlier ratings there is no past to fall from (measured: sensitivity .55, positive predictive value .68).
_FEWEST_PAST_RATINGS = 2
# Back within half a spread of the old level counts as repaired: assumed.
_REPAIR_SDS = 0.5
_KEYS = ["client_id", "episode_id"]


def ruptures(ratings: pl.DataFrame, *, falls_by_sd: float, repaired_within_sessions: int) -> pl.DataFrame:
    """`analysis.ruptures`.

    Args:
        ratings: clients' own alliance ratings with a session: `client_id`, `episode_id`, `clinician_id`, `site`,
            `instrument`, `session_number`, `rating_id`, `score`.
        falls_by_sd: how many pooled within-client standard deviations are a rupture.
        repaired_within_sessions: how soon it must be made good.
    """
    one_each = ratings.sort("instrument", *_KEYS, "session_number", "rating_id").unique(
        ["instrument", *_KEYS, "session_number"], keep="first", maintain_order=True
    )
    who = one_each.unique([*_KEYS, "instrument"], keep="first", maintain_order=True).select(
        *_KEYS, "instrument", "clinician_id", "site"
    )
    names = one_each["instrument"].unique().sort().to_list()
    parts = [
        _of_instrument(one_each.filter(pl.col("instrument") == name), name, falls_by_sd, repaired_within_sessions)
        for name in names or [""]
    ]
    return pl.concat(parts).join(who, on=[*_KEYS, "instrument"], how="left", maintain_order="left")


def _of_instrument(ratings: pl.DataFrame, instrument: str, falls_by_sd: float, within: int) -> pl.DataFrame:
    series = ratings.select(*_KEYS, "session_number", alliance="score")
    spread = pooled_within_sd(series)
    flagged = flag_ruptures(series, within_sd=spread, drop_sds=falls_by_sd, fewest_past_ratings=_FEWEST_PAST_RATINGS)
    traced = trace_ruptures(flagged, within_sd=spread, repair_within_sessions=within, repair_sds=_REPAIR_SDS)
    return traced.select(
        *_KEYS,
        pl.lit(instrument).alias("instrument"),
        pl.col("ruptured_at").alias("session_number"),
        pl.col("magnitude").round(6).alias("fall"),
        pl.col("status").alias("state"),
        pl.col("repaired_at").alias("repaired_session_number"),
    )
