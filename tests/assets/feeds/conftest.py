"""What the tests of feeds share: mappings in few words, files as if they had landed, and reading them."""

import hashlib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from assets.contracts.staging import FEEDS
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import ReadReport, read_into

BY_NAME = {feed.name: feed for feed in FEEDS}


def clinicians(**keys: object) -> FeedMapping:
    """The smallest feed, mapped from columns `id` and `place`, with other keys as given."""
    given = {"files": "staff.csv", "columns": {"clinician_id": "id", "site": "place"}, **keys}
    return FeedMapping.model_validate({"feed": "clinicians", "index": 0, **given})


@pytest.fixture
def as_landed(tmp_path: Path) -> Callable[..., LandedFile]:
    """Makes a landed file of bytes."""

    def write(content: bytes, *claims: FeedMapping, name: str = "staff.csv") -> LandedFile:
        digest = hashlib.sha256(content).hexdigest()
        path = tmp_path / digest
        path.write_bytes(content)
        return LandedFile(
            file_number=1,
            name=name,
            path=path,
            sha256=digest,
            bytes=len(content),
            landed_on=date(2026, 11, 20),
            claims=claims,
        )

    return write


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., tuple[ReadReport, list[dict[str, object]]]]:
    """Reads a landed file for one mapping: the account, and the rows as dictionaries."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    def run(landed: LandedFile, mapping: FeedMapping) -> tuple[ReadReport, list[dict[str, object]]]:
        with duckdb.connect() as con:
            report = read_into(con, landed, mapping, feed=BY_NAME[mapping.feed], table="read", scratch=scratch)
            rows = con.execute("SELECT * FROM read ORDER BY source_line").to_arrow_table().to_pylist()
        assert not list(scratch.iterdir())
        return report, rows

    return run
