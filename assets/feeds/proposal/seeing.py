"""What a file of the inbox is before anybody has said so: its format, encoding and delimiter, and its rows as text.

Belongs here: finding out how to open a file, and opening it through the one reader of feeds. Does not belong here: what its
columns mean (`roles`, `forms`) or any format's own parsing (`assets.feeds.reading`).
"""

import codecs
import csv
import io
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Final

import duckdb
import polars as pl

from assets.contracts.model import Column, Feed, Kind, Table
from assets.feeds.codes import Codes
from assets.feeds.landing import LandedFile
from assets.feeds.mapping import FeedMapping
from assets.feeds.reading import read_into
from assets.feeds.shapes import column_shapes
from assets.feeds.wrong_input import WrongInput

_TEXTS: Final = (".csv", ".tsv", ".txt", ".tab", ".dat")
_FORMATS: Final = {".parquet": "parquet", ".pq": "parquet"}
_BLOCK: Final = 1 << 20
_HEAD: Final = 1 << 18
_DELIMITERS: Final = (",", ";", "\t", "|")
_LINES_HELD_AGAINST_THE_HEADER: Final = 500
_TABLE = "scratch_of_a_proposal"


@dataclass(frozen=True, kw_only=True)
class SeenFile:
    """One file as it can be opened.

    Attributes:
        name: relative to the inbox, with slashes.
        settings: the mapping's keys that say how it is opened, where they differ from the usual.
        is_ascii: whether every encoding reads it alike.
        columns: in the file's order.
        rows: every record as trimmed text, blanks missing; a column each.
        trouble: why nothing could be read, in words without a value; empty where it could.
    """

    name: str
    settings: dict[str, str]
    is_ascii: bool
    columns: tuple[str, ...]
    rows: pl.DataFrame
    trouble: str = ""


def see(con: duckdb.DuckDBPyConnection, path: Path, *, name: str, scratch: Path) -> SeenFile:
    """Open a file that nobody has described.

    Args:
        con: an open connection; what is made in it is dropped again.
        path: the file.
        name: what the clinic calls it.
        scratch: an existing folder for plain copies; they are removed.
    """
    if not _is_table(path.name):
        return SeenFile(
            name=name, settings={}, is_ascii=False, columns=(), rows=pl.DataFrame(), trouble="it is no table"
        )
    settings, is_ascii = how_to_open(path)
    mapping = FeedMapping.model_validate({"feed": "seen", "index": 0, "files": [name], **settings})
    columns = tuple(column_shapes(path, mapping))
    try:
        rows = _rows(con, path, mapping=mapping, columns=columns, scratch=scratch)
    except WrongInput as wrong:
        rows, columns = pl.DataFrame(), ()
        return SeenFile(
            name=name,
            settings=settings,
            is_ascii=is_ascii,
            columns=columns,
            rows=rows,
            trouble=f"{wrong.what}; {wrong.mend}",
        )
    return SeenFile(name=name, settings=settings, is_ascii=is_ascii, columns=columns, rows=rows)


def _is_table(name: str) -> bool:
    return PurePosixPath(name.lower()).suffix in {*_TEXTS, *_FORMATS}


def how_to_open(path: Path) -> tuple[dict[str, str], bool]:
    """The mapping's keys that say how a file is opened, and whether it is plain ASCII."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PAR1"):
        return {"format": "parquet"}, False
    encoding = _encoding(path, head)
    text = head.decode(encoding if encoding != "ascii" else "utf-8", errors="ignore").removeprefix("\ufeff")
    settings = {}
    delimiter = _delimiter(text if len(head) < _HEAD else text[: text.rfind("\n") + 1])
    if delimiter != ",":
        settings["delimiter"] = delimiter
    if encoding not in {"ascii", "utf-8"}:
        settings["encoding"] = encoding
    return settings, encoding == "ascii"


def _encoding(path: Path, head: bytes) -> str:
    """The first of a few encodings that reads every byte; Windows' own before Latin-1, which reads anything."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("ascii", "utf-8", "cp1252"):
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
    con: duckdb.DuckDBPyConnection, path: Path, *, mapping: FeedMapping, columns: tuple[str, ...], scratch: Path
) -> pl.DataFrame:
    """Every record as text, read as a night reads it, under a contract that asks for each column as it is."""
    names = [f"c{place}" for place in range(len(columns))]
    asked = tuple(Column(name=name, kind=Kind.TEXT, is_required=False, meaning="As it was sent.") for name in names)
    table = Table(layer="scratch", name="seen", meaning="A file as it was sent.", columns=asked, key=())
    mapping = mapping.model_copy(
        update={"columns": {name: (column,) for name, column in zip(names, columns, strict=True)}}
    )
    landed = LandedFile(
        file_number=1,
        name=mapping.files[0],
        path=path,
        sha256="",
        bytes=path.stat().st_size,
        landed_on=date.min,
        claims=(mapping,),
    )
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
    return rows.drop("source_line").rename(dict(zip(names, columns, strict=True)))
