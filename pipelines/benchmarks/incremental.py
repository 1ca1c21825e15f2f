"""`bench incremental`: what a night costs that adds one day to three years, against the night that read the three years.

Belongs here: how an export is delivered month by month and then a day at a time, and the two nights that are compared.
Does not belong here: the export (`assets.feeds.synthetic`) or the night itself.
"""

import tempfile
from datetime import timedelta
from pathlib import Path

import polars as pl

from assets.feeds.synthetic import write_export
from pipelines.benchmarks.night import APPOINTMENTS_A_CLIENT, DATA_DATE, clinicians_of, night_command, spent_on
from pipelines.benchmarks.result import BenchResult
from pipelines.environment import ROOT

GOAL = 1 / 3
DAYS = 1096
# A file of things that happened, and the column that says when.
DATED = {"appointments.csv": "starts_at", "wai_sr.csv": "completed_on", "phq9.csv": "completed_on"}
REGISTERS = ("people.csv", "episodes.csv", "clinicians.csv")


def run(rows: int = 100_000) -> BenchResult:
    """Compare the night over three years of about `rows` appointments with the next, which adds one day."""
    clients = max(round(rows / APPOINTMENTS_A_CLIENT), 60)
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
        folder = Path(name)
        write_export(
            folder / "whole",
            seed=1,
            clinicians=clinicians_of(clients),
            clients=clients,
            data_on=DATA_DATE,
            days=DAYS,
        )
        last_day = deliver(folder / "whole", inbox=folder / "inbox", later=folder / "later")
        config = folder / "months.toml"
        config.write_text(
            by_month((ROOT / "pipelines" / "examples" / "demo.toml").read_text(encoding="utf-8")), "utf-8"
        )
        night = {"config": config, "inbox": folder / "inbox", "home": folder / "home"}
        first = spent_on(night_command(**night, as_of=DATA_DATE - timedelta(days=1)))
        files = len(list((folder / "inbox").iterdir()))
        for file in (folder / "later").iterdir():
            file.rename(folder / "inbox" / file.name)
        second = spent_on(night_command(**night, as_of=DATA_DATE))
    measured = second.cpu / first.cpu
    return BenchResult(
        rows=[
            {"what": what, "new files": new, "CPU s": spent.cpu, "wall s": spent.wall, "MiB": spent.mebibytes}
            for what, new, spent in (("three years", files, first), ("one day more", len(DATED), second))
        ],
        measured=measured,
        goal=GOAL,
        held=measured <= GOAL,
        sentence=f"The day brought {last_day} appointments. Wall clock: {second.wall / first.wall:.2f} of the first night.",
    )


def deliver(whole: Path, *, inbox: Path, later: Path) -> int:
    """Divide an export into a file a month and, apart, a file of the last day; returns the last day's appointments.

    Args:
        whole: the export's folder.
        inbox: made; gets the registers and the months, the last without its last day. A row without a day that can be
            read goes with the first month.
        later: made; gets the last day's files.
    """
    inbox.mkdir()
    later.mkdir()
    for name in REGISTERS:
        (whole / name).rename(inbox / name)
    appointments = 0
    for name, column in DATED.items():
        rows = pl.read_csv(whole / name, infer_schema=False).with_columns(day=pl.col(column).str.slice(0, 10))
        is_last = pl.col("day").eq_missing(DATA_DATE.isoformat())
        past = rows.filter(~is_last)
        known = pl.col("day").str.contains(r"^20[0-9]{2}-[0-9]{2}-") & (pl.col("day") < DATA_DATE.isoformat())
        first = past.filter(known)["day"].min()
        month = pl.when(known).then(pl.col("day")).otherwise(pl.lit(first)).str.slice(0, 7)
        for (of_month,), part in past.with_columns(month=month).partition_by("month", as_dict=True).items():
            part.drop("day", "month").write_csv(inbox / name.replace(".csv", f"_{of_month}-01.csv"), null_value="")
        day = rows.filter(is_last).drop("day")
        day.write_csv(later / name.replace(".csv", f"_{DATA_DATE}.csv"), null_value="")
        appointments += day.height if name == "appointments.csv" else 0
    return appointments


def by_month(settings: str) -> str:
    """The demonstration's settings, for files that have a day in their names."""
    settings = settings.replace('"wai_sr_resent.csv"', '"wai_sr_*.csv"').replace('"wai_sr.csv", ', "")
    for name in DATED:
        settings = settings.replace(f'"{name}"', f'"{name.replace(".csv", "_*.csv")}"')
    return settings
