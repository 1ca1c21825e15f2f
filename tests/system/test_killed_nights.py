"""A night killed or stopped, and two nights at once: readers keep what they had, and the next night needs no help."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assets import warehouse
from pipelines.command_line import INTERRUPTED
from pipelines.integrity import verify
from pipelines.night_end import LAST_RUN
from tests.system.night_runs import DEMO, ROOT, Ended, command_line, nightly_words, quiet, run_nightly

# What the state folder shows as a night goes on, in that order.
MOMENTS: dict[str, Callable[[Path], bool]] = {
    "the build is begun": lambda work: (work / warehouse.SCRATCH_FILE).exists(),
    "the first checks have run": lambda work: len(list((work / "data_docs").glob("*"))) >= 2,
    "the site is being drawn": lambda work: (work / "staged").is_dir(),
}
LONGEST_WAIT = 300


def half_of_the_checks_have_run(work: Path) -> bool:
    return len(list((work / "data_docs").glob("*"))) >= 15


@contextmanager
def night_begun(home: Path, inbox: Path) -> Iterator[subprocess.Popen[str]]:
    """A night in a process group of its own, which is gone when the block ends."""
    words = command_line(*nightly_words(config=DEMO, inbox=inbox), home=home)
    process = subprocess.Popen(
        words, cwd=ROOT, env=quiet(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_until(is_so: Callable[[Path], bool], work: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + LONGEST_WAIT
    while not is_so(work):
        assert process.poll() is None, "the night ended before that moment"
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture(scope="module")
def home(small_night: Ended, tmp_path_factory: pytest.TempPathFactory) -> Path:
    assert small_night.status == 0, small_night.complained
    copy = tmp_path_factory.mktemp("killed") / "home"
    shutil.copytree(small_night.home, copy, symlinks=True)
    return copy


def stamp(work: Path) -> int | None:
    """Which build stands in the work folder: each night makes it anew."""
    build = work / warehouse.SCRATCH_FILE
    return build.stat().st_ctime_ns if build.exists() else None


def is_anew(seen: int | None) -> Callable[[Path], bool]:
    """Whether another build stands there than the one seen."""
    return lambda work: stamp(work) not in {None, seen}


def assert_readers_keep(home: Path, version: str | None) -> None:
    assert warehouse.current_version(home) == version
    left = Ended(home=home, status=0, said="", complained="")
    assert left.rows("SELECT COUNT(*) > 0 FROM marts.sessions") == [(True,)]
    assert (home / "site" / "index.html").is_file()


def test_a_night_that_its_service_manager_stops_says_so_and_publishes_nothing(home, small_inbox):
    """`systemctl stop` of a night that the timer started: SIGTERM to the command, and time to end."""
    before, seen = warehouse.current_version(home), stamp(home / "work")
    with night_begun(home, small_inbox) as process:
        wait_until(is_anew(seen), home / "work", process)
        wait_until(half_of_the_checks_have_run, home / "work", process)
        process.terminate()
        process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == INTERRUPTED
    word = json.loads((home / LAST_RUN).read_text())
    assert (word["is_success"], word["problem"]) == (False, f"it was stopped before its end; {before} stays published")
    assert_readers_keep(home, before)
    assert verify(home).differences == ()


def test_a_night_killed_at_any_moment_leaves_the_last_version_and_the_next_night_needs_no_help(home, small_inbox):
    before = warehouse.current_version(home)
    for is_so in MOMENTS.values():
        seen = stamp(home / "work")
        with night_begun(home, small_inbox) as process:
            wait_until(is_anew(seen), home / "work", process)
            wait_until(is_so, home / "work", process)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert_readers_keep(home, before)
    seen = stamp(home / "work")
    # No cleaning by hand: this night finds what the last killed one left, and a second that comes meanwhile is refused.
    with night_begun(home, small_inbox) as process:
        wait_until(is_anew(seen), home / "work", process)
        second = run_nightly(config=DEMO, inbox=small_inbox, home=home)
        _, complained = process.communicate()
    assert second.status == 1
    assert second.complained.splitlines() == [f"rapport: {home}: another night is running there; wait for it to end"]
    assert process.returncode == 0, complained
    assert warehouse.current_version(home) != before
    assert warehouse.versions(home)[0] == before
    assert_readers_keep(home, warehouse.current_version(home))
