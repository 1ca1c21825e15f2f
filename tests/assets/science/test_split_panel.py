import numpy as np
import polars as pl
import pytest

from assets.science import split_panel as science
from assets.science.cross_products import together
from assets.science.link_sums import ROWS_TO_SPLIT, link_sums
from assets.science.multilevel import EstimateRefusedError
from assets.science.split_panel import COLUMNS, jackknife_error, link_model


def service(seed, *, clinicians=8, clients=20, sessions=8, feedback=-0.05, effect=-1.0):
    """A plain service: no trends of clients' own, alliance that reacts to the last outcome."""
    draw = np.random.default_rng(seed)
    size = clinicians * clients
    usual, level = draw.normal(4.0, 0.4, size), draw.normal(15.0, 3.0, size)
    shock = draw.normal(0.0, 2.0, size)
    first = outcome = level + shock
    parts = []
    for session in range(1, sessions + 1):
        within = feedback * shock + draw.normal(0.0, 0.4, size)
        shock = draw.normal(0.0, 2.0, size)
        following = level + effect * within + shock
        columns = {
            "outcome_now": outcome,
            "outcome_next": following,
            "outcome_first": first,
            "alliance": usual + within,
        }
        parts.append(
            pl.DataFrame({"number": np.arange(size), "session_number": np.full(size, float(session)), **columns})
        )
        outcome = following
    names = {"clinician": pl.format("K{}", pl.col("number") // clients), "client": pl.format("C{}", "number")}
    return pl.concat(parts).select("session_number", *columns, **names)


def split_panel(pairs):
    return science.split_panel(link_sums([pairs]).of_scope("service", "all"))


def test_the_three_parts_of_alliance_are_within_between_and_between():
    pairs = service(1, clinicians=2, clients=4)
    sums = link_sums([pairs]).of_scope("service", "all")
    everyone = np.arange(2)
    every = together([(sums.panel[part], everyone) for part in ("short", "long")], units=2)
    model = link_model(every)
    total = model.statistics.products.sum(axis=0)
    assert model.columns == COLUMNS
    assert sums.cells["clinician"].to_list() == ["K0", "K1"]
    for part in ("within_client", "between_client", "between_clinician"):
        assert total[0, COLUMNS.index(part)] == pytest.approx(0.0, abs=1e-9)


def test_the_jackknife_takes_off_most_of_the_look_ahead():
    still = [split_panel(service(seed, clinicians=10, clients=20, feedback=0.0)) for seed in range(2)]
    moved = [split_panel(service(seed, clinicians=10, clients=20)) for seed in range(2)]
    by_naive, by_published = (
        np.mean([getattr(b, part)[0] - getattr(a, part)[0] for a, b in zip(still, moved, strict=True)])
        for part in ("naive", "estimate")
    )
    assert by_naive > 0.1
    assert abs(by_published) < 0.8 * by_naive
    assert abs(np.mean([one.estimate[0] for one in still]) + 1.0) < 0.2


def test_every_estimate_has_an_error_of_the_size_that_the_rows_allow():
    found = split_panel(service(2))
    assert 0.02 < jackknife_error(found.without, found.estimate)[0] < 0.4
    assert (jackknife_error(found.naive_without, found.naive) > 0).all()


def test_the_jackknife_error_of_a_mean_is_the_textbook_s():
    values = np.array([1.0, 4.0, 6.0, 9.0])
    without = (values.sum() - values) / 3.0
    assert jackknife_error(without, values.mean()) == pytest.approx(values.std(ddof=1) / 2.0)


def test_clients_with_few_rows_are_not_split_and_their_clinicians_still_count():
    pairs = service(3)
    short = pairs.filter((pl.col("clinician") != "K7") | (pl.col("session_number") < ROWS_TO_SPLIT))
    found = split_panel(short)
    assert found.splittable_clients == 7 * 20
    assert found.clinicians.to_list() == [f"K{i}" for i in range(8)]
    assert np.isfinite(found.without).all()


def test_alliance_that_never_moves_within_clients_is_refused():
    with pytest.raises(EstimateRefusedError, match="within_client does not vary"):
        split_panel(service(4).with_columns(alliance=pl.col("alliance").mean().over("client")))


def test_no_client_with_rows_enough_is_refused():
    with pytest.raises(EstimateRefusedError, match="4 or more"):
        split_panel(service(5).filter(pl.col("session_number") <= 3))
