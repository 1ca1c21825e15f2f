"""Funnel plots: is a clinician or service further from the middle than chance and ordinary differences explain?

Here: intervals for one proportion, exact and approximate funnel limits, Spiegelhalter's overdispersion, and the one
classification of a point. Not here: change over time (`assets.science.control_charts`), shrunken estimates, and which
way is better: a point outside is a reason to look, never a verdict, and points are never put in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
import polars as pl
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Kind = Literal["proportion", "standardised_ratio", "standardised_ratio_root", "ratio_of_counts"]
"""What the points are: events of those counted, observed over expected (on one of two scales), or count over count."""

Trim = Literal["winsorise", "truncate"]
"""How extreme z scores are kept from inflating the overdispersion: pulled in, or left out."""

CONFIDENCES: Final = (0.95, 0.998)
"""Two-sided coverage of the inner and the outer funnel (Spiegelhalter 2005)."""

FEWEST_TO_SHOW: Final = 3
"""Points with a smaller denominator are not judged: the limits cover nearly everything and mean nothing."""

RULES: Final = ("outside_998", "outside_95", "within", "too_few")
"""Every rule that can name a point."""


def wilson_interval(events: ArrayLike, totals: ArrayLike, *, confidence: float) -> tuple[Floats, Floats]:
    """Wilson score interval of proportions; NaN where the total is 0.

    Args:
        events: Counts, any shape.
        totals: Counts of the same shape, at least `events`.
        confidence: Two-sided coverage, between 0 and 1.

    Returns:
        Lower and upper bounds, 0 to 1.

    Raises:
        ValueError: If counts are negative, events exceed totals or the confidence is not between 0 and 1.

    Source: Wilson 1927, J Am Stat Assoc 22:209-212; Brown, Cai & DasGupta 2001, Stat Sci 16:101-133.
    """
    x, n = _counts(events, totals, confidence=confidence)
    z = float(stats.norm.isf((1 - confidence) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        p = x / n
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    # At 0 and n the bound is 0 or 1 exactly; rounding must not print -0.0000 or 1.0000000002.
    lower, upper = np.where(x == 0, 0.0, middle - half), np.where(x == n, 1.0, middle + half)
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def clopper_pearson_interval(events: ArrayLike, totals: ArrayLike, *, confidence: float) -> tuple[Floats, Floats]:
    """Exact (Clopper-Pearson) interval of proportions; NaN where the total is 0.

    Arguments, shapes and errors as `wilson_interval`. It covers at least `confidence`, usually more.
    Source: Clopper & Pearson 1934, Biometrika 26:404-413, in its beta form.
    """
    x, n = _counts(events, totals, confidence=confidence)
    tail = (1 - confidence) / 2
    # A shape parameter of 0 is no beta distribution; those bounds are 0 and 1 and are set below.
    lower = np.asarray(stats.beta.ppf(tail, np.maximum(x, 1), n - x + 1), dtype=np.float64)
    upper = np.asarray(stats.beta.isf(tail, x + 1, np.maximum(n - x, 1)), dtype=np.float64)
    lower, upper = np.where(x == 0, 0.0, lower), np.where(x == n, 1.0, upper)
    return np.where(n > 0, lower, np.nan), np.where(n > 0, upper, np.nan)


def binomial_limits(totals: ArrayLike, *, target: float, confidence: float) -> tuple[Floats, Floats]:
    """Exact funnel limits of a proportion, interpolated between counts so that they run smoothly.

    Args:
        totals: Denominators, at least 1.
        target: The proportion at the centre, strictly between 0 and 1.
        confidence: Two-sided coverage.

    Returns:
        Lower and upper limits, clipped to 0 and 1.

    Raises:
        ValueError: If a total is below 1, the target is not strictly between 0 and 1 or the confidence is impossible.

    Source: Spiegelhalter 2005, Stat Med 24:1185-1202, appendix on exact limits.
    """
    n = np.asarray(totals, dtype=np.float64)
    _counts(n, n, confidence=confidence)
    if np.any(n < 1) or not 0 < target < 1:
        raise ValueError("exact binomial limits need totals of at least 1 and a target strictly between 0 and 1")
    tail = (1 - confidence) / 2

    def limit(p: float) -> Floats:
        r = stats.binom.ppf(p, n, target)
        below, up_to = stats.binom.cdf(r - 1, n, target), stats.binom.cdf(r, n, target)
        limits: Floats = np.clip((r - (up_to - p) / (up_to - below)) / n, 0.0, 1.0)
        return limits

    return limit(tail), limit(1 - tail)


def poisson_limits(expected: ArrayLike, *, target: float, confidence: float) -> tuple[Floats, Floats]:
    """Exact funnel limits of observed over expected, from the chi-square form of the Poisson.

    Args:
        expected: Expected counts, above 0; need not be whole.
        target: The ratio at the centre; 1 where the expectation is the standard.
        confidence: Two-sided coverage.

    Returns:
        Lower and upper limits on the ratio.

    Raises:
        ValueError: If an expected count is not above 0 or the confidence is impossible.

    Source: Spiegelhalter 2005, appendix on exact limits; Dobson et al. 1991, Stat Med 10:457-462.
    """
    e = np.asarray(expected, dtype=np.float64)
    _counts(e, e, confidence=confidence)
    if np.any(e <= 0):
        raise ValueError("Poisson limits need expected counts above 0")
    tail = (1 - confidence) / 2
    lower = target * stats.chi2.ppf(tail, 2 * e) / 2 / e
    upper = target * stats.chi2.isf(tail, 2 * (e + 1)) / 2 / e
    return np.asarray(lower, dtype=np.float64), np.asarray(upper, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdispersion:
    """How much more points differ than chance alone would make them.

    Attributes:
        phi: Mean squared z score after trimming; 1 is what chance gives. NaN without points.
        tau2: Between-point variance on the transformed scale.
        points: How many z scores made them.
    """

    phi: float
    tau2: float
    points: int

    @property
    def is_present(self) -> bool:
        """Whether limits must widen: more spread than chance, and some of it between points."""
        return self.phi > 1 and self.tau2 > 0


def overdispersion(z: ArrayLike, *, standard_errors: ArrayLike, trim: Trim, trim_share: float) -> Overdispersion:
    """Estimate phi and the additive between-point variance tau squared.

    Args:
        z: z scores of the points against the target; those that are not finite are left out.
        standard_errors: Their standard errors on the transformed scale, same shape.
        trim: `winsorise` pulls the outer z scores in to the quantiles at `trim_share`; `truncate` leaves out the points
            in the lowest and highest of 1/`trim_share` rank groups, their standard errors with them.
        trim_share: Share trimmed at each end, 0.1 in the sources.

    Returns:
        phi, tau squared (not below 0) and the number of z scores used.

    Raises:
        ValueError: If the share is not above 0 and below one half, `trim` is neither, or a standard error not above 0.

    Source: Spiegelhalter 2005, Stat Med 24:1185-1202 (winsorising; additive random effects);
    NHS England, SHMI methodology specification, "over-dispersion" (truncation).
    """
    if trim not in get_args(Trim) or not 0 < trim_share < 0.5:
        raise ValueError("trim must be winsorise or truncate, and trim_share lie above 0 and below 0.5")
    scores, errors = np.asarray(z, dtype=np.float64), np.asarray(standard_errors, dtype=np.float64)
    if not np.all(errors > 0):
        raise ValueError("standard errors must lie above 0")
    is_usable = np.isfinite(scores)
    if trim == "truncate" and scores.size:
        # An infinite score (nothing observed) still takes its place in the ranks, usually among those left out.
        groups = 1 / trim_share
        group = np.floor(stats.rankdata(scores) * groups / (scores.size + 1))
        is_usable &= (group > 0) & (group < groups - 1)
    scores, weights = scores[is_usable], errors[is_usable] ** -2
    if not scores.size:
        return Overdispersion(phi=float("nan"), tau2=0.0, points=0)
    if trim == "winsorise":
        scores = np.clip(scores, *np.quantile(scores, [trim_share, 1 - trim_share]))
    points = int(scores.size)
    phi = float(np.mean(scores**2))
    spread = float(weights.sum() - (weights**2).sum() / weights.sum())
    # One point has no spread of weights: nothing lies between it and itself.
    tau2 = max(0.0, (points * phi - (points - 1)) / spread) if points > 1 else 0.0
    return Overdispersion(phi=phi, tau2=tau2, points=points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Points judged against their limits, and what the limits were made of.

    Attributes:
        points: The rows given, with the columns `funnel` describes.
        target: The centre.
        dispersion: phi and tau squared; `is_adjusted` tells whether the limits were widened by it.
    """

    points: pl.DataFrame
    target: float
    dispersion: Overdispersion
    is_adjusted: bool


def funnel(
    points: pl.DataFrame,
    *,
    events: str,
    totals: str,
    kind: Kind,
    target: float | None,
    adjusts: bool,
    exact: bool,
    trim: Trim,
    trim_share: float,
) -> Funnel:
    """Judge every point against its funnel.

    Scales: proportions on arcsine square root, s = 1 / (2 sqrt n); standardised ratios on the logarithm, s = 1 / sqrt e
    of the expected e, or on the square root, s = 1 / (2 sqrt e); ratios of counts on the logarithm, half an event added
    to both. Limits are target +/- z sqrt(s^2 + tau^2) on the scale, taken back, and clipped: arcsine limits of small
    denominators would otherwise turn round at 0 and 1.

    Args:
        points: One row a clinician or service; no missing counts.
        events: Column of events, or observed counts.
        totals: Column of denominators, or expected counts.
        kind: What the points are.
        target: The centre; `None` takes 1 for standardised ratios and all events over all totals otherwise.
        adjusts: Whether limits widen where there is overdispersion. Without it a funnel of many large services calls
            a third of them unusual.
        exact: Whether unadjusted limits are exact (binomial or Poisson) rather than on the scale. Ratios of counts have
            no exact form here.
        trim: See `overdispersion`; the sources winsorise proportions and truncate standardised ratios.
        trim_share: See `overdispersion`.

    Returns:
        The points in the order given with: `rate`; `z` (unadjusted; null where nothing was observed and the scale is a
        logarithm); `lower_95`, `upper_95`, `lower_998`, `upper_998`; `rule` (one of `RULES`); `direction` (`up` or
        `down` for a point outside, else null). A point at a limit is within. Denominators below `FEWEST_TO_SHOW` have
        the rule `too_few` and no rate, z or limits; they count in the target, and in the overdispersion unless they
        are 0. Where nobody had an event, or everybody, all points are alike: all are within, and there are no limits.

    Raises:
        ValueError: If `kind` or `trim` is unknown, counts are negative or missing, a proportion has more events than its
            total, or a declared target is not above 0 (and below 1, for proportions).

    Source: Spiegelhalter 2005, Stat Med 24:1185-1202; Spiegelhalter et al. 2012, J R Stat Soc A 175:1-47.
    """
    if kind not in get_args(Kind):
        raise ValueError(f"kind must be one of: {', '.join(get_args(Kind))}")
    if points.select(pl.any_horizontal(pl.col(events, totals).is_null()).any()).item():
        raise ValueError("a funnel needs every count; leave out points whose counts are missing")
    x, n = points[events].to_numpy().astype(np.float64), points[totals].to_numpy().astype(np.float64)
    _counts(np.minimum(x, n) if kind != "proportion" else x, n, confidence=CONFIDENCES[0])
    centre = target if target is not None else _own_target(x, n, kind=kind)
    has_spread = 0 < centre < (1 if kind == "proportion" else np.inf)
    if target is not None and not has_spread:
        raise ValueError("a declared target must lie above 0, and below 1 for proportions")
    on_scale, s, middle = _scaled(x, n, kind=kind, target=centre if has_spread else 0.5)
    is_judged = n >= FEWEST_TO_SHOW
    with np.errstate(divide="ignore", invalid="ignore"):
        z, rate = (on_scale - middle) / s, np.where(is_judged, x / n, np.nan)
    has_total = (n > 0) & has_spread
    dispersion = overdispersion(z[has_total], standard_errors=s[has_total], trim=trim, trim_share=trim_share)
    is_adjusted = adjusts and dispersion.is_present
    has_limits = is_judged & has_spread
    columns: dict[str, Floats] = {"rate": rate, "z": np.where(has_limits & np.isfinite(z), z, np.nan)}
    for confidence, name in zip(CONFIDENCES, ("95", "998"), strict=True):
        lower, upper = np.full_like(n, np.nan), np.full_like(n, np.nan)
        if exact and has_spread and not is_adjusted and kind != "ratio_of_counts":
            limits = binomial_limits if kind == "proportion" else poisson_limits
            lower[has_limits], upper[has_limits] = limits(n[has_limits], target=centre, confidence=confidence)
        else:
            tau2 = dispersion.tau2 if is_adjusted else 0.0
            half = float(stats.norm.isf((1 - confidence) / 2)) * np.sqrt(s[has_limits] ** 2 + tau2)
            lower[has_limits], upper[has_limits] = _unscaled(middle - half, middle + half, kind=kind)
        columns |= {f"lower_{name}": lower, f"upper_{name}": upper}
    return Funnel(
        points=points.with_columns(pl.Series(k, v).fill_nan(None) for k, v in columns.items()).with_columns(*_named()),
        target=centre,
        dispersion=dispersion,
        is_adjusted=is_adjusted,
    )


def _counts(events: ArrayLike, totals: ArrayLike, *, confidence: float) -> tuple[Floats, Floats]:
    """Take counts as floats, refusing impossible ones without repeating them."""
    x, n = np.asarray(events, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if not 0 < confidence < 1:
        raise ValueError("confidence must lie strictly between 0 and 1")
    if not np.all((x >= 0) & (x <= n)):
        raise ValueError("counts must be 0 or more, and events no more than their total")
    return x, n


def _own_target(x: Floats, n: Floats, *, kind: Kind) -> float:
    """The centre the points themselves give."""
    if kind in {"standardised_ratio", "standardised_ratio_root"}:
        return 1.0
    total = float(n.sum())
    return float(x.sum()) / total if total > 0 else float("nan")


def _scaled(x: Floats, n: Floats, *, kind: Kind, target: float) -> tuple[Floats, Floats, float]:
    """Points, their standard errors and the target on the scale where the funnel is straight."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "proportion":
            return np.arcsin(np.sqrt(x / n)), 1 / (2 * np.sqrt(n)), float(np.arcsin(np.sqrt(target)))
        if kind == "standardised_ratio":
            return np.log(x / n), 1 / np.sqrt(n), float(np.log(target))
        if kind == "standardised_ratio_root":
            return np.sqrt(x / n), 1 / (2 * np.sqrt(n)), float(np.sqrt(target))
        return (
            np.log((x + 0.5) / (n + 0.5)),
            np.sqrt(x / (x + 0.5) ** 2 + n / (n + 0.5) ** 2),
            float(np.log(target)),
        )


def _unscaled(lower: Floats, upper: Floats, *, kind: Kind) -> tuple[Floats, Floats]:
    """Limits taken back from the scale, clipped before they turn round."""
    if kind == "proportion":
        return np.sin(np.clip(lower, 0, np.pi / 2)) ** 2, np.sin(np.clip(upper, 0, np.pi / 2)) ** 2
    if kind == "standardised_ratio_root":
        return np.maximum(lower, 0) ** 2, upper**2
    return np.exp(lower), np.exp(upper)


def _named() -> tuple[pl.Expr, pl.Expr]:
    """The rule that names each point, and the side of a point outside."""
    rate, outer, inner, within, too_few = pl.col("rate"), *(pl.lit(name) for name in RULES)
    is_high, is_low = rate > pl.col("upper_95"), rate < pl.col("lower_95")
    is_far = (rate > pl.col("upper_998")) | (rate < pl.col("lower_998"))
    rule = pl.when(rate.is_null()).then(too_few).when(is_far).then(outer).when(is_high | is_low).then(inner)
    return (
        rule.otherwise(within).alias("rule"),
        pl.when(is_high).then(pl.lit("up")).when(is_low).then(pl.lit("down")).alias("direction"),
    )
