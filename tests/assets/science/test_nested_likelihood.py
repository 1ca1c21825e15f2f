import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.science.multilevel import NestedModel, independent_columns
from assets.science.nested_likelihood import (
    Level,
    factors,
    gradient,
    has_client_intercept,
    parameter_bounds,
    profile,
    sweep,
    triangle,
)
from assets.science.sufficient_statistics import compressed_products, unit_products


def clinic(seed, *, clinicians=6, sites=2, columns=3):
    """Rows of clients within clinicians within sites: the design with an intercept, and who each row belongs to."""
    draw = np.random.default_rng(seed)
    clients = clinicians * 4
    rows = np.repeat(np.arange(clients), draw.integers(1, 5, clients))
    clinician, site = rows // 4, (rows // 4) * sites // clinicians
    design = np.column_stack([np.ones(len(rows)), draw.normal(size=(len(rows), columns))])
    return design, rows, clinician, site


def by_the_definition(design, groups, covariances, *, method):
    """Minus twice the log likelihood from the whole whole, with sigma profiled out: slow and obvious."""
    fixed, y = design[:, :-1], design[:, -1]
    whole = np.eye(len(y))
    for unit, columns, ratio in zip(*groups, covariances, strict=True):
        same = unit[:, None] == unit[None, :]
        whole += same * (fixed[:, columns] @ ratio @ fixed[:, columns].T)
    inverse = np.linalg.inv(whole)
    within = fixed.T @ inverse @ fixed
    beta = np.linalg.solve(within, fixed.T @ inverse @ y)
    squares = (y - fixed @ beta) @ inverse @ (y - fixed @ beta)
    freedom = len(y) - fixed.shape[1] if method == "REML" else len(y)
    value = np.linalg.slogdet(whole)[1] + freedom * (1 + np.log(2 * np.pi * squares / freedom))
    return value + (np.linalg.slogdet(within)[1] if method == "REML" else 0.0), beta


def three_levels(seed, client=(0,)):
    design, rows, clinician, site = clinic(seed)
    statistics, starts = unit_products(design, unit=rows)
    parent = clinician[starts]
    above = np.array([site[clinician == k][0] for k in range(parent.max() + 1)])
    levels = (
        Level(name="client", random=client, parent=parent),
        Level(name="clinician", random=(0, 1), parent=above),
        Level(name="site", random=(0,), parent=None),
    )
    return design, (rows, clinician, site), statistics, levels


@pytest.mark.parametrize("method", ["REML", "ML"])
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_sweep_gives_the_likelihood_of_the_whole_covariance_matrix(method, seed):
    design, units, statistics, levels = three_levels(seed, client=(0, 1, 2))
    theta = np.random.default_rng(seed).uniform(0.05, 1.0, len(parameter_bounds(statistics, levels)))
    ratios = [f[0] @ f[0].T for f in factors(theta[None], statistics, levels)]
    expected, beta = by_the_definition(design, (units, [list(l.random) for l in levels]), ratios, method=method)
    found = profile(sweep(theta[None], statistics, levels), kept=(0, 1, 2), rows=len(design), method=method)
    assert found.criterion[0] == pytest.approx(expected, rel=1e-9)
    assert found.beta[0] == pytest.approx(beta, rel=1e-6, abs=1e-9)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_compressing_clients_changes_nothing(seed):
    design, rows, clinician, _ = clinic(seed)
    kept_apart, starts = unit_products(design, unit=rows)
    compressed = compressed_products(design, clinician=clinician, client=rows)
    clinicians = Level(name="clinician", random=(0, 1), parent=None)
    apart = (Level(name="client", random=(0,), parent=clinician[starts]), clinicians)
    theta = np.random.default_rng(seed).uniform(0.0, 1.0, (3, 4))
    one = profile(sweep(theta, kept_apart, apart), kept=(0, 1, 2), rows=len(design), method="REML")
    two = profile(sweep(theta, compressed, (clinicians,)), kept=(0, 1, 2), rows=len(design), method="REML")
    assert two.criterion == pytest.approx(one.criterion, rel=1e-9)
    assert has_client_intercept(compressed)
    assert not has_client_intercept(kept_apart)


def slope_by_differences(theta, statistics, levels, method):
    def value(t):
        swept = sweep(t[None], statistics, levels)
        return profile(swept, kept=(0, 1, 2), rows=statistics.rows, method=method).criterion[0]

    steps = 1e-6 * np.eye(len(theta))
    return np.array([(value(theta + s) - value(theta - s)) / 2e-6 for s in steps])


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("is_compressed", [True, False])
@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_the_gradient_is_the_slope_of_the_criterion(method, is_compressed, seed):
    design, rows, clinician, _site = clinic(seed)
    _, _, statistics, levels = three_levels(seed, client=(0, 2))
    if is_compressed:
        statistics, levels = compressed_products(design, clinician=clinician, client=rows), levels[1:]
    theta = np.random.default_rng(seed + 1).uniform(0.1, 1.0, len(parameter_bounds(statistics, levels)))
    swept = sweep(theta[None], statistics, levels)
    profiled = profile(swept, kept=(0, 1, 2), rows=statistics.rows, method=method)
    exact = gradient(theta, swept, profiled, statistics=statistics, levels=levels, kept=(0, 1, 2), method=method)
    assert exact == pytest.approx(slope_by_differences(theta, statistics, levels, method), rel=1e-4, abs=1e-4)


def test_a_criterion_is_infinite_where_the_outcome_is_predicted_without_error():
    design, rows, _, _ = clinic(1)
    design[:, -1] = design[:, 1] * 2.0
    statistics, _ = unit_products(design, unit=rows)
    levels = (Level(name="client", random=(0,), parent=None),)
    found = profile(sweep(np.array([[0.0]]), statistics, levels), kept=(0, 1, 2), rows=len(design), method="ML")
    assert found.squares[0] < 1e-9
    shrunk = profile(
        sweep(np.array([[0.0]]), type(statistics)(products=-statistics.products, rows=len(design)), levels),
        kept=(0, 1, 2),
        rows=len(design),
        method="ML",
    )
    assert np.isinf(shrunk.criterion[0])


def test_a_column_that_others_make_up_is_found():
    design, rows, _, _ = clinic(2)
    doubled = np.column_stack([design[:, :3], design[:, 1] - 3.0 * design[:, 2], np.zeros(len(design)), design[:, 3]])
    statistics, _ = unit_products(doubled, unit=rows)
    names = ("intercept", "a", "b", "made_up", "nothing")
    levels = (Level(name="client", random=(0,), parent=None),)
    assert independent_columns(NestedModel(columns=names, statistics=statistics, levels=levels)) == (0, 1, 2)


def test_a_triangle_is_read_column_by_column():
    assert triangle(3) == [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2)]
