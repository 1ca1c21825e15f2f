"""A file's forms as mappings of the alliance and outcomes feeds, one for each measure.

Belongs here: whom, when and by whom a form was filled in, and what names it. Does not belong here: which measure it is (`forms`).
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import polars as pl

from assets.contracts.staging import ALLIANCE, OUTCOMES
from assets.feeds.proposal.drafts import COLUMNS, CONSTANTS, NOBODY, ONLY, TOP, Draft, Group, Line
from assets.feeds.proposal.mapped_words import may_be_written, put_words
from assets.feeds.proposal.measures import FoundForms, rater_of
from assets.feeds.proposal.moments import put_days
from assets.feeds.proposal.people_keys import put_client, put_clinician
from assets.feeds.proposal.roles import Choice, choose, choose_words, is_code, is_day, names_each_line, only_day
from assets.science.instruments.registry import Registry

_FEED_OF = {"alliance": ALLIANCE, "outcome": OUTCOMES}


def draft_ratings(group: Group, *, forms: Sequence[FoundForms], registry: Registry) -> list[Draft]:
    """The mappings of all forms in a file."""
    used = set().union(*(each.used for each in forms))
    drafts = []
    for found in forms:
        for kind, feed in _FEED_OF.items():
            if found.instrument is not None:
                if registry[found.instrument].kind != kind:
                    continue
            elif not any(registry[each].kind == kind for each in found.instruments.values() if each is not None):
                continue
            draft = Draft(feed=feed, group=group, forms=found, settle=found.settle)
            _put_form(draft, found, kind=kind, registry=registry)
            _put_context(draft, found, used=used, registry=registry)
            drafts.append(draft)
    return drafts


def _put_form(draft: Draft, found: FoundForms, *, kind: str, registry: Registry) -> None:
    """What the mapping says of the measure itself."""
    if found.item_number is not None and found.item_value is not None:
        draft.put(TOP, Line(key="layout", value="long", why=found.why))
        draft.put(TOP, Line(key="item_number", value=found.item_number))
        draft.put(TOP, Line(key="item_value", value=found.item_value))
    elif found.items is not None:
        draft.put(TOP, Line(key="items", value=found.items, why=found.why))
    elif found.total is not None:
        draft.put(TOP, Line(key="total", value=found.total, why=found.why))
    if found.instrument is not None:
        draft.put(CONSTANTS, Line(key="instrument", value=found.instrument))
    elif found.instrument_column is not None:
        _put_instruments(draft, found, column=found.instrument_column, kind=kind, registry=registry)


def _put_instruments(draft: Draft, found: FoundForms, *, column: str, kind: str, registry: Registry) -> None:
    """The column that names each line's measure, which lines are this feed's, and what its words mean."""
    draft.put(COLUMNS, Line(key="instrument", value=column, why="its words name measures"))
    kind_of = {said: registry[meant].kind for said, meant in found.instruments.items() if meant is not None}
    ours = sorted(said for said, of in kind_of.items() if of == kind)
    if len(set(kind_of.values())) > 1:
        why = f"the lines of {' and '.join(ours)}; the others are another feed's"
        draft.put(ONLY, Line(key=column, value=tuple(ours), why=why))
    words = draft.group.profiles[column].words
    for said in ours:
        meant = found.instruments[said]
        if meant is not None and said != meant:
            draft.put("words.instrument", Line(key=said, value=meant, why=f"{words[said]:,} lines"))
    for said, meant in found.instruments.items():
        # Lines that no mapping takes are the first one's, which is where they are refused.
        if meant is None and kind == min(kind_of.values()) and may_be_written(said, words[said]):
            settle = f"{words[said]:,} lines of a measure that is not known by this name; refused until it is"
            draft.put("words.instrument", Line(key=said, value="", settle=settle, is_active=False))


def _put_context(draft: Draft, found: FoundForms, *, used: Collection[str], registry: Registry) -> None:
    group = draft.group
    taken = set(used) | put_client(draft, without=used, also_case=True)
    taken |= put_clinician(draft, without=taken, is_required=False)
    rater = choose_words(group, "rater", least_known=0.9, without=taken)
    if rater.column is not None:
        put_words(draft, "rater", rater.column)
        taken.add(rater.column)
    else:
        who, settle = _rater(found, registry=registry)
        draft.put(CONSTANTS, Line(key="rater", value=who, settle=settle))
    completed = choose(group, "completed", fits=is_day, without=taken)
    if completed.column is None and not completed.rivals:
        completed = choose(group, "moment", fits=is_day, without=taken)
    by_elimination = completed == Choice()
    if by_elimination:
        completed = only_day(group, fits=lambda _: True, without=taken)
    if completed.column is not None:
        put_days(draft, [("completed_on", completed.column)], first="completed_on")
        if by_elimination:
            line = draft.sections[COLUMNS]["completed_on"]
            draft.put(COLUMNS, replace(line, settle="the only column of days in the file, whatever its name says"))
    else:
        rivals = " or ".join(completed.rivals)
        settle = f"{rivals}: both may be it" if rivals else NOBODY
        value = completed.rivals[0] if completed.rivals else "the column"
        draft.put(COLUMNS, Line(key="completed_on", value=value, settle=settle, is_active=False))
    booked = choose(group, "appointment", fits=is_code, without=taken)
    if booked.column is not None:
        draft.put(COLUMNS, Line(key="appointment_id", value=booked.column))
        taken.add(booked.column)
    _put_key(draft, found, booked=booked.column, taken=taken)


def _rater(found: FoundForms, *, registry: Registry) -> tuple[str, str]:
    instruments = [each for each in (found.instrument, *found.instruments.values()) if each is not None]
    said = [rater_of(registry[each], hints=found.hints) for each in instruments]
    who = {each for each, _ in said}
    settle = next((sentence for _, sentence in said if sentence), "")
    return (said[0][0], settle) if len(who) == 1 else ("client", "nothing says who filled these in")


def _put_key(draft: Draft, found: FoundForms, *, booked: str | None, taken: Collection[str]) -> None:
    """What names a form: its own key, its appointment's, a row's, or whom and when together."""
    group = draft.group
    beside = [column for column in (found.instrument_column, found.item_number) if column is not None]

    def tells(columns: list[str]) -> bool:
        return names_each_line(_filled(group, found), [*columns, *beside])

    own = choose(group, "form", fits=is_code, without=taken)
    candidates: list[str] = [own.column] if own.column is not None else []
    if found.item_number is None:
        row = choose(group, "row", fits=is_code, without={*taken, *candidates})
        candidates += [row.column] if row.column is not None else []
    for column in candidates:
        if tells([column]):
            draft.put(COLUMNS, Line(key="rating_id", value=column, why="every form has its own"))
            return
    if booked is not None and tells([booked]):
        draft.put(
            COLUMNS, Line(key="rating_id", value=booked, why="no column names a form; each appointment has one at most")
        )
        return
    together = [*draft.source("client_id"), *draft.source("completed_on")]
    if len(together) == 2 and tells(together):
        settle = "no column names a form; whom and when together do, so a second form of one day would count as a newer version"
        draft.put(COLUMNS, Line(key="rating_id", value=tuple(together), settle=settle))
        return
    settle = "nothing in the file names a form"
    draft.put(COLUMNS, Line(key="rating_id", value="the column", settle=settle, is_active=False))


def _filled(group: Group, found: FoundForms) -> pl.DataFrame:
    """The lines that have an answer at all."""
    answers = sorted(found.used - {found.instrument_column, found.item_number})
    return group.longest.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in answers))
