"""What the tables promise that speak of staying, leaving, holding back, and what is missing.

Belongs here: estimated tables about how treatment ends and what goes with it, each figure with its interval and its
counts. Does not belong here: drop-out episode by episode (`assets.contracts.field_measures`), ruptures themselves
(`assets.contracts.analysis`), couples (`assets.contracts.couples`), or formulas (`assets.science`).
"""

from dataclasses import replace

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table

CURVE_SCOPES = (*v.SCOPES, "clinician")
CURVES = ("in_treatment", "ended_planned", "ended_unplanned", "ended_unsaid")
STATES = ("no_rupture", "ruptured", "repaired")
GROUPINGS = ("session", "first_score", "latest_score", "latest_alliance")
BOUNDED_RATES = ("improved", "recovered", "deteriorated", "ended_unplanned")


def _scope(scopes: tuple[str, ...], of: str) -> tuple[Column, Column]:
    return (
        v.word("scope", scopes, f"Whether the row speaks of {of}."),
        Column(
            name="scope_name",
            kind=Kind.TEXT,
            meaning="The site's or programme's name, or the clinician's id; `all` for the whole service.",
        ),
    )


_GROUPS = _scope(v.SCOPES, "the whole service, one site or one programme")
_TOO_FEW = v.flag("is_too_few", "Whether so few are left that the figure is withheld.")

RETENTION = Table(
    layer="analysis",
    name="retention",
    meaning=(
        "How many are still in treatment after each session, and how many had ended planned or unplanned by then; episodes "
        "with a session, open ones censored at their latest. The four curves of a group add up to one."
    ),
    key=("scope", "scope_name", "curve", "session_number"),
    columns=(
        *_scope(CURVE_SCOPES, "the whole service, one site, one programme or one clinician"),
        v.word(
            "curve",
            CURVES,
            "in_treatment: Kaplan-Meier, every ending an event; the others: Aalen-Johansen, endings competing. "
            "ended_unsaid: nobody recorded whether the ending was planned.",
        ),
        replace(v.SESSION_NUMBER, meaning="The session after which the share is told, from 1."),
        *v.estimated_share(
            "share", "Of those who began, the share in that state after the session; empty where too few are left."
        ),
        v.count("at_risk", "Episodes that reached the session."),
        v.count("endings", "Of these, those that ended with it in the curve's way; in_treatment counts every ending."),
        v.count("censored", "Of these, open ones for which it is the latest session so far."),
        v.count("episodes", "Episodes in the curve."),
        _TOO_FEW,
    ),
)
LANDMARK = Table(
    layer="analysis",
    name="landmark",
    meaning=(
        "Whether those with the lower early alliance later leave unplanned more often: alliance of sessions 1 to 3, only "
        "those still there after session 3, compared with clients of the same site who were doing alike by then. "
        "Association, not cause."
    ),
    key=("scope", "scope_name", "alliance_instrument", "outcome_instrument"),
    columns=(
        *_GROUPS,
        v.ALLIANCE_INSTRUMENT,
        v.OUTCOME_INSTRUMENT,
        v.count("landmark_session", "The last session whose alliance counts as early."),
        v.count("horizon_session", "The session by which later unplanned endings are counted."),
        v.count("episodes", "Episodes compared: longer than the landmark, with an early rating and an early score."),
        v.count("ended_by_landmark", "Episodes left out because they ended, or the data did, by the landmark."),
        v.count("without_rating", "Episodes left out because nobody rated the alliance by the landmark."),
        v.count("without_score", "Episodes left out because there was no outcome score by the landmark."),
        v.count("unplanned", "Of the episodes compared, unplanned endings by the horizon."),
        v.count("clinicians", "Clinicians of the episodes compared."),
        *v.estimated_share(
            "lower_half", "Of the half of each site with the lower early alliance, the share left unplanned by then."
        ),
        *v.estimated_share("upper_half", "The same of the other half."),
        *v.estimated_number(
            "difference",
            "Lower half less upper half, clients who were doing alike compared; positive: those with the lower early "
            "alliance leave more often.",
            unit="share",
        ),
        *v.estimated_number(
            "hazard_ratio",
            "The hazard of an unplanned ending for a tenth of the alliance measure's range more early alliance, the latest "
            "score by then held still; below 1: less leaving. Cox model, clients taken as independent.",
            unit="ratio",
        ),
        v.CERTAINTY,
        v.SENTENCE,
    ),
)
AFTER_RUPTURE = Table(
    layer="analysis",
    name="after_rupture",
    meaning=(
        "How often treatment ends unplanned after a session, by where the client stood at that session: no rupture so far, "
        "ruptured and not (yet) repaired, or repaired. A client counts as repaired only from the repair on."
    ),
    key=("scope", "scope_name", "instrument", "state"),
    columns=(
        *_GROUPS,
        v.INSTRUMENT,
        v.word("state", STATES, "Where the client stood at the session."),
        v.count("clients", "Clients who had a session in that state."),
        v.count("clinicians", "Their clinicians."),
        v.count(
            "sessions",
            "Sessions in that state, from the one with the client's third rating on, before which no rupture can be seen.",
        ),
        v.count("unplanned", "Unplanned endings after them."),
        v.count("planned", "Planned endings after them."),
        *v.estimated_share("hazard", "Unplanned endings as a share of the sessions; empty where clients are too few."),
        v.word("compared_with", STATES, "The state that the ratio is against.", is_required=False),
        *v.estimated_number(
            "ratio",
            "The share over that of the state compared with, sessions of the same site and number set side by side; above 1: "
            "leaving is more frequent.",
            unit="ratio",
        ),
        v.CERTAINTY,
        v.SENTENCE,
    ),
)
HOLDING_BACK = Table(
    layer="analysis",
    name="holding_back",
    meaning=(
        "One timeline a client: four signals that may mean holding back, session by session, and how many of the four kinds "
        "showed over this session and the two before. Signals to ask about, never a diagnosis; nothing later than the session is used."
    ),
    key=("client_id", "episode_id", "session_number"),
    holds_people=True,
    columns=(
        v.CLIENT_ID,
        v.EPISODE_ID,
        v.CASE_ID,
        v.CLINICIAN_ID,
        v.SITE,
        v.PROGRAMME,
        v.SESSION_NUMBER,
        v.STARTS_ON,
        v.number(
            "fall_in_sds",
            "How far the alliance rating lies below the mean of the client's earlier ones, in pooled within-client standard "
            "deviations; negative above it; empty without a rating or with fewer than two before.",
            unit="standard deviations",
        ),
        v.answer(
            "has_fallen", "Whether it fell by one standard deviation or more; empty where it could not be judged."
        ),
        v.count(
            "missed_before",
            "Appointments missed, come to too late, or called off by the client since the session before.",
        ),
        Column(
            name="gap_days",
            kind=Kind.INTEGER,
            unit="days",
            minimum=0,
            is_required=False,
            meaning="Days since the session before; empty for the first.",
        ),
        v.number(
            "usual_gap_days",
            "The mean of the client's earlier gaps in the episode; empty with fewer than two.",
            unit="days",
        ),
        v.answer(
            "is_gap_longer",
            "Whether the gap is at least half as long again as usual; empty with fewer than two earlier gaps, or where an "
            "appointment in between was missed or called off, which explains it.",
        ),
        v.answer(
            "is_form_skipped",
            "Whether a client who has rated the alliance before left the form out; empty before the first rating.",
        ),
        Column(
            name="signals",
            kind=Kind.INTEGER,
            minimum=0,
            maximum=4,
            meaning="The index: how many of the four kinds of signal showed at this session or the two before it.",
        ),
        v.flag("is_latest", "Whether it is the episode's latest session."),
        v.count(
            "missed_since",
            "For the latest session, appointments missed or called off by the client since; never part of the index.",
        ),
    ),
)
HOLDING_BACK_CALIBRATION = Table(
    layer="analysis",
    name="holding_back_calibration",
    meaning=(
        "What the index of holding back is worth: at every third session, who ended unplanned within three sessions from "
        "there. Predicted by episodes that began earlier, observed in those that began later."
    ),
    key=("scope", "scope_name", "signals"),
    columns=(
        *_GROUPS,
        Column(name="signals", kind=Kind.INTEGER, minimum=0, maximum=3, meaning="The index; 3 stands for 3 and 4."),
        v.count("episodes", "Later-begun episodes with a check at this index."),
        v.count("checks", "Their checks: sessions 3, 6, 9 and so on, what became of it known."),
        v.count("unplanned", "Of these, unplanned endings within three sessions, the one of the check included."),
        *v.estimated_share("predicted", "Share that did so among the episodes that began earlier, at the same index."),
        *v.estimated_share("observed", "Share that did so among the later-begun; empty where episodes are too few."),
        *v.estimated_share(
            "discrimination",
            "The chance that, of two later-begun checks of which one was followed by an unplanned ending, that one had the "
            "higher index; 0.5 is no better than tossing a coin. The same in every row of a scope.",
        ),
        v.CERTAINTY,
        v.SENTENCE,
    ),
)
MISSING_FORMS = Table(
    layer="analysis",
    name="missing_forms",
    meaning=(
        "Who skips the alliance form: sessions without a scored one, by how far treatment has come, how the client began, how "
        "the client is doing, and how the alliance last stood. Sessions of clinicians who have none at all are left out."
    ),
    key=("scope", "scope_name", "grouped_by", "group_name"),
    columns=(
        *_GROUPS,
        v.word(
            "grouped_by",
            GROUPINGS,
            "session: its number; first_score: thirds of the site's first scores; latest_score: the latest score before the "
            "session against the first; latest_alliance: the latest rating before it against those before that.",
        ),
        Column(name="group_name", kind=Kind.TEXT, meaning="The group, such as `sessions 4 to 6` or `worse`."),
        v.count(
            "position", "Its place in the order in which groups are told, from 0; 0 is the one others are held against."
        ),
        v.count("clients", "Clients with a session in the group."),
        v.count("sessions", "Sessions in the group, one for each client present."),
        v.count("skipped", "Of these, without a scored alliance form."),
        *v.estimated_share(
            "rate", "Skipped as a share of the sessions; sessions of one client are allowed to be alike."
        ),
        *v.estimated_number(
            "difference", "The rate less that of the first group of the grouping; positive: skipped more.", unit="share"
        ),
        v.CERTAINTY,
    ),
)
RATE_BOUNDS = Table(
    layer="analysis",
    name="rate_bounds",
    meaning=(
        "What each clinician's rate could be at worst and at best if every unknown answer went one way: ended episodes with a "
        "session, and nothing filled in."
    ),
    key=("clinician_id", "instrument", "rate"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        Column(
            name="instrument",
            kind=Kind.IDENTIFIER,
            meaning="The measure that the rate is by, by its id in the instrument registry; `all` where it is by none.",
        ),
        v.word("rate", BOUNDED_RATES, "Which rate; ended_unplanned is unknown where nobody recorded how it ended."),
        v.count("clients", "Clients of ended episodes at a site that uses the measure; for ended_unplanned, episodes."),
        v.count("known", "Of these, those whose answer is known."),
        v.count("unknown", "Of these, those whose answer is not."),
        v.count("events", "Of the known, those who did."),
        *v.estimated_share("known_rate", "Share of the known who did; right only if the unknown are like them."),
        v.share("worst_case", "Share of all if none of the unknown did."),
        v.share("best_case", "Share of all if all of the unknown did."),
        v.share("low", "Lower end of an interval that holds the true share 95 times in 100, whatever the unknown are."),
        v.share("high", "Upper end of that interval."),
        v.flag("is_too_few", "Whether there are fewer clients than the service's smallest group."),
    ),
)
TABLES: tuple[Table, ...] = (
    RETENTION,
    LANDMARK,
    AFTER_RUPTURE,
    HOLDING_BACK,
    HOLDING_BACK_CALIBRATION,
    MISSING_FORMS,
    RATE_BOUNDS,
)
