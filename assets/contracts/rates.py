"""Every rate that the service publishes, and what each is counted from.

Belongs here: the declarations. Does not belong here: what follows from one (`assets.contracts.metrics`) and formulas
(`assets.science`). The flags of courses are made by `assets.science.talking_therapies`, those of drop-out by
`assets.science.attendance`, the categories of change by `assets.science.change`.
"""

from assets.contracts.metrics import NO_INSTRUMENT, Better, Metric, Population

_NHS = "NHS Talking Therapies, metadata of the annual report (NHS England)"
_SWIFT = "Swift & Greenberg 2012, J Consult Clin Psychol 80:547-559, who show that rates differ by definition"
_JACOBSON = "Jacobson & Truax 1991, J Consult Clin Psychol 59:12-19, with the measure's own thresholds"

COURSES = Population(
    id="courses",
    things="analysis.courses",
    reads=("analysis.courses",),
    select=f"SELECT *, '{NO_INSTRUMENT}' AS instrument, ended_on AS day FROM analysis.courses WHERE ended_on IS NOT NULL",
    day_words="the day the episode ended",
)
CHANGES = Population(
    id="changes",
    things="analysis.client_change",
    reads=("analysis.client_change", "analysis.instruments", "marts.episodes"),
    select=(
        "SELECT change.case_id, change.site, change.programme, change.instrument, episode.ended_on AS day, "
        "change.category, change.is_reliably_improved, change.is_reliably_deteriorated, "
        "CASE WHEN cut.direction = 'higher_is_worse' THEN change.first_score >= CAST(cut.value AS DOUBLE) "
        "ELSE change.first_score < CAST(cut.value AS DOUBLE) END AS started_clinical "
        "FROM analysis.client_change AS change "
        "INNER JOIN marts.episodes AS episode ON episode.episode_id = change.episode_id "
        "LEFT JOIN analysis.instruments AS cut ON cut.instrument = change.instrument AND cut.fact = 'cut_off' "
        "WHERE episode.ended_on IS NOT NULL AND change.reliable_change IS NOT NULL"
    ),
    day_words="the day the episode ended",
    is_by_instrument=True,
)
APPOINTMENTS = Population(
    id="appointments",
    things="marts.appointments",
    reads=("marts.appointments", "marts.episodes"),
    select=(
        f"SELECT booked.case_id, booked.site, episode.programme, '{NO_INSTRUMENT}' AS instrument, booked.starts_on AS day, "
        "booked.status FROM marts.appointments AS booked "
        "LEFT JOIN marts.episodes AS episode ON episode.episode_id = booked.episode_id"
    ),
    day_words="the day the appointment was booked for",
)
SESSIONS = Population(
    id="sessions",
    things="marts.sessions",
    reads=("marts.sessions", "marts.episodes"),
    select=(
        f"SELECT seen.case_id, seen.site, episode.programme, '{NO_INSTRUMENT}' AS instrument, seen.starts_on AS day, "
        "seen.has_alliance, seen.has_outcome FROM marts.sessions AS seen "
        "LEFT JOIN marts.episodes AS episode ON episode.episode_id = seen.episode_id"
    ),
    day_words="the day of the session",
)
ENDINGS = Population(
    id="endings",
    things="analysis.drop_out",
    reads=("analysis.drop_out",),
    select=f"SELECT *, '{NO_INSTRUMENT}' AS instrument, ended_on AS day FROM analysis.drop_out WHERE NOT is_open",
    day_words="the day the episode ended",
)
POPULATIONS = (COURSES, CHANGES, APPOINTMENTS, SESSIONS, ENDINGS)

_FINISHED = "uses_pair AND is_finished"
_CASES = "uses_pair AND is_finished AND NOT is_not_at_caseness"
_FINISHED_WORDS = "finished courses of treatment, at sites that use the PHQ-9 and an anxiety measure"
_CASES_WORDS = "finished courses of treatment, at sites that use the PHQ-9 and an anxiety measure, less those not at caseness at the start"


def _official(  # noqa: PLR0913 -- what such a rate says, each part by its name
    metric_id: str, title: str, flag: str, words: str, *, of_cases: bool, better: Better
) -> Metric:
    denominator = _CASES if of_cases else _FINISHED
    return Metric(
        id=metric_id,
        title=title,
        population=COURSES,
        numerator=flag,
        denominator=denominator,
        complete=f"{denominator} AND is_paired",
        numerator_words=words,
        denominator_words=_CASES_WORDS if of_cases else _FINISHED_WORDS,
        citation=_NHS,
        better=better,
    )


def _waited(days: int) -> Metric:
    return Metric(
        id=f"first_session_within_{days}_days",
        title=f"First session within {days // 7} weeks",
        population=COURSES,
        numerator=f"is_finished AND wait_days BETWEEN 0 AND {days}",
        denominator="is_finished AND wait_days >= 0",
        eligible="is_finished",
        numerator_words=f"had their first session within {days} days of referral",
        denominator_words="finished courses of treatment with a known wait",
        citation=_NHS,
        better="higher",
    )


def _booked(status: str, title: str, words: str) -> Metric:
    return Metric(
        id=status,
        title=title,
        population=APPOINTMENTS,
        numerator=f"status = '{status}'",
        denominator="status IS NOT NULL",
        numerator_words=words,
        denominator_words="booked appointments",
        citation="NHS Talking Therapies counts did-not-attend over all appointments; NHS data dictionary for the codes",
        better="lower",
    )


def _recorded(kind: str) -> Metric:
    return Metric(
        id=f"{kind}_recorded",
        title=f"{kind.capitalize()} recorded",
        population=SESSIONS,
        numerator=f"has_{kind}",
        denominator="has_alliance IS NOT NULL",
        numerator_words=f"have a scored {kind} form",
        denominator_words="sessions",
        citation="measurement at every session, as routine outcome monitoring asks",
        better="higher",
    )


def _dropped(flag: str, metric_id: str, title: str, words: str) -> Metric:
    return Metric(
        id=metric_id,
        title=title,
        population=ENDINGS,
        numerator=flag,
        denominator=f"{flag} IS NOT NULL",
        eligible="NOT is_open",
        numerator_words=words,
        denominator_words="ended episodes for which this can be answered",
        citation=_SWIFT,
        better="lower",
    )


def _changed(metric_id: str, title: str, condition: str, words: str, *, better: Better) -> Metric:
    return Metric(
        id=metric_id,
        title=title,
        population=CHANGES,
        numerator=condition,
        denominator="category <> 'not_evaluable'",
        eligible="category IS NOT NULL",
        numerator_words=words,
        denominator_words="clients' ended episodes with a first and a last score",
        citation=_JACOBSON,
        better=better,
    )


METRICS = (
    _official("recovery", "Recovery", "is_recovered", "moved to recovery", of_cases=True, better="higher"),
    _official(
        "reliable_recovery",
        "Reliable recovery",
        "is_reliably_recovered",
        "moved to recovery and improved reliably",
        of_cases=True,
        better="higher",
    ),
    _official(
        "reliable_improvement",
        "Reliable improvement",
        "is_improved",
        "improved reliably on either measure and worsened reliably on neither",
        of_cases=False,
        better="higher",
    ),
    _official(
        "reliable_deterioration",
        "Reliable deterioration",
        "is_deteriorated",
        "worsened reliably on either measure and improved reliably on neither",
        of_cases=False,
        better="lower",
    ),
    _official(
        "no_reliable_change",
        "No reliable change",
        "is_no_reliable_change",
        "neither improved nor worsened reliably",
        of_cases=False,
        better="neither",
    ),
    Metric(
        id="finished_course",
        title="Finished a course of treatment",
        population=COURSES,
        numerator="is_finished",
        denominator="stage <> 'not_ended'",
        numerator_words="had two or more sessions",
        denominator_words="ended episodes",
        citation=_NHS,
        better="higher",
    ),
    _waited(42),
    _waited(126),
    _booked("did_not_attend", "Did not attend", "were missed without notice"),
    _booked("cancelled_by_client", "Cancelled by the client", "the client called off"),
    _booked("cancelled_by_clinic", "Cancelled by the clinic", "the clinic called off"),
    _booked("late_not_seen", "Came too late to be seen", "the client came too late for"),
    Metric(
        id="missed_of_due",
        title="Missed of those due",
        population=APPOINTMENTS,
        numerator="status IN ('did_not_attend', 'late_not_seen')",
        denominator="status IN ('attended', 'did_not_attend', 'late_not_seen')",
        numerator_words="were missed, or the client came too late for",
        denominator_words="appointments that nobody called off",
        citation="NHS England, Hospital Outpatient Activity",
        better="lower",
    ),
    Metric(
        id="attended_of_offered",
        title="Attended of those offered",
        population=APPOINTMENTS,
        numerator="status = 'attended'",
        denominator="status <> 'cancelled_by_clinic'",
        numerator_words="were attended",
        denominator_words="appointments that the clinic did not call off",
        citation="the clinic's own cancellations say nothing about clients and are kept apart",
        better="higher",
    ),
    _recorded("alliance"),
    _recorded("outcome"),
    _dropped(
        "is_judged_unplanned",
        "drop_out_judged",
        "Ended unplanned, as the clinician judged",
        "the clinician called unplanned",
    ),
    _dropped("has_few_sessions", "drop_out_few_sessions", "Ended after few sessions", "ended before the third session"),
    _dropped(
        "ended_on_missed",
        "drop_out_last_missed",
        "Ended on a missed appointment",
        "ended on a missed appointment with none booked after it",
    ),
    _dropped(
        "has_no_reliable_improvement",
        "drop_out_without_improvement",
        "Ended without reliable improvement",
        "ended without reliable improvement on any measure",
    ),
    Metric(
        id="planned_ending",
        title="Planned endings",
        population=ENDINGS,
        numerator="end_reason = 'planned'",
        denominator="end_reason IS NOT NULL",
        eligible="NOT is_open",
        numerator_words="the clinician called planned",
        denominator_words="ended episodes with a recorded reason",
        citation=_SWIFT,
        better="higher",
    ),
    _changed("improved", "Reliably improved", "is_reliably_improved", "improved reliably", better="higher"),
    _changed("deteriorated", "Reliably worse", "is_reliably_deteriorated", "worsened reliably", better="lower"),
    _changed(
        "unchanged", "Not reliably changed", "category = 'unchanged'", "did not change reliably", better="neither"
    ),
    Metric(
        id="recovered",
        title="Recovered",
        population=CHANGES,
        numerator="category = 'recovered'",
        denominator="category <> 'not_evaluable' AND started_clinical",
        eligible="started_clinical",
        numerator_words="improved reliably and ended on the other side of the cut-off",
        denominator_words="clients' ended episodes, begun on the clinical side of the cut-off, with a first and a last score",
        citation=_JACOBSON,
        better="higher",
    ),
)
"""In the order in which people read them."""

WATCHED_RATES = ("did_not_attend", "cancelled_by_clinic", "alliance_recorded", "outcome_recorded", "improved")
"""The rates that are watched month by month."""


def metric(metric_id: str) -> Metric:
    """The declaration of that id; KeyError where none is published."""
    for each in METRICS:
        if each.id == metric_id:
            return each
    raise KeyError(f"no rate is published as {metric_id!r}")


def of_population(population: Population) -> tuple[Metric, ...]:
    """The rates counted from one population."""
    return tuple(each for each in METRICS if each.population.id == population.id)
