import polars as pl

from assets.contracts.endings import CURVES, RETENTION
from assets.estimates.retention import retention


def episodes(rows):
    """Episodes given as sessions, whether open, and how it ended."""
    return pl.DataFrame(
        [
            {
                "clinician_id": f"k{number % 2}",
                "site": "north",
                "programme": None,
                "sessions": sessions,
                "is_open": is_open,
                "end_reason": reason,
            }
            for number, (sessions, is_open, reason) in enumerate(rows)
        ],
        schema_overrides={"programme": pl.String, "end_reason": pl.String},
    )


CLINIC = [(1, False, "unplanned"), (3, False, "planned"), (2, True, None), (3, False, None), (4, True, None)] * 10


def told(rows=None, *, minimum_clients=5):
    return retention(episodes(CLINIC if rows is None else rows), minimum_clients=minimum_clients)


def test_every_promised_column_stands_for_every_scope_and_curve():
    got = told()
    assert {column.name for column in RETENTION.columns} <= set(got.columns)
    assert got.select("scope", "scope_name").unique().sort("scope", "scope_name").rows() == [
        ("clinician", "k0"),
        ("clinician", "k1"),
        ("service", "all"),
        ("site", "north"),
    ]
    assert set(got["curve"]) == set(CURVES)


def test_an_ending_that_nobody_explained_is_neither_planned_nor_censored():
    got = told().filter((pl.col("scope") == "service") & (pl.col("session_number") == 3))
    shares = dict(got.select("curve", "share").iter_rows())
    # Of 50, 10 left after the first; of the 30 who reached the third, 10 ended as planned and 10 unexplained.
    assert shares["ended_unplanned"] == 0.2
    assert shares["ended_planned"] == shares["ended_unsaid"] == round(0.8 / 3, 9)


def test_open_episodes_are_censored_and_never_end():
    got = told([(2, True, None)] * 20).filter(pl.col("curve") == "in_treatment")
    assert got["share"].to_list() == [1.0] * got.height
    assert got.filter(pl.col("scope") == "service")["censored"].to_list() == [0, 20]


def test_nobody_having_ended_yet_is_not_certainty_that_nobody_will():
    got = told([(2, True, None)] * 20).filter(pl.col("scope") == "service")
    low = got.filter(pl.col("curve") == "in_treatment")["share_low"]
    high = got.filter(pl.col("curve") == "ended_unplanned")["share_high"]
    assert ((low > 0.8) & (low < 1)).all()
    assert ((high > 0) & (high < 0.2)).all()


def test_where_few_are_left_the_share_is_withheld():
    got = told(minimum_clients=15).filter((pl.col("scope") == "service") & (pl.col("curve") == "in_treatment"))
    assert got["is_too_few"].to_list() == [False, False, False, True]
    assert got["share"].is_null().to_list() == got["is_too_few"].to_list()
    assert got["at_risk"].to_list() == [50, 40, 30, 10]


def test_whoever_never_came_has_no_curve():
    assert told([*CLINIC, (0, False, "unplanned")]).equals(told())


def test_every_share_lies_within_its_interval():
    got = told().drop_nulls("share")
    assert (got["share_low"] <= got["share"]).all()
    assert (got["share"] <= got["share_high"]).all()
