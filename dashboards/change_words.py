"""Sentences about what moved since the version before: figures, rows and definitions.

Belongs here: wording. Does not belong here: what moved and why, which the night decides (`quality.changes`).
"""

import math
from typing import Final

from dashboards import words

WHY: Final = {
    "definition": "A definition changed",
    "new": "New data",
    "late": "Late data",
    "corrected": "Corrections",
    "admitted": "Lines no longer refused",
    "refused": "Lines refused now",
    "withdrawn": "Rows withdrawn",
    "aged": "The period moved on",
    "elsewhere": "Data elsewhere in the service",
    "time": "Days have passed",
    "unexplained": "Nothing known",
}
ROWS: Final = {
    "new": "New",
    "late": "Late",
    "corrected": "Corrected",
    "admitted": "No longer refused",
    "refused": "Refused now",
    "withdrawn": "Withdrawn",
}
KINDS: Final = {"setting": "Setting", "table": "How a table is made", "rate": "What a rate counts"}
LEVELS: Final = {
    "within_client": "within clients",
    "between_client": "between clients",
    "between_clinician": "between clinicians",
}
NO_VERSION: Final = {
    "moved": "No figure can have moved: this is the first version",
    "changed-rows": "No row can have changed: this is the first version",
    "definitions": "No definition can have changed: this is the first version",
}


def about_rows(count: int, *, near: int, to_nearest: int) -> str:
    """How many rows, no more exactly than pages count: `near` is the count to the nearest multiple of `to_nearest`."""
    if not count:
        return "0"
    return f"About {near:,}" if count >= to_nearest else f"Fewer than {to_nearest}"


def moved_title(*, worth: int, looked_at: int, beyond: int) -> str:
    """How many of the figures that pages show moved by enough to tell."""
    if not looked_at:
        return "No figure on these pages has moved"
    if not worth:
        return f"{_figures(looked_at)} moved, none by enough to read differently"
    said = f"{worth:,} of {looked_at:,} figures that moved did so by enough to tell"
    return (
        f"{said}; {beyond:,} by more than such changes of data usually bring"
        if beyond
        else f"{said}, as such changes of data usually bring"
    )


def of_clinicians(count: int) -> str:
    """How many figures of single clinicians moved as far, none of which is shown here."""
    if not count:
        return "No figure of a clinician moved as far."
    stands = "stands" if count == 1 else "stand"
    return f"{_figures(count)} of clinicians moved as far and {stands} on their own pages only."


def drawn_title(*, drawn: int, beyond: int, redefined: int) -> str:
    """What the picture of movements shows."""
    parts = [
        f"{drawn - beyond - redefined:,} as such changes usually bring" if drawn > beyond + redefined else "",
        f"{beyond:,} by more than that" if beyond and beyond < drawn - redefined else "",
        f"{beyond:,} by more than such changes usually bring" if beyond and beyond == drawn - redefined else "",
        f"{redefined:,} with another definition" if redefined else "",
    ]
    return f"{words.counted(drawn, 'rate')} that moved: {words.listed([each for each in parts if each])}"


def rows_title(changed: dict[str, int]) -> str:
    """Which kinds of rows changed; how many stands in the table, no more exactly than pages count."""
    kinds = [name.lower() for reason, name in ROWS.items() if changed.get(reason)]
    return f"Rows behind the figures: {words.listed(kinds)}" if kinds else "No row behind the figures has changed"


def definitions_title(changed: int, *, moved: int) -> str:
    """How many definitions changed, and what they moved."""
    if not changed:
        return "Every figure is defined as it was"
    which = f"{words.counted(changed, 'definition')} changed, and all history was made anew"
    return f"{which}: {_figures(moved)} on pages moved" if moved else f"{which}: no figure on pages moved"


def rate(share: float) -> str:
    """A rate as pages publish it: per cent with one decimal, halves up."""
    return f"{words.decimal(math.floor(round(share * 1000, 6) + 0.5) / 10)}%"


def points(difference: float) -> str:
    """A difference of two shares, in points of per cent."""
    return f"{words.signed(difference * 100)} points"


def explained(*, movement: str, is_beyond: bool | None, reason: str) -> str:
    """Whether what changed underneath explains a movement."""
    if movement != "moved":
        return {"appeared": "Was not shown before", "gone": "Is not shown now"}[movement]
    if reason == "definition":
        return "It means something else now"
    return "More than such changes usually bring" if is_beyond else "As such changes usually bring"


def _figures(count: int) -> str:
    return words.counted(count, "figure")
