"""Where a night keeps its state: one folder, found the same way by every verb.

Belongs here: the folder's choice and Dagster's instance file in it. Does not belong here: what lies in the folder
(`assets.warehouse`, `assets.feeds.landing`).
"""

import os
from pathlib import Path

from assets.feeds import secret
from pipelines.environment import ROOT

HOME_VARIABLE = "RAPPORT_HOME"
# Where the clinic keeps its secret, where that is not in the state folder.
KEY_VARIABLE = "RAPPORT_SECRET_FILE"
# A night from the command line tells of its own end; the daemon sees its run too, and must not tell twice.
TELLS_ITSELF = "rapport/tells_itself"

# One run at a time, nothing reported to anybody, and old ticks thrown away.
_INSTANCE = """\
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days: 30
"""


def state_folder(given: str | None) -> Path:
    """The state folder: what was given, else `RAPPORT_HOME`, else `.rapport` in the clone; absolute."""
    chosen = given or os.environ.get(HOME_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else ROOT / ".rapport"


def secret_file(home: Path) -> Path:
    """Where the clinic keeps its secret: what `RAPPORT_SECRET_FILE` names, else in the state folder; absolute."""
    chosen = os.environ.get(KEY_VARIABLE)
    return Path(chosen).expanduser().absolute() if chosen else home / secret.NAME


def prepare_dagster(home: Path) -> Path:
    """Make Dagster's own folder in the state folder and point Dagster at it; returns it."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dagster.yaml").write_text(_INSTANCE, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(folder)
    return folder
