"""The columns that mean the same wherever they stand, each described once.

Belongs here: a column used by more than one table, and the closed vocabularies. Does not belong here: which
table has it (the layers' modules).
"""

from dataclasses import replace

from assets.contracts.model import Column, Kind

STATUSES = ("attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic", "late_not_seen")
MODALITIES = ("in_person", "video", "phone", "text", "other")
END_REASONS = ("planned", "unplanned")
RATERS = ("client", "clinician", "observer")
RATING_KINDS = ("alliance", "outcome")
CHANGE_CATEGORIES = ("recovered", "improved", "unchanged", "deteriorated", "harmed", "not_evaluable")
CERTAINTIES = ("clear", "likely", "cannot_tell", "too_few")
SCOPES = ("service", "site", "programme")
LEVELS = ("within_client", "between_client", "between_clinician")

APPOINTMENT_ID = Column(name="appointment_id", kind=Kind.IDENTIFIER, meaning="Names one booked slot.")
EPISODE_ID = Column(
    name="episode_id",
    kind=Kind.IDENTIFIER,
    meaning="Names one course of treatment of a case, from referral to end.",
)
CASE_ID = Column(
    name="case_id",
    kind=Kind.IDENTIFIER,
    meaning="Who an episode is for: one client, or a couple or family of clients. Equals the client's own id where the case is one person.",
)
CLIENT_ID = Column(name="client_id", kind=Kind.IDENTIFIER, meaning="Names one person in treatment, by pseudonym.")
CLINICIAN_ID = Column(name="clinician_id", kind=Kind.IDENTIFIER, meaning="Names who treats, by pseudonym.")
SITE = Column(name="site", kind=Kind.TEXT, meaning="The place or team that the record comes from.", is_required=False)
PROGRAMME = Column(
    name="programme", kind=Kind.TEXT, meaning="The treatment programme of the episode.", is_required=False
)
PROBLEM = Column(
    name="problem", kind=Kind.TEXT, meaning="The main problem the episode is for, as referred.", is_required=False
)
STARTS_AT = Column(name="starts_at", kind=Kind.TIMESTAMP, meaning="When the appointment was booked to start, in UTC.")
STARTS_ON = Column(
    name="starts_on", kind=Kind.DATE, meaning="The day the appointment was booked for, in the clinic's own time zone."
)
STATUS = Column(
    name="status",
    kind=Kind.WORD,
    words=STATUSES,
    meaning="What became of the appointment; late_not_seen came too late.",
)
DURATION_MINUTES = Column(
    name="duration_minutes",
    kind=Kind.INTEGER,
    unit="minutes",
    minimum=1,
    maximum=600,
    is_required=False,
    meaning="How long the appointment lasted.",
)
MODALITY = Column(
    name="modality",
    kind=Kind.WORD,
    words=MODALITIES,
    is_required=False,
    meaning="How the two met: in person, by video, by phone.",
)
RATING_ID = Column(name="rating_id", kind=Kind.IDENTIFIER, meaning="Names one completed form.")
COMPLETED_ON = Column(name="completed_on", kind=Kind.DATE, meaning="The day the form was completed.")
INSTRUMENT = Column(
    name="instrument",
    kind=Kind.IDENTIFIER,
    meaning="The measure that the form is of, by its id in the instrument registry.",
)
ALLIANCE_INSTRUMENT = Column(
    name="alliance_instrument", kind=Kind.IDENTIFIER, meaning="The alliance measure of the measure pair."
)
OUTCOME_INSTRUMENT = Column(
    name="outcome_instrument", kind=Kind.IDENTIFIER, meaning="The outcome measure of the measure pair."
)
RATER = Column(name="rater", kind=Kind.WORD, words=RATERS, meaning="Who filled the form in.")
REFERRED_ON = Column(name="referred_on", kind=Kind.DATE, is_required=False, meaning="The day of the referral.")
STARTED_ON = Column(name="started_on", kind=Kind.DATE, is_required=False, meaning="The day treatment started.")
CLINICIAN_SINCE = Column(
    name="started_on", kind=Kind.DATE, is_required=False, meaning="The day the clinician started at the service."
)
ENDED_ON = Column(
    name="ended_on", kind=Kind.DATE, is_required=False, meaning="The day the episode ended; empty while it is open."
)
END_REASON = Column(
    name="end_reason",
    kind=Kind.WORD,
    words=END_REASONS,
    is_required=False,
    meaning="Whether the ending was planned, in the clinician's judgement; empty while open or not recorded.",
)
AGE_BAND = Column(name="age_band", kind=Kind.TEXT, is_required=False, meaning="The client's age as a band of years.")
GENDER = Column(
    name="gender", kind=Kind.TEXT, is_required=False, meaning="The client's gender as the service records it."
)
DEPRIVATION_DECILE = Column(
    name="deprivation_decile",
    kind=Kind.INTEGER,
    unit="decile",
    minimum=1,
    maximum=10,
    is_required=False,
    meaning="Area deprivation of the client's home; 1 is the most deprived tenth.",
)
PROFESSION = Column(
    name="profession", kind=Kind.TEXT, is_required=False, meaning="The clinician's profession or grade."
)
SESSION_NUMBER = Column(
    name="session_number",
    kind=Kind.INTEGER,
    minimum=1,
    meaning="The place of the attended appointment within its episode, from 1.",
)
SOURCE_FILE = Column(
    name="source_file", kind=Kind.TEXT, meaning="The file the row came in, as it was named in the inbox."
)
SOURCE_LINE = Column(
    name="source_line",
    kind=Kind.INTEGER,
    minimum=1,
    meaning="The line of that file, from 1; in a workbook the row of its sheet, in Parquet, SPSS and Stata files the row.",
)
SENTENCE = Column(name="sentence", kind=Kind.TEXT, meaning="The finding, or the refusal, in plain words.")
MONTH = Column(name="month", kind=Kind.DATE, meaning="The first day of the calendar month counted.")


def optional(column: Column) -> Column:
    """The same column where a missing value is allowed."""
    return replace(column, is_required=False)


def referring(column: Column, target: str) -> Column:
    """The same column held to the values of `schema.table.column`, where that table has rows."""
    return replace(column, refers_to=target)


def count(name: str, meaning: str) -> Column:
    """A count of things, never negative."""
    return Column(name=name, kind=Kind.INTEGER, minimum=0, meaning=meaning)


def number(name: str, meaning: str, *, unit: str | None = None) -> Column:
    """A figure that may be missing where data are thin."""
    return Column(name=name, kind=Kind.NUMBER, is_required=False, unit=unit, meaning=meaning)


def share(name: str, meaning: str) -> Column:
    """A proportion from 0 to 1 that may be missing where its denominator is empty."""
    return Column(name=name, kind=Kind.NUMBER, is_required=False, unit="share", minimum=0, maximum=1, meaning=meaning)


def flag(name: str, meaning: str) -> Column:
    """A yes or no."""
    return Column(name=name, kind=Kind.BOOLEAN, meaning=meaning)


def word(name: str, words: tuple[str, ...], meaning: str, *, is_required: bool = True) -> Column:
    """A value from a closed vocabulary."""
    return Column(name=name, kind=Kind.WORD, words=words, meaning=meaning, is_required=is_required)


def answer(name: str, meaning: str) -> Column:
    """A yes or no that may be missing where nobody can say."""
    return Column(name=name, kind=Kind.BOOLEAN, is_required=False, meaning=meaning)


def estimated_share(name: str, meaning: str) -> tuple[Column, Column, Column]:
    """An estimated proportion with the two ends of its interval, `<name>_low` and `<name>_high`."""
    low, high = (share(f"{name}_{end}", _END[end].format(name)) for end in _END)
    return share(name, meaning), low, high


def estimated_number(name: str, meaning: str, *, unit: str) -> tuple[Column, Column, Column]:
    """An estimated figure with the two ends of its interval, `<name>_low` and `<name>_high`."""
    low, high = (number(f"{name}_{end}", _END[end].format(name), unit=unit) for end in _END)
    return number(name, meaning, unit=unit), low, high


_END = {"low": "Lower end of the 95% interval of `{}`.", "high": "Upper end of the 95% interval of `{}`."}
CERTAINTY = word("certainty", CERTAINTIES, "How sure one can be: clear, likely, cannot_tell or too_few.")
SCOPE = (
    word("scope", SCOPES, "Whether the row speaks of the whole service, one site or one programme."),
    Column(name="scope_name", kind=Kind.TEXT, meaning="The site's or programme's name; `all` for the whole service."),
)
INTERVAL = (
    number("low", "Lower end of the 95% interval."),
    number("high", "Upper end of the 95% interval."),
)


DIFFERENCE_FROM_SITE = (
    number("difference", "The clinician less the site's clinicians, shrunken.", unit="points"),
    number("difference_low", "Lower end of the difference's 95% interval.", unit="points"),
    number("difference_high", "Upper end of the difference's 95% interval.", unit="points"),
)
"""The comparison itself, apart from the level: its interval knows how uncertain the site's own mean is."""
