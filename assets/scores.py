"""From accepted forms to scores, inside DuckDB, by SQL that the instruments' declarations write.

Belongs here: which of an instrument's parts fills which column, and forms sent as totals. Does not belong here: what a
score is (`assets.science.scoring`).
"""

import duckdb

from assets import warehouse
from assets.contracts import staging
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry
from assets.science.scoring import scored_sql

# The SRS asks one line each of what the WAI asks with four items; a column holds either.
_PARTS = {
    "bond_score": ("bond", "relationship"),
    "goals_score": ("goals",),
    "tasks_score": ("tasks", "approach"),
}


def score_forms(con: duckdb.DuckDBPyConnection, *, registry: Registry) -> int:
    """Fill `staging.scores` from `staging.alliance` and `staging.outcomes`; returns its rows."""
    selects = []
    for feed in (staging.ALLIANCE, staging.OUTCOMES):
        source = feed.table.full_name
        present = {str(row[0]) for row in con.sql(f"SELECT DISTINCT instrument FROM {source}").fetchall()}
        selects += [scores_sql(instrument, source=source) for instrument in registry if instrument.id in present]
    return warehouse.create_table(con, staging.SCORES, select="\nUNION ALL\n".join(selects) or _NOTHING)


_NOTHING = (
    "SELECT "
    + ", ".join(f"CAST(NULL AS {column.duckdb_type}) AS {column.name}" for column in staging.SCORES.columns)
    + " WHERE 1 = 0"
)


def scores_sql(instrument: Instrument, *, source: str) -> str:
    """SELECT of one instrument's scores: from items where they were sent, else from the total."""
    numbered = [f"item_{number}" for number in instrument.items]
    items = ", ".join(f"items[{number}] AS {name}" for number, name in zip(instrument.items, numbered, strict=True))
    forms = f"""(
  SELECT instrument, rating_id, total, items IS NOT NULL AS has_items, {items}
  FROM {source} WHERE instrument = '{instrument.id.replace("'", "''")}'
)"""
    answered, score = "0", "CAST(NULL AS DOUBLE)"
    parts = dict.fromkeys(_PARTS, "CAST(NULL AS DOUBLE)")
    if instrument.is_key_declared:
        forms = f"(\n{scored_sql(instrument, numbered, source=forms)})"
        answered, score = "n_answered", "score"
        known = {part.id for part in instrument.subscales}
        parts |= {column: f"score_{part}" for column, ids in _PARTS.items() for part in ids if part in known}
    best = instrument.score_range.high if instrument.direction == "higher_is_better" else instrument.score_range.low
    sign = ">=" if instrument.direction == "higher_is_better" else "<="
    listed = ",\n  ".join(f"CASE WHEN has_items THEN {sql} END AS {column}" for column, sql in parts.items())
    return f"""
SELECT
  instrument, rating_id, n_answered, score,
  {", ".join(_PARTS)},
  COALESCE(score {sign} {float(best)!r}, FALSE) AS is_at_ceiling
FROM (
  SELECT
    instrument,
    rating_id,
    CASE WHEN has_items THEN {answered} WHEN total IS NULL THEN 0 ELSE {instrument.n_items.value} END AS n_answered,
    CASE WHEN has_items THEN {score} ELSE total END AS score,
    {listed}
  FROM {forms} AS scored
) AS scores"""
