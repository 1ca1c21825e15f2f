"""Cross products of rows, unit by unit: what a nested model knows of its data, and how it is added up.

What belongs here: the two forms in which products are kept, sums over the units of a unit above, and clients' random
intercepts absorbed. What does not: where the products come from (`sufficient_statistics.py`) and the likelihood that is
made of them (`nested_likelihood.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
SHORT_STRETCH: Final = 32  # units; longer stretches are summed as one product of matrices


@dataclass(frozen=True, kw_only=True)
class UnitProducts:
    """W'W of each innermost unit with random coefficients (U, m, m), and the number of rows behind them."""

    products: Floats
    rows: int


@dataclass(frozen=True, kw_only=True)
class CompressedProducts:
    """What a model with a random intercept for each client needs of its rows, clients no longer told apart.

    A client's random intercept acts through how many rows the client has, so the outer products of client sums are kept
    summed over the clients of a clinician that have the same number of rows: a pattern. Patterns ascend by unit.
    """

    products: Floats  # (K, m, m) W'W of each clinician
    # (P, m (m + 1) / 2) sum of s s' over the clients of the pattern, s being a client's column sums; by `pack`
    pattern_sums: Floats
    pattern_rows: Floats  # (P,) rows of each client of the pattern
    pattern_clients: Floats  # (P,) how many clients
    pattern_unit: Integers  # (P,) position of the clinician in `products`
    rows: int

    @cached_property
    def by_rows(self) -> tuple[Floats, Floats, Floats]:
        """The numbers of rows that clients have (N,), clients that have each, and their pattern sums (N, m (m + 1) / 2)."""
        clients = np.bincount(self.pattern_rows.astype(np.int64), weights=self.pattern_clients)
        sizes = np.flatnonzero(clients)
        place = np.searchsorted(sizes, self.pattern_rows)
        one_each = sparse.csr_matrix((np.ones(len(place)), (place, np.arange(len(place)))))
        return sizes.astype(np.float64), np.asarray(clients[sizes], dtype=np.float64), one_each @ self.pattern_sums

    @cached_property
    def ends(self) -> Integers:
        """Where each clinician's patterns begin, and where the last one's end (K + 1,)."""
        return np.searchsorted(self.pattern_unit, np.arange(len(self.products) + 1))

    @cached_property
    def one_of_each(self) -> Integers:
        """A pattern for each number of rows (N,)."""
        return np.asarray(np.unique(self.pattern_rows, return_index=True)[1], dtype=np.int64)

    def sums_of(self, columns: tuple[int, ...]) -> Floats:
        """Some columns of the pattern sums, side by side in memory; kept, since a search asks for the same again and again."""
        if columns not in self._kept:
            self._kept[columns] = np.ascontiguousarray(self.pattern_sums[:, columns])
        return self._kept[columns]

    @cached_property
    def _kept(self) -> dict[tuple[int, ...], Floats]:
        return {}


Statistics = UnitProducts | CompressedProducts


def pack(matrices: Floats) -> Floats:
    """The upper triangles of symmetric matrices (..., m, m), row by row: (..., m (m + 1) / 2)."""
    rows, columns = np.triu_indices(matrices.shape[-1])
    return np.ascontiguousarray(matrices[..., rows, columns])


def unpack(packed: Floats, size: int) -> Floats:
    """Symmetric matrices (..., m, m) from their upper triangles."""
    return packed[..., _places(size)]


def sum_within(values: Floats, parent: Integers | None) -> Floats:
    """Sums (D, G, ...) of units' values (D, U, ...) over the units of each unit above, or over all at the top."""
    if parent is None:
        return np.asarray(values.sum(axis=1, keepdims=True))
    return np.asarray(np.add.reduceat(values, _starts(parent), axis=1))


def times(rows: Floats, matrices: Floats, parent: Integers | None) -> Floats:
    """Units' rows (..., U, q, m), each times the matrix of the unit above it (..., G, m, c)."""
    *_, units, size, _ = rows.shape
    found = np.empty((*np.broadcast_shapes(rows.shape[:-3], matrices.shape[:-3]), units, size, matrices.shape[-1]))
    for group, among in enumerate(_stretches(parent)):
        flat = rows[..., among, :, :].reshape(*rows.shape[:-3], -1, rows.shape[-1])
        part = found[..., among, :, :]
        part[...] = (flat @ matrices[..., group, :, :]).reshape(part.shape)
    return found


def products_within(left: Floats, right: Floats, parent: Integers | None) -> Floats:
    """Sums (D, G, m, m) of left' right over the units of each unit above; units' rows are (D, U, q, m)."""
    starts = np.zeros(1, dtype=np.int64) if parent is None else _starts(parent)
    if len(starts) * SHORT_STRETCH > left.shape[1] and parent is not None:
        return np.asarray(np.add.reduceat(np.swapaxes(left, 2, 3) @ right, starts, axis=1))
    parts = []
    for units in _stretches(parent):
        one, other = (each[:, units].reshape(len(each), -1, each.shape[-1]) for each in (left, right))
        parts.append(np.swapaxes(one, 1, 2) @ other)
    return np.stack(parts, axis=1)


def _starts(parent: Integers) -> Integers:
    return np.flatnonzero(np.r_[True, parent[1:] != parent[:-1]])


def _stretches(parent: Integers | None) -> list[slice]:
    """The units that each unit above has."""
    if parent is None:
        return [slice(None)]
    starts = _starts(parent)
    return [slice(a, b) for a, b in zip(starts, np.r_[starts[1:], len(parent)], strict=True)]


@cache
def _places(size: int) -> Integers:
    """Where each entry of a symmetric matrix stands in its packed upper triangle: (m, m)."""
    rows, columns = np.triu_indices(size)
    full = np.empty((size, size), dtype=np.int64)
    full[rows, columns] = full[columns, rows] = np.arange(len(rows))
    return full


@cache
def _entries_of_rows(size: int, rows: tuple[int, ...]) -> tuple[tuple[int, ...], Integers]:
    """Which entries of a packed triangle some rows of the matrix hold, and where in those each of the rows' is found."""
    wanted, back = np.unique(_places(size)[list(rows)], return_inverse=True)
    return tuple(wanted.tolist()), back


def _by_pattern(weight: Floats, sums: Floats, ends: Integers) -> Floats:
    """Weighted sums (D, G, c) of patterns' sums (P, c) over the stretches that end at `ends` (G + 1,), from D weights."""
    shape, at = (len(ends) - 1, len(sums)), np.arange(len(sums))
    return np.stack([sparse.csr_matrix((each, at, ends), shape=shape) @ sums for each in weight])


def patterns_taken(
    weight: Floats, statistics: CompressedProducts, *, columns: Sequence[int], parent: Integers | None
) -> tuple[Floats, Floats]:
    """Weighted sums of patterns: some rows of each clinician's (D, K, q, m), and the whole of each unit's above.

    `weight` (D, P) hangs on a pattern's number of rows alone.
    """
    size, ends = statistics.products.shape[1], statistics.ends
    wanted, back = _entries_of_rows(size, tuple(columns))
    rows = _by_pattern(weight, statistics.sums_of(wanted), ends)[..., back]
    if parent is None:
        _, _, sums = statistics.by_rows
        whole = (weight[:, statistics.one_of_each] @ sums)[:, None]
    else:
        whole = _by_pattern(weight, statistics.pattern_sums, ends[np.r_[_starts(parent), len(ends) - 1]])
    return rows, unpack(whole, size)


def clients_absorbed(ratio: float, statistics: CompressedProducts) -> Floats:
    """W'V^-1 W of each clinician (K, m, m), clients' random intercepts of standard deviation `ratio` times sigma absorbed."""
    size, ends = statistics.products.shape[1], statistics.ends
    weight = (ratio**2 / (1.0 + ratio**2 * statistics.pattern_rows))[None]
    return np.asarray(statistics.products - unpack(_by_pattern(weight, statistics.pattern_sums, ends)[0], size))


def together(
    parts: Sequence[tuple[CompressedProducts, Integers]], *, units: int, size: int | None = None
) -> CompressedProducts:
    """Statistics of several sets of clients as those of one.

    Args:
        parts: each with the place (K,) that its clinicians have in what is made, -1 for those left out.
        units: how many clinicians that is; one without clients has nought.
        size: the number of columns, wanted where there are no parts.
    """
    size = parts[0][0].products.shape[1] if size is None else size
    products = np.zeros((units, size, size))
    unit, rows, clients = (np.zeros(0, dtype=np.int64) for _ in range(3))
    sums = np.zeros((0, size * (size + 1) // 2))
    for statistics, place in parts:
        kept = place >= 0
        np.add.at(products, place[kept], statistics.products[kept])
        to = place[statistics.pattern_unit]
        taken = to >= 0
        unit, sums = np.r_[unit, to[taken]], np.concatenate([sums, statistics.pattern_sums[taken]])
        rows, clients = np.r_[rows, statistics.pattern_rows[taken]], np.r_[clients, statistics.pattern_clients[taken]]
    order = np.lexsort((rows, unit))
    unit, rows = unit[order], rows[order].astype(np.float64)
    is_first = np.r_[True, (unit[1:] != unit[:-1]) | (rows[1:] != rows[:-1])][: len(unit)]
    spread = sparse.csr_matrix(
        (np.ones(len(unit)), (np.cumsum(is_first) - 1, order)), shape=(is_first.sum(), len(unit))
    )
    return CompressedProducts(
        products=products,
        pattern_sums=np.asarray(spread @ sums),
        pattern_rows=rows[is_first],
        pattern_clients=np.asarray(spread @ clients.astype(np.float64)),
        pattern_unit=unit[is_first],
        rows=round(float(products[:, 0, 0].sum())),
    )


def recombined(statistics: CompressedProducts, by: Floats) -> CompressedProducts:
    """Statistics of other columns, each a clinician's own combination of the present ones.

    Args:
        statistics: of m columns.
        by: (K, m, r), old columns by new.
    """
    of_pattern = by[statistics.pattern_unit]
    sums = unpack(statistics.pattern_sums, statistics.products.shape[1])
    return replace(
        statistics,
        products=np.swapaxes(by, 1, 2) @ statistics.products @ by,
        pattern_sums=pack(np.swapaxes(of_pattern, 1, 2) @ sums @ of_pattern),
    )
