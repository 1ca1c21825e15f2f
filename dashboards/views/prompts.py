"""Conversations worth having: who, why, and how sure; never in the order of an estimate.

Belongs here: which verdicts become a prompt, and their order: certainty, then code. Does not belong here: the verdicts.
"""

from dataclasses import dataclass

from dashboards import words
from dashboards.thresholds import MOST_CONVERSATIONS
from dashboards.views.progress import progress_verdict
from dashboards.views.service import Service

_ORDER = {"clear": 0, "likely": 1}


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One reason to talk with one clinician."""

    code: str
    why: str
    certainty: str
    is_to_learn: bool


def reasons(service: Service, code: str) -> tuple[Prompt, ...]:
    """Every reason that stands for one clinician, the surest first."""
    found: list[Prompt] = []
    for signals, subject in ((service.alliance, "alliance"), (service.missed, "missed appointments")):
        signal = signals.get(code)
        if signal is not None and signal.tone != "ordinary" and signal.certainty in _ORDER:
            found.append(
                Prompt(
                    code=code,
                    why=words.change_title(
                        subject,
                        certainty=signal.certainty,
                        direction=signal.direction,
                        since=signal.since,
                        is_small=signal.is_small,
                    )
                    + ".",
                    certainty=signal.certainty,
                    is_to_learn=signal.tone == "better",
                )
            )
    pair = service.pair.get(code)
    said = progress_verdict(None if pair is None else service.row("clinician_progress", code, pair[1]))
    if said.tone != "ordinary":
        found.append(Prompt(code=code, why=f"{said.title}.", certainty=said.certainty, is_to_learn=said.is_to_learn))
    return tuple(sorted(found, key=lambda each: (_ORDER[each.certainty], each.is_to_learn, each.why)))


def conversations(service: Service) -> tuple[Prompt, ...]:
    """At most six prompts, one a clinician, and always one to learn from where there is one."""
    firm: list[Prompt] = []
    learn: list[Prompt] = []
    for code in service.shown:
        found = reasons(service, code)
        worse = [each for each in found if not each.is_to_learn]
        better = [each for each in found if each.is_to_learn]
        if worse:
            firm.append(worse[0])
        elif better:
            learn.append(better[0])
    firm.sort(key=_certainty_then_code)
    learn.sort(key=_certainty_then_code)
    kept = firm[: MOST_CONVERSATIONS - 1] if learn else firm[:MOST_CONVERSATIONS]
    return (*kept, *learn[: min(MOST_CONVERSATIONS - len(kept), max(1, 3 - len(kept) // 2))])


def _certainty_then_code(prompt: Prompt) -> tuple[int, str]:
    return _ORDER[prompt.certainty], prompt.code
