import tomllib

import pyotp
import pytest
from argon2 import PasswordHasher

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.passwords import Secret, code_step, is_password, new_entry, read_passwords

# RFC 6238, appendix B: the shared secret "12345678901234567890" and its codes under SHA-1, their last six digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
RFC_CODES = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}
SECRET = Secret(
    password_hash=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a few random words"), totp=RFC_SECRET
)


def written(tmp_path, text, mode=0o600):
    file = tmp_path / "passwords.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


@pytest.mark.parametrize("moment", RFC_CODES)
def test_codes_are_those_of_rfc_6238(moment):
    assert code_step(SECRET, RFC_CODES[moment], now=float(moment)) == moment // 30


def test_a_code_is_taken_for_one_step_before_and_after_and_no_longer():
    steps = {
        around: code_step(SECRET, RFC_CODES[1234567890], now=1234567890.0 + 30 * around) for around in range(-3, 4)
    }
    step = 1234567890 // 30
    assert steps == {-3: None, -2: None, -1: step, 0: step, 1: step, 2: None, 3: None}


@pytest.mark.parametrize("code", ["", "28708", "2870822", "abcdef", "\uff12" * 6, "287082\n", "-87082"])
def test_anything_else_is_no_code(code):
    assert code_step(SECRET, code, now=59.0) is None


def test_nobody_has_no_code_and_no_password():
    assert code_step(None, "287082", now=59.0) is None
    assert not is_password(None, "a few random words")


def test_only_the_password_itself_is_right():
    assert is_password(SECRET, "a few random words")
    assert not any(
        is_password(SECRET, other) for other in ("", "A few random words", "a few random words ", "x" * 1024)
    )


def test_a_new_entry_is_what_the_file_is_read_as(tmp_path):
    entry, address = new_entry('odd"id\\', "a few random words")
    found = read_passwords(written(tmp_path, entry))['odd"id\\']
    assert is_password(found, "a few random words")
    assert tomllib.loads(entry)["viewers"]['odd"id\\']["password"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    app = pyotp.parse_uri(address)
    assert code_step(found, app.at(1_000_000), now=1_000_000.0) == 1_000_000 // 30
    assert app.issuer == "Rapport"
    assert "a few random words" not in entry + address


@pytest.mark.parametrize("password", ["short", "x" * 1025])
def test_a_password_too_short_or_too_long_is_refused(password):
    with pytest.raises(WrongInput, match="password") as wrong:
        new_entry("director", password)
    assert password not in str(wrong.value)


def test_the_proof_changes_with_the_password_and_with_the_codes_secret():
    other_hash = Secret(password_hash="$argon2id$other", totp=RFC_SECRET)
    other_code = Secret(password_hash=SECRET.password_hash, totp=pyotp.random_base32())
    assert len({SECRET.proof, other_hash.proof, other_code.proof}) == 3


def test_a_secret_is_not_shown_where_it_is_printed():
    assert repr(SECRET) == "Secret()"


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        ('[viewers.a]\npassword = "$argon2id$hidden"\ntotp = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"', 0o644),
        ('[viewers.a]\npassword = "hidden"\ntotp = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"', 0o600),
        ('[viewers.a]\npassword = "$2b$hidden"\ntotp = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"', 0o600),
        ('[viewers.a]\npassword = "$argon2id$hidden"', 0o600),
        ('[viewers.a]\npassword = "$argon2id$hidden"\ntotp = "hidden"', 0o600),
        ("hidden", 0o600),
    ],
)
def test_a_wrong_password_file_is_told_without_what_it_holds(tmp_path, text, mode):
    with pytest.raises(WrongInput) as wrong:
        read_passwords(written(tmp_path, text, mode))
    assert "hidden" not in str(wrong.value)
    assert "passwords.toml" in wrong.value.place
