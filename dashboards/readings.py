"""What pages ask of tables with a row an appointment, a form, a session or a course: SELECTs, answered where the tables lie.

Belongs here: each question's text, and so every column that a page needs of such a table. Counts are asked for as counts, and
rows only of open courses, which are as many as clients in treatment and not as many as years of them. Each names the columns
of its answer and gives them in one order. Does not belong here: what a page makes of an answer (`dashboards.views`), tables
with a row a scope, a clinician, a check or a file, which pages read whole (`dashboards.views.service`), or counting rates
(`assets.contracts.metrics`).
"""

from datetime import date
from typing import Final

from dashboards.page_settings import PageSettings

CASES: Final = """SELECT 'service' AS scope, 'all' AS scope_name, COUNT(DISTINCT case_id) AS cases FROM marts.appointments
UNION ALL
SELECT 'site', site, COUNT(DISTINCT case_id) FROM marts.appointments WHERE site IS NOT NULL GROUP BY site
UNION ALL
SELECT 'programme', episode.programme, COUNT(DISTINCT booked.case_id)
FROM marts.appointments AS booked
INNER JOIN marts.episodes AS episode ON episode.episode_id = booked.episode_id
WHERE episode.programme IS NOT NULL GROUP BY episode.programme"""
"""Cases on record: of the service, of each site and of each programme."""

LATEST_SESSION: Final = "SELECT MAX(starts_on) AS latest FROM marts.sessions"
"""The day of the latest session, empty where there is none."""

ALLIANCE_MONTHS: Final = """SELECT clinician_id, instrument, CAST(DATE_TRUNC('month', completed_on) AS DATE) AS month,
  ROUND(AVG(score), 6) AS mean_score, COUNT(DISTINCT COALESCE(appointment_id, rating_id)) AS occasions
FROM marts.ratings
WHERE kind = 'alliance' AND rater = 'client' AND score IS NOT NULL AND clinician_id IS NOT NULL
GROUP BY clinician_id, instrument, CAST(DATE_TRUNC('month', completed_on) AS DATE)
ORDER BY clinician_id, instrument, month"""
"""Each clinician's alliance month by month as clients rate it; two forms for one appointment are one occasion."""

CLINICIAN_MONTHS: Final = """SELECT clinician_id, month, appointments, did_not_attend, attended, sessions_with_alliance
FROM marts.clinician_months ORDER BY clinician_id, month"""
"""Each clinician's appointments and sessions month by month."""

PAIRS: Final = """SELECT clinician_id, alliance_instrument, outcome_instrument, COUNT(*) AS n
FROM marts.alliance_pairs GROUP BY clinician_id, alliance_instrument, outcome_instrument
ORDER BY clinician_id, alliance_instrument, outcome_instrument"""
"""Pairs of scores that each clinician has, by measures."""

REFUSED: Final = (
    "SELECT feed, reason, COUNT(*) AS rows FROM staging.refused_rows GROUP BY feed, reason ORDER BY feed, reason"
)
"""Refused rows by feed and reason."""

CHANGED_ROWS: Final = """SELECT table_name, reason, COUNT(*) AS rows
FROM quality.changed_rows GROUP BY table_name, reason ORDER BY table_name, reason"""
"""Accepted rows that differ from the version before, by table and reason."""

DIPS: Final = """SELECT dip.client_id, dip.episode_id, dip.clinician_id, dip.instrument, dip.session_number, dip.fall, dip.state,
  dip.repaired_session_number, CASE WHEN episode.is_open THEN episode.clinician_id END AS treated_by
FROM analysis.ruptures AS dip
LEFT JOIN marts.episodes AS episode ON episode.episode_id = dip.episode_id
ORDER BY dip.client_id, dip.episode_id, dip.session_number, dip.instrument"""
"""Every alliance dip; `treated_by` is empty where its course has ended."""


def open_rows(table: str, *columns: str, order: str, where: str = "TRUE") -> str:
    """The SELECT of a table's rows of open courses, with `treated_by`, the clinician with whom the course is open.

    Args:
        table: a promised table with `episode_id`, by its full name.
        columns: what is wanted of it.
        order: columns that put its rows in one order.
        where: a condition on its rows, which are called `part`.
    """
    return (
        f"SELECT {', '.join(f'part.{name}' for name in columns)}, episode.clinician_id AS treated_by\n"
        f"FROM {table} AS part\n"
        "INNER JOIN marts.episodes AS episode ON episode.episode_id = part.episode_id AND episode.is_open\n"
        f"WHERE {where} ORDER BY {', '.join(f'part.{name.strip()}' for name in order.split(','))}"
    )


OPEN_COURSES: Final = """SELECT episode_id, clinician_id AS treated_by FROM marts.episodes
WHERE is_open ORDER BY last_session_on NULLS FIRST, episode_id"""
"""Open courses, that with the latest session last."""

OPEN_SESSIONS: Final = open_rows(
    "marts.sessions", "episode_id", "clinician_id", "session_number", order="session_number, episode_id"
)
OPEN_RATINGS: Final = open_rows(
    "marts.ratings",
    *("client_id", "episode_id", "clinician_id", "kind", "instrument", "session_number", "score"),
    where="part.rater = 'client' AND part.score IS NOT NULL AND part.session_number IS NOT NULL",
    order="session_number, rating_id",
)
"""Clients' own scores of open courses that belong to a session."""

OPEN_APPOINTMENTS: Final = open_rows(
    "marts.appointments", "episode_id", "starts_on", "status", order="starts_at, appointment_id"
)
OPEN_SIGNS: Final = open_rows(
    "analysis.holding_back",
    *("client_id", "episode_id", "clinician_id", "session_number", "signals"),
    *("has_fallen", "missed_before", "is_gap_longer", "is_form_skipped"),
    order="session_number, client_id, episode_id",
)
"""Sessions of open courses with their signals of holding back."""

OPEN_TRACKS: Final = open_rows(
    "analysis.client_tracks",
    *("client_id", "episode_id", "clinician_id", "instrument", "session_number", "first_score", "latest_score"),
    *("expected", "behind_limit", "standing", "basis"),
    order="client_id, episode_id, instrument",
)
"""Where open courses stand against what was expected."""

OPEN_CHANGES: Final = open_rows(
    "analysis.client_change",
    *("client_id", "episode_id", "instrument", "improvement", "reliable_change"),
    order="client_id, episode_id, instrument",
)
"""How far scores of open courses have changed, and how far they must to count."""

OPEN_MILESTONES: Final = open_rows(
    "analysis.milestones",
    *("client_id", "episode_id", "milestone", "instrument", "session_number", "is_held"),
    order="session_number, milestone, client_id, episode_id, instrument",
)
"""Milestones of open courses, by session."""


def signs_now(*, at_least: int) -> str:
    """Open clients of the service, each site and each programme, and those whose latest session shows so many kinds of signal."""
    counts = f"COUNT(DISTINCT CASE WHEN signals >= {at_least} THEN client_id END) AS asking, COUNT(DISTINCT client_id) AS clients"
    return f"""WITH latest AS (
  SELECT part.client_id, part.site, part.programme, part.signals FROM analysis.holding_back AS part
  INNER JOIN marts.episodes AS episode ON episode.episode_id = part.episode_id AND episode.is_open
  WHERE part.is_latest
)
SELECT 'service' AS scope, 'all' AS scope_name, {counts} FROM latest
UNION ALL
SELECT 'site', site, {counts} FROM latest WHERE site IS NOT NULL GROUP BY site
UNION ALL
SELECT 'programme', programme, {counts} FROM latest WHERE programme IS NOT NULL GROUP BY programme"""


def first_seen(settings: PageSettings) -> str:
    """Courses first seen in the period that pages look back over, with their waits."""
    return (
        "SELECT case_id, site, programme, wait_days FROM marts.episodes "
        f"WHERE wait_days >= 0 AND first_session_on > {_start(settings)} ORDER BY episode_id"
    )


def seen(settings: PageSettings) -> str:
    """Cases that each clinician has seen in the period."""
    return (
        "SELECT clinician_id, COUNT(DISTINCT case_id) AS cases FROM marts.sessions "
        f"WHERE starts_on > {_start(settings)} GROUP BY clinician_id ORDER BY clinician_id"
    )


def milestones_shown(settings: PageSettings) -> str:
    """Milestones and setbacks that sessions of the period show, by clinician and case."""
    return (
        "SELECT DISTINCT reached.clinician_id, shows.case_id, reached.milestone, reached.instrument, reached.is_held\n"
        "FROM analysis.milestones AS reached\n"
        "INNER JOIN marts.sessions AS shows "
        "ON shows.episode_id = reached.episode_id AND shows.session_number = reached.session_number\n"
        f"WHERE shows.starts_on > {_start(settings)}\n"
        "ORDER BY reached.clinician_id, shows.case_id, reached.milestone, reached.instrument, reached.is_held"
    )


def run_of(settings: PageSettings, *, months: int) -> str:
    """What stands for `quality.run` where rates are counted over another period than the night's."""
    return f"(SELECT {_day(settings.data_date)} AS data_date, {months} AS period_months)"


def _start(settings: PageSettings) -> str:
    return f"CAST({_day(settings.data_date)} - TO_MONTHS({settings.period_months}) AS DATE)"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"
