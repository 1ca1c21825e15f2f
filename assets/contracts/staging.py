"""The six feeds and the staging tables that their accepted rows make, with the rows that were refused.

Belongs here: what each feed must deliver. Does not belong here: where a clinic keeps it (the mapping in
`assets.feeds.mapping`) or how it is joined (`assets.contracts.marts`).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Feed, Kind, Table

_PROVENANCE = (v.SOURCE_FILE, v.SOURCE_LINE)
_RATING_COLUMNS = (
    v.RATING_ID,
    v.CLIENT_ID,
    v.CASE_ID,
    v.referring(v.optional(v.CLINICIAN_ID), "staging.clinicians.clinician_id"),
    v.referring(v.optional(v.APPOINTMENT_ID), "staging.attendance.appointment_id"),
    v.COMPLETED_ON,
    v.INSTRUMENT,
    v.RATER,
    Column(
        name="items",
        kind=Kind.NUMBERS,
        is_required=False,
        meaning="The answers in the form's own order, empty where an item was skipped; missing where only a total was sent.",
    ),
    v.number("total", "The total as sent, where the clinic sends totals and no items."),
    *_PROVENANCE,
)

ATTENDANCE = Feed(
    name="attendance",
    is_required=True,
    derived=("starts_on", "source_file", "source_line"),
    table=Table(
        layer="staging",
        name="attendance",
        meaning="Appointments as accepted from the clinic, the newest version of each.",
        key=("appointment_id",),
        holds_people=True,
        columns=(
            v.APPOINTMENT_ID,
            v.optional(v.EPISODE_ID),
            v.CASE_ID,
            v.referring(v.CLINICIAN_ID, "staging.clinicians.clinician_id"),
            v.SITE,
            v.STARTS_AT,
            v.STARTS_ON,
            v.STATUS,
            v.DURATION_MINUTES,
            v.MODALITY,
            *_PROVENANCE,
        ),
    ),
)
ALLIANCE = Feed(
    name="alliance",
    is_required=True,
    is_ratings=True,
    table=Table(
        layer="staging",
        name="alliance",
        meaning="Completed alliance forms as accepted from the clinic, the newest version of each.",
        key=("instrument", "rating_id"),
        holds_people=True,
        columns=_RATING_COLUMNS,
    ),
)
OUTCOMES = Feed(
    name="outcomes",
    is_required=True,
    is_ratings=True,
    table=Table(
        layer="staging",
        name="outcomes",
        meaning="Completed outcome forms as accepted from the clinic, the newest version of each.",
        key=("instrument", "rating_id"),
        holds_people=True,
        columns=_RATING_COLUMNS,
    ),
)
EPISODES = Feed(
    name="episodes",
    is_required=False,
    table=Table(
        layer="staging",
        name="episodes",
        meaning="Episodes of care as accepted from the clinic, the newest version of each.",
        key=("episode_id",),
        holds_people=True,
        columns=(
            v.EPISODE_ID,
            v.CASE_ID,
            v.referring(v.optional(v.CLINICIAN_ID), "staging.clinicians.clinician_id"),
            v.PROGRAMME,
            v.PROBLEM,
            v.REFERRED_ON,
            v.STARTED_ON,
            v.ENDED_ON,
            v.END_REASON,
            *_PROVENANCE,
        ),
    ),
)
PEOPLE = Feed(
    name="people",
    is_required=False,
    table=Table(
        layer="staging",
        name="people",
        meaning="Clients' case-mix as accepted from the clinic, the newest version of each.",
        key=("client_id",),
        holds_people=True,
        columns=(v.CLIENT_ID, v.CASE_ID, v.AGE_BAND, v.GENDER, v.DEPRIVATION_DECILE, *_PROVENANCE),
    ),
)
CLINICIANS = Feed(
    name="clinicians",
    is_required=False,
    table=Table(
        layer="staging",
        name="clinicians",
        meaning="Clinicians as accepted from the clinic, the newest version of each.",
        key=("clinician_id",),
        columns=(v.CLINICIAN_ID, v.SITE, v.PROFESSION, v.CLINICIAN_SINCE, *_PROVENANCE),
    ),
)

# Each feed stands after those that its references point to, so that a night can stage them in this order.
FEEDS: tuple[Feed, ...] = (CLINICIANS, PEOPLE, EPISODES, ATTENDANCE, ALLIANCE, OUTCOMES)

FILE_NUMBER = v.count(
    "file_number",
    "The file's place in the order of landing; of two versions of a row, that of the higher number stands.",
)

MAPPING = v.count("mapping", "Which of the feed's mappings in the configuration read it, from 0.")

REFUSED_ROWS = Table(
    layer="staging",
    name="refused_rows",
    meaning="Every line that its contract did not accept, with the reason; never the refused value.",
    key=("feed", "file_number", "mapping", "line"),
    columns=(
        v.word("feed", tuple(feed.name for feed in FEEDS), "The feed that the line was sent for."),
        Column(name="file", kind=Kind.TEXT, meaning="The file the line came in, as it was named in the inbox."),
        FILE_NUMBER,
        MAPPING,
        Column(
            name="line",
            kind=Kind.INTEGER,
            minimum=1,
            meaning="The line of the file, from 1; in a workbook the row of its sheet, in Parquet, SPSS and Stata files the row.",
        ),
        Column(name="rule", kind=Kind.TEXT, meaning="The rule that the line broke, as a short fixed name."),
        Column(name="reason", kind=Kind.TEXT, meaning="What was wrong, in plain words, without the value itself."),
    ),
)
SCORES = Table(
    layer="staging",
    name="scores",
    meaning="What each accepted form comes to under its instrument's own scoring rules.",
    key=("instrument", "rating_id"),
    holds_people=True,
    columns=(
        v.INSTRUMENT,
        v.RATING_ID,
        v.count("n_answered", "Items answered; for a total sent without items, the instrument's number of items."),
        v.number("score", "The instrument's score; empty where its rule for skipped items gives none.", unit="points"),
        v.number("bond_score", "Score of the bond subscale, for alliance forms that have one.", unit="points"),
        v.number("goals_score", "Score of the goals subscale, for alliance forms that have one.", unit="points"),
        v.number("tasks_score", "Score of the tasks subscale, for alliance forms that have one.", unit="points"),
        v.flag("is_at_ceiling", "Whether the score is the best that the form can give."),
    ),
)
TABLES: tuple[Table, ...] = (*(feed.table for feed in FEEDS), SCORES, REFUSED_ROWS)
