"""An identity provider that speaks OpenID Connect over HTTP, with faults to choose from.

Belongs here: discovery, keys, the authorization and token endpoints, PKCE checked as RFC 7636 says. It signs in whoever the
test names, without asking.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = "rapport", "a-secret-of-the-client-alone"

WRONG_CLAIMS = {
    "nonce": lambda _: {"nonce": "another"},
    "audience": lambda _: {"aud": "another"},
    "audience, authorized to us": lambda _: {"aud": "another", "azp": CLIENT_ID},
    "audiences, authorized to another": lambda _: {"aud": [CLIENT_ID, "another"], "azp": "another"},
    "issuer": lambda _: {"iss": "https://elsewhere.example"},
    "expired": lambda now: {"iat": now - 600, "exp": now - 300},
    "not yet": lambda now: {"nbf": now + 600},
}
LEFT_OUT = {"no nonce": "nonce", "no audience": "aud", "no issuer": "iss", "no expiry": "exp", "no subject": "sub"}


class Provider:
    """One provider.

    Attributes:
        claims: what it says of whoever signs in.
        fault: what it does wrong next: see `_token`.
        seen: the requests to its token endpoint.
    """

    def __init__(self, issuer):
        self.issuer = issuer
        self.claims = {"sub": "0001", "email": "director@clinic.example", "email_verified": True}
        self.fault = None
        self.algorithms = ["RS256"]
        self.calls_itself = issuer
        self.seen = []
        self._key = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})
        self._stranger = RSAKey.generate_key(2048, parameters={"kid": "one", "use": "sig", "alg": "RS256"})
        self._codes = {}
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._answer_for_code, methods=["POST"]),
            ]
        )

    async def _describe(self, _):
        return JSONResponse(
            {
                "issuer": self.calls_itself,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "id_token_signing_alg_values_supported": self.algorithms,
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def _keys(self, _):
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def _authorize(self, request):
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT_ID
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        assert len(asked["state"]) >= 16
        assert len(asked["nonce"]) >= 16
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = (
            {"code": code, "state": asked["state"]}
            if self.fault != "denied"
            else {"error": "access_denied", "state": asked["state"]}
        )
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", status_code=302)

    async def _answer_for_code(self, request):
        given = dict(await request.form())
        self.seen.append(given)
        asked = self._codes.pop(given.get("code"), None)
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(given.get("code_verifier", "").encode()).digest()).rstrip(
            b"="
        )
        if (
            asked is None
            or request.headers.get("authorization") != f"Basic {basic}"
            or given["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode() != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        answer = {"access_token": secrets.token_urlsafe(16), "token_type": "Bearer", "expires_in": 60}
        if self.fault != "no id token":
            answer["id_token"] = self._token(asked)
        return JSONResponse(answer)

    def _token(self, asked):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 60,
            "nonce": asked["nonce"],
            **self.claims,
        }
        claims |= WRONG_CLAIMS.get(self.fault, lambda _: {})(now)
        if self.fault in LEFT_OUT:
            del claims[LEFT_OUT[self.fault]]
        if self.fault == "symmetric, with the client's secret":
            return _signed_with(CLIENT_SECRET.encode(), claims)
        if self.fault == "symmetric, with the public key":
            return _signed_with(self._key.as_pem(private=False), claims)
        if self.fault == "none":
            return f"{_packed({'alg': 'none'})}.{_packed(claims)}."
        header, key = {"alg": "RS256", "kid": "one"}, self._stranger if self.fault == "another key" else self._key
        token = jwt.encode(header, claims, key)
        if self.fault == "changed":
            head, body, sign = token.split(".")
            other = jwt.encode(header, claims | {"email": "other@clinic.example"}, key).split(".")[1]
            assert other != body
            return f"{head}.{other}.{sign}"
        return token


def _packed(part):
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _signed_with(secret, claims):
    text = f"{_packed({'alg': 'HS256'})}.{_packed(claims)}"
    mark = hmac.new(secret, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mark).rstrip(b'=').decode()}"


@contextmanager
def provider_running() -> Iterator[Provider]:
    """A provider that listens on this machine for as long as it is wanted."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        provider = Provider(f"http://127.0.0.1:{listening.getsockname()[1]}")
        server = uvicorn.Server(uvicorn.Config(provider.app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield provider
        server.should_exit = True
        thread.join()
