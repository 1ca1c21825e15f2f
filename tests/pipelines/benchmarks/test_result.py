from pipelines.benchmarks.result import BenchResult, as_table, last_line


def test_numbers_stand_right_and_words_left_under_their_column():
    rows = [{"step": "read", "seconds": 1.25, "rows": 1_000_000}, {"step": "publish", "seconds": 12.0, "rows": 5}]
    assert as_table(rows).splitlines() == [
        "step     seconds       rows",
        "read        1.25  1,000,000",
        "publish       12          5",
    ]


def test_a_cell_that_was_not_measured_is_left_empty():
    assert as_table([{"a": 1}, {"a": 2, "b": 3.5}]).splitlines() == ["a    b", "1", "2  3.5"]


def test_the_last_line_says_what_was_measured_what_was_promised_and_whether_it_held():
    held = BenchResult(rows=[], measured=3.456, goal=5.0, held=True)
    short = BenchResult(rows=[], measured=5.5, goal=5.0, held=False)
    assert last_line("night", held) == "night: measured 3.46, goal 5, held"
    assert last_line("night", short) == "night: measured 5.5, goal 5, short"


def test_a_measure_close_to_its_goal_is_not_rounded_onto_it():
    short = BenchResult(rows=[], measured=5.004, goal=5.0, held=False)
    assert last_line("night", short) == "night: measured 5.004, goal 5, short"
