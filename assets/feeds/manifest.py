"""The record of all that ever landed: one line a file, in the order in which files count.

Belongs here: that record, and where the bytes that it speaks of are kept. Does not belong here: what is added to it
(`landing`) and what a line's file says (`reading`).

A file of an archive has a line of its own, with the hash of its unpacked bytes; what is kept is the archive as it was sent.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from assets.feeds.wrong_input import WrongInput
from assets.whole_files import written_whole

MANIFEST = "manifest.jsonl"
PURGED = "purged"  # the folder of what is left of files whose bytes are no longer kept, by hash


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the manifest.

    Attributes:
        file_number: from 1; the higher is the newer.
        name: relative to the inbox; of a file in an archive the archive's name, a slash and the member's.
        sha256: of the file's own bytes.
        bytes: their number.
        landed_on: the data date of the night that landed it, ISO.
        member: its name within the archive; None where it came by itself.
        archive: the archive's SHA-256; None likewise.
    """

    file_number: int
    name: str
    sha256: str
    bytes: int
    landed_on: str
    member: str | None = None
    archive: str | None = None

    @property
    def sent_as(self) -> str:
        """The name in the inbox."""
        return self.name if self.member is None else self.name.removesuffix(f"/{self.member}")

    @property
    def sent_sha256(self) -> str:
        """The hash of the bytes as they were sent, by which they are kept."""
        return self.archive or self.sha256


def read_manifest(landing: Path) -> list[Entry]:
    """The manifest's whole lines; what stands after the last line end was cut off while it was written and never counted."""
    manifest = landing / MANIFEST
    if not manifest.exists():
        return []
    *lines, _ = manifest.read_text(encoding="utf-8").split("\n")
    entries = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(Entry(**json.loads(line)))
        except (ValueError, TypeError):
            raise WrongInput(
                "is not a line of a manifest",
                place=f"{manifest}, line {number}",
                mend="bring the landing folder back from a backup",
            ) from None
    return entries


def write_manifest(landing: Path, entries: Iterable[Entry]) -> None:
    """Write the manifest beside itself and swap, so that a reader finds the old one or the new one, whole."""
    with written_whole(landing / MANIFEST, mode=0o644) as file:
        file.writelines(f"{json.dumps(_written(entry))}\n".encode() for entry in entries)


def _written(entry: Entry) -> dict[str, object]:
    return {key: value for key, value in asdict(entry).items() if value is not None}


def kept_copy(landing: Path, sent_sha256: str) -> Path:
    """Where the bytes that were sent with that hash are kept while they are."""
    return landing / sent_sha256[:2] / sent_sha256


def remains_of(landing: Path, sha256: str) -> Path:
    """The folder of what is left of a file with that hash, once it is purged."""
    return landing / PURGED / sha256


def release(landing: Path, sent: Collection[str]) -> None:
    """Remove the bytes sent with those hashes where every file in them is purged."""
    files: dict[str, set[str]] = {}
    for entry in read_manifest(landing):
        if entry.sent_sha256 in sent:
            files.setdefault(entry.sent_sha256, set()).add(entry.sha256)
    for sent_sha256, within in files.items():
        if all(remains_of(landing, sha256).is_dir() for sha256 in within):
            kept_copy(landing, sent_sha256).unlink(missing_ok=True)
