"""What the estimated tables promise: every figure with its interval, its count and a word for how sure.

Belongs here: the tables that science makes from marts, before suppression. Does not belong here: formulas
(`assets.science`) or what a page may show (suppression is applied where pages are made).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table

ANSWER = "corrected"  # the method that pages show; the others are for analysts
METHODS = (ANSWER, "split_panel_jackknife", "naive")

CLIENT_CHANGE = Table(
    layer="analysis",
    name="client_change",
    meaning="Reliable and clinically significant change, one row a client, episode and outcome measure.",
    key=("client_id", "episode_id", "instrument"),
    holds_people=True,
    columns=(
        v.CLIENT_ID,
        v.CASE_ID,
        v.EPISODE_ID,
        v.CLINICIAN_ID,
        v.SITE,
        v.PROGRAMME,
        v.INSTRUMENT,
        v.flag("is_open", "Whether the episode was still open, so that the change is so far."),
        v.count("scores", "Valid scores within the episode."),
        v.number("first_score", "First valid score at or after the episode's start.", unit="points"),
        v.number("last_score", "Last valid score within the episode, of another day than the first.", unit="points"),
        v.number(
            "improvement", "Change in the direction of better, whatever the instrument's direction.", unit="points"
        ),
        v.number("reliable_change", "Smallest change beyond measurement error.", unit="points"),
        v.word("category", v.CHANGE_CATEGORIES, "The Jacobson-Truax category; not_evaluable without two scores."),
        v.flag("is_reliably_improved", "Whether the improvement reaches the reliable change, recovered or not."),
        v.flag("is_reliably_deteriorated", "Whether the worsening reaches the reliable change."),
    ),
)
CLINICIAN_ALLIANCE = Table(
    layer="analysis",
    name="clinician_alliance",
    meaning="Each clinician's alliance level as their clients rate it: raw, and shrunken toward their site with its interval.",
    key=("clinician_id", "instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.count("clients", "Clients with at least one score."),
        v.count("ratings", "Scored forms."),
        v.number(
            "mean", "Mean of the clients' own means, in the instrument's points; higher is better.", unit="points"
        ),
        v.number("shrunken_mean", "The mean drawn toward the site's clinicians by its reliability.", unit="points"),
        *v.INTERVAL,
        v.number("early_mean", "The same over sessions 1 to 3 only.", unit="points"),
        v.number("bond_mean", "Mean of the bond subscale.", unit="points"),
        v.number("goals_mean", "Mean of the goals subscale.", unit="points"),
        v.number("tasks_mean", "Mean of the tasks subscale.", unit="points"),
        v.share("share_at_ceiling", "Share of scores that are the best the form can give."),
        v.number("service_mean", "The mean over the clinicians of the same site on the same measure.", unit="points"),
        *v.DIFFERENCE_FROM_SITE,
        v.share("probability_above", "Probability that the clinician's level is above the site's."),
        v.CERTAINTY,
    ),
)
CLINICIAN_ATTENDANCE = Table(
    layer="analysis",
    name="clinician_attendance",
    meaning="Each clinician's appointments by outcome, over the period that pages show; the clinic's own cancellations apart.",
    key=("clinician_id",),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.count("cases", "Cases with an appointment in the period."),
        v.count("appointments", "Appointments booked."),
        v.count("attended", "Appointments attended."),
        v.count("did_not_attend", "Appointments missed without notice."),
        v.count("cancelled_by_client", "Appointments the client called off."),
        v.count("cancelled_by_clinic", "Appointments the clinic called off."),
        v.share("did_not_attend_rate", "Missed without notice as a share of all appointments."),
        v.share("low", "Lower end of the rate's 95% interval."),
        v.share("high", "Upper end of the rate's 95% interval."),
        v.share("clinic_cancelled_rate", "Called off by the clinic as a share of all appointments."),
        v.share("clinic_cancelled_low", "Lower end of that rate's 95% interval."),
        v.share("clinic_cancelled_high", "Upper end of that rate's 95% interval."),
        v.share("alliance_recorded", "Share of sessions with a scored alliance form."),
        v.share("outcome_recorded", "Share of sessions with a scored outcome form."),
        v.count("sessions", "Sessions that the two shares are of."),
    ),
)
CLINICIAN_PROGRESS = Table(
    layer="analysis",
    name="clinician_progress",
    meaning="Reliable improvement over each clinician's closed episodes with a first and a last score, with funnel limits.",
    key=("clinician_id", "instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.count("clients", "Clients with a closed episode."),
        v.count("evaluable", "Of these, clients with a first and a last score."),
        v.count("improved", "Clients reliably improved, recovered or not."),
        v.count("recovered", "Clients recovered."),
        v.count("deteriorated", "Clients reliably deteriorated."),
        v.share("improved_rate", "Reliably improved as a share of the evaluable."),
        v.share("low", "Lower end of the rate's 95% interval."),
        v.share("high", "Upper end of the rate's 95% interval."),
        v.share("service_rate", "The service's own rate on the same measure."),
        v.share("limit_low_95", "Lower 95% funnel limit at this caseload."),
        v.share("limit_high_95", "Upper 95% funnel limit at this caseload."),
        v.share("limit_low_998", "Lower 99.8% funnel limit at this caseload."),
        v.share("limit_high_998", "Upper 99.8% funnel limit at this caseload."),
        v.word(
            "funnel_rule",
            ("within", "outside_95", "outside_998", "too_few"),
            "Where the rate stands against the funnel.",
        ),
    ),
)
ALLIANCE_LEVELS = Table(
    layer="analysis",
    name="alliance_levels",
    meaning="The link of alliance with the next outcome score, its three levels kept apart, one row a scope, measure pair and level.",
    key=("scope", "scope_name", "alliance_instrument", "outcome_instrument", "level", "method"),
    columns=(
        *v.SCOPE,
        v.ALLIANCE_INSTRUMENT,
        v.OUTCOME_INSTRUMENT,
        v.word("level", v.LEVELS, "Whether the comparison is within a client, between clients, or between clinicians."),
        v.word(
            "method",
            METHODS,
            "How it was estimated. `corrected` is the answer: within clients moments corrected for the look-ahead, or where clients come too few times for them, and between clients and clinicians, the split-panel jackknife. The jackknife within clients, as a second opinion, and the naive estimate are for analysts and never shown on a page.",
        ),
        v.number(
            "estimate",
            "Improvement of the next outcome score for a tenth of the alliance measure's range; positive is better.",
            unit="points",
        ),
        *v.INTERVAL,
        v.count("clinicians", "Clinicians that the estimate rests on."),
        v.count("clients", "Clients that the estimate rests on."),
        v.count("pairs", "Pairs of an alliance score and the next outcome score."),
        v.CERTAINTY,
        Column(name="sentence", kind=Kind.TEXT, meaning="The finding, or the refusal, in plain words."),
    ),
)
ALLIANCE_LINK = Table(
    layer="analysis",
    name="alliance_link",
    meaning="The within-client link of alliance with the next outcome score for each clinician, drawn toward the service.",
    key=("clinician_id", "alliance_instrument", "outcome_instrument"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.ALLIANCE_INSTRUMENT,
        v.OUTCOME_INSTRUMENT,
        v.count("clients", "Clients that the estimate rests on."),
        v.count("pairs", "Pairs of an alliance score and the next outcome score."),
        v.number(
            "estimate",
            "Improvement of the next outcome score for a tenth of the alliance measure's range, shrunken; positive is better.",
            unit="points",
        ),
        *v.INTERVAL,
        v.number("service_estimate", "The service's own figure.", unit="points"),
        v.share(
            "probability_positive",
            "Probability that a better alliance goes with better progress for this clinician's clients.",
        ),
        v.share("probability_above_service", "Probability that the link is stronger than the service's."),
        v.flag("is_different", "Whether the link stands apart from the service's, false discoveries held at 5%."),
        v.CERTAINTY,
    ),
)
RUPTURES = Table(
    layer="analysis",
    name="ruptures",
    meaning="Marked falls of alliance below the client's own past, and whether they were repaired.",
    key=("client_id", "episode_id", "instrument", "session_number"),
    holds_people=True,
    columns=(
        v.CLIENT_ID,
        v.EPISODE_ID,
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.SESSION_NUMBER,
        v.number("fall", "How far the score fell below the mean of the client's earlier scores.", unit="points"),
        v.word(
            "state",
            ("repaired", "unrepaired", "open"),
            "Repaired within the limit of sessions, not, or too early to say.",
        ),
        Column(
            name="repaired_session_number",
            kind=Kind.INTEGER,
            is_required=False,
            meaning="The session by which it was repaired.",
        ),
    ),
)
TABLES: tuple[Table, ...] = (
    CLIENT_CHANGE,
    CLINICIAN_ALLIANCE,
    CLINICIAN_ATTENDANCE,
    CLINICIAN_PROGRESS,
    ALLIANCE_LEVELS,
    ALLIANCE_LINK,
    RUPTURES,
)
