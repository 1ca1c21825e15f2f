"""One clinician's own clients: whose rows a page is given, and alliance dips session by session.

Belongs here: the only views with client ids. They are given one clinician's rows and never see another's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from dashboards import words
from dashboards.views.model import Mark, Panel, Strip, Table
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
class ClientFrames:
    """One clinician's rows.

    Attributes:
        ratings: Clients' own ratings of open episodes with this clinician.
        sessions: Sessions of those episodes with this clinician.
        ruptures: Every alliance dip with this clinician, open episodes and closed.
        tracks: Where open episodes stand against what was expected.
        timelines: Sessions of open episodes with their signals of holding back.
        open_episodes: Ids of open episodes.
        milestones: Milestones and setbacks that sessions of the period show, with their cases.
        seen: Cases seen in the period.
    """

    ratings: pl.DataFrame
    sessions: pl.DataFrame
    ruptures: pl.DataFrame
    tracks: pl.DataFrame
    timelines: pl.DataFrame
    open_episodes: frozenset[str]
    milestones: pl.DataFrame
    seen: int


def frames_by_clinician(service: Service) -> dict[str, ClientFrames]:
    """Split once, so that a page is given its own clinician's rows alone."""
    tables = service.tables
    open_now = tables["marts.episodes"].filter(pl.col("is_open"))["episode_id"].to_list()
    is_open = pl.col("episode_id").is_in(open_now)
    start = pl.lit(service.settings.data_date).dt.offset_by(f"-{service.settings.period_months}mo")
    recent = tables["marts.sessions"].filter(pl.col("starts_on") > start)
    shows = recent.select("episode_id", "session_number", "case_id")
    seen = dict(recent.group_by("clinician_id").agg(pl.col("case_id").n_unique()).iter_rows())
    parts = {
        "milestones": tables["analysis.milestones"].join(shows, on=["episode_id", "session_number"]),
        "ratings": tables["marts.ratings"].filter(
            is_open & (pl.col("rater") == "client") & pl.col("score").is_not_null()
        ),
        "sessions": tables["marts.sessions"].filter(is_open),
        "ruptures": tables["analysis.ruptures"],
        "tracks": tables["analysis.client_tracks"].filter(is_open),
        "timelines": tables["analysis.holding_back"].filter(is_open),
    }
    split = {name: frame.partition_by("clinician_id", as_dict=True) for name, frame in parts.items()}
    return {
        code: ClientFrames(
            **{name: split[name].get((code,), frame.clear()) for name, frame in parts.items()},
            seen=seen.get(code, 0),
            open_episodes=frozenset(split["sessions"].get((code,), parts["sessions"].clear())["episode_id"].to_list()),
        )
        for code in service.shown
    }


def dips_panel(clients: ClientFrames, *, instrument: str | None) -> Panel:
    """Open clients with a dip, session by session; dips without repair first, then by client."""
    dips = clients.ruptures.filter(
        pl.col("episode_id").is_in(list(clients.open_episodes)) & (pl.col("instrument") == (instrument or ""))
    ).sort("client_id", "episode_id", "session_number")
    attended, scored = _sessions(clients, instrument or "") if dips.height else ({}, {})
    strips = []
    rows = []
    by_course = groupby(dips.iter_rows(named=True), key=lambda row: (row["client_id"], row["episode_id"]))
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


def _sessions(clients: ClientFrames, instrument: str) -> tuple[dict[str, list[int]], dict[tuple[str, str], set[int]]]:
    """Session numbers by episode, ascending, and those with a rating by client and episode."""
    attended: dict[str, list[int]] = {}
    for episode, number in clients.sessions.select("episode_id", "session_number").sort("session_number").iter_rows():
        attended.setdefault(episode, []).append(number)
    scored: dict[tuple[str, str], set[int]] = {}
    rated = clients.ratings.filter((pl.col("instrument") == instrument) & pl.col("session_number").is_not_null())
    for client, episode, number in rated.select("client_id", "episode_id", "session_number").iter_rows():
        scored.setdefault((client, episode), set()).add(number)
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
