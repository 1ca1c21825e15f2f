from datetime import date

import polars as pl
import pytest

from dashboards.views.signals import signals, whole_months

DATA_DATE = date(2026, 10, 31)
QUIET = [45.0, 46.0, 44.5, 45.5, 45.0, 44.0, 46.0, 45.0, 45.5, 44.5, 45.0, 45.5]


def verdict(values, *, counts=None, smallest=0.5, standard=None, improvement="up"):
    months = whole_months(DATA_DATE)[-len(values) :]
    cells = pl.DataFrame(
        {"series": ["T001"] * len(values), "month": months, "value": values, "count": counts or [9] * len(values)},
        schema_overrides={"value": pl.Float64},
    )
    return signals(
        cells,
        data_date=DATA_DATE,
        minimum=5,
        improvement=improvement,
        floor=0.0,
        ceiling=60.0,
        smallest=smallest,
        standard=standard,
    )["T001"]


def test_a_month_that_is_not_over_is_not_drawn():
    assert whole_months(date(2026, 11, 20))[-1] == date(2026, 10, 1)
    assert whole_months(date(2026, 10, 31))[-1] == date(2026, 10, 1)
    assert len(whole_months(date(2026, 10, 31))) == 24


def test_an_ordinary_year_is_no_sign():
    found = verdict([*QUIET, *QUIET])
    assert found.certainty == "cannot_tell"
    assert found.tone == "ordinary"
    assert found.since is None


def test_two_months_outside_the_limits_are_clear_and_carry_the_colour_of_worse():
    found = verdict([*QUIET, *QUIET[:6], 30.0, 31.0, 30.5, 30.0, 31.0, 30.0])
    assert (found.certainty, found.direction, found.tone) == ("clear", "down", "worse")
    assert found.since is not None
    assert found.since <= date(2026, 5, 1)
    assert found.tones[-1] == "worse"
    assert set(found.tones[:12]) == {"ordinary"}


def test_a_run_alone_is_at_most_likely():
    found = verdict([*QUIET, *QUIET[:4], *[44.4] * 8], smallest=0.1)
    assert found.certainty == "likely"
    assert "outside_limits" not in found.rules


def test_a_fall_is_better_where_lower_is_better():
    assert verdict([*QUIET, *QUIET[:6], *[30.0] * 6], improvement="down").tone == "better"


def test_a_change_too_small_to_matter_is_grey_in_mark_and_word():
    found = verdict([*QUIET, *QUIET[:6], *[42.0] * 6], smallest=20.0)
    assert found.is_small
    assert found.tone == "ordinary"
    assert found.tones[-1] == "ordinary"


def test_small_months_are_withheld_and_count_in_nothing():
    found = verdict([*QUIET, *QUIET[:11], 1.0], counts=[9] * 23 + [4])
    assert found.values[-1] is None
    assert found.latest == QUIET[10]
    assert found.certainty == "cannot_tell"


@pytest.mark.parametrize("months", [1, 4, 7])
def test_a_short_series_has_too_few_months(months):
    found = verdict(QUIET[:months])
    assert found.certainty == "too_few"
    assert found.centre is None
    assert set(found.tones) == {"ordinary"}


def test_a_series_that_stopped_says_nothing_of_now():
    found = verdict([*QUIET, *[30.0] * 6, *[None] * 6])
    assert found.certainty == "too_few"


def test_a_sign_that_has_passed_is_remembered_by_its_month():
    found = verdict([*QUIET, 30.0, 30.0, *QUIET[:10]])
    assert found.certainty == "cannot_tell"
    assert found.ended == date(2025, 12, 1)


def test_a_standard_beyond_the_limits_will_not_be_met_unless_something_changes():
    assert verdict([*QUIET, *QUIET], standard=58.0).assurance == "no_unless_something_changes"
    assert verdict([*QUIET, *QUIET], standard=20.0).assurance == "yes_consistently"
    assert verdict([*QUIET, *QUIET]).assurance is None


def test_no_series_has_no_verdict():
    nothing = pl.DataFrame(schema={"series": pl.String, "month": pl.Date, "value": pl.Float64, "count": pl.Int64})
    assert (
        signals(
            nothing,
            data_date=DATA_DATE,
            minimum=5,
            improvement="up",
            floor=None,
            ceiling=None,
            smallest=0.1,
            standard=None,
        )
        == {}
    )
