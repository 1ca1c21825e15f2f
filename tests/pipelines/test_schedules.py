"""The night's hour, on the nights on which clocks change too: once for every day of the clinic's calendar."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from pipelines.schedules import EVERY_NIGHT

# London's hour from one to two comes twice and never; Berlin's from two to three; Lord Howe moves by half an hour.
ZONES = ("UTC", "Europe/London", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo")


def nights(zone: str, *, year: int) -> list[datetime]:
    """The schedule's moments in a year, in the clinic's time."""
    begin = datetime(year, 1, 1, tzinfo=ZoneInfo(zone))
    moments = []
    ticks = schedule_execution_time_iterator(begin.timestamp(), EVERY_NIGHT, zone, ascending=True)
    for moment in ticks:
        local = moment.astimezone(ZoneInfo(zone))
        if local.year > year:
            return moments
        moments.append(local)
    return moments


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_has_one_night_also_where_clocks_change(zone):
    moments = nights(zone, year=2026)
    counted = Counter(moment.date() for moment in moments)
    assert len(counted) == 365
    assert set(counted.values()) == {1}
    gaps = {after.astimezone(UTC) - before.astimezone(UTC) for before, after in pairwise(moments)}
    assert max(gaps) <= timedelta(hours=25)
    assert min(gaps) >= timedelta(hours=22, minutes=30)


def test_the_longest_night_and_day_are_within_what_counts_as_in_time():
    # Alerts call a night overdue after 26 hours unless a clinic says otherwise.
    moments = nights("Europe/Berlin", year=2026)
    assert max(after.astimezone(UTC) - before.astimezone(UTC) for before, after in pairwise(moments)) < timedelta(
        hours=26
    )
