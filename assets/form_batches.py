"""Whole stretches of forms that were the wrong form, refused together before any score is made of them.

Belongs here: handing the lines of a feed to science and marking those it names. Does not belong here: how confusion is
recognised (`assets.science.form_confusion`). Only batches that hold answers out of range, and more than slips would
leave, are looked at, since a wider form answered in its lower part alone is one that no data can tell.
"""

import duckdb
import polars as pl

from assets.contracts.staging_sql import OUT_OF_RANGE
from assets.science.form_confusion import mark_confused_forms, mark_confused_totals, may_hide_confusion
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry, plain_name

_RULES = {
    "another form": "another_form",
    "counted from another number": "counted_from_another_number",
    "one item on another scale": "one_item_on_another_scale",
    "means for totals": "means_for_totals",
    "totals for means": "totals_for_means",
}
_BEYOND_ANY_FORM = 1e6
_PLACE = ["file_number", "mapping", "source_line"]
_BATCH = ["file_number", "clinician"]


def refuse_confused_batches(con: duckdb.DuckDBPyConnection, *, lines: str, registry: Registry) -> dict[str, str]:
    """Mark the lines of confused stretches as refused; returns each rule's reason.

    Args:
        con: the night's build.
        lines: the table of a ratings feed's judged lines; its `broken_rule` is filled for confused ones.
        registry: the service's instruments.
    """
    suspicious = con.sql(
        f"SELECT DISTINCT instrument, is_long, items IS NOT NULL AS has_items FROM {lines} "
        f"WHERE broken_rule IN ({', '.join(repr(rule) for rule in OUT_OF_RANGE)}) AND NOT is_long ORDER BY ALL"
    ).fetchall()
    reasons: dict[str, str] = {}
    for name, _, has_items in suspicious:
        marked = _marked(con, lines, instrument=registry[str(name)], has_items=bool(has_items), registry=registry)
        if marked is None:
            continue
        found = marked.filter(pl.col("confusion").is_not_null()).with_columns(
            rule=pl.col("confusion").replace_strict(_RULES, return_dtype=pl.String) + f"_{plain_name(str(name))}"
        )
        if found.is_empty():
            continue
        reasons |= dict(found.select("rule", "confusion_reason").unique().sort("rule").iter_rows())
        con.register("confused", found.select(*_PLACE, "rule").to_arrow())
        con.execute(
            f"UPDATE {lines} AS line SET broken_rule = confused.rule FROM confused "
            "WHERE line.file_number = confused.file_number AND line.mapping = confused.mapping "
            "AND line.source_line = confused.source_line"
        )
        con.unregister("confused")
    return reasons


def _marked(
    con: duckdb.DuckDBPyConnection, lines: str, *, instrument: Instrument, has_items: bool, registry: Registry
) -> pl.DataFrame | None:
    """The forms of every batch that may hold another form, with the confused ones marked; None where none may."""
    sent = {f"item_{number}": f"items[{number}]" for number in instrument.items} if has_items else {"total": "total"}
    # A number such as 1e400 is a slip of the keyboard, not another form, and arithmetic could not bear it.
    answers = [f"CASE WHEN ABS({sql}) < {_BEYOND_ANY_FORM} THEN {sql} END AS {name}" for name, sql in sent.items()]
    forms = (
        f"FROM {lines} AS line LEFT JOIN staging.attendance AS booked ON booked.appointment_id = line.appointment_id "
        "WHERE instrument = $instrument AND (items IS NOT NULL) = $has_items AND NOT is_long"
    )
    asked = {"instrument": instrument.id, "has_items": has_items}
    if has_items:
        batches = _batches_with_signs(con, forms, asked=asked, instrument=instrument)
        if batches.is_empty():
            return None
        con.register("batches_with_signs", batches.to_arrow())
        forms += (
            " AND EXISTS (FROM batches_with_signs AS batch WHERE batch.file_number = line.file_number "
            f"AND batch.clinician IS NOT DISTINCT FROM {_CLINICIAN})"
        )
    found = con.sql(
        f"SELECT line.file_number, line.mapping, line.source_line, {_CLINICIAN} AS clinician, line.completed_on, {', '.join(answers)} "
        f"{forms} ORDER BY line.file_number, line.mapping, line.source_line",
        params=asked,
    ).pl()
    if not has_items:
        return mark_confused_totals(found, batch=_BATCH, at="completed_on", total_column="total", instrument=instrument)
    con.unregister("batches_with_signs")
    return mark_confused_forms(
        found,
        batch=_BATCH,
        at="completed_on",
        item_columns=[f"item_{number}" for number in instrument.items],
        instrument=instrument,
        registry=registry,
    )


def _batches_with_signs(
    con: duckdb.DuckDBPyConnection, forms: str, *, asked: dict[str, str | bool], instrument: Instrument
) -> pl.DataFrame:
    """The batches with so many answers out of range that not all need be slips; most have none, or one."""
    outside: dict[tuple[float, float], list[str]] = {}
    for number in instrument.items:
        span = instrument.range_of_item(number)
        outside.setdefault((span.low, span.high), []).append(f"items[{number}]")
    signs = " OR ".join(
        f"LEAST({', '.join(items)}) < {low!r} OR GREATEST({', '.join(items)}) > {high!r}"
        for (low, high), items in outside.items()
    )
    counted = con.sql(
        f"SELECT line.file_number, {_CLINICIAN} AS clinician, COUNT(*) AS signs {forms} AND ({signs}) GROUP BY ALL",
        params=asked,
    ).pl()
    may = [may_hide_confusion(count) for count in counted["signs"].to_list()]
    return counted.filter(pl.Series(may, dtype=pl.Boolean))


# A form that does not say who treats is that of whoever gave the appointment.
_CLINICIAN = "COALESCE(line.clinician_id, booked.clinician_id)"
