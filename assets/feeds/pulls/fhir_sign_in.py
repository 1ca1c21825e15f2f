"""How a FHIR server lets us in: a token that stands in the environment, or one that our own key buys for a few minutes.

Belongs here: SMART App Launch 2.0's "backend services" with asymmetric keys: a JWT signed with RS384 or ES384, the token that
it buys, and when a new one is needed. Does not belong here: what the token is used for (`fhir_server`).

Neither key, statement nor token is ever in a message.
"""

import re
import secrets
import stat
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, RSAKey
from pydantic import TypeAdapter, ValidationError

from assets.feeds.pulls.fhir_settings import FhirPull, SignIn
from assets.feeds.pulls.setting_parts import Address
from assets.feeds.pulls.web import Web
from assets.feeds.wrong_input import WrongInput

_STATEMENT_SECONDS: Final = 240  # SMART allows five minutes; the rest is for clocks that differ
_TOKEN_SECONDS: Final = 300  # what SMART recommends, where a server does not say
_SLACK_SECONDS: Final = 30
_ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_CONFIGURATION: Final = "/.well-known/smart-configuration"
_UNDERSTOOD: Final = (400, 401, 403)

_ADDRESS: Final[TypeAdapter[str]] = TypeAdapter(Address)

Key = RSAKey | ECKey


@dataclass(kw_only=True)
class Tokens:
    """What we show the server; from `sign_in_of`.

    Attributes:
        settings: of the pull.
        place: the pull's, as in `pulls.<name>`.
        bearer: the token that stands in the environment.
        key: ours, with its name and its algorithm.
    """

    settings: FhirPull
    place: str
    bearer: str | None = field(default=None, repr=False)
    key: tuple[Key, str, str] | None = field(default=None, repr=False)
    _token: str | None = field(default=None, repr=False, init=False)
    _until: float = field(default=0.0, init=False)

    @property
    def can_renew(self) -> bool:
        """Whether asking for another token may help."""
        return self.key is not None

    def header(self, web: Web) -> dict[str, str]:
        """What to send along; asks for a token where there is none that lasts.

        Raises:
            PullFailedError: where the token's giver does not answer.
            WrongInput: where it does not let us in.
        """
        if self.key is None:
            return {} if self.bearer is None else {"authorization": f"Bearer {self.bearer}"}
        if self._token is None or time.monotonic() > self._until:
            self._token, seconds = self._buy(web)
            self._until = time.monotonic() + seconds - _SLACK_SECONDS
        return {"authorization": f"Bearer {self._token}"}

    def forget(self) -> None:
        """The server does not take the token any more, whatever it said of its end."""
        self._token = None

    def _buy(self, web: Web) -> tuple[str, float]:
        url, scope = self._where_and_what(web)
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._statement(url),
        }
        with web.asked(
            "POST", url, headers={"accept": "application/json"}, form=form, understood=_UNDERSTOOD
        ) as answer:
            said, status = _fields(answer.whole()), answer.status
        token, seconds = said.get("access_token"), said.get("expires_in", _TOKEN_SECONDS)
        if status in _UNDERSTOOD or not isinstance(token, str) or not token:
            error = str(said.get("error"))
            told = error if re.fullmatch("[a-z_]{1,40}", error) else str(status)
            raise self._wrong(
                f"the server gives us no token ({told})",
                mend="see the client id, the public key that is registered there, the scope, and this machine's clock",
            )
        return token, float(seconds) if isinstance(seconds, int | float) else _TOKEN_SECONDS

    def _where_and_what(self, web: Web) -> tuple[str, str]:
        """The token's giver and the scope; asked of the server as far as the settings do not say."""
        sign_in, said = self.settings.sign_in, {}
        if sign_in.token_url is None or sign_in.scope is None:
            with web.asked(
                "GET", self.settings.base + _CONFIGURATION, headers={"accept": "application/json"}
            ) as answer:
                said = _fields(answer.whole())
        try:
            url = _ADDRESS.validate_python(sign_in.token_url or said.get("token_endpoint"))
        except ValidationError:
            raise self._wrong(
                "the server does not say where tokens are given, or not with https", mend="name it in token_url"
            ) from None
        # SMART 2 writes read and search as `rs`; before, reading was both.
        verb = "rs" if "permission-v2" in (said.get("capabilities") or ()) else "read"
        return url, sign_in.scope or " ".join(f"system/{resource}.{verb}" for resource in self.settings.resources)

    def _statement(self, audience: str) -> str:
        if self.key is None:
            raise RuntimeError("a statement needs a key")
        key, key_id, algorithm = self.key
        us = str(self.settings.sign_in.client_id)
        now = int(time.time())
        claims = {
            "iss": us,
            "sub": us,
            "aud": audience,
            "jti": secrets.token_urlsafe(24),
            "iat": now,
            "exp": now + _STATEMENT_SECONDS,
        }
        return jwt.encode({"alg": algorithm, "kid": key_id, "typ": "JWT"}, claims, key, algorithms=[algorithm])

    def _wrong(self, what: str, *, mend: str) -> WrongInput:
        return WrongInput(what, place=f"{self.place}.sign_in", mend=mend)


def sign_in_of(settings: FhirPull, *, place: str, secrets_by_key: Mapping[str, str]) -> Tokens:
    """How one server lets us in, once the key is seen to be of use.

    Args:
        settings: of the pull.
        place: the pull's, as in `pulls.<name>`.
        secrets_by_key: what the environment variables of `settings.variables` hold.

    Raises:
        WrongInput: naming the key of the settings.
    """
    sign_in, at = settings.sign_in, f"{place}.sign_in"
    if sign_in.kind == "bearer":
        return Tokens(settings=settings, place=place, bearer=secrets_by_key["sign_in.token_variable"].strip())
    if sign_in.kind == "backend_services":
        return Tokens(settings=settings, place=place, key=_key(sign_in, place=at, secrets_by_key=secrets_by_key))
    return Tokens(settings=settings, place=place)


def _key(sign_in: SignIn, *, place: str, secrets_by_key: Mapping[str, str]) -> tuple[Key, str, str]:
    if sign_in.key_file is None:
        at, text = f"{place}.key_variable", secrets_by_key["sign_in.key_variable"].encode()
    else:
        at, text = f"{place}.key_file", _read_key(Path(sign_in.key_file), place=f"{place}.key_file")
    key = _understood(text)
    if key is None:
        raise WrongInput(
            "this is not a private key that SMART knows",
            place=at,
            mend="give an RSA key of at least 2048 bits, or an EC key on P-384, as PEM without a password or as JWK",
        )
    key_id = sign_in.key_id or key.kid
    if not key_id:
        raise WrongInput(
            "the key has no name", place=f"{place}.key_id", mend="write what the registered public key is called"
        )
    return key, str(key_id), "RS384" if isinstance(key, RSAKey) else "ES384"


def _read_key(file: Path, *, place: str) -> bytes:
    try:
        if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise WrongInput("other accounts can read the key", place=place, mend=f"chmod 600 {file}")
        return file.read_bytes()
    except OSError as error:
        raise WrongInput(
            f"the key can't be read ({error.strerror})", place=place, mend="name a file of this account's"
        ) from None


def _understood(text: bytes) -> Key | None:
    """The key, where it is of one of the two kinds that SMART asks every server to know, and long enough."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SecurityWarning)
            if text.lstrip().startswith(b"{"):
                key: Any = JWKRegistry.import_key(_fields(text))
            else:
                pem = load_pem_private_key(text, password=None)
                key = (RSAKey if isinstance(pem, RSAPrivateKey) else ECKey).import_key(text.decode())
        is_private = bool(key.is_private)
    except (JoseError, SecurityWarning, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AttributeError):
        return None
    is_known = isinstance(key, RSAKey) or (isinstance(key, ECKey) and key.curve_name == "P-384")
    return key if is_known and is_private else None


def _fields(text: bytes) -> dict[str, Any]:
    """A JSON object; an empty one where it is something else."""
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
