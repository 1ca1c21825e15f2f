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


def in_every_scope(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows once for every group that each is in, with `scope` and `scope_name`: the service, its site, its programme.

    Args:
        rows: as `scopes_of`.
    """
    scope, name = WHOLE_SERVICE
    parts = [rows.with_columns(scope=pl.lit(scope), scope_name=pl.lit(name))]
    parts += [
        rows.filter(pl.col(part).is_not_null()).with_columns(scope=pl.lit(part), scope_name=pl.col(part))
        for part in ("site", "programme")
    ]
    return pl.concat(parts)
