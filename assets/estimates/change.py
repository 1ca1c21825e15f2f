"""Reliable change of every client, episode and outcome measure.

Belongs here: which scores of an episode are compared, by the instruments' own thresholds. Does not belong here: the
formulas (`assets.science.change`) or rates over clients (`progress`).
"""

import polars as pl

from assets.science.change import change_category_expr, first_and_last_scores
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry

_KEYS = ["client_id", "episode_id", "instrument"]


def client_change(ratings: pl.DataFrame, episodes: pl.DataFrame, *, registry: Registry) -> pl.DataFrame:
    """`analysis.client_change`.

    Args:
        ratings: clients' own outcome ratings: `client_id`, `episode_id`, `instrument`, `rating_id`, `completed_on`, `score`.
        episodes: `marts.episodes`.
        registry: the service's instruments.

    Returns:
        One row a client, episode and instrument with at least one form. Where an instrument declares no reliable change,
        the category is not evaluable.
    """
    bounds = episodes.select(
        "episode_id", "case_id", "clinician_id", "site", "programme", "is_open", "started_on", "ended_on"
    )
    rated = ratings.join(bounds, on="episode_id", how="inner")
    pairs = first_and_last_scores(
        rated, by=_KEYS, at="completed_on", tie_break="rating_id", score="score", starts="started_on", ends="ended_on"
    ).join(bounds, on="episode_id", how="inner", maintain_order="left")
    parts = [
        _judged(pairs.filter(pl.col("instrument") == name), instrument=registry[name])
        for name in pairs["instrument"].unique().sort()
    ]
    return pl.concat(parts) if parts else _judged(pairs, instrument=next(iter(registry)))


def _judged(pairs: pl.DataFrame, *, instrument: Instrument) -> pl.DataFrame:
    sign = 1.0 if instrument.direction == "higher_is_better" else -1.0
    threshold = instrument.reliable_change.value if instrument.reliable_change else None
    change = pl.col("post") - pl.col("pre")
    category = pl.lit("not evaluable")
    if threshold is not None:
        category = change_category_expr(
            pl.col("pre"),
            pl.col("post"),
            index=change,
            critical=threshold,
            at_critical="reliable",
            cut_off=instrument.cut_off.value if instrument.cut_off else None,
            direction=instrument.direction,
        )
    return pairs.with_columns(category=category.str.replace_all(" ", "_")).select(
        "client_id",
        "case_id",
        "episode_id",
        "clinician_id",
        "site",
        "programme",
        "instrument",
        "is_open",
        scores="n_valid",
        first_score="pre",
        last_score="post",
        improvement=(change * sign).round(10),
        reliable_change=pl.lit(threshold, dtype=pl.Float64),
        category="category",
        is_reliably_improved=pl.col("category").is_in(["recovered", "improved"]),
        is_reliably_deteriorated=pl.col("category").is_in(["deteriorated", "harmed"]),
    )
