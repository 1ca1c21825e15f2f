"""`rollback`: give readers an earlier version again."""

import click

from assets import warehouse
from assets.feeds.wrong_input import WrongInput
from pipelines import options
from pipelines.state import state_folder


@click.command(name="rollback")
@click.argument("version", required=False)
@options.home()
def command(version: str | None, home: str | None) -> int:
    """Make VERSION current, or the one before the current where none is named."""
    folder = state_folder(home)
    kept = warehouse.versions(folder)
    chosen = version or _before(kept, current=warehouse.current_version(folder))
    if chosen is None:
        raise WrongInput("no earlier version is kept", place="rollback", mend="see `versions` for those that are")
    if chosen not in kept:
        raise WrongInput(
            "no such version is kept", place=f"rollback {chosen}", mend="see `versions` for those that are"
        )
    try:
        with warehouse.hold_night(folder):
            warehouse.point_current_at(folder, version=chosen)
    except warehouse.NightInProgressError as busy:
        raise click.ClickException(str(busy)) from busy
    click.echo(f"{chosen} is current")
    return 0


def _before(kept: list[str], *, current: str | None) -> str | None:
    older = [version for version in kept if current is not None and version < current]
    return older[-1] if older else None
