import duckdb
import polars as pl

from assets.science.instruments.registry import REGISTRY
from assets.science.scoring import score_expr, score_sql
from pipelines.benchmarks import scoring


def test_the_benchmark_names_its_figures_and_its_verdict_follows_from_them():
    result = scoring.run(rows=20_000)
    floor, scored, *_ = [row["CPU s"] for row in result.rows]
    assert [row["what"] for row in result.rows] == [
        "add up nine columns",
        "score nine columns",
        "nine column totals",
        "total of all scores",
    ]
    assert result.measured == scored / floor
    assert result.held == (result.measured <= result.goal == 3.0)


def test_the_forms_measured_are_mostly_complete_and_all_within_the_forms_range(tmp_path):
    with scoring._forms(tmp_path, 20_000) as con:
        answers = con.sql("FROM forms").pl()
    incomplete = answers.select(pl.any_horizontal(pl.all().is_null()).mean()).item()
    assert answers.height == 20_000
    assert 0.004 < incomplete < 0.016
    assert answers.unpivot()["value"].drop_nulls().unique().sort().to_list() == [0.0, 1.0, 2.0, 3.0]


def test_what_is_timed_is_the_rule_itself(tmp_path):
    phq = REGISTRY["PHQ-9"]
    with scoring._forms(tmp_path, 5_000) as con:
        made = con.sql(f"SELECT *, {score_sql(phq, scoring.ITEMS)} AS made FROM forms").pl()
    expected = made.select(score_expr(phq, item_columns=scoring.ITEMS, part=None)).to_series()
    assert made["made"].to_list() == expected.to_list()


def test_statements_take_turns_and_the_first_turn_is_not_counted():
    with duckdb.connect() as con:
        times = scoring._timed(con, {"one": "SELECT 1", "two": "SELECT 2"})
    assert {name: (len(each.cpu), len(each.wall)) for name, each in times.items()} == {"one": (5, 5), "two": (5, 5)}
