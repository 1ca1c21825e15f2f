"""What is known of an instrument, fact by fact, for a page or a table: value, source and how far it is trusted.

Belongs here: flattening a declaration. Does not belong here: the declarations (one module a family) and words for
readers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from assets.science.instruments.model import MissingRule, Norm, Range, Scoring, Sourced, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assets.science.instruments.model import Instrument


@dataclass(frozen=True, slots=True)
class Fact:
    """One number of one instrument.

    Attributes:
        instrument: its id.
        fact: what the number is, such as `cut_off` or `subscales.bond.items`.
        value: as text.
        source: where it was found.
        status: `verified`, `recalled` or `local`; `absent` for a number that is not declared, whose source is the reason.
    """

    instrument: str
    fact: str
    value: str
    source: str
    status: Status | Literal["absent"]


def facts_of(instruments: Iterable[Instrument]) -> tuple[Fact, ...]:
    """Every sourced fact of some instruments, in the order they are declared, and then what is absent and why."""
    return tuple(fact for each in instruments for fact in (*_declared(each), *_absent(each)))


def _declared(instrument: Instrument) -> Iterator[Fact]:
    for name, fact in _sourced(instrument):
        yield Fact(instrument.id, name, _text(fact.value), fact.source, fact.status)


def _absent(instrument: Instrument) -> Iterator[Fact]:
    for each in instrument.absent:
        yield Fact(instrument.id, f"absent.{each.fact}", "not declared", each.why, "absent")


def _sourced(instrument: Instrument) -> Iterator[tuple[str, Sourced[Any]]]:
    for field in fields(instrument):
        value = getattr(instrument, field.name)
        if isinstance(value, Sourced):
            yield field.name, value
    for item, fact in instrument.item_exceptions:
        yield f"item_exceptions.{item}", fact
    for part in instrument.subscales:
        for field in fields(part):
            value = getattr(part, field.name)
            if isinstance(value, Sourced):
                yield f"subscales.{part.id}.{field.name}", value


def _text(value: object) -> str:
    if isinstance(value, Range):
        return f"{value.low:g} to {value.high:g}"
    if isinstance(value, Norm):
        return f"mean {value.mean:g}, SD {value.sd:g}"
    if isinstance(value, Scoring):
        return value.aggregate if value.multiplier == 1 else f"{value.multiplier:g} x {value.aggregate}"
    if isinstance(value, MissingRule):
        return f"at most {value.max_missing}"
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
