"""One table of Python values written as each kind of file that a clinic may send.

Where a well-kept library writes the kind, it does; .xls and .ods are written here, as the few records and elements that a
reader needs.
"""

import csv
import gzip
import io
import struct
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
import pyreadstat
import xlsxwriter

Cell = str | float | bool | date | datetime | None
Table = Mapping[str, Sequence[Cell]]
DAY_FORM, MOMENT_FORM = "%d/%m/%Y", "%d/%m/%Y %H:%M"
_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def rows_of(table: Table) -> list[list[Cell]]:
    """The names, then the rows."""
    return [list(table), *(list(row) for row in zip(*table.values(), strict=True))]


def text_of(cell: Cell) -> str:
    """A cell as a clinic's CSV export writes it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime(MOMENT_FORM)
    if isinstance(cell, date):
        return cell.strftime(DAY_FORM)
    if isinstance(cell, float):
        return f"{cell:.15g}"
    return str(cell).upper() if isinstance(cell, bool) else str(cell)


def as_csv(table: Table, *, delimiter: str = ",") -> bytes:
    """UTF-8."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(
        [text_of(cell) for cell in row] for row in rows_of(table)
    )
    return text.getvalue().encode()


def as_tsv(table: Table) -> bytes:
    """CSV with tabs."""
    return as_csv(table, delimiter="\t")


def as_gzip(table: Table) -> bytes:
    """CSV under gzip."""
    return gzip.compress(as_csv(table), mtime=0)


def as_parquet(table: Table) -> bytes:
    """Typed as polars types it."""
    file = io.BytesIO()
    pl.DataFrame(table).write_parquet(file)
    return file.getvalue()


def as_xlsx(table: Table, **options: object) -> bytes:
    """One sheet that begins in its first cell."""
    return workbook({"Sheet1": rows_of(table)}, **options)


def workbook(sheets: Mapping[str, Sequence[Sequence[Cell]]], *, hidden: Sequence[str] = (), **options: object) -> bytes:
    """An .xlsx of several sheets; texts that begin with `=` are formulas whose value is that error."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "dd/mm/yyyy hh:mm", **options}) as made:
        for name, rows in sheets.items():
            sheet = made.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, str) and cell.startswith("=#"):
                        sheet.write_formula(row, column, "=NA()", None, cell[1:])
                    elif isinstance(cell, str):
                        sheet.write_string(row, column, cell)
                    elif cell is not None:
                        sheet.write(row, column, cell)
    return file.getvalue()


def as_ods(table: Table) -> bytes:
    """One sheet of an OpenDocument workbook."""
    rows = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows_of(table))
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content{names} office:version="1.2"><office:body>'
        f'<office:spreadsheet><table:table table:name="Sheet1">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", '<?xml version="1.0"?><manifest/>')
        archive.writestr("content.xml", content)
    return file.getvalue()


def _ods_cell(cell: Cell) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, bool):
        value = f'office:value-type="boolean" office:boolean-value="{str(cell).lower()}"'
    elif isinstance(cell, float):
        value = f'office:value-type="float" office:value="{cell!r}"'
    elif isinstance(cell, date):
        value = f'office:value-type="date" office:date-value="{cell.isoformat()}"'
    else:
        value = 'office:value-type="string"'
    return f"<table:table-cell {value}><text:p>{escape(text_of(cell))}</text:p></table:table-cell>"


def as_xls(table: Table) -> bytes:
    """One sheet of a workbook of Excel 97 (BIFF8, as [MS-XLS] describes its records)."""
    xf = "".join(["\0\0", "{}", "\0" * 16])
    day, number = (xf.format(chr(form) + "\0").encode("latin-1") for form in (22, 0))
    begins = struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0x0600)
    head = _record(0x0809, begins) + _record(0x0042, struct.pack("<H", 1200)) + _record(0x0022, b"\0\0")
    head += _record(0x00E0, number) + _record(0x00E0, day)
    place = len(head) + len(_record(0x0085, bytes(8) + b"Sheet1")) + len(_record(0x000A, b""))
    head += _record(0x0085, struct.pack("<IBBBB", place, 0, 0, 6, 0) + b"Sheet1") + _record(0x000A, b"")
    rows = rows_of(table)
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0x0600))
    sheet += _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, len(rows[0]), 0))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            sheet += _xls_cell(row, column, cell)
    return compound({"Workbook": head + sheet + _record(0x000A, b"")})


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _xls_cell(row: int, column: int, cell: Cell) -> bytes:
    if cell is None:
        return b""
    if isinstance(cell, bool):
        return _record(0x0205, struct.pack("<HHHBB", row, column, 0, cell, 0))
    if isinstance(cell, float):
        return _record(0x0203, struct.pack("<HHHd", row, column, 0, cell))
    if isinstance(cell, date):
        clock = cell.time() if isinstance(cell, datetime) else time()
        seconds = clock.hour * 3600 + clock.minute * 60 + clock.second
        days = cell.toordinal() - date(1899, 12, 30).toordinal() + seconds / 86_400
        return _record(0x0203, struct.pack("<HHHd", row, column, 1, days))
    said = cell.encode("utf-16-le")
    return _record(0x0204, struct.pack("<HHHHB", row, column, 0, len(said) // 2, 1) + said)


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file ([MS-CFB], version 3) of streams, each padded to the least that has sectors of its own."""
    padded = {name: content.ljust(4096, b"\0") for name, content in streams.items()}
    fat = [_FAT, _END]
    entries = [_entry("Root Entry", kind=5, first=_END, size=0, child=1)]
    data = b""
    for place, (name, content) in enumerate(padded.items(), start=1):
        sectors = -(-len(content) // _SECTOR)
        following = place + 1 if place < len(padded) else _FREE
        entries.append(_entry(name, kind=2, first=len(fat), size=len(content), right=following))
        fat += [*range(len(fat) + 1, len(fat) + sectors), _END]
        data += content.ljust(sectors * _SECTOR, b"\0")
    if len(fat) > 128 or len(entries) > 4:
        raise ValueError("too large for one sector of places and one of names")
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, _END, 0, _END, 0) + struct.pack("<I", 0)
    header += struct.pack("<I", _FREE) * 108
    table = struct.pack(f"<{len(fat)}I", *fat).ljust(_SECTOR, b"\xff")
    return header + table + b"".join(entries).ljust(_SECTOR, b"\0") + data


def _entry(name: str, *, kind: int, first: int, size: int, child: int = _FREE, right: int = _FREE) -> bytes:
    said = name.encode("utf-16-le") + b"\0\0"
    pointers = struct.pack("<BBIII", kind, 1, _FREE, right, child)
    return said.ljust(64, b"\0") + struct.pack("<H", len(said)) + pointers + bytes(36) + struct.pack("<IQ", first, size)


def as_sav(table: Table, **options: object) -> bytes:
    """SPSS."""
    return _by_pyreadstat(table, "write_sav", "x.sav", **options)


def as_zsav(table: Table) -> bytes:
    """SPSS, compressed."""
    return _by_pyreadstat(table, "write_sav", "x.zsav", compress=True)


def as_dta(table: Table, **options: object) -> bytes:
    """Stata."""
    return _by_pyreadstat(table, "write_dta", "x.dta", **options)


def _by_pyreadstat(table: Table, writer: str, name: str, **options: object) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        getattr(pyreadstat, writer)(pl.DataFrame(table), str(path), **options)
        return path.read_bytes()


def zipped(members: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


EVERY_KIND = {
    "csv": ("csv", "csv", as_csv),
    "tsv": ("tsv", "tsv", as_tsv),
    "gzip": ("csv", "csv.gz", as_gzip),
    "parquet": ("parquet", "parquet", as_parquet),
    "xlsx": ("excel", "xlsx", as_xlsx),
    "xlsx of 1904": ("excel", "xlsx", lambda table: as_xlsx(table, date_1904=True)),
    "xls": ("excel", "xls", as_xls),
    "ods": ("excel", "ods", as_ods),
    "sav": ("spss", "sav", as_sav),
    "zsav": ("spss", "zsav", as_zsav),
    "dta": ("stata", "dta", as_dta),
}
"""What a kind is called: its format in the settings, its name's end, and its writer."""
