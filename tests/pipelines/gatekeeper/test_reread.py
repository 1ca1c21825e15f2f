import os

import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.reread import Fixed, Reread


def read(file):
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WrongInput("it can't be read", place=str(file), mend="mend it") from error
    if "bad" in text:
        raise WrongInput("it is bad", place=str(file), mend="mend it")
    return text


@pytest.fixture
def file(tmp_path):
    (tmp_path / "kept").write_text("first", encoding="utf-8")
    return tmp_path / "kept"


@pytest.fixture
def told():
    return []


@pytest.fixture
def kept(file, told):
    return Reread(file, read=read, say=lambda happened, problem: told.append((happened, problem)))


def test_a_change_is_seen_at_the_next_look(file, kept, told):
    assert kept.current() == "first"
    file.write_text("second one", encoding="utf-8")
    assert kept.current() == "second one"
    assert told == [("read again", None)]


def test_an_unchanged_file_is_not_read_again(kept, told):
    assert [kept.current() for _ in range(3)] == ["first"] * 3
    assert told == []


def test_a_bad_file_leaves_the_last_good_one_and_is_told_once(file, kept, told):
    file.write_text("bad", encoding="utf-8")
    assert [kept.current(), kept.current()] == ["first", "first"]
    assert kept.problem is not None
    assert [problem for _, problem in told] == [kept.problem]


def test_a_mended_file_is_taken_and_nothing_is_wrong_any_more(file, kept):
    file.write_text("bad", encoding="utf-8")
    kept.current()
    file.write_text("mended", encoding="utf-8")
    assert kept.current() == "mended"
    assert kept.problem is None


def test_a_file_that_goes_away_and_comes_back_changes_nothing_meanwhile(file, kept):
    file.rename(file.with_name("away"))
    assert kept.current() == "first"
    assert kept.problem is not None
    file.with_name("away").rename(file)
    assert kept.current() == "first"
    assert kept.problem is None


def test_a_file_moved_into_place_is_seen_even_with_the_old_times_and_size(file, kept):
    new = file.with_name("new")
    new.write_text("fir5t", encoding="utf-8")
    old = file.stat()
    os.utime(new, ns=(old.st_atime_ns, old.st_mtime_ns))
    new.replace(file)
    assert kept.current() == "fir5t"


def test_a_bad_file_at_the_start_is_an_error(file):
    file.write_text("bad", encoding="utf-8")
    with pytest.raises(WrongInput):
        Reread(file, read=read, say=lambda *_: None)


def test_what_no_file_says_never_changes():
    assert Fixed("always").current() == "always"
    assert Fixed("always").problem is None
