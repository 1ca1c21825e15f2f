import pytest

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.settings import is_among, is_loopback, read_secret, read_settings

HEAD = 'roster = "roster.toml"\n'
LOCAL = '[server]\npublic_url = "http://127.0.0.1:8080"\n'
TLS = '[server]\npublic_url = "https://rapport.clinic.example"\ncertificate = "chain.pem"\nkey = "key.pem"\n'
PASSWORD = '[sign_in]\nmethod = "password"\npasswords = "passwords.toml"\n'
PROXY = '[sign_in]\nmethod = "proxy"\nheader = "X-Forwarded-Email"\nproxies = ["10.0.0.5"]\nsecret_header = "X-Secret"\nsecret_file = "secret"\n'
OIDC = '[sign_in]\nmethod = "oidc"\nissuer = "https://login.clinic.example/"\nclient_id = "rapport"\nclient_secret_file = "secret"\nclaim = "sub"\n'


def read(tmp_path, text):
    file = tmp_path / "server.toml"
    file.write_text(text, encoding="utf-8")
    return read_settings(file)


@pytest.mark.parametrize(("sign_in", "method"), [(PASSWORD, "password"), (PROXY, "proxy"), (OIDC, "oidc")])
def test_each_way_of_signing_in_is_one_setting(tmp_path, sign_in, method):
    assert read(tmp_path, HEAD + TLS + sign_in).sign_in.method == method


def test_paths_are_relative_to_the_files_own_folder(tmp_path):
    found = read(tmp_path, 'names = "/etc/names.csv"\n' + HEAD + TLS + PASSWORD)
    assert found.roster == tmp_path / "roster.toml"
    assert found.sign_in.passwords == tmp_path / "passwords.toml"
    assert found.server.certificate == tmp_path / "chain.pem"
    assert str(found.names) == "/etc/names.csv"


def test_an_issuer_is_known_without_its_last_slash(tmp_path):
    assert read(tmp_path, HEAD + TLS + OIDC).sign_in.issuer == "https://login.clinic.example"


@pytest.mark.parametrize(
    ("server", "mend"),
    [
        ('[server]\npublic_url = "http://rapport.clinic.example"\n', "plain HTTP is for this machine alone"),
        ('[server]\npublic_url = "http://127.0.0.1:8080"\nhost = "0.0.0.0"\n', "plain HTTP is for this machine alone"),
        ('[server]\npublic_url = "https://rapport.clinic.example"\n', "HTTPS needs"),
        (TLS.replace('key = "key.pem"\n', ""), "or neither"),
        (LOCAL + 'certificate = "chain.pem"\nkey = "key.pem"\n', "with a certificate"),
        ('[server]\npublic_url = "https://rapport.clinic.example/path"\nbehind = ["10.0.0.5"]\n', "write it as"),
        ('[server]\npublic_url = "https://rapport.clinic.example"\nbehind = ["0.0.0.0/0"]\n', "trusts everybody"),
        ('[server]\npublic_url = "https://rapport.clinic.example"\nbehind = ["the proxy"]\n', "write addresses as"),
        (LOCAL + "requests_per_minute = 1\n", "greater than or equal to 10"),
    ],
)
def test_what_would_not_be_safe_is_refused(tmp_path, server, mend):
    with pytest.raises(WrongInput) as wrong:
        read(tmp_path, HEAD + server + PASSWORD)
    assert mend in wrong.value.mend
    assert "server" in wrong.value.place


@pytest.mark.parametrize(
    "sign_in",
    [
        '[sign_in]\nmethod = "demo"\n',
        '[sign_in]\nmethod = "none"\n',
        "",
        OIDC.replace("https:", "http:"),
        OIDC.replace('claim = "sub"', 'claim = "name"'),
        PROXY.replace('"X-Secret"', '"x-forwarded-email"'),
        PROXY.replace('["10.0.0.5"]', "[]"),
        PROXY.replace("X-Forwarded-Email", "X Forwarded"),
    ],
)
def test_a_way_of_signing_in_that_proves_nothing_is_refused(tmp_path, sign_in):
    with pytest.raises(WrongInput, match="sign_in"):
        read(tmp_path, HEAD + TLS + sign_in)


def test_a_provider_on_this_machine_may_speak_plain_http(tmp_path):
    found = read(tmp_path, HEAD + LOCAL + OIDC.replace("https://login.clinic.example/", "http://127.0.0.1:9000"))
    assert found.sign_in.issuer == "http://127.0.0.1:9000"


def test_a_secret_stands_alone_in_a_file_that_only_its_owners_read(tmp_path):
    file = tmp_path / "secret"
    file.write_text("0123456789abcdef\n", encoding="utf-8")
    file.chmod(0o600)
    assert read_secret(file) == "0123456789abcdef"


@pytest.mark.parametrize(("text", "mode"), [("sesame", 0o600), ("0123456789abcdef", 0o644)])
def test_a_secret_that_is_short_or_open_to_everybody_is_refused_and_not_repeated(tmp_path, text, mode):
    file = tmp_path / "secret"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    with pytest.raises(WrongInput) as wrong:
        read_secret(file)
    assert text not in str(wrong.value)


@pytest.mark.parametrize(
    ("address", "is_in"),
    [("10.0.0.5", True), ("10.0.1.9", True), ("::ffff:10.0.0.5", True), ("10.0.0.6", False), ("10.0.0.5, 1.1.1.1", False),
     ("", False), ("unknown", False), ("::1", False)],
)  # fmt: skip
def test_an_address_is_among_networks_only_if_it_is_one(address, is_in):
    assert is_among(address, ("10.0.0.5", "10.0.1.0/24")) == is_in


def test_this_machine_alone_is_its_loopback():
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "10.0.0.1", "localhost.clinic.example", "")))  # noqa: S104
