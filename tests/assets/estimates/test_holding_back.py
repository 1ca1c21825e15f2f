from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from assets.contracts.endings import HOLDING_BACK, HOLDING_BACK_CALIBRATION
from assets.estimates.holding_back import holding_back as of_part
from assets.estimates.holding_back import holding_back_calibration
from assets.science.rupture import pooled_within_sd

AS_OF = date(2026, 11, 20)


def clinic(*, episodes=600, leaves_if_shown=0.5, leaves_otherwise=0.05, seed=2):
    """Episodes of which every third misses appointments before session 3; leaving follows as often as said."""
    draw = np.random.default_rng(seed)
    sessions, courses = [], []
    for number in range(episodes):
        shows = number % 3 == 0
        leaves = draw.random() < (leaves_if_shown if shows else leaves_otherwise)
        count, name = 4 if leaves else 5, f"e{number}"
        begins = date(2025, 1, 1) + timedelta(days=number)
        courses.append(
            (name, f"k{number % 11}", "north", "CBT", begins, count, False, "unplanned" if leaves else "planned")
        )
        sessions += [
            {
                "client_id": f"c{number}",
                "episode_id": name,
                "case_id": f"c{number}",
                "clinician_id": f"k{number % 11}",
                "site": "north",
                "programme": "CBT",
                "session_number": t,
                "starts_on": begins + timedelta(weeks=t),
                "gap_days": 7 if t > 1 else None,
                "missed_before": int(shows and t == 3),
                "clinic_cancelled_before": 0,
                "is_latest": t == count,
                "missed_since": 0,
            }
            for t in range(1, count + 1)
        ]
    columns = ["episode_id", "clinician_id", "site", "programme", "started_on", "sessions", "is_open", "end_reason"]
    return pl.DataFrame(sessions), pl.DataFrame(courses, schema=columns, orient="row")


def alliance_of(sessions, *, score=40.0):
    return sessions.select(
        "client_id", "episode_id", "session_number", instrument=pl.lit("WAI-SR"), score=pl.lit(score)
    )


def holding_back(sessions, alliance, *, parts=1):
    spreads = {
        str(name): pooled_within_sd(rows.select("client_id", "episode_id", alliance="score"))
        for (name,), rows in alliance.partition_by("instrument", as_dict=True).items()
    }
    place = pl.col("client_id").rank("dense") % parts
    told = [
        of_part(sessions.filter(place == part), alliance.filter(place == part), within_sds=spreads)
        for part in range(parts)
    ]
    return pl.concat(told).sort("client_id", "episode_id", "session_number")


def calibrated(*, minimum_clients=10, **settings):
    sessions, episodes = clinic(**settings)
    told = holding_back(sessions, alliance_of(sessions))
    got = holding_back_calibration(told, episodes, as_of=AS_OF + timedelta(days=900), minimum_clients=minimum_clients)
    return got.filter(pl.col("scope") == "service")


def test_every_promised_column_of_both_tables_stands():
    sessions, episodes = clinic(episodes=60)
    told = holding_back(sessions, alliance_of(sessions))
    got = holding_back_calibration(told, episodes, as_of=AS_OF, minimum_clients=10)
    assert {column.name for column in HOLDING_BACK.columns} <= set(told.columns)
    assert {column.name for column in HOLDING_BACK_CALIBRATION.columns} <= set(got.columns)


def test_it_does_not_matter_in_how_many_parts_clients_are_followed():
    sessions, _ = clinic(episodes=60)
    draw = np.random.default_rng(4)
    ratings = alliance_of(sessions).with_columns(score=pl.Series(draw.integers(20, 60, sessions.height)).cast(float))
    assert holding_back(sessions, ratings, parts=5).equals(holding_back(sessions, ratings))


def test_a_fall_is_measured_against_the_clients_own_earlier_ratings_on_that_measure():
    sessions, _ = clinic(episodes=1)
    scores = [40.0, 44.0, 30.0]
    ratings = alliance_of(sessions).head(3).with_columns(score=pl.Series(scores))
    told = holding_back(sessions, ratings)
    spread = np.std(scores, ddof=1)
    assert told["fall_in_sds"].to_list()[:3] == [None, None, pytest.approx((42 - 30) / spread)]
    assert told["has_fallen"].to_list()[2] is True


def test_of_two_measures_the_one_that_fell_further_counts_once():
    sessions, _ = clinic(episodes=1)
    steady = alliance_of(sessions)
    falling = steady.with_columns(
        instrument=pl.lit("SRS"), score=pl.Series([40.0, 40.0, 20.0, *[40.0] * (steady.height - 3)])
    )
    told = holding_back(sessions, pl.concat([steady, falling]))
    assert told.height == sessions.height
    assert told["has_fallen"].to_list()[2] is True


def test_without_any_rating_the_other_signals_still_show():
    sessions, _ = clinic(episodes=3)
    told = holding_back(sessions, alliance_of(sessions).clear())
    assert told["fall_in_sds"].null_count() == told["is_form_skipped"].null_count() == told.height
    assert told["signals"].max() == 1


def test_what_earlier_episodes_did_is_what_is_predicted_for_later_ones():
    got = calibrated()
    assert got["signals"].to_list() == [0, 1]
    for row in got.iter_rows(named=True):
        assert row["predicted_low"] < row["predicted"] < row["predicted_high"]
        assert row["observed"] == pytest.approx(row["predicted"], abs=0.2)
    assert got["observed"][1] > got["observed"][0] + 0.2


def test_an_index_that_tells_is_said_to_and_called_no_forecast():
    row = calibrated().row(0, named=True)
    assert row["certainty"] == "clear"
    assert row["discrimination_low"] > 0.5
    assert "not a forecast" in row["sentence"]


def test_an_index_that_tells_nothing_is_said_to():
    row = calibrated(leaves_if_shown=0.2, leaves_otherwise=0.2).row(0, named=True)
    assert row["discrimination_low"] < 0.5 < row["discrimination_high"]
    assert row["certainty"] == "cannot_tell"
    assert row["sentence"].endswith("cannot be said.")


def test_few_endings_are_refused_in_words():
    row = calibrated(episodes=60, leaves_if_shown=0.1).row(0, named=True)
    assert (row["discrimination"], row["certainty"]) == (None, "too_few")
    assert row["sentence"].startswith("Too few treatments")


def test_a_band_of_few_episodes_is_withheld():
    assert calibrated(minimum_clients=150).select("observed", "predicted")["observed"].to_list()[1] is None


def test_a_service_that_has_just_begun_has_no_calibration():
    sessions, episodes = clinic(episodes=20)
    told = holding_back(sessions, alliance_of(sessions))
    got = holding_back_calibration(told, episodes, as_of=date(2025, 1, 20), minimum_clients=10)
    assert got.is_empty()
