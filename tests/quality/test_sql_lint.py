import duckdb
import pytest
import sqlglot

from quality.sql_lint import findings, to_spark

BAD = {
    "exactly one SELECT": [
        "SELECT a FROM t; SELECT b FROM t",
        "CREATE TABLE x AS SELECT a FROM t",
        "",
    ],
    "a star": ["SELECT * FROM t INNER JOIN u USING (a)", "SELECT t.* FROM t", "SELECT a FROM (SELECT * FROM t) AS s"],
    "GROUP BY ALL": ["SELECT a, COUNT(*) AS n FROM t GROUP BY ALL"],
    "ORDER BY ALL": ["SELECT a FROM t ORDER BY ALL"],
    "QUALIFY": ["SELECT a FROM t QUALIFY CAST(ROW_NUMBER() OVER (PARTITION BY a ORDER BY t_id) AS BIGINT) = 1"],
    "a division not guarded": ["SELECT a / b AS c FROM t", "SELECT a % b AS c FROM t", "SELECT a / 0 AS c FROM t"],
    "a logarithm not guarded": ["SELECT LN(a) AS b FROM t"],
    "a number without CAST": [
        "SELECT SUM(a) AS b FROM t",
        "SELECT COALESCE(SUM(CASE WHEN a > 1 THEN 1 ELSE 0 END), 0) AS b FROM t",
        "SELECT ROW_NUMBER() OVER (ORDER BY t_id) AS b FROM t",
        "SELECT COUNT(*) OVER (PARTITION BY a) AS b FROM t",
        "SELECT SUM(a) FILTER (WHERE b) + 1 AS b FROM t",
    ],
    "a window without ORDER BY": [
        "SELECT LAG(a) OVER (PARTITION BY b) AS c FROM t",
        "SELECT CAST(RANK() OVER (PARTITION BY b) AS BIGINT) AS c FROM t",
        "SELECT AVG(a) OVER (PARTITION BY b ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS c FROM t",
        "SELECT LAG(a) OVER w AS c FROM t WINDOW w AS (PARTITION BY b)",
        "SELECT LAST_VALUE(a IGNORE NULLS) OVER (PARTITION BY b) AS c FROM t",
    ],
    "a window whose ORDER BY may tie": [
        "SELECT LAG(a) OVER (PARTITION BY t_id ORDER BY day, t_id) AS c FROM t",
        "SELECT LAG(a) OVER (PARTITION BY b ORDER BY day) AS c FROM t",
        "SELECT AVG(a) OVER (ORDER BY day ROWS UNBOUNDED PRECEDING) AS c FROM t",
        "SELECT LAST_VALUE(a IGNORE NULLS) OVER (PARTITION BY b ORDER BY day) AS c FROM t",
        "SELECT LAG(a) OVER w AS c FROM t WINDOW w AS (PARTITION BY b ORDER BY day)",
    ],
    "any row's value": [
        "SELECT ANY_VALUE(a) AS b FROM t",
        "SELECT ARG_MAX(a, b) AS c FROM t",
        "SELECT FIRST(a) AS b FROM t",
        "SELECT MODE(a) AS b FROM t",
    ],
    "a list without ORDER BY": ["SELECT ARRAY_AGG(a) AS b FROM t", "SELECT STRING_AGG(a, ',') AS b FROM t"],
    "LIMIT without ORDER BY": ["SELECT a FROM t LIMIT 5"],
    "DISTINCT ON": ["SELECT DISTINCT ON (a) a, b FROM t"],
    "an approximate function": [
        "SELECT APPROX_QUANTILE(a, 0.5) AS b FROM t",
        "SELECT APPROX_COUNT_DISTINCT(a) AS b FROM t",
        "SELECT RESERVOIR_QUANTILE(a, 0.5) AS b FROM t",
    ],
    "a discrete quantile": [
        "SELECT QUANTILE(a, 0.5) AS b FROM t",
        "SELECT QUANTILE_DISC(a, 0.5) AS b FROM t",
        "SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY a) AS b FROM t",
    ],
    "descending order": ["SELECT PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY a DESC) AS b FROM t"],
    "a sample": ["SELECT a FROM t USING SAMPLE 10%"],
}
GOOD = [
    "SELECT a, COUNT(*) AS n FROM t GROUP BY a",
    "SELECT a / NULLIF(b, 0) AS c, a / 2 AS d, a % 7 AS e, LN(NULLIF(a, 0)) AS f FROM t",
    "SELECT CAST(SUM(a) AS BIGINT) AS b, CAST(COALESCE(SUM(c), 0) AS BIGINT) AS d FROM t",
    "SELECT SUM(a) / NULLIF(COUNT(*), 0) AS mean FROM t",
    "SELECT a FROM t GROUP BY a HAVING SUM(b) > 3",
    "SELECT LAG(a) OVER (PARTITION BY b ORDER BY day, t_id) AS c FROM t",
    "SELECT LAG(a) OVER (PARTITION BY b ORDER BY day /* a day is unique within b */) AS c FROM t",
    """SELECT
         -- A day is unique within b.
         LAG(a) OVER (PARTITION BY b ORDER BY day) AS c
       FROM t""",
    "SELECT LAG(a) OVER w AS c FROM t WINDOW w AS (PARTITION BY b ORDER BY day, t_id)",
    "SELECT CAST(RANK() OVER (PARTITION BY b ORDER BY day) AS BIGINT) AS c FROM t",
    "SELECT AVG(a) OVER (PARTITION BY b) AS c, AVG(a) OVER (PARTITION BY b ORDER BY day) AS d FROM t",
    "SELECT CAST(COUNT(*) OVER (PARTITION BY b) AS BIGINT) AS c FROM t",
    "WITH s AS (SELECT a FROM t) SELECT a FROM s UNION ALL SELECT a FROM u",
    "SELECT a FROM t ORDER BY a LIMIT 5",
    "SELECT QUANTILE_CONT(a, 0.5) AS b, PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY a) AS c, MEDIAN(a) AS d FROM t",
    "SELECT ARRAY_AGG(a ORDER BY t_id) AS b FROM t",
]


@pytest.mark.parametrize(("said", "sql"), [(said, sql) for said, examples in BAD.items() for sql in examples])
def test_what_would_not_travel_is_found_and_nothing_else(said, sql):
    found = findings(sql)
    assert found
    assert all(said in finding for finding in found)


@pytest.mark.parametrize("sql", GOOD)
def test_what_travels_is_let_through(sql):
    assert findings(sql) == []


def test_a_finding_shows_a_short_piece_of_the_model():
    [finding] = findings(f"SELECT a / ({' + '.join(['some_long_column'] * 20)}) AS b FROM t")
    assert finding.endswith("...")
    assert len(finding) < 140


def test_what_is_not_sql_is_refused():
    with pytest.raises(sqlglot.errors.ParseError):
        findings("SELECT FROM WHERE")


def test_an_exact_percentile_stays_exact_on_spark():
    assert (
        to_spark("SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY x) AS q FROM t")
        == "SELECT PERCENTILE(x, 0.25) AS q FROM t"
    )
    assert to_spark("SELECT QUANTILE_CONT(x, 0.25) AS q FROM t") == "SELECT PERCENTILE(x, 0.25) AS q FROM t"


def test_what_has_no_exact_translation_is_refused():
    for function in ("APPROX_QUANTILE(x, 0.5)", "PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY x)", "QUANTILE(x, 0.5)"):
        with pytest.raises(sqlglot.errors.UnsupportedError, match=r"approximate|discrete"):
            to_spark(f"SELECT {function} AS q FROM t")


def test_good_examples_are_sql_that_duckdb_runs():
    with duckdb.connect() as connection:
        for table in ("t", "u"):
            connection.execute(f"CREATE TABLE {table} (t_id VARCHAR, a BIGINT, b BIGINT, c BIGINT, day DATE)")
        for sql in GOOD:
            assert connection.execute(sql).fetchall() is not None
