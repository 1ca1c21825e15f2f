from __future__ import annotations

import csv
import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.science import talking_therapies as tt
from assets.science.instruments.registry import REGISTRY

COUNTED = {
    "recovery": "recovered",
    "reliable_recovery": "reliably_recovered",
    "improvement": "improved",
    "deterioration": "deteriorated",
    "no_reliable_change": "no_reliable_change",
}


def courses(*rows, stage="finished course", measure="GAD-7"):
    return pl.DataFrame(
        [
            {"stage": stage, "p1": p1, "p2": p2, "a1": a1, "a2": a2, "measure": measure}
            for p1, p2, a1, a2 in rows
        ],
        schema={
            "stage": pl.String, "p1": pl.Float64, "p2": pl.Float64, "a1": pl.Float64, "a2": pl.Float64,
            "measure": pl.String,
        },
    )  # fmt: skip


def outcomes(*rows, stage="finished course", measure="GAD-7"):
    return tt.with_outcomes(
        courses(*rows, stage=stage, measure=measure),
        stage="stage",
        phq_first="p1",
        phq_last="p2",
        anxiety_first="a1",
        anxiety_last="a2",
        anxiety_measure="measure",
    )


def flags(*row, **others):
    found = outcomes(row, **others)
    return {name.removeprefix("is_") for name in found.columns if name.startswith("is_") and found[name][0]}


@pytest.fixture(scope="module")
def annual(shared_cases):
    folder = shared_cases / "nhs_talking_therapies_annual"
    return json.loads((folder / "expected" / "england_rates.json").read_text())


def test_all_eight_published_years_are_reproduced_to_the_printed_decimal(annual):
    assert len(annual) == 8
    for year in annual:
        counts = tt.OfficialCounts(
            finished=year["finished"],
            not_at_caseness=year["not_at_caseness"],
            **{field: year[name]["count"] for name, field in COUNTED.items()},
        )
        for name, rate in tt.official_rates(counts, decimals=1).items():
            assert rate.percent == year[name]["published"]
            assert rate.low < year[name]["rate_unrounded"] < rate.high


def test_the_count_at_caseness_is_the_wrong_denominator(annual):
    year = annual[-1]
    assert round(year["recovery"]["rate_if_at_caseness_denominator"], 1) != year["recovery"]["published"]


def test_published_percentages_of_organisations_fit_their_rounded_counts(shared_cases):
    path = shared_cases / "nhs_talking_therapies_annual" / "data" / "tt_annual_total_by_org.csv"
    checked = 0
    with path.open() as file:
        for row in csv.DictReader(file):
            names = ("finished_course_treatment_count", "not_at_caseness_count", "recovery_count")
            cells = [row[name] for name in (*names, "recovery_percent_published")]
            if row["org_name"] == "All" or not all(cell.isdigit() for cell in cells):
                continue
            finished, below, recovered, percent = (int(cell) for cell in cells)
            if finished - below - 4 <= recovered + 2:
                continue
            counts = tt.OfficialCounts(finished + 2, max(below - 2, 0), max(recovered - 2, 0), 0, 0, 0, 0)
            lowest = tt.official_rates(counts, decimals=0)["recovery"].percent
            counts = replace(counts, finished=finished - 2, not_at_caseness=below + 2, recovered=recovered + 2)
            assert lowest <= percent <= tt.official_rates(counts, decimals=0)["recovery"].percent
            checked += 1
    assert checked > 2000


def test_a_rate_of_nobody_is_absent_and_a_rate_of_none_among_some_is_nought():
    rates = tt.official_rates(tt.OfficialCounts(5, 5, 0, 0, 0, 1, 4), decimals=1)
    assert rates["recovery"] == tt.OfficialRate(0, 0, None, None, None)
    assert rates["improvement"].percent == 0.0


@pytest.mark.parametrize("counts", [(5, 4, 2, 0, 0, 0, 0), (5, 0, 0, 0, -1, 0, 0), (3, 5, 0, 0, 0, 0, 0)])
def test_counts_that_cannot_be_are_refused(counts):
    with pytest.raises(ValueError, match="between 0 and its denominator"):
        tt.official_rates(tt.OfficialCounts(*counts), decimals=1)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((10, 9, 0, 0), {"finished", "recovered", "no_reliable_change"}),
        ((9, 9, 8, 7), {"finished", "recovered", "no_reliable_change"}),
        ((9, 9, 7, 7), {"finished", "not_at_caseness", "no_reliable_change"}),
        ((10, 10, 8, 0), {"finished", "improved"}),
        ((15, 9, 7, 7), {"finished", "recovered", "improved", "reliably_recovered"}),
        ((14, 9, 7, 7), {"finished", "recovered", "no_reliable_change"}),
        ((9, 9, 11, 7), {"finished", "recovered", "improved", "reliably_recovered"}),
        ((9, 9, 10, 7), {"finished", "recovered", "no_reliable_change"}),
        ((20, 14, 10, 14), {"finished", "no_reliable_change"}),
        ((20, 14, 10, 13), {"finished", "improved"}),
        ((20, 26, 10, 6), {"finished", "no_reliable_change"}),
        ((20, 26, 10, 7), {"finished", "deteriorated"}),
        ((20, 25, 10, 10), {"finished", "no_reliable_change"}),
        ((10, 10, 10, 14), {"finished", "deteriorated"}),
        ((3, 9, 0, 0), {"finished", "not_at_caseness", "deteriorated"}),
    ],
)
def test_outcomes_at_every_threshold(row, expected):
    assert flags(*row) == expected


def test_an_incomplete_pair_is_finished_and_nothing_else():
    for row in ((20, None, 10, 2), (20, 2, 10, None), (None, 2, 10, 2), (20, 2, None, 2)):
        assert flags(*row) == {"finished"}
    assert flags(5, 4, None, None) == {"finished"}


def test_first_scores_below_caseness_count_even_without_last_ones():
    assert flags(9, None, 7, None) == {"finished", "not_at_caseness"}


def test_a_course_that_is_not_finished_has_no_outcome():
    assert flags(20, 2, 15, 1, stage="ended treated once") == set()
    assert flags(20, 2, 15, 1, stage=None) == set()


def test_the_problems_own_measure_brings_its_own_numbers():
    assert flags(5, 5, 19, 9, measure="SPIN") == {"finished", "recovered", "improved", "reliably_recovered"}
    assert flags(5, 5, 18, 9, measure="SPIN") == {"finished", "not_at_caseness", "no_reliable_change"}
    assert flags(5, 5, 2.3, 1.57, measure="MI") == {"finished", "recovered", "improved", "reliably_recovered"}
    assert flags(5, 5, 40, 9, measure="unheard of") == {"finished"}
    assert flags(12, 5, 40, 9, measure=None) == {"finished"}


score = st.one_of(st.none(), st.integers(0, 27))


@given(st.lists(st.tuples(score, score, score, score), max_size=20))
def test_improved_deteriorated_and_neither_part_the_complete_pairs(rows):
    found = outcomes(*rows)
    complete = sum(None not in row for row in rows)
    counts = tt.official_counts(found)
    assert counts.improved + counts.deteriorated + counts.no_reliable_change == complete
    assert counts.reliably_recovered <= min(counts.recovered, counts.improved)
    assert counts.recovered <= counts.finished - counts.not_at_caseness
    assert counts.finished == len(rows)
    assert set(tt.official_rates(counts, decimals=1)) == set(tt.RATES)


@pytest.mark.parametrize(
    ("problem", "measured", "expected"),
    [
        ("F42.1", ["OCI", "GAD-7"], "OCI"),
        ("F40.1", ["SPIN", "GAD-7"], "SPIN"),
        ("f401", ["SPIN"], "SPIN"),
        ("Social anxiety", ["SPIN", "GAD-7"], "SPIN"),
        ("F43.1", ["IES-R", "GAD-7"], "IES-R"),
        ("ptsd", ["IES-R", "PCL-5"], "PCL-5"),
        ("F40.1", ["OCI", "GAD-7"], "GAD-7"),
        ("F40.1", ["OCI"], None),
        ("F32", ["OCI", "GAD-7"], "GAD-7"),
        (None, ["GAD-7"], "GAD-7"),
        ("F41.0", [], None),
    ],
)
def test_a_problems_measure_pairs_with_its_own_problem_only(problem, measured, expected):
    assert tt.anxiety_measure_for(problem, measured=measured) == expected


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "F42.1", "f401", "F43.1", "ptsd", "Social phobia", "F32", "", "relationship"]),
            st.sets(st.sampled_from(["OCI", "SPIN", "PCL-5", "IES-R", "GAD-7"])),
        ),
        max_size=10,
    ),
    st.booleans(),
)
def test_pairing_a_column_is_pairing_each_row(rows, is_gad_known):
    known = ["OCI", "SPIN", "PCL-5", "IES-R", *(["GAD-7"] if is_gad_known else [])]
    frame = pl.DataFrame(
        {"problem": [problem for problem, _ in rows]} | {name: [name in used for _, used in rows] for name in known},
        schema={"problem": pl.String} | dict.fromkeys(known, pl.Boolean),
    )
    paired = tt.anxiety_measure_expr(pl.col("problem"), measured={name: pl.col(name) for name in known})
    expected = [tt.anxiety_measure_for(problem, measured=sorted(used & set(known))) for problem, used in rows]
    assert frame.select(paired.alias("m"))["m"].to_list() == expected


def test_every_measure_a_problem_names_is_declared():
    assert {each for measures in tt.PROBLEM_MEASURES.values() for each in measures} <= set(tt.ANXIETY_MEASURES)
    assert set(tt.PROBLEM_CODES.values()) <= set(tt.PROBLEM_MEASURES)


@pytest.mark.parametrize("measure", [tt.PHQ_9, tt.GAD_7], ids=lambda each: each.id)
def test_the_official_numbers_are_those_of_the_registry(measure):
    instrument = REGISTRY[measure.id]
    assert instrument.cut_off.value == measure.caseness.value
    assert instrument.reliable_change.value == measure.reliable_change.value
    assert instrument.direction == "higher_is_worse"


@pytest.mark.parametrize(
    ("n", "ended", "expected"),
    [
        (2, True, "finished course"),
        (1, True, "ended treated once"),
        (0, True, "ended before treatment"),
        (None, True, "ended before treatment"),
        (9, False, "not ended"),
        (9, None, "not ended"),
    ],
)
def test_a_course_is_finished_from_two_attended_treatments(n, ended, expected):
    frame = pl.DataFrame({"n": [n], "ended": [ended]}, schema={"n": pl.Int64, "ended": pl.Boolean})
    stage = frame.select(tt.course_stage_expr(n_treatments=pl.col("n"), has_ended=pl.col("ended")))
    assert stage.item() == expected


def test_on_time_and_late_but_seen_are_attended():
    frame = pl.DataFrame({"code": [2, 3, 4, 5, 6, 7, None]})
    attended = frame.select(tt.is_attended_expr(pl.col("code")).alias("a"))["a"].to_list()
    assert attended == [False, False, False, True, True, False, None]


@pytest.mark.parametrize("limit", tt.WAIT_LIMITS_DAYS.value)
def test_the_limit_of_a_wait_is_within_it(limit):
    frame = pl.DataFrame({"days": [0, limit, limit + 1, -1, None]})
    within = frame.select(tt.waited_within_expr(pl.col("days"), limit_days=limit).alias("w"))["w"].to_list()
    assert within == [True, True, False, None, None]


def test_the_official_effect_is_over_englands_spread():
    assert tt.official_effect_size(mean_start=15, mean_end=8.5, national_sd_start=6.5) == 1.0
    with pytest.raises(ValueError, match="must be above zero"):
        tt.official_effect_size(mean_start=15, mean_end=8.5, national_sd_start=0)


def test_a_score_that_is_no_number_is_missing_and_above_no_threshold():
    nan = float("nan")
    assert flags(nan, 5, 5, 5) == {"finished"}
    assert flags(15, nan, 5, 5) == {"finished"}
    assert flags(nan, nan, nan, nan) == {"finished"}


def test_whole_number_scores_are_judged_as_decimals_are():
    frame = courses((15, 5, 12, 3)).cast(dict.fromkeys(("p1", "p2", "a1", "a2"), pl.Int64))
    found = tt.with_outcomes(
        frame,
        stage="stage",
        phq_first="p1",
        phq_last="p2",
        anxiety_first="a1",
        anxiety_last="a2",
        anxiety_measure="measure",
    )
    assert found["is_reliably_recovered"].to_list() == [True]


@pytest.mark.parametrize("measure", tt.ANXIETY_MEASURES.values(), ids=lambda each: each.id)
def test_every_measure_counts_at_its_own_caseness_and_change_and_not_a_hair_before(measure):
    case, step = measure.caseness.value, measure.reliable_change.value
    below = case - 0.01
    assert "not_at_caseness" not in flags(0, 0, case, below, measure=measure.id)
    assert "recovered" in flags(0, 0, case, below, measure=measure.id)
    assert "recovered" not in flags(0, 0, case, case, measure=measure.id)
    assert "not_at_caseness" in flags(0, 0, below, below, measure=measure.id)
    assert "improved" in flags(0, 0, case, case - step, measure=measure.id)
    assert "no_reliable_change" in flags(0, 0, case, case - step + 0.01, measure=measure.id)
    assert "deteriorated" in flags(0, 0, case, case + step, measure=measure.id)
    assert "no_reliable_change" in flags(0, 0, case, case + step - 0.01, measure=measure.id)


def test_counts_of_nobody_give_no_rate():
    nobody = tt.official_rates(tt.official_counts(outcomes()), decimals=1)
    assert all(rate.percent is None and rate.low is None for rate in nobody.values())


@pytest.mark.parametrize(
    ("start", "sd", "words"), [(float("nan"), 5, "mean is missing"), (15, 0, "must be above zero")]
)
def test_an_official_effect_needs_its_means_and_its_spread(start, sd, words):
    with pytest.raises(ValueError, match=words):
        tt.official_effect_size(mean_start=start, mean_end=9, national_sd_start=sd)
