"""Every sentence that pages say, from verdicts and numbers to words.

Belongs here: wording, and how numbers, days and shares are written. Does not belong here: any decision about what is
the case; a sentence is given its verdict and never looks at the data. Nothing here ranks people or says that one thing
causes another.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

CERTAINTY: Final = {"clear": "Clear", "likely": "Likely", "cannot_tell": "Cannot tell", "too_few": "Too few"}
MEANING_OF_CERTAINTY: Final = {
    "clear": "97.5% or more sure which way it goes.",
    "likely": "90% or more sure which way it goes.",
    "cannot_tell": "Less sure than that: chance alone could explain it.",
    "too_few": "Too few clients or sessions to say anything.",
}
LEVELS: Final = {
    "within_client": "Within a client: sessions after a better alliance than their own usual",
    "between_client": "Between clients: those who rate the alliance higher on average",
    "between_clinician": "Between clinicians: those whose clients rate the alliance higher on average",
}
FEEDS: Final = {
    "attendance": "Attendance",
    "alliance": "Alliance ratings",
    "outcomes": "Outcome ratings",
    "episodes": "Episodes",
    "people": "People",
    "clinicians": "Clinicians",
}
RULES: Final = {
    "outside_limits": "a month outside the usual range",
    "trend": "seven months moving the same way",
    "two_of_three": "two of three months near a limit",
    "one_side": "seven months on one side of the usual level",
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")


def decimal(value: float | None, *, places: int = 1) -> str:
    """A number with a true minus; an empty one says so."""
    if value is None:
        return "none"
    text = f"{value:.{places}f}"
    if float(text) == 0:
        text = f"{0:.{places}f}"
    return text.replace("-", "\u2212")


def signed(value: float | None, *, places: int = 1) -> str:
    """A difference with its sign."""
    text = decimal(value, places=places)
    return text if value is None or text.startswith("\u2212") or float(text) == 0 else f"+{text}"


def percent(share: float | None, *, beside: float | None = None) -> str:
    """A share in per cent; with a decimal where rounding would set it on the wrong side of what it stands beside."""
    if share is None:
        return "none"
    whole = f"{share * 100:.0f}"
    if beside is not None and share != beside and float(whole) == round(beside * 100):
        return f"{share * 100:.1f}%"
    return f"{whole}%"


def between(low: float | None, high: float | None, *, places: int = 1) -> str:
    """A range of numbers."""
    return "none" if low is None or high is None else f"{decimal(low, places=places)} to {decimal(high, places=places)}"


def percent_between(low: float | None, high: float | None) -> str:
    """A range of shares, in per cent; with a decimal where whole ones would make it a point."""
    if low is None or high is None:
        return "none"
    places = 1 if low < high and f"{low * 100:.0f}" == f"{high * 100:.0f}" else 0
    return f"{low * 100:.{places}f} to {high * 100:.{places}f}%"


def day(when: date) -> str:
    """A day in full."""
    return f"{when.day} {(*_LONG, 'December')[when.month - 1]} {when.year}"


def month(when: date) -> str:
    """A month, short."""
    return f"{_MONTHS[when.month - 1]} {when.year}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def certainty(word: str) -> str:
    """How sure, in the words that every page uses."""
    return CERTAINTY[word]


def listed(names: Sequence[str]) -> str:
    """Names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def change_title(
    subject: str,
    *,
    certainty: str,
    direction: str | None,
    since: date | None,
    is_small: bool,
    ended: date | None = None,
) -> str:
    """The title of a chart over time: the finding itself."""
    if certainty == "too_few":
        return f"Too few months to see how {subject} usually runs"
    if certainty == "cannot_tell" or direction is None or since is None:
        if ended is not None:
            return f"{_capital(subject)}: within the usual range now; the last sign of change was in {month(ended)}"
        return f"{_capital(subject)}: no change beyond chance"
    way = "higher" if direction == "up" else "lower"
    surely = "" if certainty == "clear" else " probably"
    tail = ", but the difference is small" if is_small else ""
    return f"{_capital(subject)}{surely} {way} than usual since {month(since)}{tail}"


def change_tag(*, certainty: str, direction: str | None, since: date | None, is_small: bool) -> str:
    """The same verdict in a table's few words."""
    if certainty == "too_few":
        return "Too few months"
    if certainty == "cannot_tell" or direction is None or since is None:
        return "No change beyond chance"
    way = "Higher" if direction == "up" else "Lower"
    if is_small:
        return f"{way}, but small"
    return f"{'' if certainty == 'clear' else 'Likely '}{way if certainty == 'clear' else way.lower()} since {month(since)}"


def rule_sentence(rule: str | None) -> str:
    """The rule that named a change; empty where none did."""
    return f"The sign: {RULES[rule]}." if rule else ""


def assurance(word: str | None) -> str:
    """Whether a standard would be met if nothing changed."""
    return {
        "yes_consistently": "Yes, consistently",
        "some_months": "Some months",
        "no_unless_something_changes": "No, unless something changes",
        None: "No standard set",
    }[word]


def link_title(*, certainty: str, is_positive: bool) -> str:
    """Whether alliance goes with progress for one clinician's clients, or for the service."""
    if certainty == "too_few":
        return "Too few ratings to say whether alliance goes with progress"
    if certainty == "cannot_tell":
        return "Cannot tell whether a better alliance goes with better progress"
    surely = "goes" if certainty == "clear" else "probably goes"
    return f"A better alliance than usual {surely} with {'better' if is_positive else 'worse'} progress next session"


def progress_title(
    *, rule: str, is_above: bool, rate: float | None, count: int, low: float | None, high: float | None
) -> str:
    """Where a clinician's rate of reliable improvement stands against the funnel."""
    if rule == "too_few" or rate is None:
        return "Too few finished courses of treatment to give a rate of improvement"
    stands = f"{percent(rate)} of {counted(count, 'client')} reliably improved (95% range {percent_between(low, high)})"
    if rule == "within":
        return f"{stands}: chance alone could explain the difference"
    side = "above" if is_above else "below"
    surely = "beyond what chance explains" if rule == "outside_998" else "probably beyond chance"
    return f"{stands}: {side} the service, {surely}"


def funnel_title(*, outside: int, total: int, outcome: str, inner: int) -> str:
    """What the funnel of all clinicians says."""
    if total == 0:
        return "Too few finished courses of treatment to compare improvement"
    if outside == 0:
        if inner == 0:
            return f"{outcome}: chance alone could explain all {total} improvement rates"
        verb = "lies" if inner == 1 else "lie"
        return f"{outcome}: no improvement rate of {total} lies outside the outer band; {inner} {verb} outside the inner one"
    return f"{outcome}: {outside} of {counted(total, 'clinician')} {'lies' if outside == 1 else 'lie'} outside the outer band, where chance is unlikely"


def links_title(*, certain: int, total: int, differing: int) -> str:
    """What the steadied links of all clinicians say."""
    if total == 0:
        return "Too few ratings to say for any clinician whether alliance goes with progress"
    differ = (
        "none differs surely from the service"
        if differing == 0
        else f"{differing} {'differs' if differing == 1 else 'differ'} from the service"
    )
    return f"Alliance goes with progress, clearly or likely, for {certain} of {counted(total, 'clinician')}; {differ}"


def quadrant_title(*, both_high: int, both_low: int, total: int) -> str:
    """What the picture of alliance by progress says."""
    if total == 0:
        return "Too few clinicians to set alliance beside progress"
    if both_high == both_low == 0:
        return "No clinician stands out on both alliance and progress"
    parts = []
    if both_high:
        parts.append(f"{counted(both_high, 'clinician')} with a stronger alliance and progress ahead of expected")
    if both_low:
        parts.append(f"{counted(both_low, 'clinician')} with a weaker alliance and progress behind expected")
    return _capital(" and ".join(parts))


def service_headline(*, concerns: Sequence[str], improvements: Sequence[str], withheld: bool, of: str) -> str:
    """What changed, in one sentence."""
    if withheld:
        return "Too few clients to say anything without saying it of someone"
    if concerns:
        return f"Worth a look: {listed(concerns)}."
    if improvements:
        return f"Better than usual: {listed(improvements)}. Nothing has become worse beyond chance."
    return f"{of} is steady: no measure has changed beyond chance by enough to matter."


def recording_sentence(share: float | None, standard: float | None, *, what: str) -> str:
    """How completely something is recorded, against its standard."""
    if share is None:
        return f"No session in the period could have had {what}."
    said = f"{percent(share, beside=standard)} of sessions have {what}"
    if standard is None:
        return f"{said}; no standard is set."
    return f"{said}, {'at or above' if share >= standard else 'below'} the standard of {percent(standard)}."


def dips_title(*, waiting: int) -> str:
    """Whether open clients have an alliance dip that is not made good."""
    if waiting == 0:
        return "No open client has a recent alliance dip without repair"
    verb = "has" if waiting == 1 else "have"
    return f"{counted(waiting, 'open client')} {verb} an alliance dip not yet repaired"


def trajectories_title(*, behind: int, total: int) -> str:
    """How open clients are doing so far."""
    if total == 0:
        return "No open client has two or more scores yet"
    if behind == 0:
        return f"None of {counted(total, 'open client')} is reliably worse than at the start"
    return (
        f"{behind} of {counted(total, 'open client')} {'is' if behind == 1 else 'are'} reliably worse than at the start"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def expected_title(*, certainty: str, points: float, low: float, high: float) -> str:
    """Progress against clients alike at the same site."""
    surely = "" if certainty == "clear" else "probably "
    side = "more" if points > 0 else "less"
    near, far = sorted((low, high), key=abs)
    if low * high >= 0:
        reach = between(abs(near), abs(far))
    else:
        sides = [f"{decimal(abs(end))} {'more' if end > 0 else 'less'}" for end in (far, near)]
        reach = f"{sides[0]} to {sides[1]}"
    return f"Clients {surely}improve {decimal(abs(points))} points {side} than clients alike (95% range {reach})"


def score(value: float) -> str:
    """A form's score: whole where the form gives whole points."""
    return decimal(value, places=0 if float(value).is_integer() else 1)


def slope(value: float | None) -> str:
    """Outcome points for a tenth of the alliance scale."""
    return decimal(value, places=2)


def slope_between(low: float | None, high: float | None) -> str:
    """A range of outcome points for a tenth of the alliance scale."""
    return between(low, high, places=2)
