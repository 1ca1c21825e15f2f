"""Whether a clinic's mappings can deliver what the contracts ask, said before any file is opened.

Belongs here: building the mappings from the settings and holding each to its feed's contract and to the instruments.
Does not belong here: whether a file has the columns that were named (`reading`).
"""

import codecs
import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import duckdb
from pydantic import ValidationError

from assets.contracts.model import Column, Feed, Kind
from assets.feeds.mapping import FeedMapping
from assets.feeds.wrong_input import WrongInput

_ANY_MOMENT = datetime(2026, 11, 3, 14, 5)  # noqa: DTZ001 -- a clinic's local time, with nothing in common with its digits
_NOT_MAPPED_AS_COLUMNS = ("items", "total")


def read_mappings(
    section: Mapping[str, object], *, feeds: Sequence[Feed], instruments: Mapping[str, int]
) -> dict[str, tuple[FeedMapping, ...]]:
    """The mappings of every feed, from the settings' `feeds` section.

    Args:
        section: feed name to a list of tables, as TOML gives it.
        feeds: the contracts.
        instruments: the ids that an instrument may be called, with the number of the instrument's items.

    Returns:
        Feed name to its mappings, in the order of `feeds`; feeds that are not mapped are left out. Item patterns are
        written out to as many columns as the instrument has items.

    Raises:
        WrongInput: naming the key.
    """
    known = {feed.name: feed for feed in feeds}
    for name in section:
        if name not in known:
            raise WrongInput(
                f'no feed is called "{name}"', place=f"feeds.{name}", mend=_did_you_mean(name, known, "feeds")
            )
    mappings: dict[str, tuple[FeedMapping, ...]] = {}
    for feed in feeds:
        tables = section.get(feed.name, [])
        if isinstance(tables, Mapping):
            tables = [tables]
        if not isinstance(tables, Sequence) or isinstance(tables, str):
            raise WrongInput("is not a table", place=f"feeds.{feed.name}", mend=f"write [[feeds.{feed.name}]]")
        if feed.is_required and not tables:
            raise WrongInput(
                "is not mapped, and a night needs it",
                place=f"feeds.{feed.name}",
                mend=f"add a [[feeds.{feed.name}]] table",
            )
        if tables:
            mappings[feed.name] = tuple(
                _checked(table, feed=feed, index=index, instruments=instruments) for index, table in enumerate(tables)
            )
    return mappings


def _checked(table: object, *, feed: Feed, index: int, instruments: Mapping[str, int]) -> FeedMapping:
    place = f"feeds.{feed.name}[{index}]"
    if not isinstance(table, Mapping):
        raise WrongInput("is not a table", place=place, mend=f"write [[feeds.{feed.name}]]")
    for key in ("feed", "index"):
        if key in table:
            raise WrongInput("is not a key of a mapping", place=f"{place}.{key}", mend="take it out")
    try:
        mapping = FeedMapping.model_validate({**table, "feed": feed.name, "index": index})
    except ValidationError as error:
        raise _first_fault(error, place) from None
    mapping = _with_case_from_client(mapping, feed)
    _check_columns(mapping, feed)
    _check_births(mapping, feed)
    _check_words(mapping, feed)
    _check_form(mapping)
    if not feed.is_ratings:
        _check_no_ratings(mapping)
        return mapping
    _check_ratings(mapping)
    _check_instruments(mapping, instruments)
    return _with_items_written_out(mapping, instruments)


def _first_fault(error: ValidationError, place: str) -> WrongInput:
    """One fault of the table's shape, without the value that was given."""
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = [str(part) for part in fault["loc"] if not (isinstance(part, str) and "[" in part)]
    at = ".".join([place, *where])
    if fault["type"] == "extra_forbidden":
        keys = [key for key in FeedMapping.model_fields if key not in {"feed", "index"}]
        return WrongInput("is not a key of a mapping", place=at, mend=_did_you_mean(where[-1], keys, "keys"))
    if fault["type"] == "missing":
        return WrongInput("is missing", place=at, mend="add it")
    return WrongInput("cannot be used", place=at, mend=fault["msg"][:1].lower() + fault["msg"][1:])


def _with_case_from_client(mapping: FeedMapping, feed: Feed) -> FeedMapping:
    names = {column.name for column in feed.delivered}
    given = {*mapping.columns, *mapping.constants, *mapping.patterns}
    if {"case_id", "client_id"} <= names and "case_id" not in given and "client_id" in mapping.columns:
        return mapping.model_copy(update={"columns": {**mapping.columns, "case_id": mapping.columns["client_id"]}})
    return mapping


def _check_columns(mapping: FeedMapping, feed: Feed) -> None:
    names = [column.name for column in feed.delivered if column.name not in _NOT_MAPPED_AS_COLUMNS]
    seen: dict[str, str] = {}
    for key, given in (("columns", mapping.columns), ("constants", mapping.constants), ("patterns", mapping.patterns)):
        for name in given:
            at = f"{mapping.place}.{key}.{name}"
            if name in _NOT_MAPPED_AS_COLUMNS and feed.is_ratings:
                raise WrongInput("stands in the wrong place", place=at, mend=f"write {mapping.place}.{name} instead")
            if name not in names:
                raise WrongInput(
                    f"the {feed.name} feed has no column of that name",
                    place=at,
                    mend=_did_you_mean(name, names, "columns"),
                )
            if name in seen:
                raise WrongInput(f"is already given by {seen[name]}", place=at, mend="keep one of the two")
            seen[name] = at
    for name, sources in mapping.columns.items():
        if not sources or not all(sources):
            raise WrongInput("names no column", place=f"{mapping.place}.columns.{name}", mend="name the file's column")
    for column in feed.delivered:
        if column.is_required and column.name in names and column.name not in seen:
            raise WrongInput(
                f"the {feed.name} feed needs this column, and nothing gives it",
                place=f"{mapping.place}.columns.{column.name}",
                mend="name the file's column, or give a constant",
            )


def _check_births(mapping: FeedMapping, feed: Feed) -> None:
    if mapping.born_on is None:
        return
    at = f"{mapping.place}.born_on"
    if "age_band" not in {column.name for column in feed.delivered}:
        raise WrongInput(f"the {feed.name} feed has no ages", place=at, mend="take it out")
    if "age_band" in {*mapping.columns, *mapping.constants, *mapping.patterns}:
        raise WrongInput("gives the age band that another key gives already", place=at, mend="keep one of the two")


def _check_words(mapping: FeedMapping, feed: Feed) -> None:
    by_name = {column.name: column for column in feed.delivered}
    for name, words in mapping.words.items():
        at = f"{mapping.place}.words.{name}"
        if name not in mapping.columns and name not in mapping.patterns:
            raise WrongInput("the column is not mapped", place=at, mend=f"add {mapping.place}.columns.{name}")
        for said, meant in words.items():
            if not said.strip() or said != said.strip():
                raise WrongInput("has blanks around a word, or nothing else", place=at, mend="write the word alone")
            _check_word(by_name[name], meant, f"{at}.{said}")
    for name, meant in mapping.constants.items():
        _check_word(by_name[name], meant, f"{mapping.place}.constants.{name}")


def _check_word(column: Column, meant: str, at: str) -> None:
    if not meant.strip():
        raise WrongInput("is blank", place=at, mend="write a word, or take it out")
    if column.kind is Kind.WORD and meant not in column.words:
        raise WrongInput(
            f'"{meant}" is not a word of {column.name}', place=at, mend=_did_you_mean(meant, column.words, "words")
        )


def _check_form(mapping: FeedMapping) -> None:
    """Whether encoding, delimiter, date formats and patterns are such that a file can be read with them."""
    if len(mapping.delimiter) != 1 or not mapping.delimiter.isascii() or mapping.delimiter in '"\r\n\0':
        raise WrongInput(
            "is not one plain character", place=f"{mapping.place}.delimiter", mend='write "," or ";" or "\\t"'
        )
    _check_format(mapping)
    if mapping.is_text and mapping.decimal == mapping.delimiter:
        raise WrongInput(
            "is also the delimiter", place=f"{mapping.place}.decimal", mend='write decimal = "." or another delimiter'
        )
    try:
        codecs.getincrementaldecoder(mapping.encoding)(errors="strict").decode(b"", final=True)
        "".encode(mapping.encoding)
    except (LookupError, UnicodeError, ValueError):
        raise WrongInput(
            f'"{mapping.encoding}" is not an encoding of text',
            place=f"{mapping.place}.encoding",
            mend='write "utf-8", "cp1252" (Windows) or another Python codec',
        ) from None
    _check_strptime(
        mapping.date_format, _ANY_MOMENT.replace(hour=0, minute=0), f"{mapping.place}.date_format", "%d/%m/%Y"
    )
    _check_strptime(mapping.datetime_format, _ANY_MOMENT, f"{mapping.place}.datetime_format", "%d/%m/%Y %H:%M")
    for name, pattern in mapping.patterns.items():
        _check_regex(pattern.regex, f"{mapping.place}.patterns.{name}.regex")
    _check_regex(mapping.sent_on_pattern, f"{mapping.place}.sent_on_pattern", is_ours=True)
    for source, values in mapping.only.items():
        if not values:
            raise WrongInput(
                "names no value", place=f"{mapping.place}.only.{source}", mend="list the values, or take it out"
            )
    for key in ("born_on", "item_number", "item_value", "total", "items"):
        if getattr(mapping, key) in {"", ()}:
            raise WrongInput("is blank", place=f"{mapping.place}.{key}", mend="name the file's column, or take it out")


def _check_format(mapping: FeedMapping) -> None:
    """Whether each key goes with what the files are."""
    of_formats = {"sheet": ("excel",), "header_row": ("excel",), "labels": ("spss", "stata")}
    for key, formats in of_formats.items():
        if getattr(mapping, key) not in {None, ()} and mapping.format not in formats:
            raise WrongInput(
                f"does not go with the format {mapping.format}",
                place=f"{mapping.place}.{key}",
                mend=f'take it out, or write format = "{formats[0]}"',
            )
    if mapping.format == "tsv" and mapping.delimiter != "\t":
        raise WrongInput(
            "is not the tab of a tsv file",
            place=f"{mapping.place}.delimiter",
            mend='take it out, or write format = "csv"',
        )
    if not all(mapping.members):
        raise WrongInput("is blank", place=f"{mapping.place}.members", mend="write a glob, or take it out")
    if mapping.members != ("**",) and not any(glob.lower().endswith((".zip", "*")) for glob in mapping.files):
        raise WrongInput(
            "is for zip archives, and files names none", place=f"{mapping.place}.members", mend="take it out"
        )
    for source in mapping.labels:
        if source not in mapping.source_columns:
            raise WrongInput(
                f'"{source}" is not a column that this mapping reads',
                place=f"{mapping.place}.labels",
                mend=_did_you_mean(source, mapping.source_columns, "columns"),
            )


def _check_strptime(written: str, moment: datetime, at: str, example: str) -> None:
    """A format is right where a moment written with it is read back, by Python and by DuckDB."""
    try:
        text = moment.strftime(written)
        read_back = datetime.strptime(text, written)  # noqa: DTZ007 -- as above
        in_duckdb = duckdb.execute("SELECT strptime(?, ?)", [text, written]).fetchone()
        is_right = read_back == moment and in_duckdb == (moment,) and "'" not in written
    except (ValueError, re.error, duckdb.Error):
        is_right = False
    if not is_right:
        raise WrongInput(
            f'"{written}" does not read a date back', place=at, mend=f'write strptime letters, as in "{example}"'
        )


def _check_regex(written: str, at: str, *, is_ours: bool = False) -> None:
    """One group, and for the patterns that DuckDB applies, in its dialect (RE2) too."""
    try:
        groups = re.compile(written).groups
        if not is_ours:
            duckdb.execute("SELECT regexp_extract('', ?, 1)", [written])
    except (re.error, duckdb.Error):
        raise WrongInput("is not a regular expression", place=at, mend='write one such as "^(.+)-[ab]$"') from None
    if groups != 1:
        raise WrongInput(
            f"has {groups} groups and needs one", place=at, mend="put parentheses around the one part wanted"
        )


def _check_no_ratings(mapping: FeedMapping) -> None:
    for key in ("items", "item_number", "item_value", "total"):
        if getattr(mapping, key) is not None:
            raise WrongInput(
                f"the {mapping.feed} feed holds no forms", place=f"{mapping.place}.{key}", mend="take it out"
            )


def _check_ratings(mapping: FeedMapping) -> None:
    """Whether the answers are given in one of the ways there are: items side by side, one a line, or a total."""
    of_long, of_wide = ("item_number", "item_value"), ("items", "total")
    needed, alien = (of_long, of_wide) if mapping.layout == "long" else ((), of_long)
    if mapping.layout == "wide" and mapping.items is None and mapping.total is None:
        raise WrongInput(
            "is missing, and nothing else gives the answers", place=f"{mapping.place}.items", mend="add items or total"
        )
    for key in needed:
        if getattr(mapping, key) is None:
            raise WrongInput("is missing, and a long layout needs it", place=f"{mapping.place}.{key}", mend="add it")
    for key in alien:
        if getattr(mapping, key) is not None:
            raise WrongInput(
                f"does not go with a {mapping.layout} layout",
                place=f"{mapping.place}.{key}",
                mend=f"take it out, or mend {mapping.place}.layout",
            )
    if isinstance(mapping.items, str) and mapping.items.count("{n}") != 1:
        raise WrongInput(
            "is neither a list nor a pattern",
            place=f"{mapping.place}.items",
            mend='write "phq9_{n}" or list the columns',
        )
    twice = sorted({name for name in mapping.item_columns if mapping.item_columns.count(name) > 1})
    if twice:
        raise WrongInput(f'"{twice[0]}" stands twice', place=f"{mapping.place}.items", mend="list each item once")


def _check_instruments(mapping: FeedMapping, instruments: Mapping[str, int]) -> None:
    named = {f"{mapping.place}.constants.instrument": mapping.constants.get("instrument")}
    for said, meant in mapping.words.get("instrument", {}).items():
        named[f"{mapping.place}.words.instrument.{said}"] = meant
    for at, name in named.items():
        if name is not None and name not in instruments:
            raise WrongInput(
                f'no instrument is known as "{name}"', place=at, mend=_did_you_mean(name, instruments, "instruments")
            )
    constant = mapping.constants.get("instrument")
    if constant is not None and mapping.item_columns and len(mapping.item_columns) != instruments[constant]:
        raise WrongInput(
            f"lists {len(mapping.item_columns)} columns and {constant} has {instruments[constant]} items",
            place=f"{mapping.place}.items",
            mend="list every item once, in the form's order",
        )


def _with_items_written_out(mapping: FeedMapping, instruments: Mapping[str, int]) -> FeedMapping:
    if not isinstance(mapping.items, str):
        return mapping
    constant = mapping.constants.get("instrument")
    if constant is None:
        raise WrongInput(
            "a pattern needs to know how many items there are",
            place=f"{mapping.place}.items",
            mend=f"add {mapping.place}.constants.instrument, or list the columns",
        )
    written_out = tuple(mapping.items.replace("{n}", str(n)) for n in range(1, instruments[constant] + 1))
    return mapping.model_copy(update={"items": written_out})


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The nearest known names as a question, or nothing where none is near."""
    folded = {each.casefold(): each for each in known}
    near = difflib.get_close_matches(name.casefold(), folded, n=1)
    return f'did you mean "{folded[near[0]]}"?' if near else ""


def _did_you_mean(name: str, known: Collection[str], noun: str) -> str:
    return did_you_mean(name, known) or f"{noun} are: {', '.join(known)}"
