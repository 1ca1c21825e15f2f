from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import form_confusion
from assets.science.instruments.registry import REGISTRY, with_local

WAI = REGISTRY["WAI-SR"]
ITEMS = [f"item_{n}" for n in range(1, 13)]
DAY = date(2026, 1, 1)
BATCH = ["clinician_id"]


def marked(frame, *, instrument=WAI, items=None):
    return form_confusion.mark_confused_forms(
        frame,
        batch=BATCH,
        at="on",
        item_columns=ITEMS[: instrument.n_items.value] if items is None else items,
        instrument=instrument,
        registry=REGISTRY,
    )


def marked_totals(frame, name):
    return form_confusion.mark_confused_totals(
        frame, batch=BATCH, at="on", total_column="total", instrument=REGISTRY[name]
    )


def found(frame):
    return form_confusion.confusions(frame, batch=BATCH, at="on")


def forms(answers, *, clinician="a", start=0):
    answers = np.asarray(answers, dtype=float)
    return pl.DataFrame(
        {f"item_{n + 1}": answers[:, n] for n in range(answers.shape[1])}
        | {"clinician_id": clinician, "on": [DAY + timedelta(days=start + n) for n in range(len(answers))]}
    ).with_columns(pl.col(f"item_{n + 1}").fill_nan(None) for n in range(answers.shape[1]))


def drawn(n, low, high, *, seed=0, n_items=12):
    return np.random.default_rng(seed).integers(low, high + 1, size=(n, n_items))


def totals(values, *, clinician="a"):
    return pl.DataFrame(
        {"total": values, "clinician_id": clinician, "on": [DAY + timedelta(days=n) for n in range(len(values))]}
    )


def test_the_clinician_given_the_seven_point_form_is_found_and_nobody_else_loses_a_row(shared_export):
    frame = pl.read_csv(shared_export / "north" / "wai_sr.csv")
    items = [f"wai{n}" for n in range(1, 13)]
    result = form_confusion.mark_confused_forms(
        frame, batch=["StaffRef"], at="DateCompleted", item_columns=items, instrument=WAI, registry=REGISTRY
    )
    above = frame.select(pl.max_horizontal(items) > 5).to_series()
    assert result["confusion"].is_not_null().to_list() == above.to_list()
    (row,) = form_confusion.confusions(result, batch=["StaffRef"], at="DateCompleted").rows(named=True)
    assert row["confusion"] == "another form"
    assert row["confusion_reason"] == "the answers fit WAI-S (1 to 7) and not WAI-SR (1 to 5)"
    assert row["n_forms"] == above.sum()


@pytest.mark.parametrize(("file", "name"), [("phq9.csv", "PHQ-9"), ("gad7.csv", "GAD-7")])
def test_scattered_codes_for_no_answer_are_left_to_their_own_rows(shared_export, file, name):
    frame = pl.read_csv(shared_export / "north" / file, infer_schema=False)
    items = [column for column in frame.columns if "_" in column]
    frame = frame.with_columns(pl.col(items).cast(pl.Float64, strict=False), clinician_id=pl.lit("file"))
    result = form_confusion.mark_confused_forms(
        frame, batch=BATCH, at="DateCompleted", item_columns=items, instrument=REGISTRY[name], registry=REGISTRY
    )
    assert result["confusion"].null_count() == frame.height


def test_a_clinician_who_changed_forms_on_a_day_loses_the_forms_from_that_day():
    frame = pl.concat([forms(drawn(40, 1, 5)), forms(drawn(25, 1, 7, seed=1), start=40)])
    (row,) = found(marked(frame)).rows(named=True)
    assert (row["n_forms"], row["first_at"], row["last_at"]) == (25, DAY + timedelta(40), DAY + timedelta(64))


def test_a_form_of_the_stretch_that_happens_to_fit_is_refused_with_it():
    answers = drawn(20, 1, 7, seed=2)
    answers[7] = 3
    assert marked(forms(answers))["confusion"].null_count() == 0


def test_two_stretches_apart_are_both_found_and_the_forms_between_kept():
    parts = [drawn(20, 1, 7, seed=3), drawn(60, 1, 5, seed=4), drawn(20, 1, 7, seed=5)]
    result = marked(forms(np.vstack(parts)))
    assert result["confusion"].is_not_null().to_list() == [True] * 20 + [False] * 60 + [True] * 20


def test_a_few_fitting_forms_at_the_end_of_a_half_silent_stretch_go_with_it():
    wrong = np.full((12, 12), 3)
    wrong[::2, 0], wrong[::2, 1] = 7, 6
    answers = np.vstack([drawn(40, 1, 5), wrong])
    assert marked(forms(answers))["confusion"].is_not_null().to_list() == [False] * 40 + [True] * 12


def test_one_colleagues_confusion_costs_another_nothing():
    frame = pl.concat(
        [forms(drawn(30, 1, 7)), forms(drawn(30, 1, 5), clinician="b"), forms(drawn(9, 1, 5), clinician=None)]
    )
    assert marked(frame).filter(pl.col("confusion").is_not_null())["clinician_id"].unique().to_list() == ["a"]


@given(st.permutations(range(50)))
def test_the_order_of_the_rows_does_not_matter_and_is_kept(order):
    frame = pl.concat([forms(drawn(30, 1, 5)), forms(drawn(20, 1, 7, seed=6), start=30)]).with_row_index("n")
    shuffled = frame[list(order)]
    result = marked(shuffled)
    assert result["n"].to_list() == list(order)
    assert result["confusion"].is_not_null().to_list() == [n >= 30 for n in order]


@pytest.mark.parametrize("seed", range(20))
def test_honest_slips_are_never_taken_for_another_form(seed):
    random = np.random.default_rng(seed)
    answers = drawn(300, 1, 5, seed=seed)
    slips = random.random(300) < form_confusion.SLIP_RATE
    answers[slips, random.integers(0, 12, slips.sum())] = 7
    assert found(marked(forms(answers))).height == 0


def test_answers_counted_from_one_instead_of_nought_are_found():
    result = marked(forms(drawn(30, 1, 4, n_items=9)), instrument=REGISTRY["PHQ-9"])
    (row,) = found(result).rows(named=True)
    assert row["confusion"] == "counted from another number"
    assert row["confusion_reason"] == "the answers fit answers counted from 1 and not PHQ-9 (0 to 3)"


def test_lines_measured_in_millimetres_are_found():
    result = marked(forms(drawn(30, 0, 100, n_items=4)), instrument=REGISTRY["ORS"])
    (row,) = found(result).rows(named=True)
    assert row["confusion_reason"] == "the answers fit lines measured to 100 and not ORS (0 to 10)"


def test_one_item_always_on_another_scale_is_named():
    answers = drawn(30, 0, 3, n_items=9)
    answers[:, 8] = np.random.default_rng(9).integers(0, 11, 30)
    (row,) = found(marked(forms(answers), instrument=REGISTRY["PHQ-9"])).rows(named=True)
    assert row["confusion"] == "one item on another scale"
    assert row["confusion_reason"] == "item 9 is answered on another scale than PHQ-9 (0 to 3) has"


def test_a_stretch_that_fits_no_scale_is_left_to_each_row():
    answers = drawn(30, 0, 3, n_items=9)
    answers[:, 2] = 17
    answers[:, 5] = 17
    assert found(marked(forms(answers), instrument=REGISTRY["PHQ-9"])).height == 0


def test_too_few_signs_on_one_item_do_not_name_it():
    # Three signs on one of four lines: one in sixteen by chance, and the line fits no other scale.
    answers = np.full((3, 4), 5.0)
    answers[:, 1] = 400
    assert found(marked(forms(answers), instrument=REGISTRY["ORS"])).height == 0


def test_an_instrument_of_one_item_has_no_other_items_to_differ_from():
    registry = with_local(
        REGISTRY,
        {
            "ONE": {
                "kind": "outcome", "direction": "higher_is_better", "n_items": 1, "item_low": 0, "item_high": 3,
                "aggregate": "sum", "source": "x",
            }
        },
    )  # fmt: skip
    (row,) = found(marked(forms(drawn(30, 1, 4, n_items=1)), instrument=registry["ONE"])).rows(named=True)
    assert row["confusion"] == "counted from another number"


def test_open_items_fit_any_scale():
    answers = drawn(30, 1, 5).astype(float)
    answers[::3, 4] = np.nan
    assert found(marked(forms(answers))).height == 0


def test_no_forms_have_no_confusion():
    assert marked(forms(drawn(1, 1, 5)).clear()).height == 0


def test_a_form_needs_a_column_for_each_item():
    with pytest.raises(ValueError, match="WAI-SR has 12 items; 2 columns"):
        marked(forms(drawn(3, 1, 5)), items=ITEMS[:2])


def test_the_reason_holds_no_answer_and_no_code():
    answers = drawn(30, 0, 3, n_items=9)
    answers[:, 8] = 77
    (row,) = found(marked(forms(answers, clinician="K77"), instrument=REGISTRY["PHQ-9"])).rows(named=True)
    assert "77" not in row["confusion_reason"]


def test_means_below_the_lowest_total_are_found_even_alone():
    means = (drawn(30, 1, 5).mean(axis=1)).round(2)
    (row,) = found(marked_totals(totals(means), "WAI-SR")).rows(named=True)
    assert (row["confusion"], row["n_forms"]) == ("means for totals", 30)
    assert row["confusion_reason"] == "means of items were sent where totals belong: WAI-SR scores are 12 to 60"


def test_means_within_the_range_of_totals_are_found_by_how_rare_such_totals_are_elsewhere():
    random = np.random.default_rng(3)
    frame = pl.concat(
        [
            totals((random.normal(32, 4, 200)).clip(15, 40).round(1), clinician="b"),
            totals((random.normal(8, 1, 30)).clip(0, 10).round(1), clinician="a"),
        ]
    )
    (row,) = found(marked_totals(frame, "SRS")).rows(named=True)
    assert (row["clinician_id"], row["n_forms"]) == ("a", 30)


def test_low_totals_that_are_common_elsewhere_are_no_sign():
    random = np.random.default_rng(4)
    low = random.integers(0, 12, 200).astype(float)
    frame = pl.concat([totals(low, clinician="b"), totals(random.integers(0, 4, 40).astype(float), clinician="a")])
    assert found(marked_totals(frame, "PHQ-9")).height == 0


def test_more_decimals_than_items_add_up_to_are_a_sign():
    random = np.random.default_rng(5)
    frame = pl.concat(
        [
            totals(random.integers(0, 12, 200).astype(float), clinician="b"),
            totals(random.integers(0, 27, 40) / 9, clinician="a"),
        ]
    )
    (row,) = found(marked_totals(frame, "PHQ-9")).rows(named=True)
    assert row["clinician_id"] == "a"


def test_sums_where_means_belong_are_found():
    sums = drawn(30, 1, 7, n_items=5).sum(axis=1).astype(float)
    (row,) = found(marked_totals(totals(sums), "ARM-5")).rows(named=True)
    assert (row["confusion"], row["n_forms"]) == ("totals for means", 30)


def test_totals_out_of_every_range_are_left_to_each_row():
    values = np.where(np.arange(30) % 2 == 0, 4.0, 900.0)
    assert found(marked_totals(totals(values), "WAI-SR")).height == 0


def test_the_couples_totals_are_all_as_declared(shared_export):
    frame = pl.read_parquet(shared_export / "couples" / "measures.parquet").rename({"completed_on": "on"})
    for name in ("SRS", "CSI-4"):
        assert found(marked_totals(frame.filter(pl.col("instrument") == name), name)).height == 0


def test_an_answer_beyond_all_numbers_is_a_slip_and_breaks_nothing():
    wai = REGISTRY["WAI-SR"]
    totals = pl.DataFrame({"who": ["a"] * 3, "day": [1, 2, 3], "total": [math.inf, math.nan, 30.0]})
    marked = form_confusion.mark_confused_totals(totals, batch=["who"], at="day", total_column="total", instrument=wai)
    assert marked["confusion"].to_list() == [None] * 3


@given(signs=st.lists(st.booleans(), min_size=1, max_size=40))
def test_a_batch_that_is_not_looked_at_for_want_of_signs_has_nothing_to_be_found(signs):
    answers = np.where(np.array(signs)[:, None], 7, 3) * np.ones((1, 12))
    if not form_confusion.may_hide_confusion(sum(signs)):
        assert marked(forms(answers))["confusion"].null_count() == len(signs)


def test_one_answer_out_of_range_is_a_slip_and_two_together_need_not_be():
    assert [form_confusion.may_hide_confusion(signs) for signs in (0, 1, 2, 400)] == [False, False, True, True]
    assert marked(forms(drawn(2, 6, 7)))["confusion"].null_count() == 0
