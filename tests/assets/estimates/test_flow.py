from datetime import date, timedelta

import polars as pl
import pytest

from assets.estimates.flow import flow, freshness

MONTHS = {
    "feed": pl.String,
    "site": pl.String,
    "measure": pl.String,
    "instrument": pl.String,
    "month": pl.Date,
    "counted": pl.Int64,
    "value": pl.Float64,
}
FILES = {
    "feed": pl.String,
    "site": pl.String,
    "file_number": pl.Int64,
    "file": pl.String,
    "lines": pl.Int64,
    "refused": pl.Int64,
}
AS_OF = date(2026, 3, 31)
ORDINARY = [100, 104, 97, 101, 99, 103, 98, 102, 100, 96, 104, 99, 101]


def months(values, *, measure="volume", counted=50, site="north", last=(2026, 3)):
    first = last[0] * 12 + last[1] - len(values)
    return [
        (
            "attendance",
            site,
            measure,
            "all",
            date((first + at) // 12, (first + at) % 12 + 1, 1),
            int(value) if measure == "volume" else counted,
            None if measure == "volume" else value,
        )
        for at, value in enumerate(values)
    ]


def made(rows=(), files=(), *, as_of=AS_OF, fewest=5):
    return flow(
        pl.DataFrame(rows, schema=MONTHS, orient="row"),
        pl.DataFrame(files, schema=FILES, orient="row"),
        as_of=as_of,
        fewest=fewest,
    )


def newest(told):
    return told.filter("is_latest").row(0, named=True)


def test_a_month_that_falls_out_of_its_own_history_is_unusual_and_said_so():
    last = newest(made(months([*ORDINARY, 20])))
    assert last["is_unusual"]
    assert last["sentence"].startswith("Attendance, north, 2026-03: 20 rows, below the usual ")


def test_a_month_like_those_before_it_is_not():
    last = newest(made(months([*ORDINARY, 100])))
    assert (last["is_unusual"], last["rule"]) == (False, None)
    assert "within the usual" in last["sentence"]


def test_a_feed_that_stopped_has_a_month_of_nothing():
    last = newest(made(months(ORDINARY, last=(2026, 2))))
    assert (last["point"], last["counted"], last["value"], last["is_unusual"]) == ("2026-03", 0, 0.0, True)


def test_a_month_that_is_not_over_is_not_told():
    assert newest(made(months(ORDINARY), as_of=date(2026, 3, 30)))["point"] == "2026-02"


def test_with_less_than_a_years_history_nothing_is_unusual():
    last = newest(made(months([*ORDINARY[:8], 20])))
    assert not last["is_unusual"]


def test_a_first_month_says_that_there_is_too_little_history():
    assert newest(made(months([100])))["sentence"].endswith("too little history to say what is usual")


def test_a_mean_of_too_few_is_not_told():
    last = newest(made(months([20.0, 21.0], measure="mean_score", counted=4)))
    assert (last["value"], last["sentence"]) == (None, "Attendance, north, 2026-03: too few to say")


def test_shares_that_hardly_differ_are_usual_however_narrow_their_history():
    assert not newest(made(months([*[0.999] * 12, 0.9989, 1.0], measure="scored")))["is_unusual"]
    assert newest(made(months([*[0.999] * 12, 0.9989, 0.8], measure="scored")))["is_unusual"]


def test_the_newest_month_is_judged_by_two_years_before_it():
    told = made(months([500, *ORDINARY, *ORDINARY]))
    assert told.height == 25
    assert told["value"].max() == 104


def test_a_file_that_is_refused_as_none_before_it_is_unusual():
    files = [("attendance", "all", at, f"day_{at:02d}.csv", 200, at % 3) for at in range(1, 14)]
    last = newest(made(files=[*files, ("attendance", "all", 14, "day_14.csv", 200, 120)]))
    assert last["is_unusual"]
    assert last["sentence"].startswith("Attendance, day_14.csv: 60.0% of lines refused, above the usual ")


def test_an_empty_file_has_no_share_refused():
    assert made(files=[("attendance", "all", 1, "day_01.csv", 0, 0)]).height == 0


NEWEST = {"table_layer": pl.String, "subject": pl.String, "site": pl.String, "newest_on": pl.Date}
PROMISED = {"appointment": 7, "file": 1}


def fresh(*rows):
    return freshness(pl.DataFrame(rows, schema=NEWEST, orient="row"), as_of=AS_OF, promised=PROMISED)


@pytest.mark.parametrize(("age", "is_kept"), [(0, True), (7, True), (8, False)])
def test_a_promise_is_kept_to_the_day(age, is_kept):
    row = fresh(("staging", "appointment", "north", AS_OF - timedelta(days=age))).row(0, named=True)
    assert (row["age_days"], row["is_kept"]) == (age, is_kept)


def test_what_is_late_says_so():
    said = fresh(("staging", "appointment", "north", AS_OF - timedelta(days=9)), ("landing", "file", "all", None))
    assert said["sentence"].to_list() == [
        "The newest file in landing: there is none",
        "The newest appointment of north in staging is 9 days old; 7 are promised, so it is late",
    ]
    assert not said["is_kept"].any()
