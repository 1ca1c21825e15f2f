"""What the night says of itself against the version that readers had: rows changed, definitions changed, figures moved.

Belongs here: the declarations, and from where on a movement is worth telling. Does not belong here: how rows are compared
(`assets.changed_rows`), how code becomes a version (`assets.definitions`), or which reason stands
(`assets.estimates.changes`).
"""

from typing import Final

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table
from assets.contracts.staging import FEEDS

WORTH_TELLING: Final = 0.25
"""A figure that moved by less than this share of its earlier half interval says what it said before."""

ROW_REASONS: Final = ("new", "late", "corrected", "admitted", "refused", "withdrawn")
"""Why a row of the two versions differs; each differing row has exactly one."""

TOUCHES: Final = (*ROW_REASONS, "aged")
"""Kinds of changed data that a figure can rest on; aged: rows that the period left behind."""

REASONS: Final = ("definition", *TOUCHES, "elsewhere", "time", "unexplained")
"""Why a figure moved: a changed definition first, else the kind of changed data of its own group with most rows, else
changed data elsewhere in the service, on which steadied figures lean, else the passing of days, else nothing known."""

SCOPES: Final = ("service", "site", "programme", "clinician")
KINDS: Final = ("setting", "table", "rate")

_SITE_BEFORE, _PROGRAMME_BEFORE, _CLINICIAN_BEFORE = (
    Column(
        name=f"{column.name}_before",
        kind=column.kind,
        is_required=False,
        meaning=f"The same in the last version; empty for an added row. {column.meaning}",
    )
    for column in (v.SITE, v.PROGRAMME, v.CLINICIAN_ID)
)

CHANGED_ROWS = Table(
    layer="quality",
    name="changed_rows",
    meaning=(
        "Every accepted row that the last version had not, had otherwise, or had and that is gone; in what a row says, not in "
        "which file it came. Empty on a first night, and where the two versions were coded with different secrets."
    ),
    key=("table_name", "row_key"),
    holds_people=True,
    columns=(
        v.word("table_name", tuple(feed.table.full_name for feed in FEEDS), "The table, as schema.table."),
        Column(name="row_key", kind=Kind.TEXT, meaning="The values of the table's key, joined by slashes."),
        v.word(
            "reason",
            ROW_REASONS,
            "new: added, of a day after the last data date, or of none; late: added, of a day up to it; corrected: said otherwise; "
            "admitted: its line was refused until now; refused: its line is refused now; withdrawn: gone for another reason.",
        ),
        Column(name="day", kind=Kind.DATE, is_required=False, meaning="The day that the row is of, where it has one."),
        v.optional(v.CASE_ID),
        Column(name="instrument", kind=Kind.IDENTIFIER, is_required=False, meaning="Of a form the measure, by its id."),
        v.SITE,
        _SITE_BEFORE,
        v.PROGRAMME,
        _PROGRAMME_BEFORE,
        v.optional(v.CLINICIAN_ID),
        _CLINICIAN_BEFORE,
    ),
)
DEFINITIONS = Table(
    layer="quality",
    name="definitions",
    meaning=(
        "The version of everything that decides a figure: each setting, each table's code and declarations, each rate. Made "
        "from the code and the settings themselves; comments and formatting change nothing."
    ),
    key=("kind", "name"),
    columns=(
        v.word("kind", KINDS, "A setting of the service, a table, or a published rate."),
        Column(
            name="name", kind=Kind.TEXT, meaning="The setting as in the configuration, schema.table, or the rate's id."
        ),
        Column(name="own_version", kind=Kind.TEXT, meaning="Hash of what decides it alone: its value, or its code."),
        Column(name="version", kind=Kind.TEXT, meaning="Hash of that and of everything that it rests on."),
        Column(
            name="rests_on",
            kind=Kind.TEXT,
            is_required=False,
            meaning="The settings and tables that it rests on directly, parted by commas.",
        ),
        Column(
            name="value",
            kind=Kind.TEXT,
            is_required=False,
            meaning="Of a setting that is one number or word, its value as JSON.",
        ),
        Column(name="value_before", kind=Kind.TEXT, is_required=False, meaning="The same in the last version."),
        v.answer(
            "has_changed_itself", "Whether its own version is another than in the last version; empty without one."
        ),
        v.answer("has_changed", "Whether it or something it rests on has; empty without a last version."),
        Column(
            name="because_of",
            kind=Kind.TEXT,
            is_required=False,
            meaning="What has changed itself among all that it rests on, it included, parted by commas.",
        ),
    ),
)
_ROWS = {
    "new": "Rows of its group added, of days after the last data date.",
    "late": "Rows of its group added, of days up to the last data date.",
    "corrected": "Rows of its group that say something else now.",
    "admitted": "Rows of its group whose lines were refused until now.",
    "refused": "Rows of its group whose lines are refused now.",
    "withdrawn": "Rows of its group that are gone for another reason.",
    "aged": "Rows of its group that the period of pages has left behind.",
}
CHANGES = Table(
    layer="quality",
    name="changes",
    meaning=(
        "Every published figure that is another than in the last version, with both values, both intervals and the reason. Of "
        "the service, sites and programmes the figures are those that pages were given, so a held one has not moved."
    ),
    key=("table_name", "figure", "row_key"),
    columns=(
        Column(name="table_name", kind=Kind.TEXT, meaning="The figure's table, as schema.table."),
        Column(name="figure", kind=Kind.TEXT, meaning="The figure's column."),
        Column(name="row_key", kind=Kind.TEXT, meaning="The values of that table's key, joined by slashes."),
        v.word("scope", SCOPES, "Whom the figure is of."),
        Column(name="scope_name", kind=Kind.TEXT, meaning="The site, programme or clinician; `all` for the service."),
        Column(
            name="about",
            kind=Kind.TEXT,
            is_required=False,
            meaning="What else names the row: the rate, the measure, the session, joined by slashes.",
        ),
        v.word("movement", ("moved", "appeared", "gone"), "Whether it moved, or stands in one version only."),
        v.number("value_before", "The figure in the last version."),
        v.number("low_before", "Lower end of its 95% interval then."),
        v.number("high_before", "Upper end of its 95% interval then."),
        v.number("value", "The figure tonight."),
        v.number("low", "Lower end of its 95% interval."),
        v.number("high", "Upper end of its 95% interval."),
        v.number("difference", "The figure tonight less the one before."),
        v.number(
            "explained",
            "How far so much changed data usually moves a figure: its earlier half interval times the root of twice the share of "
            "rows that changed, in its group or in the service, whichever is more. Changes that all point one way move it further.",
        ),
        v.answer("is_beyond_data", "Whether it moved further than that; empty where it did not move but came or went."),
        v.flag(
            "is_worth_telling",
            f"Whether it came or went, or moved by {WORTH_TELLING:g} of its earlier half interval or more.",
        ),
        v.flag("is_on_pages", "Whether both nights' pages of the service, a site or a programme may show it."),
        v.word("reason", REASONS, "The first that holds: see `REASONS` in the contract, told in the sentence."),
        *(v.count(f"rows_{name}", meaning) for name, meaning in _ROWS.items()),
        v.count("rows_changed", "Their sum: rows of its group that changed, each counted once."),
        Column(
            name="definitions_changed",
            kind=Kind.TEXT,
            is_required=False,
            meaning="The settings, tables and rates whose own definition changed and on which it rests.",
        ),
        v.SENTENCE,
    ),
)
TABLES: tuple[Table, ...] = (CHANGED_ROWS, DEFINITIONS, CHANGES)
