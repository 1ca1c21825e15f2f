"""What follows a rupture, against walking through each treatment and a known truth."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.feeds.clinic_process import DROPPED_OUT, ClinicParameters, simulate
from assets.science.after_rupture import STATES, leaving_by_state, state_at_sessions

KEYS = ("client_id", "episode_id")


def sessions_of(courses):
    """Sessions 3 and on of treatments given as how many sessions and how they ended, by client."""
    rows = [
        {
            "client_id": name,
            "episode_id": name,
            "session_number": t,
            "clinician_id": f"k{number % 4}",
            "site": "s",
            "group": "g",
            "is_unplanned": t == n and reason == "unplanned",
            "is_planned": t == n and reason == "planned",
        }
        for number, (name, (n, reason)) in enumerate(courses.items())
        for t in range(3, n + 1)
    ]
    types = {"client_id": pl.String, "episode_id": pl.String, "session_number": pl.Int64, "clinician_id": pl.String}
    types |= {"site": pl.String, "group": pl.String, "is_unplanned": pl.Boolean, "is_planned": pl.Boolean}
    return pl.DataFrame(rows, schema=types)


def ruptures_of(*rows):
    return pl.DataFrame(
        [{"client_id": n, "episode_id": n, "ruptured_at": a, "repaired_at": b} for n, a, b in rows],
        schema={"client_id": pl.String, "episode_id": pl.String, "ruptured_at": pl.Int64, "repaired_at": pl.Int64},
    )


def told(courses, ruptures):
    placed = state_at_sessions(sessions_of(courses), ruptures_of(*ruptures), by=KEYS)
    return {row["state"]: row for row in leaving_by_state(placed, by=["group"], confidence=0.95).iter_rows(named=True)}


def counted(courses, ruptures):
    names = ("clients", "sessions", "unplanned", "planned")
    return {state: tuple(row[name] for name in names) for state, row in told(courses, ruptures).items()}


def walked(courses, ruptures):
    """The same counts by going through each treatment session by session."""
    clients, counts = {}, {}
    for name, (n, reason) in courses.items():
        for t in range(3, n + 1):
            state = "no_rupture"
            for who, start, repaired in ruptures:
                if who == name and start <= t:
                    state = "repaired" if repaired is not None and repaired <= t else "ruptured"
            clients.setdefault(state, set()).add(name)
            found = counts.setdefault(state, [0, 0, 0])
            found[0] += 1
            found[1] += t == n and reason == "unplanned"
            found[2] += t == n and reason == "planned"
    return {state: (len(clients[state]), *found) for state, found in counts.items()}


def test_a_client_is_repaired_from_the_repair_on_and_not_before():
    placed = state_at_sessions(sessions_of({"a": (8, None)}), ruptures_of(("a", 4, 6)), by=KEYS)
    assert placed["state"].to_list() == ["no_rupture", "ruptured", "ruptured", "repaired", "repaired", "repaired"]


def test_sessions_before_a_repair_are_never_credited_to_it():
    got = told({"a": (8, "unplanned"), "b": (5, "unplanned")}, [("a", 4, 8), ("b", 4, None)])
    assert (got["ruptured"]["sessions"], got["ruptured"]["unplanned"]) == (6, 1)
    assert (got["repaired"]["sessions"], got["repaired"]["unplanned"]) == (1, 1)


def test_a_session_counts_for_the_state_the_client_is_in_then():
    got = counted({"a": (8, "unplanned")}, [("a", 4, 6)])
    assert got == {"no_rupture": (1, 1, 0, 0), "ruptured": (1, 2, 0, 0), "repaired": (1, 3, 1, 0)}


def test_a_later_rupture_takes_over_from_an_earlier_repair():
    got = counted({"a": (8, "unplanned")}, [("a", 4, 5), ("a", 7, None)])
    assert got == {"no_rupture": (1, 1, 0, 0), "ruptured": (1, 3, 1, 0), "repaired": (1, 2, 0, 0)}


def test_open_episodes_add_sessions_and_no_endings():
    assert counted({"a": (5, None), "b": (5, "planned")}, []) == {"no_rupture": (2, 6, 0, 1)}


def test_each_hazard_has_an_interval_and_a_number_of_clients():
    got = told({"a": (5, "unplanned"), "b": (4, None)}, [("a", 3, None)])
    assert [(state, got[state]["clients"]) for state in ("no_rupture", "ruptured")] == [
        ("no_rupture", 1),
        ("ruptured", 1),
    ]
    assert [got[state]["hazard"] for state in ("no_rupture", "ruptured")] == [0.0, 1 / 3]
    assert got["ruptured"]["hazard_lower"] < 1 / 3 < got["ruptured"]["hazard_upper"]


def test_a_state_nobody_was_in_has_no_row():
    assert set(told({"a": (4, None)}, [])) == {"no_rupture"}


def test_no_rupture_is_compared_with_nothing():
    row = told({"a": (9, "planned")}, [])["no_rupture"]
    assert (row["compared_with"], row["ratio"], row["probability_above"]) == (None, None, None)


COURSES = st.dictionaries(
    st.sampled_from("abcdef"),
    st.tuples(st.integers(3, 9), st.sampled_from(["planned", "unplanned", None])),
    min_size=1,
)


@settings(max_examples=40)
@given(courses=COURSES, data=st.data())
def test_counts_are_those_of_walking_through_each_treatment(courses, data):
    ruptures = []
    for name, (n, _) in courses.items():
        at = 2
        while at + 1 <= n and data.draw(st.booleans()):
            start = data.draw(st.integers(at + 1, n))
            repaired = data.draw(st.one_of(st.none(), st.integers(start + 1, start + 3)))
            ruptures.append((name, start, repaired))
            at = repaired or n
    assert counted(courses, ruptures) == walked(courses, ruptures)


def service(seed, **effects):
    """A service in which leaving depends on the rupture alone, and its sessions with their true states."""
    settings = {"dropout_within": 0.0, "dropout_between": 0.0, "dropout_outcome": 0.0, "dropout_log_odds": -3.4}
    parameters = ClinicParameters(
        clients=2500, clinicians=30, sites=3, rupture_probability=0.12, repair_probability=0.35, **settings, **effects
    )
    drawn = simulate(parameters, seed=seed)
    code = pl.col("client").cast(pl.String)
    ends = pl.DataFrame(
        {"client": np.arange(2500), "last": drawn.truth.last_session, "has_left": drawn.truth.ending == DROPPED_OUT}
    )
    rows = drawn.sessions.join(ends, on="client").with_columns(
        ever=pl.col("is_rupture").cum_max().over("client"), is_last=pl.col("session") == pl.col("last")
    )
    placed = rows.filter(pl.col("session") >= 2).select(
        client_id=code,
        episode_id=code,
        clinician_id=pl.col("clinician").cast(pl.String),
        site=pl.col("site").cast(pl.String),
        session_number=pl.col("session") + 1,
        group=pl.lit("g"),
        state=pl.when(pl.col("is_torn"))
        .then(pl.lit("ruptured"))
        .when("ever")
        .then(pl.lit("repaired"))
        .otherwise(pl.lit("no_rupture")),
        is_unplanned=pl.col("is_last") & pl.col("has_left"),
        is_planned=pl.col("is_last") & ~pl.col("has_left"),
        truth="dropout_probability",
    )
    return placed, {row[0]: row[1] for row in placed.group_by("state").agg(pl.col("truth").mean()).iter_rows()}


def test_hazards_and_ratios_of_true_states_are_recovered():
    placed, truth = service(4, dropout_torn=1.2)
    got = {row["state"]: row for row in leaving_by_state(placed, by=["group"], confidence=0.99).iter_rows(named=True)}
    assert set(got) == set(STATES)
    for state in STATES:
        assert got[state]["hazard_lower"] < truth[state] < got[state]["hazard_upper"]
    for state, other in (("ruptured", "no_rupture"), ("repaired", "ruptured")):
        assert got[state]["ratio_lower"] < truth[state] / truth[other] < got[state]["ratio_upper"]
    assert got["ruptured"]["ratio"] == pytest.approx(truth["ruptured"] / truth["no_rupture"], rel=0.25)


def test_where_ruptures_change_nothing_no_ratio_claims_that_they_do():
    held = []
    for seed in range(40):
        placed, _ = service(seed)
        rows = leaving_by_state(placed, by=["group"], confidence=0.95).filter(pl.col("ratio").is_not_null())
        held += [low < 1 < high for low, high in rows.select("ratio_lower", "ratio_upper").iter_rows()]
    assert len(held) >= 70
    assert np.mean(held) >= 0.9
