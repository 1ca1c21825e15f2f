"""A number for every client in an episode, so that whole courses of scores are followed a part of the service at a time.

Belongs here: the numbering, clients' scores under it, and the parts. Does not belong here: which courses an estimate asks
for (the modules beside this one). A clinic's identifiers are long texts: ordering, grouping and holding millions of rows by
them costs several times what numbers cost, and no frame needs them. What an estimate makes is named again where its table
is written.
"""

from collections.abc import Iterator

import duckdb
import polars as pl

from assets import warehouse
from assets.science.rupture import pooled_within_sd

AT_ONCE = 100_000
"""How many series are held in memory together: about a million sessions, whatever the size of the service."""

_SERIES = """
CREATE OR REPLACE TEMP TABLE series AS
SELECT
  CAST(ROW_NUMBER() OVER (ORDER BY client_id, episode_id) AS INTEGER) AS series,
  CAST(DENSE_RANK() OVER (ORDER BY episode_id) AS INTEGER) AS episode, client_id, episode_id
FROM (
  SELECT client.client_id, episode.episode_id
  FROM (
    SELECT case_id, episode_id FROM marts.episodes
    UNION
    SELECT DISTINCT case_id, episode_id FROM marts.sessions
  ) AS episode
  INNER JOIN marts.clients AS client ON client.case_id = episode.case_id
  UNION
  SELECT DISTINCT client_id, episode_id FROM marts.ratings WHERE episode_id IS NOT NULL
) AS known
"""
_EPISODES = """
CREATE OR REPLACE TEMP TABLE numbered_episodes AS
SELECT episode_id, CAST(ROW_NUMBER() OVER (ORDER BY episode_id) AS INTEGER) AS number FROM marts.episodes
"""
# Of two forms of one session the first stands, as in the alliance pairs.
_SCORES = """
CREATE OR REPLACE TEMP TABLE scores AS
SELECT
  series, kind, instrument, session_number, ARG_MIN(score, (completed_on, rating_id)) AS score
FROM (
  SELECT
    series.series, rating.kind, rating.instrument, CAST(rating.session_number AS INTEGER) AS session_number, rating.score,
    rating.completed_on, rating.rating_id
  FROM marts.ratings AS rating
  INNER JOIN series ON series.client_id = rating.client_id AND series.episode_id = rating.episode_id
  WHERE rating.rater = 'client' AND rating.score IS NOT NULL AND rating.session_number IS NOT NULL
    AND rating.kind IN ({kinds})
) AS scored
GROUP BY series, kind, instrument, session_number
"""


def number_series(con: duckdb.DuckDBPyConnection) -> None:
    """Make `temp.series`: `series`, numbered 1, 2, ... in the order of `client_id` and `episode_id`, and `episode`, a number too."""
    con.execute(_SERIES)


def number_episodes(con: duckdb.DuckDBPyConnection) -> None:
    """Make `temp.numbered_episodes`: `number` 1, 2, ... in the order of `episode_id`, whoever they are of."""
    con.execute(_EPISODES)


def number_scores(con: duckdb.DuckDBPyConnection, *kinds: str) -> None:
    """Make `temp.scores` beside `temp.series`: `series`, `kind`, `instrument`, `session_number`, `score`, one a session.

    Args:
        con: with `temp.series`.
        kinds: `alliance`, `outcome` or both.
    """
    con.execute(_SCORES.format(kinds=", ".join(f"'{kind}'" for kind in kinds)))


def within_sds(con: duckdb.DuckDBPyConnection, *, of: str) -> dict[str, float | None]:
    """How much clients' alliance scores spread around their own means, by measure; in its points.

    Args:
        con: with the scores.
        of: the temporary table that they lie in: `series`, `instrument`, `score`.
    """
    found = {}
    for (name,) in con.sql(f"SELECT DISTINCT instrument FROM temp.{of} ORDER BY ALL").fetchall():
        own = f"SELECT series, score AS alliance FROM temp.{of} WHERE instrument = '{name}'"
        found[name] = pooled_within_sd(warehouse.read_frame(con, own), by=("series",))
    return found


def parts(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """A condition for each part of the series, in order; together they hold every series once."""
    return parts_of(con, table="series", number="series")


def parts_of(con: duckdb.DuckDBPyConnection, *, table: str, number: str) -> Iterator[str]:
    """A condition for each part of a temporary table's numbers, in order; together they hold each once.

    A service without any gives one part that holds nothing, so that an estimate of nothing is still made.
    """
    highest = con.sql(f"SELECT COALESCE(MAX({number}), 0) FROM temp.{table}").fetchall()[0][0]
    for first in range(1, max(highest, 1) + 1, AT_ONCE):
        yield f"{number} BETWEEN {first} AND {first + AT_ONCE - 1}"


def keep(con: duckdb.DuckDBPyConnection, name: str, part: pl.DataFrame, *, is_first: bool) -> None:
    """Lay what was made of a part beside the parts before it, in `temp.<name>`.

    Args:
        con: where it lies until its table is written.
        name: of ours.
        part: with the same columns each time.
        is_first: whether it begins the table anew.
    """
    con.register("part_to_keep", part.to_arrow())
    try:
        begins = f"CREATE OR REPLACE TEMP TABLE {name} AS" if is_first else f"INSERT INTO temp.{name}"
        con.execute(f"{begins} SELECT * FROM part_to_keep")
    finally:
        con.unregister("part_to_keep")
