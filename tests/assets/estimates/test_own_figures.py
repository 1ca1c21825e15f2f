import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from assets.contracts import own_figures as contract
from assets.estimates.own_figures import own_figures
from assets.science.instruments.registry import REGISTRY, Registry, with_local
from assets.science.reliability import cronbach_alpha


def forms(n=30, *, instrument="PHQ-9", seed=4, with_items=True):
    it = REGISTRY[instrument]
    draw = np.random.default_rng(seed)
    level = draw.normal(0, 1, (n, 1))
    low, high = it.item_range.value.low, it.item_range.value.high
    middle, half = (low + high) / 2, (high - low) / 2
    straight = np.clip(np.round(middle + half * 0.6 * (level + draw.normal(0, 0.7, (n, it.n_items.value)))), low, high)
    turned = [place for place, item in enumerate(it.items) if it.is_reversed(item)]
    sent = straight.copy()
    sent[:, turned] = low + high - sent[:, turned]
    return pl.DataFrame(
        {
            "instrument": instrument,
            "client_id": [f"c{number:03}" for number in range(n)],
            "score": straight.sum(axis=1),
            "items": pl.Series(sent.tolist() if with_items else [None] * n, dtype=pl.List(pl.Float64)),
        }
    ), straight


def told(frame, *, registry=REGISTRY, minimum_clients=10):
    return own_figures(frame, registry=registry, minimum_clients=minimum_clients)


def test_the_table_has_the_promised_columns_and_a_row_a_measure():
    frame = pl.concat([forms()[0], forms(instrument="CORE-10")[0]])
    made = told(frame)
    assert made.columns == [column.name for column in contract.OWN_FIGURES.columns]
    assert made["instrument"].to_list() == ["CORE-10", "PHQ-9"]


@pytest.mark.parametrize("instrument", ["PHQ-9", "CORE-10"])
def test_spread_alpha_and_threshold_are_those_of_the_keyed_forms(instrument):
    frame, straight = forms(instrument=instrument)
    row = told(frame).row(0, named=True)
    alpha = cronbach_alpha(straight, confidence=0.95)
    sd = frame["score"].std()
    assert (row["clients"], row["whole_forms"], row["is_too_few"]) == (30, 30, False)
    assert (row["first_mean"], row["first_sd"]) == pytest.approx((frame["score"].mean(), sd), abs=1e-8)
    assert (row["alpha"], row["alpha_low"], row["alpha_high"]) == pytest.approx(
        (alpha.estimate, alpha.low, alpha.high), abs=1e-8
    )
    declared = REGISTRY[instrument].alpha.value
    assert row["declared_alpha"] == declared
    assert row["own_reliable_change"] == pytest.approx(1.96 * math.sqrt(2) * sd * math.sqrt(1 - declared), abs=1e-8)
    assert row["declared_reliable_change"] == REGISTRY[instrument].reliable_change.value


def test_without_a_declared_alpha_the_services_own_is_used():
    frame, straight = forms()
    bare = Registry((replace(REGISTRY["PHQ-9"], alpha=None),))
    row = told(frame, registry=bare).row(0, named=True)
    alpha = cronbach_alpha(straight, confidence=0.95).estimate
    assert row["declared_alpha"] is None
    assert row["own_reliable_change"] == pytest.approx(
        1.96 * math.sqrt(2) * frame["score"].std() * math.sqrt(1 - alpha), abs=1e-8
    )


def test_a_measure_without_a_threshold_shows_what_the_services_own_spread_makes():
    row = told(forms(instrument="CSI-4")[0]).row(0, named=True)
    assert row["declared_reliable_change"] is None
    assert row["own_reliable_change"] > 0
    stated = with_local(REGISTRY, {"CSI-4": {"reliable_change": 3.5, "source": "own first forms"}})
    assert told(forms(instrument="CSI-4")[0], registry=stated)["declared_reliable_change"].to_list() == [3.5]


def test_fewer_clients_than_the_smallest_group_have_no_figures():
    few, enough = (told(forms(n)[0]).row(0, named=True) for n in (9, 10))
    assert few["is_too_few"]
    assert all(few[name] is None for name in ("first_mean", "first_sd", "alpha", "alpha_low", "own_reliable_change"))
    assert not enough["is_too_few"]
    assert enough["alpha"] is not None


def test_totals_and_forms_with_an_open_item_have_a_spread_and_no_alpha():
    totals = told(forms(with_items=False)[0]).row(0, named=True)
    assert (totals["clients"], totals["whole_forms"], totals["alpha"]) == (30, 0, None)
    assert totals["own_reliable_change"] > 0
    open_item = forms()[0].with_columns(
        pl.col("items").list.eval(pl.when(pl.int_range(pl.len()) > 0).then(pl.element()))
    )
    assert told(open_item)["whole_forms"].to_list() == [0]


def test_a_measure_whose_key_is_not_declared_has_no_alpha_of_its_own():
    frame = forms()[0].with_columns(instrument=pl.lit("CALPAS"))
    assert told(frame).row(0, named=True)["whole_forms"] == 0


def test_forms_all_alike_have_no_alpha_and_no_threshold():
    same = forms()[0].with_columns(score=pl.lit(9.0), items=pl.lit([1.0] * 9))
    row = told(same).row(0, named=True)
    assert (row["first_sd"], row["alpha"], row["own_reliable_change"]) == (0.0, None, None)


def test_no_forms_make_an_empty_table():
    assert told(forms()[0].clear()).columns == [column.name for column in contract.OWN_FIGURES.columns]


def test_the_order_of_rows_changes_nothing():
    frame = pl.concat([forms()[0], forms(instrument="CORE-10")[0]])
    assert told(frame).equals(told(frame.sample(fraction=1.0, shuffle=True, seed=2)))
