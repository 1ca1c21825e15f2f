"""Where a clinic keeps what each feed must deliver: one declaration a kind of file.

Belongs here: the shape of one `[[feeds.<name>]]` table of the settings. Does not belong here: the checks that need the
contracts and the instruments (`mapping_checks`), reading a file (`reading`), and the other sections of the settings.
"""

import re
from collections.abc import Sequence
from datetime import date
from pathlib import PurePosixPath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

DATE_IN_A_NAME = r"(?<!\d)(\d{4}-\d{2}-\d{2}|\d{8})(?!\d)"


class Pattern(BaseModel):
    """A contract column cut out of a source column.

    Attributes:
        source: the source column, written `from` in the settings.
        regex: one group, which is the value; where it does not match, the value is missing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(alias="from", min_length=1)
    regex: str = Field(min_length=1)


class FeedMapping(BaseModel):
    """How one kind of file delivers one feed.

    Attributes:
        feed: the feed's name; not written in the table itself.
        index: the table's place among the feed's, from 0; not written either.
        files: globs relative to the inbox; `*` stays within a folder, `**` crosses folders. A file whose name ends in
            `.gz` is unpacked first; one that ends in `.zip` stands for the files in it.
        members: globs over the names within a zip archive; all of them where none are given.
        format: what the file, or the member, is: `csv`; `tsv`, which is CSV with tabs; `parquet`; `excel` (.xlsx, .xlsm,
            .xlsb, .xls, .ods); `spss` (.sav, .zsav); `stata` (.dta).
        sheet: the workbook's sheet; the only visible one that holds anything where none is given; Excel only.
        header_row: the row with the column names, as the workbook numbers it; the first that is not empty where none is
            given; Excel only.
        labels: the source columns of which value labels are read and not the codes behind them; SPSS and Stata only.
        delimiter: one character; CSV only.
        encoding: a Python codec's name; of SPSS and Stata files only where they misstate their own.
        decimal: the decimal mark of numbers.
        date_format: of days, as strptime writes it. Where a cell holds a date itself, it is taken and no form is asked.
        datetime_format: of moments, as strptime writes it, in the clinic's own time; cells as with `date_format`.
        columns: contract column to source column, or to several that are joined by a space.
        constants: contract column to the text that every row has.
        patterns: contract column to a part of a source column.
        words: contract column to the contract's word for each source word.
        born_on: the column with the date of birth, which is read in `date_format` and becomes `age_band`; people only.
        only: source column to the values whose lines this mapping takes; the other lines belong to other mappings.
        layout: one row a form (wide) or one row an item (long); ratings only.
        items: `"phq9_{n}"` or the item columns in the form's order; wide only.
        item_number: the column that numbers the item from 1; long only.
        item_value: the column with the answer; long only.
        total: the column with the total.
        corrects: whether the files are sets of corrections, so that they count as newer than undated files.
        sent_on_pattern: one group, the date in the file's name: `YYYY-MM-DD` or `YYYYMMDD`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)

    feed: str
    index: int
    files: tuple[str, ...] = Field(min_length=1)
    members: tuple[str, ...] = Field(default=("**",), min_length=1)
    format: Literal["csv", "tsv", "parquet", "excel", "spss", "stata"] = "csv"
    sheet: str | None = Field(default=None, min_length=1)
    header_row: int | None = Field(default=None, ge=1)
    labels: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    decimal: Literal[".", ","] = "."
    date_format: str = "%Y-%m-%d"
    datetime_format: str = "%Y-%m-%d %H:%M:%S"
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    constants: dict[str, str] = Field(default_factory=dict)
    patterns: dict[str, Pattern] = Field(default_factory=dict)
    words: dict[str, dict[str, str]] = Field(default_factory=dict)
    born_on: str | None = None
    only: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    layout: Literal["wide", "long"] = "wide"
    items: tuple[str, ...] | str | None = None
    item_number: str | None = None
    item_value: str | None = None
    total: str | None = None
    corrects: bool = False
    sent_on_pattern: str = DATE_IN_A_NAME

    @model_validator(mode="before")
    @classmethod
    def _tabs_are_a_delimiter(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("format") == "tsv":
            return {"delimiter": "\t", **given}
        return given

    @field_validator("files", "members", mode="before")
    @classmethod
    def _one_glob_is_a_list_of_one(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @field_validator("columns", mode="before")
    @classmethod
    def _one_column_is_a_list_of_one(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: (source,) if isinstance(source, str) else source for name, source in given.items()}

    @property
    def place(self) -> str:
        """The table's key in the settings, as `feeds.attendance[0]`."""
        return f"feeds.{self.feed}[{self.index}]"

    @property
    def item_columns(self) -> tuple[str, ...]:
        """The item columns in the form's order; none where items are long or not sent."""
        return self.items if isinstance(self.items, tuple) else ()

    @property
    def source_columns(self) -> dict[str, str]:
        """Each source column that is read, with the key of the settings that asks for it."""
        asked: dict[str, str] = {}
        for name, sources in self.columns.items():
            for source in sources:
                asked.setdefault(source, f"{self.place}.columns.{name}")
        for name, pattern in self.patterns.items():
            asked.setdefault(pattern.source, f"{self.place}.patterns.{name}.from")
        for source in self.only:
            asked.setdefault(source, f"{self.place}.only")
        for source in self.item_columns:
            asked.setdefault(source, f"{self.place}.items")
        for key in ("born_on", "item_number", "item_value", "total"):
            source = getattr(self, key)
            if source is not None:
                asked.setdefault(source, f"{self.place}.{key}")
        return asked

    @property
    def is_text(self) -> bool:
        """Whether its files are lines of text."""
        return self.format in {"csv", "tsv"}

    def claims(self, name: str, *, member: str | None = None) -> bool:
        """Whether a file of the inbox, by its relative POSIX name, or a member of it, is this mapping's."""
        is_ours = any(glob_to_regex(glob).fullmatch(name) for glob in self.files)
        return is_ours and (member is None or any(glob_to_regex(glob).fullmatch(member) for glob in self.members))


def glob_to_regex(glob: str) -> re.Pattern[str]:
    """A glob over relative POSIX names: `*` and `?` stay within a folder, `**/` crosses any number of them."""
    meant = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", str(PurePosixPath(glob)))
    return re.compile("".join(meant.get(part, re.escape(part)) for part in parts))


def place_in_order(name: str, claims: Sequence[FeedMapping], *, sent_as: str) -> tuple[date, bool, str]:
    """Where a file stands among those of one night: undated ones first, then by date, corrections last, then by name.

    Args:
        name: the file's own, from which its date is read.
        claims: its mappings, which say how a date is written.
        sent_as: the name that it was sent under, whose date counts where its own has none.
    """
    dates = (_sent_on(each, mapping.sent_on_pattern) for each in (name, sent_as) for mapping in claims)
    sent_on = next((day for day in dates if day is not None), None)
    return sent_on or date.min, any(mapping.corrects for mapping in claims), name


def _sent_on(name: str, pattern: str) -> date | None:
    """The last date in the file's own name; digits that are no day of the calendar are no date."""
    for found in reversed(re.findall(pattern, PurePosixPath(name).name)):
        try:
            return date.fromisoformat(found)
        except ValueError:
            continue
    return None
