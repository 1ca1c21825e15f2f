"""Alliance levels of clinicians, as their clients rate them.

Belongs here: which ratings count toward a clinician's level, and who is compared with whom: the clinicians of one site
on one measure, since sites differ in whom they see. Does not belong here: the shrinking
(`assets.science.clinician_effects`) or the link with progress (`link`).
"""

import polars as pl

from assets.science.clinician_effects import clinician_levels
from assets.science.verdicts import certainty_expr

EARLY_SESSIONS = 3
_DIFFERENCE = ("difference", "difference_low", "difference_high")
_FIGURES = ("shrunken_mean", "low", "high", "service_mean", *_DIFFERENCE, "probability_above")
_KEYS = ["clinician_id", "instrument"]
_PARTS = ("bond", "goals", "tasks")


def clinician_alliance(
    own: pl.DataFrame, clinicians: pl.DataFrame, *, minimum_clients: int, minimum_clinicians: int
) -> pl.DataFrame:
    """`analysis.clinician_alliance`.

    Args:
        own: one row a clinician, measure and client with a score: `clinician_id`, `instrument`, `n` (scores), `y` (their
            sum), `yy` (the sum of their squares), `early` (mean over sessions 1 to 3), `bond`, `goals`, `tasks` (means of
            the subscales) and `at_ceiling` (scores at the top).
        clinicians: `marts.clinicians`.
        minimum_clients: below it a clinician's certainty is too_few.
        minimum_clinicians: below it clinicians of a measure are not compared.
    """
    ordered = own.sort(*_KEYS, "n", "y", "yy", "early", *_PARTS)
    counted = (
        ordered.with_columns(mean=pl.col("y") / pl.col("n"))
        .group_by(_KEYS, maintain_order=True)
        .agg(
            pl.len().cast(pl.Int64).alias("clients"),
            pl.col("n").sum().cast(pl.Int64).alias("ratings"),
            pl.col("mean").mean().round(6),
            pl.col("early").mean().round(6).alias("early_mean"),
            *(pl.col(part).mean().round(6).alias(f"{part}_mean") for part in _PARTS),
            (pl.col("at_ceiling").sum() / pl.col("n").sum()).alias("share_at_ceiling"),
        )
    )
    described = clinicians.select("clinician_id", "site")
    placed = ordered.join(described, on="clinician_id", how="left", maintain_order="left")
    groups = placed.partition_by("instrument", "site", maintain_order=False, as_dict=True)
    levels = [
        _levels(groups[group], instrument=str(group[0]), minimum_clinicians=minimum_clinicians)
        for group in sorted(groups, key=str)
    ]
    if not levels:
        return counted.join(described, on="clinician_id").with_columns(
            *(pl.lit(None, dtype=pl.Float64).alias(name) for name in _FIGURES),
            certainty=pl.lit("too_few"),
        )
    joined = counted.join(pl.concat(levels), on=_KEYS, how="left", maintain_order="left").join(
        described, on="clinician_id", how="left", maintain_order="left"
    )
    word = certainty_expr(pl.col("probability_above"), n=pl.col("clients"), fewest=minimum_clients)
    return joined.with_columns(certainty=word)


def _levels(own: pl.DataFrame, *, instrument: str, minimum_clinicians: int) -> pl.DataFrame:
    found = clinician_levels(own, minimum_clinicians=minimum_clinicians, are_clients_held=False, seed=1)
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
