"""`bench pages`: how quickly a page stands, is drawn and answers, what it sends, and what a clinician's page costs to build.

The demonstration's night runs in a folder of its own. Its pages are asked for through the gatekeeper over this machine's own
network by a real browser that has nothing (cold), with every view recorded. A site of five hundred clinicians is built in
this process from the demonstration's own tables, each of whose shown clinicians stands there many times over under other codes.
Belongs here: what was promised. Does not belong here: driving the browser (`visits`).
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import polars as pl
import structlog

from assets import warehouse
from assets.published import TOLD
from assets.service import read_service
from dashboards.addresses import CLINICIANS
from dashboards.views.service import TABLES as READ
from pipelines.benchmarks import visits
from pipelines.benchmarks.result import BenchResult, Cell
from pipelines.commands.demo import CONFIG, DATA_DATE
from pipelines.environment import ROOT
from pipelines.gatekeeper import demonstration, opening
from pipelines.gatekeeper.gate import Gate
from pipelines.gatekeeper.releases import SITE
from pipelines.pages import SitePages

VISITS: Final = 7
BUILDS: Final = 3
CLINICIANS_BUILT: Final = 500
FIRST_PAINT, DRAWN, REDRAW, BUILD = 500.0, 1500.0, 150.0, 25.0  # milliseconds
COLD, BESIDE_BUNDLE = 600.0, 60.0  # kB
_OWN: Final = ("clinician_id", "client_id", "case_id", "episode_id", "appointment_id", "rating_id")


def run() -> BenchResult:
    """Run the demonstration's night, ask for its pages as a browser does, and build a large service's site.

    Raises:
        WrongInput: where there is no browser.
    """
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="rapport-bench-") as name:
        home = Path(name) / "demo"
        # A process of its own, so that what a night leaves in memory weighs on nothing here.
        subprocess.run(
            [sys.executable, "-m", "pipelines", "demo", "--home", name], cwd=ROOT, check=True, capture_output=True
        )
        rows = [*seen_by_a_browser(home, times=VISITS), built(home, folder=Path(name) / "large", times=BUILDS)]
    shares = [float(row["of its goal"]) for row in rows if row["goal"] != ""]
    return BenchResult(
        rows=rows,
        measured=max(shares),
        goal=1.0,
        held=all(row["held"] != "no" for row in rows),
        sentence="Measured: the largest share of its goal that any median takes; medians hold the goals. When it began, the "
        f"load of the machine was {load:.1f} on {os.cpu_count()} processors.",
    )


def line(what: str, values: Sequence[float], *, goal: float | None, unit: str) -> dict[str, Cell]:
    """One promise: its goal, the median and the worst of the measurements, and whether the median holds it."""
    middle = statistics.median(values)
    return {
        "what": what,
        "median": round(middle, 1),
        "worst": round(max(values), 1),
        "unit": unit,
        "times": len(values),
        "goal": "" if goal is None else f"under {goal:g}",
        "of its goal": "" if goal is None else middle / goal,
        "held": "" if goal is None else "yes" if middle < goal else "no",
    }


def seen_by_a_browser(home: Path, *, times: int) -> list[dict[str, Cell]]:
    """The lines that a browser measures on the site that `home` has published."""
    clinician = largest_page(home / warehouse.CURRENT / SITE)
    with (
        tempfile.TemporaryDirectory(prefix="rapport-bench-") as made,
        visits.browser() as browser,
        _serving(home, folder=Path(made)) as gate,
    ):
        token = gate.sessions.begin("director", proof="demo", now=time.time())
        cookie = (gate.cookies.session, token)
        origin = gate.settings.server.public_url
        rows: list[dict[str, Cell]] = []
        for page, path in (("overview", "index.html"), ("clinician", f"{CLINICIANS}/{clinician}")):
            seen = [visits.visit(browser, address=f"{origin}/{path}", cookie=cookie) for _ in range(times)]
            beside = [(each.sent - each.bundle) / 1000 for each in seen]
            rows += [
                line(f"{page}: first byte", [each.first_byte for each in seen], goal=None, unit="ms"),
                line(f"{page}: first paint", [each.first_paint for each in seen], goal=FIRST_PAINT, unit="ms"),
                line(f"{page}: charts in view drawn", [each.drawn for each in seen], goal=DRAWN, unit="ms"),
                line(f"{page}: sent, cold", [each.sent / 1000 for each in seen], goal=COLD, unit="kB"),
                line(f"{page}: sent beside the bundle", beside, goal=BESIDE_BUNDLE, unit="kB"),
            ]
        again = visits.redraws(browser, address=f"{origin}/index.html", cookie=cookie, times=times)
    return [*rows, line("overview: filter to redraw", again, goal=REDRAW, unit="ms")]


def largest_page(site: Path) -> str:
    """The file of the largest clinician's page: one whose figures are withheld has no charts."""
    files = [each for each in (site / CLINICIANS).glob("*.html") if each.name != "index.html"]
    return max(files, key=lambda file: file.stat().st_size).name


def built(home: Path, *, folder: Path, times: int) -> dict[str, Cell]:
    """Milliseconds of processor time that a whole site takes, a clinician, with the pages of their clients."""
    frames = many_times_over(_frames(home), clinicians=CLINICIANS_BUILT)
    clinicians = frames["marts.clinicians"].height
    spent = []
    for place in range(times):
        begun = time.process_time()
        SitePages().build(
            frames.__getitem__,
            folder=folder / str(place),
            service=read_service(CONFIG),
            data_date=DATA_DATE.isoformat(),
            run_id="benchmark",
            run_at=datetime.now(UTC),
        )
        spent.append((time.process_time() - begun) / clinicians * 1000)
    pages = sum(1 for _ in (folder / "0").rglob("*.html"))
    return line(f"a clinician of {clinicians}: {pages:,} pages built", spent, goal=BUILD, unit="ms CPU")


def many_times_over(frames: Mapping[str, pl.DataFrame], *, clinicians: int) -> dict[str, pl.DataFrame]:
    """The same service with at least so many clinicians, none withheld: every shown one again under other codes."""
    attendance = frames["analysis.clinician_attendance"]
    shown = attendance.filter(pl.col("cases") >= read_service(CONFIG).suppression.minimum_clients)["clinician_id"]
    copies = -(-clinicians // len(shown))
    return {name: _repeated(frame, shown=shown, copies=copies) for name, frame in frames.items()}


def _repeated(frame: pl.DataFrame, *, shown: pl.Series, copies: int) -> pl.DataFrame:
    own = [name for name in _OWN if name in frame.columns]
    if "clinician_id" in own:
        frame = frame.filter(pl.col("clinician_id").is_in(shown))
        return pl.concat([frame.with_columns(pl.col(own) + f"-{copy}") for copy in range(copies)])
    if "scope_name" in frame.columns:
        is_one = pl.col("scope") == "clinician"
        of_one = frame.filter(is_one & pl.col("scope_name").is_in(shown))
        again = [of_one.with_columns(pl.col("scope_name") + f"-{copy}") for copy in range(copies)]
        return pl.concat([frame.filter(~is_one), *again])
    return frame


def _frames(home: Path) -> dict[str, pl.DataFrame]:
    """Every table as the site was given it."""
    with warehouse.open_published(home / warehouse.CURRENT / warehouse.WAREHOUSE_FILE) as con:
        frames = {name: warehouse.read_frame(con, f"SELECT * FROM {name}") for name in READ}
    return frames | {file.stem: pl.read_parquet(file) for file in (home / warehouse.CURRENT / TOLD).glob("*.parquet")}


@contextmanager
def _serving(home: Path, *, folder: Path) -> Iterator[Gate]:
    """The versions of `home` behind a real server that keeps its record in `folder`."""
    version = warehouse.current_version(home)
    (folder / "published").symlink_to(home / "published")
    (folder / warehouse.CURRENT).symlink_to(Path("published") / str(version))
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
        yield gate
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        gate.close()
