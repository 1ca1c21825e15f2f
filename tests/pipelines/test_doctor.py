import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from assets import warehouse
from assets.feeds.secret import hold_secret
from pipelines import doctor
from pipelines.command_line import run
from pipelines.doctor import Health, examine, hours_since_last_night
from tests.system.night_runs import DEMO

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def home(tmp_path):
    """A state folder after a good night, which ended five hours ago."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o750)
    (folder / "landing").mkdir(mode=0o750)
    hold_secret(folder / "secret.key", landing=folder / "landing")
    with warehouse.hold_night(folder):
        pass
    leave(folder, ended=NOW - timedelta(hours=5))
    return folder


def leave(folder, *, ended, problem=None):
    told = {"ended_at": ended.isoformat(), "is_success": problem is None, "version": "V", "problem": problem}
    (folder / "last_run.json").write_text(json.dumps(told))


@pytest.fixture
def look(home, tmp_path):
    def looked(what, *, now=NOW, config=DEMO, secret=None, environ=None):
        (tmp_path / "inbox").mkdir(exist_ok=True)
        (tmp_path / "inbox" / "a.csv").touch()
        looks = examine(
            home=home,
            secret=secret or home / "secret.key",
            config=config,
            inbox=tmp_path / "inbox",
            now=now,
            overdue_hours=26,
            environ=environ or {},
        )
        return next(each for each in looks if each.what == what)

    return looked


def test_after_a_good_night_everything_is_good(home, look, tmp_path):
    look("disk")
    looks = examine(
        home=home,
        secret=home / "secret.key",
        config=DEMO,
        inbox=tmp_path / "inbox",
        now=NOW,
        overdue_hours=26,
        environ={},
    )
    assert {each.health for each in looks} == {Health.GOOD}
    names = [each.what for each in looks]
    assert names == [
        "state folder", "disk", "lock", "secret", "clock", "settings", "inbox", "last night", "permissions",
    ]  # fmt: skip


def test_before_the_first_night_nothing_is_bad_and_the_missing_night_is_said(tmp_path):
    looks = examine(
        home=tmp_path / "new", secret=tmp_path / "s", config=None, inbox=None, now=NOW, overdue_hours=26, environ={}
    )
    assert Health.BAD not in {each.health for each in looks}
    assert [each.what for each in looks if each.health is Health.WATCH] == ["last night"]
    assert not (tmp_path / "new").exists()


def test_a_disk_with_too_little_room_is_bad(look, monkeypatch):
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=doctor.SMALLEST_ROOM - 1))
    assert look("disk").health is Health.BAD
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: SimpleNamespace(free=doctor.SMALLEST_ROOM))
    assert look("disk").health is Health.GOOD


def test_a_night_that_is_running_is_told_and_is_no_fault(look, home):
    with warehouse.hold_night(home):
        assert look("lock").health is Health.WATCH
    assert look("lock").health is Health.GOOD


def test_a_secret_that_is_gone_open_or_another_is_bad(look, home, tmp_path):
    (home / "secret.key").chmod(0o644)
    assert "chmod 600" in look("secret").mend
    other = tmp_path / "other.key"
    other.touch(mode=0o600)
    other.write_text("cd" * 32)
    assert look("secret", secret=other).seen == "it is not the one that earlier nights used"
    assert look("secret", secret=tmp_path / "gone").health is Health.BAD


def test_a_clock_behind_the_newest_version_is_bad(look, home):
    folder = home / "published" / warehouse.new_version(NOW)
    folder.mkdir(parents=True)
    (folder / warehouse.WAREHOUSE_FILE).touch()
    assert look("clock", now=NOW + timedelta(hours=1)).health is Health.GOOD
    assert look("clock", now=NOW - timedelta(minutes=4)).health is Health.GOOD
    assert look("clock", now=NOW - timedelta(minutes=6)).health is Health.BAD


def test_wrong_settings_are_said_as_a_night_would_say_them(look, tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[clinic]\nname = 1\n")
    found = look("settings", config=wrong)
    assert (found.health, found.mend != "") == (Health.BAD, True)


def test_a_pull_whose_secret_is_not_in_the_environment_is_bad_and_what_is_there_is_not_said(look, tmp_path):
    pulling = tmp_path / "pulling.toml"
    pulling.write_text(
        DEMO.read_text()
        + """
[pulls.forms]
kind = "redcap"
url = "https://redcap.clinic.example/api/"
token_variable = "REDCAP_TOKEN"
exports = [{ name = "phq9", form = "phq9" }]

[pulls.share]
kind = "objects"
url = "file:///srv/share"
"""
    )
    missing = look("pulls.forms", config=pulling)
    assert (missing.health, missing.seen) == (Health.BAD, "the environment has no REDCAP_TOKEN")
    there = look("pulls.forms", config=pulling, environ={"REDCAP_TOKEN": "0A1B"})
    assert (there.health, "0A1B" in there.seen + there.mend) == (Health.GOOD, False)
    assert look("pulls.share", config=pulling).health is Health.GOOD


def test_a_key_that_is_no_key_or_is_open_to_others_is_bad_before_the_night_shows_it_to_anybody(look, tmp_path):
    key, pulling = tmp_path / "key.pem", tmp_path / "pulling.toml"
    sign_in = f'{{ kind = "backend_services", client_id = "rapport", key_id = "ours", key_file = "{key}" }}'
    pulling.write_text(
        f'{DEMO.read_text()}\n[pulls.ehr]\nkind = "fhir"\nurl = "https://x.example"\nsign_in = {sign_in}\n'
    )
    assert "can't be read" in look("pulls.ehr", config=pulling).seen
    key.write_text("0A1B")
    key.chmod(0o644)
    assert "other accounts" in look("pulls.ehr", config=pulling).seen
    key.chmod(0o600)
    found = look("pulls.ehr", config=pulling)
    assert (found.health, "not a private key" in found.seen) == (Health.BAD, True)
    assert "0A1B" not in found.seen + found.mend


def test_an_empty_inbox_is_worth_a_look_and_none_is_bad(tmp_path, home):
    def seen(inbox):
        looks = examine(
            home=home, secret=home / "secret.key", config=None, inbox=inbox, now=NOW, overdue_hours=26, environ={}
        )
        return next(each.health for each in looks if each.what == "inbox")

    (tmp_path / "empty").mkdir()
    assert seen(tmp_path / "empty") is Health.WATCH
    assert seen(tmp_path / "none") is Health.BAD


@pytest.mark.parametrize(("hours", "health"), [(25.9, Health.GOOD), (26, Health.GOOD), (26.1, Health.BAD)])
def test_a_night_is_overdue_just_past_the_hours_allowed(look, home, hours, health):
    leave(home, ended=NOW - timedelta(hours=hours))
    assert look("last night").health is health


def test_a_night_that_published_nothing_is_bad_and_its_line_is_repeated(look, home):
    leave(home, ended=NOW, problem="feeds.alliance: no such column")
    assert look("last night").seen == "published nothing: feeds.alliance: no such column"
    assert hours_since_last_night(home, now=NOW) == 0


def test_a_state_folder_open_to_every_account_is_bad(look, home):
    home.chmod(0o755)
    assert look("permissions").mend == f"chmod o-rwx {home}"


def test_the_verb_ends_with_1_where_a_night_would_not_work(home, capsys):
    leave(home, ended=datetime.now(UTC))
    assert run(["doctor", "--home", str(home)]) == 0
    os.chmod(home, 0o755)  # noqa: PTH101, S103 - as an operator would
    assert run(["doctor", "--home", str(home)]) == 1
    shown = capsys.readouterr().out
    assert "chmod o-rwx" in shown
    assert run(["doctor", "--home", str(home), "--alert"]) == 2
