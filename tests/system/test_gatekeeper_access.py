"""The gatekeeper behind a real server, asked byte for byte: every role by every place by every method, and every trick.

Belongs here: what only the wire can tell. No client library stands between, since each would tidy an address before it is
sent. What the single judgements are is tested in `tests/pipelines/gatekeeper`.
"""

import re
import socket

import pytest

from tests.pipelines.gatekeeper import served
from tests.pipelines.gatekeeper.served import PAGES, PARTS, VIEWERS, secret_of

EVERYBODYS = {"methods.html", "dictionary.html"}
SERVICE = {
    "index.html", "clinicians/index.html", "programmes/anxiety.html", "programmes/anxiety/waits.csv", "sites/north.html",
    "sites/north/waits.json", "slices/six-months.json", "slices/areas/north.csv",
}  # fmt: skip
QUALITY = {"data-quality.html", "data-quality/recording.csv", "changes.html"}
FIRST_CLINICIAN = {"clinicians/C-1.html", "clinicians/C-1/caseload.csv"}
SECOND_CLINICIAN = {"clinicians/C-2.html", "clinicians/C-2/caseload.csv"}
# Written out by hand from what was promised, not from the policy.
MAY = {
    "director": SERVICE | QUALITY | FIRST_CLINICIAN | SECOND_CLINICIAN | {"clinicians/C-3.html"},
    "clinician": FIRST_CLINICIAN | {"clinicians/C-1/clients/K-1.html", "clinicians/C-1/clients/K-1.csv"},
    "colleague": SECOND_CLINICIAN | {"clinicians/C-2/clients/K-2.html"},
    "supervisor": FIRST_CLINICIAN | {"clinicians/C-3.html"},
    "analyst": QUALITY,
    "nobody": set(),
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get")
EVERY_PLACE = (*PAGES, *PARTS)
HEADERS_THAT_OTHERS_BELIEVE = (
    "X-Original-URL: /clinicians/C-2.html",
    "X-Rewrite-URL: /clinicians/C-2.html",
    "X-HTTP-Method-Override: GET",
    "X-Forwarded-Host: elsewhere.example",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-User: director",
    "X-Forwarded-Email: director",
    "X-Forwarded-Prefix: /clinicians",
    "X-Remote-User: director",
    "Remote-User: director",
    "Authorization: Basic ZGlyZWN0b3I6",
    "Range: bytes=0-9999",
    "Cookie: role=director; viewer=director",
    "Upgrade: websocket",
    "Transfer-Encoding: identity",
    "Expect: 100-continue",
)


class Wire:
    """One server, asked in bytes."""

    def __init__(self, gate, address):
        self.gate = gate
        self.port = int(address.rpartition(":")[2])
        self.cookies = {viewer: f"{gate.cookies.session}={served.session_of(gate, viewer)}" for viewer in VIEWERS}

    def ask(self, target, *, viewer="nobody", method="GET", more=(), host=None, cookie=None):
        """The whole answer to one request, as it came: status, headers without the date, body."""
        cookie = cookie or self.cookies.get(viewer)
        target = target.encode("latin-1") if isinstance(target, str) else target
        lines = [
            method.encode() + b" " + target + b" HTTP/1.1",
            f"Host: {host or f'127.0.0.1:{self.port}'}".encode(),
            b"Connection: close",
            *([f"Cookie: {cookie}".encode("latin-1")] if cookie else []),
            *(each.encode("latin-1") if isinstance(each, str) else each for each in more),
        ]
        return self.send(b"\r\n".join(lines) + b"\r\n\r\n")

    def send(self, raw):
        """Send bytes; the answer's status, headers and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as line:
            line.sendall(raw)
            answer = b""
            while piece := line.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        headers = sorted(each.lower() for each in head.split(b"\r\n")[1:] if not each.lower().startswith(b"date:"))
        return status, headers, body


@pytest.fixture(scope="module")
def wire(tmp_path_factory):
    home = tmp_path_factory.mktemp("served")
    served.publish(home)
    gate = served.demo_gate(home, port=served.free_port(), server={"requests_per_minute": 1_000_000})
    with served.running(gate) as address:
        yield Wire(gate, address)
    gate.close()


def leaked(body):
    """The places whose sentence stands in an answer."""
    return {path for path in EVERY_PLACE if secret_of(path).encode() in body}


@pytest.mark.parametrize("viewer", MAY)
@pytest.mark.parametrize("method", METHODS)
def test_every_role_by_every_place_by_every_method(wire, viewer, method):
    may = MAY[viewer] | (EVERYBODYS if viewer != "nobody" else set())
    refused = wire.ask("/nowhere", viewer=viewer, method=method)
    for path in EVERY_PLACE:
        status, headers, body = wire.ask(f"/{path}", viewer=viewer, method=method)
        if path in may and method == "GET":
            assert (status, leaked(body)) == (200, {path}), path
        elif path in may and method == "HEAD":
            assert (status, body) == (200, b""), path
        elif viewer == "nobody" and method in {"GET", "HEAD"}:
            assert (status, body) == (303, b""), path
            assert any(each.startswith(b"location: /sign-in") for each in headers), path
        else:
            assert (status, headers, body) == refused, path
            assert status in {400, 404}, path


@pytest.mark.parametrize("viewer", ["clinician", "analyst", "nobody"])
@pytest.mark.parametrize(
    "target",
    ["/../warehouse.duckdb", "/%2e%2e/warehouse.duckdb", "/..%2fwarehouse.duckdb", "/.%2e/manifest.json", "/assets/../index.html",
     "/assets/..%2findex.html", "/assets/%2e%2e/index.html", "/assets/..;/index.html", "//index.html", "/./index.html", "/index.html/",
     "/index.html/.", "/INDEX.HTML", "/Index.html", "/index.htm%6c", "/%69ndex.html", "/index.html%00", "/index.html%00.css",
     b"/index.html\x00", b"/index.html\xff", "/index.html%20", "/index.html.", "/index.html;a=b", "/index%2ehtml",
     "/clinicians/C-2.html", "/clinicians/c-1.html", "/clinicians/C-1.html/../C-2.html", "/clinicians//C-2.html",
     "/clinicians/C-1/../C-2.html", "/clinicians/C-1%2f..%2fC-2.html", "/clinicians%2fC-2.html", "/clinicians%5cC-2.html",
     b"/clinicians\\C-2.html", "/clinicians/C%2d2.html", "/clinicians/%43-2.html", "/clinicians/C-2%2ehtml",
     "/clinicians/C-2.html?path=/methods.html", "/clinicians/C-2.html#methods", "/clinicians/~43-2.html",
     "/clinicians/C-1/clients/../../C-2.html", "/clinicians/C-2/clients/K-2.html", "/clinicians/C-1/clients/K-2.html",
     "/clinicians/C-\xef\xbc\x92.html", "/at/20261120T020000000000Z/index.html", "/at/20261120T020000000000Z/clinicians/C-2/caseload.csv",
     "/at/20261120T020000000000Z/../index.html", "/at/../index.html", "/at/./index.html", "/at//index.html",
     "/at/current/slices/six-months.json", "/at/20261120T020000000000Z/site/index.html", "/site/index.html", "/current/site/index.html",
     "/published/20261120T020000000000Z/site/index.html", "/manifest.json", "/warehouse.duckdb", "/roster.toml",
     "/gatekeeper/audit.jsonl", "/gatekeeper/memory.sqlite", "/.night.lock", "/.env", "/static/../index.html", "index.html", "*",
     "http://127.0.0.1/index.html", "http://elsewhere.example/index.html", "file:///index.html", "/\t/index.html", "/" + "a" * 4000],
)  # fmt: skip
def test_no_way_of_writing_an_address_shows_more_than_the_role_may_see(wire, viewer, target):
    status, _, body = wire.ask(target, viewer=viewer)
    assert leaked(body) == set()
    assert status in {303, 400, 404, 410}


@pytest.mark.parametrize("header", HEADERS_THAT_OTHERS_BELIEVE)
def test_no_header_makes_anybody_more_than_they_are(wire, header):
    for viewer in ("nobody", "clinician"):
        for target in ("/index.html", "/clinicians/C-2.html", "/"):
            status, _, body = wire.ask(target, viewer=viewer, more=[header])
            assert leaked(body) == set()
            assert status in {303, 400, 404, 417}


def test_a_header_that_names_another_method_does_not_change_it(wire):
    refused = wire.ask("/nowhere", viewer="director", method="POST")
    assert wire.ask("/index.html", viewer="director", method="POST", more=["X-HTTP-Method-Override: GET"]) == refused


@pytest.mark.parametrize("host", ["elsewhere.example", "127.0.0.1", "localhost", "127.0.0.1:1", "[::1]"])
def test_another_host_gets_nothing_even_with_a_session(wire, host):
    status, _, body = wire.ask("/index.html", viewer="director", host=host)
    assert (status, leaked(body)) == (404, set())


def test_two_hosts_or_none_get_nothing(wire):
    cookie = wire.cookies["director"]
    for hosts in ("", f"Host: 127.0.0.1:{wire.port}\r\nHost: elsewhere.example\r\n"):
        status, _, body = wire.send(
            f"GET /index.html HTTP/1.1\r\n{hosts}Connection: close\r\nCookie: {cookie}\r\n\r\n".encode()
        )
        assert status in {400, 404}
        assert leaked(body) == set()


def changed(token, place):
    return token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]


def test_a_cookie_with_one_letter_changed_opens_nothing(wire):
    name, _, token = wire.cookies["director"].partition("=")
    for place in (0, len(token) // 2, len(token) - 1):
        status, _, body = wire.ask("/index.html", cookie=f"{name}={changed(token, place)}")
        assert (status, body) == (303, b"")


@pytest.mark.parametrize(
    "written",
    [
        "{n}={t}; {n}={t}",
        "{N}={t}",
        "{n} ={t}x",
        '{n}="{t}"',
        "{n}={t}=",
        "{n}={t}\x01",
        "{n}={t}{t}",
        "{n}=",
        "x={n}={t}",
    ],
)
def test_a_cookie_written_in_another_way_opens_nothing(wire, written):
    name, _, token = wire.cookies["director"].partition("=")
    status, _, body = wire.ask("/index.html", cookie=written.format(n=name, N=name.upper(), t=token))
    assert status in {303, 400}
    assert leaked(body) == set()


def test_a_cookie_replayed_after_signing_out_opens_nothing(wire):
    token = served.session_of(wire.gate, "director")
    cookie = f"{wire.gate.cookies.session}={token}"
    assert wire.ask("/index.html", cookie=cookie)[0] == 200
    account = wire.ask("/account", cookie=cookie)[2].decode()
    (form,) = set(re.findall(r'name="token" value="([0-9a-f]+)"', account))
    body = f"token={form}"
    left = wire.ask(
        "/sign-out",
        method="POST",
        cookie=cookie,
        more=["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", "", body],
    )
    assert left[0] == 303
    assert wire.ask("/index.html", cookie=cookie)[0] == 303


@pytest.mark.parametrize(
    "smuggled",
    [
        b"POST /sign-in HTTP/1.1\r\nHost: {h}\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /index.html HTTP/1.1\r\nHost: {h}\r\n\r\n",
        b"GET /methods.html HTTP/1.1\r\nHost: {h}\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nGET /index.html HTTP/1.1\r\nHost: {h}\r\n\r\n",
        b"GET /index.html HTTP/1.1\r\nHost : {h}\r\n\r\n",
        b"GET /index.html HTTP/9.9\r\nHost: {h}\r\n\r\n",
        b"GET /index.html\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /index.html HTTP/1.1\r\nHost: {h}\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
    ],
)
def test_a_malformed_request_gets_no_page(wire, smuggled):
    status, _, body = wire.send(
        smuggled.replace(b"{h}", f"127.0.0.1:{wire.port}".encode()).replace(
            b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1
        )
    )
    assert status in {303, 400, 403, 404, 431}
    assert leaked(body) == set()
