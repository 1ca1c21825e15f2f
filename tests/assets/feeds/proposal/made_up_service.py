"""A small made-up service as plain rows, which each made-up record system writes out in its own words, and what that gives."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

CLIENTS, CLINICIANS = 60, 6
PROBLEMS = ("depression", "anxiety", "bereavement", "trauma")


@dataclass(frozen=True)
class Slot:
    number: int
    client: int
    clinician: int
    at: datetime
    status: str
    minutes: int
    mode: str

    @property
    def is_held(self):
        return self.status == "attended"


@dataclass(frozen=True)
class Course:
    client: int
    clinician: int
    referred: date
    started: date
    ended: date | None
    is_planned: bool
    problem: str


class Service:
    """Two and a half years of appointments, the same for the same seed."""

    def __init__(self, seed=1):
        self.draw = np.random.default_rng(seed)
        self.slots, self.courses = [], []
        for client in range(CLIENTS):
            self._treat(client)
        self.slots.sort(key=lambda slot: slot.at)

    def _treat(self, client):
        clinician = int(self.draw.integers(CLINICIANS))
        first = datetime(2024, 1, 8, 9) + timedelta(days=int(self.draw.integers(800)), hours=int(self.draw.integers(8)))  # noqa: DTZ001 -- a clinic's local time
        count = int(self.draw.integers(5, 12))
        for week in range(count):
            status = str(
                self.draw.choice(
                    ["attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic"],
                    p=[0.8, 0.1, 0.06, 0.04],
                )
            )
            number = 5000 + client * 20 + week
            minutes = int(self.draw.integers(40, 61))
            mode = str(self.draw.choice(["in_person", "video", "phone"], p=[0.6, 0.3, 0.1]))
            self.slots.append(Slot(number, client, clinician, first + timedelta(days=7 * week), status, minutes, mode))
        ended = (first + timedelta(days=7 * count)).date() if self.draw.random() < 0.8 else None
        referred = (first - timedelta(days=int(self.draw.integers(10, 60)))).date()
        problem = PROBLEMS[int(self.draw.integers(len(PROBLEMS)))]
        self.courses.append(
            Course(client, clinician, referred, first.date(), ended, bool(self.draw.random() < 0.7), problem)
        )

    @property
    def held(self):
        return [slot for slot in self.slots if slot.is_held]

    def answers(self, items, low, high):
        """A form's answers, all of the scale in use."""
        return [int(each) for each in self.draw.integers(low, high + 1, items)]

    def lines_marked(self, count):
        """Answers on ten-centimetre lines."""
        return [round(float(each), 1) for each in self.draw.uniform(2, 10, count)]


def table(header, rows, *, mark=",", encoding="utf-8"):
    """Rows as the bytes of a text file."""
    lines = [mark.join(header), *(mark.join("" if cell is None else str(cell) for cell in row) for row in rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


HEAD = """
[clinic]
name = "Made up"
time_zone = "Europe/London"
first_possible_day = 2015-01-01

[[measures]]
alliance = "{alliance}"
outcome = "{outcome}"
"""


@dataclass(frozen=True)
class MadeUp:
    """Files by name, and the true mapping as a settings file."""

    name: str
    files: dict[str, bytes]
    truth: str

    def write(self, folder):
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder
