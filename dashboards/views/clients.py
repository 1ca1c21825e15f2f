"""One clinician's own clients: alliance dips session by session, and scores so far.

Belongs here: the only views with client ids. They are given one clinician's rows and never see another's.
"""

from dataclasses import dataclass

import polars as pl

from dashboards import words
from dashboards.views import recalled
from dashboards.views.model import Course, Mark, Panel, Strip, Table
from dashboards.views.service import Service, is_higher_better

SHOWN_COURSES = 12
SHOWN_SESSIONS = 24
_CATEGORIES = {
    "recovered": "Recovered so far",
    "improved": "Reliably improved so far",
    "unchanged": "No reliable change so far",
    "deteriorated": "Reliably worse so far",
    "harmed": "Reliably worse so far",
    "not_evaluable": "Too few scores so far",
}


@dataclass(frozen=True, kw_only=True)
class ClientFrames:
    """One clinician's rows.

    Attributes:
        ratings: Clients' own ratings of open episodes with this clinician.
        sessions: Sessions of those episodes with this clinician.
        ruptures: Every alliance dip with this clinician, open episodes and closed.
        change: Change so far in open episodes.
        open_episodes: Ids of open episodes.
        milestones: Milestones and setbacks that sessions of the period show, with their cases.
        seen: Cases seen in the period.
    """

    ratings: pl.DataFrame
    sessions: pl.DataFrame
    ruptures: pl.DataFrame
    change: pl.DataFrame
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
        "change": tables["analysis.client_change"].filter(is_open),
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
    strips = []
    rows = []
    for (client, episode), part in dips.partition_by(
        "client_id", "episode_id", as_dict=True, maintain_order=True
    ).items():
        last = part.row(-1, named=True)
        is_waiting = last["state"] != "repaired"
        said = (
            f"Dip at session {last['session_number']}, repaired by {last['repaired_session_number']}"
            if not is_waiting
            else f"Dip at session {last['session_number']}, not yet repaired"
        )
        strips.append(
            Strip(
                client=str(client),
                marks=_marks(clients, client, episode, part, instrument or ""),
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
            for row in part.iter_rows(named=True)
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
        wide=True,
        table=Table(
            columns=("Client", "Session", "Fall, points", "State", "Repaired by session"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 4}),
        ),
        empty=None if strips else "No open client has had an alliance dip.",
    )


def _marks(
    clients: ClientFrames, client: object, episode: object, dips: pl.DataFrame, instrument: str
) -> tuple[Mark, ...]:
    attended = clients.sessions.filter(pl.col("episode_id") == episode)["session_number"].sort().to_list()
    scored = set(
        clients.ratings.filter(
            (pl.col("client_id") == client) & (pl.col("episode_id") == episode) & (pl.col("instrument") == instrument)
        )["session_number"]
        .drop_nulls()
        .to_list()
    )
    fell = set(dips["session_number"].to_list())
    mended = set(dips["repaired_session_number"].drop_nulls().to_list())
    low = set()
    for row in dips.iter_rows(named=True):
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


def courses_panel(service: Service, clients: ClientFrames, *, instrument: str | None) -> Panel:
    """Open clients' scores so far; reliably worse first, then by client."""
    measure = instrument or ""
    is_up = is_higher_better(measure)
    scores = clients.ratings.filter((pl.col("instrument") == measure) & (pl.col("kind") == "outcome"))
    split = scores.sort("completed_on", "rating_id").partition_by("client_id", "episode_id", as_dict=True)
    ends = [scores["score"].min(), scores["score"].max()] if scores.height else [0.0, 1.0]
    found = []
    for row in (
        clients.change.filter(pl.col("instrument") == measure).sort("client_id", "episode_id").iter_rows(named=True)
    ):
        part = split.get((row["client_id"], row["episode_id"]))
        if part is None or part.height < 2 or row["category"] == "not_evaluable":
            continue
        is_worse = bool(row["is_reliably_deteriorated"])
        target = None
        if row["first_score"] is not None and row["reliable_change"] is not None:
            target = row["first_score"] + (1 if is_up else -1) * row["reliable_change"]
        values = part["score"].to_list()
        tone = "worse" if is_worse else "better" if row["is_reliably_improved"] else "ordinary"
        found.append(
            (
                not is_worse,
                _course(
                    row["client_id"],
                    values,
                    target,
                    ends=(float(ends[0]), float(ends[1])),
                    said=_CATEGORIES[row["category"]],
                    tone=tone,
                ),
                len(values),
            )
        )
    found.sort(key=lambda each: (each[0], each[1].client))
    courses = [course for _, course, _ in found]
    behind = sum(course.tone == "worse" for course in courses)
    better = "higher" if is_up else "lower"
    return Panel(
        key="courses",
        title=words.trajectories_title(behind=behind, total=len(courses)),
        caption=f"{measure or 'Outcome'} form by form; {better} is better. The dashed line is where improvement since the first score is beyond measurement error. "
        f"Reliably worse first, then by client; {min(SHOWN_COURSES, len(courses))} of {len(courses)} drawn."
        f"{recalled.note(service, [(measure, recalled.RELIABLE_CHANGE)])}",
        how=f"each line is one client\u2019s scores in order; the dot is the latest, {better} is better.",
        method="reliable",
        trajectories=tuple(courses[:SHOWN_COURSES]),
        wide=True,
        table=Table(
            columns=("Client", "Scores", "First", "Latest", "So far"),
            rows=tuple(
                (course.client, str(count), course.first_words, course.last_words, course.words)
                for _, course, count in found
            ),
            numeric=frozenset({1, 2, 3}),
        ),
        empty=None if courses else "No open client has two or more scores.",
    )


def _course(
    client: str, values: list[float], target: float | None, *, ends: tuple[float, float], said: str, tone: str
) -> Course:
    low, high = ends if target is None else (min(ends[0], target), max(ends[1], target))
    scale = (high - low) or 1.0
    step = 150 / max(len(values) - 1, 1)

    def place(value: float) -> float:
        return round(72 - 64 * (value - low) / scale, 1)

    line = " ".join(f"{'M' if i == 0 else 'L'}{6 + i * step:.1f} {place(value)}" for i, value in enumerate(values))
    return Course(
        client=client,
        line=line,
        target=None if target is None else place(target),
        last=(round(6 + (len(values) - 1) * step, 1), place(values[-1])),
        first_words=words.score(values[0]),
        last_words=words.score(values[-1]),
        words=said,
        tone=tone,
    )
