"""What may be said of one clinician's clients' progress: one verdict a comparison, for card, panel, prompt and picture.

Belongs here: the two comparisons in words, and which of them leads. Does not belong here: either comparison
(`assets.estimates.progress`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from dashboards import words


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One comparison in a title, a tag, a tone and a word for how sure."""

    title: str
    tag: str
    tone: str
    certainty: str
    is_to_learn: bool


def rate_verdict(row: dict[str, Any] | None) -> Verdict:
    """The rate of reliable improvement against the funnel, from a row of `analysis.clinician_progress`."""
    if row is None or row["funnel_rule"] == "too_few" or row["improved_rate"] is None:
        title = words.progress_title(rule="too_few", is_above=False, rate=None, count=0, low=None, high=None)
        return Verdict(title=title, tag="Too few to say", tone="ordinary", certainty="too_few", is_to_learn=False)
    is_above = row["improved_rate"] > row["service_rate"]
    title = words.progress_title(
        rule=row["funnel_rule"],
        is_above=is_above,
        rate=row["improved_rate"],
        count=row["evaluable"],
        low=row["low"],
        high=row["high"],
    )
    if row["funnel_rule"] == "within":
        tag = "Chance could explain it"
        return Verdict(title=title, tag=tag, tone="ordinary", certainty="cannot_tell", is_to_learn=False)
    certainty = "clear" if row["funnel_rule"] == "outside_998" else "likely"
    return Verdict(
        title=title,
        tag=f"{words.certainty(certainty)}: {'above' if is_above else 'below'} the service",
        tone="better" if is_above else "worse",
        certainty=certainty,
        is_to_learn=is_above,
    )


def expected_verdict(row: dict[str, Any] | None, *, flagged: Collection[tuple[str, str, str]]) -> Verdict:
    """Progress against clients alike at the site.

    Args:
        row: A row of `analysis.clinician_adjusted_progress`, or None.
        flagged: Code, signal and measure of every comparison that stands among all of them; others carry no colour.
    """
    if row is None or row["certainty"] == "too_few" or any(row[name] is None for name in ("estimate", "low", "high")):
        title = "Too few finished courses of treatment to compare progress with what was expected"
        return Verdict(title=title, tag="Too few to say", tone="ordinary", certainty="too_few", is_to_learn=False)
    points, low, high = (row[name] for name in ("estimate", "low", "high"))
    certainty = row["certainty"]
    if certainty == "cannot_tell":
        title = "Cannot tell whether progress differs from what clients alike usually make"
        return Verdict(
            title=title, tag="Chance could explain it", tone="ordinary", certainty=certainty, is_to_learn=False
        )
    is_ahead = points > 0
    is_marked = (row["clinician_id"], "adjusted_progress", row["instrument"]) in flagged
    return Verdict(
        title=words.expected_title(certainty=certainty, points=points, low=low, high=high),
        tag=f"{words.certainty(certainty)}: {'ahead of' if is_ahead else 'behind'} expected"
        if is_marked
        else "Chance could, among so many",
        tone=("better" if is_ahead else "worse") if is_marked else "ordinary",
        certainty=certainty,
        is_to_learn=is_ahead and is_marked,
    )
