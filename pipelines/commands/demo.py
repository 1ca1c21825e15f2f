"""`demo`: a seeded synthetic clinic through the whole night, with no service and no network."""

import hashlib
import shlex
from datetime import date
from pathlib import Path

import click

from assets.feeds import secret
from pipelines import options
from pipelines.command_line import PROGRAM
from pipelines.environment import ROOT
from pipelines.state import state_folder

DATA_DATE = date(2026, 10, 31)
SEED = 20261031
CLINICIANS = 40
CLIENTS = 1600
CONFIG = ROOT / "pipelines" / "examples" / "demo.toml"


def write_demo_inbox(folder: Path) -> Path:
    """The synthetic clinic's export; the same bytes every time."""
    from assets.feeds.synthetic import write_export  # noqa: PLC0415 - numpy is not needed for --help

    write_export(folder, seed=SEED, clinicians=CLINICIANS, clients=CLIENTS, data_on=DATA_DATE)
    return folder


def give_demo_secret(file: Path) -> None:
    """A secret that everybody knows, so that the made-up clinic looks the same everywhere; never for real people."""
    file.touch(mode=0o600)
    file.write_text(hashlib.sha256(f"a made-up clinic, {SEED}".encode()).hexdigest(), encoding="ascii")


@click.command(name="demo")
@options.home()
def command(home: str | None) -> int:
    """Run the main job on a synthetic clinic; print what came in, three findings, and where to look."""
    # Dagster takes seconds to import, and --help should not wait for it.
    from pipelines.night import run_night  # noqa: PLC0415
    from pipelines.night_report import report  # noqa: PLC0415

    folder = state_folder(home) / "demo"
    click.echo(f"Writing a synthetic clinic of {CLINICIANS} clinicians and {CLIENTS:,} clients ...", err=True)
    inbox = write_demo_inbox(folder / "inbox")
    click.echo("Running one night ...", err=True)
    give_demo_secret(folder / secret.NAME)
    end = run_night(config=CONFIG, inbox=inbox, home=folder, as_of=DATA_DATE.isoformat())
    if end.problem is not None:
        click.echo(f"rapport: {end.problem}", err=True)
        return 1
    click.echo(report(folder, end=end))
    given = f" --home {shlex.quote(home)}" if home else ""
    click.echo(f"\nSee the pages as a director, a clinician or a supervisor:\n  {PROGRAM} serve --demo{given}")
    return 0
