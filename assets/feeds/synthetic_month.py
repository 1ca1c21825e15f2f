"""A simulated service's export as it comes in everyday life: a file a day, some of it late, corrected, twice, or not at all.

What belongs here: which rows of a finished export come on which day, under which file names, and what goes wrong with them.
What does not: the rows (`synthetic`), or reading them. Pure functions of texts: nothing is read or written.

Names carry their day (`phq9_2026-11-03.csv`) but for `clinicians.csv`, which goes to another state and back again.
"""

import csv
import datetime as dt
import io
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Row = tuple[str, ...]

APPOINTMENTS, ALLIANCE, OUTCOMES = "appointments", "wai_sr", "phq9"
EPISODES, PEOPLE, CLINICIANS = "episodes", "people", "clinicians"
# The column whose day decides when a row comes.
_DAY_COLUMN: Final = {APPOINTMENTS: "starts_at", ALLIANCE: "completed_on", OUTCOMES: "completed_on"}
_LATE_SHARE, _MOST_DAYS_LATE = 0.1, 5
_TWICE_SHARE, _CORRECTED_SHARE = 0.05, 0.05


class Event(StrEnum):
    """What is out of the ordinary on a day."""

    LATE = "rows of earlier days"
    CORRECTED = "corrections"
    TAKEN_BACK = "corrections taken back"
    TWICE = "rows that came before"
    RESENT = "a file again under its own name"
    RENAMED = "a file again under another name"
    MISSING = "no file at all"
    MALFORMED = "a file that can't be read"
    MENDED = "a file that could not be read, sent again"
    SNAPSHOT = "all episodes again"
    OTHER_STATE = "a file without a day, in another state"
    FIRST_STATE = "the same file, as it was at first"


@dataclass(frozen=True, kw_only=True)
class Drop:
    """What a clinic sends on a day.

    Attributes:
        day: the day.
        files: the bytes of each file, by name; a name that came before is overwritten.
        events: what is out of the ordinary.
    """

    day: dt.date
    files: Mapping[str, bytes]
    events: frozenset[Event]

    @property
    def stops_the_night(self) -> bool:
        """Whether nothing may be published until a later drop."""
        return Event.MALFORMED in self.events


def month_of_drops(export: Mapping[str, str], *, seed: int, last_on: dt.date, days: int) -> tuple[Drop, ...]:
    """An export as so many daily drops; the first holds all that happened until then.

    Args:
        export: the text of each file of a whole export by its name without ending, as `synthetic.write_export` writes it.
        seed: the same seed and arguments give the same bytes.
        last_on: the day of the last drop.
        days: how many drops; 14 at least, so that all that goes wrong is put right by the end.

    Raises:
        ValueError: where there are too few days.
    """
    if days < 14:
        raise ValueError("a month has at least 14 days here")
    calendar = [last_on - dt.timedelta(days=days - 1 - at) for at in range(days)]
    draw = random.Random(seed)  # noqa: S311 -- made-up data
    tables = {name: _Table.read(text) for name, text in export.items()}
    flow = _Flow(tables=tables, calendar=calendar, draw=draw)
    return tuple(flow.drop(at) for at in range(days))


def as_it_stands(drops: Iterable[Drop]) -> dict[str, bytes]:
    """The inbox after these drops: every name with its last bytes."""
    inbox: dict[str, bytes] = {}
    for drop in drops:
        inbox |= drop.files
    return inbox


@dataclass(frozen=True)
class _Table:
    header: Row
    rows: tuple[Row, ...]

    @classmethod
    def read(cls, text: str) -> "_Table":
        header, *rows = csv.reader(io.StringIO(text))
        return cls(tuple(header), tuple(tuple(row) for row in rows))

    def at(self, column: str) -> int:
        return self.header.index(column)

    def written(self, rows: Sequence[Row]) -> bytes:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, *rows])
        return text.getvalue().encode()

    def with_value(self, row: Row, column: str, value: str) -> Row:
        at = self.at(column)
        return (*row[:at], value, *row[at + 1 :])


class _Flow:
    """What has been sent so far, and what comes next."""

    def __init__(self, *, tables: Mapping[str, _Table], calendar: Sequence[dt.date], draw: random.Random) -> None:
        self.tables, self.calendar, self.draw = tables, calendar, draw
        self.due = {name: self._by_day(name) for name in _DAY_COLUMN}
        self.sent: dict[str, list[Row]] = {name: [] for name in _DAY_COLUMN}
        self.kept_back: dict[str, list[Row]] = {name: [] for name in _DAY_COLUMN}
        self.files: dict[str, bytes] = {}
        self.corrected: list[Row] = []
        self.known: set[str] = set()
        self.whole: dict[str, bytes] = {}

    def _by_day(self, name: str) -> list[list[Row]]:
        """Rows by the drop that they come in; those without a day come at once, as those before the first day do."""
        table, first = self.tables[name], self.calendar[0]
        at, last = table.at(_DAY_COLUMN[name]), len(self.calendar) - 1
        due: list[list[Row]] = [[] for _ in self.calendar]
        for row in table.rows:
            try:
                place = max((dt.date.fromisoformat(row[at][:10]) - first).days, 0)
            except ValueError:
                place = 0
            place = place if place <= last else 0
            if place and self.draw.random() < _LATE_SHARE:
                place = min(place + self.draw.randint(1, _MOST_DAYS_LATE), last)
            due[place].append(row)
        return due

    def drop(self, at: int) -> Drop:
        """The drop of one day; what it holds depends on those before it."""
        day, events = self.calendar[at], set[Event]()
        files: dict[str, bytes] = {}
        if at in self._days_without():
            for name in _DAY_COLUMN:
                self.kept_back[name] += self.due[name][at]
            return Drop(day=day, files={}, events=frozenset({Event.MISSING}))
        for name, column in _DAY_COLUMN.items():
            rows = [*self.kept_back[name], *self.due[name][at]]
            self.kept_back[name] = []
            where = self.tables[name].at(column)
            events |= {Event.LATE} if at and any(row[where][:10] != day.isoformat() for row in rows) else set()
            again = self._some(self.sent[name], share=_TWICE_SHARE, of=len(rows))
            events |= {Event.TWICE} if again else set()
            files[f"{name}_{day}.csv"] = self.tables[name].written([*rows, *again])
            self.sent[name] += rows
        files |= self._who(at, day=day, events=events)
        if at:
            files |= self._corrections(day, events=events)
            files |= self._again(at, day=day, events=events)
            self._spoil(at, files, day=day, events=events)
        self.files |= files
        return Drop(day=day, files=files, events=frozenset(events))

    def _days_without(self) -> set[int]:
        return {4, len(self.calendar) // 2 + 1}

    def _some(self, rows: Sequence[Row], *, share: float, of: int) -> list[Row]:
        wanted = min(max(round(share * of), 1), len(rows))
        return self.draw.sample(rows, wanted)

    def _who(self, at: int, *, day: dt.date, events: set[Event]) -> dict[str, bytes]:
        """Clients a day after they are first seen, episodes every week as they stand, clinicians now and then."""
        files = {}
        people, episodes, clinicians = (self.tables[name] for name in (PEOPLE, EPISODES, CLINICIANS))
        booked = self.tables[APPOINTMENTS].at("client_id")
        seen = {row[booked] for row in self.sent[APPOINTMENTS]}
        new = [row for row in people.rows if row[0] in seen and row[0] not in self.known]
        if at == 0:
            new += [row for row in people.rows if row[0] not in seen and not row[0].startswith("C0")]
        self.known |= {row[0] for row in new}
        if new:
            files[f"{PEOPLE}_{day}.csv"] = people.written(new)
        if at % 7 == 0:
            files[f"{EPISODES}_{day}.csv"] = episodes.written([*self._episodes_on(episodes, day)])
            events |= {Event.SNAPSHOT} if at else set()
        if at in {0, 11}:
            files[f"{CLINICIANS}.csv"] = clinicians.written(clinicians.rows)
            events |= {Event.FIRST_STATE} if at else set()
        if at == 6:
            first, *rest = clinicians.rows
            files[f"{CLINICIANS}.csv"] = clinicians.written(
                [clinicians.with_value(first, "profession", "trainee"), *rest]
            )
            events.add(Event.OTHER_STATE)
        return files

    def _episodes_on(self, episodes: _Table, day: dt.date) -> Iterable[Row]:
        started, ended = episodes.at("started_on"), episodes.at("ended_on")
        for row in episodes.rows:
            if row[started] > day.isoformat():
                continue
            is_open = row[ended] > day.isoformat()
            yield episodes.with_value(episodes.with_value(row, "ended_on", ""), "end_reason", "") if is_open else row

    def _corrections(self, day: dt.date, *, events: set[Event]) -> dict[str, bytes]:
        """Appointments in a file of corrections, some of yesterday's taken back; a form in the next day's ordinary file."""
        booked = self.tables[APPOINTMENTS]
        status = booked.at("status")
        back = self.corrected[: len(self.corrected) // 2]
        chosen = [
            row
            for row in self._some(self.sent[APPOINTMENTS][-200:], share=_CORRECTED_SHARE, of=40)
            if row[status] == "attended" and row not in back
        ]
        self.corrected = chosen
        changed = [booked.with_value(row, "status", "did_not_attend") for row in chosen]
        events |= ({Event.CORRECTED} if changed else set()) | ({Event.TAKEN_BACK} if back else set())
        forms = self.tables[OUTCOMES]
        later = [
            forms.with_value(row, "item_1", "0" if row[forms.at("item_1")] != "0" else "1")
            for row in self._some(self.sent[OUTCOMES], share=_CORRECTED_SHARE, of=20)
        ]
        return {
            f"{APPOINTMENTS}_corrections_{day}.csv": booked.written([*back, *changed]),
            f"{OUTCOMES}_corrections_{day}.csv": forms.written(later),
        }

    def _again(self, at: int, *, day: dt.date, events: set[Event]) -> dict[str, bytes]:
        """Now and then a file that came before: as it was, or under another name."""
        sound = [name for name in self.files if name.startswith((ALLIANCE, APPOINTMENTS)) and "resent" not in name]
        files = {}
        if at % 3 == 0:
            name = self.draw.choice(sound)
            files[name] = self.files[name]
            events.add(Event.RESENT)
        if at % 5 == 0:
            name = self.draw.choice([each for each in sound if each.startswith(ALLIANCE)])
            files[f"{ALLIANCE}_resent_{day}.csv"] = self.files[name]
            events.add(Event.RENAMED)
        return files

    def _spoil(self, at: int, files: dict[str, bytes], *, day: dt.date, events: set[Event]) -> None:
        """Two files that can't be read, and the next day the same names whole."""
        if self.whole:
            files |= self.whole
            self.whole = {}
            events.add(Event.MENDED)
        last = len(self.calendar) - 4
        ways: tuple[tuple[str, int, Callable[[bytes], bytes]], ...] = (
            (f"{OUTCOMES}_{day}.csv", 9, lambda sound: sound.replace(b"rating_id", b"number", 1)),
            (f"{ALLIANCE}_{day}.csv", last, lambda sound: b"PK\x03\x04" + sound[:100]),
        )
        for name, when, spoilt in ways:
            if at == when:
                self.whole = {name: files[name]}
                files[name] = spoilt(files[name])
                events.add(Event.MALFORMED)
