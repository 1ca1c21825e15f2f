"""A file of appointments as the attendance feed's mapping.

Belongs here: what makes a file one of appointments, and its columns. Does not belong here: forms on the same lines (`ratings`)
and how keys of other files agree (`links`).
"""

from collections.abc import Collection, Mapping

from assets.contracts.staging import ATTENDANCE
from assets.feeds.proposal.drafts import COLUMNS, NOBODY, TOP, Draft, Group, Line
from assets.feeds.proposal.mapped_words import put_words
from assets.feeds.proposal.measures import FoundForms
from assets.feeds.proposal.moments import put_moment
from assets.feeds.proposal.people_keys import find_case, put_clinician, put_episode
from assets.feeds.proposal.roles import (
    Choice,
    choose,
    choose_words,
    has_clock,
    is_day,
    is_duration,
    is_key,
    is_label,
    names_each_line,
    only_day,
)


def draft_attendance(group: Group, *, forms: Collection[FoundForms]) -> Draft | None:
    """The attendance mapping of a file; None where no column tells what became of appointments.

    Args:
        group: the file.
        forms: what the file holds of forms, whose columns are not looked at again.
    """
    used = set().union(*(each.used for each in forms))
    status = choose_words(group, "status", least_known=0.3, without=used)
    moment = choose(group, "moment", fits=is_day, without=used)
    if moment == Choice():
        moment = only_day(group, fits=lambda _: True, without=used)
    if status.column is None or moment == Choice():
        return None
    draft = Draft(feed=ATTENDANCE, group=group)
    used |= {status.column}
    used |= _put_moment(draft, used)
    case, line = find_case(group, without=used)
    if line is not None:
        draft.put(COLUMNS, line)
    used |= case
    used |= put_clinician(draft, without=used, is_required=True)
    used |= put_episode(draft, case=next(iter(case), None), without=used)
    _put_appointment(draft, used)
    put_words(draft, "status", status.column)
    duration = choose(group, "duration", fits=is_duration, without=used)
    if duration.column is not None:
        draft.put(COLUMNS, Line(key="duration_minutes", value=duration.column, why="whole numbers that minutes may be"))
    modality = choose_words(group, "modality", least_known=0.5, without=used)
    if modality.column is not None and modality.column != status.column:
        put_words(draft, "modality", modality.column)
    site = choose(group, "site", fits=is_label, without=used | {modality.column or ""})
    if site.column is not None:
        kinds = group.profiles[site.column].distinct
        draft.put(COLUMNS, Line(key="site", value=site.column, why=f"{kinds} different"))
    if group.corrects:
        draft.put(TOP, Line(key="corrects", value=True, why="the files' names say that they correct others"))
    return draft


def _put_moment(draft: Draft, used: set[str]) -> set[str]:
    """When appointments begin: one column with the time, or a day's and a time's."""
    group = draft.group
    whole = choose(group, "moment", fits=lambda p: is_day(p) and has_clock(p), without=used)
    day = choose(group, "moment", fits=lambda p: is_day(p) and not has_clock(p), without=used)
    settle = ""
    if whole == Choice() and day == Choice():
        settle = "the only column of days in the file, whatever its name says"
        whole = only_day(group, fits=has_clock, without=used)
        day = only_day(group, fits=lambda p: not has_clock(p), without=used)
    if whole.column is not None:
        put_moment(draft, "starts_at", (whole.column,), settle=settle)
        return {whole.column}
    clock = choose(group, "clock", fits=lambda p: p.clock is not None, without=used)
    if whole.rivals or day.rivals:
        _unsettled(draft, "starts_at", whole if whole.rivals else day)
        return set()
    if day.column is None:
        _unsettled(draft, "starts_at", Choice())
        return set()
    if clock.column is None:
        line = Line(
            key="starts_at",
            value=(day.column, "the column with the time"),
            settle="no column holds the time of day; have the export give it",
            is_active=False,
        )
        draft.put(COLUMNS, line)
        return {day.column}
    put_moment(draft, "starts_at", (day.column, clock.column), settle=settle)
    return {day.column, clock.column}


def _put_appointment(draft: Draft, used: set[str]) -> None:
    """What names an appointment: its own key, a row's key, or whom and when together."""
    group = draft.group
    own = choose(group, "appointment", fits=is_key, without=used)
    if own.column is None:
        own = choose(group, "row", fits=is_key, without=used)
    if own.column is not None:
        profile = group.profiles[own.column]
        draft.put(
            COLUMNS,
            Line(
                key="appointment_id", value=own.column, why=f"{profile.distinct:,} different on {profile.lines:,} lines"
            ),
        )
        return
    together = [*draft.source("case_id"), *draft.source("starts_at")]
    if draft.source("case_id") and draft.source("starts_at") and names_each_line(group.longest, together):
        line = Line(
            key="appointment_id",
            value=tuple(together),
            settle="no column names an appointment; whom and when together do, so a changed time makes another appointment",
        )
        draft.put(COLUMNS, line)
        return
    _unsettled(draft, "appointment_id", own)


def _unsettled(draft: Draft, key: str, choice: Choice) -> None:
    rivals: Mapping[str, None] = dict.fromkeys(choice.rivals)
    said = f"{' or '.join(rivals)}: both may be it" if rivals else NOBODY
    draft.put(COLUMNS, Line(key=key, value=next(iter(rivals), "the column"), settle=said, is_active=False))
