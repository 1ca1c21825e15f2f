"""`purge`: remove the bytes of landed files past their days; the tables stay as they are."""

from pathlib import Path

import click

from pipelines import options
from pipelines.state import secret_file, state_folder


@click.command(name="purge")
@options.config(is_required=True)
@click.option(
    "--older-than", required=True, type=click.IntRange(min=0), metavar="DAYS", help="Days since a file landed."
)
@click.option("--as-of", metavar="YYYY-MM-DD", help="The day to count from; today if not given.")
@options.home()
def command(config: Path, older_than: int, as_of: str | None, home: str | None) -> int:
    """Keep each such file only as its judged lines, under codes. It can't be read again under other settings."""
    from assets import warehouse  # noqa: PLC0415 - --help should not wait for Dagster
    from assets.purging import purge  # noqa: PLC0415
    from assets.resources import Night  # noqa: PLC0415

    folder = state_folder(home)
    night = Night(
        config_file=str(config),
        inbox="",
        home=str(folder),
        data_date=as_of or "",
        secret_file=str(secret_file(folder)),
    )
    try:
        with warehouse.hold_night(folder):
            done = purge(night, older_than=older_than)
    except warehouse.NightInProgressError as busy:
        raise click.ClickException(str(busy)) from busy
    for name in done.files:
        click.echo(f"{name}: purged")
    for name, why in done.kept_back.items():
        click.echo(f"{name}: stays, since {why}")
    click.echo(f"{len(done.files)} landing copies removed, {len(done.kept_back)} past their days stay")
    return 0
