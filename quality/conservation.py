"""Rules that nothing is lost or doubled: between files and staging, and between the layers of the warehouse.

Belongs here: counts that must agree. Does not belong here: what a single row may say (`quality.suites`, `quality.rules`).
"""

from quality.model import Rule, Severity, by_hand


def _same_count(table: str, name: str, *, meaning: str, found: str, expected: str) -> Rule:
    return by_hand(
        table,
        name,
        Severity.ERROR,
        meaning=meaning,
        why="Rows lost or doubled in a join are the faults that nobody sees on a page.",
        sql=f"""
            SELECT found.n FROM ({found}) AS found CROSS JOIN ({expected}) AS expected WHERE found.n <> expected.n
        """,
    )


CONSERVATION: tuple[Rule, ...] = (
    _same_count(
        "staging.scores",
        "as_many_as_forms",
        meaning="There are as many scores as accepted forms.",
        found="SELECT COUNT(*) AS n FROM staging.scores",
        expected="SELECT COUNT(*) AS n FROM (SELECT rating_id FROM staging.alliance"
        " UNION ALL SELECT rating_id FROM staging.outcomes) AS forms",
    ),
    _same_count(
        "marts.appointments",
        "as_many_as_accepted",
        meaning="There are as many appointments as accepted rows of attendance.",
        found="SELECT COUNT(*) AS n FROM marts.appointments",
        expected="SELECT COUNT(*) AS n FROM staging.attendance",
    ),
    _same_count(
        "marts.sessions",
        "as_many_as_attended",
        meaning="There are as many sessions as attended appointments.",
        found="SELECT COUNT(*) AS n FROM marts.sessions",
        expected="SELECT COUNT(*) AS n FROM marts.appointments WHERE is_attended",
    ),
    _same_count(
        "marts.ratings",
        "as_many_as_scores",
        meaning="There are as many forms as scores.",
        found="SELECT COUNT(*) AS n FROM marts.ratings",
        expected="SELECT COUNT(*) AS n FROM staging.scores",
    ),
    _same_count(
        "marts.episodes",
        "hold_every_appointment",
        meaning="The episodes' appointments add up to all appointments.",
        found="SELECT COALESCE(CAST(SUM(appointments) AS BIGINT), 0) AS n FROM marts.episodes",
        expected="SELECT COUNT(*) AS n FROM marts.appointments",
    ),
    _same_count(
        "marts.clinicians",
        "hold_every_session",
        meaning="The clinicians' sessions add up to all sessions.",
        found="SELECT COALESCE(CAST(SUM(sessions) AS BIGINT), 0) AS n FROM marts.clinicians",
        expected="SELECT COUNT(*) AS n FROM marts.sessions",
    ),
    _same_count(
        "marts.clinician_months",
        "hold_every_appointment",
        meaning="The clinicians' months add up to all appointments.",
        found="SELECT COALESCE(CAST(SUM(appointments) AS BIGINT), 0) AS n FROM marts.clinician_months",
        expected="SELECT COUNT(*) AS n FROM marts.appointments",
    ),
    by_hand(
        "marts.clinician_months",
        "statuses_add_up",
        Severity.ERROR,
        meaning="In each clinician's month, the appointments by status add up to the appointments.",
        why="Rates are shares of the whole; a part left out makes the others look larger.",
        sql="""
            SELECT clinician_id, month FROM marts.clinician_months
            WHERE attended + did_not_attend + cancelled_by_client + cancelled_by_clinic + late_not_seen <> appointments
        """,
    ),
    by_hand(
        "quality.reconciliation",
        "lines_add_up",
        Severity.ERROR,
        meaning="Of each file, every line is accepted, refused, superseded, identical or blank.",
        why="A line that went nowhere is a client whose care nobody counted.",
        sql="""
            SELECT feed, file_number FROM quality.reconciliation
            WHERE lines <> accepted + refused + superseded + identical + blank
        """,
    ),
    by_hand(
        "quality.reconciliation",
        "refusals_have_reasons",
        Severity.ERROR,
        meaning="Each refused line of a file stands among the refused rows with its reason.",
        why="A clinic can only mend what it is told of.",
        sql="""
            SELECT counted.feed, counted.file_number FROM quality.reconciliation AS counted
            LEFT JOIN (
              SELECT feed, file_number, COUNT(*) AS n FROM staging.refused_rows GROUP BY feed, file_number
            ) AS told ON told.feed = counted.feed AND told.file_number = counted.file_number
            WHERE counted.refused <> COALESCE(told.n, 0)
        """,
    ),
)
