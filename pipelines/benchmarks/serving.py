"""`bench serving`: what the gatekeeper adds to a page's way, and what a first visit sends.

The demonstration's site is served over this machine's own network by the real server, with every view recorded. Goals: a
clinician's page sends less than 600 kB to a browser that has nothing, and less than 60 kB beside the charts' bundle; heads
are counted with bodies.
"""

import http.client
import re
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from assets import warehouse
from assets.feeds.wrong_input import WrongInput
from dashboards.addresses import CLINICIANS
from pipelines.benchmarks.result import BenchResult
from pipelines.gatekeeper import demonstration, opening
from pipelines.gatekeeper.gate import Gate
from pipelines.gatekeeper.releases import SITE
from pipelines.state import state_folder

MOST_COLD, MOST_BESIDE_BUNDLE = 600_000, 60_000
REQUESTS = 100
_PART = re.compile(r'(?:href|src)="([^"]*assets/[^"]+)"')
_FONT = re.compile(r'url\("([^"]+)"\)')


def run() -> BenchResult:
    """Serve the demonstration's pages and ask for them as a browser does.

    Raises:
        WrongInput: where `demo` has not run.
    """
    with tempfile.TemporaryDirectory() as made, _serving(Path(made)) as (gate, port):
        token = gate.sessions.begin("director", proof="demo", now=time.time())
        line = http.client.HTTPConnection("127.0.0.1", port)
        ask = _Asking(line, cookie=f"{gate.cookies.session}={token}")
        site = Path(made) / warehouse.CURRENT / SITE
        # The largest: one whose figures are withheld has no charts.
        clinician = max(
            (site / CLINICIANS).glob("*.html"), key=lambda file: (file.name != "index.html", file.stat().st_size)
        )
        rows = []
        for name, path in (("overview", "index.html"), ("clinician", f"{CLINICIANS}/{clinician.name}")):
            waits = sorted(ask.seconds(f"/{path}") for _ in range(REQUESTS))
            cold, bundle = _cold(ask, path)
            rows.append(
                {
                    "page": name,
                    "first byte, median ms": statistics.median(waits) * 1000,
                    "95 of 100, ms": waits[int(REQUESTS * 0.95) - 1] * 1000,
                    "cold, kB": cold / 1000,
                    "without the bundle, kB": (cold - bundle) / 1000,
                }
            )
        line.close()
    share = max(cold / MOST_COLD, (cold - bundle) / MOST_BESIDE_BUNDLE)
    return BenchResult(
        rows=rows,
        measured=share,
        goal=1.0,
        held=share < 1,
        sentence=f"Measured: the larger share of {MOST_COLD // 1000} kB cold and of {MOST_BESIDE_BUNDLE // 1000} kB beside "
        "the bundle that a clinician's page takes.",
    )


class _Asking:
    """One browser's connection, kept open."""

    def __init__(self, line: http.client.HTTPConnection, *, cookie: str) -> None:
        self._line = line
        self._headers = {"Cookie": cookie, "Accept-Encoding": "gzip"}

    def seconds(self, path: str) -> float:
        """From the request to the answer's first byte."""
        begun = time.perf_counter()
        self._line.request("GET", path, headers=self._headers)
        answer = self._line.getresponse()
        waited = time.perf_counter() - begun
        answer.read()
        return waited

    def get(self, path: str, *, packed: bool = True) -> tuple[bytes, int]:
        """A file's bytes, and how many came over the line with the head."""
        headers = self._headers if packed else {"Cookie": self._headers["Cookie"]}
        self._line.request("GET", path, headers=headers)
        answer = self._line.getresponse()
        body = answer.read()
        return body, len(body) + sum(len(name) + len(value) + 4 for name, value in answer.getheaders())


def _cold(ask: _Asking, page: str) -> tuple[int, int]:
    """What a first visit to a page sends, and how much of it is the charts' bundle."""
    markup = ask.get(f"/{page}", packed=False)[0].decode()
    total = ask.get(f"/{page}")[1]
    bundle = 0
    for part in sorted({each.removeprefix("../") for each in _PART.findall(markup)}):
        sent = ask.get(f"/{part}")[1]
        total += sent
        if part.startswith("assets/plotly."):
            bundle = sent
        if part.endswith(".css"):
            sheet = ask.get(f"/{part}", packed=False)[0].decode()
            total += sum(ask.get(f"/assets/{font}")[1] for font in _FONT.findall(sheet))
    return total, bundle


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[Gate, int]]:
    """The demonstration's versions behind a server with a record of its own."""
    home = state_folder(None) / "demo"
    version = warehouse.current_version(home)
    if version is None:
        raise WrongInput("there is no demonstration yet", place=str(home), mend="run `python3 -m pipelines demo`")
    (folder / "published").symlink_to(home / "published")
    (folder / warehouse.CURRENT).symlink_to(Path("published") / version)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    gate = demonstration.open_demonstration(folder, port=port, log=structlog.get_logger())
    listening = opening.listen(gate.settings)
    server = opening.server_of(gate)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield gate, port
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        gate.close()
