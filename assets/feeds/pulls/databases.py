"""Databases that SQLAlchemy asks: the drivers that come with us, how long one waits, and that a pull only reads.

Belongs here: what differs between kinds of database before anything is asked. Does not belong here: asking, and PostgreSQL,
which is read by its own wire format (`sql`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

_SECONDS_TO_CONNECT: Final = 60


class UnknownDatabaseError(Exception):
    """An address names no kind of database that can be asked."""


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """One kind of database.

    Attributes:
        driver: what SQLAlchemy calls it with its driver.
        connect: the driver's own name for the seconds until it must be connected, where it has one.
        answer: its name for the seconds until an answer must begin, where it is said on connecting.
        reads_only: what makes everything that follows only read.
    """

    driver: str
    connect: str | None = None
    answer: str | None = None
    reads_only: str | None = None


_MYSQL: Final = {
    "connect": "connect_timeout",
    "answer": "read_timeout",
    "reads_only": "SET SESSION TRANSACTION READ ONLY",
}
_KINDS: Final = {
    "mysql": _Kind(driver="mysql+pymysql", **_MYSQL),
    "mariadb": _Kind(driver="mariadb+pymysql", **_MYSQL),
    # SQL Server has no transaction that only reads: there the account must be one that may not write.
    "mssql": _Kind(driver="mssql+pymssql", connect="login_timeout", answer="timeout"),
    "oracle": _Kind(driver="oracle+oracledb", connect="tcp_connect_timeout", reads_only="SET TRANSACTION READ ONLY"),
    "sqlite": _Kind(driver="sqlite", reads_only="PRAGMA query_only = ON"),
}
KINDS: Final = tuple(_KINDS)
"""What an address may begin with, beside `postgresql`."""


@contextmanager
def connected(url: str, *, seconds: int) -> Iterator[sa.Connection]:
    """A connection that only reads.

    Args:
        url: where, with the account and its password; a driver of one's own may be named, as `mssql+pyodbc`.
        seconds: until an answer must begin.

    Raises:
        UnknownDatabaseError: it is no address, or there is no driver for it.
        sqlalchemy.exc.SQLAlchemyError: whatever the driver complains of.
    """
    try:
        address = sa.make_url(url)
        kind = _KINDS.get(address.drivername, _Kind(driver=address.drivername))
        named = ((kind.connect, _SECONDS_TO_CONNECT), (kind.answer, seconds))
        waits = {name: value for name, value in named if name is not None}
        engine = sa.create_engine(address.set(drivername=kind.driver), connect_args=waits)
    except (sa.exc.ArgumentError, ImportError) as error:
        # The error's own words may hold the address.
        raise UnknownDatabaseError(type(error).__name__) from None
    try:
        with engine.connect() as connection:
            driver: Any = connection.connection.driver_connection
            if engine.dialect.name == "oracle":
                driver.call_timeout = seconds * 1000
            if kind.reads_only is not None:
                connection.execute(sa.text(kind.reads_only))
            try:
                yield connection
            except sa.exc.DBAPIError:
                # PyMySQL would read the rest of a cut answer when it is thrown away, and complain that it cannot.
                cut = getattr(driver, "_result", None)
                if cut is not None:
                    cut.unbuffered_active = False
                raise
    finally:
        engine.dispose()
