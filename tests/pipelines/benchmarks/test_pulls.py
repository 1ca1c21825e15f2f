import polars as pl
import pytest

from pipelines.benchmarks import pulls
from pipelines.benchmarks.pull_servers import RESOURCES_A_PAGE, fhir_answers, forms, redcap_answers


def test_every_system_gives_all_its_rows_both_ways(monkeypatch):
    monkeypatch.setattr(pulls, "TIMES", 1)
    result = pulls.run(rows=30)
    assert [row["system"] for row in result.rows] == list(pulls.SYSTEMS)
    assert result.measured == max(row["ratio"] for row in result.rows)
    assert result.held == (result.measured <= pulls.GOAL)


def test_a_pull_that_lacks_a_row_is_not_measured(tmp_path):
    forms(9).write_parquet(tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text("x\n1\n")
    pulls._check(tmp_path, rows=10)
    with pytest.raises(RuntimeError, match="10 rows were pulled of 11"):
        pulls._check(tmp_path, rows=11)


def test_the_made_up_project_gives_the_records_that_it_is_asked_for():
    answer = redcap_answers(25)
    names = answer("/", {"fields[0]": "record_id"}).body.split()
    assert names == [b"record_id", b"0", b"1", b"2"]
    rows = pl.read_csv(answer("/", {"records[0]": "1", "records[1]": "2"}).body)
    assert rows["record_id"].to_list() == [1] * 10 + [2] * 5
    assert rows["rating_id"].to_list() == list(range(11, 26))


def test_the_made_up_server_ends_its_pages_where_its_resources_end():
    answer = fhir_answers(RESOURCES_A_PAGE + 1)
    first, last = (answer(path, {}).body for path in ("/Appointment?_count=500", "/Appointment?page=1"))
    assert [first.count(b'"id"'), last.count(b'"id"')] == [RESOURCES_A_PAGE, 1]
    assert [b"page=1" in first, b'"next"' in last] == [True, False]
