"""Parts of alliance, against sums by hand and exact expectations."""

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science.decomposition import (
    _unbounded_parts,
    alliance_parts,
    information,
    ratings_needed,
    reliability_of_mean,
    variance_parts,
)


def ratings_of(caseloads):
    """A list of clinicians, each a list of clients, each a list of ratings."""
    rows = [
        {"clinician_id": f"k{k}", "client_id": f"c{c}", "alliance": a}
        for k, clients in enumerate(caseloads)
        for c, ratings in enumerate(clients)
        for a in ratings
    ]
    return pl.DataFrame(rows, schema={"clinician_id": pl.String, "client_id": pl.String, "alliance": pl.Float64})


RATING = st.one_of(st.none(), st.integers(0, 20).map(lambda v: v / 4))
CASELOADS = st.lists(st.lists(st.lists(RATING, max_size=5), max_size=4), max_size=4)


def test_the_three_parts_of_a_rating_by_hand():
    got = alliance_parts(ratings_of([[[1.0, 3.0], [4.0, None]], [[7.0]]]))
    # Client means 2, 4, 7; clinician means 3, 7; the service's mean over clients 13/3.
    assert got["service_mean"].to_list() == pytest.approx([13 / 3] * 5)
    assert got["between_clinicians"].to_list() == pytest.approx([3 - 13 / 3] * 4 + [7 - 13 / 3])
    assert got["between_clients"].to_list() == pytest.approx([-1, -1, 1, 1, 0])
    assert got["within_client"].to_list() == [-1, 1, 0, None, 0]


@settings(max_examples=60)
@given(caseloads=CASELOADS)
def test_the_parts_add_up_to_the_rating_and_each_averages_to_nothing(caseloads):
    got = alliance_parts(ratings_of(caseloads))
    parts = ["service_mean", "between_clinicians", "between_clients", "within_client"]
    rated = got.filter(pl.col("alliance").is_not_null())
    assert rated.select(pl.sum_horizontal(parts)).to_series().to_list() == pytest.approx(rated["alliance"].to_list())
    clients = rated.group_by("clinician_id", "client_id").agg(
        pl.col("within_client").mean(), pl.col("between_clients", "between_clinicians").first()
    )
    assert clients["within_client"].to_list() == pytest.approx([0] * clients.height, abs=1e-9)
    within_clinicians = clients.group_by("clinician_id").agg(pl.col("between_clients").mean())
    assert within_clinicians["between_clients"].to_list() == pytest.approx([0] * within_clinicians.height, abs=1e-9)
    assert sum(clients["between_clinicians"]) == pytest.approx(0, abs=1e-9)


def test_a_client_without_a_rating_has_no_parts():
    got = alliance_parts(ratings_of([[[None], [3.0]]]))
    assert got["between_clients"].to_list() == [None, 0]
    assert got["service_mean"].to_list() == [None, 3]


def test_a_client_with_two_clinicians_has_two_alliances():
    got = alliance_parts(ratings_of([[[1.0, 1.0]], [[5.0, 5.0]]]))
    assert got["within_client"].to_list() == [0, 0, 0, 0]


DESIGNS = st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=4), min_size=2, max_size=4).filter(
    lambda design: any(n > 1 for sizes in design for n in sizes) and any(len(sizes) > 1 for sizes in design)
)


@settings(max_examples=25)
@given(design=DESIGNS)
def test_on_average_each_estimate_is_exactly_the_variance_it_is_of(design):
    # Each estimate is a quadratic form y'Qy, found from unit vectors; its expectation under covariance V is trace(QV).
    owner = [(k, c) for k, sizes in enumerate(design) for c, n in enumerate(sizes) for _ in range(n)]
    size = len(owner)
    frame = pl.DataFrame({"clinician_id": [k for k, _ in owner], "client_id": [c for _, c in owner]})

    def estimates(y):
        return np.array(list(_unbounded_parts(frame.with_columns(alliance=pl.Series(y))).values()), dtype=float)

    unit = np.eye(size)
    single = np.array([estimates(unit[i]) for i in range(size)])
    same_client = np.array([[a == b for b in owner] for a in owner])
    same_clinician = np.array([[a[0] == b[0] for b in owner] for a in owner])
    covariance = 2.0 * unit + 3.0 * same_client + 5.0 * same_clinician
    expected = single.T @ np.diag(covariance)
    for i in range(size):
        for j in range(i):
            if covariance[i, j]:
                pair = (estimates(unit[i] + unit[j]) - single[i] - single[j]) * covariance[i, j]
                expected += pair
    assert expected == pytest.approx(np.array([2.0, 3.0, 5.0]))


def test_variances_of_a_balanced_design_by_hand():
    got = variance_parts(ratings_of([[[1.0, 3.0], [5.0, 7.0]], [[11.0, 13.0], [15.0, 17.0]]]))
    # Within: 2. Client means differ by 4 in each clinician: variance 8, less 2/2. Clinicians 4 and 14: 50, less 8/2.
    assert (got.within_client, got.between_clients, got.between_clinicians) == pytest.approx((2.0, 7.0, 46.0))
    assert got.shares == pytest.approx((2 / 55, 7 / 55, 46 / 55))
    assert (got.ratings, got.clients, got.clinicians) == (8, 4, 2)


def test_an_estimate_below_nothing_is_given_as_nothing():
    got = variance_parts(ratings_of([[[1.0, 9.0], [1.0, 9.0]], [[1.0, 9.0], [1.0, 9.0]]]))
    assert (got.between_clients, got.between_clinicians) == (0.0, 0.0)
    assert got.shares == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("caseloads", "known"),
    [
        ([], (False, False, False)),
        ([[[1.0], [2.0]], [[3.0]]], (False, False, False)),
        ([[[1.0, 2.0]], [[3.0]]], (True, False, False)),
        ([[[1.0, 2.0], [3.0]]], (True, True, False)),
        ([[[1.0, 2.0], [3.0]], [[4.0]]], (True, True, True)),
    ],
)
def test_a_level_that_is_not_repeated_has_no_variance(caseloads, known):
    got = variance_parts(ratings_of(caseloads))
    assert tuple(part is not None for part in (got.within_client, got.between_clients, got.between_clinicians)) == known
    assert (got.shares is not None) is all(known)


def test_where_nothing_differs_there_are_no_shares():
    assert variance_parts(ratings_of([[[2.0, 2.0], [2.0]], [[2.0]]])).shares is None


@settings(max_examples=40)
@given(caseloads=CASELOADS, shift=st.integers(-5, 5))
def test_shifting_an_instrument_changes_no_variance(caseloads, shift):
    ratings = ratings_of(caseloads)
    before, after = variance_parts(ratings), variance_parts(ratings.with_columns(pl.col("alliance") + shift))
    for name in ("within_client", "between_clients", "between_clinicians"):
        one, other = getattr(before, name), getattr(after, name)
        assert (one is None) == (other is None)
        assert (one or 0) == pytest.approx(other or 0, abs=1e-7)


def test_reliability_grows_with_ratings_as_spearman_and_brown_say():
    assert reliability_of_mean(between=1, within=1, ratings=1) == 0.5
    assert reliability_of_mean(between=1, within=1, ratings=9) == pytest.approx(0.9)
    assert reliability_of_mean(between=0, within=1, ratings=9) == 0
    assert reliability_of_mean(between=1, within=0, ratings=1) == 1


@pytest.mark.parametrize(("within", "wanted", "ratings"), [(1, 0.9, 9), (1, 0.91, 11), (1, 0.5, 1), (0, 0.9, 1)])
def test_ratings_needed_is_the_first_number_that_reaches_the_reliability(within, wanted, ratings):
    assert ratings_needed(between=1, within=within, reliability=wanted) == ratings


@given(between=st.floats(0.01, 10), within=st.floats(0.01, 10), wanted=st.floats(0.05, 0.95))
def test_the_number_needed_reaches_and_one_fewer_does_not(between, within, wanted):
    needed = ratings_needed(between=between, within=within, reliability=wanted)
    assert reliability_of_mean(between=between, within=within, ratings=needed) >= wanted - 1e-6
    if needed > 1:
        assert reliability_of_mean(between=between, within=within, ratings=needed - 1) < wanted


def test_where_clients_do_not_differ_no_number_of_ratings_would_do():
    assert ratings_needed(between=0, within=1, reliability=0.8) is None


@pytest.mark.parametrize(
    "wrong",
    [{"between": -1}, {"within": -1}, {"between": 0, "within": 0}, {"ratings": 0}],
)
def test_impossible_variances_have_no_reliability(wrong):
    with pytest.raises(ValueError, match="variances"):
        reliability_of_mean(**({"between": 1, "within": 1, "ratings": 1} | wrong))


@pytest.mark.parametrize("wrong", [{"between": -1}, {"within": -1}, {"reliability": 0}, {"reliability": 1}])
def test_impossible_reliabilities_need_no_ratings(wrong):
    with pytest.raises(ValueError, match="reliability"):
        ratings_needed(**({"between": 1, "within": 1, "reliability": 0.8} | wrong))


def test_ceilings_and_clients_without_information_are_counted():
    got = information(ratings_of([[[5.0, 5.0], [5.0], [4.0, 5.0], [3.0, 3.0, None]], [[None]]]), ceiling=5.0)
    assert got.rows(named=True) == [
        {
            "clinician_id": "k0",
            "ratings": 7,
            "at_ceiling": 4,
            "share_at_ceiling": 4 / 7,
            "clients": 4,
            "clients_once": 1,
            "clients_unvarying": 2,
            "share_without_information": 0.75,
        }
    ]


def test_a_rating_at_the_ceiling_is_allowed_and_one_above_is_another_form():
    assert information(ratings_of([[[5.0]]]), ceiling=5.0)["at_ceiling"].to_list() == [1]
    with pytest.raises(ValueError, match="above the ceiling"):
        information(ratings_of([[[math.nextafter(5.0, 6)]]]), ceiling=5.0)
