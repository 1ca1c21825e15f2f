from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.contracts.endings import LANDMARK
from assets.estimates.landmark import HORIZON_SESSION, LANDMARK_SESSION, landmark
from assets.service import read_service

# Its first measure pair is the WAI-SR with the PHQ-9.
SERVICE = read_service(Path(__file__).parents[3] / "pipelines" / "examples" / "demo.toml")
FORMS = {"alliance": "WAI-SR", "outcome": "PHQ-9"}


def clinic(*, episodes=400, lower_leave=0.5, upper_leave=0.1, seed=1):
    """Episodes of which those with a low early alliance leave with one chance and the others with another."""
    draw = np.random.default_rng(seed)
    forms, courses = [], []
    for number in range(episodes):
        is_low = number % 2 == 0
        leaves = draw.random() < (lower_leave if is_low else upper_leave)
        name, sessions = f"e{number}", int(draw.integers(4, 9)) if leaves else 12
        courses.append((name, f"k{number % 9}", "north", "CBT", sessions, False, "unplanned" if leaves else "planned"))
        forms += [
            (name, t, kind, FORMS[kind], float(score))
            for t in range(1, LANDMARK_SESSION + 1)
            for kind, score in (("alliance", draw.normal(35 if is_low else 50, 2)), ("outcome", draw.integers(5, 20)))
        ]
    columns = ["episode_id", "clinician_id", "site", "programme", "sessions", "is_open", "end_reason"]
    known = pl.DataFrame(courses, schema=columns, orient="row").with_columns(case_id=pl.col("episode_id"))
    early = pl.DataFrame(forms, schema=["episode_id", "session_number", "kind", "instrument", "score"], orient="row")
    return early, known


def told(early, episodes, *, scope="service"):
    return landmark(early, episodes, service=SERVICE).filter(pl.col("scope") == scope).row(0, named=True)


def test_every_promised_column_stands_in_its_order():
    got = landmark(*clinic(), service=SERVICE)
    assert got.columns == [column.name for column in LANDMARK.columns]
    assert got["scope"].to_list() == ["service", "site", "programme"]


def test_a_difference_is_told_in_a_sentence_that_claims_no_cause():
    row = told(*clinic())
    assert (row["landmark_session"], row["horizon_session"]) == (LANDMARK_SESSION, HORIZON_SESSION)
    assert row["lower_half"] == pytest.approx(0.5, abs=0.1)
    assert row["difference_low"] > 0.2
    assert row["certainty"] == "clear"
    assert "clearly more" in row["sentence"]
    assert "no proof" in row["sentence"]


def test_the_cox_model_beside_it_points_the_same_way_with_an_interval():
    row = told(*clinic())
    assert row["hazard_ratio_low"] < row["hazard_ratio"] < row["hazard_ratio_high"] < 1


def test_where_nothing_differs_chance_is_named():
    row = told(*clinic(lower_leave=0.3, upper_leave=0.3))
    assert row["certainty"] == "cannot_tell"
    assert "chance alone" in row["sentence"]
    assert row["difference_low"] < 0 < row["difference_high"]


def test_thin_data_are_refused_in_words():
    row = told(*clinic(episodes=12))
    assert row["certainty"] == "too_few"
    assert row["difference"] is None
    assert row["hazard_ratio"] is None
    assert row["sentence"].startswith("Too few clients")


def test_few_endings_are_refused_in_words():
    row = told(*clinic(lower_leave=0.01, upper_leave=0.01))
    assert row["certainty"] == "cannot_tell"
    assert row["sentence"].startswith("Too few treatments ended unplanned")


def test_whoever_is_left_out_is_counted():
    early, episodes = clinic()
    short = episodes.with_columns(sessions=pl.when(pl.col("episode_id") == "e0").then(3).otherwise("sessions"))
    silent = early.filter(~((pl.col("episode_id") == "e1") & (pl.col("kind") == "alliance")))
    unscored = silent.filter(~((pl.col("episode_id") == "e2") & (pl.col("kind") == "outcome")))
    row = told(unscored, short)
    assert (row["ended_by_landmark"], row["without_rating"], row["without_score"]) == (1, 1, 1)
    assert row["episodes"] == 397


def test_an_open_episode_is_censored_whatever_reason_stands_beside_it():
    early, episodes = clinic()
    row = told(early, episodes.with_columns(is_open=True))
    assert row["unplanned"] == 0


def test_a_site_that_does_not_use_the_pair_is_not_counted():
    early, episodes = clinic()
    elsewhere = episodes.with_columns(pl.col("episode_id") + "x", site=pl.lit("south"))
    assert told(early, pl.concat([episodes, elsewhere])) == told(early, episodes)


def test_a_service_without_forms_has_no_rows():
    early, episodes = clinic(episodes=10)
    assert landmark(early.clear(), episodes, service=SERVICE).is_empty()
