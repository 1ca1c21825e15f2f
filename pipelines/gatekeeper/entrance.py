"""The ways in and out: the sign-in page, the identity provider's return, the account, signing out.

Belongs here: the gatekeeper's own addresses, and the cookies and sessions that they give and take. Does not belong here:
what proves somebody (`sign_in`), or any page of the site (`gate`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from starlette.responses import Response

from dashboards.addresses import clinician_page
from pipelines.gatekeeper import answers, forms
from pipelines.gatekeeper.oidc import FLOW_SECONDS, NotProved
from pipelines.gatekeeper.places import place_of, strict_path
from pipelines.gatekeeper.sessions import form_token, is_from, random_token
from pipelines.gatekeeper.settings import Proxy
from pipelines.gatekeeper.sign_in import DemoSignIn, OidcSignIn, Proved, Refused

if TYPE_CHECKING:
    from starlette.requests import Request

    from pipelines.gatekeeper.gate import Caller, Gate

SIGN_IN: Final = "sign-in"
BEGIN: Final = "sign-in/start"
RETURN: Final = "sign-in/return"
OUT: Final = "sign-out"
OUT_EVERYWHERE: Final = "sign-out-everywhere"
ACCOUNT: Final = "account"
_FORM_SECONDS: Final = 3600
_PAGES: Final = (
    ("", "index.html", "Service overview"),
    ("clinicians/index.html", "clinicians/index.html", "Clinicians"),
    ("data-quality.html", "data-quality.html", "Data quality"),
    ("changes.html", "changes.html", "Night to night"),
    ("methods.html", "methods.html", "Methods"),
    ("dictionary.html", "dictionary.html", "Dictionary"),
)


async def answer(gate: Gate, request: Request, *, path: str, who: Caller) -> Response | None:  # noqa: PLR0911 - an address each
    """The answer of one of the gatekeeper's own addresses; None for any other address or method."""
    is_read = request.method in {"GET", "HEAD"}
    has_page = gate.sign_in.method != "proxy"
    match path:
        case "account" if is_read and who.viewer is not None:
            return await _account(gate, who)
        case "sign-in" if is_read and has_page:
            if who.viewer is not None:
                return answers.redirect("/")
            return _sign_in_page(gate, then=request.query_params.get("then"), message=None, status=200)
        case "sign-in" if request.method == "POST" and has_page:
            return await _sign_in(gate, request, who=who)
        case "sign-in/start" if request.method == "GET" and isinstance(gate.sign_in, OidcSignIn):
            return await _begin(gate, gate.sign_in, request, who=who)
        case "sign-in/return" if request.method == "GET" and isinstance(gate.sign_in, OidcSignIn):
            return await _return(gate, gate.sign_in, request, who=who)
        case "sign-out" | "sign-out-everywhere" if request.method == "POST" and who.token is not None:
            return await _sign_out(gate, request, who=who, is_everywhere=path == OUT_EVERYWHERE)
    return None


def to_sign_in(path: str) -> Response:
    """Off to the sign-in page, the same whether there is anything at the path or not."""
    then = _wanted(f"/{path}")
    return answers.redirect(f"/{SIGN_IN}" if then == "/" else f"/{SIGN_IN}?then={then}")


def _wanted(then: object) -> str:
    """A path of this site to go on to; the top for anything else."""
    path = strict_path(then.encode("ascii", "replace")) if isinstance(then, str) else None
    place = place_of(path) if path else None
    return f"/{path}" if place is not None and not place.is_part else "/"


def _sign_in_page(gate: Gate, *, then: object, message: str | None, status: int) -> Response:
    token = random_token()
    ready = tuple(gate.sign_in.ready.items()) if isinstance(gate.sign_in, DemoSignIn) else ()
    page = forms.sign_in_page(
        method=gate.sign_in.method, token=form_token(token), then=_wanted(then), message=message, ready=ready
    )
    response = Response(page, status_code=status, media_type="text/html")
    gate.cookies.give(response, name=gate.cookies.form, token=token, seconds=_FORM_SECONDS, is_strict=True)
    return response


async def _form(request: Request) -> dict[str, str]:
    """What a form of ours sends; nothing at all where anything else was sent, or a field twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return {}
    try:
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        return {}
    return dict(fields) if len(dict(fields)) == len(fields) else {}


def _is_from_here(gate: Gate, request: Request) -> bool:
    origins = request.headers.getlist("origin")
    sites = request.headers.getlist("sec-fetch-site")
    return all(each == gate.settings.server.public_url for each in origins) and all(
        each in {"same-origin", "none"} for each in sites
    )


async def _sign_in(gate: Gate, request: Request, *, who: Caller) -> Response:
    now = gate.clock()
    if not gate.sign_in_allowance.take(who.address, now=now):
        return _sign_in_page(gate, then=None, message=forms.too_many(60), status=429)
    form = await _form(request)
    then = form.get("then")
    if not (_is_from_here(gate, request) and is_from(answers.cookie(request, gate.cookies.form), form.get("token"))):
        await gate.audit.note("sign-in", decision="denied", reason="another site's form", address=who.address)
        return _sign_in_page(gate, then=then, message=forms.FAILED, status=403)
    outcome = await gate.sign_in.check(form, address=who.address, now=now)
    if isinstance(outcome, Proved):
        return await _admit(gate, request, outcome, then=_wanted(then), who=who)
    # What was typed as a name may be a password: it is written down only where the roster knows it.
    typed = form.get("viewer")
    viewer = typed if typed in gate.roster.current() else None
    return await _refused(gate, outcome, viewer=viewer, then=then, who=who)


async def _admit(gate: Gate, request: Request, proved: Proved, *, then: str, who: Caller) -> Response:
    if proved.viewer not in gate.roster.current():
        outcome = Refused(reason="not on the roster", message=forms.NOT_ADMITTED, status=403)
        return await _refused(gate, outcome, viewer=None, then=then, who=who)
    await gate.audit.note("sign-in", viewer=proved.viewer, decision="allowed", address=who.address)
    before = answers.cookie(request, gate.cookies.session)
    if before is not None:
        gate.sessions.end(before)
    token = gate.sessions.begin(proved.viewer, proof=proved.proof, now=gate.clock())
    response = answers.redirect(then)
    seconds = int(gate.settings.session_hours * 3600)
    gate.cookies.give(response, name=gate.cookies.session, token=token, seconds=seconds, is_strict=False)
    gate.cookies.take_back(response, name=gate.cookies.form)
    gate.cookies.take_back(response, name=gate.cookies.flow)
    return response


async def _refused(gate: Gate, outcome: Refused, *, viewer: str | None, then: object, who: Caller) -> Response:
    await gate.audit.note("sign-in", viewer=viewer, decision="denied", reason=outcome.reason, address=who.address)
    return _sign_in_page(gate, then=then, message=outcome.message, status=outcome.status)


async def _begin(gate: Gate, sign_in: OidcSignIn, request: Request, *, who: Caller) -> Response:
    if not gate.sign_in_allowance.take(who.address, now=gate.clock()):
        return _sign_in_page(gate, then=None, message=forms.too_many(60), status=429)
    try:
        url, token = await sign_in.provider.begin(then=_wanted(request.query_params.get("then")), now=gate.clock())
    except NotProved as reason:
        outcome = Refused(reason=str(reason), message=forms.FAILED, status=502)
        return await _refused(gate, outcome, viewer=None, then=None, who=who)
    response = answers.redirect(url)
    gate.cookies.give(response, name=gate.cookies.flow, token=token, seconds=FLOW_SECONDS, is_strict=False)
    return response


async def _return(gate: Gate, sign_in: OidcSignIn, request: Request, *, who: Caller) -> Response:
    asked = request.query_params
    try:
        viewer, then = await sign_in.provider.finish(
            answers.cookie(request, gate.cookies.flow),
            state=asked.get("state"),
            code=asked.get("code"),
            issuer=asked.get("iss"),
            now=gate.clock(),
        )
    except NotProved as reason:
        outcome = Refused(reason=str(reason), message=forms.FAILED, status=403)
        response = await _refused(gate, outcome, viewer=None, then=None, who=who)
        gate.cookies.take_back(response, name=gate.cookies.flow)
        return response
    return await _admit(gate, request, Proved(viewer=viewer, proof=sign_in.method), then=then, who=who)


async def _sign_out(gate: Gate, request: Request, *, who: Caller, is_everywhere: bool) -> Response | None:
    form = await _form(request)
    if who.token is None or who.viewer is None:
        return None
    if not (_is_from_here(gate, request) and is_from(who.token, form.get("token"))):
        await gate.audit.note("sign-out", viewer=who.viewer.id, decision="denied", reason="another site's form")
        return answers.not_here()
    if is_everywhere:
        gate.sessions.end_all(who.viewer.id)
    else:
        gate.sessions.end(who.token)
    await gate.audit.note("sign-out", viewer=who.viewer.id, reason="everywhere" if is_everywhere else "here")
    response = answers.redirect(f"/{SIGN_IN}")
    gate.cookies.take_back(response, name=gate.cookies.session)
    return response


async def _account(gate: Gate, who: Caller) -> Response | None:
    if who.viewer is None:
        return None
    viewer, release, eyes = who.viewer, await gate.releases.current(), gate.eyes(who.viewer)
    codes = sorted({*viewer.supervises, *([viewer.clinician] if viewer.clinician else [])})
    wanted = [
        *_PAGES,
        *((clinician_page(code), clinician_page(code), eyes.name_of(code) or f"Clinician {code}") for code in codes),
    ]
    links = [
        (f"/{address}", words)
        for address, path, words in wanted
        if gate.may_see(viewer, place_of(path)) and release is not None and (release.folder / path).is_file()
    ]
    page = forms.account_page(
        viewer=viewer.id,
        roles=sorted(role.value for role in viewer.roles),
        links=links,
        token=form_token(who.token) if who.token else None,
        sign_out_url=gate.settings.sign_in.sign_out_url if isinstance(gate.settings.sign_in, Proxy) else None,
    )
    return Response(page, media_type="text/html")
