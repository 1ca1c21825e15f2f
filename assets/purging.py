"""Removing the bytes of landed files past their days, without a change to any table.

Belongs here: which files are due, and the order in which their lines are kept and their bytes removed. Does not belong here:
what is left of a file (`assets.feeds.purged`). Dagster reads annotations at run time, so this module never postpones them.

A purged file's lines stay as they were judged: typed, under codes, with their refusals. The next night reads those in place
of the bytes and comes to the same tables. What can't be undone: a purged file is not read again under other settings, and
the clinic's secret can't be changed for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg
import duckdb

from assets import tables, warehouse
from assets.contracts.staging import FEEDS
from assets.feeds.landing import LandedFile, landed_files
from assets.feeds.manifest import release
from assets.feeds.purged import Remains
from assets.feeds.wrong_input import WrongInput
from assets.published import VERSION
from assets.resources import Night
from assets.sources import instruments_frame
from assets.staging import begin_feed, take_file

PURGED_COPIES = dg.AssetKey(["published", "purged_copies"])
_FEEDS = {feed.name: feed for feed in FEEDS}


@dataclass(frozen=True, kw_only=True)
class Purged:
    """What a purge came to.

    Attributes:
        files: names whose bytes are gone.
        kept_back: names that were due and stay, each with the reason.
    """

    files: tuple[str, ...]
    kept_back: dict[str, str]


def purge(night: Night, *, older_than: int) -> Purged:
    """Remove the kept bytes of every file that landed more than so many days before the data date.

    Args:
        night: the settings and the state folder, which the caller holds.
        older_than: days.
    """
    landed = landed_files(night.landing, mappings=night.service.feeds)
    last = night.as_of - timedelta(days=older_than)
    # A purge that was killed between keeping the lines and removing the bytes is brought to its end.
    release(night.landing, {file.sent_sha256 for file in landed if file.is_purged})
    gone: list[str] = []
    kept_back: dict[str, str] = {}
    for digest in dict.fromkeys(file.sha256 for file in landed if not file.is_purged):
        same = [file for file in landed if file.sha256 == digest]
        if any(file.landed_on >= last for file in same):
            continue
        why = _purge_one(night, digest=digest, same=same, landed=landed)
        if why is None:
            gone += [file.name for file in same]
        else:
            kept_back |= dict.fromkeys((file.name for file in same), why)
    return Purged(files=tuple(gone), kept_back=kept_back)


def _purge_one(night: Night, *, digest: str, same: list[LandedFile], landed: tuple[LandedFile, ...]) -> str | None:
    """Keep one file's lines and remove its bytes; or why not."""
    remains = Remains.begin(night.landing, digest)
    night.work.mkdir(parents=True, exist_ok=True)
    claims = {claim.place: (file, claim) for file in reversed(same) for claim in file.claims}
    with staging_in_memory(night) as con:
        for file, mapping in claims.values():
            feed = _FEEDS[mapping.feed]
            begin_feed(con, feed)
            try:
                reasons, _ = take_file(con, feed, file=file, mapping=mapping, night=night, landed=landed)
            except WrongInput:
                return "it can't be read as the settings say"
            early = f"SELECT COUNT(*) FROM scratch.lines_{feed.name} WHERE broken_rule LIKE '%after_data_date'"
            if con.sql(early).fetchall() != [(0,)]:
                return "it has lines of days to come, which a later night may accept"
            remains.keep(con, feed, mapping=mapping, reasons=reasons)
    remains.finish()
    release(night.landing, {file.sent_sha256 for file in same})
    return None


@contextmanager
def staging_in_memory(night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """A build in which feeds can be staged and of which nothing stays."""
    with duckdb.connect(config={"memory_limit": night.memory_limit, "temp_directory": str(night.work)}) as con:
        con.execute("SET TimeZone = 'UTC'")
        for name in ("warehouse", "scratch"):
            con.execute(f"ATTACH ':memory:' AS {name}")
        con.execute("USE warehouse")
        for layer in warehouse.LAYERS:
            con.execute(f"CREATE SCHEMA {layer}")
        con.register("instruments_to_store", instruments_frame(night.service.registry).to_arrow())
        con.execute("CREATE TABLE scratch.instruments AS SELECT * FROM instruments_to_store")
        yield con


@dg.asset(
    key=PURGED_COPIES,
    group_name="published",
    kinds={"file"},
    deps=[VERSION],
    description="Landing copies past the days that [privacy] keep_landing_days gives them, kept only as judged lines.",
)
def purged_copies(night: Night) -> dg.MaterializeResult[None]:
    """Remove what is past its days, once the night is published; nothing where the settings give no days."""
    days = night.service.privacy.keep_landing_days
    if days is None:
        return tables.made(0)
    done = purge(night, older_than=days)
    return tables.made(len(done.files), more={"kept back": len(done.kept_back)})
