"""The ways of signing in, one to a deployment: what each asks for and what it proves.

Belongs here: from what somebody sends to a proved id or a refusal. Does not belong here: sessions and cookies (`gate`), or
the secrets' own arithmetic (`passwords`, `oidc`).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from pipelines.gatekeeper import forms
from pipelines.gatekeeper.oidc import IdentityProvider
from pipelines.gatekeeper.passwords import LONGEST, Secret, code_step, is_password
from pipelines.gatekeeper.tries import SignInTries

# A hash takes 64 MB and a core for a sixth of a second: more at once would let strangers spend both.
_HASHES_AT_ONCE: Final = 2


@dataclass(frozen=True, kw_only=True)
class Proved:
    """Somebody is who they say.

    Attributes:
        viewer: their id; whether it is on the roster is not said.
        proof: what a session stands on.
    """

    viewer: str
    proof: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Nobody is proved.

    Attributes:
        reason: for the audit log, in a word or two and without any value.
        message: for the page.
        status: of the answer.
    """

    reason: str
    message: str
    status: int


class SignIn(Protocol):
    """What every way of signing in has."""

    method: str

    def proof_of(self, viewer: str) -> str | None:
        """What a session of this viewer must stand on now; None where they can't sign in any more."""
        ...

    async def check(self, form: Mapping[str, str], *, address: str, now: float) -> Proved | Refused:
        """Judge a form that was sent; methods without a form refuse it."""
        ...

    @property
    def problem(self) -> str | None:
        """What is wrong with its files; None where all is well."""
        ...


class _Formless:
    method = ""
    problem: str | None = None

    def proof_of(self, viewer: str) -> str | None:  # noqa: ARG002 - the roster alone decides
        """The method itself: there is nothing else that could change."""
        return self.method

    async def check(self, form: Mapping[str, str], *, address: str, now: float) -> Proved | Refused:  # noqa: ARG002
        """There is no form."""
        return Refused(reason="no such form", message=forms.FAILED, status=403)


class OidcSignIn(_Formless):
    """By an identity provider."""

    method = "oidc"

    def __init__(self, provider: IdentityProvider) -> None:
        self.provider = provider


class ProxySignIn(_Formless):
    """By a proxy in front, which is asked at every request."""

    method = "proxy"

    def __init__(self, secret: str) -> None:
        self.secret = secret


class DemoSignIn(_Formless):
    """One of the demonstration's ready sign-ins."""

    method = "demo"

    def __init__(self, ready: Mapping[str, str]) -> None:
        self.ready = ready

    async def check(self, form: Mapping[str, str], *, address: str, now: float) -> Proved | Refused:  # noqa: ARG002
        """Whoever chose one of them is it."""
        viewer = form.get("viewer", "")
        if viewer not in self.ready:
            return Refused(reason="no such sign-in", message=forms.FAILED, status=403)
        return Proved(viewer=viewer, proof=self.method)


class Secrets(Protocol):
    """The password file, as it is now."""

    problem: str | None

    def current(self) -> Mapping[str, Secret]:
        """What each viewer must prove."""
        ...


class PasswordSignIn:
    """By a password and a one-time code.

    Args:
        secrets: the password file.
        tries: failed sign-ins and used codes.
        verify: whether a password is right; it takes its time.
    """

    method = "password"

    def __init__(
        self, secrets: Secrets, *, tries: SignInTries, verify: Callable[[Secret | None, str], bool] = is_password
    ) -> None:
        self._secrets = secrets
        self._tries = tries
        self._verify = verify
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    @property
    def problem(self) -> str | None:
        """What is wrong with the password file."""
        return self._secrets.problem

    def proof_of(self, viewer: str) -> str | None:
        """It changes with the password and the code's secret, which ends older sessions."""
        secret = self._secrets.current().get(viewer)
        return None if secret is None else secret.proof

    async def check(self, form: Mapping[str, str], *, address: str, now: float) -> Proved | Refused:
        """Both must be right, the code unused; nothing in the answer tells which was not, or whether the name is known."""
        viewer, password, code = (form.get(name, "")[:LONGEST] for name in ("viewer", "password", "code"))
        viewer = viewer.strip()
        wait = self._tries.begin(viewer, address=address, now=now)
        if wait > 0:
            return Refused(reason="too many tries", message=forms.too_many(wait), status=429)
        secret = self._secrets.current().get(viewer)
        async with self._hashing:
            is_right = await asyncio.to_thread(self._verify, secret, password)
        step = code_step(secret, code.replace(" ", ""), now=now)
        if not is_right or step is None or secret is None:
            return Refused(reason="wrong password or code", message=forms.WRONG, status=401)
        if not self._tries.use_code(viewer, step=step):
            return Refused(reason="code used before", message=forms.WRONG, status=401)
        self._tries.forgive(viewer, address=address)
        return Proved(viewer=viewer, proof=secret.proof)
