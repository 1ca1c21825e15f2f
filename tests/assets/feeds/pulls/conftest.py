import pytest

from tests.assets.feeds.pulls.postgres_server import postgres_server


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server of the tests' own."""
    with postgres_server() as url:
        yield url
