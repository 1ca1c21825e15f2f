"""From rows to cross products: all a nested mixed model needs of its data.

What belongs here: the two GROUP BYs as SQL text, the frames they return turned into arrays, and the same aggregation in
numpy. What does not: the model fitted from them (`multilevel.py`), and running SQL, which is the warehouse's.

Columns should be centred near zero before they are aggregated: products square the condition number of the design.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.science.cross_products import CompressedProducts, Floats, Integers, UnitProducts, pack


def client_sums_sql(*, relation: str, clinician: str, client: str, columns: Sequence[str]) -> str:
    """SQL for the sums over each client's rows and all products of columns: one row a client.

    Args:
        relation: a table, view or bracketed query with complete rows.
        clinician: its column naming the clinician.
        client: its column naming the client; a client seen by two clinicians counts as two.
        columns: expressions for the columns of X in order, without the intercept, then the outcome.

    Returns:
        A SELECT in the portable subset: clinician, client, row_count, s1.. (sums) and q1_1, q1_2, .. (products).
    """
    width = len(columns)
    named = ",\n        ".join(f"CAST({expression} AS DOUBLE) AS x{i + 1}" for i, expression in enumerate(columns))
    sums = [f"SUM(x{i}) AS s{i}" for i in range(1, width + 1)]
    products = [f"SUM(x{i} * x{j}) AS q{i}_{j}" for i in range(1, width + 1) for j in range(i, width + 1)]
    listed = ",\n    ".join(["CAST(COUNT(*) AS BIGINT) AS row_count", *sums, *products])
    return (
        f"SELECT\n    clinician,\n    client,\n    {listed}\nFROM (\n    SELECT\n        {clinician} AS clinician,\n"
        f"        {client} AS client,\n        {named}\n    FROM {relation}\n) AS complete_rows\n"
        "GROUP BY clinician, client"
    )


def patterns_sql(*, relation: str, clinician: str, client: str, columns: Sequence[str]) -> str:
    """SQL for the compressed statistics: one row a clinician and number of rows a client.

    The inner GROUP BY is `client_sums_sql`; the outer adds clients of one clinician that have the same number of rows.

    Args:
        relation: as for `client_sums_sql`.
        clinician: as there.
        client: as there.
        columns: as there.

    Returns:
        A SELECT: clinician, row_count, clients, a1.. (sums), q1_1.. (products of rows), p1_1.. (products of client
        sums). For the
        intercept the products are the counts and sums themselves.
    """
    width = len(columns)
    pairs = [(i, j) for i in range(1, width + 1) for j in range(i, width + 1)]
    listed = ",\n    ".join(
        [
            "CAST(COUNT(*) AS BIGINT) AS clients",
            *[f"SUM(s{i}) AS a{i}" for i in range(1, width + 1)],
            *[f"SUM(q{i}_{j}) AS q{i}_{j}" for i, j in pairs],
            *[f"SUM(s{i} * s{j}) AS p{i}_{j}" for i, j in pairs],
        ],
    )
    inner = client_sums_sql(relation=relation, clinician=clinician, client=client, columns=columns)
    return (
        f"SELECT\n    clinician,\n    row_count,\n    {listed}\nFROM (\n{inner}\n) AS client_sums\n"
        "GROUP BY clinician, row_count\nORDER BY clinician, row_count"
    )


def centred_sql(expression: str, *, relation: str) -> str:
    """SQL for an expression less its mean over the relation, 0 where the relation is empty."""
    mean = f"(SELECT SUM({expression}) / NULLIF(COUNT({expression}), 0) FROM {relation})"
    return f"({expression}) - COALESCE({mean}, 0)"


def compressed_from_patterns(patterns: pl.DataFrame, *, columns: int) -> tuple[CompressedProducts, pl.Series]:
    """The answer to `patterns_sql` as arrays.

    Args:
        patterns: the answer, in any order.
        columns: how many expressions were asked for, the outcome included.

    Returns:
        The statistics and the clinicians in the order of their units.
    """
    ordered = patterns.sort("clinician", "row_count")
    n = ordered["row_count"].to_numpy().astype(np.float64)
    count = ordered["clients"].to_numpy().astype(np.float64)
    size = columns + 1
    sums = np.zeros((ordered.height, size, size))
    products = np.zeros((ordered.height, size, size))
    sums[:, 0, 0], products[:, 0, 0] = n * n * count, n * count
    for i in range(1, size):
        a = ordered[f"a{i}"].to_numpy()
        sums[:, 0, i] = sums[:, i, 0] = n * a
        products[:, 0, i] = products[:, i, 0] = a
        for j in range(i, size):
            sums[:, i, j] = sums[:, j, i] = ordered[f"p{i}_{j}"].to_numpy()
            products[:, i, j] = products[:, j, i] = ordered[f"q{i}_{j}"].to_numpy()
    names = ordered["clinician"]
    first = np.flatnonzero((names != names.shift(1)).fill_null(value=True).to_numpy())
    unit = np.zeros(ordered.height, dtype=np.int64)
    unit[first[1:]] = 1
    return (
        CompressedProducts(
            products=np.add.reduceat(products, first, axis=0),
            pattern_sums=pack(sums),
            pattern_rows=n,
            pattern_clients=count,
            pattern_unit=np.cumsum(unit),
            rows=round(float((n * count).sum())),
        ),
        names.gather(first),
    )


def unit_products(design: Floats, *, unit: npt.ArrayLike) -> tuple[UnitProducts, Integers]:
    """W'W of each unit.

    Args:
        design: (N, m) columns of X, intercept first, then the outcome.
        unit: (N,) which unit each row belongs to; rows of a unit stand together.

    Returns:
        The statistics and the first row of each unit.
    """
    starts = _starts(np.asarray(unit))
    return UnitProducts(products=_product_sums(design, starts), rows=len(design)), starts


def compressed_products(design: Floats, *, clinician: npt.ArrayLike, client: npt.ArrayLike) -> CompressedProducts:
    """The compressed statistics of rows that stand together by clinician and, within, by client.

    Args:
        design: (N, m) columns of X, intercept first, then the outcome.
        clinician: (N,).
        client: (N,).

    Returns:
        The statistics; units in the order in which clinicians stand.
    """
    k, j = np.asarray(clinician), np.asarray(client)
    clinicians = _starts(k)
    clients = np.union1d(_starts(j), clinicians)
    sums = np.add.reduceat(design, clients, axis=0)
    n = np.diff(np.r_[clients, len(design)])
    unit = np.searchsorted(clinicians, clients, side="right") - 1
    order = np.lexsort((n, unit))
    patterns = _starts(unit[order] * (int(n.max()) + 1) + n[order])
    return CompressedProducts(
        products=_product_sums(design, clinicians),
        pattern_sums=pack(_product_sums(sums[order], patterns)),
        pattern_rows=n[order][patterns].astype(np.float64),
        pattern_clients=np.diff(np.r_[patterns, len(order)]).astype(np.float64),
        pattern_unit=unit[order][patterns].astype(np.int64),
        rows=len(design),
    )


def _starts(key: npt.NDArray[np.generic]) -> Integers:
    return np.flatnonzero(np.r_[True, key[1:] != key[:-1]])


def _product_sums(rows: Floats, starts: Integers) -> Floats:
    """Sums of the outer products of rows over stretches that begin at `starts`."""
    size = rows.shape[1]
    products = np.empty((len(starts), size, size))
    for i in range(size):
        for j in range(i, size):
            products[:, i, j] = products[:, j, i] = np.add.reduceat(rows[:, i] * rows[:, j], starts)
    return products
