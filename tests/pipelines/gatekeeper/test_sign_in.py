import asyncio
import threading

import pyotp
import pytest
from argon2 import PasswordHasher

from pipelines.gatekeeper import forms, opening, passwords
from pipelines.gatekeeper.audit_log import verify
from pipelines.gatekeeper.passwords import new_entry
from pipelines.gatekeeper.settings import Password
from pipelines.gatekeeper.sign_in import PasswordSignIn, Refused
from tests.pipelines.gatekeeper.served import Quiet, browser_of, form_token_in, settings_at

ROSTER = """
[[viewers]]
id = "director@clinic.example"
roles = ["director"]

[[viewers]]
id = "analyst@clinic.example"
roles = ["analyst"]
"""
WHO, PASSWORD = "director@clinic.example", "a few random words"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def secret():
    return pyotp.random_base32()


@pytest.fixture
def files(tmp_path, secret):
    """A roster and a password file beside it."""
    (tmp_path / "roster.toml").write_text(ROSTER, encoding="utf-8")
    kept = tmp_path / "passwords.toml"
    kept.write_text(f'[viewers."{WHO}"]\npassword = "{QUICK.hash(PASSWORD)}"\ntotp = "{secret}"\n', encoding="utf-8")
    kept.chmod(0o600)
    return tmp_path


@pytest.fixture
def gate(home, files, clock, monkeypatch):
    # The hash that somebody unknown is judged by, as cheap as the known one's here.
    monkeypatch.setattr(passwords, "_nobodys", lambda: QUICK.hash("nobody's"))
    settings = settings_at(
        8080,
        sign_in=Password(method="password", passwords=files / "passwords.toml"),
        roster=files / "roster.toml",
    )
    opened = opening.open_gate(settings, home=home, log=Quiet(), clock=clock)
    yield opened
    opened.close()


def try_it(gate, secret, *, viewer=WHO, password=PASSWORD, code=None, client=None, ahead=0):
    """One try from a browser."""
    client = client or browser_of(gate)
    code = pyotp.TOTP(secret).at(int(gate.clock()) + ahead) if code is None else code
    page = client.get("/sign-in")
    return client.post(
        "/sign-in", data={"token": form_token_in(page), "viewer": viewer, "password": password, "code": code}
    )


def reasons(home):
    return [
        entry.get("reason")
        for entry in verify(opening.audit_file(home)).entries
        if (entry["event"], entry.get("decision")) == ("sign-in", "denied")
    ]


def test_a_password_and_a_code_open_the_door(gate, secret):
    client = browser_of(gate)
    assert try_it(gate, secret, client=client).status_code == 303
    assert client.get("/").status_code == 200


def test_a_code_may_be_typed_with_a_space_and_a_name_with_spaces_around(gate, secret):
    code = pyotp.TOTP(secret).at(int(gate.clock()))
    assert try_it(gate, secret, viewer=f" {WHO} ", code=f"{code[:3]} {code[3:]}").status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [{"password": "another password"}, {"code": "000000"}, {"code": ""}, {"password": ""}, {"viewer": "analyst@clinic.example"},
     {"viewer": "nobody@clinic.example"}, {"viewer": ""}, {"viewer": WHO.upper()}, {"password": PASSWORD + "\0"}],
)  # fmt: skip
def test_whatever_is_wrong_the_answer_is_the_same(gate, secret, wrong):
    answer = try_it(gate, secret, **wrong)
    assert answer.status_code == 401
    assert forms.WRONG in answer.text
    assert gate.cookies.session not in answer.cookies


def test_a_code_does_not_work_twice(gate, secret, home):
    code = pyotp.TOTP(secret).at(int(gate.clock()))
    assert try_it(gate, secret, code=code).status_code == 303
    again = try_it(gate, secret, code=code)
    assert (again.status_code, forms.WRONG in again.text) == (401, True)
    assert reasons(home) == ["code used before"]


def test_an_earlier_code_does_not_work_after_a_later_one(gate, secret, clock):
    assert try_it(gate, secret, ahead=30).status_code == 303
    assert try_it(gate, secret).status_code == 401
    clock.now += 60
    assert try_it(gate, secret).status_code == 303


def test_after_five_wrong_tries_even_the_right_one_waits(gate, secret, clock, home):
    for _ in range(5):
        assert try_it(gate, secret, password="another password").status_code == 401
    locked = try_it(gate, secret)
    assert locked.status_code == 429
    assert "Wait 1 minute" in locked.text
    clock.now += 61
    assert try_it(gate, secret).status_code == 303
    assert reasons(home) == ["wrong password or code"] * 5 + ["too many tries"]


def test_somebody_unknown_is_locked_out_with_the_same_words(gate, secret):
    known = [try_it(gate, secret, password="x" * 12) for _ in range(7)]
    unknown = [try_it(gate, secret, viewer="nobody", password="x" * 12) for _ in range(7)]

    def shown(answer):
        return answer.status_code, answer.text.replace(form_token_in(answer), "")

    assert [shown(answer) for answer in known] == [shown(answer) for answer in unknown]


def test_many_tries_at_once_are_counted_before_any_is_judged(gate, clock):
    judged = []
    slow = threading.Event()

    def verify_slowly(secret, password):
        judged.append(password)
        slow.wait(timeout=0.2)
        return False

    sign_in = PasswordSignIn(gate.sign_in._secrets, tries=gate.sign_in._tries, verify=verify_slowly)

    async def flood():
        form = {"viewer": WHO, "password": "x", "code": "000000"}
        return await asyncio.gather(*(sign_in.check(form, address="192.0.2.7", now=clock.now) for _ in range(40)))

    outcomes = asyncio.run(flood())
    assert len(judged) == 5
    assert [outcome.status for outcome in outcomes].count(429) == 35
    assert all(isinstance(outcome, Refused) for outcome in outcomes)


def test_what_was_typed_stands_in_no_record_unless_the_roster_knows_it(gate, secret, home):
    try_it(gate, secret, viewer="my-own-password", password="my-other-password")
    try_it(gate, secret, password="my-other-password")
    text = opening.audit_file(home).read_text(encoding="utf-8")
    assert "password" not in text.replace("wrong password or code", "").replace('reason":"password;', "")
    assert WHO in text
    assert "my-own-password" not in str(gate.log.said)


def test_a_changed_password_ends_older_sessions(gate, secret, files, home):
    client = browser_of(gate)
    try_it(gate, secret, client=client)
    assert client.get("/").status_code == 200
    entry, _ = new_entry(WHO, "another few random words")
    (files / "passwords.toml").write_text(entry, encoding="utf-8")
    assert client.get("/").status_code == 303
    ended = [entry for entry in verify(opening.audit_file(home)).entries if entry["event"] == "sessions ended"]
    assert [entry["reason"] for entry in ended] == ["the password changed"]


def test_somebody_with_a_password_who_is_not_on_the_roster_is_told_so_and_stays_out(gate, secret, files):
    (files / "roster.toml").write_text(ROSTER.replace(WHO, "other@clinic.example"), encoding="utf-8")
    answer = try_it(gate, secret)
    assert answer.status_code == 403
    assert gate.cookies.session not in answer.cookies


def test_a_bad_roster_keeps_the_last_good_one_and_says_so(gate, secret, files):
    client = browser_of(gate)
    try_it(gate, secret, client=client)
    (files / "roster.toml").write_text("[[viewers]]\nid = 'x'", encoding="utf-8")
    assert client.get("/").status_code == 200
    health = client.get("/health").json()
    assert (health["status"], "roster" in health["problems"]) == ("degraded", True)
    assert any(fields.get("file") == "roster" and "problem" in fields for _, fields in gate.log.said)
    (files / "roster.toml").write_text(ROSTER, encoding="utf-8")
    assert client.get("/").status_code == 200
    assert "roster" not in client.get("/health").json()["problems"]


def test_a_flood_of_forms_from_one_place_is_stopped_before_any_hash(gate, secret, monkeypatch):
    client = browser_of(gate)
    statuses = [client.post("/sign-in", data={}).status_code for _ in range(62)]
    assert statuses == [403] * 60 + [429] * 2


def test_the_page_asks_for_a_name_a_password_and_a_code(gate):
    text = browser_of(gate).get("/sign-in").text
    assert all(f'name="{field}"' in text and f'for="{field}"' in text for field in ("viewer", "password", "code"))
    assert 'autocomplete="one-time-code"' in text
    assert "<script" not in text
