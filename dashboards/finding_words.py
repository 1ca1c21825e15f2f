"""Sentences that set a finding beside how sure it is, and how many were looked at.

Belongs here: wording of findings. Does not belong here: how numbers are written and titles of charts (`words`).
"""

from dashboards import words


def level_sentence(*, level: str, certainty: str, estimate: float, alliance: str, outcome: str) -> str:
    """One level of the service's answer in words, from its own word for how sure."""
    where = {
        "within_client": f"Sessions after which a client rates the {alliance} above their own usual",
        "between_client": f"Clients who rate the {alliance} higher than their clinician\u2019s other clients",
        "between_clinician": f"Clinicians whose clients rate the {alliance} higher than other clinicians\u2019 clients",
    }[level]
    if certainty == "too_few":
        return f"Too few ratings: {where[:1].lower() + where[1:]} cannot be compared."
    if certainty == "cannot_tell":
        return f"{where}: cannot tell whether the next {outcome} is better or worse."
    verb = "go with" if certainty == "clear" else "probably go with"
    return f"{where} {verb} a {'better' if estimate > 0 else 'worse'} next {outcome}."


def level_finding(certainty: str, *, side: str) -> str:
    """Beside how sure: whether clients rate the alliance apart from the service's."""
    if certainty in {"clear", "likely"}:
        return f"Clients rate the alliance {side} than the service\u2019s clients do."
    return "Whether clients rate the alliance apart from the service\u2019s clients."


def expected_finding(certainty: str, *, side: str) -> str:
    """Beside how sure: whether progress is apart from what was expected."""
    if certainty in {"clear", "likely"}:
        return f"Improvement is {side} what clients alike usually make."
    return "Whether improvement differs from what clients alike usually make."


def change_finding(certainty: str, *, direction: str | None) -> str:
    """Beside how sure: whether the alliance has changed."""
    if certainty in {"clear", "likely"}:
        return f"Alliance is {'higher' if direction == 'up' else 'lower'} than its usual range explains."
    return "Whether alliance has changed by more than months ordinarily do."


def link_finding(certainty: str, *, is_positive: bool) -> str:
    """Beside how sure: whether alliance goes with the next score here."""
    if certainty in {"clear", "likely"}:
        return f"A better alliance goes with a {'better' if is_positive else 'worse'} next score for these clients."
    return "Whether alliance goes with the next score for these clients."


def apart_finding(certainty: str, *, is_stronger: bool) -> str:
    """Beside how sure: whether the link differs from the service's."""
    if certainty in {"clear", "likely"}:
        return f"That link is {'stronger' if is_stronger else 'weaker'} than the service\u2019s."
    return "Whether that link differs from the service\u2019s."


def looked_at_sentence(*, shown: int, signs: int, withheld: int) -> str:
    """How many clinicians were looked at, how many show a sign, and how many are not shown."""
    seen = f"Of {words.counted(shown, 'clinician')} looked at, {signs} {'shows' if signs == 1 else 'show'} a sign that stands among so many"
    if withheld == 0:
        return f"{seen}."
    return f"{seen}; {withheld} more {'is' if withheld == 1 else 'are'} not shown because the group is small."


def service_link_title(measures: str, *, certainty: str, is_positive: bool) -> str:
    """The service's answer for one pair of measures."""
    said = words.link_title(certainty=certainty, is_positive=is_positive)
    return f"{measures}: {said[:1].lower() + said[1:]}" if measures else said


def answer_in_short(measures: str, *, certainty: str, is_positive: bool) -> str:
    """The service's answer to the question that its page asks, and how sure it is, in a line."""
    if certainty == "too_few":
        return "Too few ratings for an answer yet."
    if certainty == "cannot_tell":
        return f"Cannot tell yet whether a better alliance than usual goes with a better next score ({measures})."
    said = words.link_title(certainty=certainty, is_positive=is_positive)
    return f"{said} ({measures}): {words.certainty(certainty).lower()}."


def conversations_caption(*, listed: int, signed: int, looked_at: int) -> str:
    """How many are listed of how many with a sign, and what a reader may conclude."""
    return (
        f"{listed} of {words.counted(signed, 'clinician')} with a sign that stands among the {looked_at} looked at, by how sure and then by code; "
        "of such signs no more than one in twenty is expected to be chance. Prompts for supervision, not a comparison of people."
    )


def lost_among(why: str, *, looked_at: int) -> str:
    """A sign that does not stand among so many looked at."""
    return f"{why} Among {words.counted(looked_at, 'clinician')} looked at, chance alone could bring such a sign."
