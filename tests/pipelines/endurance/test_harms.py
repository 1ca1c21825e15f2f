"""That a harm does what it says, on nights of one line."""

import signal
import time

import pytest

from pipelines.endurance import harms
from pipelines.endurance.clinic import SmallClinic
from pipelines.endurance.forked import KILLED, answered, begin, while_running


@pytest.fixture
def clinic(tmp_path):
    clinic = SmallClinic(tmp_path)
    clinic.home.mkdir()
    clinic.inbox.mkdir()
    (clinic.inbox / "file.csv").write_text("whole")
    return clinic


def writes_three(clinic):
    for name in "abc":
        (clinic.home / name).write_bytes(bytes(20_000))
    return 0


def reads_twice(clinic):
    said = [(clinic.inbox / "file.csv").read_text() for _ in range(2)]
    (clinic.home / "read").write_text(" ".join(said))
    return 0


def works(clinic):
    """A night that works for a minute, and cleans up where it is stopped."""
    try:
        end = time.process_time() + 60
        while time.process_time() < end:
            pass
    except KeyboardInterrupt:
        (clinic.home / "stopped").touch()
        return 4
    return 0


def listens(clinic):
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    return works(clinic)


def test_a_night_is_killed_once_it_has_worked_so_long_or_ends_before_it(clinic):
    assert harms.killed_at_moment(clinic, night=works, seconds=0.2) == KILLED
    assert harms.killed_at_moment(clinic, night=lambda _: 3, seconds=60) == 3


def test_a_night_is_asked_to_stop_once_it_has_worked_so_long(clinic):
    assert harms.stopped_at_moment(clinic, night=listens, seconds=0.2) == 4
    assert (clinic.home / "stopped").exists()
    assert harms.stopped_at_moment(clinic, night=lambda _: 3, seconds=60) == 3


def test_a_night_dies_with_whoever_stops_waiting_for_it(clinic, a_signal_soon):
    group = begin(lambda: works(clinic), told=harms.told(clinic))
    with pytest.raises(KeyboardInterrupt):
        group.wait()
    with pytest.raises(ProcessLookupError):
        group.kill()


def test_a_night_is_killed_right_before_a_change_of_its_folder(clinic):
    assert len(harms.changes_of(clinic, night=writes_three)) == 3
    for name in "abc":
        (clinic.home / name).unlink()
    assert harms.killed_at_change(clinic, night=writes_three, number=2) == KILLED
    assert [path.name for path in clinic.home.iterdir()] == ["a"]


def test_a_file_may_not_grow_longer_than_allowed(clinic):
    assert harms.with_short_files(clinic, night=writes_three, longest=20_000) == 0
    assert harms.with_short_files(clinic, night=writes_three, longest=19_999) == 70
    assert "File too large" in harms.told(clinic).read_text()


def test_a_small_file_system_fills_up_where_one_may_be_mounted(clinic):
    with harms.small_file_system(clinic.home, mebibytes=1) as is_mounted:
        status = harms.without_room(clinic, night=writes_three, room=30_000) if is_mounted else 70
        again = harms.without_room(clinic, night=writes_three, room=200_000) if is_mounted else 0
    assert (status, again) == (70, 0)


def test_an_input_can_go_while_it_is_read(clinic):
    gone = harms.input_gone(
        clinic, night=reads_twice, file=clinic.inbox / "file.csv", at_reading=2, do=lambda file: file.unlink()
    )
    assert gone == 70
    assert "FileNotFoundError" in harms.told(clinic).read_text()


def test_without_roots_rights_a_files_mode_counts(clinic):
    assert harms.without_roots_rights(clinic, night=reads_twice) == 0
    (clinic.inbox / "file.csv").chmod(0o000)
    assert harms.without_roots_rights(clinic, night=reads_twice) == 70
    assert "PermissionError" in harms.told(clinic).read_text()


def test_what_is_asked_of_another_process_comes_back(tmp_path):
    assert answered(lambda: {"a": [1, 2]}, told=tmp_path / "told") == {"a": [1, 2]}
    with pytest.raises(RuntimeError, match="ended with status 70"):
        answered(lambda: 1 / 0, told=tmp_path / "told")


def test_those_who_run_beside_are_stopped_at_the_end(tmp_path):
    def notes() -> int:
        (tmp_path / "began").write_text("yes")
        time.sleep(60)
        return 0

    begun = time.monotonic()
    with while_running(notes, told=tmp_path / "told", processes=2):
        while not (tmp_path / "began").exists():
            assert time.monotonic() - begun < 30
            time.sleep(0.01)
    assert time.monotonic() - begun < 40
