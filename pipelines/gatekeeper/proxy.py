"""Sign-in by a proxy in front: whose word is taken, and for what.

Belongs here: reading who called from what the proxy writes. Does not belong here: the proxy's own sign-in.
"""

import hmac

from starlette.requests import Request

from pipelines.gatekeeper.settings import Proxy, Server, is_among


class Forged(Exception):
    """Somebody other than the proxy wrote the proxy's headers, or not all of them, or one twice."""


def caller(request: Request, *, server: Server) -> str:
    """The address that a request came from, through the proxies that the server stands behind."""
    address = request.client.host if request.client else "unknown"
    for header in reversed(request.headers.getlist("x-forwarded-for")):
        for step in reversed(header.split(",")):
            if not is_among(address, server.behind):
                return address
            address = step.strip()
    return address[:64]


def proved_by_proxy(request: Request, *, settings: Proxy, secret: str) -> str | None:
    """The id that the proxy proved; None where no identity is claimed.

    Raises:
        Forged: where one is claimed by anybody but the proxy.
    """
    claimed = request.headers.getlist(settings.header)
    if not claimed:
        return None
    shown = request.headers.getlist(settings.secret_header)
    is_proxy = request.client is not None and is_among(request.client.host, settings.proxies)
    is_secret = len(shown) == 1 and hmac.compare_digest(shown[0].encode(), secret.encode())
    if not (is_proxy and is_secret and len(claimed) == 1 and claimed[0]):
        raise Forged
    return claimed[0]
