from datetime import date, timedelta

import duckdb
import polars as pl
import pytest

from assets.contracts import macros
from assets.science.change import change_category_expr


@pytest.fixture(scope="module")
def con():
    with duckdb.connect() as connection:
        for statement in macros.statements():
            connection.execute(statement)
        yield connection


def one(con, expression):
    return con.sql(f"SELECT {expression}").fetchall()[0][0]


@pytest.mark.parametrize(("direction", "worse"), [("higher_is_worse", "true"), ("higher_is_better", "false")])
def test_reliable_change_is_what_science_says_at_every_step_around_the_threshold(con, direction, worse):
    steps = [(first / 2, last / 2) for first in range(20, 40, 5) for last in range(81)]
    frame = pl.DataFrame(steps, schema=["first_score", "last_score"], orient="row")
    by_science = frame.select(
        change_category_expr(
            pl.col("first_score"),
            pl.col("last_score"),
            index=pl.col("last_score") - pl.col("first_score"),
            critical=5.5,
            at_critical="reliable",
            cut_off=None,
            direction=direction,
        ).alias("category")
    )["category"].to_list()
    con.register("steps", frame.to_arrow())
    by_macro = con.sql(f"SELECT reliable_change(first_score, last_score, 5.5, {worse}) FROM steps").fetchall()
    assert [answer for (answer,) in by_macro] == by_science
    assert set(by_science) == {"improved", "unchanged", "deteriorated"}


def test_a_threshold_worked_out_of_decimals_is_reached_by_the_change_that_equals_it(con):
    assert one(con, "reliable_change(0.3::DOUBLE, 0.1::DOUBLE, 0.2::DOUBLE, true)") == "improved"


@pytest.mark.parametrize("missing", ["NULL, 3, 6, true", "3, NULL, 6, true", "3, 3, NULL, true", "3, 3, 6, NULL"])
def test_without_both_scores_and_a_threshold_there_is_no_word(con, missing):
    assert one(con, f"reliable_change({missing})") is None


def test_a_day_lies_in_its_month_quarter_and_reporting_year(con):
    for back in range(0, 800, 13):
        day = date(2026, 11, 20) - timedelta(days=back)
        said = f"DATE '{day}'"
        assert one(con, f"month_of({said})") == day.replace(day=1)
        assert one(con, f"quarter_of({said})") == date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)
        assert one(con, f"year_of({said}, 1)") == date(day.year, 1, 1)
        assert one(con, f"year_of({said}, 4)") == date(day.year - (day.month < 4), 4, 1)


@pytest.mark.parametrize(
    ("day", "is_in"), [("2025-11-20", False), ("2025-11-21", True), ("2026-11-20", True), ("2026-11-21", False)]
)
def test_the_period_begins_the_day_after_the_same_day_of_earlier_and_ends_with_the_data_date(con, day, is_in):
    assert one(con, f"is_in_period(DATE '{day}', DATE '2026-11-20', 12)") is is_in


def test_each_macro_says_what_it_is(con):
    told = dict(con.sql("SELECT function_name, comment FROM duckdb_functions() WHERE NOT internal").fetchall())
    assert told == {each.name: each.meaning for each in macros.MACROS}
    assert all(f"| `{each.signature}` |" in macros.dictionary() for each in macros.MACROS)
