"""A small made-up site, published as a night publishes, and gates on it.

Belongs here: what several of the gatekeeper's tests need. Each page holds a sentence that stands nowhere else, so that a
test can see it wherever it leaks.
"""

import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from assets import warehouse
from pipelines.gatekeeper import opening
from pipelines.gatekeeper.gate import Gate
from pipelines.gatekeeper.policy import Role, Viewer
from pipelines.gatekeeper.releases import MANIFEST
from pipelines.gatekeeper.settings import Demo, Server, Settings

FIRST = "20261120T020000000000Z"
PAGES = (
    "index.html",
    "clinicians/index.html",
    "clinicians/C-1.html",
    "clinicians/C-2.html",
    "clinicians/C-3.html",
    "clinicians/C-1/clients/K-1.html",
    "clinicians/C-2/clients/K-2.html",
    "programmes/anxiety.html",
    "sites/north.html",
    "data-quality.html",
    "changes.html",
    "methods.html",
    "dictionary.html",
)
PARTS = (
    "slices/six-months.json",
    "slices/areas/north.csv",
    "clinicians/C-1/caseload.csv",
    "clinicians/C-2/caseload.csv",
    "clinicians/C-1/clients/K-1.csv",
    "programmes/anxiety/waits.csv",
    "sites/north/waits.json",
    "data-quality/recording.csv",
)
VIEWERS = {
    viewer.id: viewer
    for viewer in (
        Viewer(id="director", roles=frozenset({Role.DIRECTOR})),
        Viewer(id="clinician", roles=frozenset({Role.CLINICIAN}), clinician="C-1"),
        Viewer(id="colleague", roles=frozenset({Role.CLINICIAN}), clinician="C-2"),
        Viewer(id="supervisor", roles=frozenset({Role.SUPERVISOR}), supervises=frozenset({"C-1", "C-3"})),
        Viewer(id="analyst", roles=frozenset({Role.ANALYST})),
    )
}


class Quiet:
    """A log that keeps what it is told."""

    def __init__(self):
        self.said = []

    def info(self, event, **fields):
        self.said.append((event, fields))

    warning = info


def secret_of(path, version=FIRST):
    """The sentence that only this page of this version holds."""
    return hashlib.sha256(f"{path} of {version}".encode()).hexdigest()


def page(path, *, version, script):
    """A page as the templates write one."""
    root = "../" * path.count("/")
    codes = [
        code
        for code in ("C-1", "C-2", "C-3")
        if path.count("/") == 0 or path == "clinicians/index.html" or code in path
    ]
    named = "".join(
        f'<li><a href="{root}clinicians/{code}.html" data-clinician="{code}">{code}</a></li>' for code in codes
    )
    return (
        f'<!doctype html><html lang="en"><head><title>{path}</title></head><body>'
        f'<nav aria-label="Pages"><a href="{root}index.html">Service overview</a>'
        f'<a href="{root}data-quality.html">Data quality</a><a href="{root}methods.html">Methods</a></nav>'
        f'<main data-slices="{root}slices/"><p>{secret_of(path, version)}</p><p id="version">{version}</p>'
        f"<p>{'A finding in plain words. ' * 60}</p><ul>{named}</ul>"
        f'<a href="{root}slices/areas/north.csv">CSV</a><a href="{root}methods.html#alliance">How this is made</a></main>'
        f'<script type="application/json">{json.dumps({"text": "C-1", "href": "slices/x.json"})}</script>'
        f'<script src="{root}{script}" defer></script></body></html>'
    )


def write_site(folder, *, version):
    """Every page and part of one version."""
    script = f"// {version}\n" + "draw();" * 300
    name = f"assets/site.{hashlib.sha256(script.encode()).hexdigest()[:12]}.js"
    texts = {name: script, "assets/plotly-LICENSE.txt": "MIT"}
    texts |= {path: page(path, version=version, script=name) for path in PAGES}
    texts |= {path: json.dumps({"version": version, "secret": secret_of(path, version)}) for path in PARTS}
    for path, text in texts.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def publish(home, *, version=FIRST, data_date="2026-11-19", keep=7):
    """One more version, swapped in as a night does it."""
    staged = home / "work" / f"staged-{version}"
    write_site(staged / "site", version=version)
    (staged / warehouse.WAREHOUSE_FILE).write_bytes(b"")
    (staged / MANIFEST).write_text(json.dumps({"version": version, "data_date": data_date}), encoding="utf-8")
    warehouse.publish(staged, home=home, version=version, keep=keep)


def later(number):
    """A version's name, later with the number."""
    return f"20261121T0200{number:02d}000000Z"


def free_port():
    """A port that nothing listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def settings_at(port, **changed):
    """The settings of a server on this machine, signed in to by one click."""
    server = {"public_url": f"http://127.0.0.1:{port}", "port": port} | changed.pop("server", {})
    return Settings(**({"server": Server(**server), "sign_in": Demo(), "roster": Path("none")} | changed))


def demo_gate(home, *, port=8080, viewers=None, clock=time.time, **changed) -> Gate:
    """A gate with ready sign-ins."""
    viewers = VIEWERS if viewers is None else viewers
    return opening.open_demo_gate(
        settings_at(port, **changed),
        home=home,
        log=Quiet(),
        viewers=viewers,
        ready={each: each for each in viewers},
        clock=clock,
    )


def browser_of(gate, viewer=None) -> TestClient:
    """A browser that talks to a gate, signed in by a session of its own."""
    client = TestClient(gate, base_url=gate.settings.server.public_url, follow_redirects=False)
    if viewer is not None:
        client.cookies.set(gate.cookies.session, session_of(gate, viewer))
    return client


def session_of(gate, viewer):
    """A session's token."""
    return gate.sessions.begin(viewer, proof=gate.sign_in.proof_of(viewer), now=gate.clock())


def form_token_in(answer):
    """What a page's form carries back."""
    return re.search(r'name="token" value="([0-9a-f]+)"', answer.text).group(1)


@contextmanager
def running(gate) -> Iterator[str]:
    """The gate behind a real server on its port; yields its address."""
    listening = opening.listen(gate.settings)
    server = opening.server_of(gate)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield gate.settings.server.public_url
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
