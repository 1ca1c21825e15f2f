import tomllib

import polars as pl

from assets.feeds.synthetic import write_export
from pipelines.benchmarks import incremental
from pipelines.benchmarks.night import DATA_DATE, Spent
from pipelines.environment import ROOT

DEMO = (ROOT / "pipelines" / "examples" / "demo.toml").read_text(encoding="utf-8")


def rows_of(files):
    return pl.concat([pl.read_csv(file, infer_schema=False) for file in files])


def test_every_row_is_delivered_once_a_month_at_a_time_and_the_last_day_apart(tmp_path):
    write_export(tmp_path / "whole", seed=3, clinicians=4, clients=300, data_on=DATA_DATE, days=incremental.DAYS)
    whole = {name: rows_of([tmp_path / "whole" / name]) for name in incremental.DATED}
    booked = incremental.deliver(tmp_path / "whole", inbox=tmp_path / "inbox", later=tmp_path / "later")
    for name, rows in whole.items():
        stem = name.removesuffix(".csv")
        months, [day] = list((tmp_path / "inbox").glob(f"{stem}_*")), list((tmp_path / "later").glob(f"{stem}_*"))
        assert 35 <= len(months) <= 38
        assert rows_of([*months, day]).sort(pl.all()).equals(rows.sort(pl.all()))
        column = incremental.DATED[name]
        assert set(rows_of([day])[column].str.slice(0, 10)) <= {DATA_DATE.isoformat()}
        assert not rows_of(months)[column].str.starts_with(DATA_DATE.isoformat()).any()
    assert booked == whole["appointments.csv"].filter(pl.col("starts_at").str.starts_with("2026-10-31")).height


def test_the_months_are_what_the_settings_ask_for():
    feeds = tomllib.loads(incremental.by_month(DEMO))["feeds"]
    files = {feed: mappings[0]["files"] for feed, mappings in feeds.items()}
    assert files["attendance"] == "appointments_*.csv"
    assert files["alliance"] == ["wai_sr_*.csv"]
    assert files["outcomes"] == "phq9_*.csv"
    assert files["people"] == "people.csv"


def test_the_second_night_is_held_against_the_first(monkeypatch):
    asked = []

    def spent_on(command):
        inbox = command[command.index("--inbox") + 1]
        asked.append((command[-1], len(list(incremental.Path(inbox).iterdir()))))
        return Spent(cpu=9.0 if len(asked) == 1 else 3.0, wall=1.0, mebibytes=1.0)

    monkeypatch.setattr(incremental, "spent_on", spent_on)
    result = incremental.run(600)
    assert (result.measured, result.held) == (3.0 / 9.0, True)
    assert [day for day, _ in asked] == ["2026-10-30", "2026-10-31"]
    assert asked[1][1] == asked[0][1] + len(incremental.DATED)
