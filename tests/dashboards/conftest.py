"""A site of a small service, built once for the tests that read it."""

from pathlib import Path

import pytest

from dashboards.site import build_site
from tests.dashboards import frames as made_up_frames
from tests.dashboards.frame_reader import reader_of


@pytest.fixture(scope="session")
def made():
    """The module that makes tables."""
    return made_up_frames


@pytest.fixture(scope="session")
def frames(made):
    return made.service()


@pytest.fixture(scope="session")
def site(made, frames, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build_site(reader_of(frames), folder=folder, settings=made.settings())
    return folder
