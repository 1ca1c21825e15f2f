"""The official outcomes of NHS Talking Therapies: who counts, who recovered, out of whom, and how it is rounded.

Belongs here: caseness, finished courses, recovery, reliable improvement, recovery and deterioration by pairs of
measures, the official denominators, waiting times. Does not belong here: reliable change in general (`change`), small
numbers (`disclosure`), joins.

Higher is worse on every measure here. Sources: NHS Talking Therapies manual; NHS England's published metadata of the
annual report ("recovered out of finished less not at caseness"). Official wording compares with more than the
reliable change index (5.20 on the PHQ-9); on whole scores that is at least the next whole number, as declared here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import polars as pl

from assets.science.disclosure import percent_half_up
from assets.science.funnel import wilson_interval
from assets.science.instruments.model import Sourced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Stage = Literal["not ended", "ended before treatment", "ended treated once", "finished course"]
Rate = Literal["recovery", "reliable_recovery", "improvement", "deterioration", "no_reliable_change"]
RATES: Final[tuple[Rate, ...]] = get_args(Rate)

FINISHED_FROM: Final = Sourced(2, "NHS England metadata: at least two attended treatment appointments", "verified")
WAIT_LIMITS_DAYS: Final = Sourced(
    (42, 126), "NHS Talking Therapies: 6 and 18 weeks from referral to first treatment", "verified"
)
ATTENDED_CODES: Final = Sourced(("5", "6"), "NHS data dictionary: attended on time, attended late but seen", "verified")
TREATMENT_TYPES: Final = Sourced(("02", "03", "05"), "NHS England's SQL, the types that hold treatment", "verified")

_NHS, _MANUAL = "NHS Talking Therapies; trial record NCT05134103", "NHS Talking Therapies manual"


@dataclass(frozen=True, slots=True)
class OutcomeMeasure:
    """A measure an outcome pair is made of, with its official numbers in score units; higher is worse.

    Attributes:
        caseness: at caseness at or above it.
        reliable_change: a change of at least this is reliable.
    """

    id: str
    caseness: Sourced[float]
    reliable_change: Sourced[float]


def _recalled(measure_id: str, caseness: float, reliable_change: float) -> OutcomeMeasure:
    return OutcomeMeasure(
        measure_id, Sourced(caseness, _MANUAL, "recalled"), Sourced(reliable_change, _MANUAL, "recalled")
    )


PHQ_9: Final = OutcomeMeasure("PHQ-9", Sourced(10.0, _NHS, "verified"), Sourced(6.0, _NHS, "verified"))
GAD_7: Final = OutcomeMeasure("GAD-7", Sourced(8.0, _NHS, "verified"), Sourced(4.0, _NHS, "verified"))

ANXIETY_MEASURES: Final[Mapping[str, OutcomeMeasure]] = {
    each.id: each
    for each in (
        GAD_7,
        _recalled("SPIN", 19, 10),
        _recalled("PDSS", 8, 5),
        _recalled("MI", 2.3, 0.73),
        _recalled("OCI", 40, 32),
        _recalled("PCL-5", 32, 10),
        _recalled("IES-R", 33, 9),
        _recalled("HAI", 18, 4),
        _recalled("PSWQ", 45, 10),
    )
}
"""The second measure of a pair: GAD-7, or the one made for the client's problem (ADSM)."""

PROBLEM_MEASURES: Final[Mapping[str, tuple[str, ...]]] = {
    "F42": ("OCI",),
    "F400": ("MI",),
    "F401": ("SPIN",),
    "F410": ("PDSS",),
    "F431": ("PCL-5", "IES-R"),
    "F452": ("HAI",),
}
"""Which measure is made for which problem, by ICD-10 code without its point, the preferred first."""


PROBLEM_CODES: Final[Mapping[str, str]] = {
    "obsessive compulsive disorder": "F42",
    "ocd": "F42",
    "agoraphobia": "F400",
    "social anxiety": "F401",
    "social phobia": "F401",
    "panic disorder": "F410",
    "post-traumatic stress disorder": "F431",
    "ptsd": "F431",
    "health anxiety": "F452",
}
"""Problems as services write them, with their code."""


def anxiety_measure_for(problem: str | None, *, measured: Sequence[str]) -> str | None:
    """The measure that pairs with the PHQ-9: the one made for the problem where it was used, else the GAD-7.

    Args:
        problem: ICD-10 code, with or without its point (F42 holds its subdivisions), or one of `PROBLEM_CODES`' words.
            None and any other pair with the GAD-7.
        measured: ids of the measures filled in at start and end.

    Returns:
        A key of `ANXIETY_MEASURES`, or None where none that pairs was used. One problem's measure never stands in for
        another's.
    """
    written = (problem or "").strip()
    code = PROBLEM_CODES.get(written.casefold(), written.replace(".", "").upper())
    fitting = (measures for known, measures in PROBLEM_MEASURES.items() if code.startswith(known))
    candidates = (*next(fitting, ()), "GAD-7")
    return next((each for each in candidates if each in measured), None)


def anxiety_measure_expr(problem: pl.Expr, *, measured: Mapping[str, pl.Expr]) -> pl.Expr:
    """`anxiety_measure_for` for columns.

    Args:
        problem: ICD-10 code or one of `PROBLEM_CODES`' words.
        measured: by measure's id, whether it was filled in at start and end (boolean; null counts as not).

    Returns:
        String: a key of `ANXIETY_MEASURES`, or null where none that pairs was used.
    """
    written = problem.cast(pl.String).fill_null("").str.strip_chars()
    words = written.str.to_lowercase().replace_strict(PROBLEM_CODES, default=None, return_dtype=pl.String)
    code = words.fill_null(written.str.replace_all(".", "", literal=True).str.to_uppercase())
    fitting = [
        pl.when(code.str.starts_with(known) & measured[measure]).then(pl.lit(measure))
        for known, measures in PROBLEM_MEASURES.items()
        for measure in measures
        if measure in measured
    ]
    general = pl.when(measured["GAD-7"]).then(pl.lit("GAD-7")) if "GAD-7" in measured else pl.lit(None, dtype=pl.String)
    return pl.coalesce(*fitting, general)


def is_attended_expr(code: pl.Expr) -> pl.Expr:
    """Whether an attendance code says the client was seen; null where there is no code. Source: NHS data dictionary."""
    return code.cast(pl.String).is_in(list(ATTENDED_CODES.value))


def course_stage_expr(*, n_treatments: pl.Expr, has_ended: pl.Expr) -> pl.Expr:
    """How far a course came: one of `Stage`.

    Args:
        n_treatments: attended treatment appointments, follow-up left out; null counts as none.
        has_ended: whether the referral has ended; null counts as not.

    Source: NHS England, Talking Therapies annual report, metadata on finished courses.
    """
    n = n_treatments.fill_null(0)
    return (
        pl.when(~has_ended.fill_null(False))
        .then(pl.lit("not ended"))
        .when(n >= FINISHED_FROM.value)
        .then(pl.lit("finished course"))
        .when(n >= 1)
        .then(pl.lit("ended treated once"))
        .otherwise(pl.lit("ended before treatment"))
    )


def waited_within_expr(wait_days: pl.Expr, *, limit_days: int) -> pl.Expr:
    """Whether first treatment came within a limit, the limit itself included; null where there is no wait to judge.

    A negative wait, treatment before referral, is an error of the record and judged as null.
    """
    return pl.when(wait_days >= 0).then(wait_days <= limit_days)


def with_outcomes(
    courses: pl.DataFrame,
    *,
    stage: str,
    phq_first: str,
    phq_last: str,
    anxiety_first: str,
    anxiety_last: str,
    anxiety_measure: str,
) -> pl.DataFrame:
    """The courses with what the official rules make of them.

    Args:
        courses: one row a referral: the columns named below.
        stage: of `course_stage_expr`; only finished courses have an outcome.
        phq_first: first PHQ-9 score of the course.
        phq_last: last PHQ-9 score, another form than the first.
        anxiety_first: first score of the anxiety measure.
        anxiety_last: last score of the same measure.
        anxiety_measure: which one, a key of `ANXIETY_MEASURES`; null or unknown leaves the pair incomplete.

    Returns:
        The courses and these booleans, false for a course that is not finished: `is_finished`; `is_not_at_caseness`
        (both first scores there and below); `is_recovered` (at caseness on either at the start, below on both at the
        end); `is_improved` (either fell reliably and neither rose reliably); `is_deteriorated` (the reverse);
        `is_no_reliable_change` (both scores pairs there and neither of these); `is_reliably_recovered` (recovered and
        improved). All but `is_not_at_caseness` need all four scores; a score that is NaN is missing.

    Source: NHS England, Talking Therapies annual report, metadata; NHS Talking Therapies manual, on recovery.
    """
    key = pl.col(anxiety_measure).cast(pl.String)
    case = {each.id: each.caseness.value for each in ANXIETY_MEASURES.values()}
    reliable = {each.id: each.reliable_change.value for each in ANXIETY_MEASURES.values()}
    anxiety_case = key.replace_strict(case, default=None, return_dtype=pl.Float64)
    anxiety_limit = key.replace_strict(reliable, default=None, return_dtype=pl.Float64)
    # What is no number is missing: polars puts it above every threshold.
    phq_start, phq_end, anxiety_start, anxiety_end = (
        pl.col(name).cast(pl.Float64).fill_nan(None) for name in (phq_first, phq_last, anxiety_first, anxiety_last)
    )
    was_case = (phq_start >= PHQ_9.caseness.value) | (anxiety_start >= anxiety_case)
    is_case = (phq_end >= PHQ_9.caseness.value) | (anxiety_end >= anxiety_case)
    # Scores with decimals (MI 2.3 to 1.57) must not miss a threshold by a floating-point hair.
    phq_fall, anxiety_fall = (phq_start - phq_end).round(10), (anxiety_start - anxiety_end).round(10)
    fell = (phq_fall >= PHQ_9.reliable_change.value) | (anxiety_fall >= anxiety_limit)
    rose = (phq_fall <= -PHQ_9.reliable_change.value) | (anxiety_fall <= -anxiety_limit)
    finished = (pl.col(stage) == "finished course").fill_null(False)
    is_paired = finished & phq_fall.is_not_null() & anxiety_fall.is_not_null() & anxiety_case.is_not_null()
    recovered, improved, deteriorated = (
        is_paired & was_case & ~is_case,
        is_paired & fell & ~rose,
        is_paired & rose & ~fell,
    )
    flags = {
        "is_finished": finished,
        "is_not_at_caseness": finished & ~was_case,
        "is_recovered": recovered,
        "is_improved": improved,
        "is_deteriorated": deteriorated,
        "is_no_reliable_change": is_paired & ~improved & ~deteriorated,
        "is_reliably_recovered": recovered & improved,
    }
    return courses.with_columns(expression.fill_null(False).alias(name) for name, expression in flags.items())


@dataclass(frozen=True, slots=True)
class OfficialCounts:
    """Referrals counted as the annual report counts them."""

    finished: int
    not_at_caseness: int
    recovered: int
    reliably_recovered: int
    improved: int
    deteriorated: int
    no_reliable_change: int


@dataclass(frozen=True, slots=True)
class OfficialRate:
    """One official rate.

    Attributes:
        numerator, denominator: referrals.
        percent: rounded half up as published; None where there is nobody to count, and 0.0 where nobody of some was
            counted. low, high: Wilson 95% interval in percent, unrounded; None with the percent.
    """

    numerator: int
    denominator: int
    percent: float | None
    low: float | None
    high: float | None


def official_counts(courses: pl.DataFrame) -> OfficialCounts:
    """Counts of the courses `with_outcomes` gave, as the annual report defines each (NHS England metadata)."""
    names = ("finished", "not_at_caseness", "recovered", "reliably_recovered", "improved", "deteriorated")
    sums = {name: int(courses[f"is_{name}"].sum()) for name in (*names, "no_reliable_change")}
    return OfficialCounts(**sums)


def official_rates(counts: OfficialCounts, *, decimals: int) -> dict[Rate, OfficialRate]:
    """The five official rates with the official denominators.

    Args:
        counts: unrounded; a rate of rounded counts is another number.
        decimals: 1 for the national figure, 0 below it, as published.

    Returns:
        Recovery and reliable recovery out of finished less not at caseness, which is not the count at caseness;
        improvement, deterioration and no reliable change out of finished.

    Raises:
        ValueError: a count above its denominator, or a negative one.

    Source: NHS England, Talking Therapies annual report, metadata; eight years of it are reproduced in the tests.
    """
    started_as_case = counts.finished - counts.not_at_caseness
    parts: dict[Rate, tuple[int, int]] = {
        "recovery": (counts.recovered, started_as_case),
        "reliable_recovery": (counts.reliably_recovered, started_as_case),
        "improvement": (counts.improved, counts.finished),
        "deterioration": (counts.deteriorated, counts.finished),
        "no_reliable_change": (counts.no_reliable_change, counts.finished),
    }
    return {name: _rate(numerator, denominator, decimals=decimals) for name, (numerator, denominator) in parts.items()}


def official_effect_size(*, mean_start: float, mean_end: float, national_sd_start: float) -> float:
    """The published effect size: mean fall over England's standard deviation at the start; positive is better.

    Args:
        mean_start: mean first score of the service.
        mean_end: mean last score of the same clients.
        national_sd_start: England's standard deviation of first scores, not the service's own.

    Raises:
        ValueError: the standard deviation is not above 0, or a mean is missing.

    Source: NHS England, Talking Therapies annual report, metadata on effect sizes.
    """
    if not national_sd_start > 0:
        raise ValueError("The national standard deviation must be above zero.")
    if math.isnan(mean_start) or math.isnan(mean_end):
        raise ValueError("A mean is missing, so there is no effect size.")
    return (mean_start - mean_end) / national_sd_start


def _rate(numerator: int, denominator: int, *, decimals: int) -> OfficialRate:
    if not 0 <= numerator <= denominator:
        raise ValueError("A count lies between 0 and its denominator.")
    if denominator == 0:
        return OfficialRate(numerator, denominator, None, None, None)
    low, high = wilson_interval(numerator, denominator, confidence=0.95)
    percent = percent_half_up(numerator, denominator, decimals=decimals)
    return OfficialRate(numerator, denominator, percent, 100 * float(low), 100 * float(high))
