import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate as quadrature
from scipy import stats

from assets.science import mixtures
from assets.science.intervals import integrate
from assets.science.mixtures import mixture_below, mixture_interval, mixture_mean_sd, weighted_interval
from assets.science.multilevel import EstimateRefusedError, NestedModel, at_parameters, fit
from assets.science.nested_likelihood import Level
from assets.science.shrinkage import unit_effects
from assets.science.sufficient_statistics import compressed_products, unit_products


def rows(seed, *, clinicians=12, slope=0.5):
    draw = np.random.default_rng(seed)
    client = np.repeat(np.arange(clinicians * 6), 4)
    clinician = client // 6
    x = draw.normal(size=len(client))
    own = draw.normal(size=clinicians)[clinician] + draw.normal(size=clinicians * 6)[client]
    y = own + x * (1.0 + slope * draw.normal(size=clinicians)[clinician]) + draw.normal(size=len(client))
    return np.column_stack([np.ones(len(client)), x, y]), clinician, client


def compressed(seed, *, random=(0, 1), **how):
    design, clinician, client = rows(seed, **how)
    statistics = compressed_products(design, clinician=clinician, client=client)
    levels = (Level(name="clinician", random=random, parent=None),)
    return fit(NestedModel(columns=("intercept", "x"), statistics=statistics, levels=levels), method="REML")


def intercepts_only(seed):
    design, clinician, _ = rows(seed, slope=0.0)
    statistics, _ = unit_products(design, unit=clinician)
    levels = (Level(name="clinician", random=(0,), parent=None),)
    return fit(NestedModel(columns=("intercept", "x"), statistics=statistics, levels=levels), method="REML")


def test_one_variance_agrees_with_quadrature():
    fitted = intercepts_only(1)

    def density(ratio):
        at = at_parameters(fitted.model, np.array([ratio]), method="REML")
        return np.exp(-(at.criterion - fitted.criterion) / 2.0 - ratio**2 / 18.0)

    weight = quadrature.quad(density, 1e-6, 8.0, limit=200)[0]
    mean = quadrature.quad(lambda r: r * density(r), 1e-6, 8.0, limit=200)[0] / weight
    drawn = integrate(fitted, level="clinician", seed=1)
    assert drawn.weights @ drawn.ratios[:, 0] == pytest.approx(mean, rel=1e-4)
    assert drawn.effective_draws > 30


def test_draws_at_a_clinician_with_little_to_go_on_are_wider_than_plug_in_says():
    fitted = compressed(2)
    drawn = integrate(fitted, level="clinician", seed=1)
    _, sd = mixture_mean_sd(drawn.weights, drawn.own[:, :, 1], drawn.own_sd[:, :, 1])
    assert drawn.weights.sum() == pytest.approx(1.0)
    assert drawn.ratios.shape[1] == 3
    assert sd.mean() > unit_effects(fitted)["clinician"].own_sd[:, 1].mean()


def test_the_same_seed_gives_the_same_draws():
    fitted = compressed(3, clinicians=5)
    one, two = (integrate(fitted, level="clinician", seed=7) for _ in range(2))
    assert (one.own == two.own).all()
    assert (integrate(fitted, level="clinician", seed=8).own[:1] != one.own[:1]).any()


def test_sites_above_clinicians_are_integrated_too():
    design, clinician, _ = rows(4, slope=0.0)
    statistics, _ = unit_products(design, unit=clinician)
    levels = (
        Level(name="clinician", random=(0,), parent=np.arange(12) // 3),
        Level(name="site", random=(0,), parent=None),
    )
    fitted = fit(NestedModel(columns=("intercept", "x"), statistics=statistics, levels=levels), method="REML")
    drawn = integrate(fitted, level="clinician", seed=1)
    assert drawn.effects.shape[1:] == (12, 1)
    assert drawn.ratios.shape[1] == 2
    assert integrate(fitted, level="site", seed=1).effects.shape[1:] == (4, 1)


def test_a_slope_alone_is_integrated():
    drawn = integrate(compressed(5, random=(1,)), level="clinician", seed=1)
    assert drawn.effects.shape[2] == 1
    assert (drawn.ratios > 0).all()


def test_more_than_two_random_columns_are_refused():
    design, clinician, _ = rows(6)
    wide = np.column_stack([design[:, :2], design[:, 1] ** 2, design[:, 2]])
    statistics, _ = unit_products(wide, unit=clinician)
    levels = (Level(name="clinician", random=(0, 1, 2), parent=None),)
    model = NestedModel(columns=("intercept", "x", "x2"), statistics=statistics, levels=levels)
    with pytest.raises(EstimateRefusedError, match="at most two"):
        integrate(fit(model, method="REML"), level="clinician", seed=1)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_a_mixture_s_interval_leaves_out_what_it_should(seed):
    draw = np.random.default_rng(seed)
    weights = draw.dirichlet(np.ones(5))
    mean, sd = draw.normal(size=(5, 3)), draw.uniform(0.2, 2.0, (5, 3))
    low, high = mixture_interval(weights, mean, sd, coverage=0.9)
    assert mixture_below(weights, mean, sd, threshold=low) == pytest.approx(np.full(3, 0.05), abs=1e-6)
    assert mixture_below(weights, mean, sd, threshold=high) == pytest.approx(np.full(3, 0.95), abs=1e-6)


def test_a_mixture_of_one_is_that_normal():
    centre, sd = mixture_mean_sd(np.array([1.0]), np.array([[2.0]]), np.array([[3.0]]))
    low, high = mixture_interval(np.array([1.0]), np.array([[2.0]]), np.array([[3.0]]), coverage=0.95)
    assert (centre[0], sd[0]) == (2.0, 3.0)
    assert [low[0], high[0]] == pytest.approx(stats.norm.interval(0.95, 2.0, 3.0), abs=1e-8)


def test_an_interval_of_equal_weights_is_that_of_quantiles():
    values = np.random.default_rng(1).permutation(1001) / 1000.0
    assert weighted_interval(np.full(1001, 1 / 1001), values, coverage=0.9) == pytest.approx((0.05, 0.95), abs=2e-3)


def test_a_quantile_that_is_given_too_few_steps_still_lies_between_the_outermost(monkeypatch):
    monkeypatch.setattr(mixtures, "NEWTON_STEPS", 1)
    low, high = mixture_interval(np.array([0.5, 0.5]), np.array([[-3.0], [3.0]]), np.ones((2, 1)), coverage=0.9)
    assert -6.0 < low[0] < high[0] < 6.0
