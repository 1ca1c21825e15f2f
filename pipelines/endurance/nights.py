"""The nights that something is done to: whole ones, and their last step alone from the eve of a publication on.

Belongs here: running them in this process, which something else forked. Does not belong here: what is done to them.
"""

import importlib
import os
import resource
import shutil
import subprocess
import sys
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from assets import warehouse
from assets.feeds.wrong_input import WrongInput
from pipelines.command_line import INTERRUPTED, WRONG_INPUT
from pipelines.endurance.clinic import DATA_DATE, SmallClinic
from pipelines.endurance.forked import before_each_change, kill_this_group
from pipelines.environment import ROOT

WORK: Final = "work"
_IMPORTED: Final = ("pipelines.night", "pipelines.definitions", "great_expectations")
# Whoever asks what time it is.
_CLOCKS: Final = (
    "assets.published",
    "assets.resources",
    "assets.sources",
    "pipelines.night",
    "pipelines.night_end",
    "pipelines.pages",
)


def warm(clinic: SmallClinic) -> None:
    """Import all that a night imports, so that each that is forked from here costs its work alone."""
    clinic.set_environment()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore")
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    for module in (*_IMPORTED, "pipelines.gatekeeper.releases"):
        importlib.import_module(module)


def whole_night(clinic: SmallClinic, *, as_of: str | None = DATA_DATE.isoformat()) -> int:
    """One night as the command line runs it; its one line goes where a person would read it."""
    from pipelines.night import run_night  # noqa: PLC0415 - Dagster takes seconds to import
    from pipelines.night_end import STOPPED  # noqa: PLC0415

    clinic.set_environment()
    os.umask(0o027)
    try:
        end = run_night(config=clinic.config, inbox=clinic.inbox, home=clinic.home, as_of=as_of)
    except WrongInput as wrong:
        # Where it is seen before anything is started the command line says it.
        problem, status = str(wrong), WRONG_INPUT
    except KeyboardInterrupt:
        problem, status = STOPPED, INTERRUPTED
    else:
        problem, status = end.problem, WRONG_INPUT if end.is_wrong_input else 1
    if problem is None:
        return 0
    (clinic.folder / "problem").write_text(problem, encoding="utf-8")
    return status


def by_the_command_line(clinic: SmallClinic) -> int:
    """The same night as the verb that an operator or a timer starts: this process becomes it, and begins with its imports."""
    clinic.set_environment()
    words = ["nightly", "--config", str(clinic.config), "--inbox", str(clinic.inbox), "--as-of", DATA_DATE.isoformat()]
    os.chdir(ROOT)
    command = [sys.executable, "-m", "pipelines", *words, "--home", str(clinic.home)]
    os.execve(sys.executable, command, os.environ | {"PYTHONWARNINGS": "ignore"})  # noqa: S606 - no shell is wanted


def seconds_of_imports(*, told: Path) -> float:
    """What a night that is started as a command uses of a processor before its first line of work."""
    command = [sys.executable, "-c", f"import {', '.join(_IMPORTED)}"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with told.open("a", encoding="utf-8") as opened:
        subprocess.run(command, cwd=ROOT, check=True, stdout=opened, stderr=opened)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def up_to_publication(clinic: SmallClinic) -> int:
    """A night that dies on the eve of its publication: all is built and checked, nothing is staged."""

    def do(_: int, what: str) -> None:
        if what.startswith("os.mkdir") and what.endswith("/staged"):
            kill_this_group()

    before_each_change(clinic.home, do=do)
    return whole_night(clinic)


def publication(clinic: SmallClinic) -> int:
    """The night's last steps alone, by the same job, from what `up_to_publication` left."""
    import dagster as dg  # noqa: PLC0415

    from assets.published import VERSION  # noqa: PLC0415
    from assets.purging import PURGED_COPIES  # noqa: PLC0415
    from pipelines.definitions import defs  # noqa: PLC0415
    from pipelines.state import prepare_dagster  # noqa: PLC0415

    clinic.set_environment()
    os.umask(0o027)
    prepare_dagster(clinic.home)
    with dg.DagsterInstance.get() as instance:
        result = defs.resolve_job_def("nightly").execute_in_process(
            instance=instance,
            raise_on_error=False,
            asset_selection=[VERSION, PURGED_COPIES],
        )
    return 0 if result.success else 1


def copy_of_eve(clinic: SmallClinic, *, to: Path) -> None:
    """Keep what a night had built on the eve of its publication."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(clinic.home / WORK, to)


def eve_again(clinic: SmallClinic, *, kept: Path) -> None:
    """Lay out the work folder as it was on the eve."""
    shutil.rmtree(clinic.home / WORK, ignore_errors=True)
    shutil.copytree(kept, clinic.home / WORK)


def set_clock(shift: timedelta) -> None:
    """From now on this process believes that it is another time; the machine's clock belongs to everybody."""

    class Shifted(datetime):
        @classmethod
        def now(cls, tz=None):  # type: ignore[no-untyped-def,override]  # noqa: ANN001, ANN206
            return datetime.now(tz) + shift

    for module in _CLOCKS:
        importlib.import_module(module).__dict__["datetime"] = Shifted


def current(clinic: SmallClinic) -> str | None:
    """The version that its readers get."""
    return warehouse.current_version(clinic.home)
