from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.contracts.comparison import (
    ALLIANCE_INFORMATION,
    CLINICIAN_ALLIANCE_GROWTH,
    CLINICIAN_ALLIANCE_PARTS,
    CLINICIAN_WEAKEST_PART,
    SUBSCALES,
)
from assets.estimates.alliance_course import alliance_course
from assets.estimates.alliance_information import alliance_information_by_scope
from assets.service import read_service

SERVICE = read_service(Path(__file__).parents[3] / "pipelines" / "examples" / "three_sites.toml")


def ratings(*, gaps=None, clinicians=8, clients=15, seed=1):
    """WAI-SR forms of sessions 1 to 6; `gaps` lowers a part of one clinician's forms by so many points an answer."""
    draw = np.random.default_rng(seed)
    rows = []
    for k in range(clinicians):
        level = 16.0 + draw.normal(0.0, 0.5)
        for j in range(clients if k < clinicians - 1 else 4):
            own = level + draw.normal(0.0, 1.0)
            for session in range(1, 7):
                parts = [own + 0.5 * np.log(session) + draw.normal(0.0, 0.5) for _ in SUBSCALES]
                for part, gap in (gaps or {}).get(k, {}).items():
                    parts[SUBSCALES.index(part)] -= 4 * gap
                rows.append((f"K{k}", f"C{k}-{j}", session, *parts))
    frame = pl.DataFrame(rows, schema=["clinician_id", "client_id", "session_number", *SUBSCALES], orient="row")
    return frame.with_columns(score=pl.sum_horizontal(SUBSCALES))


def sums(rows):
    g, y, session = pl.col("session_number").log() / np.log(9), pl.col("score"), pl.col("session_number")
    found = {"n": pl.len(), "g": g.sum(), "gg": (g**2).sum(), "y": y.sum(), "yy": (y**2).sum(), "gy": (g * y).sum()}
    for phase, within in (("early", session <= 3), ("later", session > 3)):
        found |= {f"n_{phase}": within.sum(), f"y_{phase}": y.filter(within).sum()}
        found[f"yy_{phase}"] = (y**2).filter(within).sum()
    found["n_parts"] = pl.len()
    for i, one in enumerate(SUBSCALES):
        found[one] = pl.col(one).sum()
        found |= {f"{one}_{other}": (pl.col(one) * pl.col(other)).sum() for other in SUBSCALES[i:]}
    people = {name: pl.col("client_id").n_unique() for name in ("people", "people_parts")}
    for phase, within in (("early", session <= 3), ("later", session > 3)):
        people[f"people_{phase}"] = pl.col("client_id").filter(within).n_unique()
    grouped = rows.group_by("clinician_id", case_id=pl.col("client_id")).agg(**found, **people)
    return grouped.with_columns(instrument=pl.lit("WAI-SR"), site=pl.lit("north"))


def by_session(rows):
    grouped = rows.group_by("clinician_id", "session_number").agg(ratings=pl.len(), raw_mean=pl.col("score").mean())
    return grouped.with_columns(instrument=pl.lit("WAI-SR"))


def made(rows):
    return alliance_course(sums(rows), by_session(rows), service=SERVICE)


@pytest.fixture(scope="module")
def found():
    return made(ratings(gaps={0: {"goals": 0.8}, 1: {"tasks": 0.8}}))


def test_every_table_has_its_columns_and_the_order_of_its_keys(found):
    for table in (CLINICIAN_ALLIANCE_GROWTH, CLINICIAN_ALLIANCE_PARTS, CLINICIAN_WEAKEST_PART):
        frame = found[table.name]
        assert frame.columns == [column.name for column in table.columns]
        assert frame.equals(frame.sort(table.key))
        assert not frame.select(table.key).is_duplicated().any()


def test_early_and_later_alliance_are_kept_apart(found):
    parts = found[CLINICIAN_ALLIANCE_PARTS.name]
    means = {part: parts.filter(pl.col("part") == part)["site_mean"][0] for part in ("early", "later", "growth")}
    assert means["later"] - means["early"] == pytest.approx(
        1.5 * (np.log([4, 5, 6]).mean() - np.log([1, 2, 3]).mean()), abs=0.3
    )
    assert means["growth"] == pytest.approx(1.5 * np.log(10), abs=0.6)
    assert parts.filter(pl.col("part") == "early")["ratings"].to_list() == [45] * 7 + [12]


def test_a_part_is_named_weakest_where_it_clearly_is(found):
    weakest = found[CLINICIAN_WEAKEST_PART.name]
    assert weakest["weakest"].to_list()[:2] == ["goals", "tasks"]
    first = weakest.row(0, named=True)
    assert first["certainty"] == "clear"
    assert first["low"] < first["gap"] < first["high"] < 0
    assert first["sentence"].startswith("Weakest is goals, by 0.")


def test_where_parts_are_alike_none_is_named_and_few_clients_say_nothing(found):
    weakest = found[CLINICIAN_WEAKEST_PART.name]
    assert weakest["weakest"].to_list()[2:7].count("cannot_tell") >= 4
    few = weakest.row(7, named=True)
    assert (few["weakest"], few["gap"], few["certainty"]) == ("too_few", None, "too_few")


def test_where_all_parts_are_alike_hardly_anyone_s_is_named():
    named = [
        made(ratings(seed=seed))[CLINICIAN_WEAKEST_PART.name]["weakest"].is_in(SUBSCALES).sum() for seed in range(2, 5)
    ]
    assert sum(named) <= 2


def test_too_few_clients_have_no_figures(found):
    for table in (CLINICIAN_ALLIANCE_GROWTH, CLINICIAN_ALLIANCE_PARTS):
        few = found[table.name].filter(pl.col("clinician_id") == "K7")
        assert few.height > 0
        for name in {"estimate", "low", "difference", "difference_high", "site_mean"} & set(few.columns):
            assert few[name].null_count() == few.height
        assert few["certainty"].unique().to_list() == ["too_few"]


def test_a_plain_mean_of_few_ratings_is_not_given():
    rows = ratings()
    thin = rows.filter((pl.col("session_number") < 6) | (pl.col("client_id").str.ends_with("-0")))
    means = made(thin)[CLINICIAN_ALLIANCE_GROWTH.name].filter(pl.col("session_number") == 6)
    assert means["raw_mean"].null_count() == means.height


def test_partners_of_a_couple_count_as_two_clients_and_one_case():
    rows = ratings()
    both = (
        pl.concat([sums(rows), sums(rows)])
        .group_by("instrument", "site", "clinician_id", "case_id")
        .agg(pl.all().sum())
    )
    parts = alliance_course(both, by_session(rows), service=SERVICE)[CLINICIAN_ALLIANCE_PARTS.name]
    alone = made(rows)[CLINICIAN_ALLIANCE_PARTS.name]
    early = [each.filter(pl.col("part") == "early", pl.col("clinician_id") < "K7") for each in (parts, alone)]
    assert early[0]["clients"].to_list() == [2 * n for n in early[1]["clients"].to_list()]
    widths = [(each["high"] - each["low"]).to_numpy() for each in early]
    assert widths[0] == pytest.approx(widths[1], rel=0.15)


def test_every_session_has_a_row_even_where_nobody_rated_it():
    rows = ratings().filter(pl.col("session_number") != 4)
    growth = made(rows)[CLINICIAN_ALLIANCE_GROWTH.name]
    assert growth.group_by("clinician_id").len()["len"].unique().to_list() == [10]
    assert growth.filter(pl.col("session_number") == 4)["ratings"].unique().to_list() == [0]


def test_two_clinicians_are_not_compared():
    both = made(ratings(clinicians=2))
    assert both[CLINICIAN_ALLIANCE_PARTS.name]["estimate"].null_count() == both[CLINICIAN_ALLIANCE_PARTS.name].height
    weakest = both[CLINICIAN_WEAKEST_PART.name]
    assert weakest["weakest"].to_list() == ["cannot_tell"] * 2
    assert weakest["sentence"][0] == "Fewer than 3 clinicians have scores, so they are not compared."


def information(rows):
    y = pl.col("score")
    by_client = rows.group_by("clinician_id", "client_id").agg(
        n=pl.len(), y=y.sum(), yy=(y**2).sum(), lowest=y.min(), highest=y.max(), tops=(y >= 60).sum()
    )
    placed = by_client.with_columns(instrument=pl.lit("WAI-SR"), site=pl.lit("north"), programme=pl.lit("Adult"))
    return alliance_information_by_scope(placed, service=SERVICE)


def test_what_ratings_can_say_is_given_for_each_level_of_service_site_and_programme():
    told = information(ratings())
    assert told.columns == [column.name for column in ALLIANCE_INFORMATION.columns]
    assert told.height == 9
    assert told.null_count().sum_horizontal().item() == 0
    of_service = told.filter(pl.col("scope") == "service")
    assert of_service["variance_share"].sum() == pytest.approx(1.0, abs=1e-5)
    assert "of ratings are the best the form can give" in of_service["sentence"][0]


def test_few_clients_are_refused_in_words():
    told = information(ratings(clinicians=1))
    assert told["variance_share"].null_count() == told.height
    assert told["sentence"][0] == "Too few to say: 10 clients and 3 clinicians are asked."
