"""Nights over late, corrected, repeated, missing and spoilt drops come to what one night over all of them does.

Belongs here: a night's landing and staging, which decide what becomes of a line; all above is made of those tables alone.
A fortnight has everything that can happen to a drop; `bench month` runs thirty whole nights.
"""

from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets import staging as layer
from assets import warehouse
from assets.contracts import accounting, quality, staging
from assets.feeds.landing import land, landed_files
from assets.feeds.synthetic import write_export
from assets.feeds.synthetic_month import Drop, Event, as_it_stands, month_of_drops
from assets.feeds.wrong_input import WrongInput
from assets.purging import staging_in_memory
from assets.resources import Night
from assets.scores import score_forms
from tests.assets.staging_harness import give_secret
from tests.system.night_runs import ROOT

CONFIG = ROOT / "pipelines" / "examples" / "daily_drops.toml"
LAST_ON = date(2026, 11, 20)
# Where a row came from is another file for one night over everything than for the first of many.
PROVENANCE = {"source_file", "source_line", "file_number", "mapping"}


@pytest.fixture(scope="module")
def drops(tmp_path_factory) -> tuple[Drop, ...]:
    folder = tmp_path_factory.mktemp("export")
    write_export(folder, seed=11, clinicians=6, clients=40, data_on=LAST_ON)
    export = {file.stem: file.read_text() for file in folder.glob("*.csv") if "resent" not in file.name}
    return month_of_drops(export, seed=5, last_on=LAST_ON, days=14)


def receive(inbox: Path, drop: Drop) -> None:
    inbox.mkdir(parents=True, exist_ok=True)
    for name, data in drop.files.items():
        (inbox / name).write_bytes(data)


def night_of(folder: Path, day: date) -> Night:
    return Night(
        config_file=str(CONFIG), inbox=str(folder / "inbox"), home=str(folder / "home"), data_date=day.isoformat()
    )


def land_today(night: Night) -> None:
    land(Path(night.inbox), landing=night.landing, mappings=night.service.feeds, data_date=night.as_of)


def tables_of(night: Night) -> dict[str, pl.DataFrame]:
    """What a night makes of all that has landed: staging, what was refused, and the account of every file."""
    landed = landed_files(night.landing, mappings=night.service.feeds)
    night.work.mkdir(parents=True, exist_ok=True)
    with staging_in_memory(night) as con:
        for feed in staging.FEEDS:
            layer.stage_feed(con, feed, night=night, landed=landed)
        score_forms(con, registry=night.service.registry)
        warehouse.create_table(con, staging.REFUSED_ROWS, select=accounting.refused_lines())
        warehouse.create_table(con, quality.RECONCILIATION, select=accounting.reconciliation())
        names = [feed.table.full_name for feed in staging.FEEDS]
        names += [staging.SCORES.full_name, staging.REFUSED_ROWS.full_name, quality.RECONCILIATION.full_name]
        return {name: warehouse.read_frame(con, f"SELECT * FROM {name} ORDER BY ALL") for name in names}


@pytest.fixture(scope="module")
def fortnight(drops, tmp_path_factory):
    """Each night's tables, or the line that it stopped with; and the folder of all."""
    folder = tmp_path_factory.mktemp("fortnight")
    give_secret(folder / "home")
    nights: list[dict[str, pl.DataFrame] | str] = []
    for drop in drops:
        receive(folder / "inbox", drop)
        night = night_of(folder, drop.day)
        try:
            land_today(night)
            nights.append(tables_of(night))
        except WrongInput as wrong:
            nights.append(str(wrong))
    return folder, nights


def test_everything_that_can_happen_to_a_drop_happens_in_the_fortnight(drops):
    assert {event for drop in drops for event in drop.events} == set(Event)


def test_a_night_stops_on_a_file_that_cannot_be_read_until_it_is_sent_again_and_on_no_other(drops, fortnight):
    _, nights = fortnight
    stopped = [drop.day for drop, told in zip(drops, nights, strict=True) if isinstance(told, str)]
    assert stopped == [drop.day for drop in drops if drop.stops_the_night]
    assert all(len(told.splitlines()) == 1 for told in nights if isinstance(told, str))


def test_every_nights_lines_are_the_sum_of_their_fates(fortnight):
    _, nights = fortnight
    fates = pl.sum_horizontal("accepted", "refused", "superseded", "identical", "blank")
    for told in nights:
        if not isinstance(told, str):
            account = told[quality.RECONCILIATION.full_name]
            assert account.filter(pl.col("lines") != fates).rows() == []


def test_no_line_is_ever_dropped_from_the_account(drops, fortnight):
    """Lines counted again with `splitlines`, of every version of every name that ever stood in the inbox."""
    _, nights = fortnight
    sent: Counter[str] = Counter()
    last: dict[str, bytes] = {}
    for drop in drops:
        for name, data in drop.files.items():
            if last.get(name) != data:
                sent[name] += len(data.splitlines()) - 1 if data.isascii() and not data.startswith(b"PK") else 0
            last[name] = data
    told = nights[-1][quality.RECONCILIATION.full_name]
    spoilt = {name for drop in drops if drop.stops_the_night for name in drop.files}
    counted = dict(told.group_by("file").agg(pl.col("lines").sum()).rows())
    assert {name: lines for name, lines in counted.items() if name not in spoilt} == {
        name: lines for name, lines in sent.items() if name not in spoilt
    }


def test_one_night_over_what_landed_in_that_order_comes_to_the_same_tables(drops, fortnight, tmp_path):
    _, nights = fortnight
    give_secret(tmp_path / "home")
    for drop in drops:
        receive(tmp_path / "inbox", drop)
        land_today(night_of(tmp_path, drop.day))
    for name, table in tables_of(night_of(tmp_path, LAST_ON)).items():
        assert table.equals(nights[-1][name]), name


def test_one_night_over_the_inbox_as_it_stands_at_the_end_has_the_same_rows(drops, fortnight, tmp_path):
    _, nights = fortnight
    give_secret(tmp_path / "home")
    (tmp_path / "inbox").mkdir()
    for name, data in as_it_stands(drops).items():
        (tmp_path / "inbox" / name).write_bytes(data)
    night = night_of(tmp_path, LAST_ON)
    land_today(night)
    once = tables_of(night)
    for feed in staging.FEEDS:
        name = feed.table.full_name
        kept = [column for column in once[name].columns if column not in PROVENANCE]
        assert once[name].height > 0
        assert once[name].select(kept).sort(kept).equals(nights[-1][name].select(kept).sort(kept)), name


def test_a_correction_that_is_taken_back_leaves_what_was_sent_first(drops, fortnight):
    """Each row's last word, found again by reading the drops in their order."""
    _, nights = fortnight
    last: dict[str, str] = {}
    for drop in drops:
        names = [name for name in drop.files if name.startswith("appointments")]
        for name in sorted(names, key=lambda name: (name[-14:], "corrections" in name)):
            for line in drop.files[name].decode().splitlines()[1:]:
                row = line.split(",")
                last[row[0]] = row[5]
    told = dict(nights[-1]["staging.attendance"].select("appointment_id", "status").rows())
    assert len(told) > 100
    differ = Counter((told[each], last[each]) for each in told if each in last and told[each] != last[each])
    assert differ == Counter()
