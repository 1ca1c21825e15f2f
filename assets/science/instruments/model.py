"""The shape of a declared measure: what is known of it, and where each number comes from.

Belongs here: the frozen dataclasses and the arithmetic that follows from a declaration alone (ranges, which side of
a cut-off is clinical). Does not belong here: any particular instrument (one module a family), looking one up
(`registry`), scoring a form (`assets.science.scoring`). No item wording anywhere: licensed instruments are declared
by their numbers only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Status = Literal["verified", "recalled", "local"]
Direction = Literal["higher_is_better", "higher_is_worse"]
Kind = Literal["alliance", "outcome"]
Rater = Literal["client", "clinician", "observer"]
Aggregate = Literal["sum", "mean"]

STATUSES: tuple[Status, ...] = ("verified", "recalled", "local")
DIRECTIONS: tuple[Direction, ...] = ("higher_is_better", "higher_is_worse")
KINDS: tuple[Kind, ...] = ("alliance", "outcome")
RATERS: tuple[Rater, ...] = ("client", "clinician", "observer")
AGGREGATES: tuple[Aggregate, ...] = ("sum", "mean")

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Sourced(Generic[T_co]):
    """A fact with where it was found and how far it is trusted.

    Attributes:
        value: the fact itself.
        source: author and year, a publisher's page, or the clinic's own sample; never empty.
        status: `verified` seen in the source named, `recalled` not yet checked against it, `local` the clinic's own.
    """

    value: T_co
    source: str
    status: Status

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise ValueError("A number needs its source: name the paper, the publisher or the clinic's own sample.")
        if self.status not in STATUSES:
            raise ValueError(f"Status {self.status!r} is not one of {', '.join(STATUSES)}.")


@dataclass(frozen=True, slots=True)
class Range:
    """The lowest and highest value an item or a score can take, both included."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"A range runs from low to high; {self.low} to {self.high} does not.")

    def contains(self, value: float) -> bool:
        """Whether a value lies in the range, its ends included."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class MissingRule:
    """How many items a form may leave open and still be scored.

    Attributes:
        max_missing: the most items left open; beyond it the form has no score. The open items are given the mean of
            the answered ones (prorating); 0 means every item must be answered.
    """

    max_missing: int

    def __post_init__(self) -> None:
        if self.max_missing < 0:
            raise ValueError("A form cannot leave fewer than no items open.")


@dataclass(frozen=True, slots=True)
class Scoring:
    """How answered items become a score, after reversing.

    Attributes:
        aggregate: `sum` of the items (the mean of the answered ones times the number of items when some are open),
            or their `mean`.
        multiplier: applied last: 10 for the CORE family's mean, 2 for the DASS-21's sums, else 1.
    """

    aggregate: Aggregate
    multiplier: float

    def __post_init__(self) -> None:
        if self.aggregate not in AGGREGATES:
            raise ValueError(f"Scoring {self.aggregate!r} is not one of {', '.join(AGGREGATES)}.")
        if not self.multiplier > 0:
            raise ValueError("A score's multiplier is above zero; reversed items have their own place.")


@dataclass(frozen=True, slots=True)
class Norm:
    """Mean and standard deviation of a published group, in score units."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not self.sd > 0:
            raise ValueError("A norm's standard deviation is above zero.")


@dataclass(frozen=True, slots=True)
class Absent:
    """A number that is not declared, and why.

    Attributes:
        fact: the attribute of `Instrument` that has no value.
        why: one sentence: what was looked for and not found, or why one number would not do.
    """

    fact: str
    why: str


@dataclass(frozen=True, slots=True)
class Subscale:
    """A part of an instrument with a score of its own, scored as the instrument is unless it declares otherwise.

    Attributes:
        id: a short name fit for a column: `bond`, `tasks`, `goals`.
        items: the item numbers, from 1.
        missing: how many of its items may be open.
        cut_off: in subscale score units, where one is published.
    """

    id: str
    name: str
    items: Sourced[tuple[int, ...]]
    missing: Sourced[MissingRule]
    cut_off: Sourced[float] | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """Everything declared of one measure; every number carries its source and status.

    Attributes:
        id: its short published name, such as `PHQ-9`.
        kind: what it measures: the alliance, or an outcome (symptoms, wellbeing, couple satisfaction).
        direction: whether a higher score is better or worse.
        n_items: number of items.
        item_range: what each item can take, `item_exceptions` aside (item number, its own range).
        item_decimals: decimals an item is recorded with: 0 for a ticked box, 1 for a line measured in millimetres.
        reversed_items: item numbers counted from the other end before scoring.
        is_key_declared: False where which items are reversed is not known here: totals can be read, items cannot be
            scored.
        scoring, missing: how a score is made, and from how few answers.
        raters: who may fill it in.
        cut_off: score between clinical and functional. Higher is worse: clinical at or above it. Higher is better:
            clinical (or, for an alliance, worth talking about) below it. None where none is validated.
        reliable_change: smallest change, in score units, counted as reliable; at it counts. None: compute from local
            figures.
        alpha, test_retest: reliability coefficients.
        clinical_norm, functional_norm: published means and standard deviations.
        absent: which of cut-off, reliable change and key (`reversed_items`) are not declared, and why.
        licence: who holds the rights and on what terms, in our words.
        aliases: other names it goes by; capitals and punctuation never matter.
    """

    id: str
    name: str
    kind: Kind
    direction: Direction
    n_items: Sourced[int]
    item_range: Sourced[Range]
    scoring: Sourced[Scoring]
    missing: Sourced[MissingRule]
    raters: tuple[Rater, ...]
    licence: str
    item_decimals: int = 0
    item_exceptions: tuple[tuple[int, Sourced[Range]], ...] = ()
    reversed_items: Sourced[tuple[int, ...]] | None = None
    is_key_declared: bool = True
    subscales: tuple[Subscale, ...] = ()
    cut_off: Sourced[float] | None = None
    reliable_change: Sourced[float] | None = None
    alpha: Sourced[float] | None = None
    test_retest: Sourced[float] | None = None
    clinical_norm: Sourced[Norm] | None = None
    functional_norm: Sourced[Norm] | None = None
    absent: tuple[Absent, ...] = ()
    aliases: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise ValueError(f"{self.id}: " + "; ".join(problems) + ".")

    @property
    def items(self) -> tuple[int, ...]:
        """The item numbers, from 1."""
        return tuple(range(1, self.n_items.value + 1))

    @property
    def score_range(self) -> Range:
        """Lowest and highest score a complete form can yield, following from items and scoring."""
        return self.range_over(self.items)

    def range_of_item(self, item: int) -> Range:
        """What one item can take.

        Args:
            item: its number, from 1.
        """
        return dict(self.item_exceptions).get(item, self.item_range).value

    def range_over(self, items: tuple[int, ...]) -> Range:
        """Lowest and highest score of some items together, such as a subscale's.

        Args:
            items: their numbers, from 1.
        """
        divisor = len(items) if self.scoring.value.aggregate == "mean" else 1
        scale = self.scoring.value.multiplier / divisor
        ranges = [self.range_of_item(item) for item in items]
        return Range(low=scale * sum(each.low for each in ranges), high=scale * sum(each.high for each in ranges))

    def is_reversed(self, item: int) -> bool:
        """Whether an item counts from the other end.

        Args:
            item: its number, from 1.
        """
        return self.reversed_items is not None and item in self.reversed_items.value

    def subscale(self, subscale_id: str) -> Subscale:
        """One of the parts, by its id.

        Raises:
            KeyError: naming the parts there are.
        """
        for each in self.subscales:
            if each.id == subscale_id:
                return each
        raise KeyError(
            f"{self.id} has no part {subscale_id!r}; it has: {', '.join(s.id for s in self.subscales) or 'none'}."
        )

    def is_clinical(self, score: float) -> bool | None:
        """Whether a score lies on the clinical side of the cut-off; None where no cut-off is declared."""
        if self.cut_off is None:
            return None
        return is_on_clinical_side(score, cut_off=self.cut_off.value, direction=self.direction)


def better_sign(direction: Direction) -> Literal[-1, 1]:
    """What a rise of a score is multiplied by so that better is positive: 1, or -1 where higher is worse.

    Raises:
        ValueError: no such direction.
    """
    if direction not in DIRECTIONS:
        raise ValueError(f"Direction {direction!r} is not one of {', '.join(DIRECTIONS)}.")
    return 1 if direction == "higher_is_better" else -1


def is_on_clinical_side(score: float, *, cut_off: float, direction: Direction) -> bool:
    """Whether a score is clinical: at or above the cut-off when higher is worse, below it when higher is better."""
    return score >= cut_off if direction == "higher_is_worse" else score < cut_off


def _problems(it: Instrument) -> list[str]:
    """What contradicts itself in a declaration, in plain words; empty when nothing does."""
    numbers = set(it.items)
    named = {item for part in it.subscales for item in part.items.value}
    named |= set(it.reversed_items.value if it.reversed_items else ())
    named |= {item for item, _ in it.item_exceptions}
    lacking = {each.fact for each in it.absent}
    faults = {
        f"kind {it.kind!r} is not one of {', '.join(KINDS)}": it.kind not in KINDS,
        f"direction {it.direction!r} is not one of {', '.join(DIRECTIONS)}": it.direction not in DIRECTIONS,
        "it has no items": it.n_items.value < 1,
        "it names items it does not have": not named <= numbers,
        "a part has no items": any(not part.items.value for part in it.subscales),
        "a part is named twice": len({part.id for part in it.subscales}) < len(it.subscales),
        "its raters are not among " + ", ".join(RATERS): not it.raters or not set(it.raters) <= set(RATERS),
        "every item may be missing": it.missing.value.max_missing >= max(it.n_items.value, 1),
        "a part may miss all its items": any(
            p.missing.value.max_missing >= len(p.items.value) > 0 for p in it.subscales
        ),
        "it declares what it calls absent": any(getattr(it, fact, None) is not None for fact in lacking),
        "items have fewer than no decimals": it.item_decimals < 0,
        "its reliable change is not above zero": it.reliable_change is not None and not it.reliable_change.value > 0,
        "a reliability lies outside 0 to 1": any(
            r is not None and not 0 < r.value < 1 for r in (it.alpha, it.test_retest)
        ),
    }
    found = [sentence for sentence, is_so in faults.items() if is_so]
    if not found and it.cut_off is not None and not it.score_range.contains(it.cut_off.value):
        found.append(f"its cut-off {it.cut_off.value} lies outside its scores")
    return found
