"""`bench kills`: nights killed at any moment, out of room, robbed of their input, doubled, and with a clock that is wrong.

Belongs here: how many of each, at which moments, and the tally. Does not belong here: the harms (`pipelines.endurance.harms`)
or the laws (`pipelines.endurance.law`). Twenty readers read all the while. A night of the smallest clinic costs half a minute,
most of it rules and estimates, which change nothing that readers see; so moments are drawn in four ways: over the whole
night by the clock, before any change of a name or file in landing, before any such change later on, and, from the eve of a
publication, over its last steps alone, by the clock and before any change.
"""

import os
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from pipelines.benchmarks.result import BenchResult
from pipelines.endurance import harms, nights
from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import answered, begin, done, while_running
from pipelines.endurance.law import Account, account
from pipelines.endurance.readers import gathered, read_until_stopped
from pipelines.endurance.trial import Tally, Trial

READERS: Final = 20
MEBIBYTES: Final = 600
# Of all kills: whole nights by the clock, in landing, later changes of a night; the rest are of publications.
_WHOLE, _LANDING, _LATER = 0.04, 0.28, 0.03
# As many harmed nights, or publications, pass before one is left alone.
_HEALED_AFTER: Final = 20
_PUBLISHED_AFTER: Final = 4
_LANDING_ENDS: Final = f"/{nights.WORK}"


def run(replicates: int = 200) -> BenchResult:
    """Kill so many nights, a quarter as many without room, a tenth as many without input; the goal is no broken law."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rapport-kills-") as name:
        trial, length = _begun(Path(name) / "clinic")
        notes = Path(name) / "notes"
        notes.mkdir()
        with _readers(trial.clinic, notes=notes):
            tallies = [
                *kill_nights(trial, times=replicates, seconds=length),
                *rob(trial, times=max(replicates // 10, 1)),
                two_at_once(trial),
                *wrong_clocks(trial),
            ]
        other = Path(name) / "small"
        (other / "home").mkdir(parents=True)
        with harms.small_file_system(other / "home", mebibytes=MEBIBYTES) as is_mounted:
            small = _moved(trial, to=other)
            with _readers(small.clinic, notes=notes):
                tallies.append(fill_up(small, times=max(replicates // 4, 1), is_mounted=is_mounted))
        readings = answered(lambda: asdict(gathered(notes)), told=harms.told(trial.clinic))
    broken = [line for tally in tallies for line in tally.broken]
    errors = sum(readings["errors"].values())
    endings = sum((tally.endings for tally in tallies), Counter[str]())
    told = [f"{times} x {how}" for how, times in sorted(endings.items())]
    read = f"{READERS} readers: {readings['times']} readings of {readings['versions']} versions, {errors} wrong {readings['errors'] or ''}"
    minutes = f"{(time.monotonic() - begun) / 60:.0f} minutes"
    return BenchResult(
        rows=[tally.row() for tally in tallies],
        measured=float(len(broken) + errors),
        goal=0.0,
        held=not broken and not errors,
        sentence="\n".join([*broken, "Nights that ended by themselves:", *told, read.strip(), minutes]),
    )


def _begun(folder: Path) -> tuple[Trial, float]:
    """A clinic that has published once, and how long its night takes."""
    folder.mkdir()
    clinic = SmallClinic(folder)

    def write() -> int:
        clinic.write()
        return 0

    done(write, told=harms.told(clinic))
    nights.warm(clinic)
    begun = time.monotonic()
    if done(lambda: nights.whole_night(clinic), told=harms.told(clinic)) != 0:
        raise RuntimeError("the first night failed")
    seconds = time.monotonic() - begun
    base = Account(**answered(lambda: asdict(account(clinic.home)), told=harms.told(clinic)))
    draw = random.Random(20261123)  # noqa: S311 -- moments, no secret
    return Trial(clinic=clinic, base=base, draw=draw, kept=folder / "eve"), seconds


@contextmanager
def _readers(clinic: SmallClinic, *, notes: Path) -> Iterator[None]:
    work = partial(read_until_stopped, clinic.home, notes=notes)
    with while_running(work, told=clinic.folder / "readers", processes=READERS):
        yield


def kill_nights(trial: Trial, *, times: int, seconds: float) -> list[Tally]:
    """Whole nights first, then publications from one eve."""
    clinic, draw = trial.clinic, trial.draw
    clinic.send_one_more()
    changes = harms.changes_of(clinic, night=nights.whole_night)
    landing = next(at for at, what in enumerate(changes, start=1) if what.endswith(_LANDING_ENDS))
    whole, in_landing, later = (Tally(f"killed, {where}") for where in ("any moment", "in landing", "later change"))
    night = nights.whole_night
    plan: list[tuple[Tally, Callable[[], int]]] = []
    for _ in range(round(times * _WHOLE)):
        at = draw.uniform(0.0, 1.05 * seconds)
        plan.append((whole, partial(harms.killed_at_moment, clinic, night=night, seconds=at)))
    for _ in range(round(times * _LANDING)):
        number = draw.randint(1, landing)
        plan.append((in_landing, partial(harms.killed_at_change, clinic, night=night, number=number)))
    for _ in range(round(times * _LATER)):
        number = draw.randint(landing, len(changes))
        plan.append((later, partial(harms.killed_at_change, clinic, night=night, number=number)))
    draw.shuffle(plan)
    for number, (tally, act) in enumerate(plan, start=1):
        clinic.send_one_more()
        trial.harm(tally, act)
        if number % _HEALED_AFTER == 0 or number == len(plan):
            trial.heal(tally, night=night, expected=trial.expected())
    return [whole, in_landing, later, *_kill_publications(trial, times=times - len(plan))]


def _kill_publications(trial: Trial, *, times: int) -> list[Tally]:
    clinic, draw = trial.clinic, trial.draw
    clinic.send_one_more()
    done(lambda: nights.up_to_publication(clinic), told=harms.told(clinic))
    nights.copy_of_eve(clinic, to=trial.kept)
    nights.eve_again(clinic, kept=trial.kept)
    begun = time.monotonic()
    changes = harms.changes_of(clinic, night=nights.publication)
    seconds = time.monotonic() - begun
    by_clock, by_change = Tally("killed, publishing, any moment"), Tally("killed, publishing, any change")
    for number in range(times):
        nights.eve_again(clinic, kept=trial.kept)
        if number % 2:
            at = draw.uniform(0.0, 1.05 * seconds)
            tally, act = by_clock, partial(harms.killed_at_moment, clinic, night=nights.publication, seconds=at)
        else:
            place = draw.randint(1, len(changes))
            tally, act = by_change, partial(harms.killed_at_change, clinic, night=nights.publication, number=place)
        trial.harm(tally, act)
        if number % _PUBLISHED_AFTER == _PUBLISHED_AFTER - 1 or number == times - 1:
            nights.eve_again(clinic, kept=trial.kept)
            trial.heal(tally, night=nights.publication, expected=trial.expected())
    return [by_clock, by_change]


def fill_up(trial: Trial, *, times: int, is_mounted: bool) -> Tally:
    """Nights and publications with less and less room."""
    clinic, draw = trial.clinic, trial.draw
    tally = Tally("out of room" if is_mounted else "files cut short (no file system could be mounted)")
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
    return tally


def rob(trial: Trial, *, times: int) -> list[Tally]:
    """Inputs that vanish, change or are closed while they are read, and inputs that can only be read."""
    clinic, draw = trial.clinic, trial.draw
    tally = Tally("input gone, closed or changing")
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
    closed = Tally("input that can only be read")
    clinic.send_one_more()
    for path in (clinic.inbox, *clinic.inbox.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    trial.harm(closed, partial(harms.without_roots_rights, clinic, night=night))
    for path in (clinic.inbox, *clinic.inbox.rglob("*")):
        path.chmod(0o750 if path.is_dir() else 0o640)
    trial.heal(closed, night=night, expected=trial.expected())
    return [tally, closed]


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


def two_at_once(trial: Trial) -> Tally:
    """A second night that comes while one runs: it says so in one line, and the first is not disturbed."""
    clinic = trial.clinic
    tally = Tally("two nights at once")
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
    return tally


def wrong_clocks(trial: Trial) -> list[Tally]:
    """Nights whose clock stands wrong, with the data date of the command line and with today's."""
    clinic, tallies = trial.clinic, []
    for shift in (timedelta(days=-3), timedelta(hours=-1), timedelta(days=400)):
        tally = Tally(f"clock off by {shift.total_seconds() / 86400:+.2f} days")
        clinic.send_one_more()

        def night(clinic: SmallClinic, *, shift: timedelta = shift) -> int:
            nights.set_clock(shift)
            return nights.whole_night(clinic)

        before = nights.current(clinic)
        trial.harm(tally, partial(_left_alone, clinic, night=night))
        after = nights.current(clinic)
        if before is not None and after is not None and after <= before:
            tally.broken.append(f"{tally.harm}: the new version sorts before the one that it replaces")
        tallies.append(tally)
    trial.heal(tallies[-1], night=nights.whole_night, expected=trial.expected())
    return tallies


def _left_alone(clinic: SmallClinic, *, night: harms.Night) -> int:
    return done(lambda: night(clinic), told=harms.told(clinic))


def _moved(trial: Trial, *, to: Path) -> Trial:
    """The same clinic in another folder, whose state folder may be a file system of its own."""
    old = trial.clinic
    for path in (old.config, old.database):
        shutil.copy2(path, to / path.name)
    shutil.copytree(old.inbox, to / old.inbox.name)
    shutil.copytree(old.home, to / old.home.name, symlinks=True, dirs_exist_ok=True)
    clinic = SmallClinic(to, clients=old.clients)
    clinic.more = old.more
    return Trial(clinic=clinic, base=trial.base, draw=trial.draw, kept=trial.kept)
