from pathlib import Path

import polars as pl
import pytest

from assets.contracts.comparison import CLIENT_TRACKS, EXPECTED_PROGRESS
from assets.estimates.expected import expected_progress_and_tracks
from assets.feeds.clinic_process import ClinicParameters, simulate
from assets.service import read_service

SHARES = ("share_behind", "share_well_behind")
SERVICE = read_service(Path(__file__).parents[3] / "pipelines" / "examples" / "three_sites.toml")


def scores(clients, *, seed=1):
    """Every scored session but each client's first, of simulated courses measured with the PHQ-9."""
    drawn = simulate(ClinicParameters(clinicians=10, clients=clients), seed=seed).sessions.drop_nulls("outcome")
    rows = drawn.sort("client", "session").select(
        instrument=pl.lit("PHQ-9"),
        client_id=pl.format("C{}", "client"),
        episode_id=pl.format("E{}", "client"),
        session_number=pl.col("session") + 1,
        score=pl.col("outcome"),
        first_score=pl.col("outcome").first().over("client"),
    )
    return rows.filter(pl.col("session_number") > pl.col("session_number").min().over("client_id"))


def latest(*rows):
    columns = ["client_id", "session_number", "score", "first_score"]
    return pl.DataFrame(
        rows, schema=dict(zip(columns, (pl.String, pl.Int64, pl.Float64, pl.Float64), strict=True)), orient="row"
    ).with_columns(
        instrument=pl.lit("PHQ-9"),
        case_id=pl.col("client_id"),
        episode_id=pl.col("client_id"),
        clinician_id=pl.lit("K1"),
        site=pl.lit("north"),
        programme=pl.lit("Adult"),
    )


def made(closed, *rows):
    found = expected_progress_and_tracks(closed, latest(*rows), service=SERVICE)
    return found[EXPECTED_PROGRESS.name].filter(pl.col("instrument") == "PHQ-9"), found[CLIENT_TRACKS.name]


@pytest.fixture(scope="module")
def found():
    return made(scores(600), ("a", 6, 25.0, 16.0), ("b", 6, 6.0, 16.0), ("c", 1, 16.0, 16.0), ("d", 30, 27.0, 16.0))


def test_bands_are_drawn_for_four_groups_from_the_second_session(found):
    bands, _ = found
    assert bands.columns == [column.name for column in EXPECTED_PROGRESS.columns]
    assert bands["baseline_group"].unique().to_list() == [1, 2, 3, 4]
    assert bands["session_number"].unique().to_list() == list(range(2, 21))
    assert (bands["expected"] < bands["behind_limit"]).all()
    assert (bands["behind_limit"] < bands["well_behind_limit"]).all()
    edges = bands.unique("baseline_group", maintain_order=True).select("first_from", "first_mean", "first_to")
    assert (edges["first_to"].head(3).to_numpy() < edges["first_from"].tail(3).to_numpy()).all()
    assert edges["first_mean"].is_sorted()
    assert bands["sentence"][0] == f"Expected progress is learnt from {bands['closed_episodes'][0]} closed episodes."


def test_a_fifth_and_a_tenth_of_the_closed_episodes_scores_lie_beyond_in_every_group(found):
    bands, _ = found
    told = bands.drop_nulls("share_behind")
    weighted = [((pl.col(name) * pl.col("scores")).sum() / pl.col("scores").sum()).alias(name) for name in SHARES]
    by_group = told.group_by("baseline_group").agg(weighted)
    assert by_group["share_behind"].to_numpy() == pytest.approx(0.2, abs=0.05)
    assert by_group["share_well_behind"].to_numpy() == pytest.approx(0.1, abs=0.04)


def test_shares_of_few_scores_are_not_given(found):
    bands, _ = found
    few = bands.filter(pl.col("scores") < 10)
    assert few.height > 0
    assert few["share_behind"].null_count() == few.height
    assert few["share_well_behind"].null_count() == few.height


def test_open_episodes_stand_where_their_latest_score_puts_them(found):
    _, tracks = found
    assert tracks.columns == [column.name for column in CLIENT_TRACKS.columns]
    assert dict(tracks.select("client_id", "standing").rows()) == {
        "a": "well_behind",
        "b": "on_track",
        "c": "cannot_tell",
        "d": "well_behind",
    }
    assert tracks["basis"].unique().to_list() == ["growth_model"]
    untold = tracks.filter(pl.col("standing") == "cannot_tell")
    assert untold.select("expected", "behind_limit", "well_behind_limit").null_count().row(0) == (1, 1, 1)


def test_no_band_lies_where_the_measure_has_no_score(found):
    bands, _ = found
    assert bands["expected"].is_between(0, 27).all()
    assert bands["well_behind_limit"].is_between(0, 27).all()


def test_few_closed_episodes_leave_reliable_deterioration_and_say_so():
    bands, tracks = made(scores(150), ("a", 6, 22.0, 16.0), ("b", 6, 21.0, 16.0))
    assert bands["basis"].unique().to_list() == ["reliable_deterioration"]
    assert bands["baseline_group"].unique().to_list() == [1]
    assert bands["expected"].null_count() == bands.height
    assert bands["behind_limit"].null_count() == bands.height
    assert bands["well_behind_limit"][0] == pytest.approx(bands["first_mean"][0] + 6.0)
    assert "only reliable deterioration is marked" in bands["sentence"][0]
    assert tracks["standing"].to_list() == ["well_behind", "cannot_tell"]


def test_hardly_any_closed_episodes_show_no_group():
    bands, tracks = made(scores(5), ("a", 6, 22.0, 16.0))
    assert bands.is_empty()
    assert tracks["standing"].to_list() == ["well_behind"]


def test_a_measure_where_higher_is_better_is_judged_the_other_way():
    turned = scores(400).with_columns((40 - pl.col("score", "first_score")).name.keep(), instrument=pl.lit("ORS"))
    rows = latest(("a", 6, 10.0, 24.0), ("b", 6, 34.0, 24.0)).with_columns(instrument=pl.lit("ORS"))
    found = expected_progress_and_tracks(turned, rows, service=SERVICE)
    bands = found[EXPECTED_PROGRESS.name]
    assert (bands["well_behind_limit"] < bands["behind_limit"]).all()
    assert (bands["behind_limit"] < bands["expected"]).all()
    assert found[CLIENT_TRACKS.name]["standing"].to_list() == ["well_behind", "on_track"]
