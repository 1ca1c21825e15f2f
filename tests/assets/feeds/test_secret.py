from pathlib import Path

import pytest

from assets.feeds.secret import CHECK_FILE, check_value, hold_secret
from assets.feeds.wrong_input import WrongInput


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "secret.key"


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "home" / "landing"


def refusal(file: Path, landing: Path) -> str:
    with pytest.raises(WrongInput) as caught:
        hold_secret(file, landing=landing)
    said = str(caught.value)
    assert "\n" not in said
    assert str(file) in said
    return said


def test_the_first_night_makes_a_secret_for_this_account_alone(file, landing):
    secret = hold_secret(file, landing=landing)
    assert len(secret) == 32
    assert file.stat().st_mode & 0o777 == 0o600
    assert bytes.fromhex(file.read_text(encoding="ascii")) == secret


def test_later_nights_find_the_same_secret(file, landing):
    assert hold_secret(file, landing=landing) == hold_secret(file, landing=landing)


def test_two_clinics_have_two_secrets(tmp_path):
    secrets = {hold_secret(tmp_path / name / "secret.key", landing=tmp_path / name) for name in "ab"}
    assert len(secrets) == 2


def test_a_secret_that_the_clinic_wrote_is_taken(file, landing):
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_text("ab" * 40 + "\n", encoding="ascii")
    assert hold_secret(file, landing=landing) == b"\xab" * 40


def test_a_secret_that_is_gone_is_not_made_again(file, landing):
    hold_secret(file, landing=landing)
    file.unlink()
    assert "bring it back" in refusal(file, landing)
    assert not file.exists()


def test_another_secret_is_refused_without_either_being_said(file, landing):
    first = hold_secret(file, landing=landing)
    file.write_text("cd" * 32, encoding="ascii")
    said = refusal(file, landing)
    assert "not the secret" in said
    assert first.hex() not in said
    assert "cd" * 32 not in said


def test_with_the_check_value_taken_away_a_clinic_can_begin_with_a_new_secret(file, landing):
    hold_secret(file, landing=landing)
    file.unlink()
    (landing / CHECK_FILE).unlink()
    hold_secret(file, landing=landing)
    assert (landing / CHECK_FILE).read_text(encoding="utf-8").strip() == check_value(
        bytes.fromhex(file.read_text(encoding="ascii"))
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_that_others_can_read_is_refused(file, landing, mode):
    hold_secret(file, landing=landing)
    file.chmod(mode)
    assert "chmod 600" in refusal(file, landing)


@pytest.mark.parametrize("said", ["", "ab" * 31, "ab" * 31 + "a", "zz" * 32, "correct horse battery staple"])
def test_what_is_no_secret_is_refused_and_not_repeated(file, landing, said):
    file.parent.mkdir()
    file.touch(mode=0o600)
    file.write_text(said, encoding="ascii")
    told = refusal(file, landing)
    assert not said or said not in told


def test_a_folder_that_cannot_be_written_is_said(tmp_path, landing):
    (tmp_path / "a file").touch()
    assert "can't be written" in refusal(tmp_path / "a file" / "secret.key", landing)
