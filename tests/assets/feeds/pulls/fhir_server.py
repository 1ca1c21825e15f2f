"""A FHIR R4 server for tests, over real HTTP: search with pages, bulk export, and SMART's way for machines to sign in.

It holds its clients to the standards: a token is given only for a statement that is signed with the registered key, for this
server, for five minutes at most, and never seen before; nothing is given without a token where one is wanted.
"""

import json
import secrets
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.assets.feeds.pulls.http_server import Said, http_server

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
JSON = {"Content-Type": "application/fhir+json"}


def instant(moment):
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def outcome(code, *, severity="error", told="Amy Baxter's record is locked"):
    """An OperationOutcome; its words must never be repeated."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": code, "diagnostics": told}]}


def as_json(status, resource, headers=None):
    return Said(status=status, body=json.dumps(resource).encode(), headers=JSON | (headers or {}))


@dataclass
class FhirTestServer:
    """A server's state and its rules; `answer` is the whole of it.

    Attributes:
        url: where it is, once it is there.
        paging: `offset` counts anew on every page, so that what changes in between moves; `cursor` keeps what it found.
        fault: `fault(question, number, said) -> Said`, over each answer to a question for data, counted from 1.
        keys: the registered public keys of the client `rapport`; None lets everybody in.
        manifest: `manifest(dict) -> dict`, over what an export says it has.
        pending: how often an export is not ready yet.
        part: how many resources an exported file has.
        tells_total: whether a page says how many resources there are.
    """

    url: str = ""
    paging: str = "offset"
    fault: object = None
    keys: KeySet | None = None
    manifest: object = None
    pending: int = 0
    part: int = 1000
    tells_total: bool = True
    capabilities: tuple = ("permission-v2", "client-confidential-asymmetric")
    token_seconds: int = 300
    held: dict = field(default_factory=dict)
    deleted: list = field(default_factory=list)
    asked: list = field(default_factory=list)
    tokens: dict = field(default_factory=dict)
    statements: set = field(default_factory=set)
    refusals: list = field(default_factory=list)
    cursors: dict = field(default_factory=dict)
    jobs: dict = field(default_factory=dict)
    thrown_away: list = field(default_factory=list)
    data_questions: int = 0

    def put(self, resource, *, at=None):
        """Keep a resource as of a moment, as its newest version."""
        key = resource["resourceType"], resource["id"]
        version = int(self.held[key]["meta"]["versionId"]) + 1 if key in self.held else 1
        meta = {"versionId": str(version), "lastUpdated": instant(at or datetime.now(UTC))}
        self.held[key] = resource | {"meta": resource.get("meta", {}) | meta}

    def remove(self, kind, name):
        del self.held[kind, name]
        self.deleted.append((datetime.now(UTC), kind, name))

    def of_kind(self, kind):
        return [resource for (each, _), resource in self.held.items() if each == kind]

    def answer(self, question):
        self.asked.append(question)
        parts = urlsplit(question.path)
        words = parts.path.strip("/").split("/")
        if parts.path == "/fhir/.well-known/smart-configuration":
            said = {"token_endpoint": f"{self.url}/token", "capabilities": list(self.capabilities)}
            return as_json(200, said)
        if parts.path == "/token":
            return self._token(question)
        if parts.path == "/fhir/metadata":
            return as_json(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "status": "active"})
        is_open = words[0] == "open"
        if self.keys is not None and not is_open and not self._is_let_in(question):
            return as_json(401, outcome("login"))
        if is_open and "authorization" in question.headers:
            return as_json(400, outcome("security"))
        said = self._data(question, words[1:], parse_qs(parts.query))
        if question.method == "GET":
            self.data_questions += 1
            if self.fault is not None:
                said = self.fault(question, self.data_questions, said)
        return said

    def _is_let_in(self, question):
        _, _, token = question.headers.get("authorization", "").partition("Bearer ")
        return self.tokens.get(token, datetime.min.replace(tzinfo=UTC)) > datetime.now(UTC)

    def _token(self, question):
        form = dict(parse_qsl(question.body.decode()))
        fault = self._fault_of(form)
        if fault is not None:
            self.refusals.append(fault)
            return Said(status=400, body=json.dumps({"error": "invalid_client", "error_description": fault}).encode())
        token = secrets.token_urlsafe(16)
        self.tokens[token] = datetime.now(UTC) + timedelta(seconds=self.token_seconds)
        said = {"access_token": token, "token_type": "bearer", "expires_in": self.token_seconds, "scope": form["scope"]}
        return Said(body=json.dumps(said).encode())

    def _fault_of(self, form):
        """What is wrong with a statement, by SMART's rules."""
        try:
            claims = jwt.decode(form["client_assertion"], self.keys, algorithms=["RS384", "ES384"]).claims
        except (JoseError, ValueError, KeyError):
            return "the signature"
        now = datetime.now(UTC).timestamp()
        faults = {
            "the grant": form.get("grant_type") != "client_credentials"
            or form.get("client_assertion_type") != ASSERTION,
            "the scope": not form.get("scope", "").startswith("system/"),
            "the client": (claims.get("iss"), claims.get("sub")) != ("rapport", "rapport"),
            "the audience": claims.get("aud") != f"{self.url}/token",
            "the end": not now < claims.get("exp", 0) <= now + 300,
            "a statement that was seen before": not claims.get("jti") or claims["jti"] in self.statements,
        }
        self.statements.add(claims.get("jti"))
        return next((fault for fault, is_there in faults.items() if is_there), None)

    def _data(self, question, words, query):
        if words[-1] == "$export":
            return self._export(question, query)
        if words[0] == "jobs":
            return self._job(question, words)
        return self._page(words[0], query)

    def _found(self, kind, query):
        found = self.of_kind(kind)
        for bound in query.get("_lastUpdated", ()):
            moment = datetime.fromisoformat(bound[2:])
            keep = {"ge": moment.__le__, "le": moment.__ge__}[bound[:2]]
            found = [each for each in found if keep(datetime.fromisoformat(each["meta"]["lastUpdated"]))]
        for name in query.get("category", ()):
            found = [each for each in found if each["category"][0]["coding"][0]["code"] == name]
        if query.get("_sort") == ["-_lastUpdated"]:
            found.sort(key=lambda each: each["meta"]["lastUpdated"], reverse=True)
        return found

    def _page(self, kind, query):
        if "cursor" in query:
            cursor = query["cursor"][0]
            if cursor not in self.cursors:
                return as_json(410, outcome("not-found"))
            found, size, query = self.cursors[cursor]
            at = int(query["at"])
        else:
            found, size, at = self._found(kind, query), int(query["_count"][0]), int(query.get("_offset", ["0"])[0])
        links = [{"relation": "self", "url": f"{self.url}/fhir/{kind}"}]
        if at + size < len(found):
            if self.paging == "cursor":
                cursor = secrets.token_hex(4)
                self.cursors[cursor] = (found, size, {"at": at + size})
                following = f"{self.url}/fhir/{kind}/?cursor={cursor}"
            else:
                given = [(name, value) for name, values in query.items() if name != "_offset" for value in values]
                following = f"{kind}?{urlencode([*given, ('_offset', at + size)])}"
            links.append({"relation": "next", "url": following})
        entries = [
            {"fullUrl": f"{self.url}/fhir/{kind}/{each['id']}", "resource": each, "search": {"mode": "match"}}
            for each in found[at : at + size]
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
        return as_json(200, bundle | ({"total": len(found)} if self.tells_total else {}))

    def _export(self, question, query):
        if question.headers.get("prefer") != "respond-async":
            return as_json(400, outcome("not-supported"))
        since = datetime.fromisoformat(query["_since"][0]) if "_since" in query else None
        job = secrets.token_hex(4)
        files = {}
        for kind in query["_type"][0].split(","):
            found = self._found(kind, {"_lastUpdated": [f"ge{query['_since'][0]}"]} if since else {})
            for at in range(0, len(found), self.part):
                files[f"{kind}.{at}"] = kind, [json.dumps(each) for each in found[at : at + self.part]]
        gone = [
            {"request": {"method": "DELETE", "url": f"{kind}/{name}"}}
            for moment, kind, name in self.deleted
            if since and moment >= since
        ]
        if gone:
            bundle = {"resourceType": "Bundle", "type": "transaction", "entry": gone}
            files["deleted.0"] = "deleted", [json.dumps(bundle)]
        self.jobs[job] = {"left": self.pending, "files": files, "at": instant(datetime.now(UTC))}
        return Said(status=202, headers={"Content-Location": f"{self.url}/fhir/jobs/{job}"})

    def _job(self, question, words):
        if words[1] not in self.jobs:
            return as_json(404, outcome("not-found"))
        job = self.jobs[words[1]]
        if question.method == "DELETE":
            self.thrown_away.append(words[1])
            del self.jobs[words[1]]
            return Said(status=202)
        if len(words) > 2:
            _, lines = job["files"][words[2]]
            return Said(body=("\n".join(lines) + "\n").encode(), headers={"Content-Type": "application/fhir+ndjson"})
        if job["left"]:
            job["left"] -= 1
            return Said(status=202, headers={"X-Progress": "in-progress", "Retry-After": "0"})
        listed = [
            (
                "deleted" if kind == "deleted" else "output",
                {"type": kind, "url": f"{self.url}/fhir/jobs/{words[1]}/{name}", "count": len(lines)},
            )
            for name, (kind, lines) in job["files"].items()
        ]
        manifest = {
            "transactionTime": job["at"],
            "request": f"{self.url}{question.path}",
            "requiresAccessToken": self.keys is not None,
            "output": [each for which, each in listed if which == "output"],
            "deleted": [each | {"type": "Bundle"} for which, each in listed if which == "deleted"],
            "error": [],
        }
        return as_json(200, manifest if self.manifest is None else self.manifest(manifest))


@contextmanager
def fhir_server(**words):
    """A server with nothing in it."""
    server = FhirTestServer(**words)
    with http_server(server.answer) as url:
        server.url = url
        yield server
