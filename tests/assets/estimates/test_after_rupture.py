import polars as pl
import pytest

from assets.contracts.endings import AFTER_RUPTURE
from assets.estimates.ruptures import after_rupture as of_placed
from assets.estimates.ruptures import standing_at_sessions

LOOKED_UP = {"client_id": pl.String, "episode_id": pl.String, "instrument": pl.String}


def clinic(*, clients=200, leave_ruptured=0.5, leave_calm=0.1):
    """Every other client is ruptured at session 4; treatments end unplanned at session 5 as often as said."""
    sessions, ruptures = [], []
    for number in range(clients):
        name, is_ruptured = f"c{number}", number % 2 == 0
        share = leave_ruptured if is_ruptured else leave_calm
        leaves = (number // 2) % 10 < share * 10
        sessions += [
            {
                "client_id": name,
                "episode_id": name,
                "instrument": "WAI-SR",
                "session_number": t,
                "clinician_id": f"k{number // 2 % 7}",
                "site": "north",
                "programme": "CBT",
                "is_unplanned": leaves and t == 5,
                "is_planned": not leaves and t == 8,
            }
            for t in range(3, 6 if leaves else 9)
        ]
        if is_ruptured:
            ruptures.append((name, name, "WAI-SR", 4, None if leaves else 6))
    schema = LOOKED_UP | {"session_number": pl.Int64, "repaired_session_number": pl.Int64}
    return pl.DataFrame(sessions), pl.DataFrame(ruptures, schema=schema, orient="row")


def after_rupture(sessions, found, *, minimum_clients, parts=1):
    place = pl.col("client_id").str.slice(1).cast(pl.Int64) % parts
    placed = [standing_at_sessions(sessions.filter(place == n), found.filter(place == n)) for n in range(parts)]
    return of_placed(pl.concat(placed), minimum_clients=minimum_clients)


def test_it_does_not_matter_in_how_many_parts_clients_are_looked_at():
    whole, parted = (after_rupture(*clinic(), minimum_clients=10, parts=parts) for parts in (1, 7))
    assert parted.equals(whole)


def told(*, minimum_clients=10, **settings):
    got = after_rupture(*clinic(**settings), minimum_clients=minimum_clients)
    return {row["state"]: row for row in got.filter(pl.col("scope") == "service").iter_rows(named=True)}


def test_every_promised_column_stands_for_every_scope():
    got = after_rupture(*clinic(), minimum_clients=10)
    assert {column.name for column in AFTER_RUPTURE.columns} <= set(got.columns)
    assert got["scope"].unique().sort().to_list() == ["programme", "service", "site"]


def test_leaving_more_often_after_a_rupture_is_said_with_its_interval_and_without_a_cause():
    row = told()["ruptured"]
    assert row["ratio_low"] > 1
    assert row["certainty"] == "clear"
    assert "Clearly more often than where there had been no rupture" in row["sentence"]
    assert "no proof" in row["sentence"]


def test_leaving_as_often_is_not_told_apart():
    row = told(leave_ruptured=0.2, leave_calm=0.2)["ruptured"]
    assert row["ratio_low"] < 1 < row["ratio_high"]
    assert row["certainty"] == "cannot_tell"
    assert "cannot be told" in row["sentence"]


def test_a_state_of_few_clients_is_withheld_with_its_ratio_and_that_of_the_state_compared_with_it():
    got = told(clients=16, minimum_clients=9)
    assert [got[state]["hazard"] for state in ("ruptured", "repaired")] == [None, None]
    assert [got[state]["ratio"] for state in ("ruptured", "repaired")] == [None, None]
    assert got["ruptured"]["certainty"] == "too_few"
    assert got["ruptured"]["sentence"].startswith("Too few clients")


def test_the_calm_state_is_described_and_compared_with_nothing():
    row = told()["no_rupture"]
    assert row["compared_with"] is None
    assert row["sentence"].count(".") >= 1
    assert row["hazard_low"] < row["hazard"] < row["hazard_high"]


@pytest.mark.parametrize("state", ["no_rupture", "ruptured", "repaired"])
def test_counts_add_up_to_the_sessions_that_were_given(state):
    sessions, ruptures = clinic()
    got = after_rupture(sessions, ruptures, minimum_clients=10).filter(pl.col("scope") == "service")
    assert got["sessions"].sum() == sessions.height
    assert got["unplanned"].sum() == sessions["is_unplanned"].sum()
    assert got.filter(pl.col("state") == state)["clients"][0] <= 200


def test_without_any_rupture_there_is_one_state():
    sessions, ruptures = clinic()
    got = after_rupture(sessions, ruptures.clear(), minimum_clients=10)
    assert set(got["state"]) == {"no_rupture"}
