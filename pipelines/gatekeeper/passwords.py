"""Sign-in by a password file with one-time codes, for a clinic without an identity provider.

Belongs here: reading the file, checking a password (argon2id, RFC 9106) and a code (TOTP, RFC 6238), and making both.
Does not belong here: how often somebody may try (`tries`).
"""

import hashlib
import hmac
import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import Field

from assets.feeds.wrong_input import WrongInput
from pipelines.gatekeeper.toml_files import Checked, read_toml

SHORTEST: Final = 12
LONGEST: Final = 1024
ISSUER: Final = "Rapport"
_STEP_SECONDS: Final = 30
_HASHER: Final = PasswordHasher()


class _Entry(Checked):
    password: Annotated[str, Field(pattern=r"^\$argon2id\$", max_length=400)]
    totp: Annotated[str, Field(pattern=r"^[A-Z2-7]{26,64}$")]


class _Passwords(Checked):
    viewers: dict[str, _Entry]


@dataclass(frozen=True, kw_only=True)
class Secret:
    """What one viewer must prove; never shown, not even by `repr`."""

    password_hash: str
    totp: str

    def __repr__(self) -> str:
        """Nothing of what it holds."""
        return "Secret()"

    @property
    def proof(self) -> str:
        """What a session stands on: it changes when the password or the code's secret does."""
        return hashlib.sha256(f"{self.password_hash}:{self.totp}".encode()).hexdigest()


def read_passwords(file: Path) -> Mapping[str, Secret]:
    """What each viewer must prove, by id.

    Raises:
        WrongInput: where the file can't be used, or others than its owner and group may read it.
    """
    found = read_toml(file, model=_Passwords)
    if file.stat().st_mode & stat.S_IRWXO:
        raise WrongInput(
            "everybody on this machine may read the passwords' hashes", place=str(file), mend=f"chmod 600 {file.name}"
        )
    return {viewer: Secret(password_hash=entry.password, totp=entry.totp) for viewer, entry in found.viewers.items()}


def is_password(secret: Secret | None, password: str) -> bool:
    """Whether a password is right. It takes as long for somebody unknown, so that the time tells nothing."""
    try:
        _HASHER.verify(secret.password_hash if secret else _nobodys(), password)
    except (VerificationError, InvalidHashError):
        return False
    return secret is not None


def code_step(secret: Secret | None, code: str, *, now: float) -> int | None:
    """The time step, of 30 s, whose code this is: now, the one before or the one after; None where it is none of them."""
    totp = pyotp.TOTP(secret.totp if secret else pyotp.random_base32())
    steps = [int(now // _STEP_SECONDS) + around for around in (-1, 0, 1)]
    # Every comparison is made, so that the time taken doesn't tell which one fitted.
    fitting = [step for step in steps if hmac.compare_digest(totp.at(step * _STEP_SECONDS).encode(), code.encode())]
    return fitting[0] if fitting and secret is not None else None


def new_entry(viewer: str, password: str, *, random_secret: Callable[[], str] = pyotp.random_base32) -> tuple[str, str]:
    """A viewer's entry for the password file, and the address that an authenticator app reads as a picture.

    Raises:
        WrongInput: where the password is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WrongInput(
            f"the password has fewer than {SHORTEST} or more than {LONGEST} characters",
            place="password",
            mend="a few random words are easy to keep",
        )
    secret = random_secret()
    # A JSON string is a TOML string too.
    entry = f'[viewers.{json.dumps(viewer)}]\npassword = "{_HASHER.hash(password)}"\ntotp = "{secret}"\n'
    return entry, pyotp.TOTP(secret).provisioning_uri(name=viewer, issuer_name=ISSUER)


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _HASHER.hash(pyotp.random_base32())
