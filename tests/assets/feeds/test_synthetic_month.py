import csv
import io
from datetime import date
from itertools import pairwise

import pytest

from assets.feeds.synthetic import write_export
from assets.feeds.synthetic_month import Event, as_it_stands, month_of_drops

LAST_ON = date(2026, 11, 20)


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    write_export(folder, seed=2, clinicians=4, clients=30, data_on=LAST_ON)
    return {file.stem: file.read_text() for file in folder.glob("*.csv") if "resent" not in file.name}


def drops_of(export, *, days=30, seed=1):
    return month_of_drops(export, seed=seed, last_on=LAST_ON, days=days)


def test_the_same_seed_sends_the_same_bytes_and_another_one_others(export):
    assert drops_of(export) == drops_of(export)
    assert drops_of(export) != drops_of(export, seed=2)


def test_there_is_a_drop_a_day_up_to_the_last(export):
    days = [drop.day for drop in drops_of(export)]
    assert days == [date.fromordinal(LAST_ON.toordinal() - 29 + at) for at in range(30)]


@pytest.mark.parametrize("name", ["appointments", "wai_sr", "phq9"])
@pytest.mark.parametrize("days", [14, 30])
def test_every_row_of_the_export_has_come_by_the_end(export, name, days):
    header, *rows = csv.reader(io.StringIO(export[name]))
    came = set()
    for file, data in as_it_stands(drops_of(export, days=days)).items():
        if file.startswith(f"{name}_"):
            sent, *its_rows = csv.reader(io.StringIO(data.decode()))
            assert sent == header
            came |= {tuple(row) for row in its_rows}
    assert {tuple(row) for row in rows} <= came


def test_a_spoilt_file_is_sent_again_whole_under_its_name(export):
    drops = drops_of(export)
    for drop, following in pairwise(drops):
        if drop.stops_the_night:
            assert Event.MENDED in following.events
            again = drop.files.keys() & following.files.keys()
            assert any(drop.files[name] != following.files[name] for name in again)


def test_a_day_without_a_drop_has_no_file_and_its_rows_come_the_next_day(export):
    drops = drops_of(export)
    without = [at for at, drop in enumerate(drops) if Event.MISSING in drop.events]
    assert without
    for at in without:
        assert drops[at].files == {}
        assert Event.LATE in drops[at + 1].events or len(drops[at + 1].files) > 0


def test_a_file_without_a_day_goes_to_another_state_and_back(export):
    states = [drop.files["clinicians.csv"] for drop in drops_of(export) if "clinicians.csv" in drop.files]
    assert len(states) == 3
    assert states[0] == states[2] != states[1]


def test_too_few_days_for_all_to_be_put_right_are_refused(export):
    with pytest.raises(ValueError, match="at least 14 days"):
        drops_of(export, days=13)
