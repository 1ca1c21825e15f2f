"""Each clinician's level of something their clients score, drawn toward the service by how much there is to go on.

What belongs here: a nested model of rows within clients within clinicians, turned into one line a clinician with an
interval. What does not: the likelihood and its integration (`multilevel`, `intervals`), the link of alliance with
progress (`alliance_link`), and what a page says of a line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from assets.science.cross_products import CompressedProducts, UnitProducts, clients_absorbed
from assets.science.intervals import Integrated, integrate
from assets.science.mixtures import mixture_below, mixture_interval, mixture_mean_sd
from assets.science.multilevel import EstimateRefusedError, Fit, NestedModel, fit
from assets.science.nested_likelihood import Level
from assets.science.sufficient_statistics import compressed_from_patterns, compressed_products, unit_products

COVERAGE: Final = 0.95
# More digits than any page shows, and few enough for two runs to agree in the last one.
DIGITS: Final = 6

_SCHEMA = {
    "clinician_id": pl.String,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "probability_above": pl.Float64,
    "standard_deviation": pl.Float64,
}


@dataclass(frozen=True, kw_only=True)
class ClinicianEffects:
    """What could be said of a service's clinicians.

    Attributes:
        service: the service's own level, at the service's mean of every predictor; None where refused.
        clinicians: one row a clinician: `estimate` (shrunken level), `low` and `high` (95% interval), all at the mean
            of every predictor; `difference` from the service's, with `difference_low` and `difference_high`;
            `probability_above` (that the difference is above nought) and `standard_deviation` of the estimate. Empty
            where refused.
        refusal: why nothing is said, in a sentence that can be shown; None where something is.
    """

    service: float | None
    clinicians: pl.DataFrame
    refusal: str | None


def clinician_effects(
    rows: pl.DataFrame, *, score: str, predictors: Sequence[str], client: str | None, minimum_clinicians: int, seed: int
) -> ClinicianEffects:
    """Each clinician's shrunken level of a score, with an interval that knows how uncertain the shrinking is.

    Args:
        rows: `clinician_id`, the score, the predictors, and the client's column where clients have several rows. Rows
            with anything missing are left out.
        score: in its own direction, whichever that is.
        predictors: what the levels are adjusted for, centred here.
        client: the column naming clients whose rows hang together; None where every client has one row.
        minimum_clinicians: fewer are not compared.
        seed: of the integration; the same seed and rows give the same answer.

    Returns:
        One line a clinician, or the reason why there is none.
    """
    keys = ["clinician_id", *([client] if client else [])]
    kept = rows.select(*keys, *predictors, score).drop_nulls().sort(*keys, *predictors, score)
    if kept["clinician_id"].n_unique() < minimum_clinicians:
        return _refused(f"Fewer than {minimum_clinicians} clinicians have scores, so they are not compared.")
    values = kept.select(*predictors, score).to_numpy().astype(np.float64)
    values[:, :-1] -= values[:, :-1].mean(axis=0)
    design = np.column_stack([np.ones(len(values)), values])
    clinicians = kept["clinician_id"].to_numpy()
    if client is None:
        statistics, _ = unit_products(design, unit=clinicians)
        model = _model(predictors, statistics)
    else:
        ids = kept[client].to_numpy()
        model = _model(predictors, compressed_products(design, clinician=clinicians, client=ids))
    try:
        drawn = integrate(fit(model, method="REML"), level="clinician", seed=seed)
    except EstimateRefusedError as refused:
        return _refused(str(refused))
    return _described(drawn, names=kept["clinician_id"].unique(maintain_order=True), centre=0.0)


def clinician_levels(
    clients: pl.DataFrame, *, minimum_clinicians: int, are_clients_held: bool, seed: int
) -> ClinicianEffects:
    """Each clinician's shrunken level of a score, from each client's sums instead of rows; nothing is adjusted for.

    Args:
        clients: one row a client of a clinician: `clinician_id`, `n` (scores, above 0), `y` (their sum) and `yy` (the
            sum of their squares). A client of two clinicians stands once with each.
        minimum_clinicians: fewer are not compared.
        are_clients_held: whether how much clients differ is estimated and held, which is many times quicker where many
            levels are wanted; else it is integrated over, as how much clinicians do always is.
        seed: of the integration; the same seed and rows give the same answer.

    Returns:
        One line a clinician, or the reason why there is none.
    """
    ordered = clients.sort("clinician_id", "n", "y", "yy")
    if ordered["clinician_id"].n_unique() < minimum_clinicians:
        return _refused(f"Fewer than {minimum_clinicians} clinicians have scores, so they are not compared.")
    n, y, yy = (ordered[name].cast(pl.Float64).to_numpy() for name in ("n", "y", "yy"))
    centre = float(y.sum() / n.sum())
    sums, squares = y - n * centre, yy - 2.0 * centre * y + n * centre**2
    frame = pl.DataFrame(
        {"clinician": ordered["clinician_id"], "row_count": n, "a1": sums, "q1_1": squares, "p1_1": sums**2}
    )
    patterns = frame.group_by("clinician", "row_count", maintain_order=True).agg(
        pl.len().alias("clients"), pl.col("a1", "q1_1", "p1_1").sum()
    )
    statistics, names = compressed_from_patterns(patterns, columns=1)
    try:
        fitted = fit(_model((), statistics), method="REML")
        if are_clients_held:
            fitted = fit(_with_clients_held(fitted, statistics), method="REML")
        drawn = integrate(fitted, level="clinician", seed=seed)
    except EstimateRefusedError as refused:
        return _refused(str(refused))
    return _described(drawn, names=names, centre=centre)


def _with_clients_held(fitted: Fit, statistics: CompressedProducts) -> NestedModel:
    """The model with clients absorbed at their estimated variance over sigma, which hundreds of clients tell well."""
    held = clients_absorbed(float(fitted.theta[0]), statistics)
    return _model((), UnitProducts(products=held, rows=statistics.rows))


def _described(drawn: Integrated, *, names: pl.Series, centre: float) -> ClinicianEffects:
    own, own_sd = drawn.own[:, :, 0], drawn.own_sd[:, :, 0]
    mean, sd = mixture_mean_sd(drawn.weights, own, own_sd)
    low, high = mixture_interval(drawn.weights, own, own_sd, coverage=COVERAGE)
    effects, effects_sd = drawn.effects[:, :, 0], drawn.effects_sd[:, :, 0]
    below = mixture_below(drawn.weights, effects, effects_sd, threshold=0.0)
    beyond_low, beyond_high = mixture_interval(drawn.weights, effects, effects_sd, coverage=COVERAGE)
    columns = {
        "estimate": mean + centre,
        "low": low + centre,
        "high": high + centre,
        "difference": mixture_mean_sd(drawn.weights, effects, effects_sd)[0],
        "difference_low": beyond_low,
        "difference_high": beyond_high,
        "probability_above": 1.0 - below,
        "standard_deviation": sd,
    }
    return ClinicianEffects(
        service=round(float(drawn.weights @ drawn.beta[:, 0]) + centre, DIGITS),
        clinicians=pl.DataFrame(
            {"clinician_id": names.alias("clinician_id"), **{k: np.round(v, DIGITS) for k, v in columns.items()}}
        ),
        refusal=None,
    )


def _model(predictors: Sequence[str], statistics: object) -> NestedModel:
    level = Level(name="clinician", random=(0,), parent=None)
    return NestedModel(columns=("level", *predictors), statistics=statistics, levels=(level,))  # type: ignore[arg-type]


def _refused(sentence: str) -> ClinicianEffects:
    return ClinicianEffects(service=None, clinicians=pl.DataFrame(schema=_SCHEMA), refusal=sentence)
