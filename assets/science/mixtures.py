"""Weighted mixtures of normals, and weighted draws: their means, spreads, quantiles and what lies below a threshold.

What belongs here: arithmetic along the first axis, whatever stands on the others. What does not: where the weights come
from (`intervals.py`).
"""

from typing import Final

import numpy as np
from scipy import special

from assets.science.cross_products import Floats

NEWTON_STEPS: Final = 60
NEWTON_ENOUGH: Final = 1e-6  # of the mixture's spread


def mixture_mean_sd(weights: Floats, mean: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Mean and standard deviation of a weighted mixture of normals along the first axis."""
    centre = np.tensordot(weights, mean, axes=1)
    second = np.tensordot(weights, sd**2 + (mean - centre) ** 2, axes=1)
    return np.asarray(centre), np.sqrt(second)


def mixture_interval(weights: Floats, mean: Floats, sd: Floats, *, coverage: float) -> tuple[Floats, Floats]:
    """Equal-tailed interval of a weighted mixture of normals along the first axis.

    Args:
        weights: (D,) adding up to one.
        mean: (D, ...).
        sd: (D, ...), positive.
        coverage: as 0.95.

    Returns:
        Lower and upper end, each of the remaining shape.
    """
    tail = (1.0 - coverage) / 2.0
    shape = np.shape(mean)[1:]
    flat_mean, flat_sd = (np.reshape(a, (len(weights), -1)) for a in (mean, sd))
    ends = [_mixture_quantile(weights, flat_mean, flat_sd, q).reshape(shape) for q in (tail, 1.0 - tail)]
    return ends[0], ends[1]


def mixture_below(weights: Floats, mean: Floats, sd: Floats, *, threshold: float) -> Floats:
    """The probability that a weighted mixture of normals lies below a threshold, along the first axis."""
    return np.asarray(np.tensordot(weights, special.ndtr((threshold - mean) / sd), axes=1))


def weighted_interval(weights: Floats, values: Floats, *, coverage: float) -> tuple[float, float]:
    """Equal-tailed interval of weighted draws (D,)."""
    order = np.argsort(values)
    reached = np.cumsum(weights[order]) - weights[order] / 2.0
    tail = (1.0 - coverage) / 2.0
    low, high = np.interp([tail, 1.0 - tail], reached, values[order])
    return float(low), float(high)


def _mixture_quantile(weights: Floats, mean: Floats, sd: Floats, probability: float) -> Floats:
    """By Newton's steps from the normal of the same mean and spread, kept between the outermost components' quantiles.

    Steps are taken on the scale of the normal's own quantiles, on which a mixture that is nearly normal is nearly a
    straight line far into its tails. They end with one that is so small that the next would be its square.
    """
    wanted = float(special.ndtri(probability))
    reach = 1.0 + abs(wanted)
    low, high = (mean - reach * sd).min(axis=0), (mean + reach * sd).max(axis=0)
    centre, spread = mixture_mean_sd(weights, mean, sd)
    at = np.clip(centre + wanted * spread, low, high)
    by_sd = 1.0 / sd
    for _ in range(NEWTON_STEPS):
        z = (at - mean) * by_sd
        reached = weights @ special.ndtr(z)
        z *= z
        z *= -0.5
        slope = weights @ (np.exp(z, out=z) * by_sd)
        seen = special.ndtri(np.clip(reached, 1e-300, 1.0 - 1e-16))
        low, high = np.where(seen < wanted, at, low), np.where(seen < wanted, high, at)
        onward = at - (seen - wanted) * np.exp(-0.5 * seen * seen) / np.maximum(slope, 1e-300)
        # A step that leaves the bracket halves it instead; one that has arrived stands on its edge.
        onward = np.where((onward >= low) & (onward <= high), onward, (low + high) / 2.0)
        moved = np.abs(onward - at)
        at = onward
        if np.all(moved <= NEWTON_ENOUGH * spread):
            break
    return np.asarray(at)
