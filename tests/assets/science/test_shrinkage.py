import json

import numpy as np
import pytest

from assets.science.multilevel import NestedModel, fit
from assets.science.nested_likelihood import Level
from assets.science.shrinkage import false_discoveries_held, probability_beyond, reliability, unit_effects
from assets.science.sufficient_statistics import unit_products


def three_levels(seed):
    draw = np.random.default_rng(seed)
    client = np.repeat(np.arange(60), 4)
    clinician = np.arange(60) // 5
    site = np.arange(12) // 4
    x = draw.normal(size=240)
    effects = draw.normal(size=60)[client] + draw.normal(size=12)[clinician[client]] * (1 + 0.5 * x)
    y = effects + draw.normal(size=3)[site[clinician[client]]] + x + draw.normal(size=240)
    design = np.column_stack([np.ones(240), x, y])
    statistics, _ = unit_products(design, unit=client)
    levels = (
        Level(name="client", random=(0,), parent=clinician),
        Level(name="clinician", random=(0, 1), parent=site),
        Level(name="site", random=(0,), parent=None),
    )
    model = NestedModel(columns=("intercept", "x"), statistics=statistics, levels=levels)
    return design, (client, clinician[client], site[clinician[client]]), model


def test_effects_and_their_variances_are_those_of_the_whole_system_of_equations():
    design, units, model = three_levels(2)
    fitted = fit(model, method="REML")
    fixed, y = design[:, :-1], design[:, -1]
    blocks, inverse_prior, names = [fixed], [np.zeros((2, 2))], []
    for unit, level in zip(units, model.levels, strict=True):
        covariance = fitted.covariances[level.name] + 1e-12 * np.eye(len(level.random))
        for one in range(unit.max() + 1):
            blocks.append(fixed[:, list(level.random)] * (unit == one)[:, None])
            inverse_prior.append(np.linalg.inv(covariance))
            names.append((level.name, one, len(level.random)))
    blocks_joined = np.column_stack(blocks)
    precision = blocks_joined.T @ blocks_joined / fitted.residual_variance
    place = 0
    for prior in inverse_prior:
        size = len(prior)
        precision[place : place + size, place : place + size] += prior
        place += size
    covariance = np.linalg.inv(precision)
    solution = covariance @ blocks_joined.T @ y / fitted.residual_variance
    effects, place = unit_effects(fitted), 2
    for name, one, size in names:
        mine = slice(place, place + size)
        assert effects[name].effects[one] == pytest.approx(solution[mine], abs=1e-5)
        assert effects[name].prediction_variance[one] == pytest.approx(covariance[mine, mine], abs=1e-5)
        place += size
    own = effects["clinician"]
    where = 2 + sum(size for name, _, size in names if name == "client")
    first = np.zeros(blocks_joined.shape[1])
    first[[1, where + 1]] = 1.0
    assert own.own[0, 1] == pytest.approx(first @ solution, abs=1e-5)
    assert own.own_sd[0, 1] ** 2 == pytest.approx(first @ covariance @ first, abs=1e-5)


def test_predictions_are_less_sure_than_conditional_variances_say():
    _, _, model = three_levels(3)
    for level in unit_effects(fit(model, method="REML")).values():
        more = np.diagonal(level.prediction_variance - level.conditional_variance, axis1=1, axis2=2)
        assert (more >= -1e-12).all()


def test_reliability_falls_with_uncertainty_and_is_nought_where_units_do_not_differ():
    assert reliability(np.array([0.0, 0.5, 2.0]), 1.0).tolist() == [1.0, 0.5, 0.0]
    assert reliability(np.array([0.1]), 0.0).tolist() == [0.0]


def test_probabilities_above_and_below_add_up_to_one():
    mean, sd = np.array([0.0, 1.0]), np.array([1.0, 1.0])
    above = probability_beyond(mean, sd, threshold=0.0, side="above")
    assert above[0] == 0.5
    assert above + probability_beyond(mean, sd, threshold=0.0, side="below") == pytest.approx([1.0, 1.0])
    assert above[1] == pytest.approx(0.841345, abs=1e-6)


def test_false_discoveries_are_held_as_in_r(shared_cases):
    case = json.loads((shared_cases / "mixed_models" / "padjust.json").read_text(encoding="utf-8"))
    found = false_discoveries_held(np.array(case["p"]), share=0.05)
    assert found.tolist() == [adjusted <= 0.05 for adjusted in case["BH"]]
    assert false_discoveries_held(np.array([]), share=0.05).tolist() == []
