"""Sentences about courses of treatment: how the alliance grows, who stays, who holds back, and what is missing.

Belongs here: wording. Does not belong here: what is the case.
"""

from typing import Final

from dashboards import words

PARTS: Final = {
    "early": "Early: sessions 1 to 3",
    "later": "Later: from session 4 on",
    "growth": "Growth from session 1 to 10",
    "bond": "Bond",
    "goals": "Goals",
    "tasks": "Tasks",
}
ASPECTS: Final = {
    "mean": "Both partners\u2019 mean",
    "lowest": "The lower partner",
    "difference": "The split between partners",
    "own": "Each partner\u2019s own",
}
STANDINGS: Final = {
    "on_track": "On track",
    "behind": "Behind expected",
    "well_behind": "Well behind expected",
    "cannot_tell": "Cannot tell yet",
}
BOUNDS: Final = {
    "improved": "Reliably improved",
    "recovered": "Recovered",
    "deteriorated": "Reliably worse",
    "ended_unplanned": "Ended unplanned",
}
STATES: Final = {
    "no_rupture": "No dip so far",
    "ruptured": "A dip, not repaired",
    "repaired": "The latest dip repaired",
}
GROUPINGS: Final = {
    "session": "How far treatment has come",
    "first_score": "How the client began",
    "latest_score": "How the client is doing",
    "latest_alliance": "How the alliance last stood",
}


def plain(sentence: str) -> str:
    """A sentence of the night in the words that pages use."""
    return sentence.replace("rupture", "dip")


def growth_title(*, certainty: str, difference: float | None) -> str:
    """Whether a clinician's alliance grows as the site's does."""
    if certainty == "too_few" or difference is None:
        return "Too few ratings to say how the alliance grows over sessions"
    if certainty == "cannot_tell":
        return "Alliance over sessions 1 to 10: cannot tell its growth from the site\u2019s"
    surely = "" if certainty == "clear" else "probably "
    return f"Alliance {surely}grows {'more' if difference > 0 else 'less'} over sessions 1 to 10 than the site\u2019s"


def parts_title(weakest: str | None) -> str:
    """Which part of the alliance is weakest."""
    if weakest in {"bond", "goals", "tasks"}:
        return f"{PARTS[weakest]} {'is' if weakest == 'bond' else 'are'} the weakest part of the alliance here"
    if weakest == "too_few" or weakest is None:
        return "Too few ratings to say which part of the alliance is weakest"
    return "Cannot tell which of bond, goals and tasks is weakest"


def staying_title(*, session: int, share: float | None, low: float | None, high: float | None) -> str:
    """How many stay as long as that."""
    if share is None or low is None or high is None:
        return "Too few courses of treatment to say how long clients stay"
    return f"{words.percent(share)} are still in treatment after session {session} (95% range {words.percent_between(low, high)})"


def holding_back_title(*, asking: int, total: int) -> str:
    """How many open clients show more than one kind of signal."""
    if total == 0:
        return "No open client has a session to look at"
    if asking == 0:
        return f"None of {words.counted(total, 'open client')} shows two or more signals of holding back"
    verb = "shows" if asking == 1 else "show"
    return f"{asking} of {words.counted(total, 'open client')} {verb} two or more signals of holding back"


def signals_said(kinds: list[str]) -> str:
    """Which signals a client shows."""
    return words.listed(kinds)[:1].upper() + words.listed(kinds)[1:] if kinds else "Signals within the last sessions"


def tracks_title(*, well_behind: int, behind: int, total: int) -> str:
    """How open clients stand against what was expected."""
    if total == 0:
        return "No open client has two or more scores yet"
    if well_behind == behind == 0:
        return f"None of {words.counted(total, 'open client')} is behind expected progress"
    parts = []
    if well_behind:
        parts.append(f"{well_behind} well behind")
    if behind:
        parts.append(f"{behind} behind")
    return f"Of {words.counted(total, 'open client')}, {words.listed(parts)} expected progress"


def split_title(
    *, certainty: str, difference: float | None, low: float | None, high: float | None, usual: float | None
) -> str:
    """Whether partners differ more with this clinician than with others."""
    if certainty == "too_few" or difference is None or usual is None:
        return "Too few couples to say how far partners\u2019 alliance lies apart"
    said = (
        f"Partners\u2019 alliance lies {words.decimal(difference)} points apart (95% range {words.between(low, high)})"
    )
    if certainty == "cannot_tell":
        return f"{said}: cannot tell that from the {words.decimal(usual)} of all"
    surely = "more" if difference > usual else "less"
    return f"{said}: {'' if certainty == 'clear' else 'probably '}{surely} than the {words.decimal(usual)} of all"


def compared(signal: str, *, instrument: str, estimate: float, low: float, high: float, certainty: str) -> str:
    """A comparison of a clinician with the site as a sentence; positive is better."""
    surely = "" if certainty == "clear" else " probably"
    more = estimate > 0
    near, far = sorted((abs(low), abs(high))) if low * high >= 0 else (low, high)
    if signal == "missed":
        size = f"{abs(estimate) * 100:.0f} points of 100"
        reach = f"{near * 100:.0f} to {far * 100:.0f}".replace("-", "\u2212")
        return f"Clients{surely} miss {'fewer' if more else 'more'} appointments than the site\u2019s, by {size} (95% range {reach})"
    reach = words.between(near, far)
    size = words.decimal(abs(estimate))
    return {
        "adjusted_progress": f"Clients{surely} improve {size} {instrument} points {'more' if more else 'less'} than clients alike (95% range {reach})",
        "alliance_level": f"Clients{surely} rate the alliance {size} {instrument} points {'higher' if more else 'lower'} than the site\u2019s (95% range {reach})",
        "early_alliance": f"In sessions 1 to 3 clients{surely} rate the alliance {size} {instrument} points {'higher' if more else 'lower'} than the site\u2019s (95% range {reach})",
        "alliance_growth": f"The alliance{surely} grows {size} {instrument} points {'more' if more else 'less'} over ten sessions than the site\u2019s (95% range {reach})",
        "alliance_link": f"The link of alliance with progress ({instrument}){surely} is {'stronger' if more else 'weaker'} than the service\u2019s by {words.slope(abs(estimate))} (95% range {words.slope_between(near, far)})",
    }[signal]
