"""The published site as the server reads it: one version at a time, whole, whatever a night does meanwhile.

Belongs here: which version is current, and bytes from it. Does not belong here: who may have them (`policy`), or how a
version is published (`assets.warehouse`).

A page is read from the folder of one version, never through the moving link, and names that version to its own parts. What
pages share is held in memory from the moment a version is first seen, so that a page that is open keeps its parts when
the version is pruned from the disk.
"""

import asyncio
import gzip
import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from assets import warehouse
from pipelines.gatekeeper.places import Kind, Place, place_of

SITE: Final = "site"
MANIFEST: Final = "manifest.json"
_MOST_BYTES: Final = 64_000_000
_COMPRESSED: Final = (".js", ".css", ".txt")


@dataclass(frozen=True, kw_only=True)
class Part:
    """A file that pages ask for.

    Attributes:
        body: its bytes.
        gzipped: the same compressed, where that is worth it.
        etag: names its content.
    """

    body: bytes
    gzipped: bytes | None
    etag: str


@dataclass(frozen=True, kw_only=True)
class Release:
    """One published version.

    Attributes:
        version: its name.
        folder: its site's folder, not through any link.
        data_date: the last day that its data speak of; None where its manifest doesn't say.
        published_at: when it was made.
        parts: what its pages share, by path, for as long as it is held.
    """

    version: str
    folder: Path
    data_date: date | None
    published_at: datetime
    parts: Mapping[str, Part]


class Releases:
    """The versions that a state folder has published since the server started.

    Args:
        home: the state folder.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._held: OrderedDict[str, Release] = OrderedDict()
        self._shared: OrderedDict[str, Part] = OrderedDict()
        self._loading = asyncio.Lock()

    async def current(self) -> Release | None:
        """The version that readers get now; None before the first."""
        while True:
            version = warehouse.current_version(self._home)
            if version is None:
                return None
            if version in self._held:
                return self._held[version]
            async with self._loading:
                if version in self._held:
                    continue
                try:
                    release = await asyncio.to_thread(self._load, version)
                except FileNotFoundError:
                    # Pruned while it was read: then another is current.
                    if warehouse.current_version(self._home) == version:
                        raise
                    continue
                # While it was read a night may have gone on, and its files with it.
                if warehouse.current_version(self._home) == version:
                    self._hold(release)

    async def page(self, place: Place) -> tuple[Release, bytes] | None:
        """A file of the current version and the version itself; None where it has no such file."""
        while (release := await self.current()) is not None:
            try:
                return release, _read(release.folder / place.path)
            except FileNotFoundError:
                # Missing, or pruned between finding the version and reading it.
                if warehouse.current_version(self._home) == release.version:
                    return None
        return None

    async def part(self, place: Place, *, version: str) -> bytes | None:
        """A part as the named version has it; None where it has none, or is gone from memory and from the disk."""
        held = self._held.get(version)
        if held is not None and place.path in held.parts:
            return held.parts[place.path].body
        if version not in warehouse.versions(self._home):
            return None
        try:
            return _read(self._home / "published" / version / SITE / place.path)
        except FileNotFoundError:
            return None

    async def shared(self, place: Place) -> Part | None:
        """A shared part by its name, which changes with its content, from whichever version has it."""
        release = await self.current()
        if release is not None and place.path in release.parts:
            return release.parts[place.path]
        if place.path in self._shared:
            return self._shared[place.path]
        for version in reversed(warehouse.versions(self._home)):
            body = await self.part(place, version=version)
            if body is not None:
                return _as_part(place.path, body)
        return None

    def is_known(self, version: str) -> bool:
        """Whether a version is in memory or on the disk."""
        return version in self._held or version in warehouse.versions(self._home)

    def _load(self, version: str) -> Release:
        folder = self._home / "published" / version
        described = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        site = folder / SITE
        parts: dict[str, Part] = {}
        for file in sorted(site.rglob("*")):
            path = file.relative_to(site).as_posix()
            place = place_of(path)
            # Clients' parts are as many as clients: they are read when they are asked for.
            if place is None or not place.is_part or place.kind is Kind.CLIENT:
                continue
            known = self._shared.get(path) if place.kind is Kind.SHARED else None
            body = _read(file)
            parts[path] = known if known is not None and known.body == body else _as_part(path, body)
        return Release(
            version=version,
            folder=site,
            data_date=_day(described.get("data_date")),
            published_at=_moment(version, folder),
            parts=parts,
        )

    def _hold(self, release: Release) -> None:
        self._held[release.version] = release
        self._held.move_to_end(release.version)
        self._shared |= {path: part for path, part in release.parts.items() if path.startswith("assets/")}
        held = [sum(len(part.body) for part in each.parts.values()) for each in self._held.values()]
        while len(held) > 1 and sum(held) > _MOST_BYTES:
            self._held.popitem(last=False)
            held.pop(0)
        while sum(len(part.body) for part in self._shared.values()) > _MOST_BYTES:
            self._shared.popitem(last=False)


def _read(file: Path) -> bytes:
    """A file's bytes; a link is no file of the site.

    Raises:
        FileNotFoundError: where there is no such file.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except (NotADirectoryError, IsADirectoryError) as error:
        raise FileNotFoundError(str(file)) from error
    except OSError as error:
        if file.is_symlink():
            raise FileNotFoundError(str(file)) from error
        raise
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read()


def _as_part(path: str, body: bytes) -> Part:
    return Part(
        body=body,
        gzipped=gzip.compress(body, compresslevel=9, mtime=0) if path.endswith(_COMPRESSED) else None,
        etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
    )


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None


def _moment(version: str, folder: Path) -> datetime:
    try:
        return datetime.strptime(version, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        return datetime.fromtimestamp(folder.stat().st_mtime, tz=UTC)
