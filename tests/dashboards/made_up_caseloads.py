"""What happened in a made-up clinic: appointments, sessions, forms and episodes, client by client."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np

DATA_DATE = date(2026, 11, 20)
PAIRS = {"north": ("WAI-SR", "PHQ-9"), "harbour": ("SRS", "ORS"), "couples": ("SRS", "CSI-4")}
PROGRAMMES = ("Adult CBT", "Counselling", "Trauma")
STATUSES = ("attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic")
STATUS_SHARES = (0.83, 0.09, 0.05, 0.03)
# The CSI-4 has no published reliable change, so a clinic has no rate on it.
RELIABLE_CHANGE = {"PHQ-9": 6.0, "ORS": 5.0, "CSI-4": None}


@dataclass
class Course:
    """One client's course with one clinician, and what has come of it so far."""

    rng: np.random.Generator
    place: tuple[int, int]
    clinician_id: str
    site: str
    level: float
    improves: bool
    first_on: date
    baseline: float
    own: float
    dip_at: int | None
    sessions: int = 0
    booked: int = 0
    last_on: date | None = None
    alliance_scores: list[float] = field(default_factory=list)
    outcome_scores: list[float] = field(default_factory=list)

    @property
    def client_id(self) -> str:
        return "P{:03d}{:03d}".format(*self.place)

    @property
    def who(self) -> dict:
        return {
            "case_id": self.client_id,
            "clinician_id": self.clinician_id,
            "site": self.site,
            "episode_id": "E{:03d}{:03d}".format(*self.place),
        }


def caseload(rows, rng, *, k, clinician_id, site, clients, start) -> None:
    """Every client of one clinician; the first falls in alliance, the second and third differ in improvement."""
    level = rng.normal(0, 0.05)
    gain = {1: 0.9, 2: 0.06}.get(k, 0.42 + rng.normal(0, 0.08))
    courses, open_now = [], 0
    for c in range(clients):
        referred = start + timedelta(days=int(rng.integers(0, 900)))
        wait = int(rng.gamma(4, 9))
        course = Course(
            rng=rng,
            place=(k, c),
            clinician_id=clinician_id,
            site=site,
            level=level,
            improves=rng.uniform() < gain,
            first_on=referred + timedelta(days=wait),
            baseline=rng.normal(16, 3),
            own=rng.normal(0, 0.09),
            dip_at=int(rng.integers(4, 9)) if rng.uniform() < 0.2 else None,
        )
        planned = int(rng.integers(5, 15))
        for slot in range(planned):
            _appointment(rows, course, slot=slot)
        is_open = course.first_on + timedelta(days=7 * planned) > DATA_DATE
        open_now += is_open
        courses.append(course)
        _episode(rows, course, referred=referred, wait=wait, is_open=is_open)
    seen = [course.last_on for course in courses if course.last_on]
    rows["marts.clinicians"].append(
        {
            "clinician_id": clinician_id,
            "site": site,
            "profession": "psychotherapist",
            "cases": clients,
            "sessions": sum(course.sessions for course in courses),
            "open_episodes": open_now,
            "last_session_on": max(seen, default=None),
        }
    )


def _appointment(rows, course, *, slot) -> None:
    on = course.first_on + timedelta(days=7 * slot)
    if on > DATA_DATE:
        return
    rng = course.rng
    course.booked += 1
    status = str(rng.choice(STATUSES, p=STATUS_SHARES))
    at = datetime(on.year, on.month, on.day, 9 + slot % 8)  # noqa: DTZ001 - the warehouse's timestamps are naive UTC
    common = {"appointment_id": f"A{course.client_id}{slot:02d}", **course.who, "starts_at": at, "starts_on": on}
    modality = "video" if slot % 4 == 3 else "in_person"
    is_attended = status == "attended"
    rows["marts.appointments"].append({**common, "status": status, "is_attended": is_attended, "modality": modality})
    if not is_attended:
        return
    course.sessions += 1
    course.last_on = on
    has_alliance = rng.uniform() < (0.62 if course.place[0] == 2 else 0.86)
    has_outcome = rng.uniform() < 0.93
    rows["marts.sessions"].append(
        {**common, "session_number": course.sessions, "has_alliance": has_alliance, "has_outcome": has_outcome}
    )
    rated = {
        "rater": "client",
        "client_id": course.client_id,
        **course.who,
        "appointment_id": common["appointment_id"],
        "session_number": course.sessions,
        "completed_on": on,
        "n_answered": 12,
    }
    if has_alliance:
        _alliance(rows, course, rated=rated)
    if has_outcome:
        _outcome(rows, course, rated=rated)


def _alliance(rows, course, *, rated) -> None:
    instrument = PAIRS[course.site][0]
    low, high = (12, 60) if instrument == "WAI-SR" else (0, 40)
    number, on = rated["session_number"], rated["completed_on"]
    falls = 0.16 if course.place[0] == 0 and on > DATA_DATE - timedelta(days=330) else 0.0
    dip = 0.28 if course.dip_at is not None and number in (course.dip_at, course.dip_at + 1) else 0.0
    share = 0.72 + course.level + course.own + 0.012 * min(number, 10) - falls - dip + course.rng.normal(0, 0.05)
    score = round(low + float(np.clip(share, 0, 1)) * (high - low), 1)
    parts = {
        "bond_score": round(score / 3 + 1, 1),
        "goals_score": round(score / 3 - 0.6, 1),
        "tasks_score": round(score / 3 - 0.4, 1),
    }
    rows["marts.ratings"].append(
        {
            "rating_id": f"R{rated['appointment_id']}",
            "kind": "alliance",
            "instrument": instrument,
            **rated,
            "score": score,
            **parts,
            "is_at_ceiling": score == high,
        }
    )
    if dip and number == course.dip_at:
        is_repaired = course.place[1] % 3 > 0
        rows["analysis.ruptures"].append(
            {
                "client_id": course.client_id,
                **{name: course.who[name] for name in ("episode_id", "clinician_id", "site")},
                "instrument": instrument,
                "session_number": number,
                "fall": round(float(np.mean(course.alliance_scores or [score + 8])) - score, 1),
                "state": "repaired" if is_repaired else "unrepaired",
                "repaired_session_number": number + 2 if is_repaired else None,
            }
        )
    course.alliance_scores.append(score)


def _outcome(rows, course, *, rated) -> None:
    instrument = PAIRS[course.site][1]
    progress = (9 if course.improves else 1.5) * np.log1p(rated["session_number"]) / np.log(10)
    severity = float(np.clip(round(course.baseline - progress + course.rng.normal(0, 1.5)), 0, 27))
    score = {"PHQ-9": severity, "ORS": 40 - severity, "CSI-4": max(21 - severity, 0.0)}[instrument]
    rows["marts.ratings"].append(
        {
            "rating_id": f"Q{rated['appointment_id']}",
            "kind": "outcome",
            "instrument": instrument,
            **rated,
            "score": score,
            "is_at_ceiling": False,
        }
    )
    course.outcome_scores.append(score)


def _episode(rows, course, *, referred, wait, is_open) -> None:
    number = course.sessions
    programme = PROGRAMMES[sum(course.place) % 3]
    rows["marts.clients"].append({"client_id": course.client_id, "case_id": course.client_id})
    rows["marts.cases"].append(
        {"case_id": course.client_id, "site": course.site, "clients": 1, "episodes": 1, "sessions": number}
    )
    rows["marts.episodes"].append(
        {
            **course.who,
            "programme": programme,
            "referred_on": referred,
            "started_on": course.first_on,
            "ended_on": None if is_open else course.last_on or course.first_on,
            "end_reason": None if is_open else "planned",
            "is_open": is_open,
            "is_inferred": False,
            "appointments": course.booked,
            "sessions": number,
            "first_session_on": course.first_on if number else None,
            "last_session_on": course.last_on,
            "wait_days": wait if number else None,
            "clinicians": 1,
        }
    )
    if course.outcome_scores:
        _change(rows, course, programme=programme, is_open=is_open)


def _change(rows, course, *, programme, is_open) -> None:
    instrument, scores = PAIRS[course.site][1], course.outcome_scores
    reliable = RELIABLE_CHANGE[instrument]
    has_change = len(scores) > 1 and reliable is not None
    better = (scores[-1] - scores[0]) * (-1 if instrument == "PHQ-9" else 1)
    improved, worse = (has_change and better >= reliable), (has_change and better <= -reliable)
    category = "improved" if improved else "deteriorated" if worse else "unchanged"
    rows["analysis.client_change"].append(
        {
            "client_id": course.client_id,
            **course.who,
            "programme": programme,
            "instrument": instrument,
            "is_open": is_open,
            "scores": len(scores),
            "first_score": scores[0],
            "last_score": scores[-1] if len(scores) > 1 else None,
            "improvement": better if len(scores) > 1 else None,
            "reliable_change": reliable,
            "category": category if has_change else "not_evaluable",
            "is_reliably_improved": improved,
            "is_reliably_deteriorated": worse,
        }
    )


def months(rows) -> None:
    months: dict[tuple, dict] = {}
    cases: dict[tuple, set] = {}
    with_forms = {(s["appointment_id"]): s for s in rows["marts.sessions"]}
    for appointment in rows["marts.appointments"]:
        key = (appointment["clinician_id"], appointment["starts_on"].replace(day=1))
        row = months.setdefault(
            key,
            {"clinician_id": key[0], "site": appointment["site"], "month": key[1]}
            | dict.fromkeys(
                (
                    "cases",
                    "appointments",
                    "attended",
                    "did_not_attend",
                    "cancelled_by_client",
                    "cancelled_by_clinic",
                    "late_not_seen",
                    "sessions_with_alliance",
                    "sessions_with_outcome",
                ),
                0,
            ),
        )
        row["appointments"] += 1
        row[appointment["status"]] += 1
        session = with_forms.get(appointment["appointment_id"])
        if session:
            row["sessions_with_alliance"] += session["has_alliance"]
            row["sessions_with_outcome"] += session["has_outcome"]
        cases.setdefault(key, set()).add(appointment["case_id"])
    for key, row in months.items():
        row["cases"] = len(cases[key])
    rows["marts.clinician_months"] += months.values()
