"""What only several files together tell: whose clients are whose, which appointments are known, which case a client is of.

Belongs here: holding the keys of one mapping against those of the others. Does not belong here: a file by itself (`roles`).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from assets.feeds.proposal.drafts import COLUMNS, CONSTANTS, PATTERNS, TOP, Draft, Line, escaped, pattern_of_endings
from assets.feeds.proposal.profile import TURNED
from assets.science.instruments.registry import Registry

_ENOUGH: Final = 0.5
_NEARLY_ALL: Final = 0.95
_LONGEST_ENDING: Final = 3
_ENDINGS_AT_MOST: Final = 6


def link(drafts: Sequence[Draft]) -> None:
    """Settle, across all mappings, cases, appointments, sites and the order of day and month."""
    attended = [draft for draft in drafts if draft.feed.name == "attendance"]
    cases = _values(attended, "case_id")
    booked = _values(attended, "appointment_id")
    whose = _whose(attended)
    for draft in drafts:
        if draft.feed.is_ratings or draft.feed.name == "people":
            _put_case(draft, cases)
        if draft.feed.is_ratings:
            _hold_appointments(draft, booked, whose)
    _hold_keys(drafts, "episode_id", of="episodes")
    _hold_keys(drafts, "clinician_id", of="clinicians")
    _put_sites(attended, drafts)
    _settle_days(drafts)


def pairs(drafts: Sequence[Draft], *, registry: Registry) -> list[tuple[str, str, int]]:
    """Alliance and outcome measures that the same clients filled in, with the number of these clients."""
    clients = _clients_of(drafts)
    kinds = {each.id: each.kind for each in registry}
    order = [each.id for each in registry if each.id in clients]
    made = []
    for alliance in (each for each in order if kinds[each] == "alliance"):
        for outcome in (each for each in order if kinds[each] == "outcome"):
            both = len(clients[alliance] & clients[outcome])
            if both and both * 5 >= min(len(clients[alliance]), len(clients[outcome])):
                made.append((alliance, outcome, both))
    return made


def _clients_of(drafts: Sequence[Draft]) -> dict[str, set[str]]:
    """Who filled each measure in."""
    clients: dict[str, set[str]] = {}
    for draft in drafts:
        if not draft.feed.is_ratings or not draft.is_ready or draft.forms is None:
            continue
        (source,) = draft.source("client_id")
        rows, found = draft.group.rows, draft.forms
        if found.instrument is not None:
            answers = sorted(found.used)
            given = rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in answers))
            clients.setdefault(found.instrument, set()).update(given[source].drop_nulls().unique())
        elif found.instrument_column is not None:
            for said, meant in found.instruments.items():
                if meant is not None:
                    of_it = rows.filter(pl.col(found.instrument_column) == said)
                    clients.setdefault(meant, set()).update(of_it[source].drop_nulls().unique())
    return clients


def _values(drafts: Sequence[Draft], column: str) -> pl.Series:
    """Every value that mappings have in a contract column of one source."""
    found = [
        draft.group.profiles[source[0]].values["value"] for draft in drafts if len(source := draft.source(column)) == 1
    ]
    return pl.concat(found).unique() if found else pl.Series([], dtype=pl.String)


def _whose(attended: Sequence[Draft]) -> pl.DataFrame:
    """Each appointment that has a key of its own, with its case."""
    found = [
        draft.group.rows.select(appointment=draft.source("appointment_id")[0], case=draft.source("case_id")[0])
        for draft in attended
        if len(draft.source("appointment_id")) == 1 and len(draft.source("case_id")) == 1
    ]
    return (
        pl.concat(found).drop_nulls().unique()
        if found
        else pl.DataFrame(schema={"appointment": pl.String, "case": pl.String})
    )


def _hold_keys(drafts: Sequence[Draft], column: str, *, of: str) -> None:
    """Have the clinic look at codes most of which the list of them does not have."""
    listed = _values([draft for draft in drafts if draft.feed.name == of], column)
    for draft in drafts:
        line = draft.sections[COLUMNS].get(column)
        source = draft.source(column)
        if listed.is_empty() or line is None or draft.feed.name == of or len(source) != 1:
            continue
        values = draft.group.profiles[source[0]].values["value"]
        known = int(values.is_in(listed.implode()).sum())
        if known < _ENOUGH * values.len():
            settle = f"only {known:,} of {values.len():,} are among the {of} that are sent"
            draft.put(COLUMNS, replace(line, settle=settle))


def _hold_appointments(draft: Draft, booked: pl.Series, whose: pl.DataFrame) -> None:
    source = draft.source("appointment_id")
    if not source:
        return
    values = draft.group.profiles[source[0]].values["value"]
    known = int(values.is_in(booked.implode()).sum())
    if known >= _ENOUGH * values.len() and not _are_others(draft, source[0], whose):
        why = f"{known:,} of {values.len():,} are appointments that are sent"
        draft.put(COLUMNS, Line(key="appointment_id", value=source[0], why=why))
        return
    settle = f"only {known:,} of {values.len():,} are appointments that are sent"
    if known >= _ENOUGH * values.len():
        settle = "most of these are other clients' appointments, so that this is perhaps a session's number"
    draft.put(COLUMNS, Line(key="appointment_id", value=source[0], settle=settle, is_active=False))


def _are_others(draft: Draft, column: str, whose: pl.DataFrame) -> bool:
    """Whether most of the appointments that forms name are of other clients: numbers that are alike by chance."""
    client = draft.source("client_id")
    if not client or whose.is_empty():
        return False
    of_forms = draft.group.rows.select(appointment=column, client=client[0]).drop_nulls().unique()
    both = of_forms.join(whose, on="appointment")
    # A client of a couple has the couple's code with something after it.
    agree = both.filter(pl.col("client").str.starts_with(pl.col("case"))).height
    return both.height > 0 and agree * 2 < both.height and not draft.source("case_id")


def _put_case(draft: Draft, cases: pl.Series) -> None:
    """Hold clients against the cases that have appointments; a case that is its members' common beginning is cut out."""
    source = draft.source("client_id")
    if not source or draft.source("case_id") or cases.is_empty():
        return
    values = draft.group.profiles[source[0]].values["value"]
    line = draft.sections[COLUMNS]["client_id"]
    is_known = values.is_in(cases.implode())
    known, others = values.filter(is_known), values.filter(~is_known)
    endings = _endings(others, cases) if others.len() else ()
    if endings and not known.str.contains(f"(?:{'|'.join(map(escaped, endings))})$").any():
        of_these = int(others.str.replace(f"(?:{'|'.join(map(escaped, endings))})$", "").is_in(cases.implode()).sum())
        why = f"{of_these:,} clients are the case's code with {' or '.join(endings)} after it"
        pattern = {"from": source[0], "regex": pattern_of_endings(endings)}
        draft.put(PATTERNS, Line(key="case_id", value=pattern, why=why))
        return
    share = known.len() / values.len() if values.len() else 0.0
    if share >= _ENOUGH:
        why = f"{known.len():,} of {values.len():,} have appointments"
        draft.put(COLUMNS, replace(line, why=f"{why}; {line.why}" if line.why else why))
    elif draft.feed.is_ratings:
        settle = f"only {known.len():,} of {values.len():,} have appointments under this code"
        draft.put(COLUMNS, Line(key="client_id", value=source[0], settle=settle))


def _endings(values: pl.Series, cases: pl.Series) -> tuple[str, ...]:
    """The few endings without which nearly all values are cases."""
    for length in range(1, _LONGEST_ENDING + 1):
        before = values.str.head(-length)
        fits = before.is_in(cases.implode())
        if float(fits.mean() or 0.0) < _NEARLY_ALL:  # type: ignore[arg-type]
            continue
        endings = values.filter(fits).str.tail(length).unique().sort().to_list()
        # A number may have a digit more by chance.
        is_of_digits = all(str(each).isdigit() for each in endings)
        if 2 <= len(endings) <= _ENDINGS_AT_MOST and not is_of_digits:
            return tuple(str(each) for each in endings)
    return ()


def _put_sites(attended: Sequence[Draft], drafts: Sequence[Draft]) -> None:
    """The folder that a record system exports to is its site, where appointments come from more than one folder."""
    folders = {draft.group.folder for draft in attended}
    listed = {
        value
        for draft in drafts
        if draft.feed.name == "clinicians"
        for source in draft.source("site")
        for value in draft.group.profiles[source].words
    }
    for draft in attended:
        folder = draft.group.folder
        if draft.source("site") or not folder or (len(folders) < 2 and folder not in listed):
            continue
        why = "the files' folder" + (", and a site of the clinicians' list" if folder in listed else "")
        draft.put(CONSTANTS, Line(key="site", value=folder, why=why))


def _settle_days(drafts: Sequence[Draft]) -> None:
    """Where a file leaves day and month open, another export of the same folder that does not may tell."""
    for draft in drafts:
        for key in ("date_format", "datetime_format"):
            line = draft.sections.get(TOP, {}).get(key)
            if line is None or line.is_active:
                continue
            says = _told_elsewhere(draft, str(line.value)[:8], drafts)
            if len(says) != 1:
                continue
            ((day, name),) = says.items()
            form = day + str(line.value)[len(day) :]
            draft.put(
                TOP, Line(key=key, value=form, why=f"{line.settle}; {name} of the same folder reads in this one way")
            )


def _told_elsewhere(draft: Draft, day: str, drafts: Sequence[Draft]) -> dict[str, str]:
    """The day formats that other columns of the folder leave no doubt of, each with a file that shows it."""
    says: dict[str, str] = {}
    for other in drafts:
        if other.group.folder != draft.group.folder:
            continue
        for profile in other.group.profiles.values():
            reading = profile.moments
            if reading is not None and reading.day in {day, TURNED.get(day)} and reading.turned < 0.97 * reading.read:
                says.setdefault(reading.day, other.group.names[0])
    return says
