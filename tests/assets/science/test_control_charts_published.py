"""Control charts that the NHS-R Community's NHSRplotthedots 0.2.2 labelled, point by point."""

import json

import polars as pl
import pytest

from assets.science.control_charts import ChartRules, classify, summarise

BETTER = {"increase": "up", "decrease": "down", "neutral": "neutral"}
PUBLISHED_RULES = {
    "Above UCL": ("outside_limits", "up"),
    "Below LCL": ("outside_limits", "down"),
    "7 Point Trend (Increasing)": ("trend", "up"),
    "7 Point Trend (Decreasing)": ("trend", "down"),
    "2 in 3 Above CL": ("two_of_three", "up"),
    "2 in 3 Below CL": ("two_of_three", "down"),
    "7 Points Above CL": ("one_side", "up"),
    "7 Points Below CL": ("one_side", "down"),
    "Common Cause": (None, None),
}
PUBLISHED_CLASSES = {
    "special_cause_improvement": "improvement",
    "special_cause_concern": "concern",
    "special_cause_neutral_high": "neutral_high",
    "special_cause_neutral_low": "neutral_low",
    "common_cause": "common_cause",
}


def published(cases, name):
    folder = cases / "spc_xmr"
    case = next(c for c in json.loads((folder / "expected" / "scenarios.json").read_text()) if c["name"] == name)
    argument = {key: text.strip('"') for key, text in case["args"].items()}
    column, order = argument["value_field"], argument["date_field"]
    points = pl.read_csv(folder / case["input"], columns=[column, order])
    choices = ChartRules(
        improvement=BETTER[argument.get("improvement_direction", "increase")],
        screens_moving_ranges=argument.get("screen_outliers", "TRUE") == "TRUE",
        baseline_points=int(argument["fix_after_n_points"]) if "fix_after_n_points" in argument else None,
        firm_from_points=13,
        floor=None,
        ceiling=None,
    )
    got = classify(points, by=[], order=order, value=column, rebase=None, rules=choices)
    want = pl.read_csv(folder / case["points_csv"], null_values=["", "NA"], infer_schema_length=None)
    return case, argument, order, choices, got, want


NAMES = [
    "readme_rqm_breaches_2017_18",
    "rqm_attendances_all_neutral",
    "vignette_outlier_screened",
    "vignette_outlier_not_screened",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_point_of_a_published_chart_gets_its_published_label(shared_cases, name):
    _, _, _, _, got, want = published(shared_cases, name)
    assert list(zip(got["rule"], got["direction"], strict=True)) == [
        PUBLISHED_RULES[label] for label in want["special_cause_type"]
    ]
    assert got["point_class"].to_list() == [PUBLISHED_CLASSES[label] for label in want["point_type"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_chart_has_its_published_limits(shared_cases, name):
    _, _, _, _, got, want = published(shared_cases, name)
    for ours, theirs in (("centre", "mean_col"), ("lower_limit", "lpl"), ("upper_limit", "upl")):
        assert got[ours].to_list() == pytest.approx(want[theirs].to_list(), rel=1e-12)
    assert got["is_trial"].to_list() == [flag in {"TRUE", True} for flag in want["short_group_warning"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_chart_is_summed_up_as_published(shared_cases, name):
    case, argument, order, choices, got, _ = published(shared_cases, name)
    target = float(argument["target"]) if "target" in argument else None
    got = got.with_columns(goal=pl.lit(target, dtype=pl.Float64))
    summary = summarise(got, by=[], order=order, target="goal", rules=choices).row(0, named=True)
    want = case["summary"][0]
    assert summary["points"] == want["n"]
    assert summary["common_cause_points"] == want["common_cause"]
    assert summary["improvement_points"] == want["special_cause_improvement"]
    assert summary["concern_points"] == want["special_cause_concern"]
    assert summary["point_class"] == PUBLISHED_CLASSES[want["variation_type"]]
    words = {"inconsistent": "some_months", None: None}
    assert summary["assurance"] == words[want.get("assurance_type")]
