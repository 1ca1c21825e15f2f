"""Dagster's own record of past runs, kept short: the warehouse's versions are the record that counts.

Belongs here: forgetting old runs. Does not belong here: old ticks of schedules and sensors, which Dagster forgets by itself.
"""

from pathlib import Path

import dagster as dg

KEPT_RUNS = 60


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
