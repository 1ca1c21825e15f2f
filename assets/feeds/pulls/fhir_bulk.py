"""A FHIR server that exports: it prepares files of everything at once, which are then fetched (HL7's Bulk Data Access 2.0).

Belongs here: asking for an export, waiting for it, and reading its files. Does not belong here: searching (`fhir`), what a
row is made of (`fhir_rows`).

One export serves every kind of resource of a night. It says itself up to which moment it is whole, and that is the next
night's beginning. A file that was cut is fetched again; what came of it before stands once in the end. An export that the
server has thrown away is asked for again, and the kinds that were read from the one before stay. When the last kind has been
read the server is told that it may throw the export away.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urljoin

import orjson

from assets.feeds.pulls.fhir import FhirSource, check_that_some_are_known, since
from assets.feeds.pulls.fhir_pages import moment_of
from assets.feeds.pulls.fhir_rows import ResourceFile
from assets.feeds.pulls.fhir_server import JSON, FhirServer, origin
from assets.feeds.pulls.patience import patiently
from assets.feeds.pulls.source import Fetched, Item, PullFailedError
from assets.feeds.pulls.web import MOST_BYTES, seconds_to_wait
from assets.feeds.wrong_input import WrongInput

NDJSON: Final = "application/fhir+ndjson"
_PIECE: Final = 8 * 1024 * 1024
_ACCEPTED, _DONE = 202, 200
_GONE: Final = (404, 410)
_LONGEST_POLL: Final = 60.0


class _GoneError(Exception):
    """The server has thrown the export away."""


@dataclass(frozen=True, kw_only=True)
class _OutputFile:
    """One file of an export: where it is, and how many lines it has where the server says so."""

    url: str
    lines: int | None


@dataclass(frozen=True, kw_only=True)
class _Export:
    """What the server has prepared.

    Attributes:
        job: the address by which it is known, and thrown away.
        whole_up_to: as the server writes the moment.
        needs_token: whether its files are given only to who is let in.
        files: by resource.
        deleted: files that tell which resources are no longer there.
        errors: files that tell what could not be exported.
    """

    job: str
    whole_up_to: str
    needs_token: bool
    files: Mapping[str, tuple[_OutputFile, ...]]
    deleted: tuple[_OutputFile, ...]
    errors: tuple[_OutputFile, ...]


@dataclass(kw_only=True)
class FhirExport(FhirSource):
    """One server that exports; what it has prepared is remembered until every kind has been read."""

    _export: _Export | None = field(default=None, init=False)
    _since: datetime | None = field(default=None, init=False)
    _read: set[str] = field(default_factory=set, init=False)

    def new_items(self, marks: Mapping[str, str]) -> Iterable[Item]:
        """Every kind of resource: what it brings is known when the export has been read."""
        known = [since(marks.get(each), self.settings) for each in self.settings.resources]
        earliest = [each for each in known if each is not None]
        # A kind that was never pulled makes the export one of everything.
        self._since = min(earliest) if len(earliest) == len(known) else None
        return super().new_items(marks)

    def fetch(self, item: Item, *, to: Path, last_mark: str | None) -> Fetched:
        """Read one kind of resource out of the export and write its rows."""
        resource = self.resource_of(item)
        with self.server() as server:
            try:
                export = self._export or self._prepared(server)
                earlier = sorted(to.parent.glob(f"{resource}-*.parquet"))
                with self.file_of(resource, to=to, is_paged=False) as file:
                    for output in export.files.get(resource, ()):
                        self._take(server, export, output, file=file)
                    for output in export.deleted:
                        for lines in self._lines(server, export, output):
                            file.add_deleted(lines, earlier=earlier)
            except _GoneError:
                self._export = None
                raise PullFailedError("the server has thrown the export away") from None
            check_that_some_are_known(server, file, resource=resource, is_first=last_mark is None)
            self._read.add(resource)
            if self._read.issuperset(self.settings.resources):
                self._throw_away(server, export)
        return Fetched(mark=export.whole_up_to, rows=file.rows, is_empty=file.rows == 0 and last_mark is not None)

    def _prepared(self, server: FhirServer) -> _Export:
        job = patiently(lambda: self._begun(server), name=self.name, wait=self.wait)
        export = self._awaited(server, job)
        lacking = sum(_errors(lines) for output in export.errors for lines in self._lines(server, export, output))
        if lacking and not self.settings.may_lack:
            self._throw_away(server, export)
            raise server.wrong(
                f"the server could not export everything; it tells of {lacking} errors",
                mend="ask its keepers, or write may_lack = true",
            )
        self._export = export
        return export

    def _begun(self, server: FhirServer) -> str:
        """Ask for an export; the address at which to ask how far it is."""
        settings = self.settings
        asked = {"_type": ",".join(settings.resources), "_outputFormat": NDJSON}
        if self._since is not None:
            asked["_since"] = self._since.isoformat(timespec="milliseconds")
        narrowed = [f"{each}?{urlencode(only)}" for each, only in settings.only.items() if each in settings.resources]
        if narrowed:
            asked["_typeFilter"] = ",".join(narrowed)
        whose = "" if settings.group is None else f"/Group/{settings.group}"
        url = f"{settings.base}{whose}/$export?{urlencode(asked)}"
        with server.asked(url, prefer="respond-async") as answer:
            job = answer.headers.get("content-location")
            answer.whole()
        if answer.status != _ACCEPTED or job is None:
            raise server.wrong("the server does not export", key="way", mend='write way = "search"')
        return server.own_address(job, seen_at=url)

    def _awaited(self, server: FhirServer, job: str) -> _Export:
        """Ask how far the export is until it is there, as seldom as the server wishes."""
        deadline = time.monotonic() + self.settings.export_hours * 3600
        pause = self.wait
        while time.monotonic() < deadline:
            told = patiently(lambda: self._state(server, job), name=self.name, wait=self.wait)
            if not isinstance(told, float):
                return told
            time.sleep(max(0.0, min(max(told, pause), deadline - time.monotonic())))
            pause = min(2 * pause, _LONGEST_POLL)
        raise server.wrong(
            f"the server did not prepare its export in {self.settings.export_hours} hours",
            key="export_hours",
            mend="give it longer, or ask its keepers",
        )

    def _state(self, server: FhirServer, job: str) -> _Export | float:
        """The export, or the seconds after which to ask again."""
        with server.asked(job, accept="application/json") as answer:
            body = answer.whole()
            if answer.status == _ACCEPTED:
                return seconds_to_wait(answer.headers)
        try:
            return _understood(orjson.loads(body), job=job)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise server.wrong("the server's list of exported files can't be read", mend="ask its keepers") from None

    def _take(self, server: FhirServer, export: _Export, output: _OutputFile, *, file: ResourceFile) -> None:
        def take() -> None:
            lines = sum(file.add_lines(part) for part in self._parts(server, export, output))
            if output.lines is not None and lines != output.lines:
                raise PullFailedError("an exported file has not as many lines as the server says")

        patiently(take, name=self.name, wait=self.wait)

    def _lines(self, server: FhirServer, export: _Export, output: _OutputFile) -> list[bytes]:
        """The whole of a file that is no resource's, in parts; such files are short."""
        return patiently(lambda: list(self._parts(server, export, output)), name=self.name, wait=self.wait)

    def _parts(self, server: FhirServer, export: _Export, output: _OutputFile) -> Iterator[bytes]:
        """A file in parts of whole lines."""
        url = urljoin(export.job, output.url)
        elsewhere = {origin(each) for each in self.settings.file_addresses}
        if export.needs_token or origin(url) not in elsewhere:
            url = server.own_address(url, seen_at=export.job)
        with server.asked(url, accept=NDJSON, understood=_GONE, with_token=export.needs_token) as answer:
            if answer.status in _GONE:
                raise _GoneError
            pieces: list[bytes] = []
            size = 0
            for piece in answer.pieces:
                pieces.append(piece)
                size += len(piece)
                if size >= _PIECE and b"\n" in piece:
                    whole, _, rest = b"".join(pieces).rpartition(b"\n")
                    yield whole + b"\n"
                    pieces, size = [rest], len(rest)
                elif size > MOST_BYTES:
                    raise server.wrong("a line of an exported file is too long to be held", mend="ask its keepers")
            if size:
                yield b"".join(pieces)

    def _throw_away(self, server: FhirServer, export: _Export) -> None:
        self._export, self._read = None, set()
        # What is left there the server throws away by itself in time.
        with suppress(PullFailedError, WrongInput), server.asked(export.job, method="DELETE", accept=JSON) as answer:
            answer.whole()


def _understood(said: dict[str, Any], *, job: str) -> _Export:
    """A manifest as HL7 writes it; raises what it breaks on where it is none."""
    whole_up_to = str(said["transactionTime"])
    if moment_of(whole_up_to) is None or not isinstance(said["output"], list):
        raise ValueError
    files: dict[str, tuple[_OutputFile, ...]] = {}
    for each in said["output"]:
        files[str(each["type"])] = (*files.get(str(each["type"]), ()), _output(each))
    return _Export(
        job=job,
        whole_up_to=whole_up_to,
        needs_token=bool(said["requiresAccessToken"]),
        files=files,
        deleted=tuple(_output(each) for each in said.get("deleted") or ()),
        errors=tuple(_output(each) for each in said.get("error") or ()),
    )


def _output(said: dict[str, Any]) -> _OutputFile:
    count = said.get("count")
    return _OutputFile(url=str(said["url"]), lines=count if isinstance(count, int) else None)


def _errors(lines: bytes) -> int:
    """How many issues of severity error or fatal some OperationOutcomes tell of."""
    try:
        told = [orjson.loads(line) for line in lines.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        raise PullFailedError("an exported file is not JSON") from None
    issues = [issue for each in told if isinstance(each, dict) for issue in each.get("issue") or ()]
    return sum(isinstance(issue, dict) and issue.get("severity") in {"error", "fatal"} for issue in issues)
