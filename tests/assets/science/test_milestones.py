from __future__ import annotations

import csv
import json
import math
import statistics

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from assets.science import milestones

BY = ["id"]
NAMES = {"by": BY, "session": "session", "score": "score"}
TANG = {"threshold": 7, "fraction": 0.25, "alpha": 0.05}


@pytest.fixture(scope="module")
def folder(shared_cases):
    return shared_cases / "suddengains"


@pytest.fixture(scope="module")
def data(folder):
    return pl.read_csv(folder / "data" / "sgdata.csv")


def long(data, *, start=1):
    wide = data.select("id", *(f"bdi_s{n}" for n in range(start, 13)))
    return wide.unpivot(index="id", value_name="score").select(
        "id", pl.col("variable").str.extract(r"(\d+)$").cast(pl.Int64).alias("session"), "score"
    )


def intervals(scores, *, kind="gain", direction="higher_is_worse", best_score=0, **rules):
    return milestones.sudden_changes(
        scores, **NAMES, kind=kind, direction=direction, best_score=best_score, **(TANG | rules)
    )


def course(*scores, name="a", start=1):
    return pl.DataFrame(
        {"id": name, "session": range(start, start + len(scores)), "score": scores},
        schema={"id": pl.String, "session": pl.Int64, "score": pl.Float64},
    )


def as_flag(text):
    return {"": None, "0": False, "1": True, "FALSE": False, "TRUE": True}[text]


def compare(table, path, columns):
    """Every interval the package lists is judged as it judges it."""
    found = {(row["id"], row["session"]): row for row in table.rows(named=True)}
    compared = 0
    with path.open() as file:
        for row in csv.DictReader(file):
            for prefix, column in columns.items():
                for name, text in row.items():
                    if name.startswith(prefix):
                        session = int(name.removeprefix(prefix).split("to")[0])
                        assert found[int(row["id"]), session][column] is as_flag(text), (row["id"], name)
                        compared += 1
    return compared


def test_sudden_gains_agree_with_the_package_interval_by_interval(folder, data):
    table = intervals(long(data))
    assert compare(table, folder / "expected" / "identify_sg_cut7.csv", {"sg_": "is_sudden"}) == 43 * 9


def test_each_criterion_agrees_with_the_package(folder, data):
    columns = {"sg_crit1_": "is_large", "sg_crit2_": "is_large_share", "sg_crit3_": "is_stable"}
    table = intervals(long(data))
    assert compare(table, folder / "expected" / "identify_sg_cut7_criteria.csv", columns) == 3 * 43 * 9


def test_sudden_gains_from_a_baseline_agree_with_the_package(folder, data):
    table = intervals(long(data, start=0)).with_columns(pl.col("session") + 1)
    path = folder / "expected" / "identify_sg_cut7_from_s0.csv"
    assert compare(table.with_columns(pl.col("session") - 1), path, {"sg_": "is_sudden"}) == 43 * 10


def test_sudden_losses_agree_with_the_package(folder, data):
    table = intervals(long(data), kind="loss")
    assert compare(table, folder / "expected" / "identify_sl_cut7.csv", {"sl_": "is_sudden"}) == 43 * 9
    assert table["is_sudden"].sum() == 3


def described(data):
    scores = long(data)
    return milestones.described_sudden_changes(intervals(scores), scores, **NAMES, start=1, end=12)


def assert_same_gains(table, path):
    with path.open() as file:
        expected = [row for row in csv.DictReader(file) if row["id_sg"]]
    assert table.height == len(expected)
    for row, wanted in zip(table.rows(named=True), expected, strict=True):
        assert (str(row["id"]), str(row["session"])) == (wanted["id"], wanted["sg_session_n"])
        assert row["n_in_course"] == int(wanted["sg_freq_byperson"])
        assert row["magnitude"] == float(wanted["sg_magnitude"])
        assert row["reversal_score"] == float(wanted["sg_reversal_value"])
        assert row["is_reversed"] is as_flag(wanted["sg_reversal"])
        if wanted["sg_bdi_tx_change"]:
            assert row["whole_change"] == float(wanted["sg_bdi_tx_change"])
            assert row["share_of_whole"] == pytest.approx(float(wanted["sg_change_proportion"]), abs=1e-12)
        else:
            assert row["whole_change"] is None
            assert row["share_of_whole"] is None


def test_size_share_and_reversal_agree_with_the_package(folder, data):
    assert_same_gains(described(data), folder / "expected" / "bysg.csv")


@pytest.mark.parametrize("which", ["first", "largest"])
def test_one_gain_a_client_agrees_with_the_package(folder, data, which):
    table = milestones.one_per_course(described(data), by=BY, session="session", which=which)
    assert_same_gains(table, folder / "expected" / f"byperson_{which}.csv")


def test_the_published_summary_is_reproduced(folder, data):
    summary = json.loads((folder / "expected" / "summary.json").read_text())
    gains, judged = described(data), intervals(long(data))
    assert gains.height == summary["n_sg"] == summary["describe_bysg"]["sg_total_n"]
    assert gains["is_reversed"].sum() == summary["describe_bysg"]["sg_reversal_n"]
    assert gains["magnitude"].mean() == summary["describe_bysg"]["sg_magnitude_m"]
    assert round(gains["magnitude"].std(), 2) == summary["describe_bysg"]["sg_magnitude_sd"]
    assert gains["id"].n_unique() == summary["describe_byperson_first"]["sg_n"]
    available = summary["count_intervals_selected"]["available_between_sess_intervals_sg"]
    assert judged["is_sudden"].is_not_null().sum() == available
    assert intervals(long(data, start=0))["is_sudden"].sum() == summary["n_sg_from_s0"]


def test_exactly_the_threshold_is_large_and_a_point_less_is_not():
    assert intervals(course(27, 28, 27, 20, 19, 20))["is_sudden"].to_list()[2] is True
    assert intervals(course(27, 28, 27, 21, 19, 20))["is_sudden"].to_list()[2] is False


def test_exactly_a_quarter_is_a_large_share_and_less_is_not():
    assert intervals(course(28, 28, 28, 21, 21, 21))["is_large_share"].to_list()[2] is True
    assert intervals(course(29, 29, 29, 22, 22, 22))["is_large_share"].to_list()[2] is False


def test_means_that_differ_by_exactly_the_limit_are_not_enough():
    flat = intervals(course(5, 5, 5, 5, 5, 5), threshold=0.1)
    assert flat["is_stable"].to_list() == [None, False, False, False, None]


def test_one_score_on_a_side_is_too_few_to_judge():
    table = intervals(course(None, 30, 10, 10, 10))
    assert table["is_sudden"].to_list() == [None, None, False, None]


def test_absent_rows_are_absent_scores():
    whole = course(30, 31, None, 30, 12, 11, 10)
    assert intervals(whole.filter(pl.col("score").is_not_null())).equals(intervals(whole))


def test_a_criterion_left_out_is_not_asked_for():
    table = intervals(course(30, 20), fraction=None, alpha=None)
    assert table.select("is_large", "is_large_share", "is_stable", "is_sudden").row(0) == (True, None, None, True)


def test_a_score_without_its_session_is_refused():
    lost = course(20, 10).with_columns(session=pl.Series([1, None], dtype=pl.Int64))
    with pytest.raises(ValueError, match="no session number"):
        intervals(lost)


def test_two_scores_for_one_session_are_refused():
    with pytest.raises(ValueError, match="two scores for one session"):
        intervals(pl.concat([course(1, 2), course(3)]))


def test_courses_do_not_run_into_one_another():
    together = intervals(pl.concat([course(40, 40, 40), course(2, 2, 2, name="b")]))
    assert together["is_large"].sum() == 0


values = st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1, max_size=9)


def slow_sudden(scores, n, *, kind):
    before = [x for x in scores[max(0, n - 2) : n + 1] if x is not None]
    after = [x for x in scores[n + 1 : n + 4] if x is not None]
    if scores[n] is None or scores[n + 1] is None or len(before) < 2 or len(after) < 2:
        return None
    sign = 1 if kind == "gain" else -1
    df = len(before) + len(after) - 2
    pooled = math.sqrt(
        ((len(before) - 1) * statistics.variance(before) + (len(after) - 1) * statistics.variance(after)) / df
    )
    drop = sign * (scores[n] - scores[n + 1])
    fall = sign * (statistics.mean(before) - statistics.mean(after))
    return drop >= 7 and drop >= 0.25 * scores[n] and fall > stats.t.ppf(0.975, df) * pooled


@given(values, st.sampled_from(["gain", "loss"]))
def test_intervals_equal_a_slow_reading_of_the_criteria(scores, kind):
    found = intervals(course(*scores), kind=kind)["is_sudden"].to_list()
    assert found == [slow_sudden(scores, n, kind=kind) for n in range(len(scores) - 1)]


@given(values, st.sampled_from(["gain", "loss"]))
def test_a_scale_turned_round_has_the_same_sudden_changes(scores, kind):
    turned = [None if x is None else 40 - x for x in scores]
    upright = intervals(course(*scores), kind=kind)
    other = intervals(course(*turned), kind=kind, direction="higher_is_better", best_score=40)
    assert upright["is_sudden"].to_list() == other["is_sudden"].to_list()
    assert other["before"].to_list() == [None if x is None else 40.0 - x for x in scores[:-1]]


def test_a_change_of_nothing_in_all_has_no_share():
    scores = course(30, 30, 30, 10, 10, 10, 30)
    (row,) = milestones.described_sudden_changes(intervals(scores), scores, **NAMES, start=None, end=None).rows(
        named=True
    )
    assert (row["whole_change"], row["share_of_whole"], row["is_reversed"]) == (0, None, True)


def test_a_loss_reverses_when_a_later_score_falls_back_by_half():
    scores = course(10, 10, 10, 30, 30, 30, 19)
    losses = intervals(scores, kind="loss")
    (row,) = milestones.described_sudden_changes(losses, scores, **NAMES, start=None, end=None).rows(named=True)
    assert (row["magnitude"], row["reversal_score"], row["is_reversed"]) == (-20, 20, True)


def improvement(*scores, direction="higher_is_worse", threshold=6):
    return (
        milestones.first_reliable_improvement(course(*scores), **NAMES, direction=direction, threshold=threshold)
        .select("reached_in", "is_held", "last_session")
        .rows()
    )


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((20, 16, 14, 15), [(3, False, 4)]),
        ((20, 16, 14, 13), [(3, True, 4)]),
        ((20, 15, 15), [(None, None, 3)]),
        ((None, 20, None, 14, None), [(4, True, 4)]),
        ((20,), [(None, None, 1)]),
        ((None, math.nan), []),
    ],
)
def test_the_first_reliable_improvement_is_counted_from_the_first_valid_score(scores, expected):
    assert improvement(*scores) == expected


def test_improvement_is_upwards_where_higher_is_better():
    assert improvement(20.3, 25.3, 25.2, direction="higher_is_better", threshold=5) == [(2, False, 3)]


def crossing(*scores, direction="higher_is_worse", cut_off=10):
    return (
        milestones.first_crossing(course(*scores), **NAMES, direction=direction, cut_off=cut_off)
        .select("reached_in", "is_held")
        .rows()
    )


@pytest.mark.parametrize(
    ("scores", "direction", "expected"),
    [
        ((10, 10, 9, 10), "higher_is_worse", [(3, False)]),
        ((10, 10, 9, 8), "higher_is_worse", [(3, True)]),
        ((9, 12, 8), "higher_is_worse", []),
        ((9, 9.9, 10), "higher_is_better", [(3, True)]),
        ((10, 9, 12), "higher_is_better", []),
        ((9, 9), "higher_is_better", [(None, None)]),
    ],
)
def test_crossing_is_looked_for_in_those_who_started_clinical(scores, direction, expected):
    assert crossing(*scores, direction=direction) == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": "gains"}, "Kind 'gains' is not one of gain, loss"),
        ({"direction": "down"}, "Direction 'down'"),
        ({"threshold": 0}, "threshold lies above 0"),
        ({"fraction": -0.1}, "share is 0 or more"),
        ({"alpha": 1}, "alpha lies between"),
    ],
)
def test_choices_that_cannot_be_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        intervals(course(20, 10), **changes)


def test_no_improvement_is_reliable_at_a_threshold_of_nothing():
    with pytest.raises(ValueError, match="threshold lies above 0"):
        milestones.first_reliable_improvement(course(20, 10), **NAMES, direction="higher_is_worse", threshold=0)
