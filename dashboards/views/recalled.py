"""Numbers of measures that are recalled rather than checked: which a figure rests on, and how it is marked.

Belongs here: looking facts up in `analysis.instruments`. Does not belong here: the numbers themselves.
"""

from collections.abc import Iterable
from typing import Final

from dashboards.rate_words import RECALLED_MARK, recalled_note
from dashboards.views.service import Service

RELIABLE_CHANGE: Final = "reliable_change"
CUT_OFF: Final = "cut_off"
_NAMES: Final = {RELIABLE_CHANGE: "reliable change", CUT_OFF: "cut-off", "alpha": "reliability"}


def is_recalled(service: Service, instrument: str, fact: str) -> bool:
    """Whether the night took this number of this measure as recalled."""
    return (instrument, fact) in service.recalled


def marked(service: Service, said: str, *, instrument: str, facts: Iterable[str]) -> str:
    """Words with the mark where any of these numbers is recalled."""
    return f"{said} {RECALLED_MARK}" if any(is_recalled(service, instrument, each) for each in facts) else said


def note(service: Service, uses: Iterable[tuple[str, str]]) -> str:
    """The footnote for the uses of a panel, each a measure and a fact; empty where all are checked."""
    found: dict[str, list[str]] = {}
    for instrument, fact in dict.fromkeys(uses):
        if is_recalled(service, instrument, fact):
            found.setdefault(instrument, []).append(_NAMES[fact])
    return recalled_note({instrument: " and ".join(facts) for instrument, facts in found.items()})
