import polars as pl

from assets.estimates.scopes import scopes_of


def test_the_service_comes_first_then_sites_and_programmes_by_name():
    rows = pl.DataFrame({"site": ["south", "north", None], "programme": ["brief", None, "brief"], "id": [1, 2, 3]})
    assert [(scope, name, group["id"].to_list()) for scope, name, group in scopes_of(rows)] == [
        ("service", "all", [1, 2, 3]),
        ("site", "north", [2]),
        ("site", "south", [1]),
        ("programme", "brief", [1, 3]),
    ]
