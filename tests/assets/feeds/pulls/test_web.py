import gzip
import logging
import ssl
import threading
from datetime import UTC, datetime

import pytest

from assets.feeds.pulls.source import PullFailedError
from assets.feeds.pulls.web import open_web, seconds_to_wait, server_time
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.pulls.http_server import Said, http_server
from tests.certificates import certificate

BODY = b"0123456789" * 1000
SECRET = "4F6F1E0C"  # noqa: S105 - made up, to be looked for


@pytest.fixture
def server():
    """Answers what `say` was given last."""
    said, asked = [Said()], []

    def answer(question):
        asked.append(question)
        return said[0]

    with http_server(answer) as url:
        yield url, lambda **words: said.__setitem__(0, Said(**words)), asked


def whole(url, *, seconds=5, **words):
    with (
        open_web(place="pulls.ehr", seconds=seconds) as web,
        web.asked("POST", url, form={"token": SECRET}, **words) as answer,
    ):
        return answer.whole()


@pytest.mark.parametrize("ending", ["length", "chunked"])
def test_an_answer_is_read_to_its_end(server, ending, tmp_path):
    url, say, asked = server
    say(body=BODY, ending=ending)
    assert whole(url) == BODY
    assert (asked[0].method, asked[0].body) == ("POST", b"token=4F6F1E0C")
    with open_web(place="pulls.ehr", seconds=5) as web, web.asked("GET", url) as answer:
        assert answer.write_to(tmp_path / "a") == len(BODY)
    assert (tmp_path / "a").read_bytes() == BODY


# In pieces, an answer that has all its bytes still lacks the word that they are all.
@pytest.mark.parametrize(
    ("ending", "cut_after"),
    [("length", at) for at in (0, 1, len(BODY) - 1)] + [("chunked", at) for at in (0, 1, len(BODY) - 1, len(BODY))],
)
def test_an_answer_that_was_cut_anywhere_has_failed(server, ending, cut_after):
    url, say, _ = server
    say(body=BODY, ending=ending, cut_after=cut_after)
    with pytest.raises(PullFailedError, match="was cut off"):
        whole(url)


def test_an_answer_whose_end_nobody_could_tell_is_not_taken(server):
    url, say, _ = server
    say(body=BODY, ending="close")
    with pytest.raises(WrongInput, match=r"^pulls\.ehr: the system does not say where its answers end"):
        whole(url)


def test_a_packed_answer_is_unpacked_and_a_spoilt_one_has_failed(server):
    url, say, _ = server
    say(body=gzip.compress(BODY), headers={"Content-Encoding": "gzip"})
    assert whole(url) == BODY
    say(body=b"not packed at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(PullFailedError):
        whole(url)


def test_an_answer_longer_than_can_be_held_is_named(server):
    url, say, _ = server
    say(body=BODY)
    with (
        open_web(place="pulls.ehr", seconds=5) as web,
        web.asked("GET", url) as answer,
        pytest.raises(WrongInput, match=r"^pulls\.ehr: an answer is too long"),
    ):
        answer.whole(most_bytes=len(BODY) - 1)


@pytest.mark.parametrize("where", ["pause", "pause_in_body"])
def test_a_system_that_keeps_silent_has_failed(server, where):
    url, say, _ = server
    gate = threading.Event()
    say(body=BODY, **{where: gate})
    try:
        with pytest.raises(PullFailedError, match="in time"):
            whole(url, seconds=0.2)
    finally:
        gate.set()


def test_a_system_that_drips_has_failed_when_its_time_is_over(server):
    url, say, _ = server
    say(body=BODY, seconds_between_bytes=0.05)
    with pytest.raises(PullFailedError, match="to the end in time"):
        whole(url, seconds=0.2)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_system_that_can_not_answer_now_may_be_asked_again(server, status):
    url, say, _ = server
    say(status=status, headers={"Retry-After": "7"})
    with pytest.raises(PullFailedError, match=rf"can't answer now \({status}\)") as failed:
        whole(url)
    assert failed.value.wait_seconds == 7


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (401, "does not let us in"),
        (403, "does not let us in"),
        (404, "knows nothing there"),
        (410, "knows nothing there"),
        (301, "sends us to another address"),
        (307, "sends us to another address"),
        (400, "does not take the question"),
        (422, "does not take the question"),
    ],
)
def test_what_asking_again_would_not_mend_is_said_in_one_line(server, status, what):
    url, say, asked = server
    say(status=status, body=SECRET.encode(), headers={"Location": url + "/elsewhere"})
    with pytest.raises(WrongInput) as wrong:
        whole(url)
    assert str(wrong.value).startswith(f"pulls.ehr: the system {what} ({status}); ")
    assert len(asked) == 1


def test_a_status_that_the_caller_understands_is_left_to_it(server):
    url, say, _ = server
    say(status=403, body=b"why")
    assert whole(url, understood={403}) == b"why"


def test_no_message_and_no_log_names_the_address_or_the_key(server, caplog):
    url, say, _ = server
    caplog.set_level(logging.DEBUG)
    told = []
    for words in (
        {"status": 403},
        {"status": 500},
        {"status": 302},
        {"body": BODY, "cut_after": 5},
        {"ending": "close"},
    ):
        say(**words)
        with pytest.raises((PullFailedError, WrongInput)) as failed:
            whole(f"{url}/client-77", headers={"Authorization": f"Bearer {SECRET}"})
        told += [str(failed.value), repr(failed.value.__cause__)]
    for hidden in (SECRET, "client-77", "127.0.0.1"):
        assert hidden not in caplog.text + " ".join(told)


def test_a_system_that_is_not_there_has_failed():
    with pytest.raises(PullFailedError, match="could not be reached"):
        whole("http://127.0.0.1:9")


@pytest.mark.parametrize("url", ["records.clinic.example/api", "ftp://clinic.example", "https://"])
def test_what_is_no_address_is_named(url):
    with pytest.raises(WrongInput, match=r"^pulls\.ehr: this is not an address"):
        whole(url)


def test_a_system_with_a_strangers_certificate_is_not_told_the_key(tmp_path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    asked = []
    with (
        http_server(lambda question: asked.append(question) or Said(), context=context) as url,
        pytest.raises(WrongInput, match="certificate is not one that this machine trusts; name in SSL_CERT_FILE"),
    ):
        whole(url)
    assert asked == []


def test_how_long_to_wait_is_read_as_seconds_or_as_a_moment_by_the_servers_clock():
    date = "Fri, 20 Nov 2026 02:30:00 GMT"
    assert seconds_to_wait({"retry-after": "12"}) == 12
    assert seconds_to_wait({"retry-after": "Fri, 20 Nov 2026 02:31:30 GMT", "date": date}) == 90
    assert seconds_to_wait({"retry-after": "Fri, 20 Nov 2026 02:00:00 GMT", "date": date}) == 0
    assert seconds_to_wait({"retry-after": "soon"}) == 0
    assert seconds_to_wait({}) == 0


def test_the_servers_clock_is_read_where_it_is_told():
    assert server_time({"date": "Fri, 20 Nov 2026 02:30:00 GMT"}) == datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
    assert server_time({"date": "yesterday"}) is None
    assert server_time({}) is None
