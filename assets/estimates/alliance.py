"""Alliance levels of clinicians, as their clients rate them.

Belongs here: which ratings count toward a clinician's level, and who is compared with whom: the clinicians of one site
on one measure, since sites differ in whom they see. Does not belong here: the shrinking
(`assets.science.clinician_effects`) or the link with progress (`link`).
"""

import polars as pl

from assets.science.clinician_effects import clinician_effects
from assets.science.verdicts import certainty_expr

EARLY_SESSIONS = 3
_DIFFERENCE = ("difference", "difference_low", "difference_high")
_FIGURES = ("shrunken_mean", "low", "high", "service_mean", *_DIFFERENCE, "probability_above")
_KEYS = ["clinician_id", "instrument"]


def clinician_alliance(
    ratings: pl.DataFrame, clinicians: pl.DataFrame, *, minimum_clients: int, minimum_clinicians: int
) -> pl.DataFrame:
    """`analysis.clinician_alliance`.

    Args:
        ratings: clients' own alliance ratings with a score: `clinician_id`, `client_id`, `instrument`, `session_number`,
            `score`, `bond_score`, `goals_score`, `tasks_score`, `is_at_ceiling`.
        clinicians: `marts.clinicians`.
        minimum_clients: below it a clinician's certainty is too_few.
        minimum_clinicians: below it clinicians of a measure are not compared.
    """
    parts = ["bond_score", "goals_score", "tasks_score"]
    early = pl.col("score").filter(pl.col("session_number") <= EARLY_SESSIONS).mean()
    own = (
        ratings.sort(*_KEYS, "client_id", "session_number", "score")
        .group_by(*_KEYS, "client_id", maintain_order=True)
        .agg(
            pl.len().alias("ratings"),
            pl.col("score", *parts).mean(),
            early.alias("early"),
            pl.col("is_at_ceiling").sum().alias("at_ceiling"),
        )
        .group_by(_KEYS, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("clients"),
            pl.col("ratings").sum().cast(pl.Int64),
            pl.col("score").mean().round(6).alias("mean"),
            pl.col("early").mean().round(6).alias("early_mean"),
            *(pl.col(part).mean().round(6).alias(part.replace("_score", "_mean")) for part in parts),
            (pl.col("at_ceiling").sum() / pl.col("ratings").sum()).alias("share_at_ceiling"),
        )
    )
    described = clinicians.select("clinician_id", "site")
    placed = ratings.join(described, on="clinician_id", how="left", maintain_order="left")
    groups = placed.partition_by("instrument", "site", maintain_order=False, as_dict=True)
    levels = [
        _levels(groups[group], instrument=str(group[0]), minimum_clinicians=minimum_clinicians)
        for group in sorted(groups, key=str)
    ]
    if not levels:
        return own.join(described, on="clinician_id").with_columns(
            *(pl.lit(None, dtype=pl.Float64).alias(name) for name in _FIGURES),
            certainty=pl.lit("too_few"),
        )
    joined = own.join(pl.concat(levels), on=_KEYS, how="left", maintain_order="left").join(
        described, on="clinician_id", how="left", maintain_order="left"
    )
    word = certainty_expr(pl.col("probability_above"), n=pl.col("clients"), fewest=minimum_clients)
    return joined.with_columns(certainty=word)


def _levels(ratings: pl.DataFrame, *, instrument: str, minimum_clinicians: int) -> pl.DataFrame:
    found = clinician_effects(
        ratings, score="score", predictors=(), client="client_id", minimum_clinicians=minimum_clinicians, seed=1
    )
    return found.clinicians.select(
        "clinician_id",
        pl.lit(instrument).alias("instrument"),
        pl.col("estimate").alias("shrunken_mean"),
        "low",
        "high",
        *_DIFFERENCE,
        "probability_above",
        pl.lit(found.service, dtype=pl.Float64).alias("service_mean"),
    )
