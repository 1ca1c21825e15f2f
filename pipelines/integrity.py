"""Whether what landed and what was published is still what it was, byte for byte, and closed to strangers.

Belongs here: holding the state folder against its own manifests. Does not belong here: writing them
(`assets.feeds.landing`, `assets.published`). Whoever may write the state folder may rewrite its manifests too: this finds
damage, loss and careless hands, not a determined intruder.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assets import warehouse
from assets.feeds.manifest import kept_copy, read_manifest, remains_of
from assets.feeds.purged import ACCOUNT
from assets.published import MANIFEST_FILE

_OTHERS = 0o007
_ANYBODYS_WRITING = 0o222


@dataclass(frozen=True, kw_only=True)
class Verified:
    """What a look through the state folder found.

    Attributes:
        files: how many files were held against a hash.
        differences: one line each: a file relative to the state folder, and what is wrong with it.
    """

    files: int
    differences: tuple[str, ...]


def verify(home: Path) -> Verified:
    """Recompute the hash of every landed and published file and look at who may read and write it."""
    expected = {**_landed(home), **_published(home)}
    differences = [*_what_differs(home, expected), *_what_nobody_knows(home, expected), *_what_is_open(home)]
    return Verified(files=len(expected), differences=tuple(differences))


def _landed(home: Path) -> dict[Path, str]:
    landing = home / "landing"
    expected: dict[Path, str] = {}
    for sha256, sent in dict.fromkeys((entry.sha256, entry.sent_sha256) for entry in read_manifest(landing)):
        left = remains_of(landing, sha256)
        if left.is_dir():
            hashes = json.loads((left / ACCOUNT).read_text(encoding="utf-8"))["sha256"]
            expected |= {left / name: of for name, of in hashes.items()}
        else:
            expected[kept_copy(landing, sent)] = sent
    return expected


def _published(home: Path) -> dict[Path, str]:
    expected: dict[Path, str] = {}
    for version in warehouse.versions(home):
        folder = home / "published" / version
        manifest = folder / MANIFEST_FILE
        hashes = (
            json.loads(manifest.read_text(encoding="utf-8"))["sha256"] if manifest.exists() else {MANIFEST_FILE: ""}
        )
        expected |= {folder / name: digest for name, digest in hashes.items()}
    return expected


def _what_differs(home: Path, expected: dict[Path, str]) -> Iterator[str]:
    for path, digest in sorted(expected.items()):
        name = path.relative_to(home).as_posix()
        if not path.is_file():
            yield f"{name}: is gone"
            continue
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            yield f"{name}: is not what was written (sha256 {found[:12]}..., manifest {digest[:12]}...)"
        if path.stat().st_mode & _ANYBODYS_WRITING:
            yield f"{name}: can be written to; chmod 440"


def _what_nobody_knows(home: Path, expected: dict[Path, str]) -> Iterator[str]:
    """Files where only kept copies or a version's own files belong."""
    kept = [path for folder in (home / "landing").glob("[0-9a-f][0-9a-f]") for path in folder.iterdir()]
    for version in warehouse.versions(home):
        folder = home / "published" / version
        kept += [path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST_FILE]
    for path in sorted(kept):
        if path not in expected:
            yield f"{path.relative_to(home).as_posix()}: no manifest names it"


def _what_is_open(home: Path) -> Iterator[str]:
    """Anything that accounts outside the group may read; behind a closed folder nobody gets to what is within."""
    for path in [home, *(home.iterdir() if home.is_dir() else ())]:
        if not path.is_symlink() and path.exists() and path.stat().st_mode & _OTHERS and home.stat().st_mode & _OTHERS:
            yield f"{path.relative_to(home).as_posix()}: is open to every account; chmod o-rwx"
