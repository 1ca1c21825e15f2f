from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assets.contracts.comparison import CLINICIAN_ADJUSTED_PROGRESS, VARIANCE_SHARES
from assets.estimates.adjusted_progress import adjusted_progress_and_shares, usable_casemix
from assets.service import read_service

SERVICE = read_service(Path(__file__).parents[3] / "pipelines" / "examples" / "three_sites.toml")


def episodes(*, clinicians=12, each=20, seed=1):
    """The first clinician's clients do 6 points better; the last clinician has few; a tenth have no last score."""
    draw = np.random.default_rng(seed)
    clinician = np.repeat(np.arange(clinicians), [each] * (clinicians - 1) + [6])
    size = len(clinician)
    first = draw.normal(16.0, 4.0, size)
    last = first - 4.0 - 6.0 * (clinician == 0) + draw.normal(0.0, 3.0, size)
    return pl.DataFrame(
        {
            "instrument": "PHQ-9",
            "client_id": [f"C{n}" for n in range(size)],
            "case_id": [f"C{n}" for n in range(size)],
            "clinician_id": [f"K{k:02d}" for k in clinician],
            "site": ["north" if k % 2 else "harbour" for k in clinician],
            "programme": ["Adult" if k < clinicians - 1 else None for k in clinician],
            "first_score": first,
            "last_score": [None if n % 10 == 9 else score for n, score in enumerate(last)],
            "problem": np.where(draw.random(size) < 0.5, "anxiety", "low mood"),
            "deprivation_decile": draw.integers(1, 11, size),
            "age_band": "30-39",
            "gender": pl.Series([None] * size, dtype=pl.String),
        }
    )


def made(rows):
    return adjusted_progress_and_shares(rows, service=SERVICE)


@pytest.fixture(scope="module")
def found():
    return made(episodes())


def test_each_clinician_has_a_row_in_the_order_of_names_with_its_counts(found):
    people = found[CLINICIAN_ADJUSTED_PROGRESS.name]
    assert people.columns == [column.name for column in CLINICIAN_ADJUSTED_PROGRESS.columns]
    assert people["clinician_id"].to_list() == [f"K{k:02d}" for k in range(12)]
    assert people["clients"].to_list() == [20] * 11 + [6]
    assert people["evaluable"].to_list() == [18] * 11 + [6]
    assert people["evaluable_share"].to_list() == [0.9] * 11 + [1.0]


def test_who_does_better_is_flagged_and_said_to_with_the_interval(found):
    best = found[CLINICIAN_ADJUSTED_PROGRESS.name].row(0, named=True)
    assert best["low"] > 2.0
    assert best["is_flagged"]
    assert best["certainty"] == "clear"
    assert best["probability_better_by_margin"] > 0.99
    said = f"Clearly more progress than clients alike usually make at the site: {best['estimate']:+.1f} points "
    assert best["sentence"] == f"{said}(95% interval {best['low']:.1f} to {best['high']:.1f})."


def test_the_margin_is_a_fifth_of_the_spread_of_first_scores(found):
    rows = episodes()
    assert found[CLINICIAN_ADJUSTED_PROGRESS.name]["margin"][0] == pytest.approx(
        rows["first_score"].std() / 5, abs=1e-5
    )


def test_few_clients_have_no_figures_but_a_sentence(found):
    few = found[CLINICIAN_ADJUSTED_PROGRESS.name].row(11, named=True)
    figures = ("estimate", "low", "high", "probability_better", "q_value", "raw_difference", "limit_high_95")
    assert [few[name] for name in figures] == [None] * len(figures)
    assert (few["certainty"], few["funnel_rule"], few["is_flagged"]) == ("too_few", "too_few", False)
    assert few["sentence"].startswith("Too few to say: fewer than 10 clients")


def test_what_was_and_was_not_adjusted_for_is_said(found):
    people = found[CLINICIAN_ADJUSTED_PROGRESS.name]
    assert people["adjusted_for"].unique().to_list() == ["first_score, problem, deprivation_decile"]
    assert people["not_adjusted_for"].unique().to_list() == ["age_band (alike for everyone), gender (not sent)"]


def test_a_column_that_repeats_others_is_named():
    rows = episodes().with_columns(gender=pl.col("problem"))
    assert usable_casemix(rows) == (("problem", "deprivation_decile", "gender"), ("age_band (alike for everyone)",))
    people = made(rows)[CLINICIAN_ADJUSTED_PROGRESS.name]
    assert people["not_adjusted_for"][0].endswith("(a repeat of others)")


def test_shares_are_given_for_the_service_its_sites_and_programmes(found):
    shares = found[VARIANCE_SHARES.name].filter(pl.col("instrument") == "PHQ-9")
    assert shares.columns == [column.name for column in VARIANCE_SHARES.columns]
    places = [("service", "all"), ("site", "harbour"), ("site", "north"), ("programme", "Adult")]
    assert shares.select("scope", "scope_name").rows() == places
    assert (shares["low"] <= shares["share"]).all()
    assert (shares["share"] <= shares["high"]).all()
    first = shares.row(0, named=True)
    assert (
        f"{first['share']:.0%} (95% interval {first['low']:.0%} to {first['high']:.0%}) lie between clin"
        in first["sentence"]
    )


def test_thin_data_are_refused_in_words_and_clinicians_keep_their_rows():
    both = made(episodes(clinicians=2))
    people, shares = both[CLINICIAN_ADJUSTED_PROGRESS.name], both[VARIANCE_SHARES.name]
    assert people.height == 2
    assert people["estimate"].null_count() == 2
    assert people["sentence"].unique().to_list() == ["Cannot tell: 2 clinicians have such episodes; 3 are asked."]
    assert people["certainty"].to_list() == ["cannot_tell", "too_few"]
    phq = shares.filter(pl.col("instrument") == "PHQ-9")
    assert phq["share"].null_count() == phq.height
    assert set(phq["certainty"]) == {"too_few"}


def test_no_episodes_give_no_clinicians():
    assert made(episodes().clear())[CLINICIAN_ADJUSTED_PROGRESS.name].is_empty()
