"""Measures that stand one item a line, and totals.

Belongs here: recognising an instrument by a column that names it, by the total's name or by the file's. Does not belong here:
items side by side (`item_columns`).
"""

import re
from collections.abc import Callable

import polars as pl

from assets.feeds.proposal.measures import MOST_FITS, FoundForms, Profiles, named
from assets.feeds.proposal.profile import ColumnProfile
from assets.feeds.proposal.synonyms import ENDS_OF_A_COURSE, sureness, words_of
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry


def totals(profiles: Profiles, *, name: str, registry: Registry) -> list[FoundForms]:
    """Totals: named by their own columns, else one of many measures by line, else of the file's."""
    found: list[FoundForms] = []
    for column, profile in profiles.items():
        candidates = named(column, registry=registry)
        words = words_of(column)
        # A number after the measure's name is an item's: `phq9_1` is no total, and `PHQ 9` is.
        is_item = bool(re.search(r" \d+$", words)) and column not in registry
        is_change = bool(re.search(ENDS_OF_A_COURSE, words))
        if not candidates or profile.share_of_numbers < MOST_FITS or is_item or is_change:
            continue
        for instrument in (registry[each] for each in candidates):
            span = instrument.score_range
            if profile.share_within(span.low, span.high) >= MOST_FITS and not sureness(column, "item_number"):
                found.append(
                    FoundForms(
                        instrument=instrument.id,
                        total=column,
                        used=frozenset({column}),
                        why=f"its name, and numbers within the {instrument.id}'s totals ({span.low:g} to {span.high:g})",
                        settle=_too_small(profile, instrument)
                        or ("" if len(candidates) == 1 else f"the name may also mean the {candidates[-1]}"),
                        hints=f"{column} {name}",
                    )
                )
                break
    if found:
        return found
    summed = _best(profiles, "total", fits=lambda profile: profile.share_of_numbers >= MOST_FITS)
    if summed is None:
        return []
    by_line = _instrument_column(profiles, registry=registry)
    if by_line is not None:
        said = _instruments(profiles[by_line], registry=registry)
        return [
            FoundForms(
                instrument_column=by_line,
                instruments=said,
                total=summed,
                used=frozenset({summed, by_line}),
                why="a total for each line, and the measure's name beside it",
                hints=name,
            )
        ]
    for instrument in (registry[each] for each in named(name, registry=registry)):
        span = instrument.score_range
        if profiles[summed].share_within(span.low, span.high) >= MOST_FITS:
            return [
                FoundForms(
                    instrument=instrument.id,
                    total=summed,
                    used=frozenset({summed}),
                    why=f"the file's name, and numbers within the {instrument.id}'s totals ({span.low:g} to {span.high:g})",
                    settle=_too_small(profiles[summed], instrument),
                    hints=name,
                )
            ]
    return []


def one_item_a_line(profiles: Profiles, rows: pl.DataFrame, *, name: str, registry: Registry) -> FoundForms | None:
    """One item a line: a column that numbers the items, and one with the answers."""
    most = max(each.n_items.value for each in registry)
    number = _best(
        profiles,
        "item_number",
        fits=lambda p: p.share_within(1, most, decimals=0) >= MOST_FITS and 3 <= p.distinct <= most + 5,
    )
    if number is None:
        return None
    others = {key: value for key, value in profiles.items() if key != number}
    value = _best(others, "item_value", fits=lambda p: p.share_of_numbers >= MOST_FITS and p.distinct > 1)
    if value is None:
        return None
    by_line = _instrument_column({key: each for key, each in others.items() if key != value}, registry=registry)
    candidates = named(name, registry=registry)
    # A form's number of one line each is no long layout: the items 1, 2, 3 ... must come about equally often.
    first, second = (int((rows[number] == digit).sum()) for digit in ("1", "2"))
    if min(first, second) * 2 < max(first, second) or (by_line is None and not candidates):
        return None
    if by_line is not None:
        said = _instruments(profiles[by_line], registry=registry)
        return FoundForms(
            instrument_column=by_line,
            instruments=said,
            item_number=number,
            item_value=value,
            used=frozenset({number, value, by_line}),
            why=f"one item a line: {first:,} lines hold a first item",
            hints=name,
        )
    items = int(profiles[number].numbers["number"].max() or 0)  # type: ignore[arg-type]
    fitting = [each for each in candidates if registry[each].n_items.value == items]
    if not fitting:
        return None
    return FoundForms(
        instrument=fitting[0],
        item_number=number,
        item_value=value,
        used=frozenset({number, value}),
        why=f"one item a line: {first:,} lines hold a first item, and the file's name says the {fitting[0]}",
        hints=name,
    )


def _too_small(profile: ColumnProfile, instrument: Instrument) -> str:
    """Totals that never leave the range of one item are perhaps means."""
    span = instrument.item_range.value
    if instrument.n_items.value > 1 and profile.share_within(span.low, span.high) > 0.99 and profile.filled >= 10:
        return f"no total is above {span.high:g}, so these are perhaps means of the items"
    return ""


def _instrument_column(profiles: Profiles, *, registry: Registry) -> str | None:
    """The column most of whose values name measures."""
    shares = {}
    for column, profile in profiles.items():
        if not profile.words or profile.share_of_numbers > 0.5:
            continue
        known = sum(times for said, times in profile.words.items() if named(said, registry=registry))
        shares[column] = known / profile.filled if profile.filled else 0.0
    best = max(shares, key=lambda column: (shares[column], sureness(column, "instrument")), default=None)
    return best if best is not None and shares[best] >= 0.5 else None


def _instruments(profile: ColumnProfile, *, registry: Registry) -> dict[str, str | None]:
    """Each word of an instrument column with the one instrument whose name it is, capitals and punctuation aside."""
    return {said: registry[said].id if said in registry else None for said in profile.words}


def _best(profiles: Profiles, role: str, *, fits: Callable[[ColumnProfile], bool]) -> str | None:
    """The one column that a role fits best by name, of those that fit it by their values; none where two are alike."""
    sure = {column: sureness(column, role) for column, profile in profiles.items() if fits(profile)}
    top = max(sure.values(), default=0)
    best = [column for column, found in sure.items() if found == top and top > 0]
    return best[0] if len(best) == 1 else None
