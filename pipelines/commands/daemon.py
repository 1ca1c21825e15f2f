"""`daemon`: what keeps the schedule and the sensors, for a service manager to start and watch."""

import os
from pathlib import Path

import click

from pipelines import dagster_processes, options
from pipelines.state import state_folder


@click.command(name="daemon")
@options.config(is_required=False)
@options.inbox(is_required=False)
@options.home()
def command(config: Path | None, inbox: Path | None, home: str | None) -> None:
    """Keep the schedule until stopped; run it under systemd or in a container."""
    environment = dagster_processes.environment(config=config, inbox=inbox, home=state_folder(home))
    os.chdir(dagster_processes.DIRECTORY)
    words = dagster_processes.daemon()
    # This process becomes the daemon, so that the service manager's signals reach it.
    os.execve(words[0], words, environment)  # noqa: S606 - no shell is wanted
