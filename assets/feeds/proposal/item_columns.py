"""Measures whose items stand side by side, a column each.

Belongs here: recognising an instrument by the names of columns, the number of items and the answers given, against the
registry. Does not belong here: items one a line, and totals (`item_lines`).
"""

import re
from collections.abc import Mapping
from typing import Final

from assets.feeds.proposal.measures import MOST_FITS, FoundForms, Profiles, named
from assets.feeds.proposal.synonyms import LABELS, words_of
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry, plain_name

_FEWEST_FORMS_TO_TELL: Final = 30
_FEWEST_ITEMS: Final = 3
_EXTRA_ITEMS: Final = 2


def numbered(profiles: Profiles, *, name: str, registry: Registry) -> list[FoundForms]:
    """Measures whose item columns end in the item's number."""
    groups: dict[tuple[str, str], dict[int, str]] = {}
    for column in profiles:
        for prefix, number, suffix in _splits(column):
            groups.setdefault((prefix, suffix), {})[number] = column
    whole = {
        key: {n: columns[n] for n in range(1, _run(columns) + 1)} for key, columns in groups.items() if _run(columns)
    }
    found: list[FoundForms] = []
    taken: set[str] = set()
    for (prefix, suffix), columns in sorted(whole.items(), key=lambda each: (-len(each[1]), each[0])):
        if len(columns) < _FEWEST_ITEMS or taken & set(columns.values()):
            continue
        form = _judged(profiles, columns, prefix=prefix, suffix=suffix, name=name, registry=registry)
        if form is not None:
            found.append(form)
            taken |= set(columns.values())
    order = list(profiles)
    return sorted(found, key=lambda form: min(order.index(column) for column in form.used))


def labelled(profiles: Profiles, *, name: str, registry: Registry) -> list[FoundForms]:
    """Measures whose few items are columns with names of their own."""
    found = []
    of_file = named(name, registry=registry)
    for instrument_id, labels in LABELS.items():
        if instrument_id not in registry:
            continue
        instrument, prefixes = registry[instrument_id], ("", f"{plain_name(instrument_id)} ")
        items = [
            next((c for c in profiles for p in prefixes if re.fullmatch(f"{p}(?:{label})", words_of(c))), None)
            for label in labels
        ]
        columns = {number: item for number, item in enumerate(items, 1) if item is not None}
        if len(columns) < len(labels) or _share_fitting(profiles, columns, instrument=instrument) < MOST_FITS:
            continue
        listed = tuple(columns.values())
        says_so = instrument_id in of_file or any(
            instrument_id in named(column, registry=registry) for column in listed
        )
        found.append(
            FoundForms(
                instrument=instrument_id,
                items=listed,
                used=frozenset(listed),
                why=f"the names of its lines; {_fit(profiles, columns, instrument=instrument)}",
                settle="" if says_so else f"only the names of the columns say that this is the {instrument_id}",
                hints=name,
            )
        )
    return found


def _splits(column: str) -> list[tuple[str, int, str]]:
    """The ways in which a name ends in an item's number: `phq91` may be the first item of `phq9`, or the 91st of `phq`."""
    found = re.fullmatch(r"(.*?)(\d+)(\D*)", column)
    if not found:
        return []
    before, digits, after = found.groups()
    cuts = range(max(0, len(digits) - 2), len(digits))
    return [(before + digits[:cut], int(digits[cut:]), after) for cut in cuts]


def _run(columns: Mapping[int, str]) -> int:
    """How far numbers go from 1 without a gap."""
    number = 0
    while number + 1 in columns:
        number += 1
    return number


def _judged(  # noqa: PLR0913 -- the columns and the three names that may tell
    profiles: Profiles, columns: Mapping[int, str], *, prefix: str, suffix: str, name: str, registry: Registry
) -> FoundForms | None:
    """A run of numbered columns as the measure that its name, its length and its answers agree on."""
    called = prefix + " " + suffix
    candidates = named(called, registry=registry)
    if len(candidates) != 1:
        of_file = named(name, registry=registry)
        both = tuple(each for each in candidates if each in of_file)
        candidates = both or candidates or of_file
    is_named = bool(candidates)
    fitting = [registry[each] for each in candidates or [each.id for each in registry]]
    fitting = [
        each
        for each in fitting
        if each.n_items.value <= len(columns) <= each.n_items.value + (_EXTRA_ITEMS if is_named else 0)
        and _share_fitting(profiles, columns, instrument=each) >= MOST_FITS
    ]
    fitting.sort(key=lambda each: each.item_range.value.high - each.item_range.value.low)
    if not fitting or (not is_named and len(fitting) > 1):
        return None
    instrument = fitting[0]
    items = tuple(columns[number] for number in instrument.items)
    settle = ""
    if not is_named:
        settle = (
            f"no name says that these {len(items)} columns are the {instrument.id}; its number of items and answers fit"
        )
    elif len(fitting) > 1 and profiles[items[0]].filled < _FEWEST_FORMS_TO_TELL:
        settle = f"too few forms to tell the {instrument.id} from the {fitting[1].id}"
    pattern = f"{prefix}{{n}}{suffix}"
    is_plain = all(pattern.replace("{n}", str(number)) == column for number, column in enumerate(items, 1))
    is_usable = is_plain and "{" not in prefix + suffix
    return FoundForms(
        instrument=instrument.id,
        items=pattern if is_usable else items,
        used=frozenset(columns.values()),
        why=f"{len(items)} columns; {_fit(profiles, columns, instrument=instrument)}",
        settle=settle,
        hints=f"{called} {name}",
    )


def _share_fitting(profiles: Profiles, columns: Mapping[int, str], *, instrument: Instrument) -> float:
    """The part of all answers that the form offers."""
    fits, filled = 0.0, 0
    for number in instrument.items:
        profile, span = profiles[columns[number]], instrument.range_of_item(number)
        fits += profile.filled * profile.share_within(span.low, span.high, decimals=instrument.item_decimals)
        filled += profile.filled
    return fits / filled if filled else 0.0


def _fit(profiles: Profiles, columns: Mapping[int, str], *, instrument: Instrument) -> str:
    """How many of the answers a measure offers, in words."""
    span, share = instrument.item_range.value, _share_fitting(profiles, columns, instrument=instrument)
    many = "all" if share == 1 else f"{share:.1%} of the"
    return f"{many} answers are those of the {instrument.id} ({instrument.n_items.value} items, {span.low:g} to {span.high:g})"
