"""SPSS and Stata files as tables of cells.

Belongs here: .sav, .zsav and .dta through pyreadstat. Does not belong here: how a cell's value is written (`cells`).

A value that the file itself declares missing (SPSS user-missing values, Stata's `.` and `.a` to `.z`) is missing. A value
label is read only of the columns that a mapping lists; a value without one keeps its code. SPSS counts moments in seconds
from 14 October 1582, Stata days and milliseconds from 1960. Rows are read in blocks, so that memory does not grow with them.
"""

import codecs
import re
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyreadstat
from pyreadstat import PyreadstatError, ReadstatError

from assets.feeds.cells import Cells, CellsWriter, clock_moments, clock_texts, number_texts
from assets.feeds.mapping import FeedMapping
from assets.feeds.wrong_input import WrongInput

# A block is begun by reading past all before it, so that few and large ones are quick, and cells take memory.
_CELLS_AT_ONCE: Final = 2_000_000
_FEWEST_ROWS: Final = 20_000
_MOMENT: Final = pl.Datetime("us")
_SPSS_MOMENT: Final = re.compile(
    r"(?:A|E|S|J)?DATE[0-9.]*|DATETIME[0-9.]*|YMDHMS[0-9.]*|MOYR[0-9.]*|QYR[0-9.]*|WKYR[0-9.]*"
)
_SPSS_CLOCK: Final = re.compile(r"D?TIME[0-9.]*|MTIME[0-9.]*")
_STATA_DAY: Final = re.compile(r"%-?t?d.*")
_STATA_MOMENT: Final = re.compile(r"%-?tc.*")
# From each calendar's first day to 1970, in seconds.
_SPSS_BEGINS: Final = 12_219_379_200
_STATA_BEGINS: Final = 315_619_200
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799


def read_statistics_file(path: Path, *, name: str, mapping: FeedMapping, copy: Path) -> Cells:
    """An SPSS or Stata file as cells; a cell's line is its row's number, from 1.

    Args:
        path: the file.
        name: what the clinic calls it.
        mapping: its format, encoding and labels.
        copy: where the cells go.

    Raises:
        WrongInput: it is no such file or damaged, or its text is of another encoding than it says.
    """
    blocks = blocks_of(path, name=name, mapping=mapping)
    first = next(blocks)
    names = list(first[0])
    lines = 0
    with CellsWriter(path=copy, n_columns=len(names)) as writer:
        for columns, described in chain([first], blocks):
            n_rows = len(next(iter(columns.values()), ()))
            cells = [_cells(column, values, described, mapping) for column, values in columns.items()]
            writer.write(pl.int_range(lines + 1, lines + n_rows + 1, dtype=pl.Int64, eager=True), cells)
            lines += n_rows
    return writer.finished([each.strip() for each in names])


def blocks_of(
    path: Path, *, name: str, mapping: FeedMapping, first_rows: int = _FEWEST_ROWS
) -> Iterator[tuple[Mapping[str, list[Any]], Any]]:
    """A file's columns as they are stored, many rows at once, with what the file says of them; one block at least."""
    reader = pyreadstat.read_sav if mapping.format == "spss" else pyreadstat.read_dta
    encoding = None if mapping.encoding == "utf-8" else codecs.lookup(mapping.encoding).name
    done, rows = 0, first_rows
    while True:
        try:
            columns, described = reader(
                path,
                row_offset=done,
                row_limit=rows,
                output_format="dict",
                disable_datetime_conversion=True,
                encoding=encoding,
            )
        except (ReadstatError, PyreadstatError, UnicodeDecodeError) as error:
            raise _unreadable(str(error), name=name, mapping=mapping) from None
        n_rows = len(next(iter(columns.values()), ()))
        if n_rows or not done:
            yield columns, described
        done += n_rows
        if n_rows < rows:
            return
        rows = max(_FEWEST_ROWS, _CELLS_AT_ONCE // len(columns))


def _unreadable(said: str, *, name: str, mapping: FeedMapping) -> WrongInput:
    if "encoding" in said.lower() or "decode" in said.lower():
        return WrongInput(
            f"{name} has text of another encoding than it says",
            place=f"{mapping.place}.encoding",
            mend='write the encoding that it has, perhaps "cp1252"',
        )
    title = {"spss": "an SPSS file", "stata": "a Stata file"}[mapping.format]
    return WrongInput(
        f"cannot be read as {title}", place=name, mend=f"send it again whole, or mend {mapping.place}.format"
    )


def _cells(column: str, values: list[Any], described: Any, mapping: FeedMapping) -> tuple[pl.Series, pl.Series | None]:
    """One column's text and moments."""
    stored = described.readstat_variable_types[column]
    if stored == "string":
        texts, moments = pl.Series(values, dtype=pl.String), None
    else:
        texts, moments = _of_numbers(
            pl.Series(values, dtype=pl.Float64, strict=False),
            form=described.original_variable_types[column] or "",
            is_single=stored == "float",
            is_spss=mapping.format == "spss",
        )
    if column.strip() in mapping.labels:
        labels = described.variable_value_labels.get(column, {})
        texts = _labelled(texts, labels)
    return texts, moments


def _labelled(texts: pl.Series, labels: Mapping[Any, str]) -> pl.Series:
    codes = [code if isinstance(code, str) else f"{code:.15g}" for code in labels]
    return texts.replace(dict(zip(codes, labels.values(), strict=True)))


def _of_numbers(numbers: pl.Series, *, form: str, is_single: bool, is_spss: bool) -> tuple[pl.Series, pl.Series | None]:
    texts = _single_texts(numbers) if is_single else number_texts(numbers)
    if is_spss and _SPSS_CLOCK.fullmatch(form):
        return clock_texts(numbers), clock_moments(numbers)
    if is_spss and _SPSS_MOMENT.fullmatch(form):
        seconds = numbers - _SPSS_BEGINS
    elif not is_spss and _STATA_DAY.fullmatch(form):
        seconds = numbers * 86_400 - _STATA_BEGINS
    elif not is_spss and _STATA_MOMENT.fullmatch(form):
        seconds = numbers / 1000 - _STATA_BEGINS
    else:
        return texts, None
    # What no calendar has stays a number, which no form of date reads.
    nothing = pl.repeat(None, len(numbers), dtype=pl.Float64, eager=True)
    in_calendar = seconds.is_between(_EARLIEST, _LATEST).fill_null(value=False)
    moments = (seconds.zip_with(in_calendar, nothing).round() * 1e6).cast(pl.Int64).cast(_MOMENT)
    return texts.zip_with(~in_calendar, nothing.cast(pl.String)), moments


def _single_texts(numbers: pl.Series) -> pl.Series:
    """Numbers that are stored in four bytes, by the few digits that these hold."""
    return number_texts(numbers.cast(pl.Float32).cast(pl.String).cast(pl.Float64))
