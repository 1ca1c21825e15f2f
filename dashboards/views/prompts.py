"""Conversations worth having: who, why, and how sure; never in the order of an estimate.

Belongs here: which verdicts become a prompt, which of them stand among so many looked at, and their order: certainty,
then code. Does not belong here: the verdicts.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from assets.science.shrinkage import false_discoveries_held
from dashboards import words
from dashboards.thresholds import FALSE_SIGNS, MOST_CONVERSATIONS
from dashboards.views.progress import Verdict, expected_verdict, rate_verdict
from dashboards.views.service import Row, Service
from dashboards.views.signals import Signal

_ORDER = {"clear": 0, "likely": 1}
_NORMAL_95 = float(2 * stats.norm.ppf(0.975))
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
    """

    code: str
    why: str
    certainty: str
    is_to_learn: bool
    stands: bool


@dataclass(frozen=True, kw_only=True)
class _Test:
    """One question asked of one clinician: how probable the answer is by chance, and the prompt it would be."""

    chance: float
    prompt: Prompt | None


def reasons(service: Service) -> Reasons:
    """Every shown clinician's reasons, the surest first.

    All questions asked of all shown clinicians are one family (Benjamini and Hochberg 1995): alliance and missed
    appointments against their usual level, improvement against the funnel, progress against what was expected. A
    question that could not be asked is not in it.
    """
    tests = [each for code in service.shown for each in _tests(service, code)]
    held = false_discoveries_held(np.array([each.chance for each in tests]), share=FALSE_SIGNS)
    found: dict[str, list[Prompt]] = {}
    for test, stands in zip(tests, held, strict=True):
        if test.prompt is not None:
            found.setdefault(test.prompt.code, []).append(replace(test.prompt, stands=bool(stands)))
    return {code: tuple(sorted(mine, key=_surest)) for code, mine in found.items()}


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


def _tests(service: Service, code: str) -> list[_Test]:
    found = []
    for signals, subject in ((service.alliance, "alliance"), (service.missed, "missed appointments")):
        signal = signals.get(code)
        if signal is not None and signal.chance is not None:
            found.append(_Test(chance=signal.chance, prompt=_of_signal(signal, code=code, subject=subject)))
    pair = service.pair.get(code)
    row = None if pair is None else service.row("clinician_progress", code, pair[1])
    if row is not None:
        for verdict, chance in ((rate_verdict(row), _rate_chance(row)), (expected_verdict(row), _expected_chance(row))):
            if verdict.certainty != "too_few" and chance is not None:
                found.append(_Test(chance=chance, prompt=_of_verdict(verdict, code=code)))
    return found


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
        code=code, why=f"{why}.", certainty=signal.certainty, is_to_learn=signal.tone == "better", stands=False
    )


def _of_verdict(said: Verdict, *, code: str) -> Prompt | None:
    if said.tone == "ordinary":
        return None
    return Prompt(code=code, why=f"{said.title}.", certainty=said.certainty, is_to_learn=said.is_to_learn, stands=False)


def _rate_chance(row: Row) -> float | None:
    """Of a rate so far from the service's, from the width of the funnel at this caseload."""
    parts = [row[name] for name in ("improved_rate", "service_rate", "limit_low_95", "limit_high_95")]
    if any(each is None for each in parts):
        return None
    return _two_sided(parts[0] - parts[1], parts[3] - parts[2])


def _expected_chance(row: Row) -> float | None:
    """Of progress so far from what was expected, from the width of its 95% range."""
    parts = [row[f"expected_difference{end}"] for end in ("", "_low", "_high")]
    if any(each is None for each in parts):
        return None
    return _two_sided(parts[0], parts[2] - parts[1])


def _two_sided(distance: float, width: float) -> float | None:
    return None if width <= 0 else float(2 * stats.norm.sf(abs(distance) * _NORMAL_95 / width))


def _one_each(prompts: Sequence[Prompt]) -> list[Prompt]:
    """The first prompt of each clinician, in the order given."""
    first: dict[str, Prompt] = {}
    for each in prompts:
        first.setdefault(each.code, each)
    return list(first.values())


def _surest(prompt: Prompt) -> tuple[bool, int, bool, str]:
    return not prompt.stands, _ORDER[prompt.certainty], prompt.is_to_learn, prompt.why


def _certainty_then_code(prompt: Prompt) -> tuple[int, str]:
    return _ORDER[prompt.certainty], prompt.code
