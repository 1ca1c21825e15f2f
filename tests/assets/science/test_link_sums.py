import numpy as np
import polars as pl
import pytest

from assets.science.link_sums import link_sums
from assets.science.multilevel import EstimateRefusedError
from assets.science.own_courses import EQUATION, Equations, settled
from assets.science.split_panel import split_panel

OUTCOMES = ("outcome_now", "outcome_next", "outcome_first")


def pairs(seed, *, clinicians=8, clients=30):
    """Clients who stay for one to nine sessions, each at one site and in one programme; every third clinician sees both."""
    draw = np.random.default_rng(seed)
    size = clinicians * clients
    stays = draw.integers(1, 10, size)
    number = np.repeat(np.arange(size), stays)
    level, usual = draw.normal(15.0, 3.0, size), draw.normal(4.0, 0.4, size)
    alliance = usual[number] + draw.normal(0.0, 0.4, len(number))
    outcome = level[number] - alliance + draw.normal(0.0, 2.0, len(number))
    clinician = number // clients
    return pl.DataFrame(
        {
            "clinician": np.array([f"K{k}" for k in range(clinicians)])[clinician],
            "client": number,
            "site": np.where((clinician % 3 == 0) & (number % 2 == 0), "a", np.where(clinician < 4, "a", "b")),
            "programme": np.where(number % 2 == 0, "one", "two"),
            "session_number": np.concatenate([np.arange(1.0, n + 1.0) for n in stays]),
            "alliance": alliance,
            "outcome_now": outcome,
            "outcome_next": np.r_[outcome[1:], 15.0],
            "outcome_first": level[number],
        }
    )


def figures(sums):
    """What the estimators make of the sums, wherever outcomes and alliance were taken from."""
    panel, (equations, curve) = split_panel(sums), settled(sums.courses)
    found = {"panel": panel.estimate, "panel without each": panel.without, "naive": panel.naive}
    for kind, equation in zip(Equations._fields, equations, strict=True):
        longest = np.zeros((equation.ahead.shape[0], 9, 2))
        longest[:, : equation.ahead.shape[1]] = equation.ahead
        found |= {(kind, name): getattr(equation, name) for name in EQUATION} | {(kind, "ahead"): longest}
    return found, (curve, sums.cells.select("clinician", "clients", "pairs").rows())


def assert_alike(one, other):
    (found, named), (expected, expected_named) = figures(one), figures(other)
    assert named == expected_named
    for name, values in found.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6, atol=1e-6, err_msg=str(name))


def in_blocks(rows):
    return [rows.filter(pl.col("clinician") < "K5"), rows.filter(pl.col("clinician") >= "K5")]


SCOPES = [("service", "all"), ("site", "a"), ("site", "b"), ("programme", "two")]


@pytest.mark.parametrize(("scope", "name"), SCOPES)
def test_a_group_s_estimates_are_those_of_its_rows_alone(scope, name):
    rows = pairs(1)
    alone = rows if scope == "service" else rows.filter(pl.col(scope) == name)
    assert_alike(link_sums(in_blocks(rows)).of_scope(scope, name), link_sums([alone]).of_scope("service", "all"))


@pytest.mark.parametrize(("scope", "name"), SCOPES)
def test_a_client_of_several_sites_is_one_client_to_the_service_and_one_to_each_site(scope, name):
    later = pl.col("session_number") > 4
    rows = pairs(2).with_columns(site=pl.when(later).then(pl.lit("b")).otherwise(pl.lit("a")))
    alone = rows if scope == "service" else rows.filter(pl.col(scope) == name)
    assert_alike(link_sums(in_blocks(rows)).of_scope(scope, name), link_sums([alone]).of_scope("service", "all"))


def test_a_group_that_nobody_is_in_has_nothing_to_say():
    none = link_sums([pairs(3)]).of_scope("site", "c")
    assert none.cells.is_empty()
    with pytest.raises(EstimateRefusedError, match="4 or more"):
        split_panel(none)
    with pytest.raises(EstimateRefusedError, match="3 or more"):
        settled(none.courses)


def test_a_group_knows_the_step_that_its_own_forms_are_filled_in_at():
    rows = pairs(4)
    seldom = (
        pl.when(pl.col("site") == "b").then(2.0 * pl.col("session_number") - 1.0).otherwise(pl.col("session_number"))
    )
    sums = link_sums([rows.with_columns(session_number=seldom)])
    assert sums.of_scope("site", "b").own_spacing == 2.0
    assert (sums.spacing, sums.of_scope("site", "a").own_spacing) == (1.0, 1.0)
    once = link_sums([rows.filter(pl.col("session_number") == 1)], spacing=2.0)
    assert once.own_spacing == 2.0
    assert link_sums([rows.filter(pl.col("session_number") == 1)]).spacing == 1.0


@pytest.mark.parametrize("seed", range(8))
def test_rows_in_any_order_give_the_same_digits(seed):
    rows = pairs(5, clients=300)
    mixed = rows.sample(fraction=1.0, shuffle=True, seed=seed)
    one, two = (figures(link_sums([each]).of_scope("service", "all"))[0] for each in (rows, mixed))
    assert all((one[name] == two[name]).all() for name in one)


def test_sums_of_no_rows_are_of_no_cells():
    assert link_sums([pairs(6).clear()]).of_scope("service", "all").cells.is_empty()
