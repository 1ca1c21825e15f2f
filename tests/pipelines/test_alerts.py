import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.alerts import Alerts, Message, read_alerts, tell, told_of_end, told_of_silence
from tests.certificates import certificate
from tests.pipelines.mail_server import mail_server

BAD = Message(subject="Rapport: North: nothing was published", text="a line", is_good_news=False)
GOOD = Message(subject="Rapport: North: published", text="a line", is_good_news=True)


def email(server, **more):
    settings = {"to": ["ops@example.org"], "sender": "rapport@example.org", "host": "127.0.0.1", "port": server.port}
    return Alerts.model_validate({"email": settings | {"security": "none"} | more})


@pytest.fixture
def own_certificate(tmp_path, monkeypatch):
    cert, key = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    return cert, key


@pytest.fixture
def hook():
    """A server that keeps what is posted, and answers with the statuses it is given, then with 200."""
    posted, statuses = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(statuses.pop(0) if statuses else 200)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    server.posted, server.statuses = posted, statuses
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server):
    return f"http://127.0.0.1:{server.server_port}/hook?key=secret"


def test_a_failed_night_is_mailed_to_those_who_are_named():
    with mail_server() as server:
        assert tell(BAD, alerts=email(server)) == ()
    assert len(server.mails) == 1
    assert "Subject: Rapport: North: nothing was published" in server.mails[0]
    assert "To: ops@example.org" in server.mails[0]


def test_a_password_travels_only_after_the_connection_is_encrypted(own_certificate):
    signed_in = {"user": "rapport", "password_variable": "MAIL_PASSWORD", "security": "starttls"}
    with mail_server(tls=own_certificate) as server:
        assert tell(BAD, alerts=email(server, **signed_in), environ={"MAIL_PASSWORD": "hidden"}) == ()
    assert server.logins == [["rapport", "hidden"]]
    with pytest.raises(ValueError, match="in the clear"):
        email(server, **signed_in | {"security": "none"})


def test_a_server_that_speaks_tls_from_its_first_byte_is_spoken_to_so(own_certificate):
    with mail_server(tls=own_certificate, starts_with_tls=True) as server:
        assert tell(BAD, alerts=email(server, security="tls")) == ()
    assert len(server.mails) == 1


def test_a_server_that_nobody_vouches_for_is_sent_nothing(tmp_path):
    with mail_server(tls=certificate(tmp_path)) as server:
        (failure,) = tell(BAD, alerts=email(server, security="starttls"), wait=0)
    assert "SSLCertVerificationError" in failure
    assert server.mails == []


def test_a_busy_server_is_asked_again():
    with mail_server(busy=2) as server:
        assert tell(BAD, alerts=email(server), wait=0) == ()
    assert (server.greeted, len(server.mails)) == (3, 1)


def test_a_server_that_is_gone_costs_one_line_and_not_the_night():
    with mail_server() as server:
        gone = email(server)
    (failure,) = tell(BAD, alerts=gone, wait=0)
    assert failure == f"e-mail by 127.0.0.1:{server.port} was not sent (ConnectionRefusedError, tried 3 times)"


def test_a_webhook_gets_the_same_words_and_a_failure_of_one_way_stops_no_other(hook):
    with mail_server() as server:
        both = email(server).model_copy(
            update={"webhook": Alerts.model_validate({"webhook": {"url": url(hook)}}).webhook}
        )
    assert len(tell(BAD, alerts=both, wait=0)) == 1
    assert hook.posted == [{"text": f"{BAD.subject}\n{BAD.text}", "is_good_news": False}]


def test_a_webhook_that_stumbles_is_asked_again_and_its_address_is_never_told(hook):
    alerts = Alerts.model_validate({"webhook": {"url_variable": "HOOK"}})
    hook.statuses[:] = [500, 503]
    assert tell(BAD, alerts=alerts, environ={"HOOK": url(hook)}, wait=0) == ()
    hook.statuses[:] = [500, 500, 500]
    (failure,) = tell(BAD, alerts=alerts, environ={"HOOK": url(hook)}, wait=0)
    assert "secret" not in failure
    assert len(hook.posted) == 6


def test_a_secret_that_the_environment_lacks_is_named(hook):
    alerts = Alerts.model_validate({"webhook": {"url_variable": "HOOK"}})
    (failure,) = tell(BAD, alerts=alerts, environ={}, wait=0)
    assert "the environment has no HOOK" in failure
    assert hook.posted == []


def test_good_news_is_told_only_where_it_was_asked_for(hook):
    quiet = Alerts.model_validate({"webhook": {"url": url(hook)}})
    assert tell(GOOD, alerts=quiet) == ()
    assert hook.posted == []
    assert tell(GOOD, alerts=quiet.model_copy(update={"on_success": True})) == ()
    assert len(hook.posted) == 1


def test_a_message_says_what_became_of_the_night():
    good = told_of_end(clinic="North", version="V", problem=None, seconds=31.4)
    assert (good.is_good_news, good.text) == (True, "Version V is published; the night took 31 s.")
    bad = told_of_end(clinic="North", version=None, problem="feeds.alliance: no such column", seconds=2)
    assert "feeds.alliance: no such column" in bad.text
    assert "\n" not in bad.subject
    assert "No night has ended here yet" in told_of_silence(clinic="North", hours=None).text
    assert "ended 30 hours ago" in told_of_silence(clinic="North", hours=30.2).text


def test_a_file_that_says_nothing_of_alerts_tells_nobody(tmp_path):
    config = tmp_path / "clinic.toml"
    config.write_text("[clinic]\nname = 'North'\n")
    assert tell(BAD, alerts=read_alerts(config)) == ()


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("[alerts.email]\nto = ['nobody']\nsender = 'a@b'\nhost = 'h'", "alerts.email.to.0"),
        ("[alerts.email]\nto = []\nsender = 'a@b'\nhost = 'h'", "alerts.email.to"),
        ("[alerts.email]\nto = ['a@b']\nsender = 'a@b'\nhost = 'h'\nuser = 'me'", "alerts.email"),
        ("[alerts.webhook]\nurl = 'ftp://x'", "alerts.webhook.url"),
        ("[alerts.webhook]", "alerts.webhook"),
        ("[alerts]\novrdue_hours = 3", "alerts.ovrdue_hours"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(tmp_path, written, place):
    config = tmp_path / "clinic.toml"
    config.write_text(written)
    with pytest.raises(WrongInput, match=rf"^{place}: ") as wrong:
        read_alerts(config)
    assert "\n" not in str(wrong.value)
