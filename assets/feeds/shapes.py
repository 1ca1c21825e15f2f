"""Which columns a landed file has and what their values look like, and what changed from one file to the next.

Belongs here: names, shapes, and the guess at a new name. Does not belong here: reading rows (`reading`). A shape keeps no
value: letters become `a`, digits `9`, and runs of either one sign.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import TYPE_CHECKING, Final

import polars as pl

from assets.feeds.archives import unpacked
from assets.feeds.wrong_input import WrongInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from assets.feeds.landing import LandedFile
    from assets.feeds.mapping import FeedMapping

_LINES_LOOKED_AT: Final = 200
_LONGEST_SHAPE: Final = 24
# A like name asks less of the values, and like values less of the name.
_ALIKE: Final = ((0.75, 0.5), (0.35, 0.9))

Shapes = dict[str, dict[str, float]]
"""Each column with the share of its values that have each shape; a column without values has none."""


@dataclass(frozen=True, kw_only=True)
class ColumnChange:
    """One difference between a file and the one before it.

    Attributes:
        column: the column's name; of a renamed one its new name.
        change: `new`, `missing` or `renamed`.
        before: of a renamed one, what it was called.
    """

    column: str
    change: str
    before: str | None = None


def column_shapes(path: Path, mapping: FeedMapping) -> Shapes:
    """The columns of a landed file and the shapes of its first values.

    Args:
        path: the landed copy.
        mapping: how the file is to be read.

    Returns:
        The file's columns in their order; empty where the file has no header, or can't be read as the mapping says, which
        is for the reading itself to tell.
    """
    if mapping.format == "parquet":
        try:
            head = pl.read_parquet(path, n_rows=_LINES_LOOKED_AT)
            return {name: _shares(str(value) for value in head[name].drop_nulls()) for name in head.columns}
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError):
            return {}
    if not mapping.is_text:
        return _shapes_of_cells(path, mapping)
    encoding = "utf-8-sig" if mapping.encoding.lower().replace("_", "-") == "utf-8" else mapping.encoding
    try:
        with path.open(encoding=encoding, errors="replace", newline="") as file:
            rows = list(islice(csv.reader(file, delimiter=mapping.delimiter), _LINES_LOOKED_AT + 1))
    except (OSError, UnicodeError, csv.Error):
        return {}
    header = [name.strip() for name in rows[0]] if rows else []
    return {name: _shares(row[at] for row in rows[1:] if at < len(row)) for at, name in enumerate(header) if name}


def shapes_of_landed(landed: LandedFile, mapping: FeedMapping, *, scratch: Path) -> Shapes:
    """The columns of a landed file, which may be packed, as `column_shapes` gives them; none of a purged one."""
    if landed.is_purged:
        return {}
    copy = scratch / f"shapes-{landed.file_number}.unpacked"
    try:
        with unpacked(landed.path, name=landed.name, member=landed.member, copy=copy) as path:
            return column_shapes(path, mapping)
    except WrongInput:
        return {}


def _shapes_of_cells(path: Path, mapping: FeedMapping) -> Shapes:
    """As `column_shapes`, of a file whose cells have types; its modules are imported only by who has such files."""
    try:
        if mapping.format == "excel":
            from assets.feeds.workbooks import head_of  # noqa: PLC0415

            header, rows = head_of(path, name=mapping.place, mapping=mapping, rows=_LINES_LOOKED_AT)
            return {name: _shares(row[at] for row in rows) for at, name in enumerate(header) if name}
        from assets.feeds.statistics_files import blocks_of  # noqa: PLC0415

        columns, _ = next(blocks_of(path, name=mapping.place, mapping=mapping, first_rows=_LINES_LOOKED_AT))
    except (WrongInput, OSError):
        return {}
    return {
        name.strip(): _shares(str(value) for value in column if value is not None) for name, column in columns.items()
    }


def column_changes(before: Shapes, after: Shapes) -> tuple[ColumnChange, ...]:
    """What differs between the columns of two files, renamed ones found by like names and like values.

    Args:
        before: the earlier file's columns.
        after: the later file's.

    Returns:
        Renamed columns first, then new and missing ones, each in its file's order. Their order alone is no change.
    """
    new = [name for name in after if name not in before]
    missing = [name for name in before if name not in after]
    pairs = sorted(
        (
            (-_likeness(old, before[old], name, after[name]), at, old, name)
            for old in missing
            for at, name in enumerate(new)
            if _are_alike(old, before[old], name, after[name])
        ),
    )
    renamed: dict[str, str] = {}
    for _, _, old, name in pairs:
        if name not in renamed and old not in renamed.values():
            renamed[name] = old
    return (
        *(ColumnChange(column=name, change="renamed", before=renamed[name]) for name in new if name in renamed),
        *(ColumnChange(column=name, change="new") for name in new if name not in renamed),
        *(ColumnChange(column=name, change="missing") for name in missing if name not in renamed.values()),
    )


def shape(value: str) -> str:
    """What a value looks like: letters as `a`, digits as `9`, runs of either as one sign."""
    letters = re.sub(r"[^\W\d_]+", "a", value.strip())
    return re.sub(r"\d+", "9", letters)[:_LONGEST_SHAPE]


def _shares(values: Iterable[str]) -> dict[str, float]:
    counts = Counter(found for value in values if (found := shape(value)))
    total = sum(counts.values())
    return {found: count / total for found, count in counts.items()}


def _names_likeness(old: str, new: str) -> float:
    one, other = (re.sub(r"[\W_]+", "", name).lower() for name in (old, new))
    return SequenceMatcher(None, one, other).ratio()


def _values_likeness(old: Mapping[str, float], new: Mapping[str, float]) -> float:
    return sum(min(share, new.get(found, 0.0)) for found, share in old.items())


def _likeness(old: str, values: Mapping[str, float], new: str, new_values: Mapping[str, float]) -> float:
    return _names_likeness(old, new) + _values_likeness(values, new_values)


def _are_alike(old: str, values: Mapping[str, float], new: str, new_values: Mapping[str, float]) -> bool:
    names, shapes = _names_likeness(old, new), _values_likeness(values, new_values)
    return any(names >= least_names and shapes >= least_shapes for least_names, least_shapes in _ALIKE)
