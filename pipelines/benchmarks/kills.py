"""`bench kills`: nights killed at any moment, out of room, robbed of their input, doubled, and with a clock that is wrong.

Belongs here: how many of each, at which moments, and the tally. Does not belong here: the harms (`pipelines.endurance.harms`)
or the laws (`pipelines.endurance.law`). Twenty readers read all the while.

As many whole nights as are asked for are killed, children and all, each at a moment drawn evenly from the processor time that
a night takes. One in twenty is the command itself, killed from its first import on; the others are forked from a process that
has imported what a night imports. Most of a night is rules and estimates, which change nothing that readers see; so a quarter
as many are killed beside them in landing, right before a change of a name or file, and from the eve of a publication on, by
the clock and right before a change.
"""

import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from assets.feeds.secret import NAME as SECRET
from pipelines.benchmarks.result import BenchResult
from pipelines.endurance import harms, nights
from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import answered, begin, done, while_running
from pipelines.endurance.law import Account, account, broken_word
from pipelines.endurance.readers import gathered, read_until_stopped
from pipelines.endurance.same_tables import OF_FILES, WAY_IN, differing_tables
from pipelines.endurance.trial import Trial, timed
from pipelines.night_end import LAST_RUN

READERS: Final = 20
MEBIBYTES: Final = 600
# One whole night in so many is the command itself; so many harmed nights, or publications, pass before one is left alone.
_COMMAND_AMONG: Final = 20
_HEALED_AFTER: Final = 20
_PUBLISHED_AFTER: Final = 4
# Seconds of a processor after which a forked night listens to signals.
_UNDER_WAY: Final = 0.2
_LANDING_ENDS: Final = f"/{nights.WORK}"


def run(replicates: int = 200) -> BenchResult:
    """Kill so many nights, a quarter as many without room, a tenth as many without input; the goal is no broken law.

    Ctrl-C, or SIGTERM, ends it early with what it has by then, which does not hold.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="rapport-kills-") as name:
        trial = _begun(Path(name) / "clinic")
        notes = Path(name) / "notes"
        notes.mkdir()
        is_whole = False
        with suppress(KeyboardInterrupt):
            _everything(trial, times=replicates, notes=notes)
            is_whole = True
        readings = answered(lambda: asdict(gathered(notes)), told=harms.told(trial.clinic))
    broken = [line for tally in trial.tallies for line in tally.broken]
    errors = sum(readings["errors"].values())
    endings = sum((tally.endings for tally in trial.tallies), Counter[str]())
    told = [f"{times} x {how}" for how, times in sorted(endings.items())]
    read = f"{READERS} readers: {readings['times']} readings of {readings['versions']} versions, {errors} wrong {readings['errors'] or ''}"
    minutes = f"{(time.monotonic() - trial.begun) / 60:.0f} minutes"
    stopped = [] if is_whole else ["It was stopped before its end; this is what it had."]
    return BenchResult(
        rows=[tally.row() for tally in trial.tallies],
        measured=float(len(broken) + errors),
        goal=0.0,
        held=is_whole and not broken and not errors,
        sentence="\n".join([*stopped, *broken, "Nights that ended by themselves:", *told, read.strip(), minutes]),
    )


def _everything(trial: Trial, *, times: int, notes: Path) -> None:
    with _readers(trial.clinic, notes=notes):
        kill_nights(trial, times=times)
        stop_nights(trial, times=max(times // 10, 1))
        kill_in_landing(trial, times=max(times // 8, 1))
        kill_publications(trial, times=max(times // 4, 2))
        rob(trial, times=max(times // 10, 1))
        two_at_once(trial)
        wrong_clocks(trial)
        undisturbed(trial)
    other = trial.clinic.folder.with_name("small")
    (other / "home").mkdir(parents=True)
    with harms.small_file_system(other / "home", mebibytes=MEBIBYTES) as is_mounted:
        small = _moved(trial, to=other)
        with _readers(small.clinic, notes=notes):
            fill_up(small, times=max(times // 4, 1), is_mounted=is_mounted)


def _begun(folder: Path) -> Trial:
    """A clinic that has published once, and how long its night takes."""
    folder.mkdir()
    clinic = SmallClinic(folder)

    def write() -> int:
        clinic.write()
        return 0

    done(write, told=harms.told(clinic))
    nights.warm(clinic)
    status, seconds = timed(clinic, night=nights.whole_night)
    if status != 0:
        raise RuntimeError("the first night failed")
    base = Account(**answered(lambda: asdict(account(clinic.home)), told=harms.told(clinic)))
    draw = random.Random(20261123)  # noqa: S311 -- moments, no secret
    return Trial(clinic=clinic, base=base, draw=draw, kept=folder / "eve", seconds=seconds)


@contextmanager
def _readers(clinic: SmallClinic, *, notes: Path) -> Iterator[None]:
    work = partial(read_until_stopped, clinic.home, notes=notes)
    with while_running(work, told=clinic.folder / "readers", processes=READERS):
        yield


def kill_nights(trial: Trial, *, times: int) -> None:
    """Whole nights, each killed at a moment of its own."""
    forked, started = trial.tally("killed at any moment"), trial.tally("killed at any moment, the command")
    night, clinic = nights.whole_night, trial.clinic
    imports, killed = nights.seconds_of_imports(told=harms.told(clinic)), 0
    while killed < times:
        tally, one, length = forked, night, trial.seconds
        if killed % _COMMAND_AMONG == _COMMAND_AMONG - 1:
            tally, one, length = started, nights.by_the_command_line, trial.seconds + imports
        clinic.send_one_more()
        at = trial.draw.uniform(0.0, length)
        # A night that was quicker than the last one was not killed, and does not count as killed.
        killed += harms.was_killed(trial.harm(tally, partial(harms.killed_at_moment, clinic, night=one, seconds=at)))
        if tally.nights % _HEALED_AFTER == 0 or killed == times:
            trial.heal(tally, night=night, expected=trial.expected())


def stop_nights(trial: Trial, *, times: int) -> None:
    """Whole nights that are asked to stop, each at a moment of its own; the word that they leave must be so."""
    clinic, night, tally = trial.clinic, nights.whole_night, trial.tally("asked to stop at any moment")
    for number in range(1, times + 1):
        clinic.send_one_more()
        before, note = nights.current(clinic), clinic.home / LAST_RUN
        note.unlink(missing_ok=True)
        at = trial.draw.uniform(_UNDER_WAY, trial.seconds)
        trial.harm(tally, partial(harms.stopped_at_moment, clinic, night=night, seconds=at))
        tally.broken += [f"{tally.harm}: {each}" for each in broken_word(clinic.home, before=before)]
        if number % _HEALED_AFTER == 0 or number == times:
            trial.heal(tally, night=night, expected=trial.expected())


def kill_in_landing(trial: Trial, *, times: int) -> None:
    """Nights killed right before a change that they make while they fetch and land."""
    clinic, night, tally = trial.clinic, nights.whole_night, trial.tally("killed at a change in landing")
    clinic.send_one_more()
    changes = harms.changes_of(clinic, night=night)
    landing = next(at for at, what in enumerate(changes, start=1) if what.endswith(_LANDING_ENDS))
    for number in range(1, times + 1):
        clinic.send_one_more()
        place = trial.draw.randint(1, landing)
        trial.harm(tally, partial(harms.killed_at_change, clinic, night=night, number=place))
        if number % _HEALED_AFTER == 0 or number == times:
            trial.heal(tally, night=night, expected=trial.expected())


def kill_publications(trial: Trial, *, times: int) -> None:
    """Publications killed, each from the same eve on."""
    clinic, draw, night = trial.clinic, trial.draw, nights.publication
    by_clock = trial.tally("killed publishing, any moment")
    by_change = trial.tally("killed publishing, at a change")
    clinic.send_one_more()
    done(lambda: nights.up_to_publication(clinic), told=harms.told(clinic))
    nights.copy_of_eve(clinic, to=trial.kept)
    nights.eve_again(clinic, kept=trial.kept)
    changes = harms.changes_of(clinic, night=night)
    nights.eve_again(clinic, kept=trial.kept)
    _, seconds = timed(clinic, night=night)
    for number in range(times):
        nights.eve_again(clinic, kept=trial.kept)
        if number % 2:
            at = draw.uniform(0.0, seconds)
            tally, act = by_clock, partial(harms.killed_at_moment, clinic, night=night, seconds=at)
        else:
            place = draw.randint(1, len(changes))
            tally, act = by_change, partial(harms.killed_at_change, clinic, night=night, number=place)
        trial.harm(tally, act)
        if number % _PUBLISHED_AFTER == _PUBLISHED_AFTER - 1 or number == times - 1:
            nights.eve_again(clinic, kept=trial.kept)
            trial.heal(tally, night=night, expected=trial.expected())


def undisturbed(trial: Trial) -> None:
    """A state folder in which one night ran over all that was sent, and the tables held against it."""
    clinic, tally = trial.clinic, trial.tally("none: one night over everything")
    trial.heal(tally, night=nights.whole_night, expected=trial.expected())
    folder = clinic.folder.with_name("undisturbed")
    other = _sent_to(clinic, to=folder)
    other.home.mkdir()
    # Codes are made with the clinic's secret.
    shutil.copy2(clinic.home / SECRET, other.home / SECRET)
    if done(lambda: nights.whole_night(other), told=harms.told(other)) != 0:
        tally.broken.append("the one night did not publish")
        return
    differing = answered(
        lambda: differing_tables(clinic.home, other.home, but=OF_FILES, without=WAY_IN), told=harms.told(other)
    )
    tally.broken += [f"{name} differs from that of the one night" for name in differing]


def fill_up(trial: Trial, *, times: int, is_mounted: bool) -> None:
    """Nights and publications with less and less room."""
    clinic, draw = trial.clinic, trial.draw
    tally = trial.tally("out of room" if is_mounted else "files cut short (no file system could be mounted)")
    short = harms.without_room if is_mounted else harms.with_short_files
    name = "room" if is_mounted else "longest"
    for number in range(times):
        if number % 2:
            nights.eve_again(clinic, kept=trial.kept)
            night, most = nights.publication, 30_000_000
        else:
            night, most = nights.whole_night, 30_000_000 if number % 12 == 0 else 400_000
        room = round(draw.uniform(0, most))
        trial.harm(tally, partial(short, clinic, night=night, **{name: room}))
        if number % _HEALED_AFTER == 0 or number == times - 1:
            clinic.send_one_more()
            trial.heal(tally, night=nights.whole_night, expected=trial.expected())


def rob(trial: Trial, *, times: int) -> None:
    """Inputs that vanish, change or are closed while they are read, and inputs that can only be read."""
    clinic, draw = trial.clinic, trial.draw
    tally = trial.tally("input gone, closed or changing")
    night = nights.whole_night
    for number in range(times):
        clinic.send_one_more()
        file = max((clinic.inbox / "more").iterdir())
        kept = file.read_bytes()
        match number % 5:
            case 0:
                act = partial(_gone, trial, file=file, at_reading=draw.randint(1, 2), do=Path.unlink)
            case 1:
                act = partial(_gone, trial, file=file, at_reading=2, do=_cut)
            case 2:
                act = partial(_moved_away, trial, folder=clinic.inbox, night=night)
            case 3:
                file.chmod(0o000)
                act = partial(harms.without_roots_rights, clinic, night=night)
            case _:
                act = partial(_moved_away, trial, folder=clinic.database, night=night)
        trial.harm(tally, act)
        file.unlink(missing_ok=True)
        file.write_bytes(kept)
    trial.heal(tally, night=night, expected=trial.expected())
    closed = trial.tally("input that can only be read")
    clinic.send_one_more()
    for path in (clinic.inbox, *clinic.inbox.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    trial.harm(closed, partial(harms.without_roots_rights, clinic, night=night))
    for path in (clinic.inbox, *clinic.inbox.rglob("*")):
        path.chmod(0o750 if path.is_dir() else 0o640)
    trial.heal(closed, night=night, expected=trial.expected())


def _gone(trial: Trial, *, file: Path, at_reading: int, do: Callable[[Path], None]) -> int:
    return harms.input_gone(trial.clinic, night=nights.whole_night, file=file, at_reading=at_reading, do=do)


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def _moved_away(trial: Trial, *, folder: Path, night: harms.Night) -> int:
    away = folder.with_name(f"{folder.name}-away")
    folder.rename(away)
    try:
        return done(lambda: night(trial.clinic), told=harms.told(trial.clinic))
    finally:
        folder.unlink(missing_ok=True)
        away.rename(folder)


def two_at_once(trial: Trial) -> None:
    """A second night that comes while one runs: it says so in one line, and the first is not disturbed."""
    clinic = trial.clinic
    tally = trial.tally("two nights at once")
    clinic.send_one_more()
    first = begin(lambda: nights.whole_night(clinic), told=harms.told(clinic))
    lock = clinic.home / nights.WORK / "scratch.duckdb"
    seen = lock.stat().st_ctime_ns if lock.exists() else None
    while not lock.exists() or lock.stat().st_ctime_ns == seen:
        time.sleep(0.05)
    trial.harm(tally, lambda: done(lambda: nights.whole_night(clinic), told=harms.told(clinic)))
    status = first.wait()
    if status != 0:
        tally.broken.append(f"two nights at once: the first ended with status {status}")
    trial.heal(tally, night=nights.whole_night, expected=trial.expected())


def wrong_clocks(trial: Trial) -> None:
    """Nights whose clock stands wrong, with the data date of the command line and with today's."""
    clinic = trial.clinic
    for shift in (timedelta(days=-3), timedelta(hours=-1), timedelta(days=400)):
        tally = trial.tally(f"clock off by {shift.total_seconds() / 86400:+.2f} days")
        clinic.send_one_more()

        def night(clinic: SmallClinic, *, shift: timedelta = shift) -> int:
            nights.set_clock(shift)
            return nights.whole_night(clinic)

        before = nights.current(clinic)
        trial.harm(tally, partial(_left_alone, clinic, night=night))
        after = nights.current(clinic)
        if before is not None and after is not None and after <= before:
            tally.broken.append(f"{tally.harm}: the new version sorts before the one that it replaces")
    trial.heal(tally, night=nights.whole_night, expected=trial.expected())


def _left_alone(clinic: SmallClinic, *, night: harms.Night) -> int:
    return done(lambda: night(clinic), told=harms.told(clinic))


def _sent_to(old: SmallClinic, *, to: Path) -> SmallClinic:
    """All that a clinic has sent by now, in another folder."""
    to.mkdir(exist_ok=True)
    for path in (old.config, old.database):
        shutil.copy2(path, to / path.name)
    shutil.copytree(old.inbox, to / old.inbox.name)
    clinic = SmallClinic(to, clients=old.clients)
    clinic.more = old.more
    return clinic


def _moved(trial: Trial, *, to: Path) -> Trial:
    """The same clinic in another folder, whose state folder may be a file system of its own."""
    clinic = _sent_to(trial.clinic, to=to)
    shutil.copytree(trial.clinic.home, clinic.home, symlinks=True, dirs_exist_ok=True)
    return replace(trial, clinic=clinic)
