"""Was the wrong form given? Stretches of forms that fit another scale than the one they are declared to be on.

Belongs here: finding a stretch of forms, within a batch and in order of time, that was answered on another form, on
another count, with one item on another scale, or sent as means where totals belong. Does not belong here: a single
answer out of range, which its own row's contract refuses; and a wider form answered by chance in its lower part only,
which no data can tell.

The rule. A single answer out of range is a slip, and slips are rare: one form in a hundred. Under the wrong form,
half the forms or more hold an answer the declared form does not have. Each form in order of time adds the logarithm
of how much likelier it is under the wrong form than under slips, and the stretch with the largest sum is found (a
scan statistic). It counts when that sum passes log(forms in the batch / 0.001), so that a batch of honest slips is
refused less than once in a thousand batches, and when the whole stretch fits one other scale. A run of forms without
a sign that is as telling the other way parts two stretches. All of the stretch is then refused, the forms that happen
to fit included, for their scores mean something else. Forms before and after it are kept, save a handful at either
end too few to show that the right form was in use. So a clinician who changed forms in March loses the forms from
March, and a colleague with three typing errors loses three.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import polars as pl

from assets.science.instruments.model import Range

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from assets.science.instruments.model import Instrument
    from assets.science.instruments.registry import Registry

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

Kind = Literal[
    "another form", "counted from another number", "one item on another scale", "means for totals", "totals for means"
]

SLIP_RATE: Final = 0.01
"""Share of forms with an answer out of range where the right form is used."""

CONFUSED_RATE: Final = 0.5
"""Least share of forms with an answer the declared form does not have where another form is used."""

FALSE_ALARM: Final = 0.001
"""Share of batches without confusion in which slips alone may look like one."""

TOO_FEW_TO_TELL: Final = 0.05
"""Forms at either end of a stretch are kept once the wrong form would show so few signs this rarely."""

FITTING_SHARE: Final = 0.95
"""Share of a stretch's forms another scale must fit; the rest are slips on that scale."""


@dataclass(frozen=True, slots=True)
class _Scale:
    """A scale the forms might have been answered on: what each item can take there, and how to say so."""

    kind: Kind
    spans: tuple[Range, ...]
    words: str


def mark_confused_forms(
    forms: pl.DataFrame,
    *,
    batch: Sequence[str],
    at: str,
    item_columns: Sequence[str],
    instrument: Instrument,
    registry: Registry,
) -> pl.DataFrame:
    """The forms with those answered on the wrong form marked.

    Args:
        forms: one row a form, items numeric, null where open.
        batch: columns naming who or what shares a supply of forms: the clinician, or the file.
        at: when the form was filled in; forms without it come last.
        item_columns: the item columns in the order of the instrument's items.
        instrument: the form they are declared to be.
        registry: the other forms they might be: those with as many items on another scale.

    Returns:
        The forms in their order, with `confusion` (one of `Kind`) and `confusion_reason` (a plain sentence without
        any answer or code in it), both null where nothing is wrong.

    Raises:
        ValueError: not one column for each item.

    Source: the scan of likelihood ratios is Naus 1965, J Am Stat Assoc 60:532-538, and Kulldorff 1997, Commun Stat 26:1481;
    the shares of slips and signs are this project's own, said above.
    """
    if len(item_columns) != instrument.n_items.value:
        raise ValueError(
            f"{instrument.id} has {instrument.n_items.value} items; {len(item_columns)} columns were given."
        )
    own = tuple(instrument.range_of_item(item) for item in instrument.items)
    declared = f"{instrument.id} ({_span_words(own)})"
    rivals = tuple(_rival_scales(instrument, registry))
    answers = _floats(forms, item_columns)
    strange: Flags = np.logical_not(_fits(answers, own))
    found = []
    for rows in _batches(forms, batch=batch, at=at):
        for stretch in _stretches(np.asarray(strange[rows].any(axis=1)), slip_rate=SLIP_RATE):
            members = rows[stretch]
            told = _one_item(strange[members], declared) or _other_scale(answers[members], rivals, declared)
            if told is not None:
                found.append((members, *told))
    return _marked(forms, found)


def mark_confused_totals(
    forms: pl.DataFrame, *, batch: Sequence[str], at: str, total_column: str, instrument: Instrument
) -> pl.DataFrame:
    """The forms with those marked whose total was sent as a mean, or the mean as a total.

    A total that could be a mean of items is a sign where it lies outside the totals' range or carries more decimals
    than items add up to; and, where other batches hardly ever have totals so low, by that alone.

    Args:
        forms: one row a form, its total numeric.
        batch: columns naming who or what makes totals alike: the file, the site, the clinician.
        at: when the form was filled in; forms without it come last.
        total_column: the total.
        instrument: whose total it is declared to be.

    Returns:
        As `mark_confused_forms`.
    """
    own, spans = instrument.score_range, [instrument.range_of_item(item) for item in instrument.items]
    mean = Range(sum(each.low for each in spans) / len(spans), sum(each.high for each in spans) / len(spans))
    is_mean_scored = own == mean
    rival = Range(mean.low * len(spans), mean.high * len(spans)) if is_mean_scored else mean
    kind: Kind = "totals for means" if is_mean_scored else "means for totals"
    sent = (
        "sums of items were sent where means belong"
        if is_mean_scored
        else "means of items were sent where totals belong"
    )
    reason = f"{sent}: {instrument.id} scores are {_span_words((own,))}"
    totals = _floats(forms, [total_column])
    could_be = _fits(totals, (rival,))[:, 0] & ~np.isnan(totals[:, 0])
    is_finer = np.abs(totals[:, 0] - totals[:, 0].round(instrument.item_decimals)) > 1e-9
    strict = could_be & (~_fits(totals, (own,))[:, 0] | (is_finer & (not is_mean_scored)))
    found = []
    for rows in _batches(forms, batch=batch, at=at):
        n_others = len(could_be) - len(rows)
        is_rare_elsewhere = n_others > 0 and could_be.sum() - could_be[rows].sum() <= SLIP_RATE * n_others
        signs = could_be if is_rare_elsewhere else strict
        for stretch in _stretches(signs[rows], slip_rate=SLIP_RATE):
            members = rows[stretch]
            if could_be[members].mean() >= FITTING_SHARE:
                found.append((members, kind, reason))
    return _marked(forms, found)


def may_hide_confusion(n_signs: int) -> bool:
    """Whether a batch with so many forms that hold an answer out of range can hold a stretch of another form.

    No stretch's sum is larger than that of its signs alone, and no batch has fewer forms than signs; so a batch of which
    this is false has nothing that `mark_confused_forms` could mark.
    """
    return n_signs > 0 and n_signs * math.log(CONFUSED_RATE / SLIP_RATE) >= math.log(n_signs / FALSE_ALARM)


def confusions(marked: pl.DataFrame, *, batch: Sequence[str], at: str) -> pl.DataFrame:
    """One row for each batch and confusion found in it.

    Args:
        marked: what `mark_confused_forms` or `mark_confused_totals` gave.
        batch: the columns of a batch.
        at: when forms were filled in.

    Returns:
        The batch's columns, `confusion`, `confusion_reason`, `n_forms` (Int64, the forms to refuse), `first_at`,
        `last_at`.
    """
    return (
        marked.filter(pl.col("confusion").is_not_null())
        .group_by(*batch, "confusion", "confusion_reason")
        .agg(
            pl.len().cast(pl.Int64).alias("n_forms"),
            pl.col(at).min().alias("first_at"),
            pl.col(at).max().alias("last_at"),
        )
        .sort(*batch, "first_at")
    )


def _rival_scales(instrument: Instrument, registry: Registry) -> Iterator[_Scale]:
    """Other scales the same number of answers could come from, the likeliest first."""
    own = tuple(instrument.range_of_item(item) for item in instrument.items)
    for other in registry:
        spans = tuple(other.range_of_item(item) for item in other.items)
        if other.kind == instrument.kind and len(spans) == len(own) and spans != own:
            yield _Scale("another form", spans, f"{other.id} ({_span_words(spans)})")
    for step in (1, -1):
        spans = tuple(Range(each.low + step, each.high + step) for each in own)
        yield _Scale("counted from another number", spans, f"answers counted from {spans[0].low:g}")
    if instrument.item_decimals:
        spans = tuple(Range(each.low * 10, each.high * 10) for each in own)
        yield _Scale("counted from another number", spans, f"lines measured to {spans[0].high:g}")


def _one_item(strange: Flags, declared: str) -> tuple[Kind, str] | None:
    """The one item at fault, where all strange answers of a stretch are its own and not by chance."""
    columns = np.flatnonzero(strange.any(axis=0))
    n_items = strange.shape[1]
    if len(columns) != 1 or n_items == 1:
        return None
    # Were any item as likely to slip, all falling on one has this chance; the first slip chooses the item.
    if (1 / n_items) ** (int(strange.sum()) - 1) > FALSE_ALARM:
        return None
    return "one item on another scale", f"item {columns[0] + 1} is answered on another scale than {declared} has"


def _other_scale(answers: Floats, rivals: tuple[_Scale, ...], declared: str) -> tuple[Kind, str] | None:
    """The first scale that fits a stretch's forms; None where none does and each row is left to its own contract."""
    for rival in rivals:
        if _fits(answers, rival.spans).all(axis=1).mean() >= FITTING_SHARE:
            return rival.kind, f"the answers fit {rival.words} and not {declared}"
    return None


def _stretches(signs: Flags, *, slip_rate: float) -> Iterator[slice]:
    """Stretches of forms in order of time whose signs slips do not explain, in that order."""
    quiet_gain = math.log((1 - CONFUSED_RATE) / (1 - slip_rate))
    gains = np.where(signs, math.log(CONFUSED_RATE / slip_rate), quiet_gain)
    needed = math.log(max(len(signs), 1) / FALSE_ALARM)
    # So many forms without a sign show, as surely as a stretch must, that the right form was back in use between.
    long_quiet = math.ceil(needed / -quiet_gain)
    places = np.flatnonzero(signs)
    for together in np.split(places, np.flatnonzero(np.diff(places) > long_quiet) + 1):
        if len(together):
            start = max(int(together[0]) - long_quiet, 0)
            stop = min(int(together[-1]) + long_quiet + 1, len(signs))
            yield from _stretches_between(signs, gains, start, stop, needed=needed)


def _stretches_between(signs: Flags, gains: Floats, start: int, stop: int, *, needed: float) -> Iterator[slice]:
    """The stretch with the largest sum between two places, if large enough, and those left and right of it."""
    if start >= stop:
        return
    sums = np.concatenate([[0.0], gains[start:stop].cumsum()])
    lowest = np.minimum.accumulate(sums)
    last = int((sums - lowest).argmax())
    if sums[last] - lowest[last] < needed:
        return
    first = int(np.flatnonzero(sums[: last + 1] == lowest[last])[-1])
    first, last = _with_ends(signs, start + first, start + last, start, stop)
    yield from _stretches_between(signs, gains, start, first, needed=needed)
    yield slice(first, last)
    yield from _stretches_between(signs, gains, last, stop, needed=needed)


def _with_ends(signs: Flags, first: int, last: int, start: int, stop: int) -> tuple[int, int]:
    """A stretch with what lies before and after it, where that is too little to show that the right form was in use."""
    n = last - first
    silent = 1 - (int(signs[first:last].sum()) + 0.5) / (n + 1)
    too_few = math.log(TOO_FEW_TO_TELL) / math.log(silent)
    return (start if first - start < too_few else first), (stop if stop - last < too_few else last)


def _batches(forms: pl.DataFrame, *, batch: Sequence[str], at: str) -> list[NDArray[np.int64]]:
    """The row numbers of each batch, in order of time."""
    ordered = (
        forms.select(*batch, at).with_row_index("form_confusion_row").sort(at, nulls_last=True, maintain_order=True)
    )
    grouped = ordered.group_by(list(batch), maintain_order=True).agg(pl.col("form_confusion_row"))
    return [np.asarray(rows, dtype=np.int64) for rows in grouped["form_confusion_row"]]


def _floats(forms: pl.DataFrame, columns: Sequence[str]) -> Floats:
    """Columns as one array of floats, NaN where open or where an answer is no number that any form could hold."""
    answers: Floats = forms.select(pl.col(list(columns)).cast(pl.Float64).fill_null(math.nan)).to_numpy()
    return np.where(np.isfinite(answers), answers, math.nan)


def _fits(answers: Floats, spans: tuple[Range, ...]) -> Flags:
    """Which answers lie in their item's range; an open item fits any."""
    lows, highs = np.array([each.low for each in spans]), np.array([each.high for each in spans])
    fits: Flags = np.isnan(answers) | ((answers >= lows) & (answers <= highs))
    return fits


def _marked(forms: pl.DataFrame, found: list[tuple[NDArray[np.int64], Kind, str]]) -> pl.DataFrame:
    kinds: list[str | None] = [None] * forms.height
    reasons: list[str | None] = [None] * forms.height
    for rows, kind, reason in found:
        for row in rows.tolist():
            kinds[row], reasons[row] = kind, reason
    return forms.with_columns(
        pl.Series("confusion", kinds, dtype=pl.String), pl.Series("confusion_reason", reasons, dtype=pl.String)
    )


def _span_words(spans: tuple[Range, ...]) -> str:
    return f"{min(each.low for each in spans):g} to {max(each.high for each in spans):g}"
