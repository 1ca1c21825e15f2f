"""What the night says of the groups that pages publish figures of: how many are in each, and which are withheld and why.

Belongs here: the declarations. Does not belong here: the rules (`assets.science.disclosure`) or which groups there are
(`assets.estimates.slices`). True counts stand here for people who may see rows; pages take `shown_cases` alone.
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table

POPULATIONS = ("booked", "first_seen", "rated", "finished")
SCOPES = ("service", "site", "programme", "clinician")
STATUSES = ("shown", "held", "withheld")
REASONS = ("few_clients", "few_clinicians", "complement", "subtraction")

NO_COUNTS_OF_CLIENTS = (
    "clinicians",
    "units",
    "phase",
    "position",
    "session_number",
    "landmark_session",
    "horizon_session",
    "signals",
)
"""Whole numbers of tables with a row a scope that neither count clients nor what clients did."""

_SLICE_ID = Column(
    name="slice_id",
    kind=Kind.TEXT,
    meaning="Names the group: population, scope, the scope's name, measure and months, joined by slashes.",
)

PUBLISHED_SLICES = Table(
    layer="quality",
    name="published_slices",
    meaning="Every group that pages may publish figures of, with what may be told of its size tonight.",
    key=("slice_id",),
    columns=(
        _SLICE_ID,
        v.word(
            "population",
            POPULATIONS,
            "Whose cases: with an appointment, first seen, with a scored form, or with a finished course and its change.",
        ),
        v.word("scope", SCOPES, "Whether the group is the whole service's, a site's, a programme's or a clinician's."),
        Column(name="scope_name", kind=Kind.TEXT, meaning="The site, programme or clinician; `all` for the service."),
        Column(
            name="instrument", kind=Kind.TEXT, meaning="The measure the group is about; `all` where it is about none."
        ),
        v.count("months", "How many months before the data date the group looks back; 0 for all time."),
        v.count("cases", "Different cases in the group tonight; for people who may see rows."),
        v.word(
            "status", STATUSES, "Whether its size is shown as it is tonight, held at an earlier night's, or withheld."
        ),
        Column(
            name="standing_cases",
            kind=Kind.INTEGER,
            is_required=False,
            minimum=0,
            meaning="The cases that the shown figure stands for: tonight's, or those of the night it last moved; empty where withheld.",
        ),
        Column(
            name="shown_cases",
            kind=Kind.INTEGER,
            is_required=False,
            minimum=0,
            meaning="What pages may say: the standing cases to the nearest multiple of the smallest difference; empty where withheld.",
        ),
        Column(
            name="standing_since",
            kind=Kind.DATE,
            is_required=False,
            meaning="The data date of the night on which the shown figure last moved; empty where withheld.",
        ),
        Column(
            name="figures_since",
            kind=Kind.DATE,
            is_required=False,
            meaning="The data date of the group's rates and estimates on pages; empty where nothing but its size is published.",
        ),
        v.flag(
            "has_held_figures",
            "Whether its rates and estimates on pages are those of an earlier night, since too few clients have come or gone.",
        ),
    ),
)
WITHHELD = Table(
    layer="quality",
    name="withheld",
    meaning="Every published group that is withheld tonight, with the reason in words; nothing about it stands on any page.",
    key=("slice_id",),
    columns=(
        _SLICE_ID,
        v.word(
            "reason",
            REASONS,
            "few_clients, few_clinicians: too small; complement: the total less the others would give a small one away; "
            "subtraction: it and another published group differ by a small one.",
        ),
        Column(
            name="against",
            kind=Kind.TEXT,
            is_required=False,
            meaning="The other published group, where the reason is subtraction.",
        ),
        Column(name="sentence", kind=Kind.TEXT, meaning="The reason in plain words, without any count."),
    ),
)
FIGURE_MEMBERS = Table(
    layer="quality",
    name="figure_members",
    meaning="Whom the rates and estimates on pages speak of, as of the night they last moved; the next night is held against it.",
    key=("slice_id", "case_id"),
    holds_people=True,
    columns=(_SLICE_ID, v.CASE_ID),
)
TABLES: tuple[Table, ...] = (PUBLISHED_SLICES, WITHHELD, FIGURE_MEMBERS)
