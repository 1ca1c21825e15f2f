import numpy as np
import polars as pl
import pytest
from scipy import stats

from assets.contracts.comparison import CLINICIAN_SIGNALS
from assets.estimates.signals import clinician_signals

CLINICIANS = [f"K{k:02d}" for k in range(30)]


def compared(probabilities, *, clients=40):
    """The five tables; adjusted progress has the probabilities given, everything else speaks of nothing."""
    who = pl.DataFrame({"clinician_id": CLINICIANS, "site": "north"})
    even = pl.lit(0.5)
    figures = {"low": pl.lit(-1.0), "high": pl.lit(1.0), "clients": pl.lit(clients)}
    apart = {"difference": pl.lit(0.1), "difference_low": pl.lit(-1.0), "difference_high": pl.lit(1.0)}
    return {
        "clinician_adjusted_progress": who.with_columns(
            **figures,
            instrument=pl.lit("PHQ-9"),
            evaluable=pl.lit(clients),
            estimate=pl.lit(0.2),
            probability_better=pl.Series(probabilities),
        ),
        "clinician_alliance": who.with_columns(
            instrument=pl.lit("SRS"), probability_above=even, clients=pl.lit(clients), **apart
        ),
        "clinician_alliance_parts": who.join(
            pl.DataFrame({"part": ["early", "later", "growth", "bond"]}), how="cross"
        ).with_columns(instrument=pl.lit("SRS"), probability_above=even, clients=pl.lit(clients), **apart),
        "alliance_link": who.with_columns(
            **figures,
            alliance_instrument=pl.lit("SRS"),
            outcome_instrument=pl.lit("ORS"),
            estimate=pl.lit(0.3),
            service_estimate=pl.lit(0.2),
            probability_above_service=even,
        ),
        "clinician_attendance": who.with_columns(
            cases=pl.lit(clients),
            appointments=pl.lit(200),
            did_not_attend=pl.lit(20),
            did_not_attend_rate=pl.lit(0.1),
            low=pl.lit(0.06),
            high=pl.lit(0.15),
        ),
    }


def signals(probabilities, **changes):
    return clinician_signals(compared(probabilities, **changes), minimum_clients=10)


def test_every_clinician_has_each_signal_once_in_the_order_of_keys():
    found = signals([0.5] * 30)
    assert found.columns == [column.name for column in CLINICIAN_SIGNALS.columns]
    assert found.height == 30 * 6
    assert found.equals(found.sort(CLINICIAN_SIGNALS.key))
    assert found.filter(pl.col("signal") == "alliance_link")["instrument"].unique().to_list() == ["SRS with ORS"]
    assert found.filter(pl.col("signal") == "missed")["instrument"].unique().to_list() == ["all"]


def test_one_beyond_95_per_cent_among_many_is_not_flagged_and_one_far_beyond_is():
    found = signals([0.98, 0.9999999, 0.0000001] + [0.5] * 27).filter(pl.col("signal") == "adjusted_progress")
    assert found["is_flagged"].to_list() == [False, True, True] + [False] * 27
    assert found["certainty"].to_list() == ["clear"] * 3 + ["cannot_tell"] * 27
    assert found["direction"].to_list()[:3] == ["better", "better", "worse"]


def test_the_correction_is_over_clinicians_and_signals_together():
    draw = np.random.default_rng(1)
    found = signals(draw.random(30))
    assert found["q_value"].to_numpy() == pytest.approx(
        stats.false_discovery_control(found["p_value"].to_numpy()), abs=1e-5
    )
    assert found["is_flagged"].to_list() == (found["q_value"] <= 0.05).to_list()


def test_where_nobody_differs_hardly_a_night_flags_anyone():
    draw = np.random.default_rng(2)
    nights = [signals(draw.random(30))["is_flagged"].any() for _ in range(40)]
    assert sum(nights) <= 5


def test_too_few_have_no_figures_and_no_flag():
    found = signals([0.9999999] * 30, clients=9)
    assert found.select("estimate", "low", "high", "p_value", "q_value", "direction").null_count().row(0) == (180,) * 6
    assert not found["is_flagged"].any()
    assert found["certainty"].unique().to_list() == ["too_few"]


def test_missing_more_appointments_than_the_site_is_worse():
    tables = compared([0.5] * 30)
    missed = pl.when(pl.col("clinician_id") == "K03").then(80).otherwise(pl.col("did_not_attend"))
    tables["clinician_attendance"] = tables["clinician_attendance"].with_columns(
        did_not_attend=missed, did_not_attend_rate=missed / 200
    )
    found = clinician_signals(tables, minimum_clients=10).filter(pl.col("signal") == "missed")
    worst = found.row(3, named=True)
    assert worst["estimate"] < -0.2
    assert worst["direction"] == "worse"
    assert worst["is_flagged"]
    assert found["is_flagged"].sum() == 1
