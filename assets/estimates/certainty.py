"""One word for how sure, as a column.

Belongs here: the vectorised form of `assets.science.verdicts`. Does not belong here: sentences (`dashboards.words`).
"""

import polars as pl

from assets.science.verdicts import CLEAR_FROM, LIKELY_FROM

# A probability that should be the limit can fall short of it in the last digit.
_ROUNDING = 1e-9


def certainty_word(probability_above: pl.Expr, *, clients: pl.Expr, minimum_clients: int) -> pl.Expr:
    """`clear`, `likely`, `cannot_tell` or `too_few`, from the probability that a difference is above nothing."""
    surest = pl.max_horizontal(probability_above, 1 - probability_above) + _ROUNDING
    return (
        pl.when(clients < minimum_clients)
        .then(pl.lit("too_few"))
        .when(surest >= CLEAR_FROM)
        .then(pl.lit("clear"))
        .when(surest >= LIKELY_FROM)
        .then(pl.lit("likely"))
        .otherwise(pl.lit("cannot_tell"))
    )
