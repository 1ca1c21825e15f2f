"""Curves of staying, against R's survival package, slow counting and laws."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from assets.feeds.clinic_process import DROPPED_OUT, STILL_OPEN, ClinicParameters, simulate
from assets.science.retention import aalen_johansen, curves_by_group, kaplan_meier, log_rank


@pytest.fixture(scope="module")
def clinic(shared_cases):
    folder = shared_cases / "mixed_models"
    return (
        pl.read_csv(folder / "clinic_clean_survival.csv"),
        json.loads((folder / "clinic_clean_survival.json").read_text()),
    )


def test_a_kaplan_meier_curve_is_that_of_r(clinic):
    data, r = clinic
    got = kaplan_meier(data["time"], data["event"], confidence=0.95)
    assert got["time"].to_list() == r["km"]["time"]
    assert got["at_risk"].to_list() == r["km"]["n_risk"]
    assert got["events"].to_list() == r["km"]["n_event"]
    assert got["survival"].to_list() == pytest.approx(r["km"]["surv"], abs=1e-12)
    assert got["lower"].to_list() == pytest.approx(r["km"]["lower_loglog"], abs=1e-12)
    assert got["upper"].to_list() == pytest.approx(r["km"]["upper_loglog"], abs=1e-12)


def test_curves_of_two_groups_are_those_of_r(clinic):
    data, r = clinic
    curves = [
        kaplan_meier(own["time"], own["event"], confidence=0.95)
        for own in (data.filter(pl.col("grp") == name) for name in ("high", "low"))
    ]
    got = pl.concat(curves)
    assert got["time"].to_list() == r["km_group"]["time"]
    assert got["survival"].to_list() == pytest.approx(r["km_group"]["surv"], abs=1e-12)


def test_competing_endings_are_those_of_r(clinic):
    data, r = clinic
    states = r["aalen_johansen"]["states"][1:]
    got = aalen_johansen(data["time"], data["status"], causes=states, confidence=0.95)
    assert got["time"].to_list() == r["aalen_johansen"]["time"]
    assert got.select("in_treatment", *states).to_numpy() == pytest.approx(
        np.array(r["aalen_johansen"]["pstate"]), abs=1e-12
    )


def test_the_log_rank_test_is_that_of_r(clinic):
    data, r = clinic
    got = log_rank(data["time"], data["event"], data["grp"].to_list())
    assert got.groups == ("high", "low")
    assert got.observed == tuple(r["logrank"]["obs"])
    assert got.expected == pytest.approx(r["logrank"]["exp"], abs=1e-9)
    assert got.chi_squared == pytest.approx(r["logrank"]["chisq"], abs=1e-9)
    assert got.p_value == pytest.approx(stats.chi2.sf(r["logrank"]["chisq"], 1))


def test_three_groups_expect_as_many_events_as_there_were(clinic):
    data, _ = clinic
    got = log_rank(data["time"], data["event"], (data["client"] % 3).cast(pl.String).to_list())
    assert sum(got.expected) == pytest.approx(sum(got.observed))
    assert 0 < got.p_value < 1


@pytest.mark.parametrize(
    ("times", "events", "groups"),
    [([], [], []), ([1, 2], [True, True], ["a", "a"]), ([1, 2], [False, False], ["a", "b"])],
)
def test_where_nothing_can_differ_there_is_no_test(times, events, groups):
    got = log_rank(times, events, groups)
    assert np.isnan([got.chi_squared, got.p_value]).all()


def test_every_time_needs_a_group():
    with pytest.raises(ValueError, match="groups differ in length"):
        log_rank([1, 2], [True, False], ["a"])


TIMES = st.lists(st.tuples(st.integers(1, 8), st.sampled_from(["planned", "unplanned", None])), min_size=1, max_size=25)
CAUSES = ["planned", "unplanned"]


def slow_survival(rows, is_event):
    alive, curve = 1.0, []
    for moment in sorted({t for t, _ in rows}):
        at_risk = sum(t >= moment for t, _ in rows)
        alive *= 1 - sum(t == moment and is_event(o) for t, o in rows) / at_risk
        curve.append(alive)
    return curve


@settings(max_examples=60)
@given(rows=TIMES)
def test_curves_are_what_counting_each_session_gives(rows):
    times, outcomes = [t for t, _ in rows], [o for _, o in rows]
    got = kaplan_meier(times, [o is not None for o in outcomes], confidence=0.95)
    assert got["survival"].to_list() == pytest.approx(slow_survival(rows, lambda o: o is not None), abs=1e-12)
    assert (got["events"] + got["censored"]).sum() == len(rows)
    ended = aalen_johansen(times, outcomes, causes=CAUSES, confidence=0.95)
    assert ended["in_treatment"].to_list() == pytest.approx(got["survival"].to_list(), abs=1e-12)


@settings(max_examples=60)
@given(rows=TIMES)
def test_shares_add_up_grow_and_lie_within_their_bounds(rows):
    got = aalen_johansen([t for t, _ in rows], [o for _, o in rows], causes=CAUSES, confidence=0.95)
    assert got.select(pl.sum_horizontal("in_treatment", *CAUSES)).to_series().to_list() == pytest.approx(
        [1] * got.height
    )
    for cause in CAUSES:
        assert (got[cause].diff().drop_nulls() >= -1e-12).all()
        bounded = got.filter(pl.col(f"{cause}_lower").is_not_null())
        assert (bounded[f"{cause}_lower"] <= bounded[cause] + 1e-12).all()
        assert (bounded[cause] <= bounded[f"{cause}_upper"] + 1e-12).all()


@settings(max_examples=60)
@given(rows=TIMES)
def test_one_minus_kaplan_meier_overstates_leaving_where_endings_compete(rows):
    times, outcomes = [t for t, _ in rows], [o for _, o in rows]
    alone = 1 - kaplan_meier(times, [o == "unplanned" for o in outcomes], confidence=0.95)["survival"]
    competing = aalen_johansen(times, outcomes, causes=CAUSES, confidence=0.95)["unplanned"]
    assert (alone >= competing - 1e-12).all()


@settings(max_examples=40)
@given(rows=st.lists(st.tuples(st.integers(1, 5), st.sampled_from(CAUSES)), min_size=2, max_size=25))
def test_without_censoring_a_share_has_the_variance_of_a_plain_proportion(rows):
    n = len(rows)
    got = aalen_johansen([t for t, _ in rows], [o for _, o in rows], causes=CAUSES, confidence=0.95)
    z = stats.norm.ppf(0.975)
    for row in got.iter_rows(named=True):
        share = row["unplanned"]
        if not 0 < share < 1 - 1e-12 or row["unplanned_lower"] is None:
            continue
        assert share == pytest.approx(sum(t <= row["time"] and o == "unplanned" for t, o in rows) / n)
        reach = np.exp(z * np.sqrt(share * (1 - share) / n) / abs(share * np.log(share)))
        assert row["unplanned_lower"] == pytest.approx(share**reach, abs=1e-9)


def test_bounds_are_missing_where_nobody_or_everybody_had_the_event():
    got = kaplan_meier([1, 2, 3], [False, True, True], confidence=0.95)
    assert got["survival"].to_list() == pytest.approx([1, 0.5, 0])
    assert [bound is None for bound in got["lower"]] == [True, False, True]
    ended = aalen_johansen([1, 2], ["planned", "planned"], causes=CAUSES, confidence=0.95)
    assert ended["unplanned_lower"].to_list() == [None, None]
    assert ended["planned_upper"][1] is None


def test_nobody_gives_an_empty_curve():
    assert kaplan_meier([], [], confidence=0.95).height == 0
    assert aalen_johansen([], [], causes=CAUSES, confidence=0.95).height == 0


def test_impossible_times_and_causes_are_refused():
    with pytest.raises(ValueError, match="above 0"):
        kaplan_meier([0, 1], [True, False], confidence=0.95)
    with pytest.raises(ValueError, match="differ in length"):
        kaplan_meier([1], [True, False], confidence=0.95)
    with pytest.raises(ValueError, match="one of the causes"):
        aalen_johansen([1], ["moved"], causes=CAUSES, confidence=0.95)


EPISODES = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(1, 9), st.sampled_from(["planned", "unplanned", None])),
    min_size=1,
    max_size=40,
)


def grouped(rows):
    episodes = pl.DataFrame(rows, schema={"group": pl.String, "sessions": pl.Int64, "outcome": pl.String}, orient="row")
    return episodes, curves_by_group(episodes, by=["group"], causes=["planned", "unplanned"], confidence=0.95)


@settings(max_examples=60)
@given(EPISODES)
def test_curves_of_many_groups_are_those_of_each_by_itself(rows):
    episodes, curves = grouped(rows)
    for name in episodes["group"].unique():
        own = episodes.filter(pl.col("group") == name)
        told = curves.filter(pl.col("group") == name)
        staying = kaplan_meier(own["sessions"], own["outcome"].is_not_null(), confidence=0.95)
        ending = aalen_johansen(own["sessions"], own["outcome"], causes=["planned", "unplanned"], confidence=0.95)
        at = told.filter(pl.col("session_number").is_in(own["sessions"].unique().to_list()))
        km = at.filter(pl.col("curve") == "in_treatment")
        assert km["at_risk"].to_list() == staying["at_risk"].to_list()
        assert km["endings"].to_list() == staying["events"].to_list()
        assert km["censored"].to_list() == staying["censored"].to_list()
        compare = [(km, "share", staying["survival"])] + [(km, end, staying[end]) for end in ("lower", "upper")]
        for cause in ("planned", "unplanned"):
            aj = at.filter(pl.col("curve") == cause)
            compare += [(aj, "share", ending[cause])]
            compare += [(aj, end, ending[f"{cause}_{end}"]) for end in ("lower", "upper")]
        for got, column, want in compare:
            assert got[column].to_list() == pytest.approx(want.to_list(), abs=1e-10, nan_ok=True)


@settings(max_examples=60)
@given(EPISODES)
def test_the_curves_of_a_group_add_up_to_one_at_every_session(rows):
    _, curves = grouped(rows)
    total = curves.group_by("group", "session_number").agg(pl.col("share").sum(), rows=pl.len())
    assert total["share"].to_list() == pytest.approx([1.0] * total.height)
    assert set(total["rows"]) == {3}


def test_a_curve_is_told_at_every_session_even_where_nobody_ended():
    _, curves = grouped([("a", 1, "planned"), ("a", 4, "unplanned"), ("a", 4, None)])
    staying = curves.filter(pl.col("curve") == "in_treatment")
    assert staying["session_number"].to_list() == [1, 2, 3, 4]
    assert staying["share"].to_list() == pytest.approx([2 / 3] * 3 + [1 / 3])
    assert staying["at_risk"].to_list() == [3, 2, 2, 2]


def test_statsmodels_draws_the_same_curve(clinic):
    data, _ = clinic
    second = SurvfuncRight(data["time"].to_numpy(), data["event"].to_numpy())
    got = kaplan_meier(data["time"], data["event"], confidence=0.95).filter(pl.col("events") > 0)
    assert got["survival"].to_list() == pytest.approx(second.surv_prob.tolist(), abs=1e-12)


def test_whoever_never_came_has_no_time():
    with pytest.raises(ValueError, match="leave it out"):
        grouped([("a", 0, None)])


def test_an_unknown_way_of_ending_is_refused():
    with pytest.raises(ValueError, match="one of the causes"):
        grouped([("a", 1, "lost")])


def test_curves_of_what_a_data_date_cuts_off_are_those_of_the_whole():
    truth = simulate(ClinicParameters(clients=12_000, clinicians=40), seed=11).truth
    draw = np.random.default_rng(1)
    reason = np.select([truth.ending == DROPPED_OUT, truth.ending != STILL_OPEN], ["unplanned", "planned"], default="")
    sessions = np.where(truth.last_session >= 0, truth.last_session + 1, ClinicParameters().longest)
    cut = draw.integers(1, 40, sessions.size)
    is_open = (cut < sessions) | (reason == "")
    episodes = pl.DataFrame(
        {"all": "all", "sessions": np.minimum(sessions, cut), "outcome": np.where(is_open, "", reason)}
    ).with_columns(pl.col("outcome").replace("", None))
    curves = curves_by_group(episodes, by=["all"], causes=["planned", "unplanned"], confidence=0.999)
    for way in ("planned", "unplanned"):
        told = curves.filter(pl.col("curve") == way).filter(pl.col("session_number").is_in([3, 6, 10, 15]))
        for row in told.iter_rows(named=True):
            whole = float(((reason == way) & (sessions <= row["session_number"])).mean())
            assert row["lower"] < whole < row["upper"]
