"""Dagster's own record of past runs, kept short: the warehouse's versions are the record that counts.

Belongs here: forgetting old runs, and ending those whose process is gone. Does not belong here: old ticks of schedules and sensors, which Dagster forgets by itself.
"""

from pathlib import Path

import dagster as dg

from assets import warehouse

KEPT_RUNS = 60


def end_dead_runs(instance: dg.DagsterInstance, *, home: Path) -> int:
    """Note as failed every run that still counts as running though its process is gone; returns how many.

    A killed night can't say that it ended. Dagster would count it as running for good, keep it for good, and start no
    scheduled run beside it. Whoever holds the state folder knows that no night runs in it.

    Raises:
        NightInProgressError: where one does run.
    """
    with warehouse.hold_night(home):
        dead = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]))
        for run in dead:
            instance.report_run_failed(run, message="its process was killed before the run ended")
    return len(dead)


def forget_old_runs(instance: dg.DagsterInstance, *, keep: int = KEPT_RUNS) -> int:
    """Delete all but the newest runs that have ended, with their events; returns how many."""
    ended = dg.RunsFilter(
        statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]
    )
    old = instance.get_run_ids(ended)[keep:]
    for run_id in old:
        instance.delete_run(run_id)
        # What the run printed and the file of its events, now empty, would stay behind.
        instance.compute_log_manager.delete_logs(prefix=[run_id])
        (Path(instance.root_directory) / "history" / "runs" / f"{run_id}.db").unlink(missing_ok=True)
    return len(old)
