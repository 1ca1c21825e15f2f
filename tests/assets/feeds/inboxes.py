"""An inbox and its landing folder, into which a test sends what it likes."""

import io
import zipfile
from datetime import date
from pathlib import Path

import pytest

from assets.feeds.landing import Landing, land
from assets.feeds.mapping import FeedMapping
from assets.feeds.wrong_input import WrongInput

TONIGHT = date(2026, 11, 20)


def mapping(*files: str, index: int = 0, feed: str = "clinicians", **keys: object) -> FeedMapping:
    return FeedMapping.model_validate({"feed": feed, "index": index, "files": files, **keys})


class Clinic:
    """An inbox and its landing folder."""

    def __init__(self, folder: Path, *mappings: FeedMapping) -> None:
        self.inbox, self.landing = folder / "inbox", folder / "landing"
        self.inbox.mkdir(parents=True)
        self.mappings = {"clinicians": mappings or (mapping("**/*.csv"),)}

    def sends(self, name: str, content: bytes = b"id\n1\n") -> None:
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def pull(self, on: date = TONIGHT) -> Landing:
        return land(self.inbox, landing=self.landing, mappings=self.mappings, data_date=on)

    def names(self) -> list[str]:
        return [file.name for file in self.pull().files]


def wrong(clinic: Clinic) -> WrongInput:
    with pytest.raises(WrongInput) as caught:
        clinic.pull()
    assert "\n" not in str(caught.value)
    return caught.value


def zipped(**members: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()
