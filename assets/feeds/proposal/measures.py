"""Forms of a measure as they are found in a file, and which measure a name speaks of.

Belongs here: the shape that the ways of finding forms fill, and names of measures. Does not belong here: looking through
columns (`item_columns`, `item_lines`), or anything an instrument itself declares.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from assets.feeds.proposal.profile import ColumnProfile
from assets.feeds.proposal.synonyms import BY_CLINICIAN, FAMILIES, ITEM_WORDS, TOTAL_WORDS, words_of
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry, plain_name

MOST_FITS: Final = 0.9

Profiles = Mapping[str, ColumnProfile]


@dataclass(frozen=True, kw_only=True)
class FoundForms:
    """Forms of one instrument, or of those that a column names, in one file.

    Attributes:
        instrument: its id; None where a column says it line by line.
        instrument_column: that column.
        instruments: each word of that column with the instrument it means; None for those that the registry lacks.
        items: the item columns, or their pattern.
        item_number, item_value, total: as in a mapping.
        used: every column that this takes.
        why: what it was known by.
        settle: what the clinic must look at before it is believed; empty where nothing.
        hints: the words around the instrument's name, which may say who filled the form in.
    """

    instrument: str | None = None
    instrument_column: str | None = None
    instruments: dict[str, str | None] = field(default_factory=dict)
    items: tuple[str, ...] | str | None = None
    item_number: str | None = None
    item_value: str | None = None
    total: str | None = None
    used: frozenset[str] = frozenset()
    why: str = ""
    settle: str = ""
    hints: str = ""


def named(text: str, *, registry: Registry) -> tuple[str, ...]:
    """The instruments that a name speaks of: one, several that share a short name, or none."""
    said = [word for word in words_of(text).split() if not re.fullmatch(f"{ITEM_WORDS}|{TOTAL_WORDS}", word)]
    for length in range(len(said), 0, -1):
        for start in range(len(said) - length + 1):
            name = plain_name("".join(said[start : start + length]))
            if name in registry:
                return (registry[name].id,)
            if name in FAMILIES:
                return tuple(each for each in FAMILIES[name] if each in registry)
    return ()


def rater_of(instrument: Instrument, *, hints: str) -> tuple[str, str]:
    """Who filled a measure's forms in, and what the clinic must look at where nothing says so."""
    if re.search(BY_CLINICIAN, words_of(hints)) and "clinician" in instrument.raters:
        return "clinician", ""
    if len(instrument.raters) == 1:
        return instrument.raters[0], ""
    return "client", f"nothing says who filled the {instrument.id} in; it is taken for the client's own"
