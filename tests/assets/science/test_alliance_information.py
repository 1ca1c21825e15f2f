import numpy as np
import polars as pl
import pytest

from assets.science.alliance_information import LEVELS, alliance_information
from assets.science.decomposition import variance_parts


def ratings(seed, *, clinicians=12, ceiling=5.0):
    """Variances 0.04 between clinicians, 0.16 between clients and 0.09 within, of scores cut off at a ceiling."""
    draw = np.random.default_rng(seed)
    rows = []
    for k in range(clinicians):
        clinician = 4.0 + draw.normal(0.0, 0.2)
        for j in range(30):
            own = clinician + draw.normal(0.0, 0.4)
            scores = np.minimum(own + draw.normal(0.0, 0.3, 5), ceiling)
            rows += [(f"K{k:02d}", f"C{k:02d}-{j}", float(score)) for score in scores]
    return pl.DataFrame(rows, schema=["clinician_id", "client_id", "alliance"], orient="row")


def sums(rows, *, ceiling=5.0):
    y = pl.col("alliance")
    return rows.group_by("clinician_id", "client_id").agg(
        n=pl.len(), y=y.sum(), yy=(y**2).sum(), lowest=y.min(), highest=y.max(), tops=(y == ceiling).sum()
    )


def test_shares_are_those_of_the_sums_of_squares_over_rows():
    rows = ratings(1)
    found = alliance_information(sums(rows), alpha=0.9)
    whole = variance_parts(rows).shares
    assert [found.variance_shares[level].estimate for level in LEVELS] == pytest.approx(whole)
    assert (found.clinicians, found.clients, found.ratings) == (12, 360, 1800)


def test_intervals_are_of_leaving_each_clinician_out():
    rows = ratings(2)
    found = alliance_information(sums(rows), alpha=0.9).variance_shares["between_client"]
    names = rows["clinician_id"].unique().sort()
    without = np.array([variance_parts(rows.filter(pl.col("clinician_id") != name)).shares[1] for name in names])
    error = np.sqrt((len(names) - 1) / len(names) * ((without - without.mean()) ** 2).sum())
    assert (found.high - found.low) / 2 == pytest.approx(2.200985 * error, rel=1e-5)


def test_shares_and_reliabilities_cover_the_truth():
    truth = dict(zip(LEVELS, np.array([0.09, 0.16, 0.04]) / 0.29, strict=True))
    real = {
        "within_client": 1.0 - 0.1 * 0.29 / 0.09,
        "between_client": 0.16 / (0.16 + 0.09 / 5),
        "between_clinician": 0.04 / (0.04 + 0.16 / 30 + 0.09 / 150),
    }
    covered = []
    for seed in range(30):
        found = alliance_information(sums(ratings(seed, ceiling=9.0), ceiling=9.0), alpha=0.9)
        for figures, expected in ((found.variance_shares, truth), (found.reliabilities, real)):
            covered += [figures[level].low <= expected[level] <= figures[level].high for level in LEVELS]
    assert np.mean(covered) > 0.85


def test_clients_rated_once_or_always_alike_say_nothing_of_change():
    rows = pl.DataFrame(
        {
            "clinician_id": ["K1"] * 6 + ["K2"] * 4,
            "client_id": ["a", "a", "b", "c", "c", "c", "d", "d", "e", "e"],
            "alliance": [4.0, 5.0, 5.0, 5.0, 5.0, 5.0, 3.0, 4.0, 2.0, 3.0],
        }
    )
    found = alliance_information(sums(rows), alpha=None)
    assert found.clients_without_information == 2
    assert found.without_information.estimate == pytest.approx(2 / 5)
    assert found.at_ceiling.estimate == pytest.approx(5 / 10)
    assert found.at_ceiling.low < 0.5 < found.at_ceiling.high
    assert not found.reliabilities["within_client"].is_told


def test_nothing_at_the_ceiling_still_has_an_interval():
    found = alliance_information(sums(ratings(3, ceiling=99.0), ceiling=99.0), alpha=0.9).at_ceiling
    assert (found.estimate, found.low) == (0.0, 0.0)
    assert 0.0 < found.high < 0.01


def test_one_clinician_gives_no_interval_and_so_no_figure():
    found = alliance_information(sums(ratings(4, clinicians=1)), alpha=0.9)
    assert not any(found.variance_shares[level].is_told for level in LEVELS)
