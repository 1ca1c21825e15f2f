import functools
import re
import tempfile
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.contracts.staging import CLINICIANS
from assets.feeds import records, text_files
from assets.feeds.codes import Codes
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import read_into

BLANKS = " \t\n\x0b\x0c\r"
HEADER = "id;place;note"
MAPPING = FeedMapping.model_validate(
    {
        "feed": "clinicians",
        "index": 0,
        "files": "staff.csv",
        "delimiter": ";",
        "columns": {"clinician_id": "id", "site": "place"},
    }
)


class Account(NamedTuple):
    rows: list[tuple[int, str | None, str | None]]
    rejected: list[tuple[int, str]]
    blank: int


def slowly_read(text: str) -> Account:
    """Line by line, letter by letter: as many lines as a quoted value needs, else the first alone."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    account = Account([], [], 0)
    at, n_blank = 1, 0
    while at < len(lines):
        number = at + 1
        if not lines[at].strip(BLANKS):
            n_blank, at = n_blank + 1, at + 1
            continue
        fields, taken, fault = one_record(lines, at)
        fields = fields if any(fields[3:]) else fields[:3]
        if fault is None and len(fields) != 3:
            fault = "open_quote" if taken > 1 else "too_few_columns" if len(fields) < 3 else "too_many_columns"
        if fault is None and any("\0" in line for line in lines[at : at + taken]):
            fault = "nul_character"
        if "\0" in lines[at]:
            fault = "nul_character"
        if fault is None:
            first, second = (field.strip(" \t\u00a0") or None for field in fields[:2])
            account.rows.append((number, first, second))
            at += taken
        else:
            account.rejected.append((number, fault))
            at += 1
    return account._replace(blank=n_blank)


def one_record(lines: list[str], at: int) -> tuple[list[str], int, str | None]:
    """The fields of the record that begins on a line, how many lines it takes, and what is wrong with its quotes."""
    rest = "\n".join(lines[at:]) + "\n"
    fields, place = [], 0
    while True:
        if re.compile(r' *"').match(rest, place):
            quoted = re.compile(r' *"((?:[^"]|"")*+)"', re.DOTALL).match(rest, place)
            if quoted is None:
                return [], 0, "open_quote"
            fields.append(quoted[1].replace('""', '"'))
            place = quoted.end()
            while rest[place] == " ":
                place += 1
            if rest[place] not in ";\n":
                return [], 0, "open_quote" if "\n" in rest[:place] else "stray_quote"
        else:
            plain = re.compile(r"[^;\n]*").match(rest, place)
            fields.append(plain[0])
            place = plain.end()
        if rest[place] == "\n":
            return fields, rest[: place + 1].count("\n"), None
        place += 1


@functools.cache
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


CODES = Codes(secret=bytes(32), rekeys_clinicians=False)


def quickly_read(content: bytes, mapping: FeedMapping = MAPPING) -> Account:
    con = connection()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "landed")
        path.write_bytes(content)
        landed = LandedFile(
            file_number=1, name="staff.csv", path=path, sha256="", bytes=len(content), landed_on=date(2026, 11, 20)
        )
        report = read_into(con, landed, mapping, feed=CLINICIANS, codes=CODES, table="read", scratch=Path(folder))
        rows = con.execute("SELECT source_line, clinician_id, site FROM read").fetchall()
        assert report.lines == report.kept + report.blank + len(report.rejected)
        assert report.kept == len(rows)
        return Account(rows, [(each.line, each.rule) for each in report.rejected], report.blank)


FIELDS = st.one_of(
    st.text(alphabet='ab ;"\n\r\té\u00a0\0', max_size=5),
    st.text(alphabet='a"\n;', max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"'),
    st.sampled_from(["", "a", '"', '""', '"""', 'a"b', ' "a"', '"a" ']),
)
LINES = st.lists(FIELDS, min_size=0, max_size=5).map(";".join) | st.lists(FIELDS, min_size=3, max_size=3).map(";".join)
ENDS = st.sampled_from(["\n", "\r\n", "\r", "\n\n"])


@st.composite
def messy_files(draw: st.DrawFn) -> str:
    body = "".join(line + draw(ENDS) for line in draw(st.lists(LINES, max_size=8)))
    last = draw(st.just("") | LINES)
    return HEADER + draw(ENDS) + body + last


@settings(max_examples=300)
@given(messy_files())
def test_every_line_of_a_messy_file_is_accounted_for_as_a_slow_reader_does(text: str):
    assert quickly_read(text.encode()) == slowly_read(text)


@settings(max_examples=100)
@given(messy_files(), st.integers(1, 9), st.integers(1, 9))
def test_where_blocks_of_a_file_end_changes_nothing(text: str, one: int, another: int):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "_BLOCK", one)
        patch.setattr(records, "_BLOCK", another)
        assert quickly_read(text.encode()) == slowly_read(text)
