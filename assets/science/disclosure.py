"""Small numbers: what may leave the warehouse for a page, and what is withheld so that nobody can be worked out.

Belongs here: every rule about small groups, in this one module: withholding small cells, withholding a second cell
so that a total does not give the first away, rounding counts to five, withholding rates, and comparing published
slices with each other and with the night before. Does not belong here: where the rules are applied (the published layer) and who may see what (the
gatekeeper).

A suppressed number is null, and reads as suppressed, never as zero.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl
from pyroaring import FrozenBitMap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Zero = Literal["shown", "suppressed"]
NOBODY: Final = FrozenBitMap()


@dataclass(frozen=True, slots=True)
class DisclosureRule:
    """How small is too small.

    Attributes:
        min_clients: the fewest distinct clients behind a published number. NHS England publishes from 5.
        min_clinicians: the fewest distinct clinicians behind a number that is not about one clinician by name.
        zero: whether an exact zero is shown or suppressed; NHS tables differ, so it is said.
        round_to: counts are rounded to the nearest multiple of this; 5 as NHS England does, 1 for none.
        is_complement_protected: whether a rate is also withheld when those outside its numerator are few: near 100%
            of a known group tells who is not in it as surely as near 0% tells who is. NHS England does not ask this.
    """

    min_clients: int
    min_clinicians: int
    zero: Zero
    round_to: int
    is_complement_protected: bool

    def __post_init__(self) -> None:
        if self.min_clients < 1 or self.min_clinicians < 1 or self.round_to < 1:
            raise ValueError("Smallest groups and the rounding are whole numbers from 1.")
        if self.zero not in ("shown", "suppressed"):
            raise ValueError(f"Zero is 'shown' or 'suppressed', not {self.zero!r}.")


def is_small(count: int | None, *, rule: DisclosureRule) -> bool:
    """Whether a count of clients is too small to publish; an unknown count is.

    Raises:
        ValueError: a negative count.
    """
    if count is None:
        return True
    if count < 0:
        raise ValueError("A count of clients is not negative.")
    if count == 0:
        return rule.zero == "suppressed"
    return count < rule.min_clients


def rounded_count(count: int, *, round_to: int) -> int:
    """A count at the nearest multiple, halves up; with 5, (count + 2) // 5 * 5 as NHS England's SQL has it."""
    return (2 * count + round_to) // (2 * round_to) * round_to


def published_count(count: int | None, *, rule: DisclosureRule) -> int | None:
    """What is published of a count: None where suppressed, else rounded.

    Reproduces NHS England's monthly tables for 0 to 60 with 5 clients, zero suppressed and rounding to 5.

    Raises:
        ValueError: a negative count.
    """
    if count is None or is_small(count, rule=rule):
        return None
    return rounded_count(count, round_to=rule.round_to)


def published_count_expr(count: pl.Expr, *, rule: DisclosureRule) -> pl.Expr:
    """`published_count` for a column of whole counts, as Int64; a negative count is suppressed."""
    rounded = (2 * count.cast(pl.Int64) + rule.round_to) // (2 * rule.round_to) * rule.round_to
    shown = count >= rule.min_clients
    return pl.when(shown | (count == 0) if rule.zero == "shown" else shown).then(rounded)


def is_rate_small(numerator: int | None, denominator: int | None, *, rule: DisclosureRule) -> bool:
    """Whether a rate is suppressed: numerator or denominator too small, and by rule those outside the numerator.

    A rate of nobody does not exist and is suppressed too.

    Raises:
        ValueError: a negative count, or a numerator above its denominator.
    """
    if numerator is None or denominator is None:
        return True
    if numerator > denominator:
        raise ValueError("A rate's numerator cannot exceed its denominator.")
    counts = [numerator, denominator]
    if rule.is_complement_protected:
        counts.append(denominator - numerator)
    return denominator == 0 or any(is_small(each, rule=rule) for each in counts)


def percent_half_up(numerator: int, denominator: int, *, decimals: int) -> float:
    """A share in percent, rounded half up from whole counts, so that 62.5 is 63 and never a banker's 62.

    Args:
        numerator: clients counted.
        denominator: clients who could have been, above 0.
        decimals: decimals of the percentage.

    Raises:
        ValueError: a denominator of 0 or less, or a negative numerator.
    """
    if denominator <= 0 or numerator < 0:
        raise ValueError("A share needs a denominator above 0 and a numerator of 0 or more.")
    scale = int(10**decimals)
    return (2 * 100 * scale * numerator + denominator) // (2 * denominator) / scale


def published_rate(
    numerator: int | None, denominator: int | None, *, rule: DisclosureRule, decimals: int
) -> float | None:
    """What is published of a rate, in percent: None where suppressed, else from the unrounded counts, halves up.

    Args:
        numerator: clients counted.
        denominator: clients who could have been.
        rule: how small is too small.
        decimals: decimals of the percentage; 0 below national level, where more would undo the rounding of counts.

    Raises:
        ValueError: a negative count, or a numerator above its denominator.
    """
    if numerator is None or denominator is None or is_rate_small(numerator, denominator, rule=rule):
        return None
    return percent_half_up(numerator, denominator, decimals=decimals)


def suppressed_cells(
    counts: Mapping[str, int], *, rule: DisclosureRule, is_total_shown: bool, clinicians: Mapping[str, int] | None
) -> frozenset[str]:
    """The cells of one breakdown to withhold, so that neither a cell nor a total gives a small one away.

    Args:
        counts: distinct clients in each cell; cells share no client and together make the total.
        rule: how small is too small.
        is_total_shown: whether the total stands on the same page, or can be got from another one.
        clinicians: distinct clinicians in each cell, or None where cells are not told apart from clinicians.

    Returns:
        Cells withheld for being small, and, where a total is shown, further cells (the smallest shown ones first,
        then by name) until the withheld ones are at least two and together hold at least `min_clients` clients:
        subtracting the shown from the total then gives only a group large enough to publish. Empty when nothing is
        small.

    Raises:
        ValueError: a negative count.
    """
    few = (
        {}
        if clinicians is None
        else {cell: n < rule.min_clinicians and counts[cell] > 0 for cell, n in clinicians.items()}
    )
    withheld = {cell for cell, count in counts.items() if is_small(count, rule=rule) or few.get(cell, False)}
    if not withheld or not is_total_shown:
        return frozenset(withheld)
    # Zero cells protect nothing: they add no client to the group that a subtraction reveals.
    spare = sorted(
        (cell for cell in counts if cell not in withheld), key=lambda cell: (counts[cell] == 0, counts[cell], cell)
    )
    for cell in spare:
        if len(withheld) >= 2 and sum(counts[each] for each in withheld) >= rule.min_clients:
            break
        withheld.add(cell)
    return frozenset(withheld)


@dataclass(frozen=True, slots=True)
class Slice:
    """One published group.

    Attributes:
        name: what it is called where it is published.
        clients: who it is made of, by number (`members`); the same number in every slice.
        clinicians: whose caseloads it draws on, in the same form; empty where clinicians do not come into it.
    """

    name: str
    clients: FrozenBitMap
    clinicians: FrozenBitMap = NOBODY


def members(numbers: Sequence[int] | pl.Series) -> FrozenBitMap:
    """A set of whole numbers, each at least 0 and below 2**32, that is small whether it holds few numbers or many."""
    return FrozenBitMap(array("I", np.asarray(numbers, dtype=np.uint32).tobytes()))


@dataclass(frozen=True, slots=True)
class Leak:
    """Two slices whose difference is a group too small to publish.

    Attributes:
        larger: the slice that holds the other.
        smaller: the slice subtracted from it.
        n_clients: clients in the difference.
        n_clinicians: clinicians in the difference, 0 where they do not come into it.
    """

    larger: str
    smaller: str
    n_clients: int
    n_clinicians: int


def leak_between(first: Slice, second: Slice, *, rule: DisclosureRule) -> Leak | None:
    """What subtracting one slice from the other gives away, or None.

    One gives something away where it holds the other and the rest is too few clients, or too few clinicians' clients:
    neither a client nor a clinician can then be read off as everybody less everybody else. Slices of the same clients
    give nothing away, nor does one of no clients, which has nothing to subtract.
    """
    return _leak_between(first, len(first.clients), second, len(second.clients), rule=rule)


def _leak_between(first: Slice, size: int, second: Slice, other_size: int, *, rule: DisclosureRule) -> Leak | None:
    smaller, larger = (first, second) if size <= other_size else (second, first)
    n_clients = abs(size - other_size)
    if n_clients == 0:
        return None
    n_clinicians = len(larger.clinicians - smaller.clinicians)
    is_few = n_clients < rule.min_clients or 0 < n_clinicians < rule.min_clinicians
    # The cheap questions first: nearly every pair differs by many, and only the rest are held against each other.
    if not is_few or not smaller.clients or not smaller.clients.issubset(larger.clients):
        return None
    return Leak(larger.name, smaller.name, n_clients=n_clients, n_clinicians=n_clinicians)


def differencing_leaks(slices: Sequence[Slice], *, rule: DisclosureRule) -> tuple[Leak, ...]:
    """Every pair of slices that gives away a small group, in the order of the slices.

    Args:
        slices: everything to be published side by side, on any page.
        rule: how small is too small.
    """
    found = (leak_between(first, second, rule=rule) for first, second in combinations(slices, 2))
    return tuple(leak for leak in found if leak is not None)


Reason = Literal["few_clients", "few_clinicians", "complement", "subtraction"]


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a slice is not published.

    Attributes:
        name: the slice.
        reason: `few_clients` or `few_clinicians` behind it; `complement`, where a total less its sisters would give a
            small one away; `subtraction`, where it and another published slice differ by a small group.
        against: that other slice; None for the other reasons.
    """

    name: str
    reason: Reason
    against: str | None = None


def withheld_slices(slices: Sequence[Slice], *, rule: DisclosureRule) -> tuple[Withheld, ...]:
    """The slices to withhold so that no slice is small and no pair of the rest leaks.

    Args:
        slices: everything to be published side by side, the most important first: of a leaking pair the later goes.
            Names differ.
        rule: how small is too small; a slice of no clients is withheld unless zero is shown.

    Returns:
        In the order given, every small slice, and every one that leaks against an earlier one that stays.

    Raises:
        ValueError: two slices share a name.
    """
    if len({each.name for each in slices}) < len(slices):
        raise ValueError("Two slices share a name, so withholding one would be unclear.")
    of_size: dict[int, list[Slice]] = {}
    gone: list[Withheld] = []
    is_by_clinicians = any(each.clinicians for each in slices)
    for each in slices:
        size = len(each.clients)
        if is_small(size, rule=rule):
            gone.append(Withheld(each.name, "few_clients"))
            continue
        if 0 < len(each.clinicians) < rule.min_clinicians:
            gone.append(Withheld(each.name, "few_clinicians"))
            continue
        # Only slices of nearly the same size can differ by few clients; by few clinicians, any two can.
        near = range(size + 1 - rule.min_clients, size + rule.min_clients)
        leaks = (
            _leak_between(other, other_size, each, size, rule=rule)
            for other_size in (list(of_size) if is_by_clinicians else near)
            for other in of_size.get(other_size, ())
        )
        leak = next((leak for leak in leaks if leak is not None), None)
        against = None if leak is None else leak.larger if leak.smaller == each.name else leak.smaller
        if against is None:
            of_size.setdefault(size, []).append(each)
        else:
            gone.append(Withheld(each.name, "subtraction", against))
    return tuple(gone)


def standing_count(now: int, *, last: int | None, least_change: int) -> int:
    """The count that a published figure stands for tonight, given the one it stood for last night.

    Two nights' figures of one group can be subtracted as two groups' can: 12 clients and then 13 is one client's
    arrival. A figure therefore stands until the group has changed by at least as many as may be told.

    Args:
        now: clients tonight.
        last: clients when the figure last moved; None where none was published.
        least_change: the fewest clients by which a figure may move.

    Returns:
        `last` where the change since is from 1 to `least_change` - 1, else `now`. So figures of any two nights are
        equal or differ by `least_change` or more.
    """
    return now if last is None or abs(now - last) >= least_change else last


def may_move(entered: int, left: int, *, least_change: int) -> bool:
    """Whether all figures of a group may be told anew: as many clients have come or gone as may be told, or none has."""
    return entered + left == 0 or entered + left >= least_change
