"""Which forms and observations of a FHIR server are which measures, as plain tables that flattening joins.

Belongs here: LOINC's codes and a clinic's own settings brought together. Does not belong here: reading a response
(`fhir_rows`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from assets.feeds.pulls.fhir_settings import Questionnaire
from assets.science.instruments.loinc import LOINC_FORMS, LoincForm


@dataclass(frozen=True, kw_only=True)
class WantedItem:
    """One item of one measure on one form.

    Attributes:
        form: the questionnaire's canonical address without its version, or a LOINC panel's code, with which the address ends.
        link: the item's link id; of a LOINC item its code, which is what follows the link id's last slash.
        is_loinc: whether it is the latter.
        instrument: the measure.
        number: the item's, from 1.
    """

    form: str
    link: str
    is_loinc: bool
    instrument: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Forms:
    """What is known of a server's forms.

    Attributes:
        items: every item that is wanted.
        answers: form and answer code to what it counts.
        totals: the code of an observation to the measure that it is the total of.
    """

    items: tuple[WantedItem, ...]
    answers: dict[tuple[str, str], str]
    totals: dict[str, str]


def known_forms(questionnaires: Iterable[Questionnaire], *, totals: dict[str, str]) -> Forms:
    """LOINC's forms, and a clinic's own over them."""
    items: list[WantedItem] = []
    answers: dict[tuple[str, str], str] = {}
    loinc = {form.instrument: form for form in LOINC_FORMS}
    for form in LOINC_FORMS:
        for panel in form.panels.value:
            items += _loinc_items(form, panel)
            answers |= {(panel, code): str(count) for code, count in form.answers.value.items()}
    for own in questionnaires:
        known = loinc.get(own.instrument)
        if own.items:
            items += [
                WantedItem(form=own.url, link=link, is_loinc=False, instrument=own.instrument, number=number)
                for number, link in enumerate(own.items, start=1)
            ]
        elif known is not None:
            items += _loinc_items(known, own.url)
        if known is not None:
            answers |= {(own.url, code): str(count) for code, count in known.answers.value.items()}
        answers |= {(own.url, code): f"{count:g}" for code, count in own.answers.items()}
    coded = {
        code: form.instrument
        for form in LOINC_FORMS
        # A panel of two measures has no one total.
        for code in (*form.totals.value, form.panels.value[0])
    }
    return Forms(items=tuple(items), answers=answers, totals=coded | totals)


def _loinc_items(form: LoincForm, place: str) -> list[WantedItem]:
    return [
        WantedItem(form=place, link=code, is_loinc=True, instrument=form.instrument, number=number)
        for number, code in enumerate(form.items.value, start=1)
    ]
