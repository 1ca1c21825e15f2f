import pytest

from pipelines.database_server import database_server, mariadb_server


@pytest.fixture(scope="session")
def postgres():
    """The address of a PostgreSQL server of the tests' own."""
    with database_server() as url:
        yield url


@pytest.fixture(scope="session")
def mariadb():
    """The address of a MariaDB server of the tests' own, as of any MySQL."""
    with mariadb_server() as url:
        yield url
