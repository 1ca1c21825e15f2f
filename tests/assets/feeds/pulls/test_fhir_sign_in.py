import time
from datetime import UTC, datetime

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from assets.feeds.pulls.fhir_settings import FhirPull
from assets.feeds.pulls.fhir_sign_in import sign_in_of
from assets.feeds.pulls.web import open_web
from assets.feeds.wrong_input import WrongInput
from tests.assets.feeds.pulls.fhir_pulls import held_by, hold_appointments, pulled, versions
from tests.assets.feeds.pulls.fhir_server import fhir_server
from tests.assets.feeds.pulls.http_server import Said, http_server

KEYS = {
    "RSA": RSAKey.generate_key(2048, parameters={"kid": "ours"}),
    "EC": ECKey.generate_key("P-384", parameters={"kid": "ours"}),
}


def as_pem(key):
    return key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def as_jwk(key):
    return orjson.dumps(key.as_dict(private=True)).decode()


def backend(**more):
    return {"kind": "backend_services", "client_id": "rapport", "key_variable": "FHIR_KEY", "key_id": "ours"} | more


def signed_in(server, folder, *, key, resources=("Appointment",), **more):
    secrets_by_key = {"sign_in.key_variable": key}
    return pulled(server, folder, sign_in=backend(**more), secrets_by_key=secrets_by_key, resources=resources)


@pytest.fixture(params=KEYS)
def ours(request):
    return KEYS[request.param]


@pytest.fixture
def server(ours):
    with fhir_server(keys=KeySet([type(ours).import_key(ours.as_dict(private=False))])) as server:
        hold_appointments(server, 35)
        yield server


@pytest.mark.parametrize("written", [as_pem, as_jwk])
def test_a_statement_signed_with_our_key_buys_a_token_that_serves_every_page_and_every_kind(
    server, ours, tmp_path, written
):
    frames = signed_in(server, tmp_path, key=written(ours), resources=("Appointment", "Encounter"))
    assert versions([frames["Appointment-20261120T023000.parquet"]]) == held_by(server)
    assert [question.path for question in server.asked].count("/token") == 1
    assert server.refusals == []


def test_a_statement_is_of_five_minutes_at_most_names_us_and_is_never_the_same_twice(server, ours):
    settings = FhirPull(kind="fhir", url=f"{server.url}/fhir", sign_in=backend())
    tokens = sign_in_of(settings, place="pulls.ehr", secrets_by_key={"sign_in.key_variable": as_jwk(ours)})
    told = [
        jwt.decode(tokens._statement("https://x.example/token"), server.keys, algorithms=["RS384", "ES384"])
        for _ in "ab"
    ]
    assert told[0].header == {"alg": "RS384" if isinstance(ours, RSAKey) else "ES384", "kid": "ours", "typ": "JWT"}
    assert (told[0].claims["iss"], told[0].claims["sub"], told[0].claims["aud"]) == (
        "rapport",
        "rapport",
        "https://x.example/token",
    )
    assert time.time() < told[0].claims["exp"] <= time.time() + 300
    assert told[0].claims["jti"] != told[1].claims["jti"]


@pytest.mark.parametrize(
    ("capabilities", "scope"),
    [
        (("permission-v2",), "system/Appointment.rs system/Encounter.rs"),
        ((), "system/Appointment.read system/Encounter.read"),
    ],
)
def test_only_what_is_pulled_is_asked_for_in_the_words_the_server_knows(server, ours, tmp_path, capabilities, scope):
    server.capabilities = capabilities
    signed_in(server, tmp_path, key=as_pem(ours), resources=("Appointment", "Encounter"))
    (bought,) = [question.body.decode() for question in server.asked if question.path == "/token"]
    assert f"scope={scope.replace('/', '%2F').replace(' ', '+')}&" in bought


def test_a_token_that_has_ended_early_is_renewed_once_without_a_page_lost(server, ours, tmp_path):
    def ends(_, number, said):
        if number == 2:
            server.tokens.clear()
        return said

    server.fault = ends
    (frame,) = signed_in(server, tmp_path, key=as_pem(ours)).values()
    assert versions([frame]) == held_by(server)
    assert [question.path for question in server.asked].count("/token") == 2


def test_a_token_is_bought_anew_before_its_end(server, ours, tmp_path):
    server.token_seconds = 1
    (frame,) = signed_in(server, tmp_path, key=as_pem(ours)).values()
    assert versions([frame]) == held_by(server)
    assert [question.path for question in server.asked].count("/token") == 5


def test_a_server_that_takes_no_token_of_its_own_ends_in_one_line(server, ours, tmp_path):
    server.fault = lambda *_: Said(status=401)
    with pytest.raises(WrongInput, match=r"^pulls\.ehr: the system does not let us in \(401\)"):
        signed_in(server, tmp_path, key=as_pem(ours))
    assert [question.path for question in server.asked].count("/token") == 2


def test_a_strangers_key_buys_nothing_and_the_line_holds_no_secret(server, ours, tmp_path):
    strange = type(ours).generate_key(2048 if isinstance(ours, RSAKey) else "P-384")
    with pytest.raises(
        WrongInput, match=r"^pulls\.ehr\.sign_in: the server gives us no token \(invalid_client\)"
    ) as wrong:
        signed_in(server, tmp_path, key=as_pem(strange))
    assert "PRIVATE" not in str(wrong.value)
    assert "127.0.0.1" not in str(wrong.value)
    assert server.refusals == ["the signature"]


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"client_id": "another"}, "the client"),
        ({"scope": "launch"}, "the scope"),
        ({"key_id": "theirs"}, "the signature"),
    ],
)
def test_the_server_holds_a_statement_to_its_words(server, ours, tmp_path, more, fault):
    with pytest.raises(WrongInput, match="gives us no token"):
        signed_in(server, tmp_path, key=as_pem(ours), **more)
    assert server.refusals == [fault]


def test_a_token_endpoint_without_https_is_given_no_statement(ours, tmp_path):
    asked = []

    def answer(question):
        asked.append(question.path)
        return Said(body=orjson.dumps({"token_endpoint": "http://records.example/token"}))

    with http_server(answer) as url:
        settings = FhirPull(kind="fhir", url=f"{url}/fhir", sign_in=backend())
        tokens = sign_in_of(settings, place="pulls.ehr", secrets_by_key={"sign_in.key_variable": as_pem(ours)})
        with (
            open_web(place="pulls.ehr", seconds=5) as web,
            pytest.raises(WrongInput, match="does not say where tokens are given, or not with https"),
        ):
            tokens.header(web)
    assert asked == ["/fhir/.well-known/smart-configuration"]


@pytest.mark.parametrize("secret", ["made-up", " made-up\n"])
def test_a_bearer_token_is_sent_as_it_stands_in_the_environment(tmp_path, secret):
    with fhir_server(keys=KeySet([])) as server:
        hold_appointments(server, 3)
        server.tokens["made-up"] = datetime.max.replace(tzinfo=UTC)
        sign_in = {"kind": "bearer", "token_variable": "FHIR_TOKEN"}
        secrets_by_key = {"sign_in.token_variable": secret}
        (frame,) = pulled(server, tmp_path, sign_in=sign_in, secrets_by_key=secrets_by_key).values()
        assert frame.height == 3
        with pytest.raises(WrongInput, match=r"does not let us in \(401\)") as wrong:
            pulled(server, tmp_path, sign_in=sign_in, secrets_by_key={"sign_in.token_variable": "another"})
        assert "another" not in str(wrong.value)


def pem_of(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not a key",
        "{",
        '{"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}',
        pem_of(rsa.generate_private_key(65537, 1024)),  # noqa: S505 - that is the fault
        pem_of(ec.generate_private_key(ec.SECP256R1())),
        orjson.dumps(KEYS["RSA"].as_dict(private=False)).decode(),
        as_pem(KEYS["EC"])[:80],
    ],
)
def test_what_is_no_private_key_that_smart_knows_is_refused_before_anything_is_asked(text):
    settings = FhirPull(kind="fhir", url="https://records.example/fhir", sign_in=backend())
    with pytest.raises(
        WrongInput, match=r"^pulls\.ehr\.sign_in\.key_variable: this is not a private key that SMART knows"
    ):
        sign_in_of(settings, place="pulls.ehr", secrets_by_key={"sign_in.key_variable": text})


def test_a_key_in_a_file_is_read_only_where_no_other_account_can_read_it(tmp_path):
    file = tmp_path / "key.pem"
    sign_in = {"kind": "backend_services", "client_id": "rapport", "key_file": str(file), "key_id": "ours"}
    settings = FhirPull(kind="fhir", url="https://records.example/fhir", sign_in=sign_in)
    with pytest.raises(WrongInput, match=r"^pulls\.ehr\.sign_in\.key_file: the key can't be read"):
        sign_in_of(settings, place="pulls.ehr", secrets_by_key={})
    file.write_text(as_pem(KEYS["EC"]))
    file.chmod(0o640)
    with pytest.raises(WrongInput, match="other accounts can read the key; chmod 600"):
        sign_in_of(settings, place="pulls.ehr", secrets_by_key={})
    file.chmod(0o600)
    tokens = sign_in_of(settings, place="pulls.ehr", secrets_by_key={})
    assert tokens.can_renew
    assert as_pem(KEYS["EC"]).splitlines()[1] not in repr(tokens)


def test_a_key_without_a_name_needs_one():
    settings = FhirPull(kind="fhir", url="https://records.example/fhir", sign_in=backend(key_id=None))
    with pytest.raises(WrongInput, match=r"^pulls\.ehr\.sign_in\.key_id: the key has no name"):
        sign_in_of(settings, place="pulls.ehr", secrets_by_key={"sign_in.key_variable": as_pem(KEYS["EC"])})
    tokens = sign_in_of(settings, place="pulls.ehr", secrets_by_key={"sign_in.key_variable": as_jwk(KEYS["EC"])})
    assert tokens.key[1] == "ours"
