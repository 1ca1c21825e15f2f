"""`versions`: what is kept of the nights published so far."""

import click

from assets import warehouse
from pipelines import options
from pipelines.state import state_folder


@click.command(name="versions")
@options.home()
def command(home: str | None) -> int:
    """List the kept versions, oldest first; the one that readers get is marked."""
    folder = state_folder(home)
    current = warehouse.current_version(folder)
    kept = warehouse.versions(folder)
    if not kept:
        click.echo(f"nothing is published in {folder} yet", err=True)
    for version in kept:
        click.echo(f"{'*' if version == current else ' '} {version}")
    return 0
