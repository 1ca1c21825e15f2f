"""Conversations worth having: who, why, and how sure; never in the order of an estimate.

Belongs here: which verdicts become a prompt, which of them stand among so many looked at, and their order: certainty,
then code. Does not belong here: the verdicts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from assets.science.shrinkage import false_discoveries_held
from dashboards import course_words, words
from dashboards.thresholds import FALSE_SIGNS, MOST_CONVERSATIONS
from dashboards.views.service import Row, Service
from dashboards.views.signals import Signal

_ORDER = {"clear": 0, "likely": 1}
# Of one clinician's signs that are as sure, what changed and what clients gain come before how they rate.
_TELLING = (
    "change",
    "adjusted_progress",
    "alliance_level",
    "early_alliance",
    "alliance_growth",
    "alliance_link",
    "missed",
)
Reasons = Mapping[str, tuple["Prompt", ...]]


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One reason to talk with one clinician.

    Attributes:
        code: Who.
        why: The finding, as a sentence.
        certainty: `clear` or `likely`.
        is_to_learn: Whether it is something to learn from.
        stands: Whether it stands among everything looked at, false discoveries held.
        signal: What was compared, as `analysis.clinician_signals` names it; `change` for months.
        instrument: The measure it is about.
    """

    code: str
    why: str
    certainty: str
    is_to_learn: bool
    stands: bool
    signal: str
    instrument: str


@dataclass(frozen=True, kw_only=True)
class _Test:
    """One question asked of one clinician: how probable the answer is by chance, and the prompt it would be."""

    chance: float
    prompt: Prompt | None


def reasons(service: Service) -> Reasons:
    """Every shown clinician's reasons, the surest first.

    All questions asked of all shown clinicians are one family (Benjamini and Hochberg 1995): the night's comparisons
    with the site (`analysis.clinician_signals`), and the latest months of alliance and missed appointments against the
    clinician's own usual level. A question that could not be asked is not in it.
    """
    tests = _tests(service)
    held = false_discoveries_held(np.array([each.chance for each in tests]), share=FALSE_SIGNS)
    found: dict[str, list[Prompt]] = {}
    for test, stands in zip(tests, held, strict=True):
        if test.prompt is not None:
            found.setdefault(test.prompt.code, []).append(replace(test.prompt, stands=bool(stands)))
    return {code: tuple(sorted(mine, key=_surest)) for code, mine in found.items()}


def standing(found: Reasons) -> frozenset[tuple[str, str, str]]:
    """Code, signal and measure of every comparison that stands, the same for every page, mark and word."""
    return frozenset(
        (each.code, each.signal, each.instrument) for mine in found.values() for each in mine if each.stands
    )


def signed(found: Reasons, codes: Collection[str]) -> tuple[str, ...]:
    """Codes with a reason that stands, ascending."""
    return tuple(sorted(code for code in codes if any(each.stands for each in found.get(code, ()))))


def conversations(found: Reasons, codes: Sequence[str]) -> tuple[Prompt, ...]:
    """At most six prompts that stand, one a clinician, and always one to learn from where there is one."""
    standing = [each for code in codes for each in found.get(code, ()) if each.stands]
    asked = _one_each(sorted((each for each in standing if not each.is_to_learn), key=_certainty_then_code))
    learn = _one_each(sorted((each for each in standing if each.is_to_learn), key=_certainty_then_code))
    kept = asked[: MOST_CONVERSATIONS - 1]
    names = {each.code for each in kept}
    learn = [each for each in learn if each.code not in names]
    if not learn:
        return tuple(asked[:MOST_CONVERSATIONS])
    return (*kept, *learn[: max(1, min(MOST_CONVERSATIONS - len(kept), 3))])


def _tests(service: Service) -> list[_Test]:
    """The night's comparisons of clinicians with their site, and the latest months against those before."""
    rows = service.tables["analysis.clinician_signals"].filter(pl.col("p_value").is_not_null())
    shown = frozenset(service.shown)
    found = [
        _Test(chance=row["p_value"], prompt=_of_comparison(row))
        for row in rows.sort("clinician_id", "signal", "instrument").iter_rows(named=True)
        if row["clinician_id"] in shown
    ]
    for code in service.shown:
        for signals, subject in ((service.alliance, "alliance"), (service.missed, "missed appointments")):
            signal = signals.get(code)
            if signal is not None and signal.chance is not None:
                found.append(_Test(chance=signal.chance, prompt=_of_signal(signal, code=code, subject=subject)))
    return found


def _of_comparison(row: Row) -> Prompt | None:
    if row["certainty"] not in _ORDER or None in (row["estimate"], row["low"], row["high"]):
        return None
    why = course_words.compared(
        row["signal"],
        instrument=row["instrument"],
        estimate=row["estimate"],
        low=row["low"],
        high=row["high"],
        certainty=row["certainty"],
    )
    return Prompt(
        code=row["clinician_id"],
        why=f"{why}.",
        certainty=row["certainty"],
        is_to_learn=row["direction"] == "better",
        stands=False,
        signal=row["signal"],
        instrument=row["instrument"],
    )


def _of_signal(signal: Signal, *, code: str, subject: str) -> Prompt | None:
    if signal.tone == "ordinary" or signal.certainty not in _ORDER:
        return None
    why = words.change_title(
        subject,
        certainty=signal.certainty,
        direction=signal.direction,
        since=signal.since,
        is_small=signal.is_small,
    )
    return Prompt(
        code=code,
        why=f"{why}.",
        certainty=signal.certainty,
        is_to_learn=signal.tone == "better",
        stands=False,
        signal="change",
        instrument=subject,
    )


def _one_each(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The first prompt of each clinician, in the order given."""
    first: dict[str, Prompt] = {}
    for each in prompts:
        first.setdefault(each.code, each)
    return list(first.values())


def _surest(prompt: Prompt) -> tuple[bool, int, bool, int, str]:
    return (
        not prompt.stands,
        _ORDER[prompt.certainty],
        prompt.is_to_learn,
        _TELLING.index(prompt.signal),
        prompt.why,
    )


def _certainty_then_code(prompt: Prompt) -> tuple[int, str]:
    return _ORDER[prompt.certainty], prompt.code
