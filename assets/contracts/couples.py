"""What the tables promise that speak of cases of two people or more: couples and families.

Belongs here: the alliance as several raters of one case see it. Does not belong here: clients one by one
(`assets.contracts.analysis`), or formulas (`assets.science`).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Table

ASPECTS = ("mean", "lowest", "difference", "own")
VARIANCE_LEVELS = ("session", "partner", "case", "clinician")

COUPLE_ALLIANCE = Table(
    layer="analysis",
    name="couple_alliance",
    meaning=(
        "The alliance of couples and families as its members rate it, session by session: one row a session with a rating, "
        "figures only where two or more rated it."
    ),
    key=("episode_id", "instrument", "session_number"),
    holds_people=True,
    columns=(
        v.EPISODE_ID,
        v.CASE_ID,
        v.CLINICIAN_ID,
        v.SITE,
        v.PROGRAMME,
        v.INSTRUMENT,
        v.SESSION_NUMBER,
        v.count("clients", "Members of the case."),
        v.count("raters", "Of these, those who rated the alliance at the session."),
        v.number("mean", "Mean of their scores; empty with one rater.", unit="points"),
        v.number("lowest", "The lowest of their scores; empty with one rater.", unit="points"),
        v.number("difference", "The highest less the lowest; empty with one rater.", unit="points"),
        v.answer(
            "is_split",
            "Whether they differ by one standard deviation of that measure among members or more; empty with one rater.",
        ),
    ),
)
COUPLE_CLINICIANS = Table(
    layer="analysis",
    name="couple_clinicians",
    meaning="Each clinician's couples and families: level and split of the alliance, drawn toward the clinicians of the measure.",
    key=("clinician_id", "instrument", "aspect"),
    columns=(
        v.CLINICIAN_ID,
        v.SITE,
        v.INSTRUMENT,
        v.word(
            "aspect",
            ASPECTS,
            "Of a session's scores the mean, the lowest or the difference; own: every member's own scores, members within "
            "cases within clinicians.",
        ),
        v.count("cases", "Couples and families behind the figure."),
        v.count("sessions", "Sessions behind the figure; for own, scored forms."),
        v.number("raw_mean", "Mean over cases of each case's own mean.", unit="points"),
        *v.estimated_number(
            "estimate", "The mean drawn toward the clinicians of the measure by its reliability.", unit="points"
        ),
        v.number("service_mean", "The mean over the clinicians of the measure.", unit="points"),
        v.CERTAINTY,
        v.SENTENCE,
    ),
)
COUPLE_VARIANCE = Table(
    layer="analysis",
    name="couple_variance",
    meaning="Where the alliance of couples and families differs: between clinicians, between cases, between members of one case, or from session to session.",
    key=("instrument", "level"),
    columns=(
        v.INSTRUMENT,
        v.word("level", VARIANCE_LEVELS, "The level; session holds true change and error of measurement."),
        *v.estimated_share("share", "The level's share of the whole variance; empty where the data cannot tell."),
        v.count("clinicians", "Clinicians that the figure rests on."),
        v.count("cases", "Couples and families that it rests on."),
        v.count("ratings", "Scored forms that it rests on."),
        v.SENTENCE,
    ),
)
TABLES: tuple[Table, ...] = (COUPLE_ALLIANCE, COUPLE_CLINICIANS, COUPLE_VARIANCE)
