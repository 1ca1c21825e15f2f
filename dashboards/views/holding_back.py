"""Signals that a client may be holding back: one line a client on the treating clinician's page, and what they are worth.

Belongs here: timelines of one clinician's open clients, counts of them, and the index's calibration. Does not belong here:
the signals and the index (`assets.science`). Signals are a reason to ask, never a diagnosis.
"""

from collections.abc import Sequence

from assets.science.disclosure import rounded_count
from dashboards import course_words, words
from dashboards.thresholds import COUNTS_TO_NEAREST, WORTH_ASKING
from dashboards.views.areas import Area
from dashboards.views.model import Mark, Panel, Strip, Table
from dashboards.views.service import Row, Service

SHOWN_CLIENTS = 8
_SHOWN_SESSIONS = 24
_LOOKED_BACK = 3
_KINDS = {
    "has_fallen": "alliance fell",
    "missed_before": "missed or called off",
    "is_gap_longer": "longer gap",
    "is_form_skipped": "form left out",
}


def timelines_panel(timelines: Sequence[Row]) -> Panel:
    """Open clients with two or more kinds of signal lately, session by session."""
    courses: dict[tuple[str, str], list[Row]] = {}
    for row in timelines:
        courses.setdefault((row["client_id"], row["episode_id"]), []).append(row)
    latest = [max(each, key=lambda row: row["session_number"]) for each in courses.values()]
    asking = sorted(
        (row for row in latest if row["signals"] >= WORTH_ASKING), key=lambda row: (-row["signals"], row["client_id"])
    )
    strips, rows = [], []
    for row in asking:
        course = sorted(courses[row["client_id"], row["episode_id"]], key=lambda each: each["session_number"])
        kinds = [said for name, said in _KINDS.items() if any(each[name] for each in course[-_LOOKED_BACK:])]
        which = words.listed(kinds) if kinds else ""
        strips.append(
            Strip(
                client=row["client_id"],
                marks=_marks(course[-_SHOWN_SESSIONS:]),
                words=f"{row['signals']} of 4: {which}" if which else f"{row['signals']} of 4 signals",
                tone="worse",
            )
        )
        rows.append((row["client_id"], str(row["session_number"]), str(row["signals"]), which))
    return Panel(
        key="holding-back",
        title=course_words.holding_back_title(asking=len(asking), total=len(latest)),
        caption="Over the latest three sessions, how many of four kinds of signal showed: a fall of alliance, an appointment missed or called off, a longer gap than "
        f"the client\u2019s own usual, a form left out. {min(SHOWN_CLIENTS, len(strips))} of {len(strips)} drawn, most kinds first. Counted, not estimated; a reason to ask, never a diagnosis.",
        how="each mark is a session; a triangle has two or more kinds of signal, a ring has one.",
        method="holding",
        strips=tuple(strips[:SHOWN_CLIENTS]),
        marks=(("steady", "no signal"), ("missing", "one"), ("dip", "two or more")),
        wide=True,
        table=Table(
            columns=("Client", "Latest session", "Kinds of signal, of 4", "Which"),
            rows=tuple(rows),
            numeric=frozenset({1, 2}),
        ),
        empty=None if strips else "No open client shows two or more kinds of signal.",
    )


def worth_panel(service: Service, area: Area) -> Panel | None:
    """What the signals are worth here: who left unplanned within three sessions, by how many kinds showed."""
    rows = [
        row
        for row in area.rows(service.tables["analysis.holding_back_calibration"]).sort("signals").iter_rows(named=True)
        if row["certainty"] != "too_few" and None not in (row["observed"], row["predicted"])
    ]
    if not rows:
        return None
    first = rows[0]
    title = {
        "clear": "Signals of holding back tell something of who leaves",
        "likely": "Signals of holding back probably tell something of who leaves",
    }.get(first["certainty"], "Cannot tell whether signals of holding back tell anything of who leaves")
    return Panel(
        key="signals",
        title=title,
        caption=f"{_open_now(service, area)}{first['sentence']} Foreseen from courses begun earlier, seen in those begun later, with 95% ranges.",
        method="holding",
        table=Table(
            columns=("Kinds of signal", "Checks", "Left soon, seen", "95% range", "Foreseen", "95% range"),
            rows=tuple(
                (
                    str(row["signals"]) if row["signals"] < 3 else "3 or 4",
                    f"{row['checks']:,}",
                    words.percent(row["observed"]),
                    words.percent_between(row["observed_low"], row["observed_high"]),
                    words.percent(row["predicted"]),
                    words.percent_between(row["predicted_low"], row["predicted_high"]),
                )
                for row in rows
            ),
            numeric=frozenset({0, 1, 2, 3, 4, 5}),
        ),
        is_detail=True,
        shown=True,
        wide=True,
    )


def _open_now(service: Service, area: Area) -> str:
    """How many open clients show signals now, as a count that names nobody; empty where they are few."""
    asking, total = service.showing_signs.get((area.scope, area.name), (0, 0))
    if total < service.settings.minimum_clients or 0 < asking < service.settings.minimum_clients:
        return ""
    about = [rounded_count(each, round_to=COUNTS_TO_NEAREST) for each in (asking, total)]
    return (
        f"Open now: about {about[0]} of about {about[1]} clients show two or more kinds, counted to the nearest five. "
    )


def _marks(course: Sequence[Row]) -> tuple[Mark, ...]:
    step = 384 / (_SHOWN_SESSIONS - 1)
    kinds = {0: "steady", 1: "missing"}
    return tuple(
        Mark(x=round(8 + place * step, 1), kind=kinds.get(row["signals"], "dip")) for place, row in enumerate(course)
    )
