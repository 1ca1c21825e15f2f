import dagster as dg
import pytest

from assets.contracts.registry import TABLES
from assets.published import VERSION
from assets.purging import PURGED_COPIES
from assets.sources import LANDED
from assets.tables import key
from pipelines.definitions import defs
from pipelines.schedules import clinic_zone, nightly_schedule


@pytest.fixture(scope="module")
def graph():
    return defs.resolve_asset_graph()


def test_everything_can_be_loaded():
    dg.Definitions.validate_loadable(defs)


def test_there_is_an_asset_for_every_promised_table_and_three_more(graph):
    promised = {key(table) for table in TABLES.values()}
    assert graph.get_all_asset_keys() == promised | {LANDED, VERSION, PURGED_COPIES}


def test_nothing_depends_on_what_nobody_makes(graph):
    assert graph.external_asset_keys == set()


def test_every_table_but_the_checks_own_has_a_blocking_check(graph):
    checked = {check.asset_key for check in graph.asset_check_keys}
    assert checked == {key(table) for name, table in TABLES.items() if name != "quality.checks"}


def test_publication_comes_after_every_table(graph):
    assert graph.get(VERSION).parent_keys == {key(table) for table in TABLES.values()}


def test_layers_depend_only_on_layers_before_them(graph):
    order = ["landing", "staging", "marts", "analysis", "published"]
    for asset in graph.get_all_asset_keys():
        for parent in graph.get(asset).parent_keys:
            if {asset.path[0], parent.path[0]} <= set(order):
                assert order.index(parent.path[0]) <= order.index(asset.path[0])


def test_lineage_leads_from_what_landed_through_every_table_to_the_version(graph):
    above: dict[dg.AssetKey, set[dg.AssetKey]] = {}
    for asset in graph.toposorted_asset_keys:
        parents = graph.get(asset).parent_keys
        above[asset] = set(parents).union(*(above[parent] for parent in parents))
    assert {asset for asset, ancestors in above.items() if LANDED not in ancestors} == {LANDED}
    assert {asset.path[0] for asset in above[VERSION]} == {"landing", "quality", "staging", "marts", "analysis"}


def test_every_table_shows_its_columns_in_dagster(graph):
    for name, table in TABLES.items():
        schema = graph.get(key(table)).metadata["dagster/column_schema"]
        assert [column.name for column in schema.columns] == [column.name for column in table.columns], name


def test_the_schedule_is_on_and_keeps_the_clinics_zone(monkeypatch, repository):
    monkeypatch.setenv("RAPPORT_CONFIG", str(repository / "pipelines" / "examples" / "three_sites.toml"))
    schedule = nightly_schedule()
    assert schedule.execution_timezone == "Europe/London"
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING


def test_without_a_configuration_the_zone_is_utc(monkeypatch):
    monkeypatch.setenv("RAPPORT_CONFIG", "")
    assert clinic_zone() == "UTC"
    monkeypatch.setenv("RAPPORT_CONFIG", "/nowhere.toml")
    assert clinic_zone() == "UTC"
