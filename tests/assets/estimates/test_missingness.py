import numpy as np
import polars as pl
import pytest

from assets.contracts.endings import MISSING_FORMS, RATE_BOUNDS
from assets.estimates.missingness import bounded_rates, first_score_thirds, missing_forms, skipping_counts
from assets.feeds.clinic_process import ClinicParameters, simulate
from assets.science.instruments.registry import REGISTRY


def simulated(*, seed=9, **settings):
    drawn = simulate(ClinicParameters(clients=1500, clinicians=20, sites=2, **settings), seed=seed)
    code = pl.col("client").cast(pl.String)
    return drawn.sessions.select(
        client_id=code,
        episode_id=code,
        session_number=pl.col("session") + 1,
        site=pl.col("site").cast(pl.String),
        programme=pl.lit("CBT"),
        alliance="alliance",
        outcome="outcome",
        outcome_instrument=pl.lit("PHQ-9"),
        outcome_first=pl.col("outcome").drop_nulls().first().over("client"),
        truth="skip_probability",
    )


def whole(rows, *, minimum_clients=10, parts=1):
    rows = rows.with_columns(series=pl.struct("client_id", "episode_id").rank("dense").cast(pl.Int32))
    thirds = first_score_thirds(rows.filter(pl.col("session_number") == 1), registry=REGISTRY)
    counts = [
        skipping_counts(rows.filter(pl.col("series") % parts == part), thirds, registry=REGISTRY)
        for part in range(parts)
    ]
    return missing_forms(pl.concat(counts), minimum_clients=minimum_clients)


def told(rows, *, minimum_clients=10):
    return whole(rows, minimum_clients=minimum_clients).filter(pl.col("scope") == "service")


@pytest.fixture(scope="module")
def severe():
    rows = simulated(severe_missing=0.3)
    return rows, told(rows)


def test_every_promised_column_stands_and_every_grouping(severe):
    _, got = severe
    assert {column.name for column in MISSING_FORMS.columns} <= set(got.columns)
    groups = got.group_by("grouped_by").len().sort("grouped_by").rows()
    assert groups == [("first_score", 3), ("latest_alliance", 2), ("latest_score", 3), ("session", 4)]


def test_groups_stand_in_the_order_in_which_they_are_told(severe):
    for (_, grouping), rows in severe[1].partition_by("scope", "grouped_by", as_dict=True).items():
        assert rows["position"].to_list() == list(range(rows.height)), grouping


def test_it_does_not_matter_in_how_many_parts_the_service_is_counted(severe):
    rows, _ = severe
    assert whole(rows, parts=7).equals(whole(rows))


def test_each_rate_is_the_true_chance_of_skipping(severe):
    rows, got = severe
    bands = {"session 1": (1, 1), "sessions 2 and 3": (2, 3), "sessions 4 to 6": (4, 6), "session 7 and later": (7, 99)}
    for name, (least, most) in bands.items():
        row = got.filter(pl.col("group_name") == name).row(0, named=True)
        own = rows.filter(pl.col("session_number").is_between(least, most))
        assert row["sessions"] == own.height
        assert row["rate_low"] - 0.01 < own["truth"].mean() < row["rate_high"] + 0.01


def test_clients_who_began_worse_and_skip_more_are_found(severe):
    row = severe[1].filter(pl.col("group_name") == "most unwell third").row(0, named=True)
    assert row["difference_low"] > 0
    assert row["certainty"] == "clear"


def test_skipping_that_goes_with_nothing_is_not_said_to():
    parts = [told(simulated(seed=seed, severe_missing=0.0)).filter(pl.col("position") > 0) for seed in range(12)]
    got = pl.concat(parts)
    assert ((got["difference_low"] > 0) | (got["difference_high"] < 0)).mean() <= 0.1
    assert (got["certainty"] == "clear").mean() <= 0.1


def test_the_first_group_is_compared_with_nothing(severe):
    first = severe[1].filter(pl.col("position") == 0)
    assert first["difference"].null_count() == first.height


def test_a_small_group_is_withheld():
    rows = simulated()
    got = told(rows, minimum_clients=10_000)
    assert got["rate"].null_count() == got["difference"].null_count() == got.height
    assert set(got["certainty"]) == {"too_few"}


def test_which_way_is_unwell_follows_the_measure():
    rows = simulated(severe_missing=0.3)
    turned = rows.with_columns(-pl.col("outcome", "outcome_first"), outcome_instrument=pl.lit("ORS"))
    first = pl.col("grouped_by") == "first_score"
    columns = ["group_name", "sessions", "skipped"]
    assert told(turned).filter(first).select(columns).equals(told(rows).filter(first).select(columns))


def bounds(change, *, clients=6, minimum_clients=5, reasons=("unplanned", "planned", None)):
    ids = [f"c{number}" for number in range(clients)]
    known = pl.DataFrame(
        {"client_id": ids, "episode_id": ids, "clinician_id": "k", "site": "north", "instrument": "PHQ-9"}
    )
    episodes = pl.DataFrame(
        {
            "episode_id": ids,
            "clinician_id": "k",
            "site": "north",
            "is_open": False,
            "sessions": 5,
            "end_reason": [reasons[number % len(reasons)] for number in range(clients)],
        },
        schema_overrides={"end_reason": pl.String},
    )
    schema = {"client_id": pl.String, "episode_id": pl.String, "instrument": pl.String, "category": pl.String}
    judged = pl.DataFrame([(name, name, "PHQ-9", category) for name, category in change], schema=schema, orient="row")
    judged = judged.with_columns(
        is_reliably_improved=pl.col("category").is_in(["recovered", "improved"]),
        is_reliably_deteriorated=pl.col("category") == "deteriorated",
    )
    got = bounded_rates(known, judged, episodes, registry=REGISTRY, minimum_clients=minimum_clients)
    return {row["rate"]: row for row in got.iter_rows(named=True)}


JUDGED = (("c0", "recovered"), ("c1", "improved"), ("c2", "deteriorated"), ("c3", "not_evaluable"))


def test_whoever_has_no_form_or_one_alone_is_unknown():
    row = bounds(JUDGED)["improved"]
    assert [row[name] for name in ("clients", "known", "unknown", "events")] == [6, 3, 3, 2]
    assert (row["worst_case"], row["best_case"]) == (round(2 / 6, 9), round(5 / 6, 9))
    assert row["low"] < row["worst_case"] < row["best_case"] < row["high"]


def test_each_rate_has_its_own_events_and_an_ending_without_a_reason_is_unknown():
    got = bounds(JUDGED)
    assert {rate: row["events"] for rate, row in got.items()} == {
        "improved": 2,
        "recovered": 1,
        "deteriorated": 1,
        "ended_unplanned": 2,
    }
    assert got["ended_unplanned"]["unknown"] == 2
    assert got["ended_unplanned"]["instrument"] == "all"


def test_every_promised_column_of_the_bounds_stands():
    row = bounds(JUDGED)["improved"]
    assert {column.name for column in RATE_BOUNDS.columns} <= set(row)
    assert row["is_too_few"] is False
    assert bounds(JUDGED, minimum_clients=7)["improved"]["is_too_few"] is True


def test_bounds_hold_the_true_rate_however_the_missing_are_chosen():
    draw = np.random.default_rng(1)
    truth = draw.random(300) < 0.4
    # Those who improved answer half as often: what is known flatters in the other direction.
    answers = draw.random(300) < np.where(truth, 0.4, 0.8)
    change = [(f"c{number}", "improved" if truth[number] else "unchanged") for number in range(300) if answers[number]]
    row = bounds(change, clients=300)["improved"]
    assert row["worst_case"] <= truth.mean() <= row["best_case"]
    assert row["known_rate_high"] < truth.mean()
