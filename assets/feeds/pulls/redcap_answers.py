"""What a REDCap project answers, as rows: which belong to a form, what they carry, and what a complaint says.

Belongs here: reading an answer. Does not belong here: asking (`redcap`).

REDCap exports wide: one row a record, or a record and event, and one more for each time that a form was filled again. Then
`redcap_repeat_instrument` names the form and `redcap_repeat_instance` numbers it, and every column of another form is
blank. An answer in which nothing repeats may lack both columns, and then they are added, so that every file has them.
"""

import codecs
import json
import re
from collections.abc import Container, Iterable, Sequence
from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from assets.feeds.pulls.redcap_settings import RedcapExport
from assets.feeds.pulls.source import PullFailedError
from assets.feeds.wrong_input import WrongInput

EVENT: Final = "redcap_event_name"
REPEATS: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
_GROUP: Final = "redcap_data_access_group"
_SURVEY: Final = "redcap_survey_identifier"
_TORN: Final = "REDCap's table is torn"
_SYSTEM: Final = (EVENT, REPEATS, INSTANCE)
_NOT_BEGUN: Final = ("0", "Incomplete")
_NOT_TICKED: Final = ("0", "Unchecked")
_SHUT: Final = re.compile(r"permission|privilege|token|not have .*rights|api is disabled", re.IGNORECASE)
_LATER: Final = re.compile(r"offline|maintenance|temporarily|upgrade in progress", re.IGNORECASE)
_NO_ROOM: Final = re.compile(rb"allowed memory size|maximum execution time", re.IGNORECASE)
_PAGE: Final = re.compile(rb"<!doctype html|<html|<br\s*/?>|<b>(fatal error|warning)", re.IGNORECASE)
_ERROR_IN_XML: Final = re.compile(r"<error>(.*?)</error>", re.DOTALL | re.IGNORECASE)
_BEGINNING: Final = 4096


def read_table(body: bytes, *, record_field: str) -> pa.Table | None:
    """An answer's rows, every value as text and every blank as null, with the columns that say where a row stands.

    Args:
        body: CSV as the API writes it.
        record_field: the field that names records.

    Returns:
        None where the answer is no table of records: blank, or a complaint.

    Raises:
        PullFailedError: where the table is torn.
    """
    header = body.removeprefix(codecs.BOM_UTF8).split(b"\n", 1)[0]
    names = header.decode("utf-8", "replace").rstrip("\r").replace('"', "").split(",")
    if record_field not in names:
        return None
    # A reader that forgives takes the beginning of a row for a row, and what an open quote swallows for one value.
    quotes = body.count(b'"')
    if quotes % 2:
        raise PullFailedError(_TORN)
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(body if b"\n" in body else body + b"\n"),
            # One block, for a row that is longer than a block can't be read.
            read_options=pa_csv.ReadOptions(use_threads=False, block_size=len(body) + 1),
            parse_options=pa_csv.ParseOptions(newlines_in_values=quotes > 0),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid:
        raise PullFailedError(_TORN) from None
    for name in _SYSTEM:
        if name not in names:
            table = table.append_column(name, pa.nulls(table.num_rows, pa.large_string()))
    standing = [record_field, *_SYSTEM]
    return table.select([*standing, *(name for name in table.column_names if name not in standing)])


def rows_of(table: pa.Table, export: RedcapExport, *, record_field: str) -> pa.Table:
    """The rows that an export is about, with what they carry.

    Args:
        table: whole records, as `read_table` reads them.
        export: what was asked for.
        record_field: the field that names records.

    Returns:
        Of a form, the rows in which something of it has been filled in; of fields, those in which one of them has; of a
        report, all, or those of its repeating form. Missing data codes are null.
    """
    if export.missing_codes:
        table = _without_codes(table, export.missing_codes, but_in={record_field, *_SYSTEM})
    if export.report is not None:
        return table if export.repeats is None else table.filter(pc.equal(table[REPEATS], export.repeats))
    standing = {record_field, *_SYSTEM, _GROUP, _SURVEY}
    carried = set(export.fields) if export.form is not None else set()
    own = [name for name in table.column_names if name not in standing | carried]
    for name in sorted(carried & set(table.column_names)):
        table = _with_carried(table, name, record_field=record_field)
    is_filled = pa.array([False] * table.num_rows)
    for name in own:
        is_filled = pc.or_(is_filled, _says_something(table[name], name))
        # As most often, where every row has been given a day.
        if pc.all(is_filled).as_py():
            return table
    return table.filter(is_filled)


def lacking(names: Iterable[str], export: RedcapExport) -> Sequence[str]:
    """The fields that were asked for by name and are not there, whether REDCap does not know them or withholds them."""
    there = {name.split("___", 1)[0] for name in names}
    return [field for field in export.fields if field not in there]


def complaint(body: bytes, *, status: int, asked: Iterable[str], place: str, token_place: str) -> Exception:
    """What an answer that is no table comes to: to be asked again, or a thing to mend.

    Of REDCap's own words only those are repeated that the settings hold too: the others may name a record.

    Args:
        body: the answer.
        status: HTTP's.
        asked: words of the settings that it may speak of.
        place: the export's key.
        token_place: the key that names the token's variable.
    """
    beginning = body[:_BEGINNING]
    if _NO_ROOM.search(body[:_BEGINNING]) or _NO_ROOM.search(body[-_BEGINNING:]):
        return WrongInput(
            "REDCap ran out of memory or time over one question", place=place, mend="lower records_at_once of the pull"
        )
    is_page = _PAGE.search(beginning) is not None
    said = "" if is_page else _said(body)
    if status in {401, 403} or _SHUT.search(said):
        return WrongInput(
            f"REDCap does not let us in ({status})",
            place=token_place,
            mend="see that the variable holds this project's token, and that its user may export by the API from here",
        )
    if is_page or _LATER.search(said):
        return PullFailedError("REDCap shows a page instead of data, as it does while it is being mended")
    named = sorted({word for word in asked if word and re.search(rf"\b{re.escape(word)}\b", said)})
    what = f"REDCap does not take the question ({status})" + (f" and speaks of {', '.join(named)}" if named else "")
    if not said:
        what = "REDCap's answer has no column with the record's name"
        return WrongInput(what, place=place, mend="name in record_field of the pull the project's first field")
    return WrongInput(what, place=place, mend="compare it with the project's data dictionary, events and reports")


def _without_codes(table: pa.Table, codes: Iterable[str], *, but_in: Container[str]) -> pa.Table:
    known = pa.array(codes, pa.large_string())
    nothing = pa.scalar(None, pa.large_string())
    for at, name in enumerate(table.column_names):
        if name not in but_in:
            column = table[name]
            table = table.set_column(at, name, pc.if_else(pc.is_in(column, value_set=known), nothing, column))
    return table


def _with_carried(table: pa.Table, name: str, *, record_field: str) -> pa.Table:
    """A column in which a row without a value has the only one of its record."""
    given = pl.col(name).drop_nulls()
    only = pl.when(given.n_unique().over(record_field) == 1).then(given.first().over(record_field))
    frame = pl.DataFrame(table.select([record_field, name])).select(pl.coalesce(name, only).alias(name))
    column = frame.to_arrow(compat_level=pl.CompatLevel.oldest())[name]
    return table.set_column(table.column_names.index(name), name, column)


def _says_something(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    nothing = _NOT_BEGUN if name.endswith("_complete") else _NOT_TICKED if "___" in name else ()
    is_there = pc.is_valid(column)
    if not nothing:
        return is_there
    return pc.and_(is_there, pc.invert(pc.is_in(column, value_set=pa.array(nothing, pa.large_string()))))


def _said(body: bytes) -> str:
    """The words of a complaint in whichever form they came; empty where it is none."""
    text = body[:_BEGINNING].decode("utf-8", "replace").strip()
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict) and "error" in told:
        return str(told["error"]) or "error"
    in_xml = _ERROR_IN_XML.search(text)
    if in_xml is not None:
        return in_xml[1]
    return text if text.upper().lstrip('"').startswith("ERROR") or text[:5].casefold() == "error" else ""
