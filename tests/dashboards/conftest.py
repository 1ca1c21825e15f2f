"""A site of a small service, built once for the tests that read it."""

import importlib.util
from pathlib import Path

import pytest

from dashboards.site import build_site

_SPEC = importlib.util.spec_from_file_location("page_frames", Path(__file__).with_name("frames.py"))
_FRAMES = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_FRAMES)


@pytest.fixture(scope="session")
def made():
    """The module that makes tables."""
    return _FRAMES


@pytest.fixture(scope="session")
def frames(made):
    return made.service()


@pytest.fixture(scope="session")
def site(made, frames, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    build_site(made.reader(frames), folder=folder, settings=made.settings())
    return folder
