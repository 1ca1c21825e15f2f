"""What every answer carries: the content policy, the headers, cookies, and the one answer to whatever may not be seen.

Belongs here: what is the same on every answer. Does not belong here: the gatekeeper's own pages (`forms`).
"""

import gzip
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Send

from pipelines.gatekeeper import forms

# Measured with plotly.js in Chromium: the hash is of the empty style element that plotly makes and then fills through the
# object model; without 'unsafe-inline' for attributes one label loses its weight. Nothing needs eval or inline script.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
    "style-src-elem 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; style-src-attr 'unsafe-inline'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
NEVER_KEPT: Final = "private, no-store"
KEPT_FOR_GOOD: Final = "private, max-age=31536000, immutable"
_EVERY_ANSWER: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # Without any referrer, browsers also withhold the origin that our own forms are checked by.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "vary": "accept-encoding, cookie",
}
_YEAR: Final = "max-age=31536000"
_WORTH_COMPRESSING: Final = 1024


def not_here() -> Response:
    """The answer to what is missing and to what is forbidden: the same to the byte, so that nobody can tell which."""
    return Response(forms.not_here_page(), status_code=404, media_type="text/html")


def with_headers(send: Send, *, method: str, is_https: bool) -> Send:
    """A way of sending that adds what every answer carries, and leaves the body out where only the head was asked for."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _EVERY_ANSWER.items():
                headers[name] = value
            headers.setdefault("cache-control", NEVER_KEPT)
            if is_https:
                headers["strict-transport-security"] = _YEAR
        elif method == "HEAD":
            message = {**message, "body": b""}
        await send(message)

    return sending


def accepts_gzip(request: Request) -> bool:
    """Whether the browser takes gzip."""
    for each in request.headers.get("accept-encoding", "").lower().split(","):
        coding, _, weight = each.strip().partition(";")
        if coding.strip() in {"gzip", "*"}:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False


def data_answer(body: bytes, *, media_type: str, request: Request) -> Response:
    """A page or a download, compressed where the browser takes it, never to be kept."""
    headers = {"content-type": media_type, "cache-control": NEVER_KEPT}
    if len(body) >= _WORTH_COMPRESSING and accepts_gzip(request):
        headers["content-encoding"] = "gzip"
        # No moment of making in it, so that the same page has the same bytes.
        body = gzip.compress(body, compresslevel=6, mtime=0)
    return Response(body, headers=headers)


def redirect(to: str) -> Response:
    """Go there with a GET; `to` is a path of this server's, or an identity provider's address."""
    return Response(status_code=303, headers={"location": to})


class Cookies:
    """How cookies are named and kept.

    Over HTTPS a name that begins with `__Host-` makes browsers refuse one that another host or an unencrypted page set;
    plain HTTP is for this machine alone, where browsers would not take such a name.

    Args:
        is_https: whether people reach the server over HTTPS.
    """

    def __init__(self, *, is_https: bool) -> None:
        self.is_https = is_https
        self.session = self._named("rapport")
        self.form = self._named("rapport-form")
        self.flow = self._named("rapport-flow")

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self.is_https else name

    def give(self, response: Response, *, name: str, token: str, seconds: int, is_strict: bool) -> None:
        """Have the browser keep a token that no script can read."""
        response.set_cookie(
            name,
            token,
            max_age=seconds,
            path="/",
            secure=self.is_https,
            httponly=True,
            samesite="strict" if is_strict else "lax",
        )

    def take_back(self, response: Response, *, name: str) -> None:
        """Have the browser forget a token."""
        response.delete_cookie(name, path="/", secure=self.is_https, httponly=True, samesite="lax")


def cookie(request: Request, name: str) -> str | None:
    """A cookie's token; None where there is none, or where two are sent under one name."""
    pairs = [pair.strip() for header in request.headers.getlist("cookie") for pair in header.split(";")]
    values = [value for key, _, value in (pair.partition("=") for pair in pairs) if key == name]
    return values[0] if len(values) == 1 and 20 <= len(values[0]) <= 200 else None
