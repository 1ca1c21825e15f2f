"""`ui`: Dagster's pages and the daemon that keeps the schedule, on this machine only."""

import subprocess
from pathlib import Path

import click

from pipelines import dagster_processes, options
from pipelines.state import state_folder


@click.command(name="ui")
@options.config(is_required=False)
@options.inbox(is_required=False)
@options.home()
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="The port of the pages.")
@click.option("--read-only", is_flag=True, help="The pages alone, without the daemon: to look, not to start anything.")
def command(*, config: Path | None, inbox: Path | None, home: str | None, port: int, read_only: bool) -> int:
    """Open Dagster on the nightly job; its schedule runs for as long as this does."""
    environment = dagster_processes.environment(config=config, inbox=inbox, home=state_folder(home))
    words = dagster_processes.pages(port=port) if read_only else dagster_processes.pages_and_daemon(port=port)
    return subprocess.run(words, cwd=dagster_processes.DIRECTORY, env=environment, check=False).returncode
