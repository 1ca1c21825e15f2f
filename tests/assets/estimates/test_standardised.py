import numpy as np
import polars as pl
import pytest

from assets.contracts import field_measures
from assets.estimates.standardised import improvement_ratios


def change(*, clinicians=6, each=30, seed=1, **given):
    draw = np.random.default_rng(seed)
    n = clinicians * each
    first = draw.integers(6, 27, n).astype(float)
    fall = np.round(first * 0.3 + draw.normal(0, 4, n))
    return pl.DataFrame(
        {
            "client_id": [f"c{number}" for number in range(n)],
            "episode_id": [f"e{number}" for number in range(n)],
            "clinician_id": [f"k{number % clinicians}" for number in range(n)],
            "site": [None if number % 5 else "north" for number in range(n)],
            "instrument": "PHQ-9",
            "is_open": False,
            "reliable_change": 6.0,
            "first_score": first,
            "last_score": first - fall,
            "is_reliably_improved": fall >= 6,
        }
    ).with_columns(**{name: pl.lit(value) for name, value in given.items()})


def ratios(frame, *, minimum_clients=10, minimum_clinicians=3):
    return improvement_ratios(frame, minimum_clients=minimum_clients, minimum_clinicians=minimum_clinicians)


def test_the_table_has_the_promised_columns_and_a_row_a_clinician():
    made = ratios(change())
    assert made.columns == [column.name for column in field_measures.IMPROVEMENT_RATIOS.columns]
    assert made["clinician_id"].to_list() == [f"k{number}" for number in range(6)]
    assert set(made["funnel_rule"]) <= set(field_measures.FUNNEL_RULES)
    assert made["observed"].sum() == pytest.approx(made["expected"].sum(), abs=1e-5)
    assert made.filter(pl.col("ratio").is_between(pl.col("low"), pl.col("high"))).height == 6


def test_what_is_expected_is_the_services_share_among_those_who_began_as_badly():
    distinct = np.random.default_rng(2).permutation(40) / 2 + 5
    frame = change(clinicians=4, each=10, seed=2).with_columns(first_score=distinct)
    ranked = frame.sort("first_score").with_columns(half=pl.int_range(pl.len()) // 20)
    shares = ranked.with_columns(chance=pl.col("is_reliably_improved").mean().over("half"))
    by_hand = shares.group_by("clinician_id").agg(pl.col("chance").sum()).sort("clinician_id")
    assert ratios(frame)["expected"].to_list() == pytest.approx(by_hand["chance"].to_list(), abs=1e-6)


def test_a_clinician_whose_clients_begin_mildly_is_not_blamed_for_it():
    worse = change(clinicians=6, each=40)
    mild = (pl.col("clinician_id") == "k0") & (pl.col("first_score") > 12)
    row = ratios(worse.filter(~mild)).row(0, named=True)
    plain = worse.filter(~mild & (pl.col("clinician_id") == "k0"))["is_reliably_improved"].mean()
    service = worse.filter(~mild)["is_reliably_improved"].mean()
    assert plain < 0.6 * service
    assert row["ratio"] > plain / service
    assert row["funnel_rule"] == "within"


def test_a_caseload_of_few_clients_has_counts_and_no_ratio_however_many_its_episodes():
    frame = change().with_columns(
        client_id=pl.when(pl.col("clinician_id") == "k2").then(pl.lit("same")).otherwise("client_id")
    )
    row = ratios(frame).filter(pl.col("clinician_id") == "k2").row(0, named=True)
    assert (row["clients"], row["evaluable"], row["funnel_rule"]) == (1, 30, "too_few")
    assert all(row[name] is None for name in ("ratio", "low", "high", "limit_low_95", "limit_high_998"))


def test_one_client_fewer_than_the_smallest_group_is_withheld_and_the_smallest_group_is_not():
    made = ratios(change(clinicians=3, each=10).filter(pl.col("client_id") != "c0")).sort("clinician_id")
    assert made["clients"].to_list() == [9, 10, 10]
    assert made["ratio"].is_null().to_list() == [True, False, False]


def test_a_measure_with_fewer_clinicians_than_asked_for_is_left_out():
    assert ratios(change(clinicians=2)).is_empty()
    assert ratios(change(clinicians=3)).height == 3


@pytest.mark.parametrize(
    "given",
    [{"is_open": True}, {"reliable_change": None}, {"clinician_id": None}, {"last_score": None}],
    ids=lambda given: next(iter(given)),
)
def test_what_cannot_be_judged_is_not_counted(given):
    frame = change()
    aside = frame.with_columns(pl.lit(value).cast(frame.schema[name]).alias(name) for name, value in given.items())
    made = ratios(pl.concat([frame, aside]))
    assert made.equals(ratios(frame))


def test_the_order_of_rows_changes_nothing():
    frame = change()
    assert ratios(frame).equals(ratios(frame.sample(fraction=1.0, shuffle=True, seed=4)))


def test_no_change_at_all_makes_an_empty_table_with_its_columns():
    assert ratios(change().clear()).columns == [column.name for column in field_measures.IMPROVEMENT_RATIOS.columns]


def test_where_nobody_improved_there_is_nothing_to_compare_and_no_nan():
    made = ratios(change(is_reliably_improved=False))
    assert set(made["funnel_rule"]) == {"within"}
    assert made["ratio"].null_count() == made["phi"].null_count() == made.height
