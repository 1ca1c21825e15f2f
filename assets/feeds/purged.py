"""What is left of a landed file whose bytes are no longer kept: its lines as they were judged, and their account.

Belongs here: writing and reading that. Does not belong here: when a file is purged, and how its lines were judged
(`assets.purging`, `assets.staging`).

Layout of `landing/purged/<hash>/`: `<feed>-<mapping>.parquet` with the typed lines of one mapping, identifiers as codes,
what could not be read as missing; `<feed>-<mapping>-unread.parquet` with the lines that were refused unread;
`account.json` with the counts and the hash of every other file. The folder is moved into place whole.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from assets.contracts import staging_sql
from assets.contracts.model import Feed
from assets.feeds.landing import LandedFile
from assets.feeds.manifest import remains_of
from assets.feeds.mapping import FeedMapping
from assets.feeds.wrong_input import WrongInput
from assets.whole_files import beside, sync

ACCOUNT = "account.json"
_ABOUT_THE_FILE = "file_number, mapping, source_file"


@dataclass(frozen=True, kw_only=True)
class Remains:
    """A folder in the making, beside the one that it becomes.

    Attributes:
        folder: where its files are written.
        digest: the hash of the bytes that go.
    """

    folder: Path
    digest: str

    @classmethod
    def begin(cls, landing: Path, digest: str) -> "Remains":
        """An empty folder, whatever an earlier try left there."""
        folder = beside(remains_of(landing, digest))
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return cls(folder=folder, digest=digest)

    def keep(
        self, con: duckdb.DuckDBPyConnection, feed: Feed, *, mapping: FeedMapping, reasons: dict[str, str]
    ) -> None:
        """Keep what the scratch tables of a feed hold, which is this one file as this one mapping sees it."""
        name = f"{feed.name}-{mapping.index}"
        # A form may lie in several lines; the order of the file is the order of the lines.
        self._copy(
            con, f"SELECT * EXCLUDE ({_ABOUT_THE_FILE}) FROM scratch.lines_{feed.name} ORDER BY source_line", name
        )
        unread = f"SELECT source_line, rule, reason FROM scratch.unread_{feed.name} ORDER BY source_line"
        self._copy(con, unread, f"{name}-unread")
        counted = con.sql(f"SELECT SUM(lines), SUM(blank) FROM scratch.counts_{feed.name}").fetchall()[0]
        account = {"lines": int(counted[0] or 0), "blank": int(counted[1] or 0), "reasons": reasons}
        (self.folder / f"{name}.json").write_text(json.dumps(account), encoding="utf-8")

    def finish(self) -> None:
        """Write the account, put everything on the disk and move the folder into place."""
        files = sorted(self.folder.iterdir())
        hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
        (self.folder / ACCOUNT).write_text(json.dumps({"sha256": hashes}, indent=2), encoding="utf-8")
        for file in self.folder.iterdir():
            file.chmod(0o440)
            sync(file)
        self.folder.rename(self.folder.with_name(self.digest))
        sync(self.folder.parent)

    def _copy(self, con: duckdb.DuckDBPyConnection, query: str, name: str) -> None:
        path = str(self.folder / f"{name}.parquet").replace("'", "''")
        con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def bring_back(
    con: duckdb.DuckDBPyConnection, landed: LandedFile, mapping: FeedMapping, *, feed: Feed, data_date: date
) -> dict[str, str]:
    """Put the lines of a purged file where its reading put them; returns the sentences of their rules.

    Raises:
        WrongInput: where the mapping did not read the file while its bytes were kept.
    """
    stem = landed.path / f"{feed.name}-{mapping.index}"
    if not stem.with_suffix(".parquet").exists():
        raise WrongInput(
            f"{landed.name} was purged before this mapping claimed it",
            place=f"{mapping.place}.files",
            mend="narrow the glob, or bring the landing folder back from a backup",
        )
    account: dict[str, Any] = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    about = [landed.file_number, mapping.index]
    con.execute(
        f"INSERT INTO scratch.lines_{feed.name} BY NAME SELECT CAST(? AS BIGINT) AS file_number,"
        " CAST(? AS BIGINT) AS mapping, CAST(? AS VARCHAR) AS source_file, * FROM read_parquet(?)",
        [*about, landed.name, f"{stem}.parquet"],
    )
    con.execute(
        f"INSERT INTO scratch.unread_{feed.name} SELECT ?, ?, source_line, rule, reason FROM read_parquet(?)",
        [*about, f"{stem}-unread.parquet"],
    )
    con.execute(
        f"INSERT INTO scratch.counts_{feed.name} VALUES (?, ?, ?, ?, NULL)",
        [landed.file_number, landed.name, account["lines"], account["blank"]],
    )
    # A night made again knows nothing of the days after it, though the file was purged once they had come.
    early = staging_sql.days_to_come(feed, data_date=data_date)
    if early:
        con.execute(
            f"UPDATE scratch.lines_{feed.name} SET broken_rule = {staging_sql.first_broken(early)} WHERE file_number = ? "
            f"AND mapping = ? AND broken_rule IS NULL AND ({' OR '.join(rule.is_broken for rule in early)})",
            about,
        )
    reasons: dict[str, str] = account["reasons"]
    return reasons | {rule.name: rule.reason for rule in early}
