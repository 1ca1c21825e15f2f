"""`nightly`: pull, hold to contract, join, estimate, publish and draw; or keep the last night's."""

from pathlib import Path

import click

from pipelines import options
from pipelines.command_line import WRONG_INPUT
from pipelines.state import state_folder


@click.command(name="nightly")
@options.config(is_required=True)
@options.inbox(is_required=True)
@click.option("--as-of", metavar="YYYY-MM-DD", help="The last day that the data speak of; today if not given.")
@options.home()
def command(config: Path, inbox: Path, as_of: str | None, home: str | None) -> int:
    """Run one night: the same job that the schedule runs. Exit 0 published, 2 wrong input, 1 anything else."""
    # Dagster takes seconds to import; neither --help nor a wrong setting should wait for it.
    from assets.service import read_service  # noqa: PLC0415

    read_service(config)
    from pipelines.night import run_night  # noqa: PLC0415
    from pipelines.night_report import report  # noqa: PLC0415

    folder = state_folder(home)
    end = run_night(config=config, inbox=inbox, home=folder, as_of=as_of)
    for failure in end.untold:
        click.echo(f"rapport: {failure}", err=True)
    if end.problem is None:
        click.echo(report(folder, end=end))
        return 0
    click.echo(f"rapport: {end.problem}", err=True)
    return WRONG_INPUT if end.is_wrong_input else 1
