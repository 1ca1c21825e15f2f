"""Would tonight's run work: each thing a night stands on, looked at by itself, with the mend where it would not.

Belongs here: looking, and saying in a line what was seen. Does not belong here: mending, or running anything. Every look is
value-free: it names settings, folders and times, never what is in a file.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from assets import warehouse
from assets.feeds.pulls.pulling import source_of
from assets.feeds.secret import CHECK_FILE, check_value, read_secret
from assets.feeds.wrong_input import WrongInput
from assets.service import read_service
from pipelines.alerts import read_alerts
from pipelines.night_end import LAST_RUN

# A night builds beside the published version, and both with spilled work stand on the disk at once.
ROOM_IN_VERSIONS = 4
SMALLEST_ROOM = 2 * 1024**3
CLOCK_SLACK = timedelta(minutes=5)


class Health(StrEnum):
    """How a look turned out."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"


@dataclass(frozen=True, kw_only=True)
class Look:
    """One thing looked at: what was seen, and what to do where it would stop a night."""

    what: str
    health: Health
    seen: str
    mend: str = ""


def examine(
    *,
    home: Path,
    secret: Path,
    config: Path | None,
    inbox: Path | None,
    now: datetime,
    overdue_hours: int,
    environ: Mapping[str, str],
) -> tuple[Look, ...]:
    """Look at everything.

    Args:
        home: the state folder.
        secret: where the clinic keeps its secret.
        config: the service's TOML file; not looked at where None.
        inbox: the folder that files arrive in; not looked at where None.
        now: this moment, with its zone.
        overdue_hours: how old the last night may be.
        environ: the environment, as the night would find it.
    """
    looks = [_folder(home), _disk(home), _lock(home), _secret(secret, home=home), _clock(home, now=now)]
    if config is not None:
        looks.extend(_config(config, environ=environ))
    if inbox is not None:
        looks.append(_inbox(inbox))
    looks.append(_last_night(home, now=now, overdue_hours=overdue_hours))
    looks.extend(_openness(home))
    return tuple(looks)


def hours_since_last_night(home: Path, *, now: datetime) -> float | None:
    """Hours since a night last ended, whatever it came to; None before the first."""
    try:
        ended = datetime.fromisoformat(json.loads((home / LAST_RUN).read_text(encoding="utf-8"))["ended_at"])
    except FileNotFoundError:
        return None
    return (now - ended) / timedelta(hours=1)


def _good(what: str, seen: str) -> Look:
    return Look(what=what, health=Health.GOOD, seen=seen)


def _bad(what: str, seen: str, *, mend: str) -> Look:
    return Look(what=what, health=Health.BAD, seen=seen, mend=mend)


def _watch(what: str, seen: str, *, mend: str) -> Look:
    return Look(what=what, health=Health.WATCH, seen=seen, mend=mend)


def _folder(home: Path) -> Look:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return _bad(
            "state folder",
            f"this account can't write in {there}",
            mend="give it to this account, or name another --home",
        )
    return _good("state folder", str(home) if there == home else f"{home} will be made by the first night")


def _disk(home: Path) -> Look:
    there = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    current = home / warehouse.CURRENT
    largest = sum(file.stat().st_size for file in current.rglob("*") if file.is_file()) if current.exists() else 0
    wanted = max(SMALLEST_ROOM, ROOM_IN_VERSIONS * largest)
    seen = f"{free / 1024**3:.1f} GiB free, {wanted / 1024**3:.1f} GiB wanted"
    if free < wanted:
        return _bad("disk", seen, mend="make room, keep fewer versions, or purge landing copies")
    return _good("disk", seen)


def _lock(home: Path) -> Look:
    if not (home / ".night.lock").exists():
        return _good("lock", "no night has run here yet")
    try:
        with warehouse.hold_night(home):
            return _good("lock", "free")
    except PermissionError:
        return _bad("lock", "this account can't open it", mend=f"give {home} to the account that runs the night")
    except warehouse.NightInProgressError:
        return _watch("lock", "a night is running", mend="a second one is refused until it ends")


def _secret(file: Path, *, home: Path) -> Look:
    check = home / "landing" / CHECK_FILE
    if not file.exists() and not check.exists():
        return _good("secret", "will be made by the first night")
    try:
        secret = read_secret(file)
    except WrongInput as wrong:
        return _bad("secret", wrong.what, mend=wrong.mend)
    if check.exists() and check.read_text(encoding="utf-8").strip() != check_value(secret):
        return _bad(
            "secret",
            "it is not the one that earlier nights used",
            mend="bring the right one back; SECURITY.md says how",
        )
    return _good("secret", "there, closed to others, and the one that earlier nights used")


def _clock(home: Path, *, now: datetime) -> Look:
    newest = warehouse.versions(home)[-1:]
    if newest:
        made = datetime.strptime(newest[0], "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
        if made > now + CLOCK_SLACK:
            return _bad(
                "clock",
                f"it is behind the newest version by {made - now}",
                mend="set the machine's clock; if it was ahead that night, `rollback` to a version before and remove the later folders",
            )
    return _good("clock", now.astimezone(UTC).isoformat(timespec="seconds"))


def _config(config: Path, *, environ: Mapping[str, str]) -> Iterator[Look]:
    try:
        service = read_service(config)
        read_alerts(config)
    except WrongInput as wrong:
        yield _bad("settings", f"{wrong.place}: {wrong.what}", mend=wrong.mend)
        return
    yield _good("settings", f"{len(service.feeds)} feeds, days begin in {service.clinic.time_zone}")
    for name, pull in service.pulls.items():
        missing = [variable for variable in pull.variables.values() if not environ.get(variable)]
        what = f"pulls.{name}"
        if missing:
            mend = "set it where the night is started, and start doctor in the same way"
            yield _bad(what, f"the environment has no {', '.join(missing)}", mend=mend)
            continue
        try:
            source_of(name, pull, environ=environ, zone=service.clinic.zone, now=datetime.now(UTC))
        except WrongInput as wrong:
            yield _bad(what, f"{wrong.place}: {wrong.what}", mend=wrong.mend)
        else:
            yield _good(what, "its secrets are set" if pull.variables else "needs no secret")


def _inbox(inbox: Path) -> Look:
    if not inbox.is_dir():
        return _bad("inbox", f"there is no folder {inbox}", mend="make it, or name the folder that the export is in")
    if not os.access(inbox, os.R_OK | os.X_OK):
        return _bad("inbox", f"this account can't read {inbox}", mend="let it read there")
    files = sum(1 for file in inbox.rglob("*") if file.is_file())
    return (
        _good("inbox", f"{files} files") if files else _watch("inbox", "it is empty", mend="see whether the export ran")
    )


def _last_night(home: Path, *, now: datetime, overdue_hours: int) -> Look:
    hours = hours_since_last_night(home, now=now)
    if hours is None:
        return _watch("last night", "none has ended here yet", mend="run `nightly`, or start the daemon or the timer")
    last = json.loads((home / LAST_RUN).read_text(encoding="utf-8"))
    if hours > overdue_hours:
        mend = "see whether the daemon or the timer runs"
        return _bad("last night", f"ended {hours:.0f} hours ago, {overdue_hours} are allowed", mend=mend)
    if not last["is_success"]:
        return _bad("last night", f"published nothing: {last['problem']}", mend="the line says it")
    return _good("last night", f"published {last['version']} {hours:.0f} hours ago")


def _openness(home: Path) -> Iterator[Look]:
    open_to_all = [path for path in (home, home / "landing") if path.is_dir() and path.stat().st_mode & 0o007]
    for path in open_to_all:
        yield _bad("permissions", f"{path} is open to every account", mend=f"chmod o-rwx {path}")
    if home.is_dir() and not open_to_all:
        yield _good("permissions", "closed to other accounts")
