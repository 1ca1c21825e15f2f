import polars as pl

from assets.science.instruments.registry import REGISTRY
from assets.science.scoring import score_items, scored_sql
from pipelines.benchmarks import scoring


def test_the_benchmark_names_its_figures_and_its_verdict_follows_from_the_worst_of_them():
    result = scoring.run(rows=20_000)
    taken = {str(row["what"]): row["CPU s"] for row in result.rows}
    assert list(taken) == [scoring.READ_FLOOR, scoring.READ, scoring.WRITE_FLOOR, scoring.WRITE, scoring.FRAME]
    assert result.measured == max(
        taken[scoring.READ] / taken[scoring.READ_FLOOR],
        taken[scoring.WRITE] / taken[scoring.WRITE_FLOOR],
    )
    assert result.held == (result.measured <= result.goal == 3.0)


def test_the_forms_measured_are_mostly_complete_and_all_within_the_forms_range(tmp_path):
    with scoring.forms(tmp_path, 20_000) as con:
        answers = con.sql("FROM forms").pl()
    incomplete = answers.select(pl.any_horizontal(pl.all().is_null()).mean()).item()
    assert answers.height == 20_000
    assert 0.004 < incomplete < 0.016
    assert answers.unpivot()["value"].drop_nulls().unique().sort().to_list() == [0.0, 1.0, 2.0, 3.0]


def test_what_is_timed_is_the_rule_itself(tmp_path):
    phq = REGISTRY["PHQ-9"]
    with scoring.forms(tmp_path, 5_000) as con:
        con.execute("INSERT INTO forms SELECT 4, 3, 3, 3, 3, 3, 3, 3, 0")
        frame = con.sql("FROM forms").pl()
        made = con.sql(scored_sql(phq, scoring.ITEMS, source="forms")).pl()
    expected = score_items(frame, instrument=phq, item_columns=scoring.ITEMS)
    assert made["score"].to_list() == expected["score"].to_list()
    assert made["score"].null_count() == 1


def test_work_takes_turns_and_the_first_turn_is_not_counted():
    done = []
    times = scoring.timed({name: lambda name=name: done.append(name) for name in ("one", "two")})
    assert {name: (len(each.cpu), len(each.wall)) for name, each in times.items()} == {"one": (5, 5), "two": (5, 5)}
    assert done == ["one", "two"] * 6
