"""`verify`: hold what landed and what was published against the hashes written at the time."""

import click

from pipelines import options
from pipelines.state import state_folder


@click.command(name="verify")
@options.home()
def command(home: str | None) -> int:
    """Recompute every hash and name what differs. Exit 0 where all is as written, 1 where anything differs."""
    from pipelines.integrity import verify  # noqa: PLC0415 - Dagster takes seconds to import

    folder = state_folder(home)
    found = verify(folder)
    for difference in found.differences:
        click.echo(difference)
    told = f"{len(found.differences)} differences" if found.differences else "all as written"
    click.echo(f"{found.files} files held against their hashes in {folder}: {told}")
    return int(bool(found.differences))
