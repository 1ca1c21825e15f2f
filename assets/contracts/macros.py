"""Questions that analysts ask so often that the warehouse answers them by name: SQL macros, each described once.

Belongs here: the macros' words and meanings. Does not belong here: running the statements (`assets.warehouse`), or any
figure of the night, which is made in `assets.science`: a test holds these to the same answers.
"""

from dataclasses import dataclass

# Ties are improvement: a threshold worked out of decimals may lie a hair's breadth from the change that reaches it.
_TIE = "1e-9"


@dataclass(frozen=True, kw_only=True)
class Macro:
    """One named expression of the warehouse's `main` schema.

    Attributes:
        name: what it is called by.
        parameters: the names of what it takes, in order.
        meaning: one or two sentences.
        expression: SQL over the parameters.
    """

    name: str
    parameters: tuple[str, ...]
    meaning: str
    expression: str

    @property
    def signature(self) -> str:
        """How it is called."""
        return f"{self.name}({', '.join(self.parameters)})"


MACROS: tuple[Macro, ...] = (
    Macro(
        name="reliable_change",
        parameters=("first_score", "last_score", "threshold", "higher_is_worse"),
        meaning="`improved`, `deteriorated` or `unchanged`: whether the change from the first to the last score reaches "
        "the measure's reliable change threshold; empty where a score or the threshold is. Thresholds stand in "
        "`analysis.instruments`.",
        expression=f"""CASE
  WHEN first_score IS NULL OR last_score IS NULL OR threshold IS NULL OR higher_is_worse IS NULL THEN NULL
  WHEN (first_score - last_score) * (CASE WHEN higher_is_worse THEN 1 ELSE -1 END) >= threshold - {_TIE} THEN 'improved'
  WHEN (last_score - first_score) * (CASE WHEN higher_is_worse THEN 1 ELSE -1 END) >= threshold - {_TIE} THEN 'deteriorated'
  ELSE 'unchanged'
END""",
    ),
    Macro(
        name="month_of",
        parameters=("day",),
        meaning="The first day of a day's month.",
        expression="CAST(DATE_TRUNC('month', CAST(day AS DATE)) AS DATE)",
    ),
    Macro(
        name="quarter_of",
        parameters=("day",),
        meaning="The first day of a day's calendar quarter.",
        expression="CAST(DATE_TRUNC('quarter', CAST(day AS DATE)) AS DATE)",
    ),
    Macro(
        name="year_of",
        parameters=("day", "first_month"),
        meaning="The first day of a day's reporting year, which begins on the first of `first_month`: 4 for April to March.",
        expression="""CAST(
  DATE_TRUNC('year', CAST(day AS DATE) - to_months(CAST(first_month AS INTEGER) - 1))
  + to_months(CAST(first_month AS INTEGER) - 1)
AS DATE)""",
    ),
    Macro(
        name="is_in_period",
        parameters=("day", "data_date", "months"),
        meaning="Whether a day lies in the months before a data date, as the pages' period is meant; both stand in `quality.run`.",
        expression="""(
  CAST(day AS DATE) > CAST(data_date AS DATE) - to_months(CAST(months AS INTEGER)) AND CAST(day AS DATE) <= CAST(data_date AS DATE)
)""",
    ),
)


def statements() -> list[str]:
    """The statements that put the macros and their meanings into DuckDB."""
    made = [f"CREATE OR REPLACE MACRO {each.signature} AS {each.expression}" for each in MACROS]
    told = [f"COMMENT ON MACRO {each.name} IS '{each.meaning.replace(chr(39), chr(39) * 2)}'" for each in MACROS]
    return made + told


def dictionary() -> str:
    """The macros as a part of the data dictionary."""
    lines = ["## macros", "", "Expressions that the warehouse knows by name.", "", "| macro | meaning |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{each.signature}` | {each.meaning} |" for each in MACROS), ""])
