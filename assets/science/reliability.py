"""How consistently a measure measures, from a clinic's own forms, and what that does to correlations.

Belongs here: Cronbach's alpha with its interval, Spearman-Brown, attenuation and its correction. Does not belong
here: what a reliability makes of a client's change (`change`). A sample all of severe clients gives a low alpha for
its narrow range alone, so a local alpha is laid over a published one only by decision
(`instruments.registry.with_local`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Alpha:
    """Cronbach's alpha with its interval and the complete forms it is from."""

    estimate: float
    low: float
    high: float
    n_forms: int
    n_items: int


def cronbach_alpha(answers: ArrayLike, *, confidence: float) -> Alpha:
    """Internal consistency of the items of a scale, with Feldt's interval.

    Args:
        answers: one row a form and one column an item, reversed items already turned; NaN where open. One form a
            client, or the interval is too narrow. Forms with an open item are left out.
        confidence: two-sided coverage, between 0 and 1.

    Raises:
        ValueError: fewer than two items, fewer than three complete forms, totals that do not vary, or a confidence
            out of range.

    Source: Cronbach 1951, Psychometrika 16:297-334; Feldt 1965, Psychometrika 30:357-370.
    """
    table = np.asarray(answers, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError("Alpha needs a table of forms by at least two items.")
    if not 0 < confidence < 1:
        raise ValueError(f"Confidence lies between 0 and 1; {confidence} does not.")
    whole = table[np.isfinite(table).all(axis=1)]
    n, k = whole.shape
    if n < 3 or np.ptp(whole.sum(axis=1)) == 0:
        raise ValueError("Alpha needs three complete forms whose totals vary.")
    estimate = k / (k - 1) * (1 - whole.var(axis=0, ddof=1).sum() / whole.sum(axis=1).var(ddof=1))
    tail, df = (1 - confidence) / 2, (n - 1, (n - 1) * (k - 1))
    low = 1 - (1 - estimate) * stats.f.isf(tail, *df)
    high = 1 - (1 - estimate) * stats.f.ppf(tail, *df)
    return Alpha(float(estimate), float(low), float(high), n, k)


def spearman_brown(reliability: float, *, length_ratio: float) -> float:
    """The reliability of a scale made longer or shorter by like items.

    Args:
        reliability: of the scale as it is.
        length_ratio: new number of items over the old.

    Raises:
        ValueError: a reliability outside 0 to 1 or a ratio not above 0.

    Source: Spearman 1910; Brown 1910, Br J Psychol 3.
    """
    if not 0 <= reliability <= 1 or not length_ratio > 0:
        raise ValueError("A reliability lies between 0 and 1, and a ratio of lengths is above 0.")
    return length_ratio * reliability / (1 + (length_ratio - 1) * reliability)


def attenuated_correlation(correlation: float, *, reliability: float, other_reliability: float) -> float:
    """The correlation two scales show when the true one is `correlation`: less, for their error.

    Raises:
        ValueError: a reliability is not above 0 and at most 1, or the correlation outside -1 to 1.

    Source: Spearman 1904, Am J Psychol 15:72-101.
    """
    return correlation * _attenuation(correlation, reliability, other_reliability)


def corrected_correlation(correlation: float, *, reliability: float, other_reliability: float) -> float:
    """The true correlation behind an observed one, were both scales without error; it can pass 1 by sampling error.

    Raises:
        ValueError: a reliability is not above 0 and at most 1, or the correlation outside -1 to 1.

    Source: Spearman 1904, Am J Psychol 15:72-101.
    """
    return correlation / _attenuation(correlation, reliability, other_reliability)


def _attenuation(correlation: float, *reliabilities: float) -> float:
    if not -1 <= correlation <= 1:
        raise ValueError("A correlation lies between -1 and 1.")
    if not all(0 < each <= 1 for each in reliabilities):
        raise ValueError("A reliability here is above 0 and at most 1.")
    return math.sqrt(math.prod(reliabilities))
