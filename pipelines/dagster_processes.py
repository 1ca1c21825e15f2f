"""Dagster's own long-running processes, started on the service's settings: pages and daemon together, or each alone.

Belongs here: the words they are started with and the environment they find. Does not belong here: the job and its
schedule (`definitions`).
"""

import os
import sys
from pathlib import Path

from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from pipelines.alerts import read_alerts
from pipelines.environment import ROOT
from pipelines.state import HOME_VARIABLE, prepare_dagster

# workspace.yaml names the working directory relative to where Dagster is started.
DIRECTORY = ROOT
_WORKSPACE = ("-w", "workspace.yaml")


def environment(*, config: Path | None, inbox: Path | None, home: Path) -> dict[str, str]:
    """What Dagster's processes find in their environment; settings that were not given are taken from ours.

    Raises:
        WrongInput: where the settings or the inbox can't be used.
    """
    if config is not None:
        read_service(config)
        read_alerts(config)
    if inbox is not None and not inbox.is_dir():
        raise WrongInput(
            "there is no such folder", place=f"--inbox {inbox}", mend="give the folder that the export is in"
        )
    prepare_dagster(home)
    return os.environ | {
        HOME_VARIABLE: str(home),
        "RAPPORT_CONFIG": str(config.absolute()) if config else os.environ.get("RAPPORT_CONFIG", ""),
        "RAPPORT_INBOX": str(inbox.absolute()) if inbox else os.environ.get("RAPPORT_INBOX", ""),
        "RAPPORT_AS_OF": "",
    }


def pages_and_daemon(*, port: int) -> list[str]:
    """Both in one process group, for one person on this machine."""
    return [sys.executable, "-m", "dagster", "dev", *_WORKSPACE, "-h", "127.0.0.1", "-p", str(port)]


def daemon() -> list[str]:
    """What keeps the schedule and the sensors, with no page."""
    return [str(Path(sys.executable).with_name("dagster-daemon")), "run", *_WORKSPACE]


def pages(*, port: int) -> list[str]:
    """The pages alone, which can look and not start anything, on this machine only."""
    words = [str(Path(sys.executable).with_name("dagster-webserver")), *_WORKSPACE]
    return [*words, "-h", "127.0.0.1", "-p", str(port), "--read-only"]
