import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from assets.science import corrected_moments as science
from assets.science.link_sums import link_sums
from assets.science.multilevel import EstimateRefusedError
from assets.science.own_courses import CURVES, settled


def service(seed, *, clients=1200, effect=-1.0, feedback=-0.05, late=0.0, course="logarithmic", slopes=4.0, longest=9):
    """Clients with courses of their own, who stay for three sessions or more; alliance reacts to surprises."""
    draw = np.random.default_rng(seed)
    level, slope = draw.normal(15.0, 4.0, clients), draw.normal(-4.0, slopes, clients)
    usual, lasts = draw.normal(4.0, 0.4, clients) - 0.05 * slope, draw.integers(4, longest + 1, clients)
    deviation, within = np.zeros(clients), np.zeros(clients)
    parts = []
    for session in range(1, longest + 1):
        at = float(CURVES[course](np.array([float(session)]))[0])
        shock = draw.normal(0.0, 2.4, clients)
        deviation = 0.35 * deviation + effect * within + shock
        within = 0.3 * within + (feedback + late * at) * shock + draw.normal(0.0, 0.3, clients)
        columns = {"outcome_now": level + slope * at + deviation, "alliance": usual + within}
        parts.append(pl.DataFrame({"client": np.arange(clients), "session_number": session, "lasts": lasts, **columns}))
    return (
        pl.concat(parts)
        .sort("client", "session_number")
        .filter(pl.col("session_number") <= pl.col("lasts"))
        .with_columns(
            pl.col("session_number").cast(pl.Float64),
            clinician=pl.format("K{}", (pl.col("client") % 20).cast(pl.String).str.zfill(2)),
            outcome_next=pl.col("outcome_now").shift(-1).over("client"),
        )
        .drop_nulls("outcome_next")
    )


def sums_of(pairs):
    return link_sums([pairs.with_columns(outcome_first=0.0)]).of_scope("service", "all")


def corrected_moments(pairs):
    return science.corrected_moments(sums_of(pairs).courses)


def equations(pairs):
    return settled(sums_of(pairs).courses)


def error_of(found):
    count = len(found.without)
    return float(np.sqrt((count - 1) / count * ((found.without - found.estimate) ** 2).sum()))


@pytest.mark.parametrize(
    "world",
    [
        {},
        {"effect": 0.0},
        {"feedback": -0.1},
        {"feedback": 0.0, "late": -0.08},
        {"course": "straight"},
        {"longest": 14},
    ],
    ids=["plain", "no effect", "strong feedback", "feedback that grows", "straight courses", "long therapies"],
)
def test_the_effect_is_found_whatever_clients_courses_and_the_alliance_s_reaction(world):
    found = [corrected_moments(service(seed, **world)) for seed in range(4)]
    errors = np.array([one.estimate for one in found]) - world.get("effect", -1.0)
    assert abs(errors.mean()) < 3.0 * np.mean([error_of(one) for one in found]) / 2.0
    assert np.mean([one.dynamics[0, 0] for one in found]) == pytest.approx(0.35, abs=0.05)
    assert np.mean([one.dynamics[1, 1] for one in found]) == pytest.approx(0.3, abs=0.08)


def test_the_spread_over_services_is_the_error_that_each_one_states():
    found = [corrected_moments(service(seed, clients=400)) for seed in range(24)]
    spread = np.std([one.estimate for one in found], ddof=1)
    assert spread == pytest.approx(np.mean([error_of(one) for one in found]), rel=0.4)


def test_the_curve_is_the_one_that_outcomes_follow():
    assert corrected_moments(service(1)).curve == "logarithmic"
    assert corrected_moments(service(1, course="straight")).curve == "straight"


@settings(max_examples=10, deadline=None)
@given(shift=st.floats(-50, 50), tilt=st.floats(-5, 5), seed=st.integers(0, 3))
def test_nothing_hangs_on_where_a_client_begins_or_heads(shift, tilt, seed):
    """A client's own course added to the outcomes changes no digit."""
    pairs = service(seed, clients=200)
    is_moved, curve = pl.col("client") % 3 == 0, CURVES["logarithmic"]
    before = np.asarray(shift + tilt * curve(pairs["session_number"].to_numpy()))
    moved = pairs.with_columns(
        outcome_now=pl.col("outcome_now") + is_moved * pl.Series(before),
        outcome_next=pl.col("outcome_next") + is_moved * pl.Series(before),
    )
    (parts, followed), (again, followed_now) = equations(pairs), equations(moved)
    assume(followed == followed_now == "logarithmic")
    np.testing.assert_allclose(again.outcome.products, parts.outcome.products, rtol=1e-6, atol=1e-6)


def slow_sums(pairs, *, curve):
    """One client after another with whole projection matrices."""
    time = CURVES[curve]((pairs["session_number"] + 1).to_numpy())
    centre = np.mean([t for t, n in zip(time, pairs["rows"], strict=True) if n >= 3])
    products, ahead, shrinkage = np.zeros((2, 3, 3)), np.zeros((20, 2)), np.zeros((2, 2))
    for _, rows in pairs.group_by("client", maintain_order=True):
        if rows.height < 3:
            continue
        session = rows["session_number"].to_numpy()
        own = np.column_stack([np.ones(len(session)), CURVES[curve](session)])
        taken = own @ np.linalg.solve(own.T @ own, own.T)
        left = (np.eye(len(session)) - taken) @ rows.select("outcome_now", "alliance", "outcome_next").to_numpy()
        at = np.column_stack([np.ones(len(session)), CURVES[curve](session + 1) - centre])
        for t in range(len(session)):
            products += at[t][:, None, None] * np.outer(left[t], left[t])
            for s in range(len(session)):
                shrinkage += (float(s == t) - taken[t, s]) ** 2 * np.outer(at[t], at[s])
                if s > t:
                    ahead[int(session[s] - session[t])] += taken[t, s] * at[t]
    return products, ahead, shrinkage


def test_the_sums_are_those_of_projection_matrices_with_sessions_missing():
    full = service(5, clients=60)
    pairs = full.sample(fraction=0.8, seed=1).sort("clinician", "client", "session_number")
    pairs = pairs.with_columns(rows=pl.len().over("client"))
    parts, curve = equations(pairs)
    products, ahead, shrinkage = slow_sums(pairs, curve=curve)
    outcome = parts.outcome
    assert outcome.times.sum(axis=0)[0] == (pairs["rows"] >= 3).sum()
    np.testing.assert_allclose(outcome.products.sum(axis=0), products, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(outcome.shrinkage.sum(axis=0), shrinkage, rtol=1e-8, atol=1e-10)
    lags = outcome.ahead.shape[1]
    np.testing.assert_allclose(outcome.ahead.sum(axis=0)[1:], ahead[1:lags], rtol=1e-8, atol=1e-10)


def test_leaving_a_clinician_out_is_leaving_its_rows_out():
    pairs = service(2, clients=300)
    found = corrected_moments(pairs)
    # Centres of time and the alliance's common course are kept from the whole, so digits agree to the third.
    assert corrected_moments(pairs.filter(pl.col("clinician") != "K03")).estimate == pytest.approx(
        found.without[3], abs=0.02
    )
    assert len(found.without) == 20


def test_forms_filled_in_every_second_session_are_a_step_apart():
    pairs = service(3, clients=400)
    twice = pairs.with_columns(session_number=2.0 * pl.col("session_number") - 1.0)
    assert np.isfinite(corrected_moments(twice).estimate)


def test_rows_in_any_order_give_the_same_digits():
    pairs = service(4, clients=200)
    assert corrected_moments(pairs.sample(fraction=1.0, shuffle=True, seed=2)).estimate == (
        corrected_moments(pairs).estimate
    )


def test_too_few_sessions_are_refused_in_words():
    pairs = service(6, clients=100)
    with pytest.raises(EstimateRefusedError, match="3 or more sessions"):
        corrected_moments(pairs.filter(pl.col("session_number") <= 2))
    with pytest.raises(EstimateRefusedError, match="3 or more sessions"):
        corrected_moments(pairs.filter(pl.col("session_number") == 1))
    with pytest.raises(EstimateRefusedError, match="4 sessions in a row"):
        corrected_moments(pairs.filter(pl.col("session_number") <= 3))


def test_alliance_that_only_follows_a_course_is_refused():
    still = service(7, clients=100).with_columns(alliance=4.0 + pl.col("session_number").log())
    with pytest.raises(EstimateRefusedError, match="does not move"):
        corrected_moments(still)


def test_a_single_clinician_is_refused_since_nothing_is_left_without():
    with pytest.raises(EstimateRefusedError, match="single clinician"):
        corrected_moments(service(8, clients=300).with_columns(clinician=pl.lit("K")))


def test_an_answer_that_is_not_arrived_at_is_refused(monkeypatch):
    monkeypatch.setattr(science, "NEWTON_STEPS", 1)
    with pytest.raises(EstimateRefusedError, match="Too few sessions"):
        corrected_moments(service(9, clients=200))


def test_dynamics_that_would_run_away_are_refused(monkeypatch):
    monkeypatch.setattr(science.np.linalg, "eigvals", lambda _: np.array([1.0, 0.2]))
    with pytest.raises(EstimateRefusedError, match="cannot be told from what each session carries"):
        corrected_moments(service(9, clients=200))


def test_a_step_that_leads_away_is_halved_and_an_answer_that_a_clinician_holds_alone_is_refused(monkeypatch):
    parts, _ = equations(service(9, clients=200))
    whole = science.Equations(*(science._summed(each) for each in parts))
    answer = science._solve(whole)
    wild = np.tile(np.array([[0.2, 9.0], [-0.1, 0.3]]), (1, 1, 1)) * 1e3
    monkeypatch.setattr(science, "_slopes", lambda dynamics, _: np.tile(1e-3 * np.eye(4), (len(dynamics), 1, 1)))
    onward, has_arrived = science._newton(wild, whole)
    assert onward.shape == answer[None].shape
    assert not has_arrived.any()
    with pytest.raises(EstimateRefusedError, match="single clinician"):
        science._without_each(answer, whole=whole, parts=parts)
