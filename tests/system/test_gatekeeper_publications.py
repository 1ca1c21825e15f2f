"""Two hundred people read while twenty versions are published: nobody meets an error or a page of two versions.

Belongs here: the server, the publisher and the readers all at once. Each step of the server's is tested in
`tests/pipelines/gatekeeper/test_releases.py`.
"""

import asyncio
import json
import random
import re
import threading

import pytest

from pipelines.gatekeeper.audit_log import verify
from pipelines.gatekeeper.opening import audit_file
from pipelines.gatekeeper.policy import Role, Viewer
from tests.pipelines.gatekeeper import served

READERS, PUBLICATIONS, VIEWS = 200, 20, 2


class Browser:
    """One reader's connection, kept open."""

    def __init__(self, port, cookie):
        self.port = port
        self.head = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_):
        self.writer.close()
        await self.writer.wait_closed()

    async def get(self, path):
        """Status and body."""
        self.writer.write(b"GET " + path.encode() + self.head)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = int(re.search(r"\r\ncontent-length: (\d+)", head, re.IGNORECASE).group(1))
        return int(head.split(" ", 2)[1]), (await self.reader.readexactly(length)).decode()


async def read(port, cookie, *, seed, seen):
    """Open pages, and a while later what they ask for; note the statuses and the versions of each view."""
    chance = random.Random(seed)  # noqa: S311 - only to read at different moments
    async with Browser(port, cookie) as browser:
        for _ in range(VIEWS):
            await asyncio.sleep(chance.uniform(0, 1.2))
            status, page = await browser.get(chance.choice(["/", "/clinicians/C-1.html", "/sites/north.html"]))
            statuses, versions = {status}, set(re.findall(r'id="version">(\w+)<', page))
            (slices,) = re.findall(r'data-slices="([^"]+)"', page)
            (script,) = re.findall(r'<script src="([^"]+)"', page)
            # Long enough for several publications, and for this version to be pruned.
            await asyncio.sleep(chance.uniform(0, 0.8))
            for path in (f"{slices}six-months.json", f"/{script.replace('../', '')}"):
                status, part = await browser.get(path)
                statuses.add(status)
                versions.add(
                    json.loads(part)["version"]
                    if path.endswith("json")
                    else part.partition("\n")[0].removeprefix("// ")
                )
            seen.append((statuses, versions))


def publish_all(home, done):
    for number in range(1, PUBLICATIONS + 1):
        # The readers' disk keeps two versions, so that most views outlive the version that they read.
        served.publish(home, version=served.later(number), keep=2)
        done.wait(timeout=0.08)


@pytest.fixture
def crowd(tmp_path):
    """A served site with a sign-in for each reader."""
    served.publish(tmp_path)
    viewers = {f"v{place}": Viewer(id=f"v{place}", roles=frozenset({Role.DIRECTOR})) for place in range(READERS)}
    gate = served.demo_gate(tmp_path, port=served.free_port(), viewers=viewers)
    with served.running(gate) as address:
        yield gate, int(address.rpartition(":")[2]), tmp_path
    gate.close()


def test_nobody_meets_an_error_or_two_versions_on_one_page(crowd):
    gate, port, home = crowd
    cookies = [f"{gate.cookies.session}={served.session_of(gate, viewer)}" for viewer in gate.roster.current()]
    seen, done = [], threading.Event()
    publisher = threading.Thread(target=publish_all, args=(home, done))

    async def everybody():
        await asyncio.gather(*(read(port, cookie, seed=seed, seen=seen) for seed, cookie in enumerate(cookies)))

    publisher.start()
    asyncio.run(everybody())
    done.set()
    publisher.join()
    assert len(seen) == READERS * VIEWS
    assert {status for statuses, _ in seen for status in statuses} == {200}
    assert [versions for _, versions in seen if len(versions) != 1] == []
    # It was no calm reading of one version.
    assert len({version for _, versions in seen for version in versions}) > 5
    views = [entry for entry in verify(audit_file(home)).entries if entry["event"] == "view"]
    assert len(views) == READERS * VIEWS * 2
    assert {entry["decision"] for entry in views} == {"allowed"}
