"""Which published figures moved between two versions, how far, and why: by what changed in the data that they rest on.

Belongs here: the comparison of figures, and which reason stands. Does not belong here: which rows changed
(`assets.changed_rows`), which definitions did (`assets.definitions`), or reading either version (`assets.changes`).

The reason is told mechanically, never guessed from the numbers: a definition that changed; else what changed among the rows
of the figure's own group (service, site, programme or clinician, and its measures); else rows elsewhere in the service, on
which steadied figures lean; else the days that passed.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from assets.contracts.changes import CHANGES, REASONS, TOUCHES, WORTH_TELLING
from assets.contracts.figures import RATE, Figure
from assets.contracts.model import Table
from assets.estimates.shapes import empty

_HAIR: Final = 1e-9
_WHOLE: Final = ("service", "all")
_INSTRUMENTS: Final = ("instrument", "alliance_instrument", "outcome_instrument")
_ALL: Final = "all"
_SAID: Final = {
    "new": "new",
    "late": "late",
    "corrected": "corrected",
    "admitted": "admitted that were refused until now",
    "refused": "refused now",
    "withdrawn": "withdrawn",
    "aged": "left behind by the period",
}
_OTHERWISE: Final = {
    "elsewhere": "no row of its own group changed, and others of the service did",
    "time": "no row changed, and days have passed",
    "unexplained": "no row and no definition changed, and no day has passed",
}
Scope = tuple[str, str]
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Data:
    """What is known of the data that figures rest on.

    Attributes:
        changed: rows of `quality.changed_rows`.
        sizes: `scope`, `scope_name`, `instrument` (null for what is no form), `rows` tonight, and of these `aged`, which the
            period of pages has left behind since the last version.
        definitions: rows of `quality.definitions`.
        has_time_passed: whether the two versions are of different days.
    """

    changed: pl.DataFrame
    sizes: pl.DataFrame
    definitions: pl.DataFrame
    has_time_passed: bool


@dataclass(frozen=True, kw_only=True)
class Touched:
    """What changed of a group: rows by reason, and how many it has."""

    rows: Mapping[str, int]
    size: int

    @property
    def total(self) -> int:
        """All changed rows of the group."""
        return sum(self.rows.values())

    @property
    def share(self) -> float:
        """Changed rows as a share of the group's, at most 1."""
        return min(1.0, self.total / max(self.size, 1))


class Touches:
    """Changed rows and sizes of every group, counted once."""

    def __init__(self, data: Data) -> None:
        self._rows: dict[Scope, dict[str | None, Counter[str]]] = {}
        self._sizes: dict[Scope, dict[str | None, int]] = {}
        for scope, name, instrument, reason, rows in _by_group(data.changed).iter_rows():
            self._rows.setdefault((scope, name), {}).setdefault(instrument, Counter())[reason] += rows
        for row in data.sizes.iter_rows(named=True):
            group, instrument = (row["scope"], row["scope_name"]), row["instrument"]
            self._sizes.setdefault(group, {})[instrument] = row["rows"]
            self._rows.setdefault(group, {}).setdefault(instrument, Counter())["aged"] += row["aged"]

    def of(self, group: Scope, *, instruments: frozenset[str]) -> Touched:
        """What changed of a group, of these measures and of what is no form; of every measure where none is named."""

        def is_its(instrument: str | None) -> bool:
            return instrument is None or not instruments or instrument in instruments

        counted: Counter[str] = Counter()
        for instrument, rows in self._rows.get(group, {}).items():
            if is_its(instrument):
                counted.update(rows)
        size = sum(rows for instrument, rows in self._sizes.get(group, {}).items() if is_its(instrument))
        return Touched(rows={reason: counted[reason] for reason in TOUCHES}, size=size)


def figure_changes(
    figures: Iterable[tuple[Figure, Table]],
    *,
    now: Mapping[str, pl.DataFrame],
    before: Mapping[str, pl.DataFrame],
    data: Data,
    shown: Mapping[str, frozenset[str]],
) -> pl.DataFrame:
    """`quality.changes`: each figure of each row that stands otherwise in the two versions, once.

    Args:
        figures: every figure with its table's declaration.
        now: tonight's tables by their full names, with at least their key and their figures.
        before: the last version's; a table that it lacks has nothing to be compared with.
        data: what changed underneath.
        shown: by table, the keys (joined by slashes) of rows that pages of both nights may show.
    """
    why = _Why(
        touches=Touches(data),
        definitions={(row["kind"], row["name"]): row["because_of"] for row in data.definitions.iter_rows(named=True)},
        has_time_passed=data.has_time_passed,
    )
    rows = [
        _row(figure, table, key, pair, why=why, shown=shown.get(figure.table, frozenset()))
        for figure, table in figures
        if figure.table in before and figure.table in now
        for key, pair in _differing(figure, table, now=now[figure.table], before=before[figure.table])
    ]
    return pl.DataFrame(rows, schema=no_changes().schema, orient="row").sort("table_name", "figure", "row_key")


def no_changes() -> pl.DataFrame:
    """The same with nothing to compare with."""
    return empty(CHANGES)


def _differing(
    figure: Figure, table: Table, *, now: pl.DataFrame, before: pl.DataFrame
) -> Iterator[tuple[Row, tuple[Row, Row]]]:
    """Rows whose figure or interval differs: the key, and what stands before and now."""
    of, named = list(table.key), {figure.name: "value", figure.low: "low", figure.high: "high"}

    def side(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select(
            *(pl.col(name) for name in of), *(pl.col(name).cast(pl.Float64).alias(to) for name, to in named.items())
        )

    both = side(before).join(side(now), on=of, how="full", coalesce=True, nulls_equal=True, suffix="_now")
    differs = pl.any_horizontal(
        (pl.col(name).is_null() != pl.col(f"{name}_now").is_null())
        | ((pl.col(name) - pl.col(f"{name}_now")).abs() > _HAIR).fill_null(value=False)
        for name in named.values()
    )
    stands = pl.any_horizontal(pl.col("value", "value_now").is_not_null())
    for row in both.filter(stands & differs).iter_rows(named=True):
        yield (
            {name: row[name] for name in of},
            (
                {name: row[name] for name in named.values()},
                {name: row[f"{name}_now"] for name in named.values()},
            ),
        )


@dataclass(frozen=True, kw_only=True)
class _Why:
    touches: Touches
    definitions: Mapping[tuple[str, str], str | None]
    has_time_passed: bool


def _row(  # noqa: PLR0913 -- one row and what it is judged by
    figure: Figure, table: Table, key: Row, pair: tuple[Row, Row], *, why: _Why, shown: frozenset[str]
) -> dict[str, Any]:
    was, is_ = pair
    group = group_of(key)
    instruments = frozenset(str(key[name]) for name in _INSTRUMENTS if key.get(name) not in {None, _ALL})
    touched = why.touches.of(group, instruments=instruments)
    whole = why.touches.of(_WHOLE, instruments=instruments)
    half = (was["high"] - was["low"]) / 2 if None not in {was["high"], was["low"]} else None
    movement = "appeared" if was["value"] is None else "gone" if is_["value"] is None else "moved"
    difference = is_["value"] - was["value"] if movement == "moved" else None
    explained = None if half is None else half * math.sqrt(2 * max(touched.share, whole.share))
    changed = why.definitions.get(("rate", str(key["metric"])) if figure == RATE else ("table", figure.table))
    row_key = row_name(table, key)
    about = [str(value) for name, value in key.items() if name not in _NAMES_GROUP and value != _ALL]
    told = {
        "table_name": figure.table,
        "figure": figure.name,
        "row_key": row_key,
        "scope": group[0],
        "scope_name": group[1],
        "about": " / ".join(about) or None,
        "movement": movement,
        **{f"{name}_before": was[name] for name in was},
        **is_,
        "difference": difference,
        "explained": explained,
        "is_beyond_data": None if difference is None or explained is None else abs(difference) > explained + _HAIR,
        "is_worth_telling": difference is None or half is None or abs(difference) >= WORTH_TELLING * half - _HAIR,
        "is_on_pages": row_key in shown,
        "reason": _reason(changed, touched=touched, whole=whole, has_time_passed=why.has_time_passed),
        **{f"rows_{name}": touched.rows[name] for name in TOUCHES},
        "rows_changed": touched.total,
        "definitions_changed": changed,
    }
    return told | {"sentence": _sentence(told)}


_NAMES_GROUP: Final = frozenset({"scope", "scope_name", "clinician_id"})


def group_of(key: Row) -> Scope:
    """Whom a figure is of, by the columns that name its row."""
    if "scope" in key:
        return str(key["scope"]), str(key["scope_name"])
    if "clinician_id" in key:
        return "clinician", str(key["clinician_id"])
    return _WHOLE


def row_name(table: Table, key: Row) -> str:
    """The values of a table's key, joined by slashes."""
    return "/".join(str(key[name]) for name in table.key)


def _reason(changed: str | None, *, touched: Touched, whole: Touched, has_time_passed: bool) -> str:
    if changed:
        return "definition"
    if touched.total:
        return max(TOUCHES, key=lambda each: (touched.rows[each], -REASONS.index(each)))
    if whole.total:
        return "elsewhere"
    return "time" if has_time_passed else "unexplained"


def _by_group(changed: pl.DataFrame) -> pl.DataFrame:
    """Changed rows of each group by measure and reason; a row that changed its group is of both, and once of each."""
    parts = [
        changed.select(
            "table_name", "row_key", "instrument", "reason", scope=pl.lit("service"), scope_name=pl.lit(_ALL)
        )
    ]
    for scope, column in (("site", "site"), ("programme", "programme"), ("clinician", "clinician_id")):
        parts += [
            changed.filter(pl.col(name).is_not_null()).select(
                "table_name", "row_key", "instrument", "reason", scope=pl.lit(scope), scope_name=pl.col(name)
            )
            for name in (column, f"{column}_before")
        ]
    together = pl.concat(parts).unique(["table_name", "row_key", "scope", "scope_name"])
    return together.group_by("scope", "scope_name", "instrument", "reason").len().sort(pl.all())


def _sentence(row: Mapping[str, Any]) -> str:
    about = "" if row["about"] is None else f", {row['about']}"
    who = "the service" if row["scope"] == "service" else f"{row['scope']} {row['scope_name']}"
    was, is_ = (_told(row, end) for end in ("_before", ""))
    kinds = [f"{row[f'rows_{name}']:,} {_SAID[name]}" for name in TOUCHES if row[f"rows_{name}"]]
    why = [f"changed definitions: {row['definitions_changed']}"] if row["definitions_changed"] else []
    why += [f"rows of its group: {', '.join(kinds)}"] if kinds else []
    why += [_OTHERWISE[row["reason"]]] if row["reason"] in _OTHERWISE else []
    return f"{row['table_name']}.{row['figure']} of {who}{about}: {was} until tonight, {is_} now; {'; '.join(why)}"


def _told(row: Mapping[str, Any], end: str) -> str:
    value, low, high = (row[f"{name}{end}"] for name in ("value", "low", "high"))
    if value is None:
        return "none"
    return f"{value:.4g}" if low is None or high is None else f"{value:.4g} ({low:.4g} to {high:.4g})"
