"""What the anonymous extract promises: one row a course of treatment and measure, told apart by nothing personal.

Belongs here: its columns and how its dictionary reads. Does not belong here: how it is made anonymous
(`assets.science.anonymity`) or which rows it takes (`assets.estimates.extract`).
"""

from collections.abc import Mapping

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table

SESSION_BANDS = ("none", "1", "2 to 5", "6 to 10", "11 to 20", "21 or more")


def _coarse(name: str, meaning: str) -> Column:
    return Column(name=name, kind=Kind.TEXT, meaning=f"{meaning} `any` where it tells nothing any more.")


QUASI_IDENTIFIERS: tuple[Column, ...] = (
    _coarse("started", "When treatment started: a month, quarter, half-year or year."),
    _coarse("deprivation", "Area deprivation of the client's home: a tenth, fifth or half; 1 is the most deprived."),
    _coarse("age_band", "The client's age in years, as a band."),
    _coarse("problem", "The main problem the episode is for."),
    _coarse("programme", "The treatment programme."),
    _coarse("site", "The place or team."),
    _coarse("gender", "The client's gender as the service records it."),
    Column(
        name="instrument", kind=Kind.IDENTIFIER, meaning="The outcome measure the row is about; never made coarser."
    ),
)
EXTRACT = Table(
    layer="extract",
    name="courses",
    meaning="One row for each course of treatment and outcome measure; no row says whose it is, nor which rows are one client's.",
    key=(),
    holds_people=True,
    columns=(
        *QUASI_IDENTIFIERS,
        v.flag("is_open", "Whether treatment had not ended by the data date."),
        v.word("sessions", SESSION_BANDS, "Sessions attended in the course."),
        v.word("end_reason", v.END_REASONS, "Whether it ended as planned.", is_required=False),
        v.number("first_score", "The first score of the course on the measure.", unit="points"),
        v.number("last_score", "The last one, of another form than the first.", unit="points"),
        v.number("change", "Last score less first.", unit="points"),
        v.word("category", v.CHANGE_CATEGORIES, "Change by the measure's own rule."),
    ),
)


def dictionary(*, k: int, facts: Mapping[str, str], steps: Mapping[str, str]) -> str:
    """The extract's own dictionary in Markdown.

    Args:
        k: the fewest clients that share a combination.
        facts: what is said of the extract as a whole, label to words.
        steps: how coarse each quasi-identifier is, by its name.
    """
    promise = (
        f"Every combination of {', '.join(f'`{column.name}`' for column in QUASI_IDENTIFIERS)} belongs to at least {k} clients. "
        "Rows whose combination stayed rarer are left out. Whoever knows somebody's combination cannot tell their row from those of "
        f"{k - 1} others; what all of a combination share is told of each. Do not join two extracts of different nights: their difference "
        "can be one client."
    )
    lines = [
        "# Data dictionary of the extract",
        "",
        EXTRACT.meaning,
        "",
        promise,
        "",
        "| of the extract | |",
        "|---|---|",
        *(f"| {label} | {words} |" for label, words in facts.items()),
        "",
        "| column | type | how coarse | meaning |",
        "|---|---|---|---|",
        *(
            f"| `{column.name}` | {column.duckdb_type} | {steps.get(column.name, '')} | {column.meaning} |"
            for column in EXTRACT.columns
        ),
        "",
    ]
    return "\n".join(lines)
