"""Which measures a file's columns hold: items side by side, one item a line, or totals.

Belongs here: what is looked for first, and what is left out where something surer was found. Does not belong here: who and
when a form is about (`ratings`).
"""

import polars as pl

from assets.feeds.proposal.item_columns import labelled, numbered
from assets.feeds.proposal.item_lines import one_item_a_line, totals
from assets.feeds.proposal.measures import FoundForms, Profiles
from assets.science.instruments.registry import Registry


def find_forms(profiles: Profiles, rows: pl.DataFrame, *, name: str, registry: Registry) -> tuple[FoundForms, ...]:
    """Every measure in a file; what is sure first.

    Args:
        profiles: the file's columns.
        rows: its rows, as text.
        name: the file's name, which may name the measure.
        registry: the instruments.
    """
    long = one_item_a_line(profiles, rows, name=name, registry=registry)
    if long is not None:
        return (long,)
    found = [*numbered(profiles, name=name, registry=registry), *labelled(profiles, name=name, registry=registry)]
    used = frozenset().union(*(each.used for each in found))
    whole = {each.instrument for each in found}
    sums = totals({key: value for key, value in profiles.items() if key not in used}, name=name, registry=registry)
    return (
        *found,
        *(each for each in sums if each.instrument not in whole and not (found and each.instrument is None)),
    )
