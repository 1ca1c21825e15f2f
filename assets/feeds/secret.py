"""The clinic's secret, under which identifiers become codes: made once, kept by the clinic, never shown.

Belongs here: making and reading the secret, and noticing that it is gone or another. Does not belong here: what is coded
with it (`codes`).

With another secret every code would change and no earlier night could be joined to a later one. So the first night writes
a check value, from which the secret can't be found, beside what has landed; every later night holds the secret to it.
"""

import hmac
import re
import secrets
from pathlib import Path
from typing import Final

from assets.feeds.wrong_input import WrongInput
from assets.whole_files import written_whole

NAME: Final = "secret.key"
CHECK_FILE: Final = "secret.check"
_BYTES: Final = 32
_CHECKED: Final = b"rapport: the check value of a clinic's secret"


def check_value(secret: bytes) -> str:
    """16 hexadecimal digits that tell one secret from another and nothing else about it."""
    return hmac.digest(secret, _CHECKED, "sha256").hex()[:16]


def hold_secret(file: Path, *, landing: Path) -> bytes:
    """The secret, made where there never was one, and the same as on every earlier night.

    Args:
        file: where the clinic keeps it; 64 or more hexadecimal digits.
        landing: the folder of kept files, which has the check value.

    Raises:
        WrongInput: where it is gone, another, open to others or no secret at all.
    """
    check = landing / CHECK_FILE
    expected = check.read_text(encoding="utf-8").strip() if check.exists() else None
    if not file.exists():
        if expected is not None:
            raise WrongInput(
                "the secret that identifiers are coded with is not there",
                place=str(file),
                mend="bring it back from where the clinic keeps a copy; SECURITY.md says how to begin with a new one",
            )
        _make(file)
    secret = read_secret(file)
    if expected is None:
        landing.mkdir(parents=True, exist_ok=True)
        _write(check, check_value(secret), mode=0o440)
    elif not hmac.compare_digest(expected, check_value(secret)):
        raise WrongInput(
            "this is not the secret that earlier nights coded identifiers with",
            place=str(file),
            mend="bring the right one back; SECURITY.md says how to change to a new one",
        )
    return secret


def _make(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _write(file, secrets.token_hex(_BYTES), mode=0o600)
    except OSError as error:
        raise WrongInput(
            f"the secret can't be written ({(error.strerror or 'no reason given').lower()})",
            place=str(file),
            mend="let this account write there, or name another file by RAPPORT_SECRET_FILE",
        ) from None


def read_secret(file: Path) -> bytes:
    """The secret in a file, which nobody else may read; WrongInput where it is none or open to others."""
    try:
        is_open_to_others = file.stat().st_mode & 0o077
        said = file.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise WrongInput(
            f"the secret can't be read ({(error.strerror or 'no reason given').lower()})",
            place=str(file),
            mend="let this account read it",
        ) from None
    if is_open_to_others:
        raise WrongInput("the secret is open to other accounts", place=str(file), mend=f"chmod 600 {file}")
    if not re.fullmatch(r"(?:[0-9a-fA-F]{2}){32,}", said):
        raise WrongInput(
            "is not a secret: 64 or more hexadecimal digits are",
            place=str(file),
            mend="bring it back from where the clinic keeps a copy",
        )
    return bytes.fromhex(said)


def _write(file: Path, text: str, *, mode: int) -> None:
    """A file that is there whole or not at all, and closed to others from its first byte."""
    with written_whole(file, mode=mode) as opened:
        opened.write(f"{text}\n".encode("ascii"))
