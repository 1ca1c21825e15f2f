"""The account of files of which no line is read on: every line refused, with one reason for all.

Belongs here: counting the lines of such a file. Does not belong here: why it isn't read (`identifier_search`,
`assets.staging`) or the account of one that is (`reading`).
"""

from collections.abc import Sequence
from glob import escape
from pathlib import Path

import duckdb

from assets.feeds.archives import unpacked
from assets.feeds.identifier_search import HELD, Leak
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import ReadReport
from assets.feeds.records import RejectedLine
from assets.feeds.text_files import count_lines
from assets.feeds.typed_files import cells_of
from assets.feeds.wrong_input import WrongInput

REPLACED = "file_replaced"
_REPLACED_REASON = "the file can't be read, and a newer one of the same name has replaced it"


def account_of_held(
    con: duckdb.DuckDBPyConnection, landed: LandedFile, mapping: FeedMapping, *, leaks: Sequence[Leak], scratch: Path
) -> ReadReport:
    """The account of a file that tells who somebody is, under the first of the mappings that claim it."""
    if mapping.place != landed.claims[0].place:
        return ReadReport(lines=0, kept=0, blank=0, rejected=(), left_to_others=0)
    reason = f"the file is held: {'; '.join(leak.sentence for leak in leaks)}"
    return _refused(_lines(con, landed, mapping, scratch=scratch), rule=HELD, reason=reason)


def account_of_replaced(
    con: duckdb.DuckDBPyConnection, landed: LandedFile, mapping: FeedMapping, *, scratch: Path
) -> ReadReport:
    """The account of a file that can't be read; where not even its lines can be counted, it has none."""
    try:
        lines = _lines(con, landed, mapping, scratch=scratch)
    except (WrongInput, duckdb.Error):
        lines = ()
    return _refused(lines, rule=REPLACED, reason=_REPLACED_REASON)


def _refused(lines: Sequence[int], *, rule: str, reason: str) -> ReadReport:
    rejected = tuple(RejectedLine(number, rule, reason) for number in lines)
    return ReadReport(lines=len(rejected), kept=0, blank=0, rejected=rejected, left_to_others=0)


def _lines(con: duckdb.DuckDBPyConnection, landed: LandedFile, mapping: FeedMapping, *, scratch: Path) -> Sequence[int]:
    """The numbers of a file's lines after its header; of cells, those with something in them."""
    stem = f"unread-{landed.file_number}-{mapping.feed}-{mapping.index}"
    cells = scratch / f"{stem}.cells"
    try:
        with unpacked(landed.path, name=landed.name, member=landed.member, copy=scratch / f"{stem}.unpacked") as path:
            if mapping.is_text:
                return range(2, count_lines(path, encoding=mapping.encoding) + 1)
            if mapping.format == "parquet":
                counted = con.execute("SELECT count(*) FROM read_parquet(?)", [escape(str(path))]).fetchall()
                return range(1, int(counted[0][0]) + 1)
            cells_of(path, name=landed.name, mapping=mapping, copy=cells)
            found = con.execute("SELECT line FROM read_parquet(?) ORDER BY line", [escape(str(cells))]).fetchall()
            return [int(line) for (line,) in found]
    finally:
        cells.unlink(missing_ok=True)
