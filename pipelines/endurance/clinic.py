"""The smallest clinic whose night uses every way in: an inbox of files and a database that is asked for what is new.

Belongs here: its settings, its files, and one more row by each way. Does not belong here: running its night.
"""

import os
import sqlite3
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from pipelines.environment import ROOT

DATA_DATE: Final = date(2026, 11, 20)
URL_VARIABLE: Final = "RAPPORT_ENDURANCE_DATABASE"
_IN_THE_INBOX: Final = 'files = "appointments.csv"\n'
_MANY: Final = 'files = ["appointments.csv", "more/*.csv"]\n'
_IN_A_FILE: Final = 'files = "phq9.csv"\n'
_FETCHED: Final = 'files = "pulled/ehr/forms-*.parquet"\nformat = "parquet"\n'
_PULL: Final = f"""
[pulls.ehr]
kind = "sql"
url_variable = "{URL_VARIABLE}"

[[pulls.ehr.queries]]
name = "forms"
sql = "SELECT * FROM forms"
watermark = "changed_number"
"""


@dataclass
class SmallClinic:
    """A clinic in a folder.

    Attributes:
        folder: holds everything, the state folder included.
        clients: how many there are.
        more: how many rows each way has had since the beginning.
    """

    folder: Path
    clients: int = 60
    more: int = field(default=0, init=False)

    @property
    def config(self) -> Path:
        """Its settings."""
        return self.folder / "clinic.toml"

    @property
    def inbox(self) -> Path:
        """Where its files arrive."""
        return self.folder / "inbox"

    @property
    def home(self) -> Path:
        """The state folder of its nights."""
        return self.folder / "home"

    @property
    def database(self) -> Path:
        """Where its forms are."""
        return self.folder / "forms.sqlite"

    def write(self) -> None:
        """Everything as it is before the first night."""
        from assets.feeds.synthetic import write_export  # noqa: PLC0415 - only who writes needs polars

        write_export(self.inbox, seed=7, clinicians=12, clients=self.clients, data_on=DATA_DATE)
        demo = (ROOT / "pipelines" / "examples" / "demo.toml").read_text(encoding="utf-8")
        for before, after in ((_IN_THE_INBOX, _MANY), (_IN_A_FILE, _FETCHED)):
            if before not in demo:
                raise ValueError(f"the demonstration's settings no longer hold {before.strip()}")
            demo = demo.replace(before, after)
        self.config.write_text(demo + _PULL, encoding="utf-8")
        self._fill_the_database()

    def _fill_the_database(self) -> None:
        header, *rows = (self.inbox / "phq9.csv").read_text(encoding="utf-8").splitlines()
        names = header.split(",")
        with sqlite3.connect(self.database) as con:
            con.execute(f"CREATE TABLE forms ({', '.join(f'{name} TEXT' for name in names)}, changed_number INTEGER)")
            marks = ", ".join("?" * (len(names) + 1))
            con.executemany(
                f"INSERT INTO forms VALUES ({marks})",
                [[*(value or None for value in row.split(",")), at] for at, row in enumerate(rows, start=1)],
            )
        con.close()
        (self.inbox / "phq9.csv").unlink()

    def send_one_more(self) -> None:
        """One more appointment in a file of its own and one more form in the database, both sound."""
        self.more += 1
        header, first, *_ = (self.inbox / "appointments.csv").read_text(encoding="utf-8").splitlines()
        row = dict(zip(header.split(","), first.split(","), strict=True))
        day, minute = 1 + self.more % 28, self.more // 28
        row |= {
            "appointment_id": f"M{self.more:06d}",
            "starts_at": f"2026-09-{day:02d} {7 + minute // 60:02d}:{minute % 60:02d}:00",
        }
        folder = self.inbox / "more"
        folder.mkdir(exist_ok=True)
        unfinished = folder / ".on_its_way"
        unfinished.write_text(f"{header}\n{','.join(row.values())}\n", encoding="utf-8")
        unfinished.rename(folder / f"appointments-{self.more:06d}.csv")
        with sqlite3.connect(self.database) as con:
            con.execute(
                "INSERT INTO forms SELECT * FROM (SELECT * FROM forms WHERE rating_id LIKE 'O0%' ORDER BY rating_id LIMIT 1)"
            )
            con.execute(
                "UPDATE forms SET rating_id = ?, appointment_id = NULL, completed_on = ?, changed_number ="
                " (SELECT MAX(changed_number) + 1 FROM forms) WHERE rowid = (SELECT MAX(rowid) FROM forms)",
                [f"M{self.more:06d}", f"2026-09-{day:02d}"],
            )
        con.close()

    def set_environment(self, *, home: Path | None = None, as_of: str = DATA_DATE.isoformat()) -> None:
        """What its nights find in the environment of this process."""
        os.environ |= {
            "RAPPORT_CONFIG": str(self.config),
            "RAPPORT_INBOX": str(self.inbox),
            "RAPPORT_HOME": str(home or self.home),
            "RAPPORT_AS_OF": as_of,
            URL_VARIABLE: f"sqlite:///{self.database}",
        }
