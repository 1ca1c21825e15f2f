"""The systems that `bench pulls` pulls from: each in a process of its own, answering as quickly as it can be made to.

Belongs here: made-up rows, and the least that answers like the real thing, so that what is measured is the pull. Does not
belong here: what is measured (`pulls`), or how a real system answers and fails (the tests' own servers).
"""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import groupby
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from pipelines.environment import ROOT

ROWS_A_RECORD = 10
ITEMS = 9
BUCKET, OBJECT, REGION = "clinic", "exports/forms.csv", "eu-west-2"
RESOURCES_A_PAGE = 500
LINES_A_FILE = 100_000
_BEGUN = datetime(2023, 1, 2, 9)  # noqa: DTZ001 - in the clinic's own time
_CHANGED = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer over HTTP."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


# The path and its question, and the fields of a form: what is answered.
Answers = Callable[[str, Mapping[str, str]], Said]


def forms(rows: int) -> pl.DataFrame:
    """Filled forms as a record system keeps them, each client's one after the other."""
    number = pl.col("number")
    return (
        pl.DataFrame({"number": range(rows)})
        .select(
            (number + 1).alias("rating_id"),
            pl.format("C{}", number // ROWS_A_RECORD).alias("client_id"),
            (pl.lit(_BEGUN) + pl.duration(minutes=number % 1_400_000)).alias("completed_at"),
            *((number * (at + 3) // 7 % 4).alias(f"item_{at}") for at in range(1, ITEMS + 1)),
        )
        .with_columns(total=pl.sum_horizontal(f"item_{at}" for at in range(1, ITEMS + 1)))
    )


def redcap_answers(rows: int) -> Answers:
    """What a project with one repeating form answers: the records' names, or the rows of the records asked for."""
    record = (pl.col("rating_id") - 1) // ROWS_A_RECORD
    written = forms(rows).select(
        record.alias("record_id"),
        pl.lit("phq9").alias("redcap_repeat_instrument"),
        ((pl.col("rating_id") - 1) % ROWS_A_RECORD + 1).alias("redcap_repeat_instance"),
        pl.exclude("client_id"),
        pl.lit("2").alias("phq9_complete"),
    )
    header, _, body = written.write_csv().encode().partition(b"\n")
    of_record = {
        name.decode(): b"".join(lines)
        for name, lines in groupby(body.splitlines(keepends=True), key=lambda line: line.split(b",", 1)[0])
    }
    names = "".join(f"{each}\n" for each in ("record_id", *of_record)).encode()

    def answer(_: str, form: Mapping[str, str]) -> Said:
        asked = [value for key, value in form.items() if key.startswith("records")]
        return Said(body=b"".join([header, b"\n", *(of_record[each] for each in asked)]) if asked else names)

    return answer


def fhir_answers(rows: int) -> Answers:
    """What a server with so many appointments answers: pages of a search, or the files of an export."""
    lines = [_appointment(number) for number in range(rows)]
    pages = [_page(lines, start) for start in range(0, rows, RESOURCES_A_PAGE)]
    files = [b"".join(lines[start : start + LINES_A_FILE]) for start in range(0, rows, LINES_A_FILE)]
    manifest = {
        "transactionTime": _CHANGED.isoformat(),
        "requiresAccessToken": False,
        "output": [{"type": "Appointment", "url": f"/file/{at}"} for at in range(len(files))],
    }
    nothing_new = b'{"resourceType":"Bundle","type":"searchset","total":0}'

    def answer(path: str, _: Mapping[str, str]) -> Said:
        asked = urlsplit(path)
        question = dict(parse_qsl(asked.query))
        if asked.path == "/Appointment":
            return Said(body=nothing_new if "_lastUpdated" in question else pages[int(question.get("page", 0))])
        if asked.path.startswith("/file/"):
            return Said(body=files[int(asked.path.rpartition("/")[2])])
        if asked.path == "/$export":
            return Said(status=202, headers={"Content-Location": "/job"})
        return Said(body=json.dumps(manifest).encode())

    return answer


def _appointment(number: int) -> bytes:
    start = _BEGUN + timedelta(minutes=number % 1_400_000)
    changed = _CHANGED - timedelta(seconds=number)
    resource = {
        "resourceType": "Appointment",
        "id": f"a{number}",
        "meta": {"versionId": "1", "lastUpdated": changed.isoformat()},
        "status": "fulfilled",
        "start": f"{start.isoformat()}Z",
        "end": f"{(start + timedelta(minutes=50)).isoformat()}Z",
        "minutesDuration": 50,
        "participant": [
            {"actor": {"reference": f"Patient/c{number // ROWS_A_RECORD}"}, "status": "accepted"},
            {"actor": {"reference": f"Practitioner/k{number % 400}"}, "status": "accepted"},
        ],
    }
    return json.dumps(resource, separators=(",", ":")).encode() + b"\n"


def _page(lines: list[bytes], start: int) -> bytes:
    entries = b",".join(b'{"resource":%b}' % line.rstrip() for line in lines[start : start + RESOURCES_A_PAGE])
    at = start // RESOURCES_A_PAGE + 1
    links = b"" if start + RESOURCES_A_PAGE >= len(lines) else b'{"relation":"next","url":"/Appointment?page=%d"}' % at
    return b'{"resourceType":"Bundle","type":"searchset","total":%d,"link":[%b],"entry":[%b]}' % (
        len(lines),
        links,
        entries,
    )


@contextmanager
def served(kind: str, *, rows: int) -> Iterator[str]:
    """One of the systems of `SERVERS` in a process of its own: its address."""
    command = [sys.executable, "-m", "pipelines.benchmarks.pull_servers", kind, str(rows)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout is None or not (url := server.stdout.readline().strip()):
                raise RuntimeError(f"the {kind} stand-in did not start")
            yield url
        finally:
            server.terminate()


class _Quick(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise the second half of an answer waits for the first to be acknowledged.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def _answer(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()))
        said = self.server.answer(self.path, form)  # type: ignore[attr-defined]
        self.send_response(said.status)
        for name, value in {**said.headers, "Content-Length": str(len(said.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - the library's names

    def log_message(self, *_: Any) -> None:
        """Nothing is told of what was asked."""


def _serve(answers: Answers) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Quick)
    server.answer = answers  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    _wait_for_the_end()


def _wait_for_the_end() -> None:
    """Until who started this ends, however it does."""
    sys.stdin.read()


def _serve_objects(rows: int) -> None:
    from moto.core import DEFAULT_ACCOUNT_ID  # noqa: PLC0415 -- takes a while, and only this process wants it
    from moto.s3.models import s3_backends  # noqa: PLC0415
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    backend.create_bucket(BUCKET, REGION)
    backend.put_object(BUCKET, OBJECT, forms(rows).write_csv().encode())
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    print(f"http://{host}:{port}", flush=True)
    _wait_for_the_end()


SERVERS: Mapping[str, Callable[[int], None]] = {
    "redcap": lambda rows: _serve(redcap_answers(rows)),
    "fhir": lambda rows: _serve(fhir_answers(rows)),
    "objects": _serve_objects,
}


if __name__ == "__main__":
    SERVERS[sys.argv[1]](int(sys.argv[2]))
