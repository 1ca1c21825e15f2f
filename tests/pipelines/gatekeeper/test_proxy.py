import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from pipelines.gatekeeper import opening
from pipelines.gatekeeper.audit_log import verify
from pipelines.gatekeeper.proxy import caller
from pipelines.gatekeeper.settings import Proxy, Server
from tests.pipelines.gatekeeper.served import Quiet, secret_of, settings_at

SECRET = "0123456789abcdef-0123456789abcdef"
PROVED = {"x-forwarded-email": "director@clinic.example", "x-proxy-secret": SECRET}
ROSTER = '[[viewers]]\nid = "director@clinic.example"\nroles = ["director"]\n'


@pytest.fixture
def gate(home, tmp_path):
    (tmp_path / "roster.toml").write_text(ROSTER, encoding="utf-8")
    (tmp_path / "secret").write_text(SECRET, encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    proxy = Proxy(
        method="proxy",
        header="X-Forwarded-Email",
        proxies=("10.0.0.5", "10.0.1.0/24"),
        secret_header="X-Proxy-Secret",
        secret_file=tmp_path / "secret",
        sign_out_url="/oauth2/sign_out",
    )
    settings = settings_at(8080, sign_in=proxy, roster=tmp_path / "roster.toml")
    opened = opening.open_gate(settings, home=home, log=Quiet())
    yield opened
    opened.close()


def ask(gate, headers, *, path="/", address="10.0.0.5"):
    client = TestClient(gate, base_url="http://127.0.0.1:8080", client=(address, 50000), follow_redirects=False)
    return client.get(path, headers=headers)


def test_the_proxys_word_is_taken(gate):
    answer = ask(gate, PROVED)
    assert answer.status_code == 200
    assert secret_of("index.html") in answer.text
    assert ask(gate, PROVED, address="10.0.1.77").status_code == 200


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        (PROVED, "10.0.0.6"),
        (PROVED, "127.0.0.1"),
        ({"x-forwarded-email": "director@clinic.example"}, "10.0.0.5"),
        (PROVED | {"x-proxy-secret": SECRET[:-1]}, "10.0.0.5"),
        (PROVED | {"x-proxy-secret": ""}, "10.0.0.5"),
        (PROVED | {"x-forwarded-email": ""}, "10.0.0.5"),
        ([*PROVED.items(), ("x-forwarded-email", "director@clinic.example")], "10.0.0.5"),
        ([*PROVED.items(), ("x-proxy-secret", SECRET)], "10.0.0.5"),
        (PROVED | {"x-forwarded-for": "10.0.0.5"}, "192.0.2.7"),
    ],
)
def test_a_forged_header_is_refused_and_recorded(gate, home, headers, address):
    answer = ask(gate, headers, address=address)
    assert (answer.status_code, secret_of("index.html") in answer.text) == (404, False)
    noted = verify(opening.audit_file(home)).entries[-1]
    assert (noted["reason"], noted["decision"]) == ("forged header", "denied")
    assert SECRET not in str(noted)


@pytest.mark.parametrize(
    "headers", [{}, PROVED | {"x-forwarded-email": "nobody@clinic.example"}, {"x-proxy-secret": SECRET}]
)
def test_nobody_proved_gets_the_answer_to_what_is_missing(gate, headers):
    missing = ask(gate, PROVED, path="/nowhere")
    answer = ask(gate, headers)
    assert (answer.status_code, answer.content) == (missing.status_code, missing.content)
    assert sorted(answer.headers.items()) == sorted(missing.headers.items())


def test_there_is_no_sign_in_page_and_signing_out_is_the_proxys(gate):
    assert ask(gate, PROVED, path="/sign-in").status_code == 404
    assert 'href="/oauth2/sign_out"' in ask(gate, PROVED, path="/account").text
    assert "set-cookie" not in ask(gate, PROVED).headers


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["203.0.113.9", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.5", ["198.51.100.1, 10.0.0.5"], "198.51.100.1"),
        ("10.0.0.5", [], "10.0.0.5"),
    ],
)
def test_who_called_is_told_by_the_servers_own_proxies_alone(peer, forwarded, address):
    server = Server(public_url="https://rapport.clinic.example", behind=("10.0.0.5",))
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    assert caller(request, server=server) == address
