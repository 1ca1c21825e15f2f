"""The one Definitions: every asset, check, job, schedule and resource of the night.

Belongs here: gathering what the rooms declare. Does not belong here: any asset or rule. Dagster reads annotations at
run time, so this module never postpones them.
"""

import os

import dagster as dg

from assets import changes, marts, published, purging, slices, sources, staging, watching
from assets.analysis import layer as analysis
from assets.resources import Night
from pipelines.pages import SitePages
from pipelines.progress import NAME, progress_logger
from pipelines.schedules import NIGHTLY_JOB, nightly_schedule
from pipelines.sensors import SENSORS
from pipelines.state import KEY_VARIABLE
from quality import checks

RESOURCES: dict[str, dg.ConfigurableResource] = {
    "night": Night(
        config_file=dg.EnvVar("RAPPORT_CONFIG"),
        inbox=dg.EnvVar("RAPPORT_INBOX"),
        home=dg.EnvVar("RAPPORT_HOME"),
        data_date=dg.EnvVar("RAPPORT_AS_OF"),
        secret_file=os.environ.get(KEY_VARIABLE, ""),
    ),
    "pages": SitePages(),
}

defs = dg.Definitions(
    assets=[
        *sources.ASSETS,
        *staging.ASSETS,
        *marts.ASSETS,
        *analysis.ASSETS,
        *slices.ASSETS,
        *watching.ASSETS,
        *changes.ASSETS,
        *checks.ASSETS,
        published.version,
        purging.purged_copies,
    ],
    asset_checks=checks.CHECKS,
    jobs=[NIGHTLY_JOB],
    schedules=[nightly_schedule()],
    sensors=SENSORS,
    resources=RESOURCES,
    loggers={"console": dg.colored_console_logger, NAME: progress_logger},
    executor=dg.in_process_executor,
)
