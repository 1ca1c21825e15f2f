"""The groups that a figure is given for: the whole service, each site, each programme.

Belongs here: cutting rows into those groups. Does not belong here: what is figured of them.
"""

from collections.abc import Iterator

import polars as pl

WHOLE_SERVICE = ("service", "all")


def scopes_of(rows: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    """The scope, the group's name and its rows, for every group that there is, in a fixed order.

    Args:
        rows: with `site` and `programme`; a row without a site or a programme is in none of theirs.
    """
    yield (*WHOLE_SERVICE, rows)
    for scope in ("site", "programme"):
        for name in rows[scope].drop_nulls().unique().sort():
            yield scope, str(name), rows.filter(pl.col(scope) == name)
