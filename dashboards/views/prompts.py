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
    found = [each for code in service.shown for each in reasons(service, code)]
    asked = _one_each(sorted((each for each in found if not each.is_to_learn), key=_certainty_then_code))
    learn = _one_each(sorted((each for each in found if each.is_to_learn), key=_certainty_then_code))
    kept = asked[: MOST_CONVERSATIONS - 1]
    names = {each.code for each in kept}
    learn = [each for each in learn if each.code not in names]
    if not learn:
        return tuple(asked[:MOST_CONVERSATIONS])
    return (*kept, *learn[: max(1, min(MOST_CONVERSATIONS - len(kept), 3))])


def _one_each(prompts: list[Prompt]) -> list[Prompt]:
    """The first prompt of each clinician, in the order given."""
    first: dict[str, Prompt] = {}
    for each in prompts:
        first.setdefault(each.code, each)
    return list(first.values())


def _certainty_then_code(prompt: Prompt) -> tuple[int, str]:
    return _ORDER[prompt.certainty], prompt.code
