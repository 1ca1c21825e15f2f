"""When the night runs.

Belongs here: the job's name, its hour and its zone. Does not belong here: what the night does.
"""

import os
from pathlib import Path

import dagster as dg

from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from pipelines.progress import NAME as PROGRESS

NIGHTLY_JOB = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Pull, hold to contract, join, estimate, publish and draw.",
    executor_def=dg.in_process_executor,
    # However the run is started: a bar or lines, and never an exception's message, which may hold a value.
    config={"loggers": {PROGRESS: {}}},
)
EVERY_NIGHT = "30 2 * * *"


def clinic_zone() -> str:
    """The zone in which the night's hour is meant: the clinic's, or UTC while no configuration can be read."""
    config = os.environ.get("RAPPORT_CONFIG", "")
    try:
        return read_service(Path(config)).clinic.time_zone if config else "UTC"
    except WrongInput:
        # The pages must open for somebody to see what is wrong; the run itself refuses the configuration.
        return "UTC"


def nightly_schedule() -> dg.ScheduleDefinition:
    """The schedule, on from the start."""
    return dg.ScheduleDefinition(
        job=NIGHTLY_JOB,
        cron_schedule=EVERY_NIGHT,
        execution_timezone=clinic_zone(),
        default_status=dg.DefaultScheduleStatus.RUNNING,
    )
