import numpy as np
import polars as pl
import pytest

from assets.science.clinician_effects import clinician_effects, clinician_levels


def ratings(seed, *, clinicians=15, clients=12, spread=0.5):
    draw = np.random.default_rng(seed)
    level = 4.0 + draw.normal(0.0, spread, clinicians)
    rows = []
    for k in range(clinicians):
        for j in range(int(draw.integers(4, clients + 1))):
            own = level[k] + draw.normal(0.0, 0.6)
            rows += [(f"K{k:02d}", f"C{k:02d}-{j}", own + draw.normal(0.0, 0.4)) for _ in range(draw.integers(1, 7))]
    return pl.DataFrame(rows, schema=["clinician_id", "client_id", "score"], orient="row"), level


def sums(rows):
    score = pl.col("score")
    return rows.group_by("clinician_id", "client_id").agg(n=pl.len(), y=score.sum(), yy=(score**2).sum())


def levels(rows):
    return clinician_levels(sums(rows), minimum_clinicians=3, are_clients_held=True, seed=1)


@pytest.mark.parametrize(("are_clients_held", "within"), [(True, 0.03), (False, 2e-6)])
def test_sums_give_what_rows_give(are_clients_held, within):
    rows, _ = ratings(1)
    by_row = clinician_effects(rows, score="score", predictors=(), client="client_id", minimum_clinicians=3, seed=1)
    found = clinician_levels(sums(rows), minimum_clinicians=3, are_clients_held=are_clients_held, seed=1)
    assert found.service == pytest.approx(by_row.service, abs=within)
    assert found.clinicians["clinician_id"].to_list() == by_row.clinicians["clinician_id"].to_list()
    for name in ("estimate", "low", "high", "difference", "difference_low", "difference_high", "probability_above"):
        assert found.clinicians[name].to_numpy() == pytest.approx(by_row.clinicians[name].to_numpy(), abs=within)


def test_levels_and_differences_are_covered():
    covered, apart = [], []
    for seed in range(8):
        rows, level = ratings(seed)
        found = levels(rows).clinicians
        covered.append(np.mean((found["low"].to_numpy() <= level) & (level <= found["high"].to_numpy())))
        beyond = level - 4.0
        inside = (found["difference_low"].to_numpy() <= beyond) & (beyond <= found["difference_high"].to_numpy())
        apart.append(np.mean(inside))
    assert np.mean(covered) > 0.9
    assert np.mean(apart) > 0.9


def test_a_difference_is_less_sure_than_a_level_since_the_site_s_mean_is_uncertain_too():
    found = levels(ratings(2)[0]).clinicians
    assert ((found["difference_high"] - found["difference_low"]) > (found["high"] - found["low"])).all()


def test_shifting_every_score_shifts_levels_and_leaves_differences():
    rows, _ = ratings(3)
    found, moved = levels(rows).clinicians, levels(rows.with_columns(pl.col("score") + 1000.0)).clinicians
    assert (moved["estimate"] - found["estimate"]).to_numpy() == pytest.approx(1000.0, abs=1e-3)
    assert moved["difference"].to_numpy() == pytest.approx(found["difference"].to_numpy(), abs=1e-3)


def test_thin_data_are_refused_in_words():
    rows, _ = ratings(4, clinicians=2)
    assert levels(rows).refusal == "Fewer than 3 clinicians have scores, so they are not compared."
    once = levels(ratings(4)[0].unique("client_id", keep="first", maintain_order=True))
    assert once.refusal == "Every client has one row, so clients cannot be told from chance."
    assert once.clinicians.is_empty()


def test_scores_that_never_differ_are_refused_in_words():
    rows, _ = ratings(4)
    still = rows.with_columns(score=pl.lit(4.0))
    found = clinician_effects(still, score="score", predictors=(), client="client_id", minimum_clinicians=3, seed=1)
    assert found.refusal
    assert found.clinicians.is_empty()
