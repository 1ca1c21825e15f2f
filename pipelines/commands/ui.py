"""`ui`: Dagster's pages and the daemon that keeps the schedule, on this machine only."""

import os
import subprocess
import sys
from pathlib import Path

import click

from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from pipelines.environment import ROOT
from pipelines.state import HOME_VARIABLE, prepare_dagster, state_folder


@click.command(name="ui")
@click.option("--config", type=click.Path(path_type=Path), help="The service's TOML file.")
@click.option("--inbox", type=click.Path(path_type=Path), help="The folder that the clinic's files arrive in.")
@click.option("--home", metavar="DIR", help="Where state is kept; RAPPORT_HOME or .rapport if not given.")
@click.option("--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="The port of the pages.")
def command(config: Path | None, inbox: Path | None, home: str | None, port: int) -> int:
    """Open Dagster on the nightly job; its schedule runs for as long as this does."""
    if config is not None:
        read_service(config)
    if inbox is not None and not inbox.is_dir():
        raise WrongInput(
            "there is no such folder", place=f"--inbox {inbox}", mend="give the folder that the export is in"
        )
    folder = state_folder(home)
    prepare_dagster(folder)
    environment = os.environ | {
        HOME_VARIABLE: str(folder),
        "RAPPORT_CONFIG": str(config.absolute()) if config else os.environ.get("RAPPORT_CONFIG", ""),
        "RAPPORT_INBOX": str(inbox.absolute()) if inbox else os.environ.get("RAPPORT_INBOX", ""),
        "RAPPORT_AS_OF": "",
    }
    # workspace.yaml names the working directory relative to where Dagster is started.
    started = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    return subprocess.run(started, cwd=ROOT, env=environment, check=False).returncode
