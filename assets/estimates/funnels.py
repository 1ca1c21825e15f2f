"""How this service draws its funnels: one choice for every share and ratio that clinicians are set against.

Belongs here: those choices. Does not belong here: the funnel (`assets.science.funnel`), or what is counted.
"""

from typing import Final

import polars as pl

from assets.science.funnel import Funnel, funnel

# Spiegelhalter (2005) winsorises a tenth at each end before asking how much clinicians differ beyond chance.
TRIM: Final = "winsorise"
TRIM_SHARE: Final = 0.10


def funnel_of_shares(counted: pl.DataFrame, *, events: str, totals: str) -> Funnel:
    """Clinicians' shares against all events over all totals, limits widened for how much clinicians ordinarily differ.

    Args:
        counted: one row a clinician.
        events: the column with how many.
        totals: the column with out of how many.
    """
    return funnel(
        counted,
        events=events,
        totals=totals,
        kind="proportion",
        target=None,
        adjusts=True,
        exact=False,
        trim=TRIM,
        trim_share=TRIM_SHARE,
    )
