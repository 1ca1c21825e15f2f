"""Staying in treatment: curves for the service, its parts and each clinician.

Belongs here: which episodes a curve is of and when too few are left to go on. Does not belong here: the curves
(`assets.science.retention`), or drop-out episode by episode (`drop_out`).
"""

import polars as pl

from assets.estimates.scopes import in_every_scope
from assets.science.funnel import wilson_interval
from assets.science.retention import curves_by_group

_CONFIDENCE = 0.95
# In the order of the contract's curves.
_WAYS = ("ended_planned", "ended_unplanned", "ended_unsaid")
_DIGITS = 9


def retention(episodes: pl.DataFrame, *, minimum_clients: int) -> pl.DataFrame:
    """`analysis.retention`.

    Args:
        episodes: `marts.episodes`; those without a session have no curve.
        minimum_clients: with fewer episodes left at a session, its shares are withheld.
    """
    begun = episodes.filter(pl.col("sessions") > 0).select(
        "clinician_id",
        "site",
        "programme",
        "sessions",
        outcome=pl.when(~pl.col("is_open")).then(pl.lit("ended_") + pl.col("end_reason").fill_null("unsaid")),
    )
    own = begun.filter(pl.col("clinician_id").is_not_null())
    grouped = pl.concat(
        [in_every_scope(begun), own.with_columns(scope=pl.lit("clinician"), scope_name=pl.col("clinician_id"))]
    )
    curves = curves_by_group(grouped, by=("scope", "scope_name"), causes=_WAYS, confidence=_CONFIDENCE)
    few = pl.col("at_risk") < minimum_clients
    # Where everyone or no one is in a state the curve has no interval of its own; that of as many as are left has.
    share, left = curves["share"].round(0).to_numpy(), curves["at_risk"].to_numpy()
    low, high = wilson_interval(share * left, left, confidence=_CONFIDENCE)
    told = {
        "share": pl.col("share"),
        "share_low": pl.coalesce("lower", pl.Series(low)),
        "share_high": pl.coalesce("upper", pl.Series(high)),
    }
    return curves.with_columns(
        **{name: pl.when(~few).then(column.round(_DIGITS)) for name, column in told.items()}, is_too_few=few
    )
