"""The gate: every request, from who asks to what leaves the server.

Belongs here: the order in which a request is judged, and what is worth a line in the audit log. Does not belong here: any
single judgement: who somebody is (`sign_in`, `proxy`, `sessions`), what lies at an address (`places`), who may see it
(`policy`), which version is current (`releases`).
"""

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from dashboards.addresses import clinician_page
from pipelines.gatekeeper import answers, entrance, forms
from pipelines.gatekeeper.audit_log import AuditLog
from pipelines.gatekeeper.overlay import PINNED, Eyes, laid_over
from pipelines.gatekeeper.places import Kind, Place, is_named_by_content, media_type, place_of, strict_path
from pipelines.gatekeeper.policy import Role, Viewer, may_see
from pipelines.gatekeeper.proxy import Forged, caller, proved_by_proxy
from pipelines.gatekeeper.releases import Part, Release, Releases
from pipelines.gatekeeper.sessions import Sessions
from pipelines.gatekeeper.settings import Proxy, Settings
from pipelines.gatekeeper.sign_in import ProxySignIn, SignIn
from pipelines.gatekeeper.tries import Allowance

_LARGEST_FORM: Final = 8192
_SIGN_INS_PER_MINUTE: Final = 60
_LATE_HOURS: Final = 36
_READS: Final = frozenset({"GET", "HEAD"})


class Kept(Protocol):
    """What a hand-kept file says now."""

    problem: str | None

    def current(self) -> Mapping[str, Any]:
        """The last good reading."""
        ...


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who sends a request.

    Attributes:
        viewer: on the roster and signed in; None for everybody else.
        address: where from.
        token: the session's, where there is one.
    """

    viewer: Viewer | None
    address: str
    token: str | None


@dataclass(kw_only=True)
class Gate:
    """One server's gate, as an ASGI application.

    Attributes:
        settings: the server's configuration.
        releases: the published versions.
        roster: viewers by id.
        names: what to show for clinicians' codes.
        sign_in: the one way of signing in.
        sessions: who is signed in.
        audit: the record.
        log: the server's own log; it is told what happened and never a secret.
        clock: seconds since 1970.
    """

    settings: Settings
    releases: Releases
    roster: Kept
    names: Kept
    sign_in: SignIn
    sessions: Sessions
    audit: AuditLog
    log: Any
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        """What follows from the settings."""
        self.cookies = answers.Cookies(is_https=self.settings.server.is_https)
        self.allowance = Allowance(per_minute=self.settings.server.requests_per_minute)
        self.sign_in_allowance = Allowance(per_minute=_SIGN_INS_PER_MINUTE)
        self._host = self.settings.server.public_url.partition("://")[2]
        self._limited = RequestBodyLimitMiddleware(self._respond, _LARGEST_FORM)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request; there are no others."""
        if scope["type"] != "http":
            raise ValueError(f"the gate answers HTTP, not {scope['type']}")
        is_https = self.settings.server.is_https
        await self._limited(scope, receive, answers.with_headers(send, method=scope["method"], is_https=is_https))

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except (OSError, sqlite3.Error) as error:
            # The disk is full, a file can't be read, the record can't be written: nothing leaves without its line.
            # Without a traceback, whose lines could name a page.
            self.log.warning("a request failed", error=type(error).__name__)
            response = Response(forms.message_page(forms.UNAVAILABLE), status_code=503, media_type="text/html")
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:  # noqa: PLR0911 - a request is judged step by step
        raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
        path = strict_path(raw)
        if path == "health" and request.method in _READS:
            return await self._health()
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() != self._host:
            return answers.not_here()
        who = await self._who(request)
        if not self.allowance.take(who.viewer.id if who.viewer else f"address {who.address}", now=self.clock()):
            return Response(
                forms.message_page("Too many requests. Wait a minute."),
                status_code=429,
                headers={"retry-after": "60"},
                media_type="text/html",
            )
        if path is None:
            return await self._refuse(who, None)
        if request.method in _READS and path == forms.style_sheet()[0]:
            part = Part(body=forms.style_sheet()[1], gzipped=None, etag=f'"{path}"')
            return _kept_answer(part, path=path, request=request, is_for_good=True)
        found = await entrance.answer(self, request, path=path, who=who)
        if found is not None:
            return found
        if request.method not in _READS:
            return await self._refuse(who, place_of(path))
        if who.viewer is None:
            return answers.not_here() if self.sign_in.method == "proxy" else entrance.to_sign_in(path)
        return await self._site(request, path=path, who=who, viewer=who.viewer)

    def close(self) -> None:
        """Say in the record that the server stops, and let go of the files."""
        self.audit.write_now("server stopped")
        self.audit.close()
        self.sessions.close()

    def may_see(self, viewer: Viewer, place: Place | None) -> bool:
        """The policy, with this deployment's setting."""
        return may_see(viewer, place, directors_see_clients=self.settings.directors_see_clients)

    def eyes(self, viewer: Viewer) -> Eyes:
        """What one viewer may see, and the names there are."""
        return Eyes(may_see=lambda place: self.may_see(viewer, place), names=self.names.current())

    def start(self, viewer: Viewer) -> str:
        """Where a viewer begins: the first of their pages."""
        if Role.DIRECTOR in viewer.roles:
            return "/"
        if viewer.clinician is not None:
            return f"/{clinician_page(viewer.clinician)}"
        return "/account" if viewer.supervises else "/data-quality.html"

    async def _who(self, request: Request) -> Caller:
        address = caller(request, server=self.settings.server)
        if isinstance(self.sign_in, ProxySignIn) and isinstance(self.settings.sign_in, Proxy):
            try:
                claimed = proved_by_proxy(request, settings=self.settings.sign_in, secret=self.sign_in.secret)
            except Forged:
                await self.audit.note("sign-in", decision="denied", reason="forged header", address=address)
                claimed = None
            viewer = self.roster.current().get(claimed) if claimed is not None else None
            return Caller(viewer=viewer, address=address, token=None)
        token = answers.cookie(request, self.cookies.session)
        session = self.sessions.find(token, now=self.clock())
        if session is None or token is None:
            return Caller(viewer=None, address=address, token=None)
        viewer = self.roster.current().get(session.viewer)
        if viewer is None or self.sign_in.proof_of(session.viewer) != session.proof:
            reason = "no longer on the roster" if viewer is None else "the password changed"
            self.sessions.end_all(session.viewer)
            await self.audit.note("sessions ended", viewer=session.viewer, reason=reason)
            return Caller(viewer=None, address=address, token=None)
        return Caller(viewer=viewer, address=address, token=token)

    async def _refuse(self, who: Caller, place: Place | None, *, decision: str = "denied") -> Response:
        if who.viewer is not None:
            await self._note_view(who.viewer, place, decision=decision)
        return answers.not_here()

    async def _note_view(
        self, viewer: Viewer, place: Place | None, *, decision: str, version: str | None = None
    ) -> None:
        await self.audit.note(
            "view",
            viewer=viewer.id,
            kind=place.kind.value if place else "unknown",
            # A code that somebody asked for in vain is theirs, and no fact of the clinic's.
            clinician=place.clinician if place and decision == "allowed" else None,
            decision=decision,
            version=version,
        )

    async def _site(  # noqa: PLR0911 - a request is judged step by step
        self, request: Request, *, path: str, who: Caller, viewer: Viewer
    ) -> Response:
        version = None
        if path.startswith(f"{PINNED}/"):
            _, version, path = [*path.split("/", 2), ""][:3]
        elif path == "":
            path = "index.html"
            if not self.may_see(viewer, place_of(path)):
                return answers.redirect(self.start(viewer))
        place = place_of(path)
        if place is None or not self.may_see(viewer, place):
            return await self._refuse(who, place)
        if place.kind is Kind.SHARED:
            part = await self.releases.shared(place)
            is_for_good = is_named_by_content(path)
            return (
                _kept_answer(part, path=path, request=request, is_for_good=is_for_good) if part else answers.not_here()
            )
        if version is not None and not place.is_part:
            return answers.redirect(f"/{path}")
        if version is not None:
            return await self._pinned(request, place, version=version, who=who, viewer=viewer)
        found = await self.releases.page(place)
        if found is None:
            if await self.releases.current() is None:
                return Response(forms.message_page(forms.NOTHING_YET), status_code=503, media_type="text/html")
            return await self._refuse(who, place, decision="missing")
        return await self._shown(request, place, release=found[0], body=found[1], viewer=viewer)

    async def _shown(
        self, request: Request, place: Place, *, release: Release, body: bytes, viewer: Viewer
    ) -> Response:
        await self._note_view(viewer, place, decision="allowed", version=release.version)
        if not place.is_part:
            markup = laid_over(body.decode(), page=place.path, version=release.version, eyes=self.eyes(viewer))
            body = markup.encode()
        return answers.data_answer(body, media_type=media_type(place.path), request=request)

    async def _pinned(self, request: Request, place: Place, *, version: str, who: Caller, viewer: Viewer) -> Response:
        body = await self.releases.part(place, version=version)
        if body is not None:
            await self._note_view(viewer, place, decision="allowed", version=version)
            return answers.data_answer(body, media_type=media_type(place.path), request=request)
        if self.releases.is_known(version):
            return await self._refuse(who, place, decision="missing")
        if request.headers.get("sec-fetch-mode") == "navigate":
            # A download's link on a page that has been open for long: the newest stands by itself.
            return answers.redirect(f"/{place.path}")
        return Response(b'{"gone":"reload the page"}', status_code=410, media_type="application/json")

    async def _health(self) -> Response:
        release = await self.releases.current()
        problems = [
            words
            for words, problem in (
                ("roster", self.roster.problem),
                ("names", self.names.problem),
                ("passwords", self.sign_in.problem),
                ("audit log", self.audit.problem),
            )
            if problem is not None
        ]
        if release is None:
            return JSONResponse({"status": "nothing published", "problems": problems}, status_code=503)
        now = datetime.fromtimestamp(self.clock(), tz=UTC)
        hours = (now - release.published_at).total_seconds() / 3600
        if hours > _LATE_HOURS:
            problems.append("no night has ended well lately")
        facts: dict[str, Any] = {
            "status": "degraded" if problems else "ok",
            "published_hours_ago": round(max(0.0, hours), 1),
            "problems": problems,
        }
        if release.data_date is not None:
            facts["data_age_days"] = max(0, (now.date() - release.data_date).days)
        return JSONResponse(facts, status_code=503 if self.audit.problem else 200)


def _kept_answer(part: Part, *, path: str, request: Request, is_for_good: bool) -> Response:
    headers = {
        "etag": part.etag,
        "cache-control": answers.KEPT_FOR_GOOD if is_for_good else answers.NEVER_KEPT,
        "content-type": media_type(path),
    }
    if part.etag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers={name: headers[name] for name in ("etag", "cache-control")})
    if part.gzipped is not None and answers.accepts_gzip(request):
        return Response(part.gzipped, headers={**headers, "content-encoding": "gzip"})
    return Response(part.body, headers=headers)
