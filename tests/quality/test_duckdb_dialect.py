import duckdb
import pytest
import sqlalchemy as sa

from quality.duckdb_dialect import shared


@pytest.fixture
def connection():
    with duckdb.connect() as found:
        found.execute("CREATE SCHEMA marts")
        found.execute(
            "CREATE TABLE marts.ratings (rating_id VARCHAR NOT NULL, score DOUBLE, n BIGINT, day DATE,"
            " begun_at TIMESTAMP, is_open BOOLEAN, items DOUBLE[], small HUGEINT)"
        )
        found.execute("CREATE VIEW marts.scored AS SELECT rating_id FROM marts.ratings")
        found.execute("CREATE TABLE plain AS SELECT range AS n FROM range(5)")
        yield found


@pytest.fixture
def engine(connection):
    with shared(connection) as address:
        found = sa.create_engine(address)
        yield found
        found.dispose()


def test_columns_are_told_in_order_with_duckdbs_own_type_names(engine):
    columns = sa.inspect(engine).get_columns("ratings", schema="marts")
    assert [(each["name"], each["type"].compile(engine.dialect)) for each in columns] == [
        ("rating_id", "VARCHAR"),
        ("score", "DOUBLE"),
        ("n", "BIGINT"),
        ("day", "DATE"),
        ("begun_at", "TIMESTAMP"),
        ("is_open", "BOOLEAN"),
        ("items", "DOUBLE[]"),
        ("small", "HUGEINT"),
    ]
    assert [each["nullable"] for each in columns] == [False, *[True] * 7]


def test_tables_views_and_schemas_are_told_apart(engine):
    inspector = sa.inspect(engine)
    assert inspector.get_table_names(schema="marts") == ["ratings"]
    assert inspector.get_view_names(schema="marts") == ["scored"]
    assert inspector.get_table_names() == ["plain"]
    assert {"main", "marts"} <= set(inspector.get_schema_names())
    assert inspector.has_table("scored", schema="marts")
    assert not inspector.has_table("ratings")


def test_a_table_that_is_not_there_is_named(engine):
    with pytest.raises(sa.exc.NoSuchTableError, match="absent"):
        sa.inspect(engine).get_columns("absent", schema="marts")


def test_two_results_can_be_read_in_turns(engine):
    with engine.connect() as first, engine.connect() as second:
        low = first.execute(sa.text("SELECT n FROM plain ORDER BY n"))
        high = second.execute(sa.text("SELECT n FROM plain ORDER BY n DESC"))
        assert (low.fetchone(), high.fetchone(), low.fetchmany(2), high.fetchall()) == (
            (0,),
            (4,),
            [(1,), (2,)],
            [(3,), (2,), (1,), (0,)],
        )
        assert low.fetchall() == [(3,), (4,)]
        assert low.fetchone() is None


def test_a_frame_registered_on_the_connection_is_seen(engine, connection):
    connection.register("frame", connection.sql("SELECT 7 AS n").to_arrow_table())
    with engine.connect() as opened:
        assert opened.execute(sa.text("SELECT n FROM frame WHERE n = :n"), {"n": 7}).fetchall() == [(7,)]


def test_the_owner_keeps_its_transaction_and_its_connection(connection):
    connection.execute("BEGIN")
    connection.execute("INSERT INTO plain VALUES (9)")
    with shared(connection) as address:
        engine = sa.create_engine(address)
        with engine.begin() as opened:
            assert opened.execute(sa.text("SELECT count(*) FROM plain")).scalar() == 6
            opened.rollback()
        engine.dispose()
    connection.execute("ROLLBACK")
    assert connection.execute("SELECT count(*) FROM plain").fetchall() == [(5,)]


def test_an_address_is_good_only_while_the_connection_is_lent(connection):
    with shared(connection) as address:
        pass
    with pytest.raises(KeyError):
        sa.create_engine(address).connect()


def test_two_connections_can_be_lent_at_once(connection):
    with duckdb.connect() as other, shared(connection) as first, shared(other) as second:
        other.execute("CREATE TABLE only_here (n BIGINT)")
        assert not sa.inspect(sa.create_engine(first)).has_table("only_here")
        assert sa.inspect(sa.create_engine(second)).has_table("only_here")


def test_a_question_that_a_signal_ends_is_no_failed_question(engine, long_question, a_signal_soon):
    with engine.connect() as con, pytest.raises(KeyboardInterrupt):
        con.execute(sa.text(long_question))
