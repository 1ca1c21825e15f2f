"""What every Dagster asset of a night is given: the service's settings, the inbox and the state folder.

Belongs here: the one resource, and how a night's moment and folders follow from it. Does not belong here: what is
done with them. Dagster reads annotations at run time, so this module never postpones them.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from assets import warehouse
from assets.feeds.codes import Codes
from assets.feeds.landing import PULLED
from assets.feeds.secret import NAME as SECRET_NAME
from assets.feeds.secret import hold_secret
from assets.feeds.wrong_input import WrongInput
from assets.service import Service, read_service


class Night(dg.ConfigurableResource):
    """One night: what to read, where to keep state, and the day that the data speak of.

    Attributes:
        config_file: the service's TOML file.
        inbox: the folder that the clinic's files arrive in; empty for what has landed already, and nothing else.
        home: the state folder: landing, work, published versions.
        data_date: ISO date; empty for today in the clinic's zone.
        memory_limit: DuckDB's share of memory.
        keep_versions: how many published versions stay.
        secret_file: where the clinic keeps its secret; empty for the state folder.
        repeats_version: the version that this night makes again, under the same name; empty for a night of its own.
        repeats_run: the run that made that version.
    """

    config_file: str
    inbox: str
    home: str
    data_date: str = ""
    memory_limit: str = "1500MB"
    keep_versions: int = 7
    secret_file: str = ""
    repeats_version: str = ""
    repeats_run: str = ""
    _today: date | None = PrivateAttr(default=None)
    # Held open from step to step: each opening reads the catalogue of a hundred tables, each closing writes it.
    _build: duckdb.DuckDBPyConnection | None = PrivateAttr(default=None)
    _is_running: bool = PrivateAttr(default=False)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Night"]:  # noqa: ARG002 - Dagster's signature
        """Hold the state folder for as long as the run lasts, and close what is made to others: 0640, folders 0750."""
        os.umask(0o027)
        with warehouse.hold_night(Path(self.home)):
            self._is_running = True
            try:
                yield self
            finally:
                self.close_build()
                self._is_running = False

    @property
    def service(self) -> Service:
        """The settings, read and checked."""
        return read_service(Path(self.config_file))

    @property
    def as_of(self) -> date:
        """The day that the data speak of; one day, also of a night that midnight or a set clock interrupts."""
        if not self.data_date:
            if self._today is None:
                self._today = datetime.now(self.service.clinic.zone).date()
            return self._today
        try:
            return date.fromisoformat(self.data_date)
        except ValueError as error:
            raise WrongInput(
                f'"{self.data_date}" is not a day', place="--as-of", mend="write it as YYYY-MM-DD"
            ) from error

    @property
    def landing(self) -> Path:
        """Where pulled files are kept as they came."""
        return Path(self.home) / "landing"

    @property
    def pulled(self) -> Path:
        """Where files fetched from databases and stores lie for landing to find."""
        return Path(self.home) / PULLED

    @property
    def work(self) -> Path:
        """Where the night builds; emptied when a night begins, whatever the last one left."""
        return Path(self.home) / "work"

    @property
    def codes(self) -> Codes:
        """How identifiers are written beyond landing; the clinic's secret is made where there never was one."""
        file = Path(self.secret_file).expanduser() if self.secret_file else Path(self.home) / SECRET_NAME
        return Codes(
            secret=hold_secret(file, landing=self.landing), rekeys_clinicians=self.service.privacy.rekey_clinicians
        )

    def begin_build(self) -> None:
        """Start the night's two files afresh."""
        self.close_build()
        warehouse.begin_build(self.work, memory_limit=self.memory_limit)

    @contextmanager
    def open_build(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection to the night's build; within a run the files stay open from one step to the next."""
        if not self._is_running:
            with warehouse.open_build(self.work, memory_limit=self.memory_limit) as con:
                yield con
            return
        if self._build is None:
            self._build = warehouse.connect_build(self.work, memory_limit=self.memory_limit)
        with warehouse.session(self._build) as con:
            yield con

    def close_build(self) -> None:
        """Write the build's files out whole and let go of them."""
        if self._build is not None:
            self._build.close()
            self._build = None
