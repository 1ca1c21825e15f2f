import pyotp
import pytest

from pipelines.command_line import run
from pipelines.gatekeeper.passwords import is_password, read_passwords


@pytest.fixture
def typed(monkeypatch):
    """Answer each hidden question in turn."""

    def answering(*answers):
        left = list(answers)
        monkeypatch.setattr("click.termui.hidden_prompt_func", lambda _: left.pop(0))

    return answering


def test_what_it_prints_is_an_entry_for_the_file_and_an_address_for_the_app(typed, capsys, tmp_path):
    typed("a few random words", "a few random words")
    assert run(["password", "director@clinic.example"]) == 0
    said = capsys.readouterr()
    file = tmp_path / "passwords.toml"
    file.write_text(said.out, encoding="utf-8")
    file.chmod(0o600)
    found = read_passwords(file)["director@clinic.example"]
    assert is_password(found, "a few random words")
    address = next(line for line in said.err.splitlines() if line.startswith("otpauth://totp/"))
    assert pyotp.parse_uri(address).secret == found.totp
    assert "a few random words" not in said.out + said.err


def test_a_short_password_is_one_line_and_status_2(typed, capsys):
    typed("short", "short")
    assert run(["password", "director@clinic.example"]) == 2
    assert "fewer than 12" in capsys.readouterr().err
