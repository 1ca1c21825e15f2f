"""What was deleted at a FHIR server, as rows that take back what was pulled of it.

Belongs here: the rows that an export's list of deletions becomes. Does not belong here: fetching that list (`fhir_bulk`), or the
words of a mapping, by which a deleted appointment counts as one that did not take place.
"""

from collections.abc import Sequence
from typing import Final

from assets.feeds.pulls.fhir_columns import COLUMNS, DELETED, KEYS
from assets.feeds.pulls.fhir_settings import Resource

# What a deletion says of itself; a form's answers and a total are taken back, all else is as the resource last was. An episode
# has no word for that it never was, and keeps its end.
_OWN: Final = {
    "id": "id",
    "updated": "CAST(NULL AS VARCHAR)",
    "status": f"'{DELETED}'",
    "outcome": f"'{DELETED}'",
    "value": "CAST(NULL AS VARCHAR)",
    "total": "CAST(NULL AS VARCHAR)",
}


def deleted_sql(resource: Resource, *, earlier: Sequence[str]) -> str:
    """SELECT of the rows that were pulled of what is deleted, from `taken`, whose `entry` is one of a list's entries.

    A resource of which nothing was pulled has one row, with its id and its status.

    Args:
        resource: the kind; other kinds' deletions are left out.
        earlier: the paths of the Parquet files that were pulled of it, quoted; the newest is the last by name.
    """
    names = [column.name for column in COLUMNS[resource]]
    keys = ", ".join(f'"{name}"' for name in KEYS[resource])
    if earlier:
        files = ", ".join(f"'{path}'" for path in earlier)
        last = f"""
            SELECT * FROM read_parquet([{files}], filename = true, union_by_name = true) SEMI JOIN gone USING (id)
            QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY filename DESC, updated DESC NULLS LAST) = 1"""
    else:
        nothing = ", ".join(f'CAST(NULL AS VARCHAR) AS "{name}"' for name in names)
        last = f"SELECT {nothing} WHERE false"
    values = {name: f'last."{name}"' for name in names} | _OWN
    listed = ", ".join(f'{values[name]} AS "{name}"' for name in names)
    pattern = f"(?:^|/){resource}/([A-Za-z0-9.-]{{1,64}})$"
    return f"""
        WITH gone AS MATERIALIZED (
          SELECT DISTINCT id FROM (
            SELECT nullif(regexp_extract(entry->>'$.request.url', '{pattern}', 1), '') AS id
            FROM taken WHERE entry->>'$.request.method' = 'DELETE')
          WHERE id IS NOT NULL
        )
        SELECT *, hash({keys}) AS key
        FROM (SELECT {listed} FROM gone LEFT JOIN ({last}) AS last USING (id))"""
