import pytest

from pipelines.gatekeeper.sessions import Sessions, form_token, is_from, open_memory, random_token

HOUR = 3600.0


@pytest.fixture
def file(tmp_path):
    return tmp_path / "memory.sqlite"


@pytest.fixture
def sessions(file):
    kept = Sessions(open_memory(file), longest=8 * HOUR, idle=HOUR)
    yield kept
    kept.close()


def test_a_session_is_found_by_its_token_alone(sessions):
    token = sessions.begin("director", proof="p", now=0)
    found = sessions.find(token, now=1)
    assert (found.viewer, found.proof, found.begun_at) == ("director", "p", 0)
    assert sessions.find(token[:-1] + ("A" if token[-1] != "A" else "B"), now=1) is None
    assert sessions.find(None, now=1) is None
    assert sessions.find("", now=1) is None


def test_a_session_ends_when_nothing_is_asked_for_long(sessions):
    token = sessions.begin("director", proof="p", now=0)
    assert sessions.find(token, now=HOUR) is not None
    assert sessions.find(token, now=2 * HOUR) is not None
    assert sessions.find(token, now=3 * HOUR + 1) is None
    assert sessions.find(token, now=3 * HOUR + 1) is None


def test_a_session_ends_in_time_however_much_it_is_used(sessions):
    token = sessions.begin("director", proof="p", now=0)
    seen = [sessions.find(token, now=minute * 60.0) is not None for minute in range(0, 9 * 60, 30)]
    assert seen == [minute <= 8 * 60 for minute in range(0, 9 * 60, 30)]


def test_one_session_ends_and_others_of_the_same_viewer_stay(sessions):
    first, second = (sessions.begin("director", proof="p", now=0) for _ in range(2))
    sessions.end(first)
    assert sessions.find(first, now=1) is None
    assert sessions.find(second, now=1) is not None


def test_all_of_a_viewers_sessions_end_and_nobody_elses(sessions):
    mine = [sessions.begin("director", proof="p", now=0) for _ in range(3)]
    other = sessions.begin("analyst", proof="p", now=0)
    assert sessions.end_all("director") == 3
    assert [sessions.find(token, now=1) for token in mine] == [None] * 3
    assert sessions.find(other, now=1) is not None


def test_a_session_outlives_a_restart_and_the_file_holds_no_token(file):
    first = Sessions(open_memory(file), longest=HOUR, idle=HOUR)
    token = first.begin("director", proof="p", now=0)
    first.close()
    again = Sessions(open_memory(file), longest=HOUR, idle=HOUR)
    assert again.find(token, now=1).viewer == "director"
    again.close()
    assert token.encode() not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0


def test_sessions_that_are_over_are_forgotten_when_another_begins(sessions):
    for _ in range(5):
        sessions.begin("director", proof="p", now=0)
    sessions.begin("director", proof="p", now=9 * HOUR)
    assert sessions.end_all("director") == 1


def test_a_form_is_from_the_browser_that_holds_the_token_and_from_no_other():
    token, other = random_token(), random_token()
    assert is_from(token, form_token(token))
    assert not is_from(other, form_token(token))
    assert not is_from(token, token)
    assert not is_from(None, form_token(token))
    assert not is_from(token, None)
    assert token not in form_token(token)


def test_no_two_tokens_are_the_same():
    assert len({random_token() for _ in range(1000)}) == 1000
