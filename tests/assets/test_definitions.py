from dataclasses import replace
from types import SimpleNamespace

import polars as pl
import pytest

from assets.contracts.metrics import Metric
from assets.contracts.rates import METRICS
from assets.contracts.registry import LAYERS
from assets.definitions import Made, definitions, made_tables, plain, setting
from assets.science.instruments.registry import REGISTRY, with_local
from assets.service import Suppression

MADE = (
    Made(kind="table", name="marts.low", code="a", settings=("gap",), reads=()),
    Made(
        kind="table", name="analysis.middle", code="b", settings=("suppression.minimum_clients",), reads=("marts.low",)
    ),
    Made(kind="table", name="analysis.other", code="c", settings=(), reads=()),
    Made(kind="rate", name="recovered", code="d", settings=(), reads=("analysis.middle",)),
)


def service(**changes):
    return SimpleNamespace(**{"gap": 120, "suppression": Suppression(), **changes})


def told(made=MADE, *, now=None, last=None):
    found = definitions(made, service=now or service(), last=last)
    return found, {row["name"]: row for row in found.iter_rows(named=True)}


def test_a_first_version_has_nothing_to_be_held_against():
    _, rows = told()
    assert {row["has_changed"] for row in rows.values()} == {None}
    assert {row["because_of"] for row in rows.values()} == {None}
    assert rows["gap"]["value"] == "120"


def test_the_same_code_and_settings_have_changed_nothing():
    last, _ = told()
    again, rows = told(last=last)
    assert again["version"].to_list() == last["version"].to_list()
    assert not any(row["has_changed"] or row["has_changed_itself"] for row in rows.values())


def test_a_changed_setting_changes_all_that_rests_on_it_and_nothing_else():
    last, _ = told()
    _, rows = told(now=service(gap=90), last=last)
    assert {name for name, row in rows.items() if row["has_changed"]} == {
        "gap",
        "marts.low",
        "analysis.middle",
        "recovered",
    }
    assert {name for name, row in rows.items() if row["has_changed_itself"]} == {"gap"}
    assert {row["because_of"] for row in rows.values()} == {"gap", None}
    assert (rows["gap"]["value_before"], rows["gap"]["value"]) == ("120", "90")


def test_changed_code_is_named_by_its_table():
    last, _ = told()
    _, rows = told((MADE[0], replace(MADE[1], code="e"), *MADE[2:]), last=last)
    assert rows["recovered"]["because_of"] == "analysis.middle"
    assert not rows["marts.low"]["has_changed"]


def test_a_new_definition_is_a_changed_one():
    last, _ = told(MADE[:3])
    _, rows = told(last=last)
    assert rows["recovered"]["because_of"] == "recovered"


def test_what_code_asks_of_a_setting_names_the_smallest_part_that_is_one():
    asked = service(feeds={"attendance": (1, 2)})
    assert setting(asked, "suppression.minimum_clients") == ("suppression.minimum_clients", 10)
    assert setting(asked, "suppression.model_dump")[0] == "suppression"
    assert setting(asked, "feeds.attendance") == ("feeds.attendance", (1, 2))
    assert setting(asked, "gap") == ("gap", 120)


def test_every_promised_table_of_data_and_every_rate_has_a_definition():
    made = made_tables()
    tables = {one.name for one in made if one.kind == "table"}
    assert {table.full_name for layer in ("staging", "marts", "analysis") for table in LAYERS[layer]} <= tables
    assert {one.name for one in made if one.kind == "rate"} == {metric.id for metric in METRICS}
    assert len({one.code for one in made if one.kind == "rate"}) == len(METRICS)


@pytest.mark.parametrize(
    ("table", "asks"),
    [
        ("marts.episodes", "episodes.gap_days"),
        ("analysis.ruptures", "ruptures.falls_by_sd"),
        ("analysis.client_change", "registry"),
    ],
)
def test_the_settings_that_a_table_depends_on_are_found_in_its_code(table, asks):
    [one] = [one for one in made_tables() if one.name == table]
    assert asks in one.settings


def test_a_clinics_own_number_changes_what_the_registry_is():
    local = with_local(REGISTRY, {"PHQ-9": {"reliable_change": 7.0, "source": "Own sample"}})
    assert plain(local) != plain(REGISTRY)
    assert plain(REGISTRY) == plain(REGISTRY)


def test_a_rate_is_its_declaration():
    assert plain(METRICS[0]) != plain(replace(METRICS[0], decimals=METRICS[0].decimals + 1))
    assert isinstance(METRICS[0], Metric)
    assert isinstance(told()[0], pl.DataFrame)
