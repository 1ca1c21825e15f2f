"""Funnels that FunnelPlotR 0.6.0 and the NHS Talking Therapies annual report give."""

import json
import math

import polars as pl
import pytest

from assets.science.funnel import funnel, poisson_limits

KINDS = {"SR": "standardised_ratio", "PR": "proportion", "RC": "ratio_of_counts"}
SCENARIOS = [
    "six_SR_SHMI_99",
    "six_RC_99",
    "tt_providers_2024_25_reliable_recovery_PR_adj_99",
    "tt_providers_2024_25_reliable_recovery_PR_unadj_99",
]


@pytest.fixture
def published(shared_cases):
    def read(name, *, adjusts=None, exact=False):
        folder = shared_cases / "funnel"
        case = next(c for c in json.loads((folder / "expected" / "scenarios.json").read_text()) if c["name"] == name)
        argument = {key: text.strip('"') for key, text in case["args"].items()}
        kind = KINDS[argument.get("data_type", "SR")]
        got = funnel(
            pl.read_csv(folder / case["data"]),
            events=argument["numerator"],
            totals=argument["denominator"],
            kind=kind,
            adjusts=argument.get("draw_adjusted") != "FALSE" if adjusts is None else adjusts,
            exact=exact,
            trim="truncate" if kind == "standardised_ratio" else "winsorise",
            trim_share=0.1,
            target=None,
        )
        return case, argument, got, pl.read_csv(folder / case["points_csv"])

    return read


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_published_funnel_has_its_published_overdispersion(published, name):
    case, _, got, _ = published(name)
    if case["tau2"] > 0:
        assert got.dispersion.phi == pytest.approx(case["phi"], abs=1e-9)
        assert got.dispersion.tau2 == pytest.approx(case["tau2"], abs=1e-12)
    assert got.is_adjusted is case["draw_adjusted"]


# The published ratios of counts are drawn with the standard error of a proportion, so their limits are three times too
# narrow; their phi and tau squared, and ours, use the standard error of a ratio of counts.
WITH_SOUND_LIMITS = [name for name in SCENARIOS if "RC" not in name]


@pytest.mark.parametrize("name", WITH_SOUND_LIMITS)
def test_a_published_funnel_calls_the_published_points_unusual(published, name):
    case, argument, got, _ = published(name)
    outside = got.points.filter(pl.col("rule") == "outside_998")
    assert sorted(outside[argument["group"]]) == sorted(case["outlier_groups"])


def limits_agree(case, argument, got, want, columns):
    rows = got.points.join(want, left_on=argument["group"], right_on="group", how="inner", maintain_order="left")
    assert rows.height == case["n_points"]
    for ours, theirs in zip(("lower_95", "upper_95", "lower_998", "upper_998"), columns, strict=True):
        assert rows[ours].to_list() == pytest.approx(rows[theirs].to_list(), abs=1e-6)
    assert rows["z"].to_list() == pytest.approx(rows["Uzscore"].to_list(), abs=1e-9)


@pytest.mark.parametrize("name", WITH_SOUND_LIMITS)
def test_a_published_funnel_has_its_published_limits_before_widening(published, name):
    read = published(name, adjusts=False, exact=name == "six_SR_SHMI_99")
    limits_agree(*read, columns=("LCL95", "UCL95", "LCL99", "UCL99"))


@pytest.mark.parametrize("name", [name for name in WITH_SOUND_LIMITS if "unadj" not in name])
def test_a_published_funnel_has_its_published_limits_after_widening(published, name):
    limits_agree(*published(name), columns=("OD95LCL", "OD95UCL", "OD99LCL", "OD99UCL"))


def test_a_published_ratio_of_counts_has_its_published_scores(published):
    _, argument, got, want = published("six_RC_99")
    rows = got.points.join(want, left_on=argument["group"], right_on="group", maintain_order="left")
    assert rows["z"].to_list() == pytest.approx(rows["Uzscore"].to_list(), abs=1e-9)
    assert got.target == pytest.approx(math.exp(want["target_transformed"][0]))


def test_exact_poisson_limits_are_as_published(shared_cases):
    want = pl.read_csv(shared_cases / "funnel" / "expected" / "poisson_limits_15_20_30.csv")
    lower, upper = poisson_limits(want["number_seq"], target=1, confidence=0.95)
    assert lower == pytest.approx(want["ll95"].to_numpy(), rel=1e-12)
    assert upper == pytest.approx(want["ul95"].to_numpy(), rel=1e-12)
    lower, upper = poisson_limits(want["number_seq"], target=1, confidence=0.998)
    assert lower == pytest.approx(want["ll998"].to_numpy(), rel=1e-12)
    assert upper == pytest.approx(want["ul998"].to_numpy(), rel=1e-12)
