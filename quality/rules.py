"""Rules that no contract can say, written by hand: what must be true between rows, between tables and over time.

Belongs here: each rule with its name, its severity, why it matters, and a SELECT of the rows that break it, in SQL
that runs on DuckDB and, translated, on Spark. Does not belong here: what a column's declaration says by itself
(`quality.suites`).

ERROR is for what staging refuses or the warehouse itself makes: there a failure means that something is broken. WARN
is for what a clinic may have recorded so, and a person should look at.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from assets.science.instruments.model import Instrument
from quality.comparison import COMPARISON
from quality.conservation import CONSERVATION
from quality.disclosure import disclosure
from quality.estimates import ESTIMATES
from quality.flow import FLOW
from quality.model import Rule, Severity, by_hand
from quality.night_to_night import NIGHT_TO_NIGHT
from quality.rates import RATES

# Days of things that happened in the service, which can lie neither before it began nor after the data date.
_DAYS_OF_CARE = (
    ("staging.attendance", "starts_on"),
    ("staging.alliance", "completed_on"),
    ("staging.outcomes", "completed_on"),
    ("staging.episodes", "referred_on"),
)
# Days that can lie before the service began, such as a clinician's first working day, but not after the data date.
_DAYS_PAST = (
    ("staging.episodes", "started_on"),
    ("staging.episodes", "ended_on"),
    ("staging.clinicians", "started_on"),
)
# Scores are sums of binary fractions, so a score at the very end of its range can lie a hair beyond it.
_HAIR = "0.000001"


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What the rules depend on beside the data.

    Attributes:
        data_date: the last day that the data speak of.
        first_possible_day: no care can be older.
        score_ranges: lowest and highest possible score by instrument id, both inclusive.
        raters: who may fill in each instrument, by its id.
        minimum_clients: the fewest clients of a published group.
        minimum_difference: the fewest clients by which published figures may differ.
    """

    data_date: date
    first_possible_day: date
    score_ranges: Mapping[str, tuple[float, float]]
    raters: Mapping[str, Sequence[str]]
    minimum_clients: int
    minimum_difference: int


def score_ranges(instruments: Iterable[Instrument]) -> dict[str, tuple[float, float]]:
    """Lowest and highest possible score of each instrument, by id."""
    return {each.id: (float(each.score_range.low), float(each.score_range.high)) for each in instruments}


def raters(instruments: Iterable[Instrument]) -> dict[str, tuple[str, ...]]:
    """Who may fill in each instrument, by id."""
    return {each.id: tuple(each.raters) for each in instruments}


def written(parameters: Parameters) -> tuple[Rule, ...]:
    """Every rule written by hand, for any table, in the order in which people read them."""
    return (
        *_dates(parameters),
        *_EPISODES,
        *_overlaps(parameters),
        *_SESSIONS,
        *_forms(parameters),
        *CONSERVATION,
        *ESTIMATES,
        *COMPARISON,
        *disclosure(minimum_clients=parameters.minimum_clients, minimum_difference=parameters.minimum_difference),
        *FLOW,
        *NIGHT_TO_NIGHT,
        *RATES,
    )


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _day(day: date) -> str:
    return f"DATE '{day.isoformat()}'"


def _dates(parameters: Parameters) -> list[Rule]:
    after = [
        by_hand(
            table,
            f"{column}.after_data_date",
            Severity.ERROR,
            meaning=f"No `{column}` lies after the data date.",
            why="What has not happened yet is a typing error or a booking, and no evidence of care.",
            sql=f"SELECT {column} FROM {table} WHERE {column} > {_day(parameters.data_date)}",
        )
        for table, column in (*_DAYS_OF_CARE, *_DAYS_PAST)
    ]
    before = [
        by_hand(
            table,
            f"{column}.before_service",
            Severity.ERROR,
            meaning=f"No `{column}` lies before the service's first possible day.",
            why="A mistyped year would stretch episodes and waits over years in which nobody was seen.",
            sql=f"SELECT {column} FROM {table} WHERE {column} < {_day(parameters.first_possible_day)}",
        )
        for table, column in _DAYS_OF_CARE
    ]
    return [*after, *before]


_EPISODES = (
    by_hand(
        "staging.episodes",
        "ended_before_started",
        Severity.WARN,
        meaning="No episode ends before it started.",
        why="Its length, and what counts as its first and last score, would be wrong.",
        sql="SELECT episode_id FROM staging.episodes WHERE ended_on < started_on",
    ),
    by_hand(
        "staging.episodes",
        "started_before_referred",
        Severity.WARN,
        meaning="No episode starts before it was referred.",
        why="The wait would be negative, and would pull the service's waits down.",
        sql="SELECT episode_id FROM staging.episodes WHERE started_on < referred_on",
    ),
    by_hand(
        "marts.appointments",
        "episode_of_another_case",
        Severity.WARN,
        meaning="No appointment names an episode that the clinic records for another case.",
        why="One case's sessions would count towards another's change.",
        sql="""
            SELECT booked.appointment_id FROM marts.appointments AS booked
            INNER JOIN staging.episodes AS recorded ON recorded.episode_id = booked.episode_id
            WHERE recorded.case_id <> booked.case_id
        """,
    ),
)


def _overlaps(parameters: Parameters) -> list[Rule]:
    return [
        by_hand(
            "marts.episodes",
            "overlapping",
            Severity.WARN,
            meaning="No episode of a case starts before an earlier one of the same case has ended.",
            why="A form completed in both would be evidence about two treatments at once.",
            sql=f"""
                SELECT episode_id FROM (
                  SELECT episode_id, started_on,
                    MAX(COALESCE(ended_on, {_day(parameters.data_date)})) OVER (
                      PARTITION BY case_id ORDER BY started_on, episode_id
                      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                    ) AS earlier_until
                  FROM marts.episodes WHERE started_on IS NOT NULL
                ) AS in_order WHERE started_on < earlier_until
            """,
        )
    ]


_SESSIONS = (
    by_hand(
        "marts.sessions",
        "numbered_in_order",
        Severity.ERROR,
        meaning="Sessions of an episode are numbered 1, 2, 3 in the order they took place, without holes.",
        why="Early alliance means sessions 1 to 3, and each score is set against the next one.",
        sql="""
            SELECT appointment_id FROM (
              SELECT appointment_id, session_number,
                ROW_NUMBER() OVER (PARTITION BY episode_id ORDER BY starts_at, appointment_id) AS place
              FROM marts.sessions
            ) AS in_order WHERE session_number <> place
        """,
    ),
    by_hand(
        "marts.sessions",
        "of_attended_appointment",
        Severity.ERROR,
        meaning="Every session is an appointment that was attended.",
        why="A session that did not take place cannot have helped anyone.",
        sql="""
            SELECT session.appointment_id FROM marts.sessions AS session
            LEFT JOIN marts.appointments AS booked
              ON booked.appointment_id = session.appointment_id AND booked.is_attended
            WHERE booked.appointment_id IS NULL
        """,
    ),
    by_hand(
        "marts.sessions",
        "two_at_one_time",
        Severity.WARN,
        meaning="No session of a case starts while an earlier one of the same case still lasts.",
        why="One of the two is usually the same session booked twice, which counts the dose double.",
        sql="""
            SELECT appointment_id FROM (
              SELECT appointment_id, starts_at,
                LAG(starts_at) OVER (PARTITION BY case_id ORDER BY starts_at, appointment_id) AS earlier_at,
                LAG(duration_minutes) OVER (PARTITION BY case_id ORDER BY starts_at, appointment_id) AS earlier_minutes
              FROM marts.sessions
            ) AS in_order WHERE DATE_DIFF('minute', earlier_at, starts_at) < COALESCE(earlier_minutes, 1)
        """,
    ),
)


def _forms(parameters: Parameters) -> list[Rule]:
    ranges = ", ".join(
        f"({_text(instrument)}, {low!r}, {high!r})"
        for instrument, (low, high) in sorted(parameters.score_ranges.items())
    )
    possible = f"(VALUES {ranges}) AS possible(instrument, lowest, highest)"
    return [
        by_hand(
            "staging.scores",
            "instrument.known",
            Severity.ERROR,
            meaning="Every score is of an instrument that the registry declares.",
            why="A score without a declared range and direction cannot be called better or worse.",
            sql=f"""
                SELECT scored.rating_id FROM staging.scores AS scored
                LEFT JOIN {possible} ON possible.instrument = scored.instrument WHERE possible.instrument IS NULL
            """,
        ),
        by_hand(
            "staging.scores",
            "score.possible",
            Severity.ERROR,
            meaning="No score lies outside what its instrument can give.",
            why="It is another instrument's, or items added wrongly, and one can tilt a clinician's mean.",
            sql=f"""
                SELECT scored.rating_id FROM staging.scores AS scored
                INNER JOIN {possible} ON possible.instrument = scored.instrument
                WHERE scored.score < possible.lowest - {_HAIR} OR scored.score > possible.highest + {_HAIR}
            """,
        ),
        *(rule for feed in ("alliance", "outcomes") for rule in _scores_of(feed, parameters)),
        by_hand(
            "marts.ratings",
            "appointment.attended",
            Severity.WARN,
            meaning="No form belongs to an appointment that was not attended.",
            why="Either the attendance or the form is recorded wrongly, and both count.",
            sql="""
                SELECT rated.rating_id FROM marts.ratings AS rated
                INNER JOIN marts.appointments AS booked ON booked.appointment_id = rated.appointment_id
                WHERE NOT booked.is_attended
            """,
        ),
        by_hand(
            "marts.ratings",
            "appointment.of_another_case",
            Severity.WARN,
            meaning="No form belongs to another case's appointment.",
            why="One person's answers would speak for another's treatment.",
            sql="""
                SELECT rated.rating_id FROM marts.ratings AS rated
                INNER JOIN marts.appointments AS booked ON booked.appointment_id = rated.appointment_id
                WHERE booked.case_id <> rated.case_id
            """,
        ),
    ]


def _scores_of(feed: str, parameters: Parameters) -> tuple[Rule, ...]:
    allowed = ", ".join(
        f"({_text(instrument)}, {_text(rater)})"
        for instrument, who in sorted(parameters.raters.items())
        for rater in who
    )
    return (
        by_hand(
            "staging.scores",
            f"{feed}.total_agrees",
            Severity.WARN,
            meaning=f"Where the {feed} feed sends both answers and a total, the total is what the answers come to.",
            why="Either the clinic's system scores otherwise than the authors do, or someone mistyped.",
            sql=f"""
                SELECT scored.rating_id FROM staging.scores AS scored
                INNER JOIN staging.{feed} AS sent
                  ON sent.instrument = scored.instrument AND sent.rating_id = scored.rating_id
                WHERE sent.items IS NOT NULL AND ABS(sent.total - scored.score) > 0.01
            """,
        ),
        by_hand(
            f"staging.{feed}",
            "rater.allowed",
            Severity.ERROR,
            meaning="Every form was filled in by someone for whom its instrument has a form.",
            why="A clinician's view of the alliance read as the client's is another measure.",
            sql=f"""
                SELECT sent.rating_id FROM staging.{feed} AS sent
                LEFT JOIN (VALUES {allowed}) AS allowed(instrument, rater)
                  ON allowed.instrument = sent.instrument AND allowed.rater = sent.rater
                WHERE allowed.rater IS NULL
            """,
        ),
    )
