"""From answered items to scores: reversing, prorating within the rule, totals and parts.

Belongs here: the one meaning of a score, written twice from one declaration (a polars expression and a portable SQL
expression) so that the two can be tested equal. Does not belong here: casting text to numbers (staging), which forms
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

    from assets.science.instruments.model import Instrument, MissingRule

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
    """
    parts = (
        score_expr(instrument, item_columns=item_columns, part=part.id).alias(f"score_{part.id}")
        for part in instrument.subscales
    )
    return frame.with_columns(
        score_expr(instrument, item_columns=item_columns, part=None).alias("score"),
        answered_expr(item_columns).alias("n_answered"),
        *parts,
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


def score_sql(instrument: Instrument, item_columns: Sequence[str], *, part: str | None = None) -> str:
    """A form's score as one portable SQL expression, equal to `score_expr`.

    Args:
        instrument: the declaration to score by.
        item_columns: the item columns in the order of the instrument's items; names are quoted, so any will do.
        part: a subscale's id, or None for the total.

    Returns:
        An expression of type DOUBLE, NULL where the form is not scorable. Plain CASE, COALESCE, NULLIF and ROUND.

    Raises:
        ValueError: as many columns as items are needed; or the instrument's reversed items are not declared.
        KeyError: the instrument has no such part.
    """
    column_of = _columns_by_item(instrument, item_columns)
    items, missing = _items_and_rule(instrument, part)
    keyed = [_keyed_sql(instrument, item, column_of[item]) for item in items]
    out_of_range = " OR ".join(_out_of_range_sql(instrument, item, column_of[item]) for item in items)
    # Nearly every form is complete, and the sum of a complete one needs no counting; it is null as soon as one item is.
    score = _complete_sql(instrument, items, total=" + ".join(keyed))
    if missing.max_missing > 0:
        answered = answered_sql([column_of[item] for item in items])
        total = " + ".join(f"COALESCE({each}, 0.0)" for each in keyed)
        prorated = f"ROUND(({total}) * {_double(_numerator(instrument, items))} / NULLIF({answered}, 0), {_DECIMALS})"
        fewest = len(items) - missing.max_missing
        score = f"COALESCE({score}, CASE WHEN {answered} >= {fewest} THEN {prorated} END)"
    return f"CASE WHEN {out_of_range} THEN NULL ELSE {score} END"


def _complete_sql(instrument: Instrument, items: tuple[int, ...], *, total: str) -> str:
    """The score of a form with every item answered; whole answers that are only added up need no rounding."""
    numerator = _numerator(instrument, items)
    if instrument.item_decimals == 0 and numerator == len(items):
        return total
    return f"ROUND(({total}) * {_double(numerator)} / {len(items)}, {_DECIMALS})"


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


def _keyed_expr(instrument: Instrument, item: int, column: str) -> pl.Expr:
    span, value = instrument.range_of_item(item), pl.col(column).cast(pl.Float64)
    return float(span.low + span.high) - value if instrument.is_reversed(item) else value


def _keyed_sql(instrument: Instrument, item: int, column: str) -> str:
    span, value = instrument.range_of_item(item), f"CAST({_quoted(column)} AS DOUBLE)"
    return f"{_double(float(span.low + span.high))} - {value}" if instrument.is_reversed(item) else value


def _in_range_expr(instrument: Instrument, item: int, column: str) -> pl.Expr:
    span = instrument.range_of_item(item)
    return pl.col(column).is_null() | pl.col(column).is_between(span.low, span.high)


def _out_of_range_sql(instrument: Instrument, item: int, column: str) -> str:
    span, name = instrument.range_of_item(item), _quoted(column)
    return f"{name} < {span.low!r} OR {name} > {span.high!r}"


def _double(number: float) -> str:
    return f"CAST({number!r} AS DOUBLE)"


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
