"""Frames in, frames out: each estimate against a slow and obvious count of the same rows."""

from datetime import date, timedelta

import polars as pl
import pytest

from assets.contracts import analysis, vocabulary
from assets.estimates.alliance import clinician_alliance
from assets.estimates.attendance import clinician_attendance
from assets.estimates.change import client_change
from assets.estimates.link import alliance_levels_and_links
from assets.estimates.progress import clinician_progress
from assets.estimates.ruptures import ruptures
from assets.science.instruments.registry import REGISTRY
from assets.science.rupture import pooled_within_sd
from assets.service import read_service

START = date(2026, 1, 5)


def episodes(*, ended: date | None = date(2026, 6, 30)) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "episode_id": ["E1"],
            "case_id": ["C1"],
            "clinician_id": ["K1"],
            "site": ["north"],
            "programme": ["Adult"],
            "is_open": [ended is None],
            "started_on": [START],
            "ended_on": [ended],
        },
        schema_overrides={"ended_on": pl.Date},
    )


def ratings(*scores: float | None, instrument: str = "PHQ-9", first_day: int = 0) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "client_id": "C1",
            "episode_id": "E1",
            "instrument": instrument,
            "rating_id": [f"R{place}" for place in range(len(scores))],
            "completed_on": [START + timedelta(days=7 * place + first_day) for place in range(len(scores))],
            "score": scores,
        },
        schema_overrides={"score": pl.Float64},
    )


@pytest.mark.parametrize(
    ("scores", "category", "improvement"),
    [
        ((18.0, 15.0, 6.0), "recovered", 12.0),
        ((22.0, 16.0), "improved", 6.0),
        ((22.0, 17.0), "unchanged", 5.0),
        ((12.0, 18.0), "deteriorated", -6.0),
        ((5.0, 12.0), "harmed", -7.0),
        ((18.0,), "not_evaluable", None),
        ((None, 18.0, None, 6.0, None), "recovered", 12.0),
    ],
)
def test_change_compares_the_first_valid_score_with_the_last(scores, category, improvement):
    row = client_change(ratings(*scores), episodes(), registry=REGISTRY).row(0, named=True)
    assert (row["category"], row["improvement"]) == (category, improvement)


def test_higher_is_better_turns_the_direction_of_improvement():
    row = client_change(ratings(15.0, 30.0, instrument="ORS"), episodes(), registry=REGISTRY).row(0, named=True)
    assert (row["category"], row["improvement"]) == ("recovered", 15.0)


def test_forms_outside_the_episode_do_not_count():
    before = ratings(27.0, 20.0, 10.0, first_day=-7)
    assert client_change(before, episodes(), registry=REGISTRY).row(0, named=True)["first_score"] == 20.0


def test_a_measure_without_a_threshold_is_not_evaluable():
    row = client_change(ratings(10.0, 15.0, instrument="CSI-4"), episodes(), registry=REGISTRY).row(0, named=True)
    assert (row["category"], row["reliable_change"]) == ("not_evaluable", None)


def many_ratings(clinicians: int, clients: int) -> pl.DataFrame:
    """Clinicians whose true levels rise by one point each; every client has four ratings around it."""
    rows = [
        (f"K{k:02}", f"C{k:02}-{c:02}", "SRS", s, 28.0 + k + (c % 5 - 2) + (s % 3 - 1) * 0.5, None, None, None, False)
        for k in range(clinicians)
        for c in range(clients)
        for s in range(1, 5)
    ]
    names = [
        "clinician_id",
        "client_id",
        "instrument",
        "session_number",
        "score",
        "bond_score",
        "goals_score",
        "tasks_score",
        "is_at_ceiling",
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(names), orient="row").cast(
        {"score": pl.Float64, "bond_score": pl.Float64, "goals_score": pl.Float64, "tasks_score": pl.Float64}
    )


def by_client(ratings: pl.DataFrame) -> pl.DataFrame:
    score = pl.col("score")
    parts = {part: pl.col(f"{part}_score").mean() for part in ("bond", "goals", "tasks")}
    return ratings.group_by("clinician_id", "instrument", "client_id").agg(
        n=pl.len().cast(pl.Int64),
        y=score.sum(),
        yy=(score**2).sum(),
        early=score.filter(pl.col("session_number") <= 3).mean(),
        **parts,
        at_ceiling=pl.col("is_at_ceiling").sum().cast(pl.Int64),
    )


def clinicians(count: int, site: str = "north") -> pl.DataFrame:
    return pl.DataFrame({"clinician_id": [f"K{k:02}" for k in range(count)], "site": site})


def test_a_level_is_drawn_toward_the_site_and_never_past_it():
    found = clinician_alliance(by_client(many_ratings(8, 12)), clinicians(8), minimum_clients=10, minimum_clinicians=3)
    for row in found.iter_rows(named=True):
        between = sorted((row["mean"], row["service_mean"]))
        assert between[0] - 1e-6 <= row["shrunken_mean"] <= between[1] + 1e-6
        assert row["low"] < row["shrunken_mean"] < row["high"]


def test_a_level_of_few_clients_is_too_few_to_speak_of():
    found = clinician_alliance(by_client(many_ratings(8, 4)), clinicians(8), minimum_clients=10, minimum_clinicians=3)
    assert set(found["certainty"]) == {"too_few"}


def test_one_clinician_is_compared_with_nobody():
    found = clinician_alliance(by_client(many_ratings(1, 12)), clinicians(1), minimum_clients=10, minimum_clinicians=3)
    assert found.select("shrunken_mean", "low", "high", "service_mean").row(0) == (None, None, None, None)


def test_a_clinicians_mean_weighs_clients_and_not_forms():
    forms = many_ratings(3, 12)
    one_client_more_often = pl.concat([forms, forms.filter(pl.col("client_id") == "C00-00")])
    found = clinician_alliance(
        by_client(one_client_more_often), clinicians(3), minimum_clients=10, minimum_clinicians=3
    )
    again = clinician_alliance(by_client(forms), clinicians(3), minimum_clients=10, minimum_clinicians=3)
    assert found["mean"].to_list() == again["mean"].to_list()


def test_no_ratings_make_an_empty_table():
    found = clinician_alliance(
        by_client(many_ratings(1, 1)).clear(), clinicians(1), minimum_clients=10, minimum_clinicians=3
    )
    assert found.is_empty()


def test_the_clinics_own_cancellations_are_counted_apart_from_the_clients():
    months = pl.DataFrame(
        {
            "clinician_id": ["K00", "K00"],
            "appointments": [10, 10],
            "attended": [6, 8],
            "did_not_attend": [2, 1],
            "cancelled_by_client": [1, 1],
            "cancelled_by_clinic": [1, 0],
            "sessions_with_alliance": [5, 6],
            "sessions_with_outcome": [6, 8],
        }
    )
    row = clinician_attendance(months, pl.DataFrame({"clinician_id": ["K00"], "cases": [7]}), clinicians(1)).row(
        0, named=True
    )
    assert (row["did_not_attend_rate"], row["clinic_cancelled_rate"]) == (3 / 20, 1 / 20)
    assert row["low"] < 3 / 20 < row["high"]
    assert (row["alliance_recorded"], row["outcome_recorded"]) == (11 / 14, 1.0)


def changes(per_clinician: int, *, count: int = 6) -> pl.DataFrame:
    rows = [
        {
            "client_id": f"C{k}-{c}",
            "clinician_id": f"K{k:02}",
            "site": "north",
            "instrument": "PHQ-9",
            "is_open": False,
            "reliable_change": 6.0,
            "first_score": 12.0 + c % 7,
            "last_score": 8.0,
            "improvement": 4.0 + c % 7 + (k % 3 - 1),
            "category": "recovered" if c % 3 == 0 else "unchanged",
            "is_reliably_improved": c % 3 == 0,
            "is_reliably_deteriorated": False,
        }
        for k in range(count)
        for c in range(per_clinician)
    ]
    return pl.DataFrame(rows)


def test_improvement_is_counted_among_the_evaluable_only():
    some_unfinished = changes(30).with_columns(
        last_score=pl.when(pl.int_range(pl.len()) % 2 == 0).then("last_score"),
        is_reliably_improved=pl.col("is_reliably_improved") & (pl.int_range(pl.len()) % 2 == 0),
    )
    found = clinician_progress(some_unfinished, minimum_clients=10)
    assert found["clients"].to_list() == [30] * 6
    assert found["evaluable"].to_list() == [15] * 6
    assert found["improved_rate"].to_list() == pytest.approx([5 / 15] * 6)


def test_open_episodes_are_not_counted_as_failures():
    found = clinician_progress(changes(30).with_columns(is_open=pl.lit(value=True)), minimum_clients=10)
    assert found.is_empty()


def test_few_evaluable_clients_are_judged_by_no_funnel():
    found = clinician_progress(changes(5), minimum_clients=10)
    assert set(found["funnel_rule"]) == {"too_few"}


def series(*scores: float | None) -> pl.DataFrame:
    steady = [30.0, 31.0, 29.0, 30.0, 31.0, 29.0, 30.0, 31.0]
    return pl.DataFrame(
        [
            {
                "client_id": client,
                "episode_id": f"E-{client}",
                "instrument": "SRS",
                "session_number": place,
                "clinician_id": "K1",
                "site": "north",
                "score": score,
            }
            for client, given in (("C1", scores), ("C2", steady), ("C3", steady), ("C4", steady))
            for place, score in enumerate(given, start=1)
        ]
    )


def states(sessions: pl.DataFrame, *, ended: list[str]) -> list[tuple[int, str]]:
    spread = {"SRS": pooled_within_sd(sessions.with_columns(alliance="score"))}
    found = ruptures(sessions, within_sds=spread, falls_by_sd=2.0, repaired_within_sessions=5, ended_episodes=ended)
    return found.filter(pl.col("client_id") == "C1").select("session_number", "state").rows()


def test_a_fall_that_is_made_good_is_repaired():
    assert states(series(30.0, 31.0, 30.0, 22.0, 30.0, 31.0), ended=[]) == [(4, "repaired")]


def test_a_fall_at_the_end_of_an_open_episode_cannot_be_judged_yet():
    assert states(series(30.0, 31.0, 30.0, 22.0), ended=[]) == [(4, "open")]


def test_a_fall_at_the_end_of_treatment_was_not_repaired():
    assert states(series(30.0, 31.0, 30.0, 22.0), ended=["E-C1"]) == [(4, "unrepaired")]


def test_a_skipped_form_neither_makes_nor_mends_a_fall():
    assert states(series(30.0, 31.0, None, 30.0, None, 30.0), ended=[]) == []
    assert states(series(30.0, 31.0, 30.0, 22.0, None, None), ended=["E-C1"]) == [(4, "open")]


def test_too_few_pairs_are_refused_in_words_at_every_level(repository):
    service = read_service(repository / "pipelines" / "examples" / "demo.toml")
    pairs = pl.DataFrame(
        schema={
            "client_id": pl.String,
            "case_id": pl.String,
            "episode_id": pl.String,
            "clinician_id": pl.String,
            "site": pl.String,
            "programme": pl.String,
            "session_number": pl.Int64,
            "alliance_instrument": pl.String,
            "outcome_instrument": pl.String,
            "alliance": pl.Float64,
            "outcome_first": pl.Float64,
            "outcome_now": pl.Float64,
            "outcome_next": pl.Float64,
            "next_session_number": pl.Int64,
        }
    )
    levels, links = alliance_levels_and_links(lambda _: [pairs], service=service)
    assert levels["level"].to_list() == list(vocabulary.LEVELS)
    assert set(levels["method"]) == {analysis.ANSWER}
    assert set(levels["certainty"]) == {"too_few"}
    assert all(sentence.startswith("Cannot tell") for sentence in levels["sentence"])
    assert levels["estimate"].null_count() == levels.height
    assert links.is_empty()
