import numpy as np
import polars as pl
import pytest

from assets.estimates.change_by_method import change_methods, effect_sizes
from assets.science.effect_size import GroupFigures, d_ppc2
from assets.science.instruments.registry import REGISTRY


def clients(n=60, *, seed=3, fall=6.0, instrument="PHQ-9", **given):
    draw = np.random.default_rng(seed)
    first = np.clip(np.round(draw.normal(15, 4, n)), 0, 27)
    last = np.clip(np.round(first - fall + draw.normal(0, 5, n)), 0, 27)
    return pl.DataFrame(
        {
            "client_id": [f"c{number}" for number in range(n)],
            "episode_id": [f"e{number}" for number in range(n)],
            "instrument": instrument,
            "site": ["north" if number % 3 else "south" for number in range(n)],
            "programme": pl.Series([None] * n, dtype=pl.String),
            "is_open": False,
            "first_score": first,
            "last_score": last,
            "is_reliably_improved": first - last >= 6,
        }
    ).with_columns(**{name: pl.lit(value) for name, value in given.items()})


def methods(change, *, standard=0.3, minimum_clients=10):
    return change_methods(change, registry=REGISTRY, standard=standard, minimum_clients=minimum_clients)


def effects(change, *, minimum_clients=10):
    return effect_sizes(change, registry=REGISTRY, minimum_clients=minimum_clients)


def test_every_rule_is_told_for_the_service_and_each_site():
    made = methods(clients())
    assert made.group_by("scope", "scope_name").len().sort("scope", "scope_name").rows() == [
        ("service", "all", 7),
        ("site", "north", 7),
        ("site", "south", 7),
    ]
    assert made["rule"].unique().sort().to_list() == ["EN", "GLN", "HA", "HLL", "JT", "NK", "threshold"]
    asked = made.filter("is_in_badge")["rule"].unique().sort().to_list()
    assert asked == ["EN", "HA", "JT", "threshold"]


def test_the_threshold_rule_counts_changes_of_at_least_the_published_number():
    change = clients()
    row = methods(change).filter(pl.col("rule") == "threshold").to_dicts()[0]
    by_hand = sum(first - last >= 6 for first, last in change.select("first_score", "last_score").iter_rows())
    assert (row["improved"], row["pairs"]) == (by_hand, 60)
    assert row["rate"] == pytest.approx(by_hand / 60)
    assert row["low"] < row["rate"] < row["high"]


def test_the_jacobson_truax_rule_uses_the_services_own_spread_everywhere():
    change = clients()
    limit = 1.96 * change["first_score"].std() * np.sqrt(2 * (1 - REGISTRY["PHQ-9"].alpha.value))
    made = methods(change).filter(pl.col("rule") == "JT")
    for row in made.iter_rows(named=True):
        group = change if row["scope"] == "service" else change.filter(pl.col("site") == row["scope_name"])
        by_hand = sum(first - last > limit for first, last in group.select("first_score", "last_score").iter_rows())
        assert row["improved"] == by_hand
    assert made["intake_sd"].n_unique() == 1


@pytest.mark.parametrize("instrument", ["PHQ-9", "ORS"])
def test_methods_beside_the_badge_agree_with_their_formulas(instrument):
    change = clients(instrument=instrument)
    first, last = change["first_score"].to_list(), change["last_score"].to_list()
    r, sd = REGISTRY[instrument].alpha.value, float(np.std(first, ddof=1))
    before, after = float(np.mean(first)), float(np.mean(last))
    better = -1 if instrument == "PHQ-9" else 1
    formulas = {
        "GLN": lambda x, y: ((y - before) - r * (x - before)) / (sd * np.sqrt(1 - r**2)),
        "HLL": lambda x, y: ((y - after) - r * (x - before)) / (sd * np.sqrt(1 - r**2)),
        "NK": lambda x, y: (y - (r * (x - before) + before)) / np.sqrt(r**2 * sd**2 * (1 - r) + sd**2 * (1 - r)),
    }
    told = methods(change).filter(pl.col("scope") == "service")
    for rule, formula in formulas.items():
        by_hand = sum(better * formula(x, y) > 1.96 for x, y in zip(first, last, strict=True))
        assert told.filter(pl.col("rule") == rule)["improved"].to_list() == [by_hand]


def test_a_conclusion_that_every_rule_shares_holds():
    assert set(methods(clients(fall=14.0), standard=0.2)["badge"]) == {"holds"}


def test_a_conclusion_that_rules_do_not_share_depends_on_the_method():
    made = methods(clients(200), standard=0.55).filter((pl.col("scope") == "service") & pl.col("is_in_badge"))
    assert made["conclusion"].n_unique() > 1
    assert set(made["badge"]) == {"depends_on_method"}


def test_where_no_rule_can_tell_neither_can_the_badge():
    made = methods(clients(6), standard=0.6, minimum_clients=1).filter(
        (pl.col("scope") == "service") & pl.col("is_in_badge")
    )
    assert set(made["conclusion"]) == {"cannot_tell"}
    assert set(made["badge"]) == {"cannot_tell"}


def test_a_group_of_two_has_no_figures_of_its_own():
    change = clients().with_columns(programme=pl.when(pl.col("client_id").is_in(["c0", "c1"])).then(pl.lit("new")))
    assert "programme" not in methods(change)["scope"].to_list()
    assert "programme" not in effects(change)["scope"].to_list()


def test_without_a_standard_the_benchmark_is_the_services_own_rate():
    change = clients()
    made = methods(change, standard=None)
    assert made["benchmark"].unique().to_list() == pytest.approx([change["is_reliably_improved"].mean()])


def test_a_small_group_gets_no_rate_and_no_conclusion():
    made = methods(clients(24), minimum_clients=10).filter(pl.col("scope_name") == "south")
    assert set(made["badge"]) == {"too_few"}
    assert made["rate"].null_count() == made.height == 7
    assert set(made["conclusion"]) == {"cannot_tell"}


def test_open_episodes_and_missing_last_scores_are_no_pairs():
    change = pl.concat(
        [clients(), clients(9, is_open=True), clients(5).with_columns(last_score=pl.lit(None, pl.Float64))]
    )
    row = methods(change).filter(pl.col("rule") == "JT").to_dicts()[0]
    assert (row["episodes"], row["pairs"]) == (65, 60)


@pytest.mark.parametrize("instrument", ["CSI-4", "PHQ-9"])
def test_what_cannot_be_computed_is_left_out(instrument):
    flat = clients(5, instrument=instrument, first_score=10.0)
    assert methods(flat).is_empty()
    assert effects(flat).is_empty()


def test_everybody_changing_alike_has_no_effect_size():
    assert effects(clients().with_columns(last_score=pl.col("first_score") - 2)).is_empty()


def test_an_effect_is_the_mean_change_over_the_spread_at_the_start():
    change = clients()
    row = effects(change).row(0, named=True)
    by_hand = (change["first_score"].mean() - change["last_score"].mean()) / change["first_score"].std()
    assert (row["scope"], row["effect"], row["pairs"]) == ("service", "d_intake", 60)
    assert row["estimate"] == pytest.approx(by_hand, abs=1e-8)
    assert row["low"] < by_hand < row["high"]


def test_a_fall_is_better_on_the_phq_9_and_worse_on_the_ors():
    own = pl.col("effect") != "d_ppc2"
    assert effects(clients()).filter(own)["estimate"].min() > 0
    assert effects(clients(instrument="ORS")).filter(own)["estimate"].max() < 0


def test_a_small_groups_effect_is_left_empty_and_said_to_be():
    made = effects(clients(24)).filter(pl.col("scope_name") == "south")
    assert made["is_too_few"].to_list() == [True] * 4
    assert made["estimate"].null_count() == 4


def test_a_sites_change_is_held_against_the_rest_of_the_service():
    change = clients().with_columns(
        site=pl.when(pl.col("site") == "south").then(None).otherwise("site"),
        last_score=pl.col("last_score") - pl.when(pl.col("site") == "north").then(2).otherwise(0),
    )
    [row] = effects(change).filter(pl.col("effect") == "d_ppc2").to_dicts()
    groups = [change.filter(pl.col("site").eq_missing(site)) for site in ("north", None)]
    north, rest = (
        GroupFigures(
            n=each.height,
            mean_pre=each["first_score"].mean(),
            mean_post=each["last_score"].mean(),
            sd_pre=each["first_score"].std(),
        )
        for each in groups
    )
    by_hand = d_ppc2(north, control=rest, correlation=0.5, direction="higher_is_worse", confidence=0.95)
    assert (row["scope"], row["scope_name"], row["pairs"]) == ("site", "north", 40)
    assert row["estimate"] == pytest.approx(by_hand.estimate, abs=1e-9)
    assert row["low"] < row["estimate"] < row["high"]


def test_a_group_is_not_held_against_a_rest_too_small_to_be_told():
    made = effects(clients(24)).filter(pl.col("scope_name") == "north")
    told = dict(made.select("effect", "is_too_few").rows())
    assert told == {"d_intake": False, "smcr": False, "smcc": False, "d_ppc2": True}
    assert made.filter(pl.col("effect") == "d_ppc2")["estimate"].to_list() == [None]


def test_the_whole_service_has_nothing_to_be_held_against():
    made = effects(clients(site="north"))
    assert "d_ppc2" not in made["effect"].to_list()
    assert set(made["scope"]) == {"service", "site"}


def test_the_order_of_rows_changes_nothing():
    change = clients()
    shuffled = change.sample(fraction=1.0, shuffle=True, seed=1)
    assert methods(change).equals(methods(shuffled))
    assert effects(change).equals(effects(shuffled))


def test_nobody_gives_empty_tables_with_their_columns():
    nobody = clients().clear()
    assert methods(nobody).columns[:4] == ["scope", "scope_name", "instrument", "rule"]
    assert effects(nobody).columns[:4] == ["scope", "scope_name", "instrument", "effect"]
