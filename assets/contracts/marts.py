"""What the joined tables promise: one row a thing, in the clinic's own words.

Belongs here: appointments, sessions, ratings, episodes, clients, cases, clinicians and their months. Does not
belong here: anything estimated (`assets.contracts.analysis`).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table
from assets.contracts.staging import SCORES

_WHO = (v.CASE_ID, v.CLINICIAN_ID, v.SITE)

APPOINTMENTS = Table(
    layer="marts",
    name="appointments",
    meaning="Every accepted appointment with the episode it belongs to.",
    key=("appointment_id",),
    holds_people=True,
    columns=(
        v.APPOINTMENT_ID,
        v.EPISODE_ID,
        *_WHO,
        v.STARTS_AT,
        v.STARTS_ON,
        v.STATUS,
        v.flag("is_attended", "Whether the case was seen."),
        v.DURATION_MINUTES,
        v.MODALITY,
    ),
)
SESSIONS = Table(
    layer="marts",
    name="sessions",
    meaning="Attended appointments, numbered within their episode.",
    key=("appointment_id",),
    holds_people=True,
    columns=(
        v.APPOINTMENT_ID,
        v.EPISODE_ID,
        *_WHO,
        v.STARTS_AT,
        v.STARTS_ON,
        v.SESSION_NUMBER,
        Column(
            name="gap_days",
            kind=Kind.INTEGER,
            unit="days",
            minimum=0,
            is_required=False,
            meaning="Days since the episode's session before; empty for the first.",
        ),
        v.DURATION_MINUTES,
        v.MODALITY,
        v.flag("has_alliance", "Whether at least one scored alliance form belongs to the session."),
        v.flag("has_outcome", "Whether at least one scored outcome form belongs to the session."),
    ),
)
RATINGS = Table(
    layer="marts",
    name="ratings",
    meaning="Completed forms with their scores, the session and episode they belong to, one row a rater and form.",
    key=("instrument", "rating_id"),
    holds_people=True,
    columns=(
        v.RATING_ID,
        v.word("kind", v.RATING_KINDS, "Whether the instrument measures alliance or outcome."),
        v.INSTRUMENT,
        v.RATER,
        v.CLIENT_ID,
        v.CASE_ID,
        v.optional(v.EPISODE_ID),
        v.optional(v.CLINICIAN_ID),
        v.SITE,
        v.optional(v.APPOINTMENT_ID),
        v.optional(v.SESSION_NUMBER),
        v.COMPLETED_ON,
        *(column for column in SCORES.columns if column.name not in SCORES.key),
    ),
)
EPISODES = Table(
    layer="marts",
    name="episodes",
    meaning="Courses of treatment: as the clinic records them, else inferred from gaps between appointments.",
    key=("episode_id",),
    holds_people=True,
    columns=(
        v.EPISODE_ID,
        v.CASE_ID,
        v.optional(v.CLINICIAN_ID),
        v.SITE,
        v.PROGRAMME,
        v.PROBLEM,
        v.REFERRED_ON,
        v.STARTED_ON,
        v.ENDED_ON,
        v.END_REASON,
        v.flag("is_open", "Whether the episode had not ended by the data date."),
        v.flag("is_inferred", "Whether the episode was inferred from gaps, not recorded by the clinic."),
        v.count("appointments", "Appointments booked."),
        v.count("sessions", "Appointments attended."),
        Column(name="first_session_on", kind=Kind.DATE, is_required=False, meaning="The day of the first session."),
        Column(name="last_session_on", kind=Kind.DATE, is_required=False, meaning="The day of the latest session."),
        Column(
            name="wait_days",
            kind=Kind.INTEGER,
            unit="days",
            is_required=False,
            meaning="Days from referral to the first session; empty while either is missing.",
        ),
        v.count("clinicians", "Clinicians who saw the case in this episode."),
    ),
)
CLIENTS = Table(
    layer="marts",
    name="clients",
    meaning="Every person in treatment, with case-mix where the clinic sends it.",
    key=("client_id",),
    holds_people=True,
    columns=(v.CLIENT_ID, v.CASE_ID, v.AGE_BAND, v.GENDER, v.DEPRIVATION_DECILE),
)
CASES = Table(
    layer="marts",
    name="cases",
    meaning="Who episodes are for: single clients, couples and families.",
    key=("case_id",),
    holds_people=True,
    columns=(
        v.CASE_ID,
        v.SITE,
        v.count("clients", "Clients that the case consists of."),
        v.count("episodes", "Episodes that the case has had."),
        v.count("sessions", "Sessions attended over all episodes."),
    ),
)
CLINICIANS = Table(
    layer="marts",
    name="clinicians",
    meaning="Everyone who treats, with what they have done up to the data date.",
    key=("clinician_id",),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.PROFESSION,
        v.CLINICIAN_SINCE,
        v.count("cases", "Cases seen at least once."),
        v.count("sessions", "Sessions given."),
        v.count("open_episodes", "Episodes open at the data date."),
        Column(name="last_session_on", kind=Kind.DATE, is_required=False, meaning="The day of the latest session."),
    ),
)
CLINICIAN_MONTHS = Table(
    layer="marts",
    name="clinician_months",
    meaning="What each clinician's calendar months held: appointments by outcome, and forms completed.",
    key=("clinician_id", "month"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.MONTH,
        v.count("cases", "Cases with an appointment in the month."),
        v.count("appointments", "Appointments booked in the month."),
        v.count("attended", "Appointments attended."),
        v.count("did_not_attend", "Appointments missed without notice."),
        v.count("cancelled_by_client", "Appointments the client called off."),
        v.count("cancelled_by_clinic", "Appointments the clinic called off."),
        v.count("late_not_seen", "Appointments where the client came too late to be seen."),
        v.count("sessions_with_alliance", "Sessions with a scored alliance form."),
        v.count("sessions_with_outcome", "Sessions with a scored outcome form."),
    ),
)
ALLIANCE_PAIRS = Table(
    layer="marts",
    name="alliance_pairs",
    meaning="Each alliance score beside the outcome score of the same session and the client's next one on that measure.",
    key=("client_id", "episode_id", "session_number", "alliance_instrument", "outcome_instrument"),
    holds_people=True,
    columns=(
        v.CLIENT_ID,
        v.CASE_ID,
        v.EPISODE_ID,
        v.CLINICIAN_ID,
        v.SITE,
        v.PROGRAMME,
        v.SESSION_NUMBER,
        v.ALLIANCE_INSTRUMENT,
        v.OUTCOME_INSTRUMENT,
        v.number("alliance", "The alliance score of the session; higher is better.", unit="points"),
        v.number("outcome_first", "The episode's first score on the outcome measure.", unit="points"),
        v.number("outcome_now", "The outcome score of the session, filled in before it.", unit="points"),
        v.number("outcome_next", "The client's next outcome score in the episode.", unit="points"),
        Column(name="next_session_number", kind=Kind.INTEGER, minimum=2, meaning="The session of that next score."),
    ),
)
TABLES: tuple[Table, ...] = (
    APPOINTMENTS,
    SESSIONS,
    RATINGS,
    EPISODES,
    CLIENTS,
    CASES,
    CLINICIANS,
    CLINICIAN_MONTHS,
    ALLIANCE_PAIRS,
)
