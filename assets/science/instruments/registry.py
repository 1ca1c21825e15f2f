"""The one registry of measures: looking one up by any of its names, and a clinic's own numbers laid over it.

Belongs here: the collection, recognising names, and local overrides with their provenance. Does not belong here: any
number of an instrument (its family's module) and reading TOML (the caller passes plain mappings).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from assets.science.instruments.alliance import ALLIANCE
from assets.science.instruments.core_family import CORE_FAMILY
from assets.science.instruments.couples import COUPLES
from assets.science.instruments.functioning import FUNCTIONING
from assets.science.instruments.model import Instrument, MissingRule, Norm, Range, Scoring, Sourced, Subscale
from assets.science.instruments.symptoms import SYMPTOMS


class LocalNumberError(ValueError):
    """A clinic's own number that cannot be used, with the reason in one sentence."""


def plain_name(name: str) -> str:
    """A name without capitals, spaces and punctuation, so that `PHQ9`, `phq-9` and `PHQ_9` are one."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Registry:
    """Instruments by name.

    Attributes:
        instruments: each id and alias belongs to one instrument only, capitals and punctuation aside.
    """

    instruments: tuple[Instrument, ...]

    def __post_init__(self) -> None:
        owner: dict[str, str] = {}
        for each in self.instruments:
            for name in {plain_name(alias) for alias in (each.id, *each.aliases)}:
                if name in owner:
                    raise ValueError(f"The name {name!r} belongs to both {owner[name]} and {each.id}.")
                owner[name] = each.id

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self.instruments)

    def __len__(self) -> int:
        return len(self.instruments)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._match(name) is not None

    def __getitem__(self, name: str) -> Instrument:
        found = self._match(name)
        if found is None:
            raise KeyError(
                f"No instrument is known as {name!r}; known are: {', '.join(each.id for each in self.instruments)}."
            )
        return found

    def of_kind(self, kind: str) -> tuple[Instrument, ...]:
        """The instruments of one kind, `alliance` or `outcome`, in the registry's order."""
        return tuple(each for each in self.instruments if each.kind == kind)

    def _match(self, name: str) -> Instrument | None:
        wanted = plain_name(name)
        for each in self.instruments:
            if wanted in {plain_name(alias) for alias in (each.id, *each.aliases)}:
                return each
        return None


REGISTRY = Registry((*ALLIANCE, *SYMPTOMS, *CORE_FAMILY, *FUNCTIONING, *COUPLES))

_NUMBERS = frozenset({"cut_off", "reliable_change", "alpha", "test_retest"})
_NORMS = frozenset({"clinical_norm", "functional_norm"})
_PLAIN = frozenset({"name", "licence"})
_TUPLES = frozenset({"aliases", "raters"})
_SCALE = frozenset({"n_items", "item_low", "item_high", "item_decimals", "aggregate", "multiplier"})
_OVERRIDES = _NUMBERS | _NORMS | _PLAIN | _TUPLES | {"reversed_items", "max_missing", "subscales", "source"}
_ADDITION_NEEDS = frozenset({"kind", "direction", "n_items", "item_low", "item_high", "aggregate", "source"})


def with_local(registry: Registry, overrides: Mapping[str, Mapping[str, Any]]) -> Registry:
    """The registry with a clinic's own numbers over it, and its own instruments added.

    Args:
        registry: what to start from; it is not changed.
        overrides: by instrument name (any alias) the facts to lay over it, as TOML gives them: `cut_off`,
            `reliable_change`, `alpha`, `test_retest`, `clinical_norm` and `functional_norm` (each `{mean, sd}`),
            `max_missing`, `reversed_items`, `subscales` (id to list of items), `aliases`, `raters`, `name`,
            `licence`; and `source`, required: whose sample or decision the numbers are. A name the registry does not
            know adds an instrument and needs also `kind`, `direction`, `n_items`, `item_low`, `item_high` and
            `aggregate` (`sum` or `mean`); `multiplier` is 1 and `max_missing` 0 unless said.

    Returns:
        A new registry; every number given carries the status `local` and the source given.

    Raises:
        LocalNumberError: an unknown key, a missing source, or a number of the wrong kind, named in one sentence.
        ValueError: a number that contradicts the instrument it is laid over, as the declaration itself refuses it.
    """
    instruments = {each.id: each for each in registry}
    for name, facts in overrides.items():
        source = facts.get("source")
        if not isinstance(source, str) or not source.strip():
            raise LocalNumberError(
                f"{name}: local numbers need `source`, a sentence saying whose sample or decision they are."
            )
        base = instruments[registry[name].id] if name in registry else _addition(name, facts, source=source)
        allowed = _OVERRIDES if name in registry else _OVERRIDES | _SCALE | {"kind", "direction"}
        unknown = sorted(set(facts) - allowed)
        if unknown:
            raise LocalNumberError(
                f"{name}: {', '.join(unknown)} cannot be set here; these can: {', '.join(sorted(allowed))}."
            )
        instruments[base.id] = _overlaid(base, facts, source=source)
    return Registry(tuple(instruments.values()))


def _addition(name: str, facts: Mapping[str, Any], *, source: str) -> Instrument:
    lacking = sorted(_ADDITION_NEEDS - set(facts))
    if lacking:
        raise LocalNumberError(
            f"{name}: no instrument is known by this name, and to add one {', '.join(lacking)} must be given."
        )
    scoring = Scoring(facts["aggregate"], _number(name, "multiplier", facts.get("multiplier", 1)))
    span = Range(_number(name, "item_low", facts["item_low"]), _number(name, "item_high", facts["item_high"]))
    return Instrument(
        id=name,
        name=str(facts.get("name", name)),
        kind=facts["kind"],
        direction=facts["direction"],
        n_items=Sourced(_whole(name, "n_items", facts["n_items"]), source, "local"),
        item_range=Sourced(span, source, "local"),
        item_decimals=_whole(name, "item_decimals", facts.get("item_decimals", 0)),
        scoring=Sourced(scoring, source, "local"),
        missing=Sourced(MissingRule(0), source, "local"),
        raters=("client",),
        licence=str(facts.get("licence", "Stated by nobody; ask the publisher.")),
    )


def _overlaid(base: Instrument, facts: Mapping[str, Any], *, source: str) -> Instrument:
    changes: dict[str, Any] = {}
    for key in facts.keys() & _NUMBERS:
        changes[key] = Sourced(_number(base.id, key, facts[key]), source, "local")
    for key in facts.keys() & _NORMS:
        changes[key] = Sourced(_norm(base.id, key, facts[key]), source, "local")
    for key in facts.keys() & _PLAIN:
        changes[key] = str(facts[key])
    for key in facts.keys() & _TUPLES:
        changes[key] = tuple(str(each) for each in _list(base.id, key, facts[key]))
    if base.absent:
        changes["absent"] = tuple(each for each in base.absent if each.fact not in facts)
    if "aliases" in changes:
        changes["aliases"] = tuple(dict.fromkeys((*base.aliases, *changes["aliases"])))
    if "max_missing" in facts:
        changes["missing"] = Sourced(MissingRule(_whole(base.id, "max_missing", facts["max_missing"])), source, "local")
    if "reversed_items" in facts:
        items = tuple(
            _whole(base.id, "reversed_items", each)
            for each in _list(base.id, "reversed_items", facts["reversed_items"])
        )
        changes |= {"reversed_items": Sourced(items, source, "local"), "is_key_declared": True}
    if "subscales" in facts:
        changes["subscales"] = _subscales(base.id, facts["subscales"], source=source)
    return replace(base, **changes)


def _subscales(name: str, given: object, *, source: str) -> tuple[Subscale, ...]:
    if not isinstance(given, Mapping):
        raise LocalNumberError(f"{name}: subscales must map a part's id to the list of its items.")
    return tuple(
        Subscale(
            id=str(part),
            name=str(part).capitalize(),
            items=Sourced(
                tuple(_whole(name, str(part), item) for item in _list(name, str(part), items)), source, "local"
            ),
            missing=Sourced(MissingRule(0), source, "local"),
        )
        for part, items in given.items()
    )


def _norm(name: str, key: str, given: object) -> Norm:
    if not isinstance(given, Mapping) or set(given) != {"mean", "sd"}:
        raise LocalNumberError(f"{name}: {key} must give exactly mean and sd.")
    return Norm(mean=_number(name, f"{key}.mean", given["mean"]), sd=_number(name, f"{key}.sd", given["sd"]))


def _number(name: str, key: str, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise LocalNumberError(f"{name}: {key} must be a number.")
    return float(given)


def _whole(name: str, key: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise LocalNumberError(f"{name}: {key} must be a whole number.")
    return given


def _list(name: str, key: str, given: object) -> list[Any]:
    if not isinstance(given, list | tuple):
        raise LocalNumberError(f"{name}: {key} must be a list.")
    return list(given)
