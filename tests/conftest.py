"""What every test may ask for: the reference folders beside the clone, and one way of drawing random examples.

Fixtures of one room belong in that room's own conftest.
"""

import os
from pathlib import Path

# Both are read when the libraries are first imported, so they stand before anything imports them.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"

import hypothesis
import pytest

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
