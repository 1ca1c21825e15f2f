"""Rows that tell nobody apart: quasi-identifiers made coarser until every combination is shared by k people.

Belongs here: the search and what counts as a class. Does not belong here: which columns a person could be known by, how
each is made coarser (the caller says), or small groups on pages (`assets.science.disclosure`).

k-anonymity keeps a known person from being told from k - 1 others by the columns named. It does not keep secret what
they all share: where everyone of a class has one score, that score is told (Machanavajjhala et al. 2007, ACM TKDD 1:3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANY = "any"
"""Stands where a quasi-identifier tells nothing any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Anonymous:
    """Rows that tell nobody apart, and what that cost.

    Attributes:
        rows: the rows that are left, quasi-identifiers as text, without the person's key.
        levels: how often each quasi-identifier was made coarser; 0 for as it came.
        suppressed_rows: rows left out, since their combination stayed too rare.
        suppressed_people: people none of whose rows are left.
        classes: combinations that are left.
        smallest_class: people in the smallest of them; 0 where nothing is left.
    """

    rows: pl.DataFrame
    levels: Mapping[str, int]
    suppressed_rows: int
    suppressed_people: int
    classes: int
    smallest_class: int


def anonymous(
    rows: pl.DataFrame,
    *,
    person: str,
    ladders: Mapping[str, Sequence[pl.Expr]],
    k: int,
    most_suppressed: float,
) -> Anonymous:
    """Make rows k-anonymous: quasi-identifiers coarser one step at a time, and rows that stay rare left out.

    While more rows than may be left out have a rare combination, the quasi-identifier with most different values takes
    its next step (the first named of those with as many). Then rows of rare combinations are left out. A combination is
    rare where fewer than `k` different people have it.

    Args:
        rows: one row a thing about a person.
        person: the column that says whose row it is.
        ladders: for each quasi-identifier its values as text at each step, finest first, as expressions over `rows`.
        k: the fewest people that may share a combination, 2 or more.
        most_suppressed: share of rows, from 0 to 1, that may be left out rather than made coarser.

    Raises:
        ValueError: k below 2, a share outside 0 to 1, or no quasi-identifier.

    Source: Sweeney 2002, Int J Uncertainty, Fuzziness and Knowledge-Based Systems 10:571-588 (the Datafly search).
    """
    if k < 2:
        raise ValueError("One person alone is never anonymous: k is 2 or more.")
    if not 0 <= most_suppressed <= 1:
        raise ValueError("The share of rows that may be left out lies between 0 and 1.")
    if not ladders:
        raise ValueError("Without a quasi-identifier there is nothing to make coarser.")
    names = list(ladders)
    levels = dict.fromkeys(names, 0)
    allowed = most_suppressed * rows.height
    while True:
        at_level = rows.with_columns(ladders[name][levels[name]].alias(name) for name in names)
        people = at_level.select(pl.col(person).n_unique().over(names)).to_series()
        is_rare = people < k
        coarser = [name for name in names if levels[name] + 1 < len(ladders[name])]
        if is_rare.sum() <= allowed or not coarser:
            break
        most_different = max(coarser, key=lambda name: at_level[name].n_unique())
        levels[most_different] += 1
    kept = at_level.filter(~is_rare)
    sizes = kept.group_by(names).agg(people=pl.col(person).n_unique())["people"]
    smallest = sizes.min()
    return Anonymous(
        rows=kept.drop(person),
        levels=levels,
        suppressed_rows=int(is_rare.sum()),
        suppressed_people=rows[person].n_unique() - kept[person].n_unique(),
        classes=sizes.len(),
        smallest_class=smallest if isinstance(smallest, int) else 0,
    )
