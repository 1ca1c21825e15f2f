"""`rebuild`: a past night made again from what had landed by then."""

from datetime import date
from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder


@click.command(name="rebuild")
@options.config(is_required=True)
@click.option("--as-of", required=True, metavar="YYYY-MM-DD", help="The data date of the night.")
@click.option(
    "--to", required=True, type=click.Path(path_type=Path), help="The folder to make: warehouse, site, checks."
)
@options.home()
def command(config: Path, as_of: str, to: Path, home: str | None) -> int:
    """Make a night again beside what is published, and hold it against the version kept of it.

    Nothing is pulled and nothing published. Exit 0 where every table and file is as it was, or no version of that night is
    kept; 1 where anything differs or the night stops.
    """
    from assets import warehouse  # noqa: PLC0415 -- --help should not wait for Dagster
    from pipelines.rebuilding import NotRebuiltError, rebuild  # noqa: PLC0415

    try:
        day = date.fromisoformat(as_of)
    except ValueError as error:
        raise WrongInput(f'"{as_of}" is not a day', place="--as-of", mend="write it as YYYY-MM-DD") from error
    folder = state_folder(home)
    try:
        with warehouse.hold_night(folder):
            made = rebuild(folder, config=config, as_of=day, to=to)
    except (warehouse.NightInProgressError, NotRebuiltError) as stopped:
        raise click.ClickException(str(stopped)) from stopped
    for sentence in made.lost:
        click.echo(f"Lost: {sentence}.")
    click.echo(f"{to}: the night of {day}, {made.tables} tables and {made.files} files")
    if made.compared_with is None:
        click.echo("No version of that night is kept to hold it against.")
        return 0
    for name in made.differences:
        click.echo(f"{name}: is not as it was")
    if not made.differences:
        bytes_too = "the same bytes" if made.is_same_file else "laid out otherwise inside, with the same rows"
        click.echo(
            f"All as in {made.compared_with}: every table to the last digit, every file to the byte; "
            f"the warehouse file is {bytes_too}."
        )
    return int(bool(made.differences))
