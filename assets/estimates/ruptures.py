"""Falls of alliance below the client's own past, whether they were repaired, and how often treatment ends after them.

Belongs here: one alliance series a client, episode and measure. Does not belong here: what a fall and a repair are
(`assets.science.rupture`), or how what follows is compared (`assets.science.after_rupture`).
"""

from collections.abc import Collection, Mapping
from typing import Any

import polars as pl

from assets.estimates.scopes import scopes_of
from assets.science.after_rupture import STATES, leaving_by_state, state_at_sessions
from assets.science.rupture import flag_ruptures, trace_ruptures
from assets.science.verdicts import certainty_expr

# Below two earlier ratings there is no past to fall from (measured: sensitivity .55, positive predictive value .68).
_FEWEST_PAST_RATINGS = 2
# Back within half a spread of the old level counts as repaired: assumed.
_REPAIR_SDS = 0.5
_KEYS = ["client_id", "episode_id"]
FEWEST_RATINGS_TO_JUDGE = _FEWEST_PAST_RATINGS + 1
_CONFIDENCE = 0.95
_DIGITS = 9
_GROUP = ("scope", "scope_name", "instrument")
_WHERE = {
    "no_rupture": "where there had been no rupture",
    "ruptured": "where a rupture was not repaired",
    "repaired": "where the latest rupture was repaired",
}


def ruptures(
    sessions: pl.DataFrame,
    *,
    within_sds: Mapping[str, float | None],
    falls_by_sd: float,
    repaired_within_sessions: int,
    ended_episodes: Collection[str] | Collection[int],
) -> pl.DataFrame:
    """`analysis.ruptures`, of some clients or of all, less who and where.

    Args:
        sessions: one row a session of a client, episode and measure: `client_id`, `episode_id`, `instrument`,
            `session_number`, and `score`, null where the form was skipped. Clients and episodes may be numbers.
        within_sds: how much clients' scores spread around their own means in the whole service, by measure.
        falls_by_sd: how many pooled within-client standard deviations are a rupture.
        repaired_within_sessions: how soon it must be made good.
        ended_episodes: those in which no repair can come any more.
    """
    names = sessions["instrument"].unique().sort().to_list()
    parts = []
    for name in names or [""]:
        series = sessions.filter(pl.col("instrument") == name).select(*_KEYS, "session_number", alliance="score")
        spread = within_sds.get(name)
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
    return pl.concat(parts).select(
        *_KEYS,
        "instrument",
        pl.col("ruptured_at").alias("session_number"),
        pl.col("magnitude").round(6).alias("fall"),
        pl.col("status").alias("state"),
        pl.col("repaired_at").alias("repaired_session_number"),
    )


def standing_at_sessions(sessions: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Where each client stood at each session, of some clients or of all.

    Args:
        sessions: one row a client, measure and session from the one with the client's third rating on: `client_id`,
            `episode_id`, `instrument`, `session_number`, `clinician_id`, `site`, `programme`, `is_unplanned` and
            `is_planned` (whether treatment ended so with it). Clients and episodes may be numbers.
        found: their `analysis.ruptures`.

    Returns:
        The sessions with `state`; words that many rows share are held once.
    """
    traced = found.select(*_KEYS, "instrument", ruptured_at="session_number", repaired_at="repaired_session_number")
    placed = state_at_sessions(sessions, traced, by=(*_KEYS, "instrument"))
    return placed.with_columns(
        pl.col("session_number").cast(pl.Int32),
        pl.col("instrument", "clinician_id", "site", "programme").cast(pl.Categorical),
        pl.col("state").cast(pl.Enum(STATES)),
    )


def after_rupture(placed: pl.DataFrame, *, minimum_clients: int) -> pl.DataFrame:
    """`analysis.after_rupture`.

    Args:
        placed: what `standing_at_sessions` gave for every part of the service.
        minimum_clients: below it in a state nothing is told of it.
    """
    # Scope by scope, so that millions of sessions stand once and not once a scope.
    told = pl.concat(
        leaving_by_state(rows, by=("instrument",), confidence=_CONFIDENCE).select(
            pl.lit(scope).alias("scope"),
            pl.lit(name).alias("scope_name"),
            pl.col("instrument", "state").cast(pl.String),
            pl.exclude("instrument", "state"),
        )
        for scope, name, rows in scopes_of(placed)
    ).sort(*_GROUP, pl.col("state").cast(pl.Enum(STATES)))
    is_few = pl.col("clients") < minimum_clients
    # A ratio rests on both states, so it goes with the smaller of the two.
    others = told.select(*_GROUP, compared_with="state", _is_few=is_few)
    figures = ("hazard", "hazard_lower", "hazard_upper")
    ratios = ("ratio", "ratio_lower", "ratio_upper", "probability_above")
    told = (
        told.join(others, on=[*_GROUP, "compared_with"], how="left", maintain_order="left")
        .with_columns(
            *(pl.when(~is_few).then(pl.col(name).round(_DIGITS)).alias(name) for name in figures),
            *(pl.when(~is_few & ~pl.col("_is_few")).then(pl.col(name).round(_DIGITS)).alias(name) for name in ratios),
        )
        .with_columns(certainty=_certainty(is_few | pl.col("_is_few").fill_null(value=False)))
        .rename({name: name.replace("lower", "low").replace("upper", "high") for name in (*figures[1:], *ratios[1:3])})
    )
    sentences = [_sentence(row) for row in told.iter_rows(named=True)]
    return told.with_columns(sentence=pl.Series(sentences, dtype=pl.String))


def _certainty(is_few: pl.Expr) -> pl.Expr:
    """How sure one can be of which way a ratio lies; a state without a ratio is only described."""
    fewest = pl.when(is_few).then(0).otherwise(1)
    return certainty_expr(pl.col("probability_above"), n=fewest, fewest=1)


def _sentence(row: dict[str, Any]) -> str:
    where = _WHERE[row["state"]]
    if row["hazard"] is None:
        return f"Too few clients had a session {where} to say how often treatment then ended unplanned."
    counted = (
        f"Of 100 sessions {where}, {100 * row['hazard']:.1f} were the last before an unplanned ending "
        f"({100 * row['hazard_low']:.1f} to {100 * row['hazard_high']:.1f})"
    )
    if row["compared_with"] is None:
        return f"{counted}."
    other = _WHERE[row["compared_with"]]
    if row["ratio"] is None:
        return f"{counted}; too little is known to set that against sessions {other}."
    ends = f"({row['ratio_low']:.2g} to {row['ratio_high']:.2g})"
    if row["certainty"] == "cannot_tell":
        return f"{counted}. Whether that is more or less often than {other} cannot be told: {row['ratio']:.2g} times as often {ends}."
    sure = "Clearly" if row["certainty"] == "clear" else "Probably"
    way = "more" if row["ratio"] > 1 else "less"
    return (
        f"{counted}. {sure} {way} often than {other}: {row['ratio']:.2g} times as often {ends}, sessions of the same site and "
        "number compared. This is no proof that the rupture or its repair is why."
    )
