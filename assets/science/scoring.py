"""From answered items to scores: reversing, prorating within the rule, totals and parts.

Belongs here: the one meaning of a score, written twice from one declaration (for polars and for DuckDB) so that the two
can be tested equal. Does not belong here: casting text to numbers (staging), which forms
were the wrong form (`form_confusion`), and what a change of score means (`change`).

A form is scorable when no more items are open than its rule allows and every answered item lies in its range.
Nothing answered is null, never 0. Scores are rounded at the tenth decimal, so that lines measured to 0.1 add up to
25 and not to a hair below a cut-off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assets.science.instruments.model import Instrument, MissingRule, Range

_DECIMALS = 10


def score_columns(instrument: Instrument) -> tuple[str, ...]:
    """The columns a scored form has: `score`, `n_answered`, and `score_<part>` for each part in order."""
    return ("score", "n_answered", *(f"score_{part.id}" for part in instrument.subscales))


def score_items(frame: pl.DataFrame, *, instrument: Instrument, item_columns: Sequence[str]) -> pl.DataFrame:
    """The frame with its forms scored.

    Args:
        frame: one row a form; its items numeric, null where the client left one open.
        instrument: the declaration to score by.
        item_columns: the item columns in the order of the instrument's items.

    Returns:
        The frame and `score` (Float64, null if not scorable), `n_answered` (Int64), and `score_<part>` (Float64) for
        each part, in score units of the instrument and in its direction. A part is scored by its own missing rule,
        so it can be there without the total.

    Raises:
        ValueError: as many columns as items are needed; or the instrument's reversed items are not declared.

    Source: each instrument's own rule, named in its declaration; open items take the mean of the answered ones.
    """
    column_of = _columns_by_item(instrument, item_columns)
    parts = dict(
        zip(("score", *(f"score_{part.id}" for part in instrument.subscales)), _parts(instrument), strict=True)
    )
    # Nearly every form is complete and within range; its sum needs no counting. The rule is asked of the others alone.
    whole = frame.select(_whole_expr(instrument, column_of, part=part).alias(name) for name, part in parts.items())
    is_other = whole.select(pl.any_horizontal(pl.all().is_null())).to_series()
    places = is_other.arg_true()
    others = frame.select(pl.col(*item_columns).gather(places)).select(
        answered_expr(item_columns).alias("n_answered"),
        *(score_expr(instrument, item_columns=item_columns, part=part).alias(name) for name, part in parts.items()),
    )
    answered = pl.repeat(len(item_columns), frame.height, dtype=pl.Int64, eager=True)
    scored = {**{name: whole[name] for name in parts}, "n_answered": answered}
    return frame.with_columns(
        scored[name].scatter(places, others[name]).alias(name) for name in score_columns(instrument)
    )


def answered_expr(item_columns: Sequence[str]) -> pl.Expr:
    """How many items of a form were answered, as Int64."""
    return pl.sum_horizontal(pl.col(column).is_not_null().cast(pl.Int64) for column in item_columns)


def score_expr(instrument: Instrument, *, item_columns: Sequence[str], part: str | None) -> pl.Expr:
    """A form's score as a polars expression.

    Args:
        instrument: the declaration to score by.
        item_columns: the item columns in the order of the instrument's items.
        part: a subscale's id, or None for the total.

    Returns:
        Float64 in score units; null where the form is not scorable.

    Raises:
        ValueError: as many columns as items are needed; or the instrument's reversed items are not declared.
        KeyError: the instrument has no such part.
    """
    column_of = _columns_by_item(instrument, item_columns)
    items, missing = _items_and_rule(instrument, part)
    answered = answered_expr([column_of[item] for item in items])
    in_range = pl.all_horizontal(_in_range_expr(instrument, item, column_of[item]) for item in items)
    total = pl.sum_horizontal(_keyed_expr(instrument, item, column_of[item]).fill_null(0.0) for item in items)
    score = total * _numerator(instrument, items) / pl.when(answered > 0).then(answered)
    return pl.when((answered >= len(items) - missing.max_missing) & in_range).then(score.round(_DECIMALS))


def scored_sql(instrument: Instrument, item_columns: Sequence[str], *, source: str) -> str:
    """`score_items` as one SELECT for DuckDB.

    Args:
        instrument: the declaration to score by.
        item_columns: the item columns in the order of the instrument's items; names are quoted, so any will do.
        source: the table, or a query in brackets, with a form in each row.

    Returns:
        SELECT of the source's columns and, equal to those of `score_items`, `score` and `score_<part>` (DOUBLE) and
        `n_answered` (INTEGER). DuckDB figures only the columns that are asked for.

    Raises:
        ValueError: as many columns as items are needed; or the instrument's reversed items are not declared.

    A form is quickly known to be sound by two sums: how far its answers lie from the bottom of their ranges, and how
    far from the top. Together they come to the whole length of the ranges only where every answer lies within, and to
    null where one is missing. Additions cost DuckDB a fifth of comparisons.
    """
    column_of = _columns_by_item(instrument, item_columns)
    distances, scores = [], []
    for place, (name, part) in enumerate(
        zip(("score", *(f"score_{part.id}" for part in instrument.subscales)), _parts(instrument), strict=True)
    ):
        up, down = f"from_bottom_{place}", f"from_top_{place}"
        distances += [
            f"{sql} AS {alias}"
            for sql, alias in zip(_distances_sql(instrument, column_of, part), (up, down), strict=True)
        ]
        scores.append(f"{_score_sql(instrument, column_of, part, from_bottom=up, from_top=down)} AS {name}")
    hidden = ", ".join(f"{side}_{place}" for place in range(len(scores)) for side in ("from_bottom", "from_top"))
    return (
        f"SELECT * EXCLUDE ({hidden}), {answered_sql(item_columns)} AS n_answered,\n  "
        + ",\n  ".join(scores)
        + f"\nFROM (SELECT *, {', '.join(distances)} FROM {source}) AS measured"
    )


def _distances_sql(instrument: Instrument, column_of: dict[int, str], part: str | None) -> tuple[str, str]:
    """How far some items' answers lie, together, above the worst and below the best of each; null where one is open."""
    up, down = [], []
    for item in _items_and_rule(instrument, part)[0]:
        span, value = instrument.range_of_item(item), _value_sql(column_of[item])
        above = f"ABS({value})" if span.low == 0 else f"ABS({value} - {_double(span.low)})"
        below = f"ABS({_double(span.high)} - {value})"
        up.append(below if instrument.is_reversed(item) else above)
        down.append(above if instrument.is_reversed(item) else below)
    return " + ".join(up), " + ".join(down)


def _score_sql(
    instrument: Instrument, column_of: dict[int, str], part: str | None, *, from_bottom: str, from_top: str
) -> str:
    items, missing = _items_and_rule(instrument, part)
    spans = [instrument.range_of_item(item) for item in items]
    numerator, bottom = _numerator(instrument, items), sum(span.low for span in spans)
    total = from_bottom if bottom == 0 else f"({from_bottom} + {_double(bottom)})"
    if instrument.item_decimals > 0 or numerator != len(items):
        total = f"ROUND({total} * {_double(numerator)} / {len(items)}, {_DECIMALS})"
    answers = "[" + ", ".join(_keyed_sql(instrument, item, column_of[item]) for item in items) + "]"
    # Tenths do not add up exactly, so that a sound form can miss the first test by a hair; the second is exact.
    return (
        f"CASE WHEN {from_bottom} + {from_top} <= {_double(sum(span.high - span.low for span in spans))} THEN {total} "
        f"WHEN {_within_sql(instrument, items, column_of)} AND LIST_COUNT({answers}) >= {len(items) - missing.max_missing} "
        f"THEN ROUND(LIST_AVG({answers}) * {_double(numerator)}, {_DECIMALS}) END"
    )


def _within_sql(instrument: Instrument, items: tuple[int, ...], column_of: dict[int, str]) -> str:
    """Whether every answer lies in its range, open ones aside: smallest and largest of the items of each range."""
    alike: dict[Range, list[str]] = {}
    for item in items:
        alike.setdefault(instrument.range_of_item(item), []).append(_value_sql(column_of[item]))
    return " AND ".join(
        f"COALESCE(LEAST({', '.join(some)}) >= {_double(span.low)} AND GREATEST({', '.join(some)}) <= {_double(span.high)}, TRUE)"
        for span, some in alike.items()
    )


def answered_sql(item_columns: Sequence[str]) -> str:
    """How many items of a form were answered, as one SQL expression of whole numbers."""
    return "(" + " + ".join(f"CAST({_quoted(column)} IS NOT NULL AS INTEGER)" for column in item_columns) + ")"


def _columns_by_item(instrument: Instrument, item_columns: Sequence[str]) -> dict[int, str]:
    if not instrument.is_key_declared:
        raise ValueError(
            f"{instrument.id}: which items are reversed is not declared, so items cannot be scored; "
            "give `reversed_items` locally."
        )
    if len(item_columns) != instrument.n_items.value:
        raise ValueError(
            f"{instrument.id} has {instrument.n_items.value} items; {len(item_columns)} columns were given."
        )
    return dict(zip(instrument.items, item_columns, strict=True))


def _items_and_rule(instrument: Instrument, part: str | None) -> tuple[tuple[int, ...], MissingRule]:
    if part is None:
        return instrument.items, instrument.missing.value
    found = instrument.subscale(part)
    return found.items.value, found.missing.value


def _numerator(instrument: Instrument, items: tuple[int, ...]) -> float:
    """What the sum of the answered items is multiplied by before dividing by how many were answered."""
    scoring = instrument.scoring.value
    return float(scoring.multiplier * (len(items) if scoring.aggregate == "sum" else 1))


def _parts(instrument: Instrument) -> tuple[str | None, ...]:
    """What a form has scores for: the total (None), then each part."""
    return (None, *(part.id for part in instrument.subscales))


def _whole_expr(instrument: Instrument, column_of: dict[int, str], *, part: str | None) -> pl.Expr:
    """The score of a form with every item answered and within its range; null for any other."""
    items, _ = _items_and_rule(instrument, part)
    first, *rest = (_keyed_expr(instrument, item, column_of[item]) for item in items)
    total = sum(rest, start=first)
    numerator = _numerator(instrument, items)
    if instrument.item_decimals > 0 or numerator != len(items):
        total = (total * numerator / len(items)).round(_DECIMALS)
    spans = [(column_of[item], instrument.range_of_item(item)) for item in items]
    return pl.when(pl.all_horizontal(pl.col(name).is_between(span.low, span.high) for name, span in spans)).then(total)


def _keyed_expr(instrument: Instrument, item: int, column: str) -> pl.Expr:
    span, value = instrument.range_of_item(item), pl.col(column).cast(pl.Float64)
    return float(span.low + span.high) - value if instrument.is_reversed(item) else value


def _keyed_sql(instrument: Instrument, item: int, column: str) -> str:
    span, value = instrument.range_of_item(item), _value_sql(column)
    return f"{_double(span.low + span.high)} - {value}" if instrument.is_reversed(item) else value


def _in_range_expr(instrument: Instrument, item: int, column: str) -> pl.Expr:
    span = instrument.range_of_item(item)
    return pl.col(column).is_null() | pl.col(column).is_between(span.low, span.high)


def _value_sql(column: str) -> str:
    return f"CAST({_quoted(column)} AS DOUBLE)"


def _double(number: float) -> str:
    return f"CAST({float(number)!r} AS DOUBLE)"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
