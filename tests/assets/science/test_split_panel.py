import numpy as np
import polars as pl
import pytest

from assets.science.multilevel import EstimateRefusedError
from assets.science.split_panel import COLUMNS, ROWS_TO_SPLIT, extrapolation, link_model, persistence, split_panel


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


def test_the_three_parts_of_alliance_are_within_between_and_between():
    pairs = service(1, clinicians=2, clients=4)
    model, clinicians = link_model(pairs)
    total = model.statistics.products.sum(axis=0)
    assert model.columns == COLUMNS
    assert clinicians.to_list() == ["K0", "K1"]
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
    assert all(np.allclose(one.shift, one.estimate - one.naive) for one in moved)


def test_every_estimate_has_an_error_of_the_size_that_the_rows_allow():
    found = split_panel(service(2))
    assert 0.02 < found.standard_error[0] < 0.4
    assert (found.naive_standard_error > 0).all()
    assert (found.shift_standard_error > 0).all()


def test_clients_with_few_rows_are_not_split_and_their_clinicians_still_count():
    pairs = service(3)
    short = pairs.filter((pl.col("clinician") != "K7") | (pl.col("session_number") < ROWS_TO_SPLIT))
    found = split_panel(short)
    assert found.splittable_clients == 7 * 20
    assert found.clinicians.to_list() == [f"K{i}" for i in range(8)]
    assert np.isfinite(found.standard_error).all()


def test_alliance_that_never_moves_within_clients_is_refused():
    with pytest.raises(EstimateRefusedError, match="within_client does not vary"):
        split_panel(service(4).with_columns(alliance=pl.col("alliance").mean().over("client")))


def test_no_client_with_rows_enough_is_refused():
    with pytest.raises(EstimateRefusedError, match="4 or more"):
        split_panel(service(5).filter(pl.col("session_number") <= 3))


def walk(rho, *, seed=1, clients=400, sessions=8):
    draw = np.random.default_rng(seed)
    level = draw.normal(size=clients)
    parts = []
    for session in range(sessions):
        level = rho * level + draw.normal(0.0, np.sqrt(1.0 - rho**2), clients)
        parts.append(pl.DataFrame({"client": np.arange(clients), "session_number": session, "alliance": level + 4.0}))
    places = {"of": pl.lit(sessions), "place": pl.col("session_number"), "clinician": pl.lit("K")}
    return pl.concat(parts).with_columns(**places)


@pytest.mark.parametrize("rho", [0.0, 0.3, 0.6])
def test_persistence_is_found_from_differences_however_few_the_sessions(rho):
    assert persistence(walk(rho)) == pytest.approx(rho, abs=0.08)
    assert persistence(walk(rho, sessions=3, clients=3000)) == pytest.approx(rho, abs=0.12)


def test_persistence_is_nought_where_nothing_can_be_seen():
    assert persistence(walk(0.3, sessions=2)) == 0.0
    assert persistence(walk(0.3).with_columns(alliance=pl.lit(4.0))) == 0.0


def test_with_many_sessions_the_extrapolation_is_one_step():
    assert extrapolation(walk(0.2, sessions=40)) == pytest.approx(1.0, abs=0.03)
    assert extrapolation(walk(0.6, sessions=6)) > extrapolation(walk(0.6, sessions=40))


def test_alliance_that_never_moves_is_extrapolated_as_if_with_many_sessions():
    assert extrapolation(walk(0.3).with_columns(alliance=pl.lit(4.0))) == 1.0
