"""`restore`: a state folder out of a backup."""

from pathlib import Path

import click

from pipelines import options
from pipelines.state import secret_file, state_folder


@click.command(name="restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@options.home()
def command(file: Path, home: str | None) -> int:
    """Unpack FILE, check every byte against its hash, and publish what was published then."""
    from pipelines.backup import restore  # noqa: PLC0415 -- --help should not wait for it

    folder = state_folder(home)
    contents = restore(file, home=folder)
    click.echo(f"{folder}: {len(contents.sha256)} files, version {contents.current or 'none'} is current")
    if not secret_file(folder).exists():
        click.echo(f"Put the clinic's secret at {secret_file(folder)} (mode 600) before the next night.")
    return 0
