import duckdb
import pytest

from pipelines.benchmarks import validate


@pytest.fixture
def judged(tmp_path):
    """Both ways over the same lines, each on a connection of its own."""
    validate.write_lines(tmp_path / "lines.duckdb", 4_000)
    connections = []
    for name, way in (("hand", validate.judge_by_hand), ("contract", validate.judge_by_contract)):
        con = duckdb.connect(str(tmp_path / f"{name}.duckdb"))
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"ATTACH '{tmp_path / 'lines.duckdb'}' AS source (READ_ONLY)")
        connections.append((con, way(con)))
    yield connections
    for con, _ in connections:
        con.close()


def test_both_ways_refuse_and_accept_the_same_lines(judged):
    (by_hand, counted), (ours, counted_too) = judged
    assert counted == counted_too == (60, 3_940)
    lines = [
        by_hand.sql("SELECT source_line FROM quarantine ORDER BY 1").fetchall(),
        ours.sql("SELECT source_line FROM fates ORDER BY 1").fetchall(),
    ]
    assert lines[0] == lines[1]


def test_both_ways_type_what_they_accept_alike(judged):
    (by_hand, _), (ours, _) = judged
    columns = "appointment_id, case_id, clinician_id, starts_at, starts_on, status, duration_minutes, modality"
    rows = [
        con.sql(f"SELECT {columns} FROM {table} ORDER BY source_line").fetchall()
        for con, table in ((by_hand, "accepted"), (ours, "staging.attendance"))
    ]
    assert rows[0] == rows[1]


def test_every_planted_fault_has_its_own_rule(judged):
    (by_hand, _), (ours, _) = judged
    assert by_hand.sql("SELECT COUNT(DISTINCT rule) FROM quarantine").fetchall() == [(15,)]
    assert ours.sql("SELECT COUNT(DISTINCT rule) FROM fates WHERE fate = 'refused'").fetchall() == [(13,)]


def test_the_verdict_follows_from_time_and_memory():
    result = validate.run(rows=5_000)
    by_hand, ours = result.rows
    assert result.measured == pytest.approx(ours["CPU s"] / by_hand["CPU s"])
    assert result.held == (result.measured <= 4 and ours["MiB"] <= 2048)
