"""Workbooks as tables of cells: which sheet, which row has the column names, and where a cell's error stands.

Belongs here: .xlsx, .xlsm, .xlsb, .xls and .ods through calamine. Does not belong here: how a cell's value is written
(`cells`).

A cell is the value that was last computed and saved; a merged cell belongs to its first row and column alone; rows that a
filter hides are rows. Sheets that are hidden are read only by their names. A sheet is held in memory whole while it is
read, at about 90 bytes a cell; an .xls, .xlsb or .ods in a process of its own. Errors such as #N/A are seen in .xlsx and .xlsm; in other workbooks calamine gives an empty
cell for them.
"""

import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar
from xml.etree import ElementTree as ET

import polars as pl
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from assets.feeds.apart import FellOverError, done_apart, without_panic
from assets.feeds.archives import parts_of
from assets.feeds.cells import Cells, CellsWriter, texts_and_moments
from assets.feeds.mapping import FeedMapping
from assets.feeds.mapping_checks import did_you_mean
from assets.feeds.wrong_input import WrongInput

MOST_CELLS: Final = 60_000_000
_Found = TypeVar("_Found")
_ROWS_AT_ONCE: Final = 50_000
_LOCKED: Final = "EncryptedPackage".encode("utf-16-le")
_HEAD: Final = 1 << 16
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_OF_WORKBOOK: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_COLUMN: Final = re.compile(rb'<c r="([A-Z]+)')
_ROW: Final = re.compile(rb'<row [^>]*\br="([0-9]+)"')
_CELL: Final = re.compile(rb"<c ([^>]*)>")
_IS_ERROR: Final = b't="e"'
_PLACE: Final = re.compile(rb'\br="([A-Z]+)([0-9]+)"')


@dataclass(kw_only=True)
class _Extent:
    """What a look over a sheet's own text shows before it is opened."""

    columns: set[bytes] = field(default_factory=set)
    first_row: int | None = None
    last_row: int = 0
    failed: list[tuple[int, int]] = field(default_factory=list)

    def over(self, text: bytes) -> None:
        """Look at some whole tags."""
        self.columns.update(_COLUMN.findall(text))
        rows = _ROW.findall(text)
        if rows:
            self.first_row = int(rows[0]) if self.first_row is None else self.first_row
            self.last_row = max(self.last_row, int(rows[-1]))
        if _IS_ERROR in text:
            for cell in _CELL.findall(text):
                place = _PLACE.search(cell) if _IS_ERROR in cell else None
                if place is not None:
                    self.failed.append((int(place[2]), _number(place[1])))

    @property
    def cells(self) -> int:
        """How many cells the sheet spreads over, empty ones included."""
        numbers = [_number(column) for column in self.columns]
        return (max(numbers) - min(numbers) + 1) * (self.last_row - (self.first_row or 1) + 1) if numbers else 0


def read_workbook(path: Path, *, name: str, mapping: FeedMapping, copy: Path) -> Cells:
    """One sheet of a workbook as cells; a cell's line is its row's number in the sheet.

    Args:
        path: the workbook.
        name: what the clinic calls it.
        mapping: which sheet and which row of it.
        copy: where the cells go.

    Raises:
        WrongInput: it is no workbook, locked, damaged, or has no such sheet or row; the sheet is not the only one and not
            named; it spreads over more cells than can be read.
    """
    extents = _look(path, name=name)
    return _watched(
        _cells,
        path,
        extents=extents,
        name=name,
        given={"name": name, "mapping": mapping, "extents": extents, "copy": copy},
    )


def head_of(path: Path, *, name: str, mapping: FeedMapping, rows: int) -> tuple[list[str], list[list[str]]]:
    """A sheet's column names and the texts of its first rows, moments as ISO writes them."""
    extents = _look(path, name=name)
    given = {"name": name, "mapping": mapping, "extents": extents, "rows": rows}
    return _watched(_head, path, extents=extents, name=name, given=given)


def _watched(
    work: Callable[..., _Found], path: Path, *, extents: Mapping[str, _Extent], name: str, given: dict[str, Any]
) -> _Found:
    """Work on a workbook, in a process of its own unless a look has shown how far the workbook goes.

    A few damaged bytes of an .xls make calamine ask for more memory than there is, which ends its process.
    """
    try:
        return without_panic(work, {"path": path, **given}) if extents else done_apart(work, path=path, **given)
    except FellOverError:
        raise _unreadable(name) from None


def _cells(path: Path, *, name: str, mapping: FeedMapping, extents: dict[str, _Extent], copy: Path) -> Cells:
    """As `read_workbook`, once the workbook was looked over."""
    with _opened(path, name=name) as workbook:
        sheet = _sheet(workbook, name=name, mapping=mapping, extents=extents)
        rows = enumerate(_rows(sheet, name=name), start=1)
        blank = 0
        header: Sequence[Any] = ()
        for line, row in rows:
            if line == mapping.header_row or (mapping.header_row is None and not _is_blank(row)):
                header = row
                break
            blank += _is_blank(row)
        if mapping.header_row is not None and _is_blank(header):
            raise WrongInput(
                f"row {mapping.header_row} of {name} is empty",
                place=f"{mapping.place}.header_row",
                mend="write the row that has the column names",
            )
        with CellsWriter(path=copy, n_columns=len(header), blank=blank) as writer:
            while block := list(islice(rows, _ROWS_AT_ONCE)):
                lines, cells = zip(*block, strict=True)
                columns = [texts_and_moments(column) for column in zip(*cells, strict=True)]
                writer.write(pl.Series(lines, dtype=pl.Int64), columns)
        first_column = sheet.start[1] if sheet.start else 0
        failed = extents[sheet.name].failed if sheet.name in extents else []
        return writer.finished(
            [_header_text(cell) for cell in header],
            failed=[(line, column - 1 - first_column) for line, column in failed],
        )


def _head(
    path: Path, *, name: str, mapping: FeedMapping, extents: dict[str, _Extent], rows: int
) -> tuple[list[str], list[list[str]]]:
    """As `head_of`, likewise."""
    with _opened(path, name=name) as workbook:
        sheet = _sheet(workbook, name=name, mapping=mapping, extents=extents)
        numbered = enumerate(_rows(sheet, name=name), start=1)
        for line, row in numbered:
            if line == mapping.header_row or (mapping.header_row is None and not _is_blank(row)):
                return [_header_text(cell) for cell in row], [
                    [_header_text(cell) for cell in row] for _, row in islice(numbered, rows)
                ]
    return [], []


def _look(path: Path, *, name: str) -> dict[str, _Extent]:
    """Each sheet's extent by its name; none for a workbook that is no .xlsx."""
    if not zipfile.is_zipfile(path):
        return {}
    extents: dict[str, _Extent] = {}
    described: dict[str, bytes] = {}
    left = b""
    for part, block in parts_of(path, name=name):
        if part.startswith("xl/worksheets/") and part.endswith(".xml"):
            extent = extents.get(part)
            if extent is None:
                extent, left = extents.setdefault(part, _Extent()), b""
            text, mark, begun = (left + block).rpartition(b"<")
            extent.over(text)
            left = mark + begun
        elif part in {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"}:
            described[part] = described.get(part, b"") + block
    names = _sheet_parts(described) if len(described) == 2 else {}
    return {sheet: extents[part] for sheet, part in names.items() if part in extents}


def _sheet_parts(described: dict[str, bytes]) -> dict[str, str]:
    """Which part of an .xlsx has which sheet; nothing where the list can't be read, which is for calamine to tell."""
    try:
        listed = ET.fromstring(described["xl/workbook.xml"])  # noqa: S314 -- expat itself refuses entities that grow
        related = ET.fromstring(described["xl/_rels/workbook.xml.rels"])  # noqa: S314
    except ET.ParseError:
        return {}
    targets = {each.get("Id"): each.get("Target", "").removeprefix("/xl/") for each in related}
    sheets = listed.iter(f"{_OF_WORKBOOK}sheet")
    return {each.get("name", ""): f"xl/{targets.get(each.get(_RELATION), '')}" for each in sheets}


def _opened(path: Path, *, name: str) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError:
        raise _locked(name) from None
    except CalamineError:
        with path.open("rb") as file:
            is_locked = _LOCKED in file.read(_HEAD) or _LOCKED in _tail(path)
        if is_locked:
            raise _locked(name) from None
        raise _unreadable(name) from None


def _tail(path: Path) -> bytes:
    """The last bytes, where a locked workbook's list of parts often stands."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _HEAD))
        return file.read()


def _locked(name: str) -> WrongInput:
    return WrongInput("is locked with a password", place=name, mend="send it without one")


def _unreadable(name: str) -> WrongInput:
    return WrongInput("cannot be read as a workbook", place=name, mend="send it again whole, or mend the format")


def _sheet(
    workbook: CalamineWorkbook, *, name: str, mapping: FeedMapping, extents: dict[str, _Extent]
) -> CalamineSheet:
    """The sheet that is named, or the only visible one that holds anything."""
    worksheets = [each for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
    if mapping.sheet is not None and mapping.sheet not in {each.name for each in worksheets}:
        there = [each.name for each in worksheets]
        raise WrongInput(
            f'{name.removesuffix(f"/{mapping.sheet}")} has no sheet "{mapping.sheet}"',
            place=f"{mapping.place}.sheet",
            mend=f"{did_you_mean(mapping.sheet, there)} its sheets are: {', '.join(there)}",
        )
    asked = (
        [mapping.sheet]
        if mapping.sheet is not None
        else [each.name for each in worksheets if each.visible == SheetVisibleEnum.Visible]
    )
    found: list[CalamineSheet] = []
    for each in asked:
        if each in extents and extents[each].cells > MOST_CELLS:
            raise WrongInput(
                f'the sheet "{each}" spreads over more than {MOST_CELLS} cells',
                place=name,
                mend="clear the cells far from its table, or send it as CSV",
            )
        try:
            sheet = workbook.get_sheet_by_name(each)
        except CalamineError:
            raise _unreadable(name) from None
        if sheet.start is not None or mapping.sheet is not None or len(asked) == 1:
            found.append(sheet)
    if len(found) != 1:
        raise WrongInput(
            f"{name} has {len(found)} sheets that could be meant",
            place=f"{mapping.place}.sheet",
            mend=f"name one of: {', '.join(each.name for each in worksheets)}",
        )
    return found[0]


def _rows(sheet: CalamineSheet, *, name: str) -> Iterator[Sequence[Any]]:
    try:
        yield from sheet.iter_rows()
    except CalamineError:
        raise _unreadable(name) from None


def _is_blank(row: Sequence[Any]) -> bool:
    return not any(cell.strip() if isinstance(cell, str) else True for cell in row)


def _header_text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _number(column: bytes) -> int:
    """A column's letters as its number, from 1."""
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number
