"""The first half of a night without Dagster: an inbox landed, staged and accounted for in a fraction of a second.

`Clinic` is a service of one clinician and two clients in whose files a test plants one fault. Every account that
`stage` gives has been held to the law: lines = accepted + refused + superseded + identical + blank, in every file.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from assets import staging as layer
from assets import warehouse
from assets.contracts import accounting, quality, staging
from assets.feeds.codes import Codes
from assets.feeds.landing import land, landed_files
from assets.feeds.secret import NAME as SECRET_NAME
from assets.resources import Night
from assets.scores import score_forms
from assets.sources import instruments_frame

DATA_DATE = "2026-11-20"
CODES = Codes(secret=bytes(range(32)), rekeys_clinicians=False)
FATES = ("accepted", "refused", "superseded", "identical", "blank")

CONFIG = """
[clinic]
name = "Small"
time_zone = "Europe/London"
first_possible_day = 2015-01-01

[[measures]]
alliance = "WAI-SR"
outcome = "PHQ-9"

[[feeds.attendance]]
files = "booked.csv"
columns = { appointment_id = "id", case_id = "client", clinician_id = "who", starts_at = "at", status = "status", duration_minutes = "minutes" }

[[feeds.attendance]]
files = "booked_corrections_*.csv"
corrects = true
columns = { appointment_id = "id", case_id = "client", clinician_id = "who", starts_at = "at", status = "status", duration_minutes = "minutes" }

[[feeds.alliance]]
files = "srs.csv"
delimiter = ";"
encoding = "cp1252"
decimal = ","
date_format = "%d/%m/%Y"
columns = { rating_id = "form", client_id = "client", appointment_id = "booked", completed_on = "on" }
constants = { instrument = "SRS", rater = "client" }
items = "srs{n}"

[[feeds.outcomes]]
files = "phq9.csv"
columns = { rating_id = "form", client_id = "client", appointment_id = "booked", completed_on = "on", instrument = "measure", rater = "rater" }
total = "total"

[[feeds.outcomes]]
files = "long.csv"
layout = "long"
columns = { rating_id = "form", client_id = "client", appointment_id = "booked", completed_on = "on", instrument = "measure" }
constants = { rater = "client" }
item_number = "item"
item_value = "answer"

[[feeds.outcomes]]
files = "totals.parquet"
format = "parquet"
columns = { rating_id = "form", client_id = "client", appointment_id = "booked", completed_on = "on", instrument = "measure" }
constants = { rater = "client" }
total = "total"

[[feeds.episodes]]
files = "episodes.csv"
columns = { episode_id = "id", case_id = "client", clinician_id = "who", referred_on = "referred", started_on = "started", ended_on = "ended", end_reason = "why" }

[[feeds.people]]
files = "people.csv"
columns = { client_id = "client", age_band = "age", gender = "gender", deprivation_decile = "decile" }

[[feeds.clinicians]]
files = "clinicians.csv"
columns = { clinician_id = "who", site = "site", started_on = "since" }
"""

SMALL_EXPORT = {
    "booked.csv": (
        "id,client,who,at,status,minutes\n"
        "A1,C1,K1,2026-03-02 10:00:00,attended,50\n"
        "A2,C1,K1,2026-03-09 10:00:00,attended,45\n"
        "A3,C2,K1,2026-03-10 11:00:00,did_not_attend,\n"
        "A4,C2,K1,2026-03-17 11:00:00,attended,50\n"
    ),
    "srs.csv": (
        "form;client;booked;on;srs1;srs2;srs3;srs4\n"
        "S1;C1;A1;02/03/2026;8,1;6,6;7,0;8,2\n"
        "S2;C1;A2;09/03/2026;9;9;9;9\n"
        "S3;C2;A4;17/03/2026;5,5;;6;7\n"
    ),
    "phq9.csv": (
        "form,client,booked,on,measure,rater,total\n"
        "P1,C1,A1,2026-03-02,PHQ-9,client,15\n"
        "P2,C1,A2,2026-03-09,PHQ-9,client,12\n"
        "P3,C2,A4,2026-03-17,PHQ-9,client,20\n"
    ),
    "long.csv": (
        "form,client,booked,on,measure,item,answer\n"
        "O1,C1,A1,2026-03-02,ORS,1,5.1\n"
        "O1,C1,A1,2026-03-02,ORS,2,4.6\n"
        "O1,C1,A1,2026-03-02,ORS,3,7.3\n"
        "O1,C1,A1,2026-03-02,ORS,4,4.9\n"
    ),
    "episodes.csv": (
        "id,client,who,referred,started,ended,why\n"
        "E1,C1,K1,2026-02-01,2026-03-02,,\n"
        "E2,C2,K1,2026-02-10,2026-03-10,2026-04-01,planned\n"
    ),
    "people.csv": "client,age,gender,decile\nC1,30-39,female,4\nC2,20-29,male,7\n",
    "clinicians.csv": "who,site,since\nK1,north,2019-05-01\n",
}
SMALL_TOTALS = (
    "SELECT * FROM (VALUES ('T1', 'C1', 'A1', DATE '2026-03-02', 'CSI-4', 12)) "
    'AS sent(form, client, booked, "on", measure, total)'
)


@dataclass(frozen=True)
class Refusal:
    """One refused line."""

    feed: str
    file: str
    line: int
    rule: str
    reason: str


@dataclass(frozen=True)
class Staged:
    """What staging came to: each file's account in the order of FATES, the refusals, each line's fate, and the tables."""

    accounts: dict[tuple[str, str], tuple[int, ...]]
    refusals: tuple[Refusal, ...]
    fates: dict[tuple[str, int], str]
    tables: dict[str, list[dict[str, object]]]

    def account(self, file: str) -> tuple[int, ...]:
        """A file's lines by fate, over all feeds that read it."""
        each = [fates for (_, name), fates in self.accounts.items() if name == file]
        return tuple(sum(fates) for fates in zip(*each, strict=True))

    def rules(self, file: str) -> list[tuple[int, str]]:
        """A file's refused lines with their rules."""
        return [(refusal.line, refusal.rule) for refusal in self.refusals if refusal.file == file]

    def row(self, feed: str, **key: object) -> dict[str, object] | None:
        """The one accepted row that has these values, identifiers as the clinic sent them, or nothing."""
        key = {name: CODES.code(name, str(value)) for name, value in key.items()}
        found = [row for row in self.tables[feed] if all(row[name] == value for name, value in key.items())]
        assert len(found) <= 1
        return found[0] if found else None


@dataclass
class Clinic:
    """An inbox, its settings and its state folder."""

    folder: Path
    config: str = CONFIG
    inbox: Path = field(init=False)

    def __post_init__(self) -> None:
        self.inbox = self.folder / "inbox"
        self.inbox.mkdir(parents=True)

    def sends_the_small_export(self) -> None:
        """Seven files of text and one of Parquet, with nothing wrong in them."""
        for name, text in SMALL_EXPORT.items():
            self.sends(name, text)
        self.sends_parquet("totals.parquet", SMALL_TOTALS)

    def sends(self, name: str, content: str | bytes) -> None:
        """Put a file into the inbox."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def sends_parquet(self, name: str, query: str) -> None:
        """Put what a query gives into the inbox as a Parquet file."""
        with duckdb.connect() as con:
            con.execute(f"COPY ({query}) TO '{self.inbox / name}' (FORMAT parquet)")

    def night(self) -> Night:
        """Tonight."""
        file = self.folder / "clinic.toml"
        file.write_text(self.config, encoding="utf-8")
        return Night(config_file=str(file), inbox=str(self.inbox), home=str(self.folder / "home"), data_date=DATA_DATE)

    def stage(self) -> Staged:
        """Land, stage, score and account for everything in the inbox."""
        return stage(self.night())


def give_secret(home: Path) -> None:
    """Put the tests' own secret where a night looks for it, so that every night of the tests gives the same codes."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / SECRET_NAME
    file.touch(mode=0o600)
    file.write_text(CODES.secret.hex(), encoding="ascii")


def stage(night: Night) -> Staged:
    """Land, stage, score and account for everything that the night finds, and hold the account to its law."""
    give_secret(Path(night.home))
    land(Path(night.inbox), landing=night.landing, mappings=night.service.feeds, data_date=night.as_of)
    night.work.mkdir(parents=True, exist_ok=True)
    with _open_build_in_memory() as con:
        con.register("instruments_to_store", instruments_frame(night.service.registry).to_arrow())
        con.execute("CREATE TABLE scratch.instruments AS SELECT * FROM instruments_to_store")
        files = landed_files(night.landing, mappings=night.service.feeds)
        for feed in staging.FEEDS:
            layer.stage_feed(con, feed, night=night, landed=files)
        score_forms(con, registry=night.service.registry)
        warehouse.create_table(con, staging.REFUSED_ROWS, select=accounting.refused_lines())
        warehouse.create_table(con, quality.RECONCILIATION, select=accounting.reconciliation())
        counted = con.sql(
            f"SELECT feed, file, {', '.join(f'SUM({fate})' for fate in FATES)} FROM quality.reconciliation GROUP BY ALL"
        ).fetchall()
        refused = con.sql(
            "SELECT feed, file, line, rule, reason FROM staging.refused_rows ORDER BY feed, file_number, line"
        ).fetchall()
        found = Staged(
            accounts={(feed, file): tuple(map(int, fates)) for feed, file, *fates in counted},
            refusals=tuple(Refusal(*row) for row in refused),
            fates=_fates(con),
            tables={feed.name: con.sql(f"FROM {feed.table.full_name}").pl().to_dicts() for feed in staging.FEEDS},
        )
        hold_to_the_law(con)
    return found


@contextmanager
def _open_build_in_memory() -> Iterator[duckdb.DuckDBPyConnection]:
    """The night's build as `warehouse.open_build` gives it, but never written to disk."""
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("ATTACH ':memory:' AS warehouse")
        con.execute("ATTACH ':memory:' AS scratch")
        con.execute("USE warehouse")
        for layer_name in warehouse.LAYERS:
            con.execute(f"CREATE SCHEMA {layer_name}")
        yield con


def _fates(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, int], str]:
    """What became of each line that is a record, by file name and line."""
    each = " UNION ALL ".join(
        f"SELECT file, source_line, fate FROM ("
        f"SELECT file_number, source_line, fate FROM scratch.fates_{feed.name}"
        f" UNION ALL SELECT file_number, source_line, 'refused' FROM scratch.unread_{feed.name}"
        f" UNION ALL SELECT file_number, source_line, 'accepted' FROM scratch.current_{feed.name}"
        f") JOIN (SELECT DISTINCT file_number, file FROM scratch.counts_{feed.name}) USING (file_number)"
        for feed in staging.FEEDS
    )
    return {(str(file), int(line)): str(fate) for file, line, fate in con.sql(each).fetchall()}


def hold_to_the_law(con: duckdb.DuckDBPyConnection) -> None:
    """Every file's lines are the sum of their fates, every refused line is told once, every row has one line or more."""
    assert (
        con.sql(
            "SELECT feed, file FROM quality.reconciliation WHERE lines IS DISTINCT FROM"
            " accepted + refused + superseded + identical + blank"
        ).fetchall()
        == []
    )
    counted = "SELECT feed, file_number, refused FROM quality.reconciliation WHERE refused > 0 ORDER BY ALL"
    told = (
        "SELECT feed, file_number, COUNT(DISTINCT (mapping, line)) FROM staging.refused_rows WHERE reason <> ''"
        " GROUP BY feed, file_number ORDER BY ALL"
    )
    assert con.sql(counted).fetchall() == con.sql(told).fetchall()
    assert (
        con.sql(
            "SELECT feed, file_number, mapping, line FROM staging.refused_rows GROUP BY ALL HAVING COUNT(*) > 1"
        ).fetchall()
        == []
    )
    for feed in staging.FEEDS:
        keys = ", ".join(feed.table.key)
        assert con.sql(f"SELECT {keys} FROM {feed.table.full_name} GROUP BY ALL HAVING COUNT(*) > 1").fetchall() == []
