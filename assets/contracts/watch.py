"""What the night says of the flow of data: against its own history, against what was promised, against the last version.

Belongs here: the declarations. Does not belong here: what is usual (`assets.science.control_charts`) or how it is told
from one night to the next (`assets.estimates.flow`, `assets.estimates.since_last`).
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table
from assets.contracts.staging import FEEDS, FILE_NUMBER, MAPPING

MEASURES = ("volume", "refused", "with_alliance", "with_outcome", "scored", "mean_score", "spread")
LAYERS = ("landing", "staging", "marts", "published")
FATES = ("accepted", "refused", "superseded", "identical", "blank", "admitted_since")
COLUMN_CHANGES = ("new", "missing", "renamed")

_FEED = v.word("feed", tuple(feed.name for feed in FEEDS), "The feed that the figure is about.")
_SENTENCE = Column(name="sentence", kind=Kind.TEXT, meaning="The same in plain words, without any value of anybody's.")
_SITE = Column(
    name="site",
    kind=Kind.TEXT,
    meaning="The site; `all` where a file says nothing of one, `not recorded` where a row does not.",
)

FLOW = Table(
    layer="quality",
    name="flow",
    meaning="How much came, how much of it was refused, how complete it is and how scores lie, each against its own history.",
    key=("feed", "site", "measure", "instrument", "place"),
    columns=(
        _FEED,
        _SITE,
        v.word(
            "measure",
            MEASURES,
            "volume: accepted rows of a month; refused: share of a file's lines; with_alliance, with_outcome: share of a month's sessions; "
            "scored: share of a month's forms with a score; mean_score, spread: mean and standard deviation of a month's scores.",
        ),
        Column(
            name="instrument", kind=Kind.TEXT, meaning="The measure that forms are of; `all` where it is about none."
        ),
        v.count("place", "The point's place in its series: months since year 0, or the file's number."),
        Column(name="point", kind=Kind.TEXT, meaning="The month as YYYY-MM, or the file as it was named in the inbox."),
        v.count("counted", "Rows, lines, sessions or forms that the value rests on."),
        v.number("value", "The count, share, mean or standard deviation; empty where it would rest on too few."),
        v.number("centre", "The usual level of the points before and here."),
        v.number("lower_limit", "Lower end of the usual range."),
        v.number("upper_limit", "Upper end of the usual range."),
        Column(
            name="rule",
            kind=Kind.TEXT,
            is_required=False,
            meaning="The rule of the control chart that named the point.",
        ),
        v.word("direction", ("up", "down"), "Which way the rule points.", is_required=False),
        v.flag("is_latest", "Whether it is the newest point of its series."),
        v.flag(
            "is_unusual", "Whether it is the newest point and lies outside limits that rest on a year or a dozen files."
        ),
        _SENTENCE,
    ),
)
FRESHNESS = Table(
    layer="quality",
    name="freshness",
    meaning="The newest day that each layer has of each site, and whether it is as new as the service's settings promise.",
    key=("table_layer", "subject", "site"),
    columns=(
        v.word(
            "table_layer", LAYERS, "Which layer was looked at; published: the version that readers had until tonight."
        ),
        Column(
            name="subject",
            kind=Kind.TEXT,
            meaning="What is dated: files, appointments, alliance or outcome forms, sessions, a version.",
        ),
        _SITE,
        Column(
            name="newest_on",
            kind=Kind.DATE,
            is_required=False,
            meaning="The newest day; empty where there is none at all.",
        ),
        Column(
            name="age_days",
            kind=Kind.INTEGER,
            unit="days",
            is_required=False,
            minimum=0,
            meaning="Days from then to the data date.",
        ),
        Column(
            name="promised_days", kind=Kind.INTEGER, unit="days", minimum=1, meaning="The oldest that it should be."
        ),
        v.flag("is_kept", "Whether it is no older than promised."),
        _SENTENCE,
    ),
)
SCHEMA_CHANGES = Table(
    layer="quality",
    name="schema_changes",
    meaning="Columns that a file has and the file before it of the same mapping had not, or the other way round.",
    key=("feed", "mapping", "file_number", "column_name"),
    columns=(
        _FEED,
        MAPPING,
        FILE_NUMBER,
        Column(name="file", kind=Kind.TEXT, meaning="The file, as it was named in the inbox."),
        Column(name="file_before", kind=Kind.TEXT, meaning="The file before it of the same mapping."),
        Column(name="column_name", kind=Kind.TEXT, meaning="The column's name; of a renamed one the new name."),
        v.word(
            "change", COLUMN_CHANGES, "new, missing, or renamed where a missing one has a like name and like values."
        ),
        Column(
            name="name_before", kind=Kind.TEXT, is_required=False, meaning="Of a renamed column, what it was called."
        ),
        v.flag("is_latest", "Whether it is the newest file of its mapping."),
        _SENTENCE,
    ),
)
SINCE_LAST = Table(
    layer="quality",
    name="since_last",
    meaning="What changed since the version that readers had until tonight: lines of each feed by fate, refused ones by reason.",
    key=("feed", "fate", "reason"),
    columns=(
        _FEED,
        v.word(
            "fate",
            FATES,
            "Where the lines went; admitted_since: refused in the last version, and accepted or replaced now.",
        ),
        Column(name="reason", kind=Kind.TEXT, meaning="Of refused lines the reason; `all` for all lines of the fate."),
        v.count("lines", "Lines tonight."),
        Column(
            name="lines_before",
            kind=Kind.INTEGER,
            is_required=False,
            minimum=0,
            meaning="Lines in the last version; empty where there is none.",
        ),
        Column(name="more_lines", kind=Kind.INTEGER, is_required=False, meaning="Lines tonight less lines before."),
        _SENTENCE,
    ),
)
TABLES: tuple[Table, ...] = (FLOW, FRESHNESS, SCHEMA_CHANGES, SINCE_LAST)
