import numpy as np
import polars as pl
import pytest

from assets.feeds.clinic_process import ClinicParameters, simulate
from assets.science.alliance_growth import CURVE_SCHEMA, GROWTH_SCHEMA, _collapsed, alliance_growth, session_curve

LAST = 10
TRUE_GROWTH = 0.15 * float(session_curve(LAST))


def client_sums(sessions):
    rated = sessions.drop_nulls("alliance").filter(pl.col("session") < LAST)
    curve = pl.Series(session_curve(rated["session"].to_numpy() + 1))
    y = pl.col("alliance")
    return (
        rated.with_columns(clinician_id=pl.format("K{}", pl.col("clinician").cast(pl.String).str.zfill(2)), g=curve)
        .group_by("clinician_id", client_id=pl.col("client"))
        .agg(
            n=pl.len(),
            g=pl.col("g").sum(),
            gg=(pl.col("g") ** 2).sum(),
            y=y.sum(),
            yy=(y**2).sum(),
            gy=(pl.col("g") * y).sum(),
        )
    )


def clinic(seed, **changes):
    return simulate(ClinicParameters.undisturbed(clinicians=20, clients=600, **changes), seed=seed)


def grown(clients):
    return alliance_growth(clients, last_session=LAST, minimum_clinicians=3)


@pytest.fixture(scope="module")
def found():
    return grown(client_sums(clinic(1).sessions))


def test_curves_and_growth_stand_in_the_order_of_clinicians_with_intervals(found):
    assert found.refusal is None
    assert dict(found.curves.schema) == CURVE_SCHEMA
    assert dict(found.growth.schema) == GROWTH_SCHEMA
    assert found.curves.equals(found.curves.sort("clinician_id", "session_number"))
    assert found.curves["session_number"].unique().to_list() == list(range(1, LAST + 1))
    for frame in (found.curves, found.growth):
        assert frame.null_count().sum_horizontal().item() == 0
        assert (frame["low"] < frame["estimate"]).all()
        assert (frame["estimate"] < frame["high"]).all()
    assert (found.curves["site_low"] < found.curves["site_mean"]).all()


def test_growth_is_what_the_curve_gains_from_the_first_session_to_the_last(found):
    ends = [found.curves.filter(pl.col("session_number") == n)["estimate"].to_numpy() for n in (1, LAST)]
    assert ends[1] - ends[0] == pytest.approx(found.growth["estimate"].to_numpy(), abs=0.02)


def test_levels_and_growth_are_covered():
    covered = {"first": [], "last": [], "growth": []}
    for seed in range(4):
        drawn = clinic(seed)
        each = grown(client_sums(drawn.sessions))
        names = each.growth["clinician_id"].str.slice(1).cast(pl.Int64).to_numpy()
        level = 4.0 + drawn.truth.alliance_effect[names]
        for name, session, truth in (("first", 1, level), ("last", LAST, level + TRUE_GROWTH)):
            at = each.curves.filter(pl.col("session_number") == session)
            covered[name].append(np.mean((at["low"].to_numpy() <= truth) & (truth <= at["high"].to_numpy())))
        covered["growth"].append(((each.growth["low"] <= TRUE_GROWTH) & (each.growth["high"] >= TRUE_GROWTH)).mean())
        assert each.growth["site_mean"][0] == pytest.approx(TRUE_GROWTH, abs=0.05)
    assert min(np.mean(values) for values in covered.values()) > 0.88


def test_who_leaves_hardly_moves_growth_where_it_moves_plain_means():
    leaving = {"dropout_between": -2.0, "dropout_within": -3.0, "dropout_log_odds": -2.6}
    sessions = [clinic(seed, **leaving).sessions for seed in range(4)]
    plain = [
        each.group_by("session").agg(pl.col("alliance").mean()).sort("session")["alliance"].to_list()
        for each in sessions
    ]
    gained = np.mean([means[LAST - 1] - means[0] for means in plain]) - TRUE_GROWTH
    followed = np.mean([grown(client_sums(each)).growth["site_mean"][0] for each in sessions]) - TRUE_GROWTH
    assert gained > 0.15
    assert abs(followed) < 0.07


def test_clients_are_absorbed_as_their_inverse_covariance_does():
    draw = np.random.default_rng(2)
    factor = np.array([[0.8, 0.0], [-0.2, 0.4]])
    unit = np.array([0, 0, 1])
    products, direct = [], np.zeros((2, 3, 3))
    for clinician, size in zip(unit, (4, 2, 3), strict=True):
        design = np.column_stack([np.ones(size), np.log(np.arange(1, size + 1)), draw.normal(size=size)])
        covariance = np.eye(size) + design[:, :2] @ factor @ factor.T @ design[:, :2].T
        products.append(design.T @ design)
        direct[clinician] += design.T @ np.linalg.solve(covariance, design)
    assert _collapsed(np.array(products), factor=factor, unit=unit) == pytest.approx(direct, abs=1e-10)


def test_rows_in_any_order_give_the_same_digits(found):
    again = grown(client_sums(clinic(1).sessions).sample(fraction=1.0, shuffle=True, seed=5))
    assert again.curves.equals(found.curves)
    assert again.growth.equals(found.growth)


def test_thin_data_are_refused_in_words():
    clients = client_sums(clinic(1).sessions)
    few = grown(clients.filter(pl.col("clinician_id") == clients["clinician_id"].min()))
    assert few.refusal == "Fewer than 3 clinicians have ratings, so they are not compared."
    assert few.curves.is_empty()
    assert few.growth.is_empty()
    once = grown(client_sums(clinic(1).sessions.filter(pl.col("session") == 0)))
    assert once.refusal is not None
    assert once.curves.is_empty()
