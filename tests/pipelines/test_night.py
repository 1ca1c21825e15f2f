"""How a night that came to no run is told: the note for machines, people, and the one line."""

import json
import os
import signal
import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from assets import warehouse
from assets.feeds.wrong_input import WrongInput
from pipelines import night
from pipelines.night_end import LAST_RUN
from tests.system.night_runs import DEMO


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def run(tmp_path, *, inbox, config=DEMO, as_of=None):
    return night.run_night(config=config, inbox=inbox, home=tmp_path / "home", as_of=as_of)


def note(tmp_path):
    return json.loads((tmp_path / "home" / LAST_RUN).read_text())


@pytest.mark.parametrize("wrong", ["config", "inbox", "as_of"])
def test_a_wrong_start_leaves_word_too(tmp_path, inbox, wrong):
    given = {"config": tmp_path / "none.toml", "inbox": tmp_path / "none", "as_of": "2026-02-30"}[wrong]
    with pytest.raises(WrongInput) as told:
        run(tmp_path, **{"inbox": inbox, wrong: given})
    left = note(tmp_path)
    assert (left["is_success"], left["version"]) == (False, None)
    assert left["problem"] == f"{told.value}; nothing is published yet"


def test_a_wrong_start_is_told_to_those_whom_the_settings_name(tmp_path, inbox, monkeypatch):
    messages = []
    monkeypatch.setattr(night, "tell", lambda message, **_: messages.append(message) or ())
    with pytest.raises(WrongInput):
        run(tmp_path, inbox=tmp_path / "none")
    assert [message.is_good_news for message in messages] == [False]
    assert "--inbox" in messages[0].text


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "/x/4711"), "OSError, the disk is full; "),
        (
            OperationalError("INSERT 4711", None, sqlite3.OperationalError("database or disk is full")),
            "OperationalError, the disk is full; ",
        ),
    ],
)
def test_a_disk_that_is_full_before_the_run_is_one_line_and_no_crash(tmp_path, inbox, monkeypatch, error, said):
    def fails(_):
        raise error

    monkeypatch.setattr(night, "prepare_dagster", fails)
    end = run(tmp_path, inbox=inbox)
    assert end.problem.startswith(f"the night could not run: {said}")
    assert end.problem == note(tmp_path)["problem"]
    assert "4711" not in end.problem


def test_a_fault_of_ours_before_the_run_leaves_its_kind_and_is_raised(tmp_path, inbox, monkeypatch):
    def fails(_):
        raise ValueError("client 4711")

    monkeypatch.setattr(night, "prepare_dagster", fails)
    with pytest.raises(ValueError, match="4711"):
        run(tmp_path, inbox=inbox)
    assert note(tmp_path)["problem"] == "the night could not run: ValueError; nothing is published yet"


def test_a_second_night_leaves_the_note_to_the_one_that_runs(tmp_path, inbox):
    with warehouse.hold_night(tmp_path / "home"):
        end = run(tmp_path, inbox=inbox)
    assert "another night is running there" in end.problem
    assert not (tmp_path / "home" / LAST_RUN).exists()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_night_that_is_asked_to_stop_leaves_word_of_it(tmp_path, inbox, monkeypatch, sign):
    monkeypatch.setattr(night, "prepare_dagster", lambda _: os.kill(os.getpid(), sign))
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, inbox=inbox)
    assert note(tmp_path)["problem"] == "it was stopped before its end; nothing is published yet"


def test_a_night_stopped_right_after_it_published_names_what_readers_have(tmp_path, inbox, monkeypatch):
    home = tmp_path / "home"

    def publishes(**_):
        staged = home / "work" / "staged"
        staged.mkdir(parents=True)
        (staged / warehouse.WAREHOUSE_FILE).touch()
        warehouse.publish(staged, home=home, version="20261120T030000000000Z", keep=3)
        raise KeyboardInterrupt

    monkeypatch.setattr(night, "_job", publishes)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, inbox=inbox)
    assert note(tmp_path)["problem"] == "it was stopped before its end; 20261120T030000000000Z stays published"
