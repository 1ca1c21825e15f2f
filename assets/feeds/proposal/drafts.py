"""A mapping on its way to being written: each key with its value, why it is so, and what the clinic has to settle.

Belongs here: the shapes that the other modules fill. Does not belong here: how they are filled or written.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from assets.contracts.model import Feed
from assets.feeds.proposal.measures import FoundForms
from assets.feeds.proposal.profile import ColumnProfile

Value = str | bool | tuple[str, ...] | Mapping[str, str]
TOP, COLUMNS, CONSTANTS, PATTERNS, ONLY = "", "columns", "constants", "patterns", "only"
NOBODY: Final = "nothing in the file is taken for it"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One key of the settings.

    Attributes:
        key: as the settings write it.
        value: what it is set to.
        why: what says so.
        settle: what the clinic has to look at or decide; empty where nothing.
        is_active: whether the settings take it as it stands; else it is written as a comment.
    """

    key: str
    value: Value
    why: str = ""
    settle: str = ""
    is_active: bool = True


@dataclass(frozen=True, kw_only=True)
class Group:
    """Files of one shape that one mapping reads.

    Attributes:
        names: of the tables, those within an archive or a workbook after its own.
        sent_as: the inbox's files.
        files: globs for these and for later ones of the same name.
        folder: the first folder of their names that is no date; empty at the top.
        settings: how they are opened.
        corrects: whether their names say that they correct others.
        lines: how many records they have.
        rows: these records as text; of corrections those of the files that they correct too, which have the same columns.
        of_one_file: which of the rows are the longest file's; in the others the same may be sent again.
        profiles: by column.
        telling: columns that seem to hold direct identifiers, with the kinds.
        trouble: why nothing could be read.
    """

    names: tuple[str, ...]
    sent_as: tuple[str, ...]
    files: tuple[str, ...]
    folder: str
    settings: Mapping[str, str]
    corrects: bool
    lines: int
    rows: pl.DataFrame
    of_one_file: slice
    profiles: Mapping[str, ColumnProfile]
    telling: Mapping[str, tuple[str, ...]]
    trouble: str = ""

    @property
    def longest(self) -> pl.DataFrame:
        """The rows of the longest file."""
        return self.rows[self.of_one_file]

    @property
    def usable(self) -> dict[str, ColumnProfile]:
        """The columns that may be mapped."""
        return {name: profile for name, profile in self.profiles.items() if name not in self.telling}


@dataclass
class Draft:
    """One mapping.

    Attributes:
        feed: the contract.
        group: the files.
        sections: the mapping's sections by name (`TOP` for its own keys), each key by name.
        forms: of ratings, the measure.
        settle: what stands before the whole mapping is believed; it is then written as a comment.
    """

    feed: Feed
    group: Group
    sections: dict[str, dict[str, Line]] = field(default_factory=dict)
    forms: FoundForms | None = None
    settle: str = ""

    def put(self, section: str, line: Line) -> None:
        """Set a key, in place of what it was."""
        self.sections.setdefault(section, {})[line.key] = line

    def drop(self, section: str, key: str) -> None:
        """Take a key out."""
        self.sections.get(section, {}).pop(key, None)

    def source(self, column: str) -> tuple[str, ...]:
        """The active source columns of a contract column."""
        line = self.sections.get(COLUMNS, {}).get(column)
        if line is None or not line.is_active:
            return ()
        return (line.value,) if isinstance(line.value, str) else tuple(str(part) for part in line.value)  # type: ignore[union-attr]

    @property
    def asked(self) -> frozenset[str]:
        """Every source column that an active key names."""
        found = {source for column in self.sections.get(COLUMNS, {}) for source in self.source(column)}
        found |= set(self.sections.get(ONLY, {}))
        for line in self.sections.get(PATTERNS, {}).values():
            found |= {line.value["from"]} if isinstance(line.value, Mapping) else set()
        top = self.sections.get(TOP, {})
        for key in ("total", "item_number", "item_value", "born_on"):
            if key in top and top[key].is_active:
                found.add(str(top[key].value))
        return frozenset(found) | (self.forms.used if self.forms is not None and not self.settle else frozenset())

    @property
    def missing(self) -> tuple[str, ...]:
        """The contract's required columns that nothing active gives."""
        given = {
            key
            for section in (COLUMNS, CONSTANTS, PATTERNS)
            for key, line in self.sections.get(section, {}).items()
            if line.is_active
        }
        if "client_id" in given:
            given.add("case_id")
        of_forms = {"items", "total"}
        return tuple(
            column.name
            for column in self.feed.delivered
            if column.is_required and column.name not in given and column.name not in of_forms
        )

    @property
    def is_ready(self) -> bool:
        """Whether the settings take the mapping as it stands."""
        return not self.missing and not self.settle

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Every key with its section."""
        for section, lines in self.sections.items():
            for line in lines.values():
                yield section, line


def pattern_of_endings(endings: tuple[str, ...]) -> str:
    """A pattern for what stands before one of a few endings, or for the whole where none does."""
    return f"^(.+?)(?:{'|'.join(escaped(ending) for ending in endings)})?$"


def escaped(text: str) -> str:
    """Text as a pattern of itself, in the dialects of Python, RE2 and Rust alike."""
    return re.sub(r"([.^$*+?{}\[\]\\|()])", r"\\\1", text)
