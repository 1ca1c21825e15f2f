"""A SQLAlchemy dialect onto a DuckDB connection that is already open.

Great Expectations reads SQL only through SQLAlchemy, and no released DuckDB dialect serves DuckDB 2. This one speaks
PostgreSQL's SQL, which DuckDB understands for everything that expectations ask, and answers the few questions about
tables from DuckDB's own catalogue.

Belongs here: what SQLAlchemy must be told about DuckDB. Does not belong here: Great Expectations
(`quality.expectations`).

The connection itself is shared, not a cursor of it: frames registered on a connection and temporary tables are seen
by that connection alone. Nothing is ever committed, rolled back or closed from here; the connection's owner does
that.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect, PGTypeCompiler
from sqlalchemy.types import UserDefinedType

from assets.warehouse import stopped_as_asked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_shared: dict[str, duckdb.DuckDBPyConnection] = {}
_names = itertools.count()


@contextmanager
def shared(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """Lends an open connection to SQLAlchemy for as long as the block lasts.

    Yields:
        the address under which `sqlalchemy.create_engine` reaches it.
    """
    name = f"connection_{next(_names)}"
    _shared[name] = connection
    try:
        yield f"duckdb+shared:///{name}"
    finally:
        del _shared[name]


class _Cursor:
    """A DB-API cursor that reads its result at once: DuckDB keeps one a connection, and callers interleave them."""

    arraysize = 1

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self._next = 0
        self.description: list[tuple[Any, ...]] | None = None
        self.rowcount = -1

    def execute(self, sql: str, parameters: Sequence[Any] | None = None) -> None:
        """Runs one statement and keeps its whole result."""
        # Great Expectations takes every error for a rule that could not run; a wish to stop is none.
        with stopped_as_asked():
            result = self._connection.execute(sql, parameters or None)
            # DuckDB's type objects are not the type codes that SQLAlchemy expects, so only names are handed on.
            self.description = [(column[0], *[None] * 6) for column in result.description or ()] or None
            self._rows = result.fetchall() if self.description else []
        self._next = 0
        self.rowcount = len(self._rows)

    def fetchone(self) -> tuple[Any, ...] | None:
        """The next row, or None after the last."""
        rows = self.fetchmany(1)
        return rows[0] if rows else None

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Up to `size` further rows."""
        rows = self._rows[self._next : self._next + (size or self.arraysize)]
        self._next += len(rows)
        return rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        """All rows not yet fetched."""
        return self.fetchmany(len(self._rows))

    def close(self) -> None:
        """Lets the result go."""
        self._rows = []


class _Connection:
    """A DB-API connection that may read but leaves the life of the real one alone."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection)

    def commit(self) -> None:
        """Nothing: a transaction of the owner's stays the owner's."""

    def rollback(self) -> None:
        """Nothing: a transaction of the owner's stays the owner's."""

    def close(self) -> None:
        """Nothing: the owner closes."""


class _Driver:
    """The part of the DB-API module that SQLAlchemy looks at."""

    apilevel = "2.0"
    threadsafety = 1
    paramstyle = "qmark"
    Error = duckdb.Error

    @staticmethod
    def connect(*, name: str) -> _Connection:
        return _Connection(_shared[name])


class _OtherType(UserDefinedType[Any]):
    """A DuckDB type that SQLAlchemy has no class for, known by its name in DuckDB."""

    cache_ok = True

    def __init__(self, name: str) -> None:
        self.name = name

    def get_col_spec(self, **_: Any) -> str:
        return self.name


class _TypeNames(PGTypeCompiler):
    """Types are written as DuckDB's catalogue names them, so that a contract's types compare as text."""

    def visit_DOUBLE(self, type_: Any, **kw: Any) -> str:  # noqa: ARG002, N802 -- SQLAlchemy's signature and name
        return "DOUBLE"

    def visit_TIMESTAMP(self, type_: Any, **kw: Any) -> str:  # noqa: ARG002, N802 -- SQLAlchemy's signature and name
        return "TIMESTAMP"


_TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "BIGINT": sa.BIGINT,
    "BOOLEAN": sa.BOOLEAN,
    "DATE": sa.DATE,
    "DOUBLE": sa.DOUBLE,
    "INTEGER": sa.INTEGER,
    "SMALLINT": sa.SMALLINT,
    "TIMESTAMP": sa.TIMESTAMP,
    "VARCHAR": sa.VARCHAR,
}


class DuckDBDialect(PGDialect):
    """PostgreSQL's dialect with DuckDB's catalogue of tables and columns; made for reading.

    Keys, indexes and constraints are not told: contracts keep them, not the database.
    """

    driver = "shared"
    default_paramstyle = "qmark"
    supports_statement_cache = True
    supports_native_boolean = True
    insert_returning = False
    use_insertmanyvalues = False
    type_compiler_cls: ClassVar[Any] = _TypeNames

    @classmethod
    def import_dbapi(cls) -> Any:
        """The driver; SQLAlchemy calls this once an engine."""
        return _Driver

    def create_connect_args(self, url: sa.URL) -> tuple[list[Any], dict[str, Any]]:
        """The shared connection's name, from the address that `shared` gave."""
        return [], {"name": url.database}

    def initialize(self, connection: Any) -> None:  # noqa: ARG002 -- SQLAlchemy's signature
        """States what a PostgreSQL server would be asked."""
        self.default_schema_name = "main"
        self.server_version_info = (16, 0)

    def on_connect(self) -> None:
        """Nothing is set on a connection that belongs to someone else."""

    def do_begin(self, dbapi_connection: Any) -> None:
        """Nothing: the owner keeps transactions."""

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Nothing: the owner keeps transactions."""

    def get_columns(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> Any:
        """The columns of a table or view, in order, with DuckDB's types."""
        rows = self._column_rows(connection, table_name, schema)
        if not rows:
            raise sa.exc.NoSuchTableError(table_name)
        return [
            {
                "name": name,
                "type": _TYPES[type_name]() if type_name in _TYPES else _OtherType(type_name),
                "nullable": bool(is_nullable),
                "default": None,
                "autoincrement": False,
                "comment": None,
            }
            for name, type_name, is_nullable in rows
        ]

    def has_table(self, connection: Any, table_name: str, schema: str | None = None, **_: Any) -> bool:
        """Whether a table or view of that name exists."""
        return bool(self._column_rows(connection, table_name, schema))

    def get_table_names(self, connection: Any, schema: str | None = None, **_: Any) -> list[str]:
        """The names of a schema's tables."""
        return self._names(connection, "SELECT table_name FROM duckdb_tables() WHERE schema_name = :schema", schema)

    def get_view_names(self, connection: Any, schema: str | None = None, **_: Any) -> list[str]:
        """The names of a schema's views."""
        return self._names(
            connection, "SELECT view_name FROM duckdb_views() WHERE NOT internal AND schema_name = :schema", schema
        )

    def get_schema_names(self, connection: Any, **_: Any) -> list[str]:
        """The names of the database's schemas."""
        rows = connection.execute(
            sa.text("SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()")
        ).fetchall()
        return [row[0] for row in rows]

    def get_pk_constraint(self, *_: Any, **__: Any) -> Any:
        """None told; a failed question would end the owner's transaction."""
        return {"constrained_columns": [], "name": None}

    def _column_rows(self, connection: Any, table_name: str, schema: str | None) -> list[Any]:
        return list(
            connection.execute(
                sa.text(
                    "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE schema_name = :schema"
                    " AND table_name = :table_name AND database_name = current_database() ORDER BY column_index"
                ),
                {"table_name": table_name, "schema": schema or "main"},
            ).fetchall()
        )

    @staticmethod
    def _names(connection: Any, sql: str, schema: str | None) -> list[str]:
        sql += " AND database_name = current_database() ORDER BY ALL"
        return [row[0] for row in connection.execute(sa.text(sql), {"schema": schema or "main"}).fetchall()]


registry.register("duckdb.shared", __name__, DuckDBDialect.__name__)
