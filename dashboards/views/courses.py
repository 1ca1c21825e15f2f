"""Open clients' scores so far against what clients who began alike score by then.

Belongs here: one clinician's open courses as small lines. Does not belong here: the expectation (`analysis.client_tracks`,
`analysis.expected_progress`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards import course_words, words
from dashboards.views import recalled
from dashboards.views.clients import Caseload
from dashboards.views.model import Course, Panel, Table
from dashboards.views.scales import is_higher_better
from dashboards.views.service import Row, Service

SHOWN_COURSES = 12
_LEAST_SESSIONS = 8
_ORDER = ("well_behind", "behind", "on_track", "cannot_tell")
_TONES = {"well_behind": "worse"}


@dataclass(frozen=True, kw_only=True)
class _Track:
    """One client's scores by session with what was expected of them."""

    row: Row
    scores: tuple[tuple[int, float], ...]
    band: tuple[tuple[int, float, float], ...]


def courses_panel(service: Service, clients: Caseload, *, instrument: str | None) -> Panel:
    """Open clients' scores so far; well behind first, then by client."""
    measure = instrument or ""
    better = "higher" if is_higher_better(measure) else "lower"
    tracks = _tracks(service, clients, measure)
    courses = _drawn(tracks)
    counts = {each: sum(track.row["standing"] == each for track in tracks) for each in _ORDER}
    is_model = any(track.row["basis"] == "growth_model" for track in tracks)
    learnt = (
        "The band runs from the score to expect to the limit beyond which a fifth of clients who began alike lie; well behind: the outermost tenth."
        if is_model
        else "Too few courses have ended here to learn what to expect: well behind means reliably worse than at the start."
    )
    note = "" if is_model else recalled.note(service, [(measure, recalled.RELIABLE_CHANGE)])
    return Panel(
        key="courses",
        title=course_words.tracks_title(well_behind=counts["well_behind"], behind=counts["behind"], total=len(tracks)),
        caption=f"{measure or 'Outcome'} by session; {better} is better. {learnt} Well behind first, then by client; "
        f"{min(SHOWN_COURSES, len(courses))} of {len(courses)} drawn.{note}",
        how="each line is one client\u2019s scores, the dot the latest; on the worse side of the band a client is behind.",
        method="progress",
        trajectories=tuple(courses[:SHOWN_COURSES]),
        wide=True,
        table=Table(
            columns=("Client", "Session", "First", "Latest", "To expect by then", "Behind beyond", "Standing"),
            rows=tuple(
                (
                    track.row["client_id"],
                    str(track.row["session_number"]),
                    words.score(track.row["first_score"]),
                    words.score(track.row["latest_score"]),
                    words.decimal(track.row["expected"]),
                    words.decimal(track.row["behind_limit"]),
                    course_words.STANDINGS[track.row["standing"]],
                )
                for track in tracks
            ),
            numeric=frozenset({1, 2, 3, 4, 5}),
        ),
        empty=None if courses else "No open client has two or more scores.",
    )


def _tracks(service: Service, clients: Caseload, measure: str) -> list[_Track]:
    scores: dict[tuple[str, str], list[tuple[int, float]]] = {}
    for row in clients.ratings:
        if row["instrument"] == measure:
            scores.setdefault((row["client_id"], row["episode_id"]), []).append((row["session_number"], row["score"]))
    bands = service.bands.get(measure, ())
    found = []
    for row in (each for each in clients.tracks if each["instrument"] == measure):
        part = scores.get((row["client_id"], row["episode_id"]), [])
        if len(part) < 2 or row["first_score"] is None or row["latest_score"] is None:
            continue
        points = tuple(dict(part).items())
        found.append(_Track(row=row, scores=points, band=expected_band(bands, row["first_score"], until=points[-1][0])))
    return sorted(found, key=lambda each: (_ORDER.index(each.row["standing"]), each.row["client_id"]))


def expected_band(bands: Sequence[Row], first: float, *, until: int) -> tuple[tuple[int, float, float], ...]:
    """Expected score and limit by session for the quarter that a first score lies in; empty without a model."""
    groups = sorted({row["baseline_group"]: row["first_from"] for row in bands}.items())
    group = next((name for name, start in reversed(groups) if first >= start), groups[0][0] if groups else None)
    return tuple(
        (row["session_number"], row["expected"], row["behind_limit"])
        for row in bands
        if row["baseline_group"] == group and row["session_number"] <= max(until, _LEAST_SESSIONS)
    )


def _drawn(tracks: Sequence[_Track]) -> list[Course]:
    ends = [score for each in tracks for _, score in each.scores]
    ends += [limit for each in tracks for point in each.band for limit in point[1:]]
    low, high = (min(ends), max(ends)) if ends else (0.0, 1.0)
    scale = (high - low) or 1.0
    found = []
    for each in tracks:
        last = max(each.scores[-1][0], _LEAST_SESSIONS)

        def across(session: int, last: int = last) -> float:
            return round(6 + 150 * (session - 1) / (last - 1), 1)

        def up(score: float) -> float:
            return round(72 - 64 * (score - low) / scale, 1)

        line = " ".join(
            f"{'L' if place else 'M'}{across(session)} {up(score)}"
            for place, (session, score) in enumerate(each.scores)
        )
        edge = [f"{across(session)} {up(expected)}" for session, expected, _ in each.band]
        back = [f"{across(session)} {up(limit)}" for session, _, limit in reversed(each.band)]
        found.append(
            Course(
                client=each.row["client_id"],
                line=line,
                band=f"M{' L'.join([*edge, *back])}Z" if edge else None,
                last=(across(each.scores[-1][0]), up(each.scores[-1][1])),
                first_words=words.score(each.scores[0][1]),
                last_words=words.score(each.scores[-1][1]),
                words=course_words.STANDINGS[each.row["standing"]],
                tone=_TONES.get(each.row["standing"], "ordinary"),
            )
        )
    return found
