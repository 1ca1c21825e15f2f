"""One open client's own rows, taken out of the night's answers for every page.

Belongs here: whose rows a client's page is given: their own, of the course of treatment that is open with the clinician
who treats them. Does not belong here: what the page makes of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import polars as pl

from dashboards import readings
from dashboards.views.own_rows import OwnRows
from dashboards.views.service import Row, Service


@dataclass(frozen=True, kw_only=True)
class ClientRows:
    """One client's rows of one open course of treatment.

    Attributes:
        code: The clinician who treats them.
        client: Their code.
        sessions: Sessions so far.
        alliance: Their ratings of the alliance by measure: session and score, ascending by session.
        outcomes: The same of outcome measures.
        tracks: Where each outcome measure stands against what is expected.
        changes: How far each has changed, and how far it must to count.
        ruptures: Dips, by session.
        timeline: Signals of holding back, by session.
        appointments: Every appointment, by time.
        milestones: What was reached, by session.
    """

    code: str
    client: str
    sessions: int
    alliance: dict[str, list[tuple[int, float]]]
    outcomes: dict[str, list[tuple[int, float]]]
    tracks: dict[str, Row]
    changes: dict[str, Row]
    ruptures: list[Row]
    timeline: list[Row]
    appointments: list[Row]
    milestones: list[Row]


def of_open_courses(service: Service) -> dict[str, pl.DataFrame]:
    """The answers that every page of clients is made from, by question."""
    return {
        asked: service.read(asked)
        for asked in (
            readings.OPEN_SESSIONS,
            readings.OPEN_RATINGS,
            readings.OPEN_SIGNS,
            readings.OPEN_TRACKS,
            readings.DIPS,
        )
    }


def open_clients(service: Service, answers: Mapping[str, pl.DataFrame]) -> Callable[[str], list[ClientRows]]:
    """Gives one clinician's open clients at a time, by client; of one with two open courses, the latest.

    Args:
        service: The night.
        answers: What `of_open_courses` read.
    """
    alone = (readings.OPEN_COURSES, readings.OPEN_APPOINTMENTS, readings.OPEN_CHANGES, readings.OPEN_MILESTONES)
    parts = {asked: OwnRows(answer, by="treated_by") for asked, answer in answers.items()} | {
        asked: OwnRows(service.read(asked), by="treated_by") for asked in alone
    }
    return lambda code: _clients({asked: part.of(code) for asked, part in parts.items()}, code=code)


def _clients(rows: Mapping[str, list[Row]], *, code: str) -> list[ClientRows]:
    sessions = Counter(row["episode_id"] for row in rows[readings.OPEN_SESSIONS])
    appointments = _grouped(rows[readings.OPEN_APPOINTMENTS], "episode_id")
    ratings, timelines, tracks, changes, ruptures, milestones = (
        _grouped(rows[asked], "client_id", "episode_id")
        for asked in (
            readings.OPEN_RATINGS,
            readings.OPEN_SIGNS,
            readings.OPEN_TRACKS,
            readings.OPEN_CHANGES,
            readings.DIPS,
            readings.OPEN_MILESTONES,
        )
    )
    order = {row["episode_id"]: place for place, row in enumerate(rows[readings.OPEN_COURSES])}
    latest: dict[str, tuple[str, str]] = {}
    for key in sorted({*ratings, *timelines, *tracks}, key=lambda key: (order[key[1]], key[0])):
        latest[key[0]] = key
    return [
        ClientRows(
            code=code,
            client=client,
            sessions=sessions[key[1]],
            alliance=_by_measure(row for row in ratings.get(key, []) if row["kind"] == "alliance"),
            outcomes=_by_measure(row for row in ratings.get(key, []) if row["kind"] == "outcome"),
            tracks={row["instrument"]: row for row in tracks.get(key, [])},
            changes={row["instrument"]: row for row in changes.get(key, [])},
            ruptures=ruptures.get(key, []),
            timeline=timelines.get(key, []),
            appointments=appointments.get(key[1], []),
            milestones=milestones.get(key, []),
        )
        for client, key in sorted(latest.items())
    ]


def _by_measure(rows: Iterable[Row]) -> dict[str, list[tuple[int, float]]]:
    """Session and score by measure; of two forms for one session the later one stands."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        found.setdefault(row["instrument"], {})[row["session_number"]] = row["score"]
    return {instrument: sorted(each.items()) for instrument, each in found.items()}


def _grouped(rows: Iterable[Row], *by: str) -> dict[Any, list[Row]]:
    """Rows by the value of a column, or by the values of several."""
    found: dict[Any, list[Row]] = {}
    key = itemgetter(*by)
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found
