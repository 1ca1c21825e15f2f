"""Panels of a client's own page: scores, working together, appointments, signs worth a word, milestones.

Belongs here: one client's rows as panels. Does not belong here: their sentences (`dashboards.client_words`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dashboards import client_words, words
from dashboards.figures.client import scores, together
from dashboards.views import recalled
from dashboards.views.client_rows import ClientRows
from dashboards.views.courses import expected_band
from dashboards.views.model import Cell, Mark, Panel, Strip, Table, Tag
from dashboards.views.scales import is_higher_better, score_span
from dashboards.views.service import Row, Service

_SHOWN = 24
_LOOKED_BACK = 3
_STATUS_MARKS = {
    "attended": "steady",
    "did_not_attend": "dip",
    "cancelled_by_client": "missing",
    "cancelled_by_clinic": "clinic",
    "late_not_seen": "low",
}
_SETBACKS = frozenset({"sudden_loss"})
_WITHOUT_MEASURE = frozenset({"repaired_rupture"})


def with_pages(panel: Panel, pages: Mapping[str, str]) -> Panel:
    """A panel whose rows of clients lead to those clients' own pages, where they have one."""
    return replace(
        panel,
        strips=tuple(replace(each, href=pages.get(each.client)) for each in panel.strips),
        trajectories=tuple(replace(each, href=pages.get(each.client)) for each in panel.trajectories),
    )


def standing(rows: ClientRows, instrument: str) -> tuple[str, bool]:
    """How sure it is that scores have changed since the first, and whether for the better.

    A change at or beyond the size that counts as reliable is clear; a smaller one may be chance.
    """
    change = rows.changes.get(instrument)
    if len(rows.outcomes[instrument]) < 2 or change is None or change["improvement"] is None:
        return "too_few", False
    counts = change["reliable_change"]
    is_clear = counts is not None and abs(change["improvement"]) >= counts
    return "clear" if is_clear else "cannot_tell", change["improvement"] > 0


def course_panel(service: Service, rows: ClientRows, instrument: str) -> Panel:
    """One outcome measure's scores, what could be chance, and what is usual by then."""
    points = rows.outcomes[instrument]
    change = rows.changes.get(instrument, {})
    track = rows.tracks.get(instrument)
    counts = change.get("reliable_change")
    sign = 1 if is_higher_better(instrument) else -1
    first = points[0][1]
    usual = _usual(service, instrument, track=track, until=points[-1][0])
    expected = {session: at for session, at, _ in usual}
    certainty, is_better = standing(rows, instrument)
    table: list[tuple[Cell, ...]] = [
        (
            str(session),
            words.score(score),
            words.decimal(expected[session]) if session in expected else "",
            "The first score, to compare with"
            if place == 0
            else client_words.change_words(improvement=sign * (score - first), change=counts),
        )
        for place, (session, score) in enumerate(points)
    ]
    caption = client_words.course_caption(
        instrument,
        is_higher_better=sign > 0,
        change=counts,
        standing=None if track is None else track["standing"],
        has_band=bool(usual),
    )
    return Panel(
        key=f"course-{instrument.lower()}",
        title=client_words.course_title(instrument, certainty=certainty, is_better=is_better),
        caption=f"{caption}{recalled.note(service, [(instrument, recalled.RELIABLE_CHANGE)]) if counts is not None else ''}",
        how=client_words.course_how(has_change=counts is not None, has_band=bool(usual)),
        method="progress",
        table=Table(
            columns=("Session", "Score", "Usual by then", "Against the first"),
            rows=tuple(table),
            numeric=frozenset({0, 1, 2}),
        ),
        figure=scores(
            points=points, unsure=None if counts is None else (first - counts, first + counts), usual=usual, scale=score_span(instrument)[:2]
        ),
    )  # fmt: skip


def _usual(service: Service, instrument: str, *, track: Row | None, until: int) -> tuple[tuple[int, float, float], ...]:
    if track is None or track["first_score"] is None or track["basis"] != "growth_model":
        return ()
    return expected_band(service.bands.get(instrument, ()), track["first_score"], until=until)


def together_panel(rows: ClientRows, instrument: str | None) -> Panel:
    """The client's ratings of the alliance with dips and where they were put right."""
    points = rows.alliance.get(instrument or "", [])
    dips = [row for row in rows.ruptures if row["instrument"] == instrument]
    fell = {row["session_number"] for row in dips}
    mended = {row["repaired_session_number"] for row in dips if row["repaired_session_number"] is not None}
    last = dips[-1] if dips else None
    return Panel(
        key="together",
        title=client_words.together_title(
            ratings=len(points),
            dip=None if last is None else last["session_number"],
            repaired=None if last is None else last["repaired_session_number"],
        ),
        caption=client_words.together_caption(instrument or "form"),
        how="each dot is a session; a triangle down is a dip, a triangle up where it was put right.",
        method="dip",
        table=Table(
            columns=("Session", "Rating", "Against your own usual"),
            rows=tuple(
                (str(session), words.score(score), _reading(session, points[0][0], dips, fell=fell, mended=mended))
                for session, score in points
            ),
            numeric=frozenset({0, 1}),
        ),
        figure=together(points=points, dips=fell, repaired=mended, scale=score_span(instrument or "")[:2])
        if points
        else None,
        empty=None if points else "No rating of working together has been filled in yet.",
    )


def _reading(session: int, first: int, dips: Sequence[Row], *, fell: set[int], mended: set[int]) -> str:
    if session in fell:
        return "A dip below your usual"
    if session in mended:
        return "Back near your usual"
    if session == first:
        return "Too early to say"
    is_low = any(
        row["session_number"] < session
        and (row["repaired_session_number"] is None or session < row["repaired_session_number"])
        for row in dips
    )
    return "Since a dip, not yet back to your usual" if is_low else "No marked fall below your usual"


def attendance_panel(rows: ClientRows) -> Panel | None:
    """What became of each appointment; None where there is none."""
    if not rows.appointments:
        return None
    counts = {status: sum(row["status"] == status for row in rows.appointments) for status in client_words.BECAME}
    drawn = rows.appointments[-_SHOWN:]
    happened = [status for status, count in counts.items() if count]
    return Panel(
        key="appointments",
        title=client_words.attendance_title(took_place=counts["attended"], total=len(rows.appointments)),
        caption="Every appointment of this course of treatment, the earliest first"
        f"{f'; the latest {_SHOWN} are drawn' if len(rows.appointments) > _SHOWN else ''}. Counted, not estimated. "
        "Life gets in the way of appointments; the clinic\u2019s own cancellations are the clinic\u2019s doing.",
        how="each mark is an appointment, in order.",
        method="attendance",
        strips=(
            Strip(
                client="Appointments",
                marks=_placed([_STATUS_MARKS.get(row["status"], "missing") for row in drawn]),
                words="; ".join(f"{client_words.BECAME[status]}: {counts[status]}" for status in happened),
                tone="ordinary",
            ),
        ),
        marks=tuple((_STATUS_MARKS[status], client_words.BECAME[status].lower()) for status in happened),
        wide=True,
        table=Table(
            columns=("Appointment", "Month", "What became of it"),
            rows=tuple(
                (str(place), words.month(row["starts_on"]), client_words.BECAME.get(row["status"], "Not known"))
                for place, row in enumerate(rows.appointments, start=1)
            ),
            numeric=frozenset({0}),
        ),
    )


def signs_panel(rows: ClientRows) -> Panel | None:
    """Small signs session by session that something may be hard to say; None where no session is known."""
    if not rows.timeline:
        return None
    drawn = rows.timeline[-_SHOWN:]
    seen = signs_lately(rows)
    at = {name: [row["session_number"] for row in drawn if row[name]] for name in client_words.SIGNS}
    return Panel(
        key="signs",
        title=client_words.signs_title(seen),
        caption="Four small things that can mean that something is hard to say, and often mean nothing. "
        f"{client_words.IS_NO_JUDGEMENT} Counted, not estimated; the title is of the latest {_LOOKED_BACK} sessions.",
        how="each mark is a session, in order; a filled one shows the sign.",
        method="holding",
        strips=tuple(
            Strip(
                client=said,
                marks=_placed(["steady" if row[name] else "missing" for row in drawn]),
                words=client_words.at_sessions(at[name]),
                tone="ordinary",
            )
            for name, said in client_words.SIGNS.items()
        ),
        marks=(("steady", "seen"), ("missing", "not seen")),
        wide=True,
        table=Table(
            columns=("Sign", "Seen at"),
            rows=tuple((said, client_words.at_sessions(at[name])) for name, said in client_words.SIGNS.items()),
        ),
    )


def signs_lately(rows: ClientRows) -> list[str]:
    """Signs of the latest sessions, in words."""
    late = rows.timeline[-_LOOKED_BACK:]
    return [said for name, said in client_words.SIGNS.items() if any(row[name] for row in late)]


def reached_panel(service: Service, rows: ClientRows) -> Panel:
    """What the client has reached, and steps back, by session."""
    table: list[tuple[Cell, ...]] = []
    uses = []
    for row in rows.milestones:
        name = row["milestone"]
        said = client_words.REACHED[name]
        if name not in _WITHOUT_MEASURE:
            said = f"{said} ({row['instrument']})"
            uses += [(row["instrument"], fact) for fact in (recalled.RELIABLE_CHANGE, recalled.CUT_OFF)]
        is_setback = name in _SETBACKS
        table.append(
            (
                Tag(words=said, tone="ordinary" if is_setback else "better"),
                str(row["session_number"]),
                client_words.held_words(is_held=row["is_held"]),
            )
        )
    good = sum(row["milestone"] not in _SETBACKS for row in rows.milestones)
    return Panel(
        key="reached",
        title=client_words.reached_title(good),
        caption=f"What your scores and ratings show, by session. {client_words.COULD_BE_OFF}{recalled.note(service, uses)}",
        method="milestones",
        table=Table(
            columns=("Milestone", "Session", "Still so"),
            rows=tuple(table),
            numeric=frozenset({1}),
        ),
        shown=True,
        empty=None if table else "Nothing has been reached by the numbers yet. Much that matters is in no number.",
    )


def _placed(kinds: Sequence[str]) -> tuple[Mark, ...]:
    step = 384 / (_SHOWN - 1)
    return tuple(Mark(x=round(8 + place * step, 1), kind=kind) for place, kind in enumerate(kinds))
