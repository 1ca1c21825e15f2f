"""`daemon`: what keeps the schedule and the sensors, for a service manager to start and watch."""

import os
from contextlib import suppress
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
    folder = state_folder(home)
    environment = dagster_processes.environment(config=config, inbox=inbox, home=folder)
    _end_dead_runs(folder)
    os.chdir(dagster_processes.DIRECTORY)
    words = dagster_processes.daemon()
    # This process becomes the daemon, so that the service manager's signals reach it.
    os.execve(words[0], words, environment)  # noqa: S606 - no shell is wanted


def _end_dead_runs(home: Path) -> None:
    """Let no run that was killed with its machine keep the schedule waiting."""
    import dagster as dg  # noqa: PLC0415 - Dagster takes seconds to import

    from assets.warehouse import NightInProgressError  # noqa: PLC0415
    from pipelines.run_history import end_dead_runs  # noqa: PLC0415

    # Beside a night that a person has started there is nothing to clear up: it does so itself.
    with suppress(NightInProgressError), dg.DagsterInstance.get() as instance:
        end_dead_runs(instance, home=home)
