"""Sentences about published rates: what they come to, how sure, and by whose rule.

Belongs here: wording of rates, method badges, effect sizes and milestones. Does not belong here: what a rate counts, which
its declaration says (`assets.contracts.rates`), and how numbers are written (`words`).
"""

from collections.abc import Mapping
from typing import Any, Final

from dashboards import words

BADGES: Final = {
    "holds": "The same by every rule",
    "depends_on_method": "Depends on the rule",
    "cannot_tell": "Cannot tell by any rule",
    "too_few": "Too few to ask",
}
RULES: Final = {
    "JT": "Jacobson-Truax",
    "EN": "Edwards-Nunnally",
    "HA": "Hageman-Arrindell",
    "threshold": "Published threshold (NHS)",
    "GLN": "Gulliksen-Lord-Novick",
    "HLL": "Hsu-Linn-Lord, beyond the average change",
    "NK": "Nunnally-Kotsch",
}
SHORT_RULES: Final = {
    "JT": "Jacobson-<br>Truax",
    "EN": "Edwards-<br>Nunnally",
    "HA": "Hageman-<br>Arrindell",
    "threshold": "Published<br>threshold",
}
CONCLUSIONS: Final = {"above": "Above", "below": "Below", "cannot_tell": "Cannot tell"}
MILESTONES: Final = {
    "first_reliable_improvement": "First reliable improvement",
    "crossed_cut_off": "Crossed the cut-off to the healthy side",
    "sudden_gain": "A sudden gain between two sessions",
    "repaired_rupture": "An alliance dip repaired",
    "sudden_loss": "A sudden loss between two sessions",
}
STATUSES: Final = {"verified": "Verified", "recalled": "Recalled", "local": "Local", "absent": "Not found"}
_FACTS: Final = {
    "alpha": "Reliability (alpha)",
    "test_retest": "Reliability (test and retest)",
    "cut_off": "Cut-off",
    "reliable_change": "Reliable change",
    "clinical_norm": "Norm, clients",
    "functional_norm": "Norm, others",
    "n_items": "Items",
    "item_range": "Range of an answer",
    "missing": "Answers that may be left out",
    "scoring": "Scoring",
    "reversed_items": "Reversed items",
}
RECALLED_MARK: Final = "\u2020"


def fact_name(fact: str) -> str:
    """What a number of a measure is, in words."""
    return _FACTS.get(fact, fact.replace("_", " ").replace(".", ", "))


def published(percent: float | None, *, is_too_few: bool) -> str:
    """A rate as published."""
    return "Too few" if is_too_few or percent is None else f"{words.decimal(percent)}%"


def of_counts(numerator: int, denominator: int) -> str:
    """What a rate was counted from."""
    return f"{numerator:,} of {denominator:,}"


def measured(complete: int, eligible: int) -> str:
    """How many of those who should have been measured were."""
    return f"{words.percent(complete / eligible)} ({complete:,} of {eligible:,})" if eligible else "nobody"


def official_title(*, percent: float | None, low: float | None, high: float | None) -> str:
    """The finding on the national rates."""
    if percent is None or low is None or high is None:
        return "Too few finished courses of treatment for the national rates"
    return f"{words.decimal(percent)}% moved to recovery (95% range {words.percent_between(low, high)}), by the national definition"


def change_title(
    instrument: str, *, percent: float | None, low: float | None, high: float | None, badge: str, conclusion: str | None
) -> str:
    """Reliable improvement on the main measure, and whether the conclusion depends on the rule."""
    if percent is None or low is None or high is None:
        return "Too few ended courses with two scores to give a rate of improvement"
    said = f"{instrument}: {words.decimal(percent)}% reliably improved (95% range {words.percent_between(low, high)})"
    if badge == "holds" and conclusion in {"above", "below"}:
        return f"{said}; {conclusion} the benchmark whichever rule counts"
    return f"{said}; {'against the benchmark it depends on the rule' if badge == 'depends_on_method' else 'cannot tell whether above or below the benchmark'}"


def rules_title(instrument: str, *, badge: str) -> str:
    """Whether a conclusion on improvement depends on the rule that counts."""
    return {
        "holds": f"{instrument}: all four rules for reliable change lead to the same conclusion",
        "depends_on_method": f"{instrument}: the conclusion on improvement depends on the rule for reliable change",
        "cannot_tell": f"{instrument}: by none of four rules can the rate be told from its benchmark",
        "too_few": f"{instrument}: too few courses to ask whether the rule matters",
    }[badge]


def drop_out_title(*, lowest: float | None, highest: float | None) -> str:
    """How far the four definitions lie apart."""
    if lowest is None or highest is None:
        return "Too few ended episodes to say how many dropped out"
    return f"Between {words.percent(lowest)} and {words.percent(highest)} of ended episodes were drop-outs, by definition; each has its range below"


def attendance_title(*, percent: float | None, low: float | None, high: float | None) -> str:
    """Appointments missed without notice."""
    if percent is None or low is None or high is None:
        return "Too few appointments to give rates of attendance"
    return f"{words.decimal(percent)}% of appointments were missed without notice (95% range {words.percent_between(low, high)})"


def waits_title(*, percent: float | None, low: float | None, high: float | None) -> str:
    """First sessions within six weeks."""
    if percent is None or low is None or high is None:
        return "How long people waited from referral to a first session"
    return f"{words.decimal(percent)}% had a first session within 6 weeks of referral (95% range {words.percent_between(low, high)})"


def in_short(row: Mapping[str, Any] | None) -> str:
    """A rate inside a sentence: per cent, its range and its counts."""
    if row is None:
        return "too few to say"
    percent = published(row["published_percent"], is_too_few=row["is_too_few"])
    counts = of_counts(row["numerator"], row["denominator"])
    return f"{percent} ({words.percent_between(row['low'], row['high'])}; {counts})"


def closer_words(measure: str) -> str:
    """What the funnel behind the filters shows."""
    return f"Share of clients reliably improved on the {measure}, over all ended courses on record; sizes to the nearest five."


def milestones_title(*, reached: int, total: int, low: float, high: float) -> str:
    """How many of a clinician's cases reached something worth celebrating."""
    share = words.percent(reached / total)
    return f"{reached} of {words.counted(total, 'case')} reached a milestone in the period ({share}, 95% range {words.percent_between(low, high)})"


def recalled_note(facts: dict[str, str]) -> str:
    """The footnote to figures that rest on numbers nobody has checked against their source; empty without any.

    Args:
        facts: what each is, to whose number it is.
    """
    if not facts:
        return ""
    said = words.listed([f"the {instrument}\u2019s {fact}" for instrument, fact in facts.items()])
    verb = "is" if len(facts) == 1 else "are"
    return f" {RECALLED_MARK} {said[:1].upper()}{said[1:]} {verb} recalled, not yet checked against the source."
