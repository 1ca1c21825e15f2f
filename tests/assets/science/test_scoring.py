from __future__ import annotations

import json
from dataclasses import replace

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science import scoring
from assets.science.instruments.registry import REGISTRY, with_local

SCORABLE = [each for each in REGISTRY if each.is_key_declared]
KEYLESS = replace(REGISTRY["CALPAS"], is_key_declared=False, reversed_items=None)


def columns_of(instrument):
    return [f"item_{number}" for number in instrument.items]


def forms(instrument, *rows):
    return pl.DataFrame(
        {column: [row[place] for row in rows] for place, column in enumerate(columns_of(instrument))},
        schema=dict.fromkeys(columns_of(instrument), pl.Float64),
    )


def scored(instrument, *rows):
    return scoring.score_items(forms(instrument, *rows), instrument=instrument, item_columns=columns_of(instrument))


def slow_score(instrument, row, part=None):
    items = instrument.items if part is None else instrument.subscale(part).items.value
    rule = instrument.missing.value if part is None else instrument.subscale(part).missing.value
    kept = []
    for item in items:
        value = row[item - 1]
        if value is None:
            continue
        span = instrument.range_of_item(item)
        if not span.low <= value <= span.high:
            return None
        kept.append(span.low + span.high - value if instrument.is_reversed(item) else value)
    if len(items) - len(kept) > rule.max_missing:
        return None
    mean = sum(kept) / len(kept)
    scaling = instrument.scoring.value
    return scaling.multiplier * mean * (len(items) if scaling.aggregate == "sum" else 1)


@st.composite
def instrument_and_rows(draw):
    instrument = draw(st.sampled_from(SCORABLE))
    answers = []
    for item in instrument.items:
        span = instrument.range_of_item(item)
        step = 10**instrument.item_decimals
        ticks = st.integers(int(span.low * step) - 1, int(span.high * step) + 1).map(lambda t, step=step: t / step)
        inside = st.integers(int(span.low * step), int(span.high * step)).map(lambda t, step=step: t / step)
        answers.append(st.one_of(inside, inside, inside, inside, inside, inside, inside, st.none(), ticks))
    return instrument, draw(st.lists(st.tuples(*answers), min_size=1, max_size=5))


@settings(max_examples=60, deadline=None)
@given(instrument_and_rows())
def test_scores_equal_a_slow_reading_of_the_declaration(drawn):
    instrument, rows = drawn
    table = scored(instrument, *rows)
    for column, part in [("score", None), *((f"score_{p.id}", p.id) for p in instrument.subscales)]:
        expected = [slow_score(instrument, row, part) for row in rows]
        for got, wanted in zip(table[column].to_list(), expected, strict=True):
            assert got == (None if wanted is None else pytest.approx(wanted, abs=1e-9))
    assert table["n_answered"].to_list() == [sum(value is not None for value in row) for row in rows]


@settings(max_examples=60, deadline=None)
@given(instrument_and_rows())
def test_sql_gives_the_same_scores_as_polars_to_the_last_bit(drawn):
    instrument, rows = drawn
    frame = forms(instrument, *rows)
    table = scored(instrument, *rows)
    with duckdb.connect() as connection:
        connection.register("forms", frame)
        by_sql = connection.sql(scoring.scored_sql(instrument, columns_of(instrument), source="forms")).pl()
    assert set(by_sql.columns) == set(table.columns)
    for column in scoring.score_columns(instrument):
        assert by_sql[column].to_list() == table[column].to_list()


@pytest.mark.parametrize("instrument", SCORABLE, ids=lambda each: each.id)
def test_the_best_and_worst_answers_reach_the_ends_of_the_range(instrument):
    high = [
        instrument.range_of_item(item).low if instrument.is_reversed(item) else instrument.range_of_item(item).high
        for item in instrument.items
    ]
    low = [
        instrument.range_of_item(item).high if instrument.is_reversed(item) else instrument.range_of_item(item).low
        for item in instrument.items
    ]
    table = scored(instrument, high, low)
    assert table["score"].to_list() == pytest.approx([instrument.score_range.high, instrument.score_range.low])
    for part in instrument.subscales:
        span = instrument.range_over(part.items.value)
        assert table[f"score_{part.id}"].to_list() == pytest.approx([span.high, span.low])


@pytest.mark.parametrize("instrument", SCORABLE, ids=lambda each: each.id)
def test_a_form_with_nothing_answered_has_no_score(instrument):
    table = scored(instrument, [None] * instrument.n_items.value)
    assert table["score"].to_list() == [None]
    assert table["n_answered"].to_list() == [0]
    assert all(table[f"score_{part.id}"].to_list() == [None] for part in instrument.subscales)


@pytest.mark.parametrize("instrument", SCORABLE, ids=lambda each: each.id)
def test_one_open_item_more_than_the_rule_allows_leaves_no_score(instrument):
    allowed = instrument.missing.value.max_missing
    full = [instrument.range_of_item(item).low for item in instrument.items]
    table = scored(instrument, [None] * allowed + full[allowed:], [None] * (allowed + 1) + full[allowed + 1 :])
    assert table["score"].is_null().to_list() == [False, True]


def test_an_item_out_of_range_leaves_no_score_and_never_a_clipped_one():
    phq = REGISTRY["PHQ-9"]
    assert scored(phq, [4, *[0] * 8], [-1, *[0] * 8], [3, *[0] * 8])["score"].to_list() == [None, None, 3.0]


def test_an_open_item_takes_the_mean_of_the_answered_ones():
    assert scored(REGISTRY["PHQ-9"], [None, *[2] * 8], [None, None, *[3] * 7])["score"].to_list() == [18.0, 27.0]


def test_reversed_core_items_count_from_the_other_end():
    calm = [0, 4, 4, 0, 0, 0, 0, 0, 0, 0]
    assert scored(REGISTRY["CORE-10"], calm, [0] * 10)["score"].to_list() == [0.0, 8.0]


def test_tenths_of_a_line_add_up_to_the_cut_off_exactly():
    assert scored(REGISTRY["ORS"], [6.1, 6.3, 6.2, 6.4], [0.1, 0.2, 24.4, 0.3])["score"].to_list() == [25.0, None]


def test_dass_parts_are_doubled_to_the_long_scale():
    depression = {3, 5, 10, 13, 16, 17, 21}
    table = scored(REGISTRY["DASS-21"], [3 if item in depression else 0 for item in range(1, 22)])
    assert table.select("score_depression", "score_anxiety", "score_stress").row(0) == (42.0, 0.0, 0.0)


def test_prorating_agrees_with_published_cases(shared_cases):
    cases = json.loads((shared_cases / "cecpfuns" / "expected" / "results.json").read_text())["prorate"]
    for case in cases:
        local = {"kind": "outcome", "direction": "higher_is_worse", "n_items": 10, "item_low": 0, "item_high": 10}
        local |= {"max_missing": case["max_missing"], "source": "CECPfuns"}
        for aggregate in ("mean", "sum"):
            made = with_local(REGISTRY, {"CASE": local | {"aggregate": aggregate}})["CASE"]
            wanted = case[aggregate]
            assert scored(made, case["items"])["score"][0] == (
                None if wanted is None else pytest.approx(wanted, abs=1e-9)
            )


def test_columns_of_a_scored_form_are_named_beforehand():
    wai = REGISTRY["WAI-SR"]
    assert set(scored(wai, [1] * 12).columns) - set(columns_of(wai)) == set(scoring.score_columns(wai))


def test_a_form_needs_a_column_for_each_item():
    with pytest.raises(ValueError, match="PHQ-9 has 9 items; 1 columns were given"):
        scoring.score_expr(REGISTRY["PHQ-9"], item_columns=["a"], part=None)


def test_an_instrument_without_a_declared_key_is_not_scored_from_items():
    with pytest.raises(ValueError, match="reversed is not declared"):
        scoring.scored_sql(KEYLESS, [f"i{n}" for n in range(24)], source="forms")


def test_an_open_item_with_a_range_of_its_own_is_prorated_too():
    loose = with_local(REGISTRY, {"CSI-4": {"max_missing": 1, "source": "x"}})["CSI-4"]
    frame = forms(loose, [None, 3, 3, 3])
    assert scored(loose, [None, 3, 3, 3])["score"].to_list() == [12.0]
    with duckdb.connect() as connection:
        connection.register("forms", frame)
        select = scoring.scored_sql(loose, columns_of(loose), source="forms")
        assert connection.sql(f"SELECT score FROM ({select})").fetchall() == [(12.0,)]


def test_whole_numbers_of_any_width_score_as_decimals_do():
    phq = REGISTRY["PHQ-9"]
    narrow = forms(phq, [3] * 9, [None, *[1] * 8], [4] * 9).cast(pl.Int8)
    table = scoring.score_items(narrow, instrument=phq, item_columns=columns_of(phq))
    assert table["score"].to_list() == [27.0, 9.0, None]
    assert table["n_answered"].to_list() == [9, 8, 9]


def test_no_forms_at_all_have_no_scores():
    assert scored(REGISTRY["PHQ-9"])["score"].to_list() == []


def test_an_answer_that_is_no_number_leaves_no_score():
    assert scored(REGISTRY["PHQ-9"], [float("nan"), *[1] * 8], [float("inf"), *[1] * 8])["score"].to_list() == [
        None,
        None,
    ]


def test_a_quoted_column_name_keeps_its_quotes():
    assert '"a""b"' in scoring.answered_sql(['a"b'])


def test_a_part_the_instrument_lacks_is_named():
    with pytest.raises(KeyError, match="PHQ-9 has no part 'bond'; it has: none"):
        scoring.score_expr(REGISTRY["PHQ-9"], item_columns=columns_of(REGISTRY["PHQ-9"]), part="bond")
