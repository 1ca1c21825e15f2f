"""One open client's own rows, taken out of the night's tables once for every page.

Belongs here: whose rows a client's page is given: their own, of the course of treatment that is open with the clinician
who treats them. Does not belong here: what the page makes of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

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


def clients_by_clinician(service: Service) -> dict[str, list[ClientRows]]:
    """Open clients of every clinician whose own page is shown, by code; a client with two open courses by the latest."""
    shown = pl.col("clinician_id").is_in(list(service.shown))
    episodes = service.tables["marts.episodes"].filter(pl.col("is_open") & shown).sort("last_session_on", "episode_id")
    treats = dict(episodes.select("episode_id", "clinician_id").iter_rows())
    is_of = pl.col("episode_id").is_in(list(treats))

    def rows(table: str, *by: str) -> Iterable[Row]:
        return service.tables[table].filter(is_of).sort(by).iter_rows(named=True)

    sessions = _by_episode(rows("marts.sessions", "session_number"))
    appointments = _by_episode(rows("marts.appointments", "starts_at", "appointment_id"))
    ratings = _by_client(
        row
        for row in rows("marts.ratings", "session_number", "rating_id")
        if row["rater"] == "client" and row["score"] is not None and row["session_number"] is not None
    )
    timelines = _by_client(rows("analysis.holding_back", "session_number"))
    tracks = _by_client(rows("analysis.client_tracks", "instrument"))
    changes = _by_client(rows("analysis.client_change", "instrument"))
    ruptures = _by_client(rows("analysis.ruptures", "session_number"))
    milestones = _by_client(rows("analysis.milestones", "session_number", "milestone"))
    known = {*ratings, *timelines, *tracks}
    order = {episode: place for place, episode in enumerate(treats)}
    latest: dict[tuple[str, str], tuple[str, str]] = {}
    for client, episode in sorted(known, key=lambda key: (order[key[1]], key[0])):
        latest[treats[episode], client] = (client, episode)
    found: dict[str, list[ClientRows]] = {code: [] for code in service.shown}
    for (code, client), key in sorted(latest.items()):
        scores = ratings.get(key, [])
        found[code].append(
            ClientRows(
                code=code,
                client=client,
                sessions=len(sessions.get(key[1], [])),
                alliance=_by_measure(row for row in scores if row["kind"] == "alliance"),
                outcomes=_by_measure(row for row in scores if row["kind"] == "outcome"),
                tracks={row["instrument"]: row for row in tracks.get(key, [])},
                changes={row["instrument"]: row for row in changes.get(key, [])},
                ruptures=ruptures.get(key, []),
                timeline=timelines.get(key, []),
                appointments=appointments.get(key[1], []),
                milestones=milestones.get(key, []),
            )
        )
    return found


def _by_measure(rows: Iterable[Row]) -> dict[str, list[tuple[int, float]]]:
    """Session and score by measure; of two forms for one session the later one stands."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        found.setdefault(row["instrument"], {})[row["session_number"]] = row["score"]
    return {instrument: sorted(each.items()) for instrument, each in found.items()}


def _by_client(rows: Iterable[Row]) -> dict[tuple[str, str], list[Row]]:
    return _grouped(rows, lambda row: (row["client_id"], row["episode_id"]))


def _by_episode(rows: Iterable[Row]) -> dict[str, list[Row]]:
    return _grouped(rows, lambda row: row["episode_id"])


def _grouped(rows: Iterable[Row], key: Any) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found
