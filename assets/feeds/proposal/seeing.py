"""What a file of the inbox is before anybody has said so: its format, encoding and delimiter, and its rows as text.

Belongs here: finding out how to open a file, and opening it through the one reader of feeds. Does not belong here: what its
columns mean (`roles`, `forms`) or any format's own parsing (`assets.feeds.reading`).
"""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Final

import duckdb
import polars as pl

from assets.contracts.model import Column, Feed, Kind, Table
from assets.feeds.archives import is_archive, members_of, unpacked
from assets.feeds.cells import CLOCK_YEAR
from assets.feeds.codes import Codes
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import read_into
from assets.feeds.shapes import shapes_of_landed
from assets.feeds.wrong_input import WrongInput

_TEXTS: Final = (".csv", ".tsv", ".txt", ".tab", ".dat")
_FORMATS: Final = {
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel"),
    **dict.fromkeys((".sav", ".zsav"), "spss"),
    ".dta": "stata",
}
_BLOCK: Final = 1 << 20
_HEAD: Final = 1 << 18
_DELIMITERS: Final = (",", ";", "\t", "|")
_LINES_HELD_AGAINST_THE_HEADER: Final = 500
_TABLE: Final = "scratch_of_a_proposal"
_NO_DAY: Final = f"{CLOCK_YEAR:04}-01-01 "


@dataclass(frozen=True, kw_only=True)
class SeenFile:
    """One table as it can be opened: a file of the inbox, a file of an archive, or a sheet of a workbook.

    Attributes:
        sent_as: the inbox's file, relative to the inbox, with slashes.
        name: the same, with what lies within it after one more slash.
        settings: the mapping's keys that say how it is opened, where they differ from the usual.
        columns: in the file's order.
        rows: every record as trimmed text, blanks missing; a column each.
        trouble: why nothing could be read, in words without a value; empty where it could.
    """

    sent_as: str
    name: str
    settings: dict[str, str]
    columns: tuple[str, ...] = ()
    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    trouble: str = ""


def see(con: duckdb.DuckDBPyConnection, path: Path, *, name: str, scratch: Path) -> list[SeenFile]:
    """Open a file that nobody has described.

    Args:
        con: an open connection; what is made in it is dropped again.
        path: the file.
        name: what the clinic calls it.
        scratch: an existing folder for plain copies; they are removed.

    Returns:
        One table a file; of archives and workbooks as many as lie in them.
    """
    try:
        members = [each.name for each in members_of(path, name=name)] if is_archive(name) else [None]
    except WrongInput as wrong:
        return [_unreadable(name, name, {}, wrong)]
    return [seen for member in members for seen in _see_within(con, path, name=name, member=member, scratch=scratch)]


def _see_within(
    con: duckdb.DuckDBPyConnection, path: Path, *, name: str, member: str | None, scratch: Path
) -> list[SeenFile]:
    """The tables of one file, which may lie in an archive."""
    shown = name if member is None else f"{name}/{member}"
    inner = PurePosixPath(shown.lower().removesuffix(".gz") if member is None else shown.lower())
    if inner.suffix not in {*_TEXTS, *_FORMATS}:
        return [SeenFile(sent_as=name, name=shown, settings={}, trouble="it is no table")]
    within: dict[str, str] = {} if member is None else {"members": member}
    try:
        with unpacked(path, name=name, member=member, copy=scratch / "seen.unpacked") as plain:
            settings = {**within, **how_to_open(plain, format_of=_FORMATS.get(inner.suffix))}
            sheets = _sheets(plain) if settings.get("format") == "excel" else [None]
    except WrongInput as wrong:
        return [_unreadable(name, shown, within, wrong)]
    return [
        _see_table(
            con,
            path,
            name=name,
            shown=shown if sheet is None else f"{shown}/{sheet}",
            settings=settings if sheet is None else {**settings, "sheet": sheet},
            scratch=scratch,
        )
        for sheet in sheets
    ]


def _see_table(  # noqa: PLR0913 -- where it is, what it is called, and how it is opened
    con: duckdb.DuckDBPyConnection, path: Path, *, name: str, shown: str, settings: dict[str, str], scratch: Path
) -> SeenFile:
    mapping = FeedMapping.model_validate({"feed": "seen", "index": 0, "files": [name], **settings})
    landed = LandedFile(
        file_number=1,
        name=name,
        path=path,
        sha256="",
        bytes=path.stat().st_size,
        landed_on=date.min,
        member=settings.get("members"),
        claims=(mapping,),
    )
    try:
        columns = tuple(shapes_of_landed(landed, mapping, scratch=scratch))
        rows = _rows(con, landed, mapping=mapping, columns=columns, scratch=scratch)
    except WrongInput as wrong:
        return _unreadable(name, shown, settings, wrong)
    return SeenFile(sent_as=name, name=shown, settings=settings, columns=columns, rows=rows)


def _unreadable(name: str, shown: str, settings: dict[str, str], wrong: WrongInput) -> SeenFile:
    return SeenFile(sent_as=name, name=shown, settings=settings, trouble=f"{wrong.what}; {wrong.mend}")


def _sheets(path: Path) -> list[str | None]:
    """The visible sheets of a workbook; none by name where there is one, which needs none."""
    from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415 -- only for workbooks

    try:
        with CalamineWorkbook.from_path(path) as workbook:
            visible = [each.name for each in workbook.sheets_metadata if each.visible == SheetVisibleEnum.Visible]
    except CalamineError:
        # The reading itself says what is wrong with it.
        return [None]
    return [*visible] if len(visible) > 1 else [None]


def how_to_open(path: Path, *, format_of: str | None) -> dict[str, str]:
    """The mapping's keys that say how a file is opened.

    Args:
        path: the file, unpacked.
        format_of: what its name says that it is; None for text.
    """
    if format_of is not None:
        return {"format": format_of}
    with path.open("rb") as file:
        head = file.read(_HEAD)
    encoding = _encoding(path, head)
    text = head.decode(encoding, errors="ignore").removeprefix("\ufeff")
    settings = {}
    delimiter = _delimiter(text if len(head) < _HEAD else text[: text.rfind("\n") + 1])
    if delimiter != ",":
        settings["delimiter"] = delimiter
    if encoding != "utf-8":
        settings["encoding"] = encoding
    return settings


def _encoding(path: Path, head: bytes) -> str:
    """The first of a few encodings that reads every byte; Windows' own before Latin-1, which reads anything."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    return "latin-1"


def _delimiter(text: str) -> str:
    """The mark that cuts most lines into as many fields as the header, and the header into most."""
    best, chosen = (0.0, 0), ","
    for mark in _DELIMITERS:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=mark) if line][
            :_LINES_HELD_AGAINST_THE_HEADER
        ]
        if not lines or len(lines[0]) < 2:
            continue
        alike = Counter(len(line) for line in lines)[len(lines[0])] / len(lines)
        if (round(alike, 1), len(lines[0])) > best:
            best, chosen = (round(alike, 1), len(lines[0])), mark
    return chosen


def _rows(
    con: duckdb.DuckDBPyConnection, landed: LandedFile, *, mapping: FeedMapping, columns: tuple[str, ...], scratch: Path
) -> pl.DataFrame:
    """Every record as text, read as a night reads it, under a contract that asks for each column as it is."""
    names = [f"c{place}" for place in range(len(columns))]
    asked = tuple(Column(name=name, kind=Kind.TEXT, is_required=False, meaning="As it was sent.") for name in names)
    table = Table(layer="scratch", name="seen", meaning="A file as it was sent.", columns=asked, key=())
    mapping = mapping.model_copy(
        update={"columns": {name: (column,) for name, column in zip(names, columns, strict=True)}}
    )
    landed = replace(landed, claims=(mapping,))
    read_into(
        con,
        landed,
        mapping,
        feed=Feed(name="seen", table=table, is_required=False),
        codes=Codes(secret=bytes(32), rekeys_clinicians=False),
        table=_TABLE,
        scratch=scratch,
    )
    try:
        listed = ", ".join(["source_line", *names])
        rows: pl.DataFrame = con.sql(f"SELECT {listed} FROM {_TABLE} ORDER BY source_line").pl()
    finally:
        con.execute(f"DROP TABLE IF EXISTS {_TABLE}")
    # A cell with a time of day and no more is told apart by its year.
    rows = rows.with_columns(pl.col(names).str.strip_prefix(_NO_DAY)) if names else rows
    return rows.drop("source_line").rename(dict(zip(names, columns, strict=True)))
