"""Whom a line is about and who treated them: the keys of clients, cases, clinicians and episodes within one file.

Belongs here: telling these keys apart by how they go together. Does not belong here: whether other files know them
(`links`).
"""

import re
from collections.abc import Collection

from assets.feeds.proposal.drafts import COLUMNS, NOBODY, Draft, Group, Line
from assets.feeds.proposal.roles import belongs_to_one, choose, is_code, is_shared_code
from assets.feeds.proposal.synonyms import OF_SEVERAL, words_of


def find_client(group: Group, *, without: Collection[str]) -> tuple[str | None, str]:
    """The column that names the person, and what is wrong where there is none."""
    own = choose(group, "client", fits=is_code, without=without)
    if own.column is not None:
        return own.column, ""
    if own.rivals:
        return None, f"{' or '.join(own.rivals)}: both may be it"
    withheld = [name for name, kinds in group.telling.items() if "nhs_number" in kinds]
    if withheld:
        return None, f'"{withheld[0]}" seems to hold NHS numbers; have the export give a code of the system\'s own'
    return None, NOBODY


def find_case(group: Group, *, without: Collection[str]) -> tuple[set[str], Line | None]:
    """Who an appointment or an episode is for: a couple's or family's key where clients share one, else the client's."""
    client, trouble = find_client(group, without=without)
    case = choose(group, "case", fits=is_code, without=without).column
    chosen = client
    if case is not None and (client is None or belongs_to_one(group.rows, client, case)):
        chosen = case if client is None or not belongs_to_one(group.rows, case, client) else client
    if chosen is None:
        return set(), Line(key="case_id", value="the column", settle=trouble, is_active=False)
    profile = group.profiles[chosen]
    return {chosen}, Line(key="case_id", value=chosen, why=f"{profile.distinct:,} different on {profile.lines:,} lines")


def put_client(draft: Draft, *, without: Collection[str], also_case: bool) -> set[str]:
    """Map the person; and of forms the case where one of the file's own columns names it for several clients."""
    client, trouble = find_client(draft.group, without=without)
    settle = ""
    if client is None:
        case = choose(draft.group, "case", fits=is_code, without=without).column
        is_of_several = case is not None and bool(re.search(OF_SEVERAL, words_of(case)))
        if case is None or is_of_several or draft.group.telling.get(case):
            said = f'"{case}" names several people, and a form is one person\'s' if is_of_several else trouble
            value = case or "the column"
            draft.put(COLUMNS, Line(key="client_id", value=value, settle=said, is_active=False))
            return {case} if case is not None else set()
        client, settle = case, f'"{case}" is taken for one client each'
    profile = draft.group.profiles[client]
    why = f"{profile.distinct:,} different on {profile.lines:,} lines"
    draft.put(COLUMNS, Line(key="client_id", value=client, why=why, settle=settle))
    case = choose(draft.group, "case", fits=is_code, without={*without, client}).column
    if also_case and case is not None and belongs_to_one(draft.group.rows, client, case):
        clients, cases = profile.distinct, draft.group.profiles[case].distinct
        if cases < clients:
            draft.put(COLUMNS, Line(key="case_id", value=case, why=f"{cases:,} for {clients:,} clients"))
            return {client, case}
    return {client}


def put_clinician(draft: Draft, *, without: Collection[str], is_required: bool) -> set[str]:
    """Map who treats."""
    found = choose(draft.group, "clinician", fits=is_shared_code, without=without)
    if found.column is not None:
        profile = draft.group.profiles[found.column]
        why = f"{profile.distinct:,} different on {profile.filled:,} lines"
        draft.put(COLUMNS, Line(key="clinician_id", value=found.column, why=why))
        return {found.column}
    if is_required:
        said = f"{' or '.join(found.rivals)}: both may be it" if found.rivals else NOBODY
        value = found.rivals[0] if found.rivals else "the column"
        draft.put(COLUMNS, Line(key="clinician_id", value=value, settle=said, is_active=False))
    return set()


def put_episode(draft: Draft, *, case: str | None, without: Collection[str]) -> set[str]:
    """Map the course of treatment: a code that goes with one client each and comes on several lines."""
    group = draft.group
    found = choose(group, "episode", fits=lambda p: is_code(p) and p.share_filled > 0.5, without=without)
    if found.column is None or case is None or not belongs_to_one(group.rows, found.column, case):
        return set()
    profile = group.profiles[found.column]
    if profile.share_distinct > 0.9 and profile.filled > 50:  # a key of the row and not of a course
        return set()
    why = f"{profile.distinct:,} different, each with one client"
    draft.put(COLUMNS, Line(key="episode_id", value=found.column, why=why))
    return {found.column}
