"""How a clinician's alliance grows over sessions, following each client, so that who leaves moves it little.

What belongs here: a growth model of ratings within clients within clinicians, collapsed to one small matrix a clinician,
and each clinician's curve with its interval. What does not: levels without growth (`clinician_effects.py`), ruptures of
one client (`rupture.py`), and sentences.

The model is alliance = level + growth g(session), g = log(session) / log 9, with level and growth random over clients
and over clinicians. A plain mean at session 8 is the mean of those who stayed, who like their clinician better; a model
that follows each client predicts the curve as if all had stayed, as long as who leaves depends on what the client has
rated before (missing at random: Little & Rubin, 2002). Where clients leave because of what they did not rate any more,
it cannot know.

The clients' own covariance is estimated first, from at most `CLIENTS_LEARNT_FROM` clients, and held; the clinicians'
is integrated over. With hundreds of clients the former's uncertainty is small beside the latter's.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special, stats

from assets.science.cross_products import Floats, Integers, UnitProducts
from assets.science.intervals import Integrated, integrate
from assets.science.mixtures import mixture_below, mixture_interval, mixture_mean_sd
from assets.science.multilevel import EstimateRefusedError, NestedModel, fit
from assets.science.nested_likelihood import Level

COVERAGE: Final = 0.95
CLIENTS_LEARNT_FROM: Final = 2000
COLUMNS: Final = ("level", "growth")
SEEDS: Final = (19850211, 19850212)
DIGITS: Final = 6
CURVE_SCHEMA: Final = {
    "clinician_id": pl.String,
    "session_number": pl.Int64,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "site_mean": pl.Float64,
    "site_low": pl.Float64,
    "site_high": pl.Float64,
    "probability_above": pl.Float64,
}
GROWTH_SCHEMA: Final = {
    "clinician_id": pl.String,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "site_mean": pl.Float64,
    "probability_above": pl.Float64,
}


@dataclass(frozen=True, kw_only=True)
class AllianceGrowth:
    """What could be said of how the alliance grows.

    Attributes:
        curves: one row a clinician and session: `estimate` with 95% interval, the site's mean curve, the band in which
            19 in 20 of its clinicians lie, and the probability that the clinician's is above the site's.
        growth: one row a clinician: growth from the first session to the last, in points, with 95% interval, and its
            difference from the site's with its own.
        refusal: why nothing is said; None where something is.
    """

    curves: pl.DataFrame
    growth: pl.DataFrame
    refusal: str | None


@dataclass(frozen=True, kw_only=True)
class _Anchor:
    """Mixture means and standard deviations of clinicians' levels at one session, and of their growth per unit of g."""

    level: tuple[Floats, Floats]
    growth: tuple[Floats, Floats]
    level_effect: tuple[Floats, Floats]
    growth_effect: tuple[Floats, Floats]
    level_spread: float
    growth_spread: float
    site_level: float
    drawn: Integrated


def session_curve(session_number: npt.ArrayLike) -> Floats:
    """The course over sessions, g(s) = log(s) / log 9: nought at the first session, one at the ninth."""
    return np.asarray(np.log(np.asarray(session_number, dtype=np.float64)) / np.log(9.0), dtype=np.float64)


def alliance_growth(clients: pl.DataFrame, *, last_session: int, minimum_clinicians: int) -> AllianceGrowth:
    """Each clinician's alliance by session and its growth.

    Args:
        clients: one row a client of a clinician, over the ratings of sessions 1 to `last_session`: `clinician_id`,
            `client_id`, `n`, and sums `g`, `gg` (of the curve and its square), `y`, `yy`, `gy` of ratings and
            products.
        last_session: the last session.
        minimum_clinicians: fewer are not compared.

    Returns:
        Curves and growth, or the reason why there are none.
    """
    ordered = clients.sort("clinician_id", "client_id")
    if ordered["clinician_id"].n_unique() < max(minimum_clinicians, 2):
        return _refused(f"Fewer than {max(minimum_clinicians, 2)} clinicians have ratings, so they are not compared.")
    products, centre = _products(ordered)
    names = ordered["clinician_id"].unique(maintain_order=True)
    unit = ordered["clinician_id"].rle_id().to_numpy().astype(np.int64)
    try:
        factor = _client_factor(products, unit=unit, rows=ordered["n"].to_numpy())
        collapsed = _collapsed(products, factor=factor, unit=unit)
        rows, end = int(ordered["n"].sum()), float(session_curve(last_session))
        first = _anchor(collapsed, at=0.0, rows=rows, seed=SEEDS[0])
        last = _anchor(collapsed, at=end, rows=rows, seed=SEEDS[1])
    except EstimateRefusedError as refused:
        return _refused(str(refused))
    return AllianceGrowth(
        curves=_curves(names, first, last, last_session=last_session, centre=centre),
        growth=_growth(names, first, end=end),
        refusal=None,
    )


def _products(clients: pl.DataFrame) -> tuple[Floats, float]:
    """W'W of each client, W = [1 | g | y less its mean]."""
    n, g, gg, y, yy, gy = (clients[name].cast(pl.Float64).to_numpy() for name in ("n", "g", "gg", "y", "yy", "gy"))
    centre = float(y.sum() / n.sum())
    outcome = yy - 2.0 * centre * y + n * centre**2
    rows = ((n, g, y - n * centre), (g, gg, gy - centre * g), (y - n * centre, gy - centre * g, outcome))
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2), centre


def _client_factor(products: Floats, *, unit: Integers, rows: Floats) -> Floats:
    """The clients' covariance factor over sigma, from an even sample of clients; clinicians intercept and growth too."""
    step = -(-len(products) // CLIENTS_LEARNT_FROM)
    kept, parents = products[::step], unit[::step]
    statistics = UnitProducts(products=kept, rows=int(rows[::step].sum()))
    parent = np.asarray(np.unique(parents, return_inverse=True)[1], dtype=np.int64)
    levels = (
        Level(name="client", random=(0, 1), parent=parent),
        Level(name="clinician", random=(0, 1), parent=None),
    )
    fitted = fit(NestedModel(columns=COLUMNS, statistics=statistics, levels=levels), method="REML")
    values, vectors = np.linalg.eigh(fitted.covariances["client"] / fitted.residual_variance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _collapsed(products: Floats, *, factor: Floats, unit: Integers) -> Floats:
    """W'V^-1W of each clinician, clients' level and growth absorbed (Woodbury), as `nested_likelihood` sweeps a level."""
    rows = products[:, :2, :]
    inner = np.eye(2) + factor.T @ rows[:, :, :2] @ factor
    spread = factor @ np.linalg.solve(inner, np.broadcast_to(factor.T, inner.shape))
    swept = products - np.swapaxes(rows, 1, 2) @ spread @ rows
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]])
    return np.asarray(np.add.reduceat(swept, starts, axis=0))


def _anchor(collapsed: Floats, *, at: float, rows: int, seed: int) -> _Anchor:
    """The clinicians' model with its level at the point `at` of the curve."""
    shift = np.eye(3)
    shift[0, 1] = -at
    statistics = UnitProducts(products=shift.T @ collapsed @ shift, rows=rows)
    level = Level(name="clinician", random=(0, 1), parent=None)
    fitted = fit(NestedModel(columns=COLUMNS, statistics=statistics, levels=(level,)), method="REML")
    drawn = integrate(fitted, level="clinician", seed=seed)
    spreads = drawn.weights @ (drawn.sigma[:, None] * drawn.ratios) ** 2
    of = [
        mixture_mean_sd(drawn.weights, mean[:, :, i], sd[:, :, i])
        for mean, sd in ((drawn.own, drawn.own_sd), (drawn.effects, drawn.effects_sd))
        for i in (0, 1)
    ]
    return _Anchor(
        level=of[0],
        growth=of[1],
        level_effect=of[2],
        growth_effect=of[3],
        level_spread=float(spreads[0]),
        growth_spread=float(spreads[1]),
        site_level=float(drawn.weights @ drawn.beta[:, 0]),
        drawn=drawn,
    )


def _between(first: Floats, last: Floats, growth: Floats, *, part: Floats, end: float) -> Floats:
    """Variance of (1 - t) first + t last, of two levels whose difference, growth by `end`, has a known variance."""
    bound = np.sqrt(first * last)
    shared = np.clip((first + last - end**2 * growth) / 2.0, -bound, bound)
    return np.maximum((1.0 - part) ** 2 * first + part**2 * last + 2.0 * part * (1.0 - part) * shared, 0.0)


def _curves(names: pl.Series, first: _Anchor, last: _Anchor, *, last_session: int, centre: float) -> pl.DataFrame:
    z = float(stats.norm.ppf((1.0 + COVERAGE) / 2.0))
    sessions = np.arange(1, last_session + 1)
    curve = session_curve(sessions)
    end = float(curve[-1])
    parts = []
    for session, part in zip(sessions, curve / end, strict=True):
        mean = (1.0 - part) * first.level[0] + part * last.level[0] + centre
        sd = np.sqrt(_between(first.level[1] ** 2, last.level[1] ** 2, first.growth[1] ** 2, part=part, end=end))
        effect = (1.0 - part) * first.level_effect[0] + part * last.level_effect[0]
        effect_sd = np.sqrt(
            _between(
                first.level_effect[1] ** 2, last.level_effect[1] ** 2, first.growth_effect[1] ** 2, part=part, end=end
            )
        )
        spread = np.array([first.level_spread]), np.array([last.level_spread]), np.array([first.growth_spread])
        usual = (1.0 - part) * first.site_level + part * last.site_level + centre
        reach = z * float(np.sqrt(_between(*spread, part=part, end=end))[0])
        parts.append(
            pl.DataFrame(
                {
                    "clinician_id": names,
                    "session_number": np.full(len(names), session),
                    "estimate": mean.round(DIGITS),
                    "low": (mean - z * sd).round(DIGITS),
                    "high": (mean + z * sd).round(DIGITS),
                    "site_mean": np.full(len(names), round(usual, DIGITS)),
                    "site_low": np.full(len(names), round(usual - reach, DIGITS)),
                    "site_high": np.full(len(names), round(usual + reach, DIGITS)),
                    "probability_above": special.ndtr(effect / effect_sd).round(DIGITS),
                },
                schema=CURVE_SCHEMA,
            )
        )
    return pl.concat(parts).sort("clinician_id", "session_number")


def _growth(names: pl.Series, first: _Anchor, *, end: float) -> pl.DataFrame:
    drawn = first.drawn
    low, high = mixture_interval(drawn.weights, drawn.own[:, :, 1], drawn.own_sd[:, :, 1], coverage=COVERAGE)
    effects, effects_sd = drawn.effects[:, :, 1], drawn.effects_sd[:, :, 1]
    below = mixture_below(drawn.weights, effects, effects_sd, threshold=0.0)
    beyond_low, beyond_high = mixture_interval(drawn.weights, effects, effects_sd, coverage=COVERAGE)
    usual = float(drawn.weights @ drawn.beta[:, 1])
    return pl.DataFrame(
        {
            "clinician_id": names,
            "estimate": (end * first.growth[0]).round(DIGITS),
            "low": (end * low).round(DIGITS),
            "high": (end * high).round(DIGITS),
            "difference": (end * first.growth_effect[0]).round(DIGITS),
            "difference_low": (end * beyond_low).round(DIGITS),
            "difference_high": (end * beyond_high).round(DIGITS),
            "site_mean": np.full(len(names), round(end * usual, DIGITS)),
            "probability_above": (1.0 - below).round(DIGITS),
        },
        schema=GROWTH_SCHEMA,
    )


def _refused(sentence: str) -> AllianceGrowth:
    return AllianceGrowth(
        curves=pl.DataFrame(schema=CURVE_SCHEMA), growth=pl.DataFrame(schema=GROWTH_SCHEMA), refusal=sentence
    )
