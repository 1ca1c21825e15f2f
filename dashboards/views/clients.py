"""One clinician's own clients: whose rows a page is given, and alliance dips session by session.

Belongs here: the only views with client ids. They are given one clinician's rows and never see another's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from dashboards import readings, words
from dashboards.views.model import Mark, Panel, Strip, Table
from dashboards.views.own_rows import OwnRows
from dashboards.views.service import Row, Service

SHOWN_SESSIONS = 24
_LEGEND = (
    ("steady", "steady"),
    ("dip", "dip"),
    ("low", "still low"),
    ("repaired", "repaired"),
    ("missing", "no score"),
)


@dataclass(frozen=True, kw_only=True)
class Caseload:
    """One clinician's rows.

    Attributes:
        ratings: Clients' own ratings of open episodes with this clinician, by session.
        sessions: Sessions of those episodes with this clinician, by number.
        ruptures: Every alliance dip with this clinician, open episodes and closed.
        tracks: Where open episodes stand against what was expected.
        timelines: Sessions of open episodes with their signals of holding back.
        milestones: Milestones and setbacks that sessions of the period show, with their cases.
        seen: Cases seen in the period.
    """

    ratings: list[Row]
    sessions: list[Row]
    ruptures: list[Row]
    tracks: list[Row]
    timelines: list[Row]
    milestones: list[Row]
    seen: int

    @property
    def open_episodes(self) -> frozenset[str]:
        """Open episodes in which this clinician held a session."""
        return frozenset(row["episode_id"] for row in self.sessions)


def caseloads(service: Service, answers: Mapping[str, pl.DataFrame]) -> Callable[[str], Caseload]:
    """Gives one clinician's rows at a time, and nobody else's.

    Args:
        service: The night.
        answers: What `client_rows.of_open_courses` read.
    """
    seen = dict(service.read(readings.seen(service.settings)).iter_rows())
    parts = {
        name: OwnRows(answers[asked], by="clinician_id")
        for name, asked in {
            "ratings": readings.OPEN_RATINGS,
            "sessions": readings.OPEN_SESSIONS,
            "ruptures": readings.DIPS,
            "tracks": readings.OPEN_TRACKS,
            "timelines": readings.OPEN_SIGNS,
        }.items()
    }
    parts["milestones"] = OwnRows(service.read(readings.milestones_shown(service.settings)), by="clinician_id")
    return lambda code: Caseload(**{name: part.of(code) for name, part in parts.items()}, seen=seen.get(code, 0))


def dips_panel(clients: Caseload, *, instrument: str | None) -> Panel:
    """Open clients with a dip, session by session; dips without repair first, then by client."""
    is_open = clients.open_episodes
    dips = [row for row in clients.ruptures if row["instrument"] == instrument and row["episode_id"] in is_open]
    attended, scored = _sessions(clients, instrument) if dips else ({}, {})
    strips = []
    rows = []
    by_course = groupby(dips, key=lambda row: (row["client_id"], row["episode_id"]))
    for (client, episode), part in ((key, list(found)) for key, found in by_course):
        last = part[-1]
        is_waiting = last["state"] != "repaired"
        said = (
            f"Dip at session {last['session_number']}, repaired by {last['repaired_session_number']}"
            if not is_waiting
            else f"Dip at session {last['session_number']}, not yet repaired"
        )
        strips.append(
            Strip(
                client=str(client),
                marks=_marks(attended.get(episode, []), scored=scored.get((client, episode), set()), dips=part),
                words=said,
                tone="worse" if is_waiting else "better",
            )
        )
        rows += [
            (
                str(client),
                str(row["session_number"]),
                words.decimal(row["fall"]),
                {"repaired": "Repaired", "unrepaired": "Not repaired", "open": "Too early to say"}[row["state"]],
                "" if row["repaired_session_number"] is None else str(row["repaired_session_number"]),
            )
            for row in part
        ]
    strips.sort(key=lambda each: (each.tone != "worse", each.client))
    return Panel(
        key="dips",
        title=words.dips_title(waiting=sum(each.tone == "worse" for each in strips)),
        caption=f"One row an open client with a dip: a marked fall of the {instrument or 'alliance'} score below the client\u2019s own earlier sessions. "
        f"The latest {SHOWN_SESSIONS} sessions are drawn. A dip is a prompt to ask, not a fault.",
        how="each mark is a session, in order; a triangle down is a dip, a triangle up its repair.",
        method="dip",
        strips=tuple(strips),
        marks=_LEGEND,
        wide=True,
        table=Table(
            columns=("Client", "Session", "Fall, points", "State", "Repaired by session"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 4}),
        ),
        empty=None if strips else "No open client has had an alliance dip.",
    )


def _sessions(
    clients: Caseload, instrument: str | None
) -> tuple[dict[str, list[int]], dict[tuple[str, str], set[int]]]:
    """Sessions by open episode, and those with a score by client and episode."""
    attended: dict[str, list[int]] = {}
    for row in clients.sessions:
        attended.setdefault(row["episode_id"], []).append(row["session_number"])
    scored: dict[tuple[str, str], set[int]] = {}
    for row in clients.ratings:
        if row["instrument"] == instrument:
            scored.setdefault((row["client_id"], row["episode_id"]), set()).add(row["session_number"])
    return attended, scored


def _marks(attended: Sequence[int], *, scored: set[int], dips: Sequence[Row]) -> tuple[Mark, ...]:
    fell = {row["session_number"] for row in dips}
    mended = {row["repaired_session_number"] for row in dips}
    low: set[int] = set()
    for row in dips:
        end = row["repaired_session_number"] or (attended[-1] + 1 if attended else 0)
        low |= set(range(row["session_number"] + 1, end))
    shown = attended[-SHOWN_SESSIONS:]
    step = 384 / max(SHOWN_SESSIONS - 1, 1)
    return tuple(
        Mark(
            x=round(8 + place * step, 1),
            kind="dip"
            if number in fell
            else "repaired"
            if number in mended
            else "missing"
            if number not in scored
            else "low"
            if number in low
            else "steady",
        )
        for place, number in enumerate(shown)
    )
