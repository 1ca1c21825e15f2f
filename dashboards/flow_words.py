"""Sentences about the flow of data: what changed since the last version, what is usual, how new it is, what is withheld.

Belongs here: wording. Does not belong here: what is the case.
"""

from collections.abc import Mapping
from typing import Final

from dashboards import words

FATES: Final = {
    "accepted": "Accepted",
    "refused": "Refused",
    "superseded": "Replaced by a newer version",
    "identical": "Exact repeats",
    "blank": "Blank",
    "admitted_since": "Admitted since: refused until now",
}
_CHANGED: Final = {
    "accepted": "accepted",
    "refused": "refused",
    "superseded": "replaced by a newer version",
    "identical": "exact repeats",
    "blank": "blank",
}
MEASURES: Final = {
    "volume": "Rows that came",
    "refused": "Lines refused",
    "with_alliance": "Sessions with an alliance score",
    "with_outcome": "Sessions with an outcome score",
    "scored": "Forms with a score",
    "mean_score": "Mean score",
    "spread": "Spread of scores (standard deviation)",
}
LAYERS: Final = {
    "landing": "as it came in",
    "staging": "among accepted lines",
    "marts": "behind the figures",
    "published": "as published until tonight",
}
WHY_WITHHELD: Final = {
    "few_clients": "Fewer clients than the smallest group that is shown",
    "few_clinicians": "Fewer clinicians than the smallest group that is shown",
    "complement": "A total less the other groups would give a smaller one away",
    "subtraction": "It and another published group differ by too few clients",
}
SCOPES: Final = {"service": "The service", "site": "Sites", "programme": "Programmes", "clinician": "Clinicians"}
POPULATIONS: Final = {
    "booked": "with an appointment",
    "first_seen": "first seen",
    "rated": "with a scored form",
    "finished": "with a finished course and its change",
}


def since_title(more: Mapping[str, int], *, admitted: int, is_first: bool) -> str:
    """What changed since the version that readers had until tonight.

    Args:
        more: Lines tonight less lines before, by fate; those without a change are left out.
        admitted: Lines that were refused until now and no longer are.
        is_first: Whether there is no version to compare with.
    """
    if is_first:
        return "There is no version before to compare with"
    said = [
        f"{abs(count):,} {'more' if count > 0 else 'fewer'} {_CHANGED[fate]}"
        for fate, count in more.items()
        if fate in _CHANGED and count
    ]
    if admitted:
        said.append(f"{admitted:,} admitted that {'was' if admitted == 1 else 'were'} refused until now")
    return f"Lines since the version before: {words.listed(said)}" if said else "No line has changed its fate in total"


def flow_title(*, unusual: int, judged: int) -> str:
    """Whether what came is as it usually is."""
    if not judged:
        return "Too little history to say whether what came is usual"
    if not unusual:
        return (
            f"Nothing unusual arrived: all {words.counted(judged, 'series', 'series')} with enough history are as usual"
        )
    lies = "lies" if unusual == 1 else "lie"
    return f"{unusual} of {words.counted(judged, 'series', 'series')} {lies} outside the usual range"


def freshness_title(*, late: int, promises: int) -> str:
    """Whether data are as new as the service promises."""
    if not promises:
        return "No promise of freshness is set"
    if not late:
        return f"Data are as new as promised: all {words.counted(promises, 'promise')} kept"
    return f"{late} of {words.counted(promises, 'promise')} of freshness {'is' if late == 1 else 'are'} late"


def columns_title(kinds: Mapping[str, int]) -> str:
    """Whether the newest files have the columns of those before them."""
    said = [
        f"{kinds[kind]:,} {word}"
        for kind, word in (("missing", "missing"), ("renamed", "probably renamed"), ("new", "new"))
        if kinds.get(kind)
    ]
    if not said:
        return "The newest files have the columns that those before them had"
    return f"Columns of the newest files: {words.listed(said)}"


def column_change(change: str, *, name: str, before: str | None) -> str:
    """What became of a column."""
    return {
        "new": f"There is a new column \u201c{name}\u201d",
        "missing": f"The column \u201c{name}\u201d is missing",
        "renamed": f"The column \u201c{before}\u201d is probably called \u201c{name}\u201d now",
    }[change]


def withheld_title(withheld: int, *, groups: int) -> str:
    """How many of the groups that pages may speak of stay unspoken of."""
    if not withheld:
        return "No group is withheld tonight"
    return f"{withheld:,} of {words.counted(groups, 'group')} {'is' if withheld == 1 else 'are'} withheld tonight"


def held_notice(since: str) -> str:
    """That figures are those of an earlier night."""
    return (
        f"Rates and estimates on this page are those of {since}. Since then too few clients have come or gone to publish "
        "new ones without telling of single people."
    )
