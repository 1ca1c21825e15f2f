"""The anonymous extract: which rows it takes, what a person could be known by, and how each of that is made coarser.

Belongs here: ladders from fine to coarse, and the extract in words. Does not belong here: the search for how coarse it has
to be (`assets.science.anonymity`), its columns' meanings (`assets.contracts.extract`), or writing files.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from assets.contracts.extract import EXTRACT, QUASI_IDENTIFIERS, SESSION_BANDS, dictionary
from assets.science.anonymity import ANY, Anonymous, anonymous

# A twentieth of the rows left out costs an analysis less than another step for all of them.
MOST_SUPPRESSED: Final = 0.05
NOT_RECORDED: Final = "not recorded"
SELECT: Final = """
SELECT change.client_id, change.site, change.programme, change.instrument, change.is_open, change.first_score,
  change.last_score, change.last_score - change.first_score AS change, change.category, episode.problem, episode.sessions, episode.end_reason,
  COALESCE(episode.started_on, episode.first_session_on, episode.referred_on) AS started_on, client.age_band,
  client.gender, client.deprivation_decile
FROM analysis.client_change AS change
INNER JOIN marts.episodes AS episode ON episode.episode_id = change.episode_id
LEFT JOIN marts.clients AS client ON client.client_id = change.client_id
"""
_STEPS: Final = {
    "started": ("month", "quarter", "half-year", "year", ANY),
    "deprivation": ("tenth", "fifth", "half", ANY),
    "age_band": ("as the service sends it", "under 30, 30 to 49, 50 and over", ANY),
    "problem": ("as recorded", ANY),
    "programme": ("as recorded", ANY),
    "site": ("as recorded", ANY),
    "gender": ("as recorded", ANY),
    "instrument": ("as recorded",),
}


@dataclass(frozen=True, kw_only=True)
class Extract:
    """The extract, its dictionary, and one line on what it cost."""

    rows: pl.DataFrame
    dictionary: str
    summary: str


def extract(courses: pl.DataFrame, *, k: int, data_date: date) -> Extract:
    """The extract of everyone's courses.

    Args:
        courses: the rows of `SELECT`.
        k: the fewest clients that may share a combination of quasi-identifiers, 2 or more.
        data_date: the last day that the data speak of.

    Raises:
        ValueError: k below 2.
    """
    ladders = {column.name: _LADDERS[column.name] for column in QUASI_IDENTIFIERS}
    banded = courses.with_columns(sessions=_session_band())
    made = anonymous(banded, person="client_id", ladders=ladders, k=k, most_suppressed=MOST_SUPPRESSED)
    names = [column.name for column in EXTRACT.columns]
    # In the order of what they say, so that the order of the file tells nothing of whose rows stand together.
    rows = made.rows.select(names).sort(names)
    steps = {name: _STEPS[name][level] for name, level in made.levels.items()}
    facts = {
        "data date": data_date.isoformat(),
        "rows": f"{rows.height:,}",
        "combinations": f"{made.classes:,}",
        "clients in the rarest combination": str(made.smallest_class),
        "rows left out": _left_out(made, courses.height),
    }
    coarser = [f"{name} to {steps[name]}" for name, level in made.levels.items() if level > 0]
    return Extract(
        rows=rows,
        dictionary=dictionary(k=k, facts=facts, steps=steps),
        summary=f"{rows.height:,} rows in {made.classes:,} combination{'' if made.classes == 1 else 's'} of at least {made.smallest_class} clients; made coarser: "
        f"{', '.join(coarser) if coarser else 'nothing'}; left out: {_left_out(made, courses.height)}",
    )


def _left_out(made: Anonymous, rows: int) -> str:
    share = made.suppressed_rows / rows if rows else 0.0
    return f"{made.suppressed_rows:,} of {rows:,} rows ({share:.1%})"


def _or_not_recorded(expression: pl.Expr) -> pl.Expr:
    return expression.cast(pl.String).fill_null(NOT_RECORDED)


def _session_band() -> pl.Expr:
    sessions = pl.col("sessions")
    return (
        pl.when(sessions < 1)
        .then(pl.lit(SESSION_BANDS[0]))
        .when(sessions < 2)
        .then(pl.lit(SESSION_BANDS[1]))
        .when(sessions <= 5)
        .then(pl.lit(SESSION_BANDS[2]))
        .when(sessions <= 10)
        .then(pl.lit(SESSION_BANDS[3]))
        .when(sessions <= 20)
        .then(pl.lit(SESSION_BANDS[4]))
        .otherwise(pl.lit(SESSION_BANDS[5]))
    )


def _age() -> pl.Expr:
    """A coarse band from the first number of a fine one."""
    first = pl.col("age_band").str.extract(r"(\d+)").cast(pl.Int64)
    return (
        pl.when(first < 30)
        .then(pl.lit("under 30"))
        .when(first < 50)
        .then(pl.lit("30 to 49"))
        .when(first.is_not_null())
        .then(pl.lit("50 and over"))
    )


_YEAR: Final = pl.col("started_on").dt.year().cast(pl.String)
_MONTH: Final = pl.col("started_on").dt.month()
_TENTH: Final = pl.col("deprivation_decile")
_NOTHING: Final = pl.lit(ANY)
_LADDERS: Final = {
    "started": (
        _or_not_recorded(pl.col("started_on").dt.strftime("%Y-%m")),
        _or_not_recorded(pl.format("{} quarter {}", _YEAR, (_MONTH - 1) // 3 + 1)),
        _or_not_recorded(pl.format("{} half {}", _YEAR, (_MONTH - 1) // 6 + 1)),
        _or_not_recorded(_YEAR),
        _NOTHING,
    ),
    "deprivation": (
        _or_not_recorded(pl.format("tenth {}", _TENTH)),
        _or_not_recorded(pl.format("fifth {}", (_TENTH - 1) // 2 + 1)),
        _or_not_recorded(pl.format("half {}", (_TENTH - 1) // 5 + 1)),
        _NOTHING,
    ),
    "age_band": (_or_not_recorded(pl.col("age_band")), _or_not_recorded(_age()), _NOTHING),
    **{name: (_or_not_recorded(pl.col(name)), _NOTHING) for name in ("problem", "programme", "site", "gender")},
    "instrument": (pl.col("instrument"),),
}
