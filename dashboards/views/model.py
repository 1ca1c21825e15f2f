"""What a page is made of, before it is markup: cards, panels and tables of words.

Belongs here: shapes. Every cell is written out already and everything too small is withheld already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Figure = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A verdict in a few words with its tone, `better`, `worse` or `ordinary`, and perhaps what it rests on."""

    words: str
    tone: str = "ordinary"
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Noted:
    """Words with a smaller line under them."""

    words: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """Words that lead somewhere."""

    words: str
    href: str


@dataclass(frozen=True, kw_only=True)
class Clinician:
    """A clinician's code, which may lead to their page; whoever serves the pages may lay a name over it."""

    code: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spark:
    """A small line of values drawn as SVG in a 100 by 24 box."""

    line: str
    band: tuple[float, float] | None
    last: tuple[float, float]
    words: str


Cell = str | Tag | Noted | Link | Clinician | Spark


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of words; `numeric` names the columns set flush right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One finding with its evidence.

    Attributes:
        key: Unique on its page; names the downloads.
        title: The finding.
        caption: Unit, comparison and band in a line.
        method: The anchor on the methods page.
        table: The numbers behind the picture.
        how: How to read the picture, in a line.
        definitions: What each figure of the table counts: its name and its declaration's own words.
        figure: The chart, if there is one.
        shown: Whether the table is what the panel shows, rather than what it hides.
        strips: Client rows drawn as SVG.
        marks: What each kind of mark in them means.
        trajectories: Client courses drawn as SVG.
        empty: What to say where there is nothing to draw.
        is_detail: Whether it stays on the screen when the page is printed.
    """

    key: str
    title: str
    caption: str
    method: str
    table: Table
    how: str = ""
    definitions: tuple[tuple[str, str], ...] = ()
    figure: Figure | None = None
    shown: bool = False
    strips: tuple["Strip", ...] = ()
    marks: tuple[tuple[str, str], ...] = ()
    trajectories: tuple["Course", ...] = ()
    empty: str | None = None
    wide: bool = False
    share: int = 6
    is_detail: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """Panels under one name, which a reader opens and closes; their titles stand for them while they are closed.

    Attributes:
        key: Unique on its page, and the address to lead to.
        title: What the panels are about.
        panels: At least one.
        is_open: Whether it is open to begin with. On paper every group is.
    """

    key: str
    title: str
    panels: tuple[Panel, ...]
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One session in a strip: its place and what it was."""

    x: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """One client's sessions as marks in a box 0 to 400 wide, and what they say."""

    client: str
    marks: tuple[Mark, ...]
    words: str
    tone: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Course:
    """One client's scores as a line in a 200 by 80 box, the band of those who are on track, and what they say."""

    client: str
    line: str
    band: str | None
    last: tuple[float, float]
    first_words: str
    last_words: str
    words: str
    tone: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Card:
    """One key figure."""

    label: str
    figure: str
    beside: str
    note: str
    tag: Tag


@dataclass(frozen=True, kw_only=True)
class Sure:
    """One finding with how sure it is."""

    word: str
    finding: str


@dataclass(frozen=True, kw_only=True)
class Headline:
    """What changed, what to do, how sure."""

    changed: str
    because: str
    to_do: tuple[str, ...]
    sure: tuple[Sure, ...]


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a reader may choose: values and labels, and which slices there are.

    Attributes:
        periods: Months back.
        places: The service, its sites and its programmes, each under its kind's name; the service under none.
        measures: Outcome measures.
        leasts: Fewest clients of a drawn clinician.
        chosen: What stands without script: `period` and `place`.
        files: Slices by file name, `PLACE-PERIOD.json`.
    """

    periods: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    measures: tuple[str, ...]
    leasts: tuple[str, ...]
    chosen: Mapping[str, str]
    files: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A label and what it says, in the strip above the page."""

    label: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that a template is given.

    Attributes:
        who: The clinician whose page it is; stands before the heading.
        answer: The heading's question answered in a line, where it asks one.
        panels: What stands first, each in its place.
        groups: Further panels under names.
        filters: What a reader may choose of the panels in `filtered`.
        above: The clinician whose client's page it is; stands as a way back.
        sections: Explanations by their anchor: a title and words.
    """

    title: str
    heading: str
    about: str
    section: str
    who: str | None = None
    answer: str = ""
    above: Clinician | None = None
    facts: tuple[Fact, ...] = ()
    is_alarming: bool = False
    headline: Headline | None = None
    cards: tuple[Card, ...] = ()
    panels: tuple[Panel, ...] = ()
    groups: tuple[Group, ...] = ()
    explains: tuple[str, ...] = ()
    notice: str | None = None
    filters: Filters | None = None
    filtered: tuple[Panel, ...] = ()
    sections: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def every_panel(self) -> tuple[Panel, ...]:
        """All panels, in the order of the page."""
        return (*self.panels, *(each for group in self.groups for each in group.panels), *self.filtered)
