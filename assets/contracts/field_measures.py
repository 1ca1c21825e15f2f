"""What the tables promise that measure as the field does: rates, change by every method, milestones, drop-out, charts.

Belongs here: tables of the analysis layer that follow published definitions. Does not belong here: what the service's own
models estimate (`assets.contracts.analysis`), formulas (`assets.science`), or the rates (`assets.contracts.rates`).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table
from assets.contracts.rates import METRICS, WATCHED_RATES

STATUSES = ("verified", "recalled", "local", "absent")
DIRECTIONS = ("higher_is_better", "higher_is_worse")
STAGES = ("not_ended", "ended_before_treatment", "ended_treated_once", "finished_course")
WAITS = ("seen", "ended_unseen", "waiting")
RULES = ("JT", "GLN", "HLL", "EN", "NK", "HA", "threshold")
CONCLUSIONS = ("above", "below", "cannot_tell")
BADGES = ("holds", "depends_on_method", "cannot_tell", "too_few")
EFFECTS = ("d_intake", "smcr", "smcc", "d_ppc2")
FUNNEL_RULES = ("within", "outside_95", "outside_998", "too_few")
MILESTONES = ("sudden_gain", "sudden_loss", "first_reliable_improvement", "crossed_cut_off", "repaired_rupture")
MONTHLY_MEASURES = ("alliance_mean", *WATCHED_RATES)
POINT_CLASSES = ("common_cause", "improvement", "concern", "neutral_high", "neutral_low", "no_value", "no_limits")
POINT_RULES = ("outside_limits", "trend", "two_of_three", "one_side")
ASSURANCES = ("yes_consistently", "some_months", "no_unless_something_changes")

_INSTRUMENT_OR_ALL = Column(
    name="instrument",
    kind=Kind.IDENTIFIER,
    meaning="The measure that the row is about, by its id in the instrument registry; `all` where it is about none.",
)
_EPISODE = (v.EPISODE_ID, v.CASE_ID, v.optional(v.CLINICIAN_ID), v.SITE, v.PROGRAMME)


INSTRUMENTS = Table(
    layer="analysis",
    name="instruments",
    meaning="Every number that is known of every measure, with its source and how far it is trusted.",
    key=("instrument", "fact"),
    columns=(
        v.INSTRUMENT,
        v.word("kind", v.RATING_KINDS, "Whether the instrument measures alliance or outcome."),
        v.word("direction", DIRECTIONS, "Whether a higher score is better or worse."),
        Column(name="fact", kind=Kind.TEXT, meaning="What the number is, such as cut_off or subscales.bond.items."),
        Column(name="value", kind=Kind.TEXT, meaning="The number, as text."),
        Column(name="source", kind=Kind.TEXT, meaning="Where it was found."),
        v.word(
            "status",
            STATUSES,
            "verified: seen in the source named; recalled: not yet checked against it; local: the clinic's own; "
            "absent: not declared, for the reason given as source.",
        ),
    ),
)
COURSES = Table(
    layer="analysis",
    name="courses",
    meaning="What NHS Talking Therapies' official rules make of each episode: stage, wait, and the pair of outcome measures.",
    key=("episode_id",),
    holds_people=True,
    columns=(
        *_EPISODE,
        v.ENDED_ON,
        v.word("stage", STAGES, "How far the course came; two attended appointments make a finished course."),
        Column(
            name="wait_days",
            kind=Kind.INTEGER,
            unit="days",
            is_required=False,
            meaning="Days from referral to the first session; empty while either is missing.",
        ),
        Column(
            name="anxiety_measure",
            kind=Kind.IDENTIFIER,
            is_required=False,
            meaning="The measure that pairs with the PHQ-9: the one made for the problem where it was used, else the GAD-7.",
        ),
        v.number("phq_first", "First PHQ-9 score of the episode.", unit="points"),
        v.number("phq_last", "Last PHQ-9 score of the episode, of another form than the first.", unit="points"),
        v.number("anxiety_first", "First score of the anxiety measure.", unit="points"),
        v.number("anxiety_last", "Last score of the anxiety measure.", unit="points"),
        v.flag("uses_pair", "Whether the site measures any episode with the PHQ-9 and an anxiety measure."),
        v.flag("is_paired", "Whether the course is finished and has all four scores."),
        v.flag("is_finished", "Whether the course ended after two or more sessions."),
        v.flag("is_not_at_caseness", "Whether a finished course began below caseness on both measures."),
        v.flag("is_recovered", "Whether a finished course began at caseness on either and ended below on both."),
        v.flag("is_improved", "Whether either score fell reliably and neither rose reliably."),
        v.flag("is_deteriorated", "Whether either score rose reliably and neither fell reliably."),
        v.flag("is_no_reliable_change", "Whether all four scores are there and neither of the two holds."),
        v.flag("is_reliably_recovered", "Whether it recovered and improved reliably."),
    ),
)
DROP_OUT = Table(
    layer="analysis",
    name="drop_out",
    meaning="Whether each episode ended in drop-out, under four definitions side by side; open episodes are censored.",
    key=("episode_id",),
    holds_people=True,
    columns=(
        *_EPISODE,
        v.flag(
            "is_open", "Whether the episode had not ended by the data date, so that no definition has an answer yet."
        ),
        v.ENDED_ON,
        v.END_REASON,
        v.count("sessions", "Appointments attended."),
        v.answer("is_judged_unplanned", "Whether the clinician recorded an unplanned end; empty where nobody said."),
        v.answer("has_few_sessions", "Whether it ended before the third session."),
        v.answer(
            "ended_on_missed",
            "Whether its last appointment was missed and none was booked after it; the clinic's own cancellations aside.",
        ),
        v.answer(
            "has_no_reliable_improvement",
            "Whether no measure of any of its clients improved reliably; empty where none could be judged.",
        ),
    ),
)
EPISODE_GAPS = Table(
    layer="analysis",
    name="episode_gaps",
    meaning="How long each episode waited for its first session, and the gaps between its sessions.",
    key=("episode_id",),
    holds_people=True,
    columns=(
        *_EPISODE,
        Column(
            name="wait_days",
            kind=Kind.INTEGER,
            unit="days",
            minimum=0,
            is_required=False,
            meaning="Days from referral to the first session, else to the end, else so far; empty without a referral before it.",
        ),
        v.word("wait_outcome", WAITS, "Whether the case was seen, ended unseen, or is still waiting."),
        v.count("sessions", "Appointments attended."),
        v.number(
            "median_gap_days", "The middle of the gaps between its sessions; empty with one session.", unit="days"
        ),
        v.number("longest_gap_days", "The longest of the gaps; empty with one session.", unit="days"),
    ),
)
MILESTONES_REACHED = Table(
    layer="analysis",
    name="milestones",
    meaning="Moments in a course of scores: sudden gains and losses, first reliable improvement, crossing the cut-off, a repaired rupture.",
    key=("client_id", "episode_id", "instrument", "milestone", "session_number"),
    holds_people=True,
    columns=(
        v.CLIENT_ID,
        v.EPISODE_ID,
        v.optional(v.CLINICIAN_ID),
        v.SITE,
        v.PROGRAMME,
        v.INSTRUMENT,
        v.word("milestone", MILESTONES, "What happened."),
        Column(name="session_number", kind=Kind.INTEGER, minimum=1, meaning="The session whose score first shows it."),
        v.number("score_before", "For a sudden change, the score of the session before.", unit="points"),
        v.number("score_after", "For a sudden change, the score of the session itself.", unit="points"),
        v.answer(
            "is_held",
            "Whether it lasted: no later score fell back over the line, or over half of a sudden change; empty for ruptures.",
        ),
    ),
)
CHANGE_METHODS = Table(
    layer="analysis",
    name="change_methods",
    meaning="The rate of reliable improvement of ended episodes under every rule, and whether a conclusion depends on the rule.",
    key=("scope", "scope_name", "instrument", "rule"),
    columns=(
        *v.SCOPE,
        v.INSTRUMENT,
        v.word(
            "rule",
            RULES,
            "JT: Jacobson-Truax; GLN: Gulliksen-Lord-Novick; HLL: Hsu-Linn-Lord, beyond the group's own mean change; EN: Edwards-Nunnally; NK: Nunnally-Kotsch; "
            "HA: Hageman-Arrindell; threshold: a change of at least the measure's published number.",
        ),
        v.flag("is_in_badge", "Whether the badge asks this rule: JT, EN, HA and threshold."),
        v.count("episodes", "Ended episodes with at least one form of the measure, one for each client."),
        v.count("pairs", "Of these, those with a first and a last score."),
        v.count("improved", "Of these, those reliably improved by the rule."),
        v.share("rate", "Reliably improved as a share of the pairs; empty where they are too few."),
        v.share("low", "Lower end of the rate's 95% interval."),
        v.share("high", "Upper end of the rate's 95% interval."),
        v.number(
            "intake_sd", "Standard deviation of scores at the start, over the whole service's pairs.", unit="points"
        ),
        v.number("reliability", "The measure's reliability that the rule used.", unit="coefficient"),
        v.share("benchmark", "What the rate is held against: the service's standard, else the service's own rate."),
        v.word("conclusion", CONCLUSIONS, "Where the whole interval lies against the benchmark."),
        v.word("badge", BADGES, "Whether every rule that the badge asks concludes the same."),
    ),
)
EFFECT_SIZES = Table(
    layer="analysis",
    name="effect_sizes",
    meaning="Average change of ended episodes in standard deviations, positive is better; the kinds are not comparable.",
    key=("scope", "scope_name", "instrument", "effect"),
    columns=(
        *v.SCOPE,
        v.INSTRUMENT,
        v.word(
            "effect",
            EFFECTS,
            "d_intake: over the spread at the start; smcr: the same, corrected for few; smcc: over the spread of the changes; "
            "d_ppc2: change beyond the rest of the service's, over their common spread at the start (Morris 2008).",
        ),
        v.count("episodes", "Ended episodes with at least one form of the measure, one for each client."),
        v.count("pairs", "Of these, those with a first and a last score."),
        v.number("estimate", "The effect; empty where the pairs are too few.", unit="standard deviations"),
        v.number("low", "Lower end of the 95% interval."),
        v.number("high", "Upper end of the 95% interval."),
        v.flag("is_too_few", "Whether there are fewer clients than the service's smallest group."),
    ),
)
IMPROVEMENT_RATIOS = Table(
    layer="analysis",
    name="improvement_ratios",
    meaning="Each clinician's reliably improved ended episodes over those expected where clients began as badly, with funnel limits.",
    key=("clinician_id", "instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.count("clients", "Different clients with an ended episode and both scores."),
        v.count("evaluable", "Ended episodes with a first and a last score."),
        v.count("observed", "Of these, reliably improved."),
        v.number("expected", "Improved, had each the service's share for its band of first scores.", unit="episodes"),
        v.number(
            "ratio",
            "Observed over expected; 1 is the service's own, more is better. Empty where too few.",
            unit="ratio",
        ),
        v.number("low", "Lower end of the ratio's 95% interval.", unit="ratio"),
        v.number("high", "Upper end of the ratio's 95% interval.", unit="ratio"),
        v.number("limit_low_95", "Lower 95% funnel limit around 1.", unit="ratio"),
        v.number("limit_high_95", "Upper 95% funnel limit around 1.", unit="ratio"),
        v.number("limit_low_998", "Lower 99.8% funnel limit around 1.", unit="ratio"),
        v.number("limit_high_998", "Upper 99.8% funnel limit around 1.", unit="ratio"),
        v.number(
            "phi",
            "How much more clinicians differ than chance makes them; 1 is chance (Spiegelhalter 2005).",
            unit="ratio",
        ),
        v.number("tau2", "Variance between clinicians on the square root of the ratio.", unit="squared root ratio"),
        v.flag("is_adjusted", "Whether the limits are widened by it."),
        v.word(
            "funnel_rule", FUNNEL_RULES, "Where the ratio stands against the funnel; a reason to look, never a verdict."
        ),
    ),
)
RATES = Table(
    layer="analysis",
    name="rates",
    meaning="Every published rate over the period that pages show, counted as its declaration says.",
    key=("metric", "scope", "scope_name", "instrument"),
    columns=(
        v.word("metric", tuple(metric.id for metric in METRICS), "Which rate; its definition is in this dictionary."),
        *v.SCOPE,
        _INSTRUMENT_OR_ALL,
        v.count("numerator", "Things counted."),
        v.count("denominator", "What they are out of."),
        v.count("eligible", "Things that should have been measured."),
        v.count("complete", "Of these, those that were."),
        v.share("completeness", "Complete as a share of the eligible."),
        v.count("cases", "Different cases in the denominator."),
        v.share("rate", "Numerator as a share of the denominator, not rounded; empty where nobody is counted."),
        v.share("low", "Lower end of the rate's 95% interval; appointments of one client are taken as independent."),
        v.share("high", "Upper end of the rate's 95% interval."),
        Column(
            name="published_percent",
            kind=Kind.NUMBER,
            is_required=False,
            unit="per cent",
            minimum=0,
            maximum=100,
            meaning="The rate as published, rounded half up; empty where there are too few.",
        ),
        v.flag(
            "is_too_few", "Whether fewer cases are counted than the service's smallest group, or fewer are complete."
        ),
    ),
)
MONTHLY = Table(
    layer="analysis",
    name="monthly_measures",
    meaning="Each watched measure by month with its one classification, which chart, table, sentence and download share.",
    key=("measure", "scope", "scope_name", "instrument", "month"),
    columns=(
        v.word(
            "measure",
            MONTHLY_MEASURES,
            "What is watched: the mean alliance score, or a rate by its id in this dictionary.",
        ),
        *v.SCOPE,
        _INSTRUMENT_OR_ALL,
        v.MONTH,
        v.count("counted", "Ratings, appointments, sessions or ended episodes that the value rests on."),
        v.number("value", "The month's mean or share; empty where it would rest on too few."),
        v.count("phase", "Which phase of the chart the month belongs to, from 0."),
        v.number("centre", "The usual level."),
        v.number("lower_limit", "Lower end of the usual range."),
        v.number("upper_limit", "Upper end of the usual range."),
        v.answer("is_trial", "Whether the limits come from fewer than twelve months; empty without limits."),
        v.word("rule", POINT_RULES, "The rule that named the month.", is_required=False),
        v.word("direction", ("up", "down"), "Which way the rule points.", is_required=False),
        v.word(
            "point_class", POINT_CLASSES, "What the month is: ordinary, an improvement, a concern, or not to be judged."
        ),
        v.number("target", "The service's own standard, where it has one."),
        v.word(
            "assurance", ASSURANCES, "Whether the process, left as it is, would meet the standard.", is_required=False
        ),
    ),
)
TABLES: tuple[Table, ...] = (
    INSTRUMENTS,
    COURSES,
    DROP_OUT,
    EPISODE_GAPS,
    MILESTONES_REACHED,
    CHANGE_METHODS,
    EFFECT_SIZES,
    IMPROVEMENT_RATIOS,
    RATES,
    MONTHLY,
)
