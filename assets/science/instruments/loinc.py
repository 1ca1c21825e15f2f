"""LOINC's codes of measures, items and answers, which FHIR servers use: the same form has the same codes everywhere.

Belongs here: the codes, in one place, each with where it was seen. Does not belong here: how a server's forms are read
(`assets.feeds.pulls.fhir_forms`), or a code without its measure in the registry. No item wording: a code stands for its
item by its number alone. LOINC (loinc.org) is free of charge under its licence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from assets.science.instruments.model import Sourced

_PHQ_SADS: Final = "loinc.org/69729-2, whose panel lists both forms in their order"
_NOT_AT_ALL_TO_NEARLY_EVERY_DAY: Final = Sourced(
    {"LA6568-5": 0, "LA6569-3": 1, "LA6570-1": 2, "LA6571-9": 3}, "loinc.org/LL358-3", "verified"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoincForm:
    """One measure's codes.

    Attributes:
        instrument: its id in the registry.
        panels: codes of the form as a whole, or of a questionnaire that holds it.
        items: each item's code, in the form's order; empty where LOINC's are not known here.
        totals: codes of its score; a panel's own code is used for it too, where a server gives it a number.
        answers: what each answer code counts.
    """

    instrument: str
    panels: Sourced[tuple[str, ...]]
    items: Sourced[tuple[str, ...]]
    totals: Sourced[tuple[str, ...]]
    answers: Sourced[dict[str, int]]


LOINC_FORMS: Final = (
    LoincForm(
        instrument="PHQ-9",
        panels=Sourced(("44249-1", "69729-2"), "loinc.org/44261-6, which names the panels that hold it", "verified"),
        items=Sourced(
            (
                *("44250-9", "44255-8", "44259-0", "44254-1", "44251-7"),
                *("44258-2", "44252-5", "44253-3", "44260-8"),
            ),
            _PHQ_SADS,
            "verified",
        ),
        totals=Sourced(("44261-6",), "loinc.org/44261-6", "verified"),
        answers=_NOT_AT_ALL_TO_NEARLY_EVERY_DAY,
    ),
    LoincForm(
        instrument="GAD-7",
        panels=Sourced(("69737-5", "69729-2"), "LOINC Panels and Forms, 69737-5; loinc.org/69729-2", "verified"),
        items=Sourced(
            ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"), _PHQ_SADS, "verified"
        ),
        totals=Sourced(("70274-6",), _PHQ_SADS, "verified"),
        answers=_NOT_AT_ALL_TO_NEARLY_EVERY_DAY,
    ),
    LoincForm(
        instrument="PCL-5",
        panels=Sourced(("101697-1",), "findacode.com/loinc/101697-1", "verified"),
        items=Sourced((), "LOINC has them; their codes were not found in what could be read", "recalled"),
        totals=Sourced(("101698-9",), "healthassure.in/codes/loinc-101698-9", "verified"),
        answers=Sourced({}, "LOINC has them; their codes were not found in what could be read", "recalled"),
    ),
)
