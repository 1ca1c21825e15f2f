import pytest

from pipelines.database_server import database_server


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server of the tests' own."""
    with database_server() as url:
        yield url
