"""A whole night as an operator starts it: the command, in a process of its own, and what it left."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from assets import warehouse
from tests.assets.staging_harness import give_secret

ROOT = Path(__file__).resolve().parents[2]
THREE_SITES = ROOT / "pipelines" / "examples" / "three_sites.toml"
DEMO = ROOT / "pipelines" / "examples" / "demo.toml"
DATA_DATE = "2026-11-20"


@dataclass(frozen=True)
class Ended:
    """How a command ended, what it said, what it complained of, and the lines that it left for a journal."""

    home: Path
    status: int
    said: str
    complained: str
    logged: tuple[dict[str, object], ...] = ()

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The published file, as an analyst opens it."""
        with warehouse.open_published(self.home / warehouse.WAREHOUSE_FILE) as con:
            yield con

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What the published file answers."""
        with self.warehouse() as con:
            return con.sql(query).fetchall()


def command_line(*words: str, home: Path) -> list[str]:
    """The words that start one verb against a state folder."""
    return [sys.executable, "-m", "pipelines", *words, "--home", str(home)]


def nightly_words(*, config: Path, inbox: Path, as_of: str = DATA_DATE) -> list[str]:
    """The words of one night."""
    return ["nightly", "--config", str(config), "--inbox", str(inbox), "--as-of", as_of]


def quiet() -> dict[str, str]:
    """This process's environment, without other libraries' warnings."""
    return os.environ | {"PYTHONWARNINGS": "ignore"}


def run_verb(*words: str, home: Path) -> Ended:
    """Run one verb of the command line against a state folder."""
    command = command_line(*words, home=home)
    done = subprocess.run(command, cwd=ROOT, env=quiet(), capture_output=True, text=True, check=False)
    lines = done.stderr.splitlines(keepends=True)
    return Ended(
        home=home,
        status=done.returncode,
        said=done.stdout,
        complained="".join(line for line in lines if not line.startswith("{")),
        logged=tuple(json.loads(line) for line in lines if line.startswith("{")),
    )


def run_nightly(*, config: Path, inbox: Path, home: Path, as_of: str = DATA_DATE) -> Ended:
    """Run the night on an inbox, with the tests' own secret."""
    give_secret(home)
    return run_verb(*nightly_words(config=config, inbox=inbox, as_of=as_of), home=home)
