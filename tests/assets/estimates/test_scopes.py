import polars as pl

from assets.estimates.scopes import in_every_scope, scopes_of


def test_the_service_comes_first_then_sites_and_programmes_by_name():
    rows = pl.DataFrame({"site": ["south", "north", None], "programme": ["brief", None, "brief"], "id": [1, 2, 3]})
    assert [(scope, name, group["id"].to_list()) for scope, name, group in scopes_of(rows)] == [
        ("service", "all", [1, 2, 3]),
        ("site", "north", [2]),
        ("site", "south", [1]),
        ("programme", "brief", [1, 3]),
    ]


def test_every_row_stands_once_for_each_group_that_it_is_in():
    rows = pl.DataFrame({"site": ["a", "b", None], "programme": ["p", None, None], "n": [1, 2, 3]})
    got = in_every_scope(rows).select("scope", "scope_name", "n").sort("scope", "scope_name", "n")
    assert got.rows() == [
        ("programme", "p", 1),
        ("service", "all", 1),
        ("service", "all", 2),
        ("service", "all", 3),
        ("site", "a", 1),
        ("site", "b", 2),
    ]
