import polars as pl
import pytest

from assets.contracts.couples import COUPLE_ALLIANCE, COUPLE_CLINICIANS, COUPLE_VARIANCE
from assets.estimates.couples import couple_alliance, couple_clinicians_and_variance
from assets.feeds.couple_process import CoupleParameters, simulate_couples


def clinic(**settings):
    parameters = CoupleParameters(**{"clinicians": 6, "cases": 14, "sessions": 5, "clinician_sd": 3.0, **settings})
    drawn = simulate_couples(parameters, seed=4)
    ratings = drawn.ratings.drop("case_id").with_columns(instrument=pl.lit("SRS"))
    sessions = drawn.ratings.select("episode_id", "session_number", "case_id", "clinician_id").unique()
    described = {"site": "couples", "programme": "Couples", "clients": 2}
    clinicians = ratings.select("clinician_id").unique().with_columns(site=pl.lit("couples"))
    return ratings, sessions.with_columns(**{k: pl.lit(v) for k, v in described.items()}), clinicians, drawn


def told(ratings, sessions, clinicians, *, minimum_clients=10, minimum_clinicians=3):
    of_sessions = couple_alliance(ratings, sessions)
    found = couple_clinicians_and_variance(
        of_sessions,
        ratings,
        clinicians,
        minimum_clients=minimum_clients,
        minimum_clinicians=minimum_clinicians,
    )
    return of_sessions, *found


@pytest.fixture(scope="module")
def made():
    ratings, sessions, clinicians, drawn = clinic()
    return *told(ratings, sessions, clinicians), drawn


def test_every_promised_column_of_the_three_tables_stands(made):
    for frame, table in zip(made[:3], (COUPLE_ALLIANCE, COUPLE_CLINICIANS, COUPLE_VARIANCE), strict=True):
        assert {column.name for column in table.columns} <= set(frame.columns)
        assert not frame.select(pl.struct(table.key).is_duplicated().any()).item()


def test_every_clinician_has_four_figures_each_with_its_interval(made):
    of_clinicians = made[1]
    assert of_clinicians.group_by("clinician_id").len()["len"].to_list() == [4] * 6
    assert (of_clinicians["estimate_low"] < of_clinicians["estimate"]).all()
    assert (of_clinicians["estimate"] < of_clinicians["estimate_high"]).all()


def test_the_levels_of_clinicians_are_those_they_were_given(made):
    own = made[1].filter(pl.col("aspect") == "own")
    truth = made[3].clinician_level
    for row in own.iter_rows(named=True):
        assert row["estimate_low"] - 0.5 < truth[row["clinician_id"]] < row["estimate_high"] + 0.5


def test_sentences_say_how_sure_and_never_who_is_best(made):
    for row in made[1].iter_rows(named=True):
        sure = {"clear": "clearly", "likely": "probably", "cannot_tell": "cannot be told"}[row["certainty"]]
        assert sure in row["sentence"]
        assert "best" not in row["sentence"]


def test_where_the_alliance_differs_adds_up(made):
    variance = made[2]
    assert variance["share"].sum() == pytest.approx(1.0, abs=1e-5)
    assert (variance["share_low"] <= variance["share"]).all()
    assert variance["sentence"].str.contains("in 100 lie").all()


def test_a_clinician_of_few_cases_has_no_figure():
    ratings, sessions, clinicians, _ = clinic()
    _, of_clinicians, _ = told(ratings, sessions, clinicians, minimum_clients=15)
    assert set(of_clinicians["certainty"]) == {"too_few"}
    assert of_clinicians["estimate"].null_count() == of_clinicians["raw_mean"].null_count() == of_clinicians.height
    assert of_clinicians["sentence"].str.starts_with("Too few couples").all()


def test_few_clinicians_are_described_and_not_compared():
    ratings, sessions, clinicians, _ = clinic(clinicians=2)
    _, of_clinicians, variance = told(ratings, sessions, clinicians)
    assert of_clinicians["estimate"].null_count() == of_clinicians.height == 8
    assert variance["share"].null_count() == variance.height == 4
    assert variance["sentence"].str.starts_with("Fewer than 3 clinicians").all()


def test_a_service_without_couples_has_three_empty_tables():
    ratings, sessions, clinicians, _ = clinic()
    for frame in told(ratings.clear(), sessions.clear(), clinicians):
        assert frame.is_empty()


def test_sessions_only_one_attended_to_on_paper_stand_with_one_rater(made):
    alone = made[0].filter(pl.col("raters") == 1)
    assert alone.height > 0
    assert alone.select(pl.col("mean", "lowest", "difference", "is_split").null_count()).row(0) == (alone.height,) * 4
