"""Signals that a client may be holding back: one line a client on the treating clinician's page, and what they are worth.

Belongs here: timelines of one clinician's open clients, counts of them, and the index's calibration. Does not belong here:
the signals and the index (`assets.science`). Signals are a reason to ask, never a diagnosis.
"""

import polars as pl

from dashboards import course_words, words
from dashboards.views.areas import Area
from dashboards.views.model import Mark, Panel, Strip, Table
from dashboards.views.service import Service

WORTH_ASKING = 2
SHOWN_CLIENTS = 8
_SHOWN_SESSIONS = 24
_KINDS = {
    "has_fallen": "alliance fell",
    "missed_before": "missed or called off",
    "is_gap_longer": "longer gap",
    "is_form_skipped": "form left out",
}


def timelines_panel(timelines: pl.DataFrame) -> Panel:
    """Open clients with two or more kinds of signal lately, session by session."""
    latest = timelines.filter(pl.col("is_latest"))
    asking = latest.filter(pl.col("signals") >= WORTH_ASKING).sort(["signals", "client_id"], descending=[True, False])
    parts = timelines.sort("session_number").partition_by("client_id", "episode_id", as_dict=True)
    strips, rows = [], []
    for row in asking.iter_rows(named=True):
        part = parts[row["client_id"], row["episode_id"]].tail(_SHOWN_SESSIONS)
        kinds = _kinds(part.tail(3))
        said = f"{row['signals']} of 4: {words.listed(kinds)}" if kinds else f"{row['signals']} of 4 signals"
        strips.append(Strip(client=row["client_id"], marks=_marks(part), words=said, tone="worse"))
        rows.append(
            (row["client_id"], str(row["session_number"]), str(row["signals"]), words.listed(kinds) if kinds else "")
        )
    return Panel(
        key="holding-back",
        title=course_words.holding_back_title(asking=asking.height, total=latest.height),
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
        caption=f"{first['sentence']} Foreseen from courses begun earlier, seen in those begun later, with 95% ranges.",
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
        shown=True,
        wide=True,
    )


def _kinds(part: pl.DataFrame) -> list[str]:
    """Which kinds showed in these sessions, in a fixed order."""
    shown = {name: bool(part[name].fill_null(0).cast(pl.Int64).sum()) for name in _KINDS}
    return [said for name, said in _KINDS.items() if shown[name]]


def _marks(part: pl.DataFrame) -> tuple[Mark, ...]:
    step = 384 / (_SHOWN_SESSIONS - 1)
    kinds = {0: "steady", 1: "missing"}
    return tuple(
        Mark(x=round(8 + place * step, 1), kind=kinds.get(signals, "dip"))
        for place, signals in enumerate(part["signals"])
    )
