"""What follows a rupture: where each client stands at each session, and how often treatment then ends unplanned.

Here: the state of a session, and the hazard of an unplanned ending by state with ratios between states. Not here: what
a rupture and a repair are (`assets.science.rupture`).

The state is the one at the session. Comparing clients "whose rupture was repaired" with others would credit repair with
the sessions it took to get there: whoever left before could not be repaired (immortal time).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from assets.science.clustered import clustered_rates, stratified_ratios

if TYPE_CHECKING:
    from collections.abc import Sequence

STATES: Final = ("no_rupture", "ruptured", "repaired")
"""Where a client stands: no rupture so far, one not (yet) repaired, or the latest one repaired."""

COMPARED_WITH: Final = {"ruptured": "no_rupture", "repaired": "ruptured"}
"""Which state each state's ratio is against."""


def state_at_sessions(sessions: pl.DataFrame, ruptures: pl.DataFrame, *, by: Sequence[str]) -> pl.DataFrame:
    """Say where each client stood at each session, by what was known once it was over.

    Args:
        sessions: One row a session: the columns of `by` and `session_number`.
        ruptures: One row a rupture: the columns of `by`, `ruptured_at` and `repaired_at` (session numbers; the latter
            null where it was never repaired).
        by: Columns that name one alliance: client and episode, and the measure where there are several.

    Returns:
        The rows given, sorted by session number, with `state`, one of `STATES`.
    """
    keys = list(by)
    latest = ruptures.select(*keys, pl.col("ruptured_at", "repaired_at").cast(pl.Int64)).sort("ruptured_at")
    return (
        sessions.with_columns(pl.col("session_number").cast(pl.Int64))
        .sort("session_number")
        # Every alliance's rows are in order because all rows are; the library cannot see that by itself.
        .join_asof(latest, left_on="session_number", right_on="ruptured_at", by=keys, check_sortedness=False)
        .with_columns(
            state=pl.when(pl.col("ruptured_at").is_null())
            .then(pl.lit("no_rupture"))
            .when(pl.col("repaired_at") <= pl.col("session_number"))
            .then(pl.lit("repaired"))
            .otherwise(pl.lit("ruptured"))
        )
        .drop("ruptured_at", "repaired_at")
    )


def leaving_by_state(placed: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """How often treatment ends unplanned after a session, by state, and the ratios between states.

    Args:
        placed: One row a session and client: the columns of `by`, `site`, `session_number`, `state`, `client_id`,
            `episode_id`, `clinician_id`, `is_unplanned` and `is_planned` (whether treatment ended so with it).
        by: Columns that name a group, such as a scope and a measure.
        confidence: Two-sided coverage.

    Returns:
        One row a group and state that has a session: `by`, `state`, `clients`, `clinicians`, `sessions`, `unplanned`,
        `planned`, `hazard` with `hazard_lower` and `hazard_upper`, and `compared_with`, `ratio`, `ratio_lower`,
        `ratio_upper`, `probability_above`, in which only sessions of the same site and number are set side by side
        (leaving is not as frequent early as late, and no rupture can be seen at first); null for `no_rupture`.
    """
    groups = [*by, "state"]
    counted = placed.group_by(groups).agg(
        clients=pl.struct("client_id", "episode_id").n_unique().cast(pl.Int64),
        clinicians=pl.col("clinician_id").n_unique().cast(pl.Int64),
        planned=pl.col("is_planned").sum().cast(pl.Int64),
    )
    of_units = placed.group_by([*groups, "episode_id"]).agg(total=pl.len(), events=pl.col("is_unplanned").sum())
    hazards = clustered_rates(of_units, by=groups, confidence=confidence).rename(
        {"total": "sessions", "events": "unplanned", "rate": "hazard", "lower": "hazard_lower", "upper": "hazard_upper"}
    )
    cells = placed.group_by([*groups, "site", "session_number", "clinician_id"]).agg(
        total=pl.len(), events=pl.col("is_unplanned").sum()
    )
    ratios = pl.concat([_ratios(cells, by=by, state=state, confidence=confidence) for state in COMPARED_WITH])
    return (
        hazards.drop("units")
        .join(counted, on=groups)
        # Rows may hold the states as an enumeration, which a word does not join.
        .with_columns(pl.col("state").cast(pl.String))
        .join(ratios, on=groups, how="left", nulls_equal=True)
        .sort(*by, pl.col("state").cast(pl.Enum(STATES)))
    )


def _ratios(cells: pl.DataFrame, *, by: Sequence[str], state: str, confidence: float) -> pl.DataFrame:
    other = COMPARED_WITH[state]
    key = [*by, "site", "session_number", "clinician_id"]
    both = (
        cells.filter(pl.col("state").is_in([state, other]))
        .with_columns(pl.col("site").fill_null(""))
        .group_by(key)
        .agg(
            *(
                pl.col(figure).filter(pl.col("state") == side).sum().alias(f"{figure}_{number}")
                for figure in ("total", "events")
                for number, side in ((1, state), (0, other))
            )
        )
    )
    found = stratified_ratios(
        both, by=by, strata=("site", "session_number"), unit="clinician_id", confidence=confidence
    )
    return found.select(
        *by,
        "ratio",
        "probability_above",
        state=pl.lit(state),
        compared_with=pl.lit(other),
        ratio_lower="lower",
        ratio_upper="upper",
    )
