from __future__ import annotations

import json
import math
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import change
from assets.science.instruments.model import Norm, better_sign, is_on_clinical_side
from assets.science.instruments.registry import REGISTRY

WITH_THRESHOLD = [each for each in REGISTRY if each.reliable_change]


def categories(pairs, *, critical, at_critical, cut_off, direction):
    frame = pl.DataFrame(pairs, schema={"pre": pl.Float64, "post": pl.Float64}, orient="row")
    pre, post = pl.col("pre"), pl.col("post")
    expression = change.change_category_expr(
        pre, post, index=post - pre, critical=critical, at_critical=at_critical, cut_off=cut_off, direction=direction
    )
    return frame.select(expression.alias("category"))["category"].to_list()


def slow_category(pre, post, *, critical, at_critical, cut_off, direction):
    if pre is None or post is None or math.isnan(pre) or math.isnan(post):
        return "not evaluable"
    rise = round(post - pre, 10)
    gain = rise if direction == "higher_is_better" else -rise
    better = gain >= critical if at_critical == "reliable" else gain > critical
    worse = -gain >= critical if at_critical == "reliable" else -gain > critical
    if cut_off is None:
        was = now = None
    else:
        was, now = ((x >= cut_off) if direction == "higher_is_worse" else (x < cut_off) for x in (pre, post))
    if better:
        return "recovered" if was is True and now is False else "improved"
    if worse:
        return "harmed" if was is False and now is True else "deteriorated"
    return "unchanged"


def test_the_standard_error_and_index_of_the_paper_are_reproduced():
    assert change.standard_error_of_measurement(sd=7.5, reliability=0.8) == pytest.approx(3.354, abs=5e-4)
    assert change.standard_error_of_difference(sd=7.5, reliability=0.8) == pytest.approx(4.743, abs=5e-4)
    assert change.jacobson_truax_index(32.5, 47.5, sd=7.5, reliability=0.8) == pytest.approx(3.162, abs=5e-4)


def test_reliable_change_criteria_agree_with_published_code(shared_cases):
    for case in json.loads((shared_cases / "cecpfuns" / "expected" / "results.json").read_text())["rci"]:
        critical = change.critical_value(confidence=case["conf"])
        made = change.reliable_change_criterion(sd=case["SD"], reliability=case["rel"], critical=critical)
        assert made == pytest.approx(case["rci"], abs=1e-9)


def test_reliable_change_criteria_agree_with_the_sudden_gains_package(shared_cases):
    summary = json.loads((shared_cases / "suddengains" / "expected" / "summary.json").read_text())
    for name in ("crit1_sd10.5_rel.931", "crit1_from_bdi_s0"):
        case = summary[name]
        facts = {"sd": case["sd"], "reliability": case["reliability"]}
        assert change.standard_error_of_measurement(**facts) == pytest.approx(
            case["standard_error_measurement"], abs=1e-9
        )
        assert change.standard_error_of_difference(**facts) == pytest.approx(
            case["standard_error_difference"], abs=1e-9
        )
        assert change.reliable_change_criterion(**facts, critical=1.96) == pytest.approx(
            case["reliable_change_value"], abs=1e-9
        )


def test_cut_off_c_agrees_with_published_code(shared_cases):
    case = json.loads((shared_cases / "cecpfuns" / "expected" / "results.json").read_text())[
        "csc_claus_bdi_pre_vs_post"
    ]
    post, pre = case["stats"]
    made = change.cut_off_c(
        clinical_mean=pre["m"], clinical_sd=pre["sd"], functional_mean=post["m"], functional_sd=post["sd"]
    )
    assert made == pytest.approx(case["value"], abs=1e-9)


def test_changes_from_minus_5_to_5_fall_as_in_published_code(shared_cases):
    case = json.loads((shared_cases / "cecpfuns" / "expected" / "results.json").read_text())["classify_5to5"]
    found = categories(
        [(10, 10 + each) for each in case["scoreChange"]],
        critical=case["RCI"],
        at_critical="not reliable",
        cut_off=None,
        direction="higher_is_better",
    )
    assert [found.count(name) for name in ("deteriorated", "unchanged", "improved")] == [
        row["n"] for row in case["table"]
    ]


def test_cut_off_b_is_built_from_the_functional_spread_and_not_the_clinical_one():
    assert change.cut_off_b(functional_mean=20, functional_sd=3, direction="higher_is_worse") == 26
    assert change.cut_off_b(functional_mean=20, functional_sd=3, direction="higher_is_better") == 14


def test_cut_off_a_lies_two_clinical_spreads_towards_health():
    assert change.cut_off_a(clinical_mean=40, clinical_sd=6, direction="higher_is_worse") == 28
    assert change.cut_off_a(clinical_mean=40, clinical_sd=6, direction="higher_is_better") == 52


@given(st.floats(0, 50), st.floats(0.1, 20), st.floats(0, 50), st.floats(0.1, 20))
def test_cut_off_c_is_as_many_spreads_from_either_mean(clinical_mean, clinical_sd, functional_mean, functional_sd):
    c = change.cut_off_c(
        clinical_mean=clinical_mean,
        clinical_sd=clinical_sd,
        functional_mean=functional_mean,
        functional_sd=functional_sd,
    )
    assert abs(c - clinical_mean) / clinical_sd == pytest.approx(abs(c - functional_mean) / functional_sd, abs=1e-6)


@pytest.mark.parametrize(
    ("clinical", "functional", "direction", "criterion", "value"),
    [
        (Norm(30, 5), None, "higher_is_worse", "a", 20),
        (Norm(30, 5), Norm(10, 5), "higher_is_worse", "b", 20),
        (Norm(30, 5), Norm(11, 5), "higher_is_worse", "c", 20.5),
        (Norm(30, 5), Norm(5, 5), "higher_is_worse", "b", 15),
        (Norm(10, 5), Norm(30, 5), "higher_is_better", "b", 20),
        (Norm(10, 5), Norm(29, 5), "higher_is_better", "c", 19.5),
    ],
)
def test_the_criterion_follows_from_the_norms_there_are(clinical, functional, direction, criterion, value):
    found = change.cut_off_from_norms(clinical=clinical, functional=functional, direction=direction)
    assert (found.criterion, found.value) == (criterion, pytest.approx(value))


@pytest.mark.parametrize("instrument", WITH_THRESHOLD, ids=lambda each: each.id)
def test_at_every_threshold_change_counts_exactly_there_and_not_a_tenth_before(instrument):
    sign = 1 if instrument.direction == "higher_is_better" else -1
    # Where no cut-off is declared for the whole score, any serves to try the threshold at.
    threshold = instrument.reliable_change.value
    cut = instrument.cut_off.value if instrument.cut_off else instrument.score_range.high / 2
    # An end score a tenth inside the functional side, and one well inside, keep the two lines apart.
    functional = cut + sign * 0.1
    pairs = [
        (functional - sign * threshold, functional),
        (functional - sign * (threshold - 0.1), functional),
        (functional, functional - sign * threshold),
        (functional, functional - sign * (threshold - 0.1)),
        (functional + sign * threshold, functional + sign * 2 * threshold),
        (functional + sign * 2 * threshold, functional + sign * threshold),
    ]
    found = categories(pairs, critical=threshold, at_critical="reliable", cut_off=cut, direction=instrument.direction)
    assert found == ["recovered", "unchanged", "harmed", "unchanged", "improved", "deteriorated"]
    plain = categories(pairs, critical=threshold, at_critical="reliable", cut_off=None, direction=instrument.direction)
    assert plain == ["improved", "unchanged", "deteriorated", "unchanged", "improved", "deteriorated"]


def test_exactly_the_critical_value_is_not_reliable_where_more_is_asked():
    rules = {"critical": 6, "cut_off": None, "direction": "higher_is_worse"}
    assert categories([(20, 14)], at_critical="not reliable", **rules) == ["unchanged"]
    assert categories([(20, 14)], at_critical="reliable", **rules) == ["improved"]


def test_nobody_who_started_functional_is_called_recovered():
    found = categories([(9, 0)], critical=6, at_critical="reliable", cut_off=10, direction="higher_is_worse")
    assert found == ["improved"]


def test_a_missing_score_is_not_evaluable_and_never_unchanged():
    pairs = [(None, 5), (5, None), (None, None), (math.nan, 5), (5, math.nan)]
    found = categories(pairs, critical=6, at_critical="reliable", cut_off=10, direction="higher_is_worse")
    assert found == ["not evaluable"] * 5


def test_tenths_that_floating_point_blurs_still_reach_the_threshold():
    found = categories(
        [(20.3, 25.3), (25.6, 20.6)], critical=5, at_critical="reliable", cut_off=None, direction="higher_is_better"
    )
    assert found == ["improved", "deteriorated"]


scores = st.one_of(st.none(), st.integers(0, 400).map(lambda tenths: tenths / 10))


@given(
    st.lists(st.tuples(scores, scores), min_size=1, max_size=8),
    st.integers(1, 100).map(lambda tenths: tenths / 10),
    st.sampled_from(["reliable", "not reliable"]),
    st.one_of(st.none(), st.integers(0, 400).map(lambda tenths: tenths / 10)),
    st.sampled_from(["higher_is_better", "higher_is_worse"]),
)
def test_categories_equal_a_slow_reading_of_the_rule(pairs, critical, at_critical, cut_off, direction):
    rules = {"critical": critical, "at_critical": at_critical, "cut_off": cut_off, "direction": direction}
    assert categories(pairs, **rules) == [slow_category(*pair, **rules) for pair in pairs]


@given(st.lists(st.tuples(scores, scores), min_size=1, max_size=8))
def test_turning_the_scale_round_changes_nobodys_category(pairs):
    turned = [tuple(None if x is None else round(40 - x, 1) for x in pair) for pair in pairs]
    rules = {"critical": 5, "at_critical": "reliable"}
    # At the cut-off itself the two directions differ by declaration, so the line is put between tenths.
    upright = categories(pairs, cut_off=20.05, direction="higher_is_better", **rules)
    assert upright == categories(turned, cut_off=19.95, direction="higher_is_worse", **rules)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: change.standard_error_of_measurement(sd=0, reliability=0.8), "standard deviation must be above zero"),
        (lambda: change.standard_error_of_measurement(sd=1, reliability=1), "reliability must be"),
        (lambda: change.critical_value(confidence=1), "Confidence lies between"),
        (lambda: change.standard_error_of_measurement(sd=math.nan, reliability=0.8), "standard deviation must be"),
        (lambda: change.standard_error_of_measurement(sd=math.inf, reliability=0.8), "standard deviation must be"),
        (lambda: change.standard_error_of_measurement(sd=1, reliability=math.nan), "reliability must be"),
        (lambda: change.reliable_change_criterion(sd=1, reliability=0.8, critical=0), "critical value is above zero"),
        (lambda: change.cut_off_a(clinical_mean=1, clinical_sd=0, direction="higher_is_worse"), "above zero"),
        (lambda: change.cut_off_b(functional_mean=1, functional_sd=-1, direction="higher_is_worse"), "above zero"),
        (lambda: change.cut_off_c(clinical_mean=1, clinical_sd=0, functional_mean=1, functional_sd=0), "above zero"),
        (lambda: change.cut_off_a(clinical_mean=1, clinical_sd=1, direction="down"), "Direction 'down' is not one of"),
        (
            lambda: categories([(1, 2)], critical=0, at_critical="reliable", cut_off=None, direction="higher_is_worse"),
            "critical value is above zero",
        ),
        (
            lambda: categories([(1, 2)], critical=5, at_critical="reliable", cut_off=None, direction="down"),
            "Direction 'down' is not one of",
        ),
    ],
)
def test_a_number_that_cannot_be_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


DAY = date(2026, 1, 1)


def ratings(*rows):
    return pl.DataFrame(
        [
            {"episode_id": e, "on": None if d is None else DAY + timedelta(days=d), "rating_id": r, "score": s}
            for e, d, r, s in rows
        ],
        schema={"episode_id": pl.String, "on": pl.Date, "rating_id": pl.String, "score": pl.Float64},
    )


def paired(frame, *, starts=None, ends=None):
    return change.first_and_last_scores(
        frame, by=["episode_id"], at="on", tie_break="rating_id", score="score", starts=starts, ends=ends
    )


def test_the_first_and_the_last_valid_score_are_paired():
    frame = ratings(
        ("e", 20, "c", None), ("e", 9, "b", 7.0), ("e", 0, "a", None), ("e", 3, "d", 12.0), ("e", 15, "f", math.nan)
    )
    assert paired(frame).row(0) == ("e", 12.0, DAY + timedelta(3), 7.0, DAY + timedelta(9), 2)


def test_forms_before_the_start_and_after_the_end_are_left_out_and_the_bounds_kept():
    frame = ratings(*(("e", day, str(day), float(day)) for day in range(10))).with_columns(
        starts=pl.lit(DAY + timedelta(2)), ends=pl.lit(DAY + timedelta(7))
    )
    assert paired(frame, starts="starts", ends="ends").select("pre", "post", "n_valid").row(0) == (2.0, 7.0, 6)


def test_an_open_episode_has_no_bound():
    frame = ratings(("e", 0, "a", 1.0), ("e", 5, "b", 2.0)).with_columns(
        starts=pl.lit(None, dtype=pl.Date), ends=pl.lit(None, dtype=pl.Date)
    )
    assert paired(frame, starts="starts", ends="ends").select("pre", "post").row(0) == (1.0, 2.0)


def test_one_valid_score_leaves_no_end_score():
    assert paired(ratings(("e", 0, "a", 4.0))).select("pre", "post", "post_at").row(0) == (4.0, None, None)


def test_an_episode_without_a_valid_score_keeps_its_row():
    table = paired(ratings(("e", 0, "a", None), ("f", None, "b", 3.0)))
    assert table.select("episode_id", "pre", "n_valid").rows() == [("e", None, 0), ("f", None, 0)]


def test_two_ratings_on_one_day_are_put_in_order_by_the_tie_break():
    assert paired(ratings(("e", 0, "b", 2.0), ("e", 0, "a", 1.0))).select("pre", "post").row(0) == (1.0, 2.0)


def test_the_cut_offs_of_the_papers_worked_example_are_reproduced():
    clinical, functional = {"clinical_mean": 40, "clinical_sd": 7.5}, {"functional_mean": 60, "functional_sd": 7.5}
    better = {"direction": "higher_is_better"}
    assert change.cut_off_a(**clinical, **better) == 55
    assert change.cut_off_b(**functional, **better) == 45
    assert change.cut_off_c(**clinical, **functional) == 50
    critical = change.critical_value(confidence=0.95)
    criterion = change.reliable_change_criterion(sd=7.5, reliability=0.8, critical=critical)
    assert criterion == pytest.approx(9.2969, abs=5e-5)
    found = categories([(32.5, 47.5)], critical=9.2969, at_critical="not reliable", cut_off=50, **better)
    assert found == ["improved"]


def test_whole_numbers_are_scores_too():
    frame = pl.DataFrame({"pre": [20, None], "post": [9, 3]}, schema={"pre": pl.Int64, "post": pl.Int64})
    expression = change.change_category_expr(
        pl.col("pre"),
        pl.col("post"),
        index=pl.col("post") - pl.col("pre"),
        critical=6,
        at_critical="reliable",
        cut_off=10,
        direction="higher_is_worse",
    )
    assert frame.select(expression.alias("category"))["category"].to_list() == ["recovered", "not evaluable"]


@pytest.mark.parametrize("instrument", REGISTRY, ids=lambda each: each.id)
def test_every_instrument_reads_its_best_score_as_better_and_its_worst_as_worse(instrument):
    low, high = instrument.score_range.low, instrument.score_range.high
    best, worst = (high, low) if instrument.direction == "higher_is_better" else (low, high)
    found = categories(
        [(worst, best), (best, worst), (best, best)],
        critical=(high - low) / 10,
        at_critical="reliable",
        cut_off=(low + high) / 2,
        direction=instrument.direction,
    )
    assert found == ["recovered", "harmed", "unchanged"]
    assert better_sign(instrument.direction) * (best - worst) > 0
    assert is_on_clinical_side(worst, cut_off=(low + high) / 2, direction=instrument.direction)
    assert not is_on_clinical_side(best, cut_off=(low + high) / 2, direction=instrument.direction)
