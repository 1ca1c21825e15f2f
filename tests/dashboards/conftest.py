"""What the pages' tests share: sites built once from made-up clinics."""

import pytest
from tests.dashboards import frames

from dashboards.site import build_site


@pytest.fixture(scope="session")
def clinic_tables():
    """The tables of a clinic of twenty-four clinicians."""
    return frames.clinic(clinicians=24, clients_each=30)


@pytest.fixture(scope="session")
def site(tmp_path_factory, clinic_tables):
    """That clinic's site."""
    folder = tmp_path_factory.mktemp("site")
    build_site(frames.reader(clinic_tables), folder=folder, settings=frames.settings())
    return folder
