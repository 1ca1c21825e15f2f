import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
from mixedlm import lmer

from assets.science.multilevel import EstimateRefusedError, NestedModel, at_parameters, fit, leave_one_out
from assets.science.nested_likelihood import Level
from assets.science.shrinkage import unit_effects
from assets.science.sufficient_statistics import compressed_products, unit_products


def reference(shared_cases, name):
    folder = shared_cases / "mixed_models"
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def table(shared_cases, name):
    return pl.read_csv(shared_cases / "mixed_models" / name)


def design_of(frame, outcome, *columns):
    return np.column_stack(
        [np.ones(frame.height), *[frame[c].to_numpy() for c in columns], frame[outcome].to_numpy()]
    ).astype(float)


def parents(frame, unit, above):
    return (
        frame.group_by(unit, maintain_order=True).agg(pl.col(above).first())[above].rank("dense").to_numpy().astype(int)
        - 1
    )


def nested(frame, outcome, columns, levels, random):
    """A model with every level kept apart; `levels` innermost first, `random` the columns of each."""
    ordered = frame.sort(*reversed(levels))
    statistics, _ = unit_products(design_of(ordered, outcome, *columns), unit=ordered[levels[0]].to_numpy())
    names = ("(Intercept)", *columns)
    made = []
    for place, level in enumerate(levels):
        parent = parents(ordered, level, levels[place + 1]) if place + 1 < len(levels) else None
        made.append(Level(name=level, random=tuple(names.index(c) for c in random[place]), parent=parent))
    units = {level: ordered[level].unique(maintain_order=True).cast(pl.String).to_list() for level in levels}
    return NestedModel(columns=names, statistics=statistics, levels=tuple(made)), units


def agrees_with_lme4(fitted, expected, *, units):
    se = np.array(list(expected["se"].values()))
    assert fitted.criterion == pytest.approx(expected["criterion"], abs=1e-6)
    assert (np.abs(fitted.beta - np.array(list(expected["fixef"].values()))) < 1e-6 * se).all()
    assert fitted.beta_se == pytest.approx(se, rel=1e-6)
    assert fitted.beta_covariance == pytest.approx(np.array(expected["vcov_fixef"]), rel=1e-5)
    for entry in expected["varcorr"]:
        if entry["grp"] == "Residual":
            assert fitted.residual_variance == pytest.approx(entry["vcov"], rel=1e-5)
            continue
        if entry["grp"] == "client" and fitted.client_variance is not None:
            assert fitted.client_variance == pytest.approx(entry["vcov"], rel=1e-5)
            continue
        level = next(l for l in fitted.model.levels if l.name == entry["grp"])
        places = [fitted.model.columns[c] for c in level.random]
        a = places.index(entry["var1"])
        b = places.index(entry["var2"] or entry["var1"])
        assert fitted.covariances[level.name][a, b] == pytest.approx(entry["vcov"], rel=1e-5, abs=1e-9)
    effects = unit_effects(fitted)
    for name, predicted in effects.items():
        theirs = expected["ranef"][name]
        order = [theirs["levels"].index(u) for u in units[name]]
        blup, conditional = np.array(theirs["blup"])[order], np.array(theirs["condVar"])[order]
        scale = np.sqrt(np.diag(fitted.covariances[name]))
        assert (np.abs(predicted.effects - blup) < 1e-5 * np.maximum(np.abs(blup), scale)).all()
        assert np.abs(predicted.conditional_variance - conditional).max() < 1e-5 * max(np.abs(conditional).max(), 1e-12)
        assert (
            np.diagonal(predicted.prediction_variance - conditional, axis1=1, axis2=2) > -1e-5 * conditional.max()
        ).all()


@pytest.mark.parametrize(("name", "method"), [("sleepstudy", "REML"), ("sleepstudy_ml", "ML")])
def test_reaction_times_agree_with_lme4(shared_cases, name, method):
    frame = table(shared_cases, f"{name}.csv")
    model, units = nested(frame, "Reaction", ["Days"], ["Subject"], [("(Intercept)", "Days")])
    agrees_with_lme4(fit(model, method=method), reference(shared_cases, name), units=units)


def test_growth_of_boys_agrees_with_lme4(shared_cases):
    frame = table(shared_cases, "oxboys.csv")
    model, units = nested(frame, "height", ["age", "age2"], ["Subject"], [("(Intercept)", "age")])
    agrees_with_lme4(fit(model, method="REML"), reference(shared_cases, "oxboys"), units=units)


def growth(shared_cases):
    frame = table(shared_cases, "clinic_clean_sessions.csv").drop_nulls("y")
    people = table(shared_cases, "clinic_clean_clients.csv").select("client", "cm")
    frame = frame.drop("cm", strict=False).join(people, on="client", how="left", maintain_order="left")
    return frame.with_columns(g=(pl.col("t") + 1).log() / np.log(9.0)).with_columns(g_cm=pl.col("g") * pl.col("cm"))


def test_growth_over_sessions_with_slopes_for_clients_and_clinicians_agrees_with_lme4(shared_cases):
    frame = table(shared_cases, "clinic_clean_sessions.csv").drop_nulls("y")
    frame = frame.with_columns(g=(pl.col("t") + 1).log() / np.log(9.0)).with_columns(
        **{"g:cm": pl.col("g") * pl.col("cm")}
    )
    slopes = [("(Intercept)", "g"), ("(Intercept)", "g")]
    model, units = nested(frame, "y", ["g", "cm", "g:cm"], ["client", "clinician"], slopes)
    agrees_with_lme4(fit(model, method="REML"), reference(shared_cases, "clinic_clean_growth"), units=units)


LAGGED = ["y_now", "y_base", "g", "aw", "ab", "ac"]


def test_the_lagged_model_agrees_with_lme4_on_its_boundary_with_clients_kept_apart(shared_cases):
    frame = table(shared_cases, "clinic_clean_pairs.csv")
    model, units = nested(frame, "y_next", LAGGED, ["client", "clinician"], [("(Intercept)",), ("(Intercept)", "aw")])
    fitted = fit(model, method="REML")
    agrees_with_lme4(fitted, reference(shared_cases, "clinic_clean_lagged"), units=units)
    assert fitted.is_singular


def compressed_lagged(shared_cases):
    frame = table(shared_cases, "clinic_clean_pairs.csv").sort("clinician", "client")
    statistics = compressed_products(
        design_of(frame, "y_next", *LAGGED), clinician=frame["clinician"].to_numpy(), client=frame["client"].to_numpy()
    )
    levels = (Level(name="clinician", random=(0, 4), parent=None),)
    model = NestedModel(columns=("(Intercept)", *LAGGED), statistics=statistics, levels=levels)
    return model, {"clinician": frame["clinician"].unique(maintain_order=True).cast(pl.String).to_list()}


def test_the_lagged_model_agrees_with_lme4_from_compressed_statistics(shared_cases):
    model, units = compressed_lagged(shared_cases)
    agrees_with_lme4(fit(model, method="REML"), reference(shared_cases, "clinic_clean_lagged"), units=units)


def casemix(shared_cases):
    return table(shared_cases, "clinic_clean_clients.csv").drop_nulls(["y_last", "y0"])


def test_adjusted_progress_agrees_with_lme4(shared_cases):
    model, units = nested(casemix(shared_cases), "y_last", ["y0", "cm"], ["clinician"], [("(Intercept)",)])
    agrees_with_lme4(fit(model, method="REML"), reference(shared_cases, "clinic_clean_casemix"), units=units)


def test_adjusted_progress_with_sites_agrees_with_lme4(shared_cases):
    intercepts = [("(Intercept)",), ("(Intercept)",)]
    model, units = nested(casemix(shared_cases), "y_last", ["y0", "cm"], ["clinician", "site"], intercepts)
    agrees_with_lme4(fit(model, method="REML"), reference(shared_cases, "clinic_clean_casemix_site"), units=units)


def small(seed, *, clinicians=5, rows_a_client=4, columns=2):
    draw = np.random.default_rng(seed)
    client = np.repeat(np.arange(clinicians * 6), rows_a_client)
    clinician = client // 6
    fixed = np.column_stack([np.ones(len(client)), draw.normal(size=(len(client), columns))])
    own = draw.normal(size=clinicians)[clinician] + draw.normal(size=clinicians * 6)[client]
    return fixed, own + fixed[:, 1] + draw.normal(size=len(client)), clinician, client


def compressed_model(fixed, y, clinician, client, *, random=(0,)):
    statistics = compressed_products(np.column_stack([fixed, y]), clinician=clinician, client=client)
    names = ("intercept", *[f"x{i}" for i in range(1, fixed.shape[1])])
    return NestedModel(
        columns=names, statistics=statistics, levels=(Level(name="clinician", random=random, parent=None),)
    )


def test_mixedlm_gives_the_same_answer(shared_cases):
    table = pl.read_csv(shared_cases / "mixed_models" / "clinic_clean_clients.csv").drop_nulls(["y_last", "y0"])
    frame = pd.DataFrame(table.select("y_last", "y0", "cm", "clinician").to_dict(as_series=False))
    frame["clinician"] = frame["clinician"].astype(str)
    theirs = lmer("y_last ~ y0 + cm + (1 | clinician)", frame)
    model, _ = nested(table, "y_last", ["y0", "cm"], ["clinician"], [("(Intercept)",)])
    ours = fit(model, method="REML")
    assert ours.beta == pytest.approx(np.array(list(theirs.fixef().values())), rel=1e-6)


def test_a_column_made_of_others_is_dropped_and_named():
    fixed, y, clinician, client = small(1)
    fitted = fit(
        compressed_model(np.column_stack([fixed, fixed[:, 1] + fixed[:, 2]]), y, clinician, client), method="REML"
    )
    without = fit(compressed_model(fixed, y, clinician, client), method="REML")
    assert fitted.dropped == ("x3",)
    assert np.isnan(fitted.beta[3])
    assert fitted.beta[:3] == pytest.approx(without.beta, rel=1e-8)
    own = unit_effects(fitted)["clinician"]
    assert np.isnan(own.own[:, 3]).all()
    assert np.isfinite(own.own_sd[:, :3]).all()


def test_a_false_boundary_is_left_behind():
    fixed, y, clinician, client = small(3, clinicians=12)
    model = compressed_model(fixed, y, clinician, client, random=(0, 1))
    fitted = fit(model, method="REML")
    for theta in np.random.default_rng(0).uniform(0.0, 1.5, (200, 4)):
        assert at_parameters(model, theta, method="REML").criterion >= fitted.criterion - 1e-8


@pytest.mark.parametrize("near", [np.zeros(4), np.array([0.1, 0.2, -0.3, 0.4]), np.array([2.0, 1.0, 1.0, 0.0])])
def test_a_search_from_another_model_s_parameters_ends_at_the_same_answer(near):
    model = compressed_model(*small(3, clinicians=12), random=(0, 1))
    fitted, again = fit(model, method="REML"), fit(model, method="REML", near=near)
    assert again.criterion == pytest.approx(fitted.criterion, abs=1e-7)
    assert again.beta == pytest.approx(fitted.beta, abs=1e-5)


def test_leaving_a_clinician_out_is_fitting_the_rest_at_the_same_variances():
    fixed, y, clinician, client = small(4)
    model = compressed_model(fixed, y, clinician, client)
    fitted = fit(model, method="REML")
    rest = clinician != 2
    again = compressed_model(fixed[rest], y[rest], clinician[rest], client[rest])
    assert leave_one_out(fitted)[2] == pytest.approx(at_parameters(again, fitted.theta, method="REML").beta, rel=1e-9)


def refusal(model):
    with pytest.raises(EstimateRefusedError) as refused:
        fit(model, method="REML")
    return str(refused.value)


def test_one_row_a_client_is_refused():
    fixed, y, clinician, client = small(5, rows_a_client=1)
    assert "one row" in refusal(compressed_model(fixed, y, clinician, client))
    statistics, _ = unit_products(np.column_stack([fixed, y]), unit=client)
    level = Level(name="client", random=(0,), parent=None)
    assert "Every client has one row" in refusal(
        NestedModel(columns=("intercept", "x1", "x2"), statistics=statistics, levels=(level,))
    )


def test_an_outcome_that_never_changes_is_refused():
    fixed, y, clinician, client = small(6)
    assert "the same in every row" in refusal(compressed_model(fixed, np.full_like(y, 7.0), clinician, client))
    assert "the same in every row" in refusal(compressed_model(fixed, np.zeros_like(y), clinician, client))


def test_one_clinician_is_refused():
    fixed, y, clinician, client = small(7, clinicians=1)
    assert "one clinician" in refusal(compressed_model(fixed, y, clinician, client))


def test_a_random_slope_on_what_does_not_vary_within_clinicians_is_refused():
    fixed, y, clinician, client = small(8)
    fixed[:, 2] = clinician
    assert "x2 does not vary" in refusal(compressed_model(fixed, y, clinician, client, random=(0, 2)))


def test_fewer_rows_than_unknowns_are_refused():
    fixed, y, clinician, client = small(9, clinicians=2, columns=8)
    few = client % 6 == 0
    assert "too few rows" in refusal(compressed_model(fixed[few], y[few], clinician[few], client[few]))


def test_an_outcome_predicted_without_error_is_refused():
    fixed, _, clinician, client = small(10)
    assert "without error" in refusal(compressed_model(fixed, fixed[:, 1] * 1e8, clinician, client))


def test_what_only_one_clinician_shows_is_not_estimated_without_them():
    fixed, y, clinician, client = small(11)
    fixed[:, 2] *= clinician == 3
    with pytest.raises(EstimateRefusedError, match="a single unit"):
        leave_one_out(fit(compressed_model(fixed, y, clinician, client), method="REML"))
