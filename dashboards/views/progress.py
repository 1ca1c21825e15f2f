"""What may be said of one clinician's clients' progress: one verdict for card, panel, prompt and picture.

Belongs here: which of two comparisons speaks. Does not belong here: either comparison (`assets.estimates.progress`).
"""

from dataclasses import dataclass
from typing import Any

from dashboards import words


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One clinician's progress in a title, a tag, a tone and a word for how sure."""

    title: str
    tag: str
    tone: str
    certainty: str
    is_to_learn: bool


def progress_verdict(row: dict[str, Any] | None) -> Verdict:
    """The verdict on a row of `analysis.clinician_progress`.

    The rate against the funnel speaks where it lies outside; else progress against clients with the same first score,
    where that is clear or likely; else chance.
    """
    if row is None or row["funnel_rule"] == "too_few" or row["improved_rate"] is None:
        title = words.progress_title(rule="too_few", is_above=False, rate=None, count=0, low=None, high=None)
        return Verdict(title=title, tag="Too few to say", tone="ordinary", certainty="too_few", is_to_learn=False)
    is_above = row["improved_rate"] > row["service_rate"]
    expected = row["expected_difference"]
    low, high = row["expected_difference_low"], row["expected_difference_high"]
    if row["funnel_rule"] == "within" and row["certainty"] in {"clear", "likely"} and None not in (expected, low, high):
        is_ahead = expected > 0
        return Verdict(
            title=words.expected_title(certainty=row["certainty"], points=expected, low=low, high=high),
            tag=f"{words.certainty(row['certainty'])}: {'ahead of' if is_ahead else 'behind'} expected",
            tone="better" if is_ahead else "worse",
            certainty=row["certainty"],
            is_to_learn=is_ahead,
        )
    title = words.progress_title(
        rule=row["funnel_rule"],
        is_above=is_above,
        rate=row["improved_rate"],
        count=row["evaluable"],
        low=row["low"],
        high=row["high"],
    )
    if row["funnel_rule"] == "within":
        return Verdict(
            title=title, tag="Chance could explain it", tone="ordinary", certainty="cannot_tell", is_to_learn=False
        )
    certainty = "clear" if row["funnel_rule"] == "outside_998" else "likely"
    return Verdict(
        title=title,
        tag=f"{words.certainty(certainty)}: {'above' if is_above else 'below'} the service",
        tone="better" if is_above else "worse",
        certainty=certainty,
        is_to_learn=is_above,
    )
