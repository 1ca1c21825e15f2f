from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from pipelines.gatekeeper import opening
from pipelines.gatekeeper.audit_log import verify
from pipelines.gatekeeper.settings import Oidc
from tests.pipelines.gatekeeper.oidc_provider import CLIENT_ID, CLIENT_SECRET, provider_running
from tests.pipelines.gatekeeper.served import Quiet, browser_of, secret_of, settings_at

ROSTER = """
[[viewers]]
id = "director@clinic.example"
roles = ["director"]

[[viewers]]
id = "0001"
roles = ["analyst"]
"""


@pytest.fixture(scope="module")
def running_provider():
    with provider_running() as provider:
        yield provider


@pytest.fixture
def provider(running_provider):
    said = dict(running_provider.claims)
    yield running_provider
    running_provider.claims = said
    running_provider.fault = None
    running_provider.algorithms = ["RS256"]
    running_provider.calls_itself = running_provider.issuer
    running_provider.seen.clear()


@pytest.fixture
def opened(provider, home, tmp_path):
    """Gates that trust the provider, by the claim that counts."""
    (tmp_path / "roster.toml").write_text(ROSTER, encoding="utf-8")
    (tmp_path / "secret").write_text(CLIENT_SECRET, encoding="utf-8")
    (tmp_path / "secret").chmod(0o600)
    gates = []

    def by(claim):
        trusted = Oidc(
            method="oidc",
            issuer=provider.issuer,
            client_id=CLIENT_ID,
            client_secret_file=tmp_path / "secret",
            claim=claim,
        )
        settings = settings_at(8080, sign_in=trusted, roster=tmp_path / "roster.toml")
        gates.append(opening.open_gate(settings, home=home, log=Quiet()))
        return gates[-1]

    yield by
    for gate in gates:
        gate.close()


@pytest.fixture
def gate(opened):
    return opened("email")


def at_provider(begun):
    """Where the provider sends the browser back to, as a path of ours."""
    answer = httpx2.get(begun.headers["location"])
    back = urlsplit(answer.headers["location"])
    assert back.netloc == "127.0.0.1:8080"
    return f"{back.path}?{back.query}"


def sign_in(client, then="/"):
    return client.get(at_provider(client.get(f"/sign-in/start?then={then}")))


def reason(home):
    noted = verify(opening.audit_file(home)).entries[-1]
    return noted["decision"], noted.get("reason")


def test_whoever_the_provider_proves_is_in(gate, provider):
    client = browser_of(gate)
    answer = sign_in(client, then="/methods.html")
    assert (answer.status_code, answer.headers["location"]) == (303, "/methods.html")
    assert secret_of("index.html") in client.get("/").text
    assert len(provider.seen) == 1
    assert len(provider.seen[0]["code_verifier"]) >= 43


def test_the_provider_is_asked_with_state_nonce_and_a_challenge_and_told_no_secret(gate):
    asked = parse_qs(urlsplit(browser_of(gate).get("/sign-in/start").headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8080/sign-in/return"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    assert CLIENT_SECRET not in str(asked)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("nonce", "InvalidClaimError"),
        ("no nonce", "MissingClaimError"),
        ("audience", "InvalidClaimError"),
        ("audience, authorized to us", "InvalidClaimError"),
        ("audiences, authorized to another", "InvalidClaimError"),
        ("no audience", "MissingClaimError"),
        ("issuer", "InvalidClaimError"),
        ("no issuer", "MissingClaimError"),
        ("expired", "ExpiredTokenError"),
        ("no expiry", "MissingClaimError"),
        ("not yet", "InvalidClaimError"),
        ("no subject", "MissingClaimError"),
        ("another key", "BadSignatureError"),
        ("changed", "BadSignatureError"),
        ("symmetric, with the client's secret", "UnsupportedAlgorithmError"),
        ("symmetric, with the public key", "UnsupportedAlgorithmError"),
        ("none", "UnsupportedAlgorithmError"),
        ("no id token", "no identity token"),
        ("denied", "refused by the provider"),
    ],
)
def test_a_token_that_is_not_for_us_now_and_from_the_provider_is_refused(gate, provider, home, fault, why):
    provider.fault = fault
    # A provider that also offers what must never be taken.
    provider.algorithms = ["RS256", "HS256", "none"]
    client = browser_of(gate)
    answer = sign_in(client)
    assert answer.status_code == 403
    assert gate.cookies.session not in answer.cookies
    assert client.get("/index.html").status_code == 303
    decision, noted = reason(home)
    assert decision == "denied"
    assert why in noted


def test_a_return_works_once(gate):
    client = browser_of(gate)
    back = at_provider(client.get("/sign-in/start"))
    flow = client.cookies[gate.cookies.flow]
    assert client.get(back).status_code == 303
    replay = browser_of(gate)
    replay.cookies.set(gate.cookies.flow, flow)
    assert replay.get(back).status_code == 403


def test_a_return_in_another_browser_is_refused(gate):
    mine, theirs = browser_of(gate), browser_of(gate)
    back = at_provider(mine.get("/sign-in/start"))
    assert theirs.get(back).status_code == 403
    # With a flow of their own the state is another.
    theirs.get("/sign-in/start")
    assert theirs.get(back).status_code == 403


@pytest.mark.parametrize(
    "changed", ["state=other", "state=", "code=other", "code=", "iss=https%3A%2F%2Felsewhere.example"]
)
def test_a_return_that_was_changed_on_the_way_is_refused(gate, changed):
    client = browser_of(gate)
    path, _, query = at_provider(client.get("/sign-in/start")).partition("?")
    name = changed.partition("=")[0]
    kept = "&".join(each for each in query.split("&") if not each.startswith(f"{name}="))
    assert client.get(f"{path}?{kept}&{changed}").status_code == 403
    assert client.get("/index.html").status_code == 303


def test_a_flow_that_took_too_long_is_refused(opened):
    gate = opened("email")
    client = browser_of(gate)
    back = at_provider(client.get("/sign-in/start"))
    begun = gate.clock()
    gate.clock = lambda: begun + 601
    assert client.get(back).status_code == 403


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_that_is_not_verified_is_nobodys(gate, provider, home, verified):
    provider.claims["email_verified"] = verified
    assert sign_in(browser_of(gate)).status_code == 403
    assert reason(home) == ("denied", "e-mail address not verified")


def test_the_subject_may_be_what_counts(opened):
    client = browser_of(opened("sub"))
    assert sign_in(client).status_code == 303
    assert client.get("/data-quality.html").status_code == 200
    assert client.get("/index.html").status_code == 404


def test_somebody_known_who_is_not_on_the_roster_is_told_so(gate, provider, home):
    provider.claims["email"] = "stranger@clinic.example"
    answer = sign_in(browser_of(gate))
    assert (answer.status_code, "not on this service" in answer.text) == (403, True)
    assert reason(home) == ("denied", "not on the roster")
    assert "stranger" not in opening.audit_file(home).read_text(encoding="utf-8")


@pytest.mark.parametrize("change", [("calls_itself", "https://elsewhere.example"), ("algorithms", ["HS256", "none"])])
def test_a_provider_that_calls_itself_otherwise_or_signs_with_nothing_we_take_is_not_used(gate, provider, change):
    setattr(provider, *change)
    assert browser_of(gate).get("/sign-in/start").status_code == 502


def test_a_provider_that_does_not_answer_is_said_in_words(opened, provider, monkeypatch):
    gate = opened("email")
    gate.sign_in.provider._client._server_metadata_url = "http://127.0.0.1:9/none"
    answer = browser_of(gate).get("/sign-in/start")
    assert (answer.status_code, "did not work" in answer.text) == (502, True)


def test_there_is_no_form_to_send(gate):
    text = browser_of(gate).get("/sign-in").text
    assert "<form" not in text
    assert "/sign-in/start?then=/" in text
