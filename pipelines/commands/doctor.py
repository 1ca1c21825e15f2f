"""`doctor`: what tonight's run stands on, looked at one by one; exit 1 where something would stop it."""

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from pipelines import options
from pipelines.state import secret_file, state_folder


@click.command(name="doctor")
@options.config(is_required=False)
@options.inbox(is_required=False)
@options.home()
@click.option("--alert", is_flag=True, help="Tell those whom --config names where no night has ended in time.")
def command(*, config: Path | None, inbox: Path | None, home: str | None, alert: bool) -> int:
    """Look at the disk, the folders, the lock, the secret, the clock, the settings, the pulls' secrets and the last night."""
    from assets.service import read_service  # noqa: PLC0415 -- --help should not wait for it
    from pipelines import doctor  # noqa: PLC0415
    from pipelines.alerts import Alerts, read_alerts, tell, told_of_silence  # noqa: PLC0415
    from pipelines.benchmarks.result import as_table  # noqa: PLC0415

    if alert and config is None:
        raise click.UsageError("--alert needs --config, which says whom to tell", ctx=click.get_current_context())
    folder, now = state_folder(home), datetime.now(UTC)
    alerts = read_alerts(config) if config is not None and alert else Alerts()
    looks = doctor.examine(
        home=folder,
        secret=secret_file(folder),
        config=config,
        inbox=inbox,
        now=now,
        overdue_hours=alerts.overdue_hours,
        environ=os.environ,
    )
    click.echo(
        as_table([{"what": look.what, "health": look.health, "seen": look.seen, "mend": look.mend} for look in looks])
    )
    hours = doctor.hours_since_last_night(folder, now=now)
    if alert and config is not None and (hours is None or hours > alerts.overdue_hours):
        message = told_of_silence(clinic=read_service(config).clinic.name, hours=hours)
        for failure in tell(message, alerts=alerts):
            click.echo(f"rapport: {failure}", err=True)
    return int(any(look.health is doctor.Health.BAD for look in looks))
