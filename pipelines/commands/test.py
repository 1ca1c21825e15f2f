"""`test`: the linters, the audits, then the whole test suite, the browser's included. What CI runs."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from pipelines.audits import audits
from pipelines.browser import CHOSEN_BY, BrowserMachine, NoBrowser, find_or_install
from pipelines.database_server import mariadb_program, programs
from pipelines.environment import ROOT, say_on_stderr
from pipelines.machine import Machine

COVERED = "assets.science"


@dataclass(frozen=True)
class Linter:
    """One linter: what it is called when its result is printed, and its command."""

    name: str
    command: list[str]


def linters() -> list[Linter]:
    """Every linter, each configured in pyproject.toml."""
    here = Path(sys.executable).parent
    return [
        Linter("ruff check", [str(here / "ruff"), "check", "."]),
        Linter("ruff format --check", [str(here / "ruff"), "format", "--check", "."]),
        Linter("mypy --strict", [str(here / "mypy")]),
        Linter("lint-imports", [str(here / "lint-imports")]),
    ]


def lint() -> bool:
    """Run every linter, print each one's result and the words of those that complain; whether all are clean."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        runs = pool.map(
            lambda linter: subprocess.run(linter.command, cwd=ROOT, capture_output=True, text=True, check=False),
            linters(),
        )
        clean = True
        for linter, done in zip(linters(), runs, strict=True):
            click.echo(f"{linter.name}: {'clean' if done.returncode == 0 else 'FAILED'}")
            if done.returncode != 0:
                clean = False
                click.echo((done.stdout + done.stderr).rstrip())
    return clean


def give_database_servers(machine: Machine, *, say: Callable[[str], None]) -> None:
    """Install PostgreSQL and MariaDB for the tests of databases where they are missing and may be; else those tests fail."""
    missing = [
        package
        for package, is_there in (("postgresql", programs()), ("mariadb-server-core", mariadb_program()))
        if is_there is None
    ]
    if missing and machine.installs_packages():
        say(f"installing Debian's {' and '.join(missing)} for the tests of databases (once)")
        machine.install_packages(missing)


def look_into_the_clone() -> bool:
    """Print what the audits of packages and of secrets found; whether nothing was."""
    found = audits()
    for audit in found:
        click.echo(audit.sentence)
        for line in audit.found:
            click.echo(f"  {line}")
    return all(audit.is_clean for audit in found)


def run_pytest(arguments: list[str], *, browser: str) -> int:
    """Run pytest with `arguments` in the clone, printing as it goes; its exit status."""
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {CHOSEN_BY: browser}, check=False).returncode


@click.command(name="test")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def command(pytest_arguments: tuple[str, ...]) -> int:
    """Run the linters, the audits and every test; with words after `--`, only pytest, with those words."""
    try:
        browser = find_or_install(BrowserMachine(), say=say_on_stderr)
    except NoBrowser as none:
        raise click.ClickException(str(none)) from none
    give_database_servers(Machine(), say=say_on_stderr)
    if pytest_arguments:
        return run_pytest(list(pytest_arguments), browser=browser)
    clean = all([lint(), look_into_the_clone()])
    passed = run_pytest([f"--cov={COVERED}", "--cov-branch", "--cov-report=term"], browser=browser)
    return passed or int(not clean)
