"""Lists that a service keeps: episodes, people and clinicians, as their feeds' mappings.

Belongs here: what makes a file one of these, and its columns. Does not belong here: appointments (`sessions`) and forms
(`ratings`).
"""

from collections.abc import Collection

from assets.contracts.staging import CLINICIANS, EPISODES, PEOPLE
from assets.feeds.proposal.drafts import COLUMNS, NOBODY, TOP, Draft, Group, Line
from assets.feeds.proposal.mapped_words import put_words
from assets.feeds.proposal.moments import put_days
from assets.feeds.proposal.people_keys import find_case, find_client, put_clinician
from assets.feeds.proposal.roles import (
    choose,
    choose_words,
    has_whole_years,
    is_age_band,
    is_code,
    is_day,
    is_decile,
    is_key,
    is_label,
    names_each_line,
)


def draft_episodes(group: Group, *, used: Collection[str]) -> Draft | None:
    """The mapping of a list of courses of treatment; None where neither a referral nor an ending has a day."""
    days = _days(group, ("referred", "started", "ended"), without=used)
    if not {"referred", "ended"} & set(days):
        return None
    draft = Draft(feed=EPISODES, group=group)
    taken = {*used, *days.values()}
    case, line = find_case(group, without=taken)
    own = choose(group, "episode", fits=is_key, without={*taken, *case})
    if own.column is None and "referred" not in days:
        return None
    if own.column is None:
        own = choose(group, "row", fits=is_key, without={*taken, *case})
    if own.column is None:
        draft.put(COLUMNS, Line(key="episode_id", value="the column", settle=NOBODY, is_active=False))
    else:
        why = f"every one of {group.rows.height:,} lines has its own"
        draft.put(COLUMNS, Line(key="episode_id", value=own.column, why=why))
        taken.add(own.column)
    if line is not None:
        draft.put(COLUMNS, line)
    taken |= case
    taken |= put_clinician(draft, without=taken, is_required=False)
    for role, key in (("programme", "programme"), ("problem", "problem")):
        found = choose(group, role, fits=is_label, without=taken)
        if found.column is not None:
            draft.put(
                COLUMNS, Line(key=key, value=found.column, why=f"{group.profiles[found.column].distinct} different")
            )
            taken.add(found.column)
    put_days(draft, [(f"{role}_on", column) for role, column in days.items()], first="referred_on")
    reason = choose_words(group, "end_reason", least_known=0.2, without=taken)
    if reason.column is None:
        reason = choose(group, "end_reason", fits=lambda p: bool(p.words) and is_label(p), without=taken)
    if reason.column is not None:
        put_words(draft, "end_reason", reason.column)
    return draft


def draft_people(group: Group, *, used: Collection[str]) -> Draft | None:
    """The mapping of clients' case-mix; None where lines are not people, or tell nothing of them."""
    client, _ = find_client(group, without=used)
    if client is None:
        client = choose(group, "row", fits=is_key, without=used).column
    if client is None or not names_each_line(group.longest, [client]):
        return None
    draft = Draft(feed=PEOPLE, group=group)
    draft.put(COLUMNS, Line(key="client_id", value=client, why=f"every one of {group.rows.height:,} lines has its own"))
    age = choose(group, "age_band", fits=is_age_band, without=used)
    gender = choose(group, "gender", fits=lambda p: is_label(p) and p.distinct <= 20, without=used)
    decile = choose(group, "decile", fits=is_decile, without=used)
    born = choose(group, "birth", fits=lambda p: is_day(p) and has_whole_years(p), without=used)
    if age.column is not None:
        draft.put(COLUMNS, Line(key="age_band", value=age.column, why=f"{group.profiles[age.column].distinct} bands"))
    if gender.column is not None:
        draft.put(
            COLUMNS, Line(key="gender", value=gender.column, why=f"{group.profiles[gender.column].distinct} different")
        )
    if decile.column is not None:
        draft.put(COLUMNS, Line(key="deprivation_decile", value=decile.column, why="whole numbers from 1 to 10"))
    if age.column is None and born.column is not None:
        put_days(draft, [("born_on", born.column)], first="born_on")
        line = draft.sections[COLUMNS].get("born_on")
        draft.drop(COLUMNS, "born_on")
        if line is not None and line.is_active:
            draft.put(TOP, Line(key="born_on", value=born.column, why="kept as ten years of age, never as a date"))
    told = {age.column, gender.column, decile.column, born.column} - {None}
    return draft if told else None


def draft_clinicians(group: Group, *, used: Collection[str]) -> Draft | None:
    """The mapping of a list of clinicians; None where lines are not clinicians, or tell nothing of them."""
    own = choose(group, "clinician", fits=lambda p: is_code(p) and is_key(p), without=used)
    client, _ = find_client(group, without={*used, own.column or ""})
    if own.column is None and client is None:
        own = choose(group, "row", fits=is_key, without=used)
    if own.column is None or client is not None:
        return None
    draft = Draft(feed=CLINICIANS, group=group)
    draft.put(
        COLUMNS, Line(key="clinician_id", value=own.column, why=f"every one of {group.rows.height:,} lines has its own")
    )
    for role in ("site", "profession"):
        found = choose(group, role, fits=lambda p: is_label(p) or p.filled < 10, without={*used, *draft.asked})
        if found.column is not None:
            draft.put(
                COLUMNS, Line(key=role, value=found.column, why=f"{group.profiles[found.column].distinct} different")
            )
    since = choose(group, "since", fits=is_day, without=used)
    if since.column is not None:
        put_days(draft, [("started_on", since.column)], first="started_on")
    return draft if len(draft.sections[COLUMNS]) > 1 else None


def _days(group: Group, roles: Collection[str], *, without: Collection[str]) -> dict[str, str]:
    """A column of days for each role that has one."""
    found: dict[str, str] = {}
    for role in roles:
        choice = choose(group, role, fits=is_day, without={*without, *found.values()})
        if choice.column is not None:
            found[role] = choice.column
    return found
