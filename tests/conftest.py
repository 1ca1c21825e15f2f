"""What every test may ask for: the reference folders beside the clone, and one way of drawing random examples.

Fixtures of one room belong in that room's own conftest.
"""

import atexit
import os
import signal
from collections.abc import Iterator
from pathlib import Path

# Read when the library is first imported, so it stands before anything imports it.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import hypothesis
import pytest

# As Python ends, DuckDB's bindings list on standard error what they still hold, after pytest's own last line, which is
# the one that people and CI read. Whatever a test writes has been shown by then.
atexit.register(lambda: os.dup2(os.open(os.devnull, os.O_WRONLY), 2))

ROOT = Path(__file__).resolve().parent.parent

hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def folder_beside_the_clone(*names: str) -> Path:
    """A folder of the reference material that stands beside the clone, or a failure that says what is missing."""
    folder = ROOT.parent.joinpath("shared", *names)
    if not folder.is_dir():
        pytest.fail(f"{folder} is missing: these tests compare with reference material kept beside the clone")
    return folder


@pytest.fixture(scope="session", autouse=True)
def a_quiet_dagster(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A Dagster home of the test run's own, which reports to nobody: only its instance file can say so."""
    home = tmp_path_factory.mktemp("dagster_home")
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)


@pytest.fixture(scope="module", autouse=True)
def an_environment_of_its_own() -> Iterator[None]:
    """What a night told this process's environment ends with the module whose tests ran it."""
    before = {name: value for name, value in os.environ.items() if name.startswith("RAPPORT_")}
    yield
    for name in [name for name in os.environ if name.startswith("RAPPORT_")]:
        del os.environ[name]
    os.environ.update(before)


@pytest.fixture
def a_signal_soon() -> Iterator[None]:
    """A signal comes in a fifth of a second, and is taken as Ctrl-C is."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def long_question() -> str:
    """A query of some seconds. It ends by itself: DuckDB hears a signal late where its other threads do the work."""
    return "SELECT MAX(HASH(range)) FROM range(2000000000)"


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the clone."""
    return ROOT


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Published and reference cases, read where they stand."""
    return folder_beside_the_clone("cases")


@pytest.fixture(scope="session")
def shared_export() -> Path:
    """What a three-site service's systems hand over, unedited."""
    return folder_beside_the_clone("clinic_export")
