"""Sign-in with an organisation's identity provider: OpenID Connect, authorization code with PKCE, state and nonce.

The protocol is Authlib's; here stand the choices that it leaves open. Belongs here: one flow from its beginning to a proved
id. Does not belong here: sessions (`sessions`) or who is on the roster (`roster`).
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.starlette_client import StarletteOAuth2App
from httpx2 import HTTPError
from joserfc.errors import JoseError

from pipelines.gatekeeper.sessions import random_token
from pipelines.gatekeeper.settings import Oidc

# Signatures that only the provider can make: never `none`, and never a secret that both sides know.
_SIGNATURES: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
FLOW_SECONDS: Final = 600
_LEEWAY_SECONDS: Final = 30
_MOST_FLOWS: Final = 10_000
_WAIT_SECONDS: Final = 10.0


class NotProved(Exception):
    """The provider did not prove who somebody is; the message is one word or two for the log, without any value."""


@dataclass(frozen=True, kw_only=True)
class _Flow:
    state: str
    nonce: str
    verifier: str
    then: str
    begun_at: float


class IdentityProvider:
    """One provider, and the sign-ins that are under way with it.

    Args:
        settings: where it is, and which claim counts.
        secret: what this server proves itself with.
        redirect_uri: where it sends people back to.
    """

    def __init__(self, settings: Oidc, *, secret: str, redirect_uri: str) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._flows: OrderedDict[str, _Flow] = OrderedDict()
        self._client: Any = StarletteOAuth2App(
            None,
            name="provider",
            client_id=settings.client_id,
            client_secret=secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "timeout": _WAIT_SECONDS,
            },
        )

    async def begin(self, *, then: str, now: float) -> tuple[str, str]:
        """The provider's address to send a browser to, and the token that the browser keeps until it comes back.

        Raises:
            NotProved: where the provider can't be asked.
        """
        try:
            await self._check_provider()
            started = await self._client.create_authorization_url(self._redirect_uri)
        except (HTTPError, OAuthError, ValueError, KeyError) as error:
            raise NotProved("provider not reached") from error
        token = random_token()
        self._flows[token] = _Flow(
            state=started["state"],
            nonce=started["nonce"],
            verifier=started["code_verifier"],
            then=then,
            begun_at=now,
        )
        if len(self._flows) > _MOST_FLOWS:
            self._flows.popitem(last=False)
        return str(started["url"]), token

    async def finish(
        self, token: str | None, *, state: str | None, code: str | None, issuer: str | None, now: float
    ) -> tuple[str, str]:
        """Whom the provider proved, by the claim that counts, and the path to go on to. A flow ends once, however it ends.

        Args:
            token: what the browser kept.
            state: what came back; it must be the flow's.
            code: what came back to be changed for tokens.
            issuer: what came back to say who answers (RFC 9207); None where the provider doesn't say.
            now: seconds since 1970.

        Raises:
            NotProved: for every other outcome.
        """
        flow = self._flows.pop(token, None) if token else None
        if flow is None or now - flow.begun_at > FLOW_SECONDS:
            raise NotProved("no such flow")
        if state != flow.state:
            raise NotProved("another state")
        if not code:
            raise NotProved("refused by the provider")
        if issuer is not None and issuer.rstrip("/") != self._settings.issuer:
            raise NotProved("another issuer")
        try:
            await self._check_provider()
            answer = await self._client.fetch_access_token(
                code=code, redirect_uri=self._redirect_uri, code_verifier=flow.verifier
            )
            claims = await self._client.parse_id_token(
                answer,
                nonce=flow.nonce,
                claims_options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._settings.client_id},
                    "exp": {"essential": True},
                },
                leeway=_LEEWAY_SECONDS,
            )
        except (HTTPError, OAuthError, JoseError, ValueError, KeyError, RuntimeError) as error:
            raise NotProved(f"token refused ({type(error).__name__})") from error
        if claims is None:
            raise NotProved("no identity token")
        return self._id(claims), flow.then

    async def _check_provider(self) -> None:
        described = await self._client.load_server_metadata()
        self._issuer = str(described["issuer"])
        if self._issuer.rstrip("/") != self._settings.issuer:
            raise ValueError("the provider calls itself otherwise")
        offered = described.get("id_token_signing_alg_values_supported", ["RS256"])
        taken = sorted(_SIGNATURES.intersection(offered))
        if not taken:
            raise ValueError("the provider offers no signature that is taken")
        described["id_token_signing_alg_values_supported"] = taken

    def _id(self, claims: dict[str, Any]) -> str:
        name = self._settings.claim
        found = claims.get(name)
        if not isinstance(found, str) or not found:
            raise NotProved(f"no claim {name}")
        # Whoever can write any address into their own account would else be anybody.
        if name == "email" and claims.get("email_verified") is not True:
            raise NotProved("e-mail address not verified")
        return found
