"""Which of bond, goals and tasks is weakest with each clinician's clients, and how sure that is.

Belongs here: differences between parts of the same form, and the word that follows. Does not belong here: the shrinking
(`assets.science.clinician_effects`) or the parts' own levels (`alliance_course`).
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import polars as pl
from scipy import stats

from assets.contracts.comparison import SUBSCALES
from assets.science.clinician_effects import clinician_levels
from assets.science.instruments.model import Instrument
from assets.science.verdicts import CLEAR_FROM
from assets.service import Suppression

NAMED_FROM = 0.95
"""Probability of lying below each of the other two from which a part is named; both must hold, so none is corrected."""

_SEED = 4
_PAIRS = tuple(combinations(SUBSCALES, 2))


def weakest_part(cases: pl.DataFrame, *, instrument: Instrument, limits: Suppression) -> pl.DataFrame:
    """`analysis.clinician_weakest_part` of one site's clinicians on one measure.

    Args:
        cases: one row a clinician and case, with `n_parts`, `people_parts` and the parts' sums, squares and products, as
            in `alliance_course`.
        instrument: the measure, whose parts may have different numbers of items: differences are between mean answers.
        limits: below `minimum_clients` nothing is said; below `minimum_clinicians` nobody is compared.
    """
    items = {part: float(len(instrument.subscale(part).items.value)) for part in SUBSCALES}
    rated = cases.filter(pl.col("n_parts") > 0)
    counted = (
        rated.group_by("clinician_id").agg(clients=pl.col("people_parts").sum().cast(pl.Int64)).sort("clinician_id")
    )
    pairs: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    usual: dict[tuple[str, str], float] = {}
    for one, other in _PAIRS:
        a, b = items[one], items[other]
        sums = rated.select(
            "clinician_id",
            n="n_parts",
            y=pl.col(one) / a - pl.col(other) / b,
            yy=pl.col(f"{one}_{one}") / a**2
            + pl.col(f"{other}_{other}") / b**2
            - 2.0 * pl.col(f"{one}_{other}") / (a * b),
        )
        found = clinician_levels(sums, minimum_clinicians=limits.minimum_clinicians, are_clients_held=True, seed=_SEED)
        if found.service is None:
            return _none(counted, sentence=found.refusal or "")
        usual |= {(one, other): found.service, (other, one): -found.service}
        figures = found.clinicians.select("clinician_id", "estimate", "standard_deviation").rows()
        pairs[one, other] = {name: (mean, sd) for name, mean, sd in figures}
        pairs[other, one] = {name: (-mean, sd) for name, mean, sd in figures}
    at_site = min(SUBSCALES, key=lambda part: sum(usual[part, other] for other in SUBSCALES if other != part))
    rows = [
        _row(name, n, pairs={pair: figures[name] for pair, figures in pairs.items()}, at_site=at_site, limits=limits)
        for name, n in counted.rows()
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


def _row(
    clinician: str,
    clients: int,
    *,
    pairs: Mapping[tuple[str, str], tuple[float, float]],
    at_site: str,
    limits: Suppression,
) -> dict[str, Any]:
    told: dict[str, Any] = {"clinician_id": clinician, "clients": clients, "gap": None, "low": None, "high": None}
    if clients < limits.minimum_clients:
        few = f"Too few to say: fewer than {limits.minimum_clients} clients have rated all three parts."
        return {**told, "weakest": "too_few", "certainty": "too_few", "sentence": few}
    below = {part: [pairs[part, other] for other in SUBSCALES if other != part] for part in SUBSCALES}
    lowest = min(SUBSCALES, key=lambda part: sum(mean for mean, _ in below[part]))
    mean, sd = max(below[lowest])
    z = float(stats.norm.ppf(CLEAR_FROM))
    told |= {"gap": round(mean, 6), "low": round(mean - z * sd, 6), "high": round(mean + z * sd, 6)}
    surest = min(float(stats.norm.cdf(-each / spread)) for each, spread in below[lowest])
    if surest < NAMED_FROM:
        sentence = "Cannot tell which of bond, goals and tasks is weakest."
        return {**told, "weakest": "cannot_tell", "certainty": "cannot_tell", "sentence": sentence}
    as_usual = "as at the site as a whole" if lowest == at_site else f"where at the site as a whole {at_site} is lowest"
    return {
        **told,
        "weakest": lowest,
        "certainty": "clear" if surest >= CLEAR_FROM else "likely",
        "sentence": f"Weakest is {lowest}, by {-mean:.2f} points an answer (95% interval {max(-mean - z * sd, 0.0):.2f} to "
        f"{-mean + z * sd:.2f}) below the next, {as_usual}.",
    }


def _none(counted: pl.DataFrame, *, sentence: str) -> pl.DataFrame:
    return counted.with_columns(
        weakest=pl.lit("cannot_tell"), certainty=pl.lit("cannot_tell"), sentence=pl.lit(sentence)
    )
