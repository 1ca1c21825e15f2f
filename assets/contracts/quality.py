"""What the night says of itself: where every line went, which checks ran, what was landed.

Belongs here: tables of counts about the run. Does not belong here: anything about a person.
"""

from assets.contracts import vocabulary as v
from assets.contracts.model import Column, Kind, Table
from assets.contracts.staging import FEEDS, FILE_NUMBER, MAPPING

_FEED = v.word("feed", tuple(feed.name for feed in FEEDS), "The feed that the file was sent for.")
_FILE = Column(
    name="file",
    kind=Kind.TEXT,
    meaning="The file as it was named in the inbox; a file of an archive, or a sheet that settings name, follows after a slash.",
)

SETTINGS_OF_RUN = {
    "clinic": "clinic.name",
    "time_zone": "clinic.time_zone",
    "minimum_clients": "suppression.minimum_clients",
    "minimum_sessions": "suppression.minimum_sessions",
    "episode_gap_days": "episodes.gap_days",
    "period_months": "period_months",
}
"""Columns of `quality.run` that hold a setting, and where the service's configuration has it."""

FILES = Table(
    layer="quality",
    name="files",
    meaning="Every file landed so far, in the order in which its rows replace earlier ones.",
    key=("file_number", "feed", "mapping"),
    columns=(
        FILE_NUMBER,
        _FEED,
        MAPPING,
        _FILE,
        Column(
            name="sha256",
            kind=Kind.TEXT,
            meaning="The SHA-256 of the bytes, in hexadecimal; of a file in an archive, of its own bytes unpacked.",
        ),
        v.count("bytes", "Size in bytes."),
        Column(name="landed_on", kind=Kind.DATE, meaning="The data date of the night that landed it."),
    ),
)
RECONCILIATION = Table(
    layer="quality",
    name="reconciliation",
    meaning="Where each line of each file went; lines are always the sum of the other five.",
    key=("feed", "file_number"),
    columns=(
        _FEED,
        _FILE,
        FILE_NUMBER,
        v.count("lines", "Lines after the header; rows where the file has no lines."),
        v.count("accepted", "Lines that stand in staging."),
        v.count("refused", "Lines that their contract did not accept."),
        v.count("superseded", "Valid lines that a newer version replaced."),
        v.count("identical", "Exact repeats of a line that stands already."),
        v.count("blank", "Lines with nothing on them."),
    ),
)
CHECKS = Table(
    layer="quality",
    name="checks",
    meaning="Every check of the night with its verdict and the rows that failed it.",
    key=("table_name", "check_name"),
    columns=(
        Column(name="table_name", kind=Kind.TEXT, meaning="The table checked, as schema.table."),
        Column(name="check_name", kind=Kind.TEXT, meaning="The rule, as a short fixed name."),
        v.word("severity", ("error", "warn"), "Whether a failure stops the night or tells a person."),
        v.flag("is_passed", "Whether no row failed."),
        v.count("failing_rows", "Rows that failed."),
        Column(name="meaning", kind=Kind.TEXT, meaning="What the rule says, in plain words."),
    ),
)
RUN = Table(
    layer="quality",
    name="run",
    meaning="What the night was told: one row of settings that the figures depend on.",
    key=("data_date",),
    columns=(
        Column(name="data_date", kind=Kind.DATE, meaning="The last day that the data speak of."),
        Column(name="clinic", kind=Kind.TEXT, meaning="The service's name."),
        Column(name="time_zone", kind=Kind.TEXT, meaning="The zone in which appointment days are counted."),
        v.count("minimum_clients", "Groups of fewer clients are withheld from pages."),
        v.count("minimum_sessions", "Cells of fewer sessions are withheld from pages."),
        v.count("episode_gap_days", "Days without an appointment after which a new episode is inferred."),
        v.count("period_months", "Months that pages look back."),
        Column(
            name="secret_check",
            kind=Kind.TEXT,
            meaning="Tells whether two versions were coded with the same secret: only then are their codes comparable.",
        ),
    ),
)
TABLES: tuple[Table, ...] = (FILES, RECONCILIATION, CHECKS, RUN)
