"""Sentences of a client's own page, which clinician and client look at together: plain, kind, and said to the client.

Belongs here: wording. Does not belong here: what is the case. Nothing here compares a client with another.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from dashboards import words

SIGNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "has_fallen": "Working together rated lower",
        "missed_before": "An appointment missed or called off",
        "is_gap_longer": "A longer gap than usual",
        "is_form_skipped": "A form left out",
    }
)
BECAME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "attended": "Took place",
        "did_not_attend": "Missed",
        "cancelled_by_client": "Called off by you",
        "cancelled_by_clinic": "Called off by the clinic",
        "late_not_seen": "Came too late to be seen",
    }
)
REACHED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "first_reliable_improvement": "A first clear improvement",
        "crossed_cut_off": "Scores like those of people who are well",
        "sudden_gain": "A large step forward between two sessions",
        "repaired_rupture": "A dip in working together, put right",
        "sudden_loss": "A large step back between two sessions",
    }
)
STANDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "on_track": "By now it is about where people who began alike usually are.",
        "behind": "By now it is a little behind where people who began alike usually are: worth a talk.",
        "well_behind": "By now it is well behind where people who began alike usually are: worth talking over what could be done differently.",
        "cannot_tell": "It is too early to say how that compares with what is usual by now.",
    }
)
COULD_BE_OFF: Final = "One score alone is never exact: a day, a mood or a word in the form moves it a little."
IS_NO_JUDGEMENT: Final = "A reason to ask, never a judgement."


def about(*, sessions: int, day: str) -> str:
    """What the page is for."""
    return (
        f"Made for looking at together; \u201cyou\u201d is the client. {words.counted(sessions, 'session')} so far in this course "
        f"of treatment. Data to {day}."
    )


def course_title(instrument: str, *, certainty: str, is_better: bool) -> str:
    """Whether scores have changed by more than a single score can be off."""
    if certainty == "clear":
        return f"{instrument}: clearly {'better' if is_better else 'worse'} than at the start"
    if certainty == "too_few":
        return f"{instrument}: too few scores yet to see a change"
    return f"{instrument}: cannot tell yet whether it has changed since the start"


def course_caption(
    instrument: str, *, is_higher_better: bool, change: float | None, standing: str | None, has_band: bool
) -> str:
    """Unit, how far to trust a score, and where it stands."""
    said = [f"Your {instrument} score at each session; {'higher' if is_higher_better else 'lower'} is better."]
    said.append(COULD_BE_OFF)
    if change is None:
        said.append("No size of change is known here that is surely more than that.")
    else:
        said.append(f"A change of less than {words.score(change)} points may be chance.")
    if has_band and standing is not None:
        said.append(STANDINGS[standing])
    return " ".join(said)


def course_how(*, has_change: bool, has_band: bool) -> str:
    """How to read the line of scores."""
    said = ["each dot is a score"]
    if has_change:
        said.append("inside the pale band it is too near the first score to tell")
    if has_band:
        said.append(
            "the darker band runs from what is usual by then to where four of five people who began alike have got"
        )
    return f"{'; '.join(said)}."


def change_words(*, improvement: float, change: float | None) -> str:
    """One score against the first."""
    if change is None:
        return "Cannot tell how much is chance"
    if abs(improvement) < change:
        return "Too near the first to tell: may be chance"
    return f"Clearly {'better' if improvement > 0 else 'worse'} than the first"


def course_finding(instrument: str, *, certainty: str, is_better: bool) -> str:
    """The same, as a finding beside a word for how sure."""
    if certainty == "clear":
        return f"{instrument} scores are {'better' if is_better else 'worse'} than at the start."
    if certainty == "too_few":
        return f"There are too few {instrument} scores to compare."
    return f"Whether {instrument} scores have changed: the difference may be chance."


def together_title(*, ratings: int, dip: int | None, repaired: int | None) -> str:
    """How the ratings of working together have gone."""
    if ratings == 0:
        return "Working together: not rated yet"
    if dip is None:
        return "Working together: no marked dip so far"
    if repaired is not None:
        return f"Working together: a dip at session {dip}, put right by session {repaired}"
    return f"Working together: a dip at session {dip}, not yet put right"


def together_caption(instrument: str) -> str:
    """What is rated and what a dip is."""
    return (
        f"Your {instrument} rating after each session; higher is better. A dip is a marked fall below your own earlier ratings: "
        "a chance to ask what would help, and nobody\u2019s fault. Small ups and downs are usual."
    )


def attendance_title(*, took_place: int, total: int) -> str:
    """How many appointments took place, without a grade."""
    return f"{took_place} of {words.counted(total, 'appointment')} took place"


def signs_title(seen: Sequence[str]) -> str:
    """What the last sessions showed."""
    if not seen:
        return "Nothing in the last sessions that calls for a word"
    return f"Worth a word together: {words.listed([each[:1].lower() + each[1:] for each in seen])}"


def reached_title(count: int) -> str:
    """What has been reached."""
    return "No milestone yet, which says little" if count == 0 else f"{words.counted(count, 'step')} to be glad of"


def held_words(*, is_held: bool | None) -> str:
    """Whether a milestone lasted."""
    return {True: "Yes, so far", False: "Not all the time since", None: ""}[is_held]


def at_sessions(numbers: Sequence[int]) -> str:
    """Session numbers as a few words."""
    if not numbers:
        return "Not seen"
    return f"Session{'s' if len(numbers) > 1 else ''} {words.listed([str(each) for each in numbers])}"
