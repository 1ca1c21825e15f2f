"""The day that a night's data speak of: one day, and never one before the day that readers have already."""

from datetime import UTC, date, datetime

import polars as pl
import pytest

import assets.resources
from assets import sources, warehouse
from assets.contracts import quality
from assets.feeds.wrong_input import WrongInput
from assets.resources import Night
from tests.assets.staging_harness import CONFIG


@pytest.fixture
def night_on(tmp_path, monkeypatch):
    """Nights of a small clinic by a clock that the test sets."""

    def set_clock(moment: str) -> Night:
        class Clock(datetime):
            @classmethod
            def now(cls, tz=None):
                return datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(tz)

        monkeypatch.setattr(assets.resources, "datetime", Clock)
        (tmp_path / "clinic.toml").write_text(CONFIG)
        return Night(
            config_file=str(tmp_path / "clinic.toml"), inbox=str(tmp_path / "inbox"), home=str(tmp_path / "home")
        )

    return set_clock


def publish(night: Night, *, data_date: date) -> None:
    """A version that speaks of a day, with nothing else in it."""
    night.begin_build()
    run = sources.run_frame(night.service, data_date=data_date, secret_check="-")  # noqa: S106 -- none
    with night.open_build() as con:
        warehouse.create_table_from_frame(con, quality.RUN, frame=pl.DataFrame(run))
    staged = night.work / "staged"
    staged.mkdir()
    (night.work / warehouse.BUILD_FILE).rename(staged / warehouse.WAREHOUSE_FILE)
    home = night.work.parent
    version = warehouse.next_version(home, now=datetime(2026, 11, 20, tzinfo=UTC))
    warehouse.publish(staged, home=home, version=version, keep=2)


def test_a_night_that_midnight_interrupts_has_one_day(night_on):
    night = night_on("2026-11-20 23:59:59")
    assert night.as_of == date(2026, 11, 20)
    night_on("2026-11-21 00:00:01")
    assert night.as_of == date(2026, 11, 20)


def test_the_day_is_the_clinics_and_not_the_machines(night_on):
    # London keeps summer time in July.
    assert night_on("2026-07-01 23:30:00").as_of == date(2026, 7, 2)


def test_a_clock_that_was_set_back_publishes_nothing_older_and_says_so_in_one_line(night_on):
    night = night_on("2026-11-17 02:30:00")
    publish(night, data_date=date(2026, 11, 20))
    with pytest.raises(WrongInput) as told:
        sources.check_that_days_go_on(night)
    assert str(told.value) == (
        "this machine's clock: it says 2026-11-17, and the published version speaks of 2026-11-20; "
        "set it; or go back with `rollback`, or name the day with --as-of"
    )


@pytest.mark.parametrize(
    ("clock", "asked"), [("2026-11-20 02:30", ""), ("2027-11-20 02:30", ""), ("2026-11-17", "2026-11-01")]
)
def test_the_same_day_a_later_one_or_one_that_is_asked_for_goes_on(night_on, clock, asked):
    night = night_on(clock)
    publish(night, data_date=date(2026, 11, 20))
    asked_for = night.model_copy(update={"data_date": asked})
    assert sources.check_that_days_go_on(asked_for) is None
