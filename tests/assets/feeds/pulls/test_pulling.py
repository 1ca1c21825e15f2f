import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from assets.feeds.pulls.patience import TRIES
from assets.feeds.pulls.pulling import MARKS, pull, source_of
from assets.feeds.pulls.settings import read_pulls
from assets.feeds.pulls.source import Fetched, Item, PullFailedError
from assets.feeds.wrong_input import WrongInput


class Shelf:
    """A system that holds things by name, each in a state, and fails as often as it is told to."""

    def __init__(self, things, *, failures=0):
        self.things, self.failures, self.asked = things, failures, []

    def new_items(self, marks):
        return [
            Item(name=name, subject=name, mark=state) for name, state in self.things.items() if marks.get(name) != state
        ]

    def fetch(self, item, *, to, last_mark):
        self.asked.append((item.name, last_mark))
        to.write_text("half of")
        if self.failures:
            self.failures -= 1
            raise PullFailedError("it was cut off")
        to.write_text(item.mark)
        return Fetched(mark=item.mark, rows=1, is_empty=item.mark == "nothing")


def held(folder):
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != MARKS)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_what_is_new_is_fetched_once_and_what_changed_again(tmp_path):
    shelf = Shelf({"a.csv": "1", "deep/b.csv": "1"})
    assert [each.name for each in pull("ehr", shelf, into=tmp_path, wait=0)] == ["ehr/a.csv", "ehr/deep/b.csv"]
    assert held(tmp_path) == {"ehr/a.csv": "1", "ehr/deep/b.csv": "1"}
    assert pull("ehr", shelf, into=tmp_path, wait=0) == ()
    shelf.things["a.csv"] = "2"
    assert [each.name for each in pull("ehr", shelf, into=tmp_path, wait=0)] == ["ehr/a.csv"]
    assert shelf.asked[-1] == ("a.csv", "1")
    assert held(tmp_path)["ehr/a.csv"] == "2"


def test_a_system_that_stumbles_is_asked_again_and_nothing_half_is_kept(tmp_path):
    shelf = Shelf({"a.csv": "whole"}, failures=TRIES - 1)
    pull("ehr", shelf, into=tmp_path, wait=0)
    assert held(tmp_path) == {"ehr/a.csv": "whole"}


def test_a_system_that_never_answers_gets_one_line_and_what_came_before_stays(tmp_path):
    shelf = Shelf({"a.csv": "1"})
    pull("ehr", shelf, into=tmp_path, wait=0)
    shelf.things, shelf.failures = {"a.csv": "2", "b.csv": "1"}, TRIES
    with pytest.raises(WrongInput, match=r"^pulls\.ehr: it was cut off, asked 4 times; "):
        pull("ehr", shelf, into=tmp_path, wait=0)
    assert held(tmp_path)["ehr/a.csv"] == "1"
    pull("ehr", shelf, into=tmp_path, wait=0)
    assert held(tmp_path) == {"ehr/a.csv": "2", "ehr/b.csv": "1"}


def test_a_pull_that_was_killed_before_its_mark_was_written_fetches_the_same_again(tmp_path):
    shelf = Shelf({"a.csv": "1"})
    pull("ehr", shelf, into=tmp_path, wait=0)
    (tmp_path / "ehr" / MARKS).unlink()
    (tmp_path / "ehr" / ".unfinished-b.csv").write_text("half of")
    assert [each.name for each in pull("ehr", shelf, into=tmp_path, wait=0)] == ["ehr/a.csv"]
    assert held(tmp_path) == {"ehr/a.csv": "1"}


def test_an_answer_with_nothing_new_makes_no_file(tmp_path):
    assert pull("ehr", Shelf({"a.csv": "nothing"}), into=tmp_path, wait=0) == ()
    assert held(tmp_path) == {}


@pytest.mark.parametrize("name", ["../a.csv", "/a.csv", "deep/../../a.csv"])
def test_a_name_that_leads_out_of_the_folder_is_refused(tmp_path, name):
    with pytest.raises(WrongInput, match="leads out of its folder"):
        pull("ehr", Shelf({name: "1"}), into=tmp_path / "in", wait=0)
    assert held(tmp_path) == {}


def test_marks_are_kept_where_an_operator_can_read_them(tmp_path):
    pull("ehr", Shelf({"a.csv": "1"}), into=tmp_path, wait=0)
    assert json.loads((tmp_path / "ehr" / MARKS).read_text()) == {"a.csv": "1"}


def test_a_secret_is_named_in_the_settings_and_stands_in_the_environment():
    settings = read_pulls(
        {"ehr": {"kind": "sql", "url_variable": "EHR", "queries": [{"name": "visits", "sql": "SELECT 1"}]}}
    )
    given = {"zone": ZoneInfo("UTC"), "now": datetime(2026, 11, 20, tzinfo=UTC)}
    with pytest.raises(WrongInput, match=r"^pulls\.ehr\.url_variable: the environment has no EHR"):
        source_of("ehr", settings["ehr"], environ={}, **given)
    source = source_of("ehr", settings["ehr"], environ={"EHR": "postgresql://hidden"}, **given)
    assert "hidden" not in repr(source)


@pytest.mark.parametrize(
    ("tables", "place"),
    [
        ({"EHR!": {"kind": "sql"}}, "pulls."),
        ({"ehr": {"kind": "ftp"}}, "pulls.ehr"),
        ({"ehr": {"kind": "sql", "url_variable": "E", "queries": []}}, "pulls.ehr.queries"),
        ({"ehr": {"kind": "sql", "queries": [{"name": "v", "sql": "S"}]}}, "pulls.ehr.url_variable"),
        ({"ehr": {"kind": "sql", "url_variable": "E", "queries": [{"name": "v", "sql": "S"}] * 2}}, "pulls.ehr"),
        (
            {"ehr": {"kind": "sql", "url_variable": "E", "queries": [{"name": "v", "sql": "S", "watermark": "a; b"}]}},
            "pulls.ehr.queries.0.watermark",
        ),
        ({"drop": {"kind": "objects", "url": "ftp://x"}}, "pulls.drop.url"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(tables, place):
    with pytest.raises(WrongInput) as wrong:
        read_pulls(tables)
    assert str(wrong.value).startswith(place)
    assert "\n" not in str(wrong.value)
