"""How each measure's first forms spread and hold together in the service.

Belongs here: which forms count, and laying the service's figures beside the declared ones. Does not belong here: formulas
(`assets.science.reliability`, `assets.science.change`) or taking a figure over, which is a decision
(`assets.science.instruments.registry.with_local`).
"""

from typing import Any

import polars as pl

from assets.science.change import reliable_change_criterion
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry
from assets.science.reliability import Alpha, cronbach_alpha

_CONFIDENCE = 0.95
_CRITICAL = 1.96
_SCHEMA = {
    "instrument": pl.String,
    "kind": pl.String,
    "clients": pl.Int64,
    "first_mean": pl.Float64,
    "first_sd": pl.Float64,
    "whole_forms": pl.Int64,
    "alpha": pl.Float64,
    "alpha_low": pl.Float64,
    "alpha_high": pl.Float64,
    "declared_alpha": pl.Float64,
    "own_reliable_change": pl.Float64,
    "declared_reliable_change": pl.Float64,
    "is_too_few": pl.Boolean,
}


def own_figures(first_forms: pl.DataFrame, *, registry: Registry, minimum_clients: int) -> pl.DataFrame:
    """`analysis.own_figures`.

    Args:
        first_forms: each client's first scored form of each measure: `instrument`, `client_id`, `score`, and `items`, a
            list in the order of the form, null where a total was sent.
        registry: the service's instruments.
        minimum_clients: below it, in clients, a measure's spread is withheld; in whole forms, its alpha.
    """
    rows = [
        _of_instrument(forms, registry[str(name)], minimum_clients=minimum_clients)
        for (name,), forms in sorted(first_forms.partition_by("instrument", as_dict=True).items())
    ]
    return pl.DataFrame(rows, schema=_SCHEMA).with_columns(pl.selectors.float().round(9))


def _of_instrument(forms: pl.DataFrame, instrument: Instrument, *, minimum_clients: int) -> dict[str, Any]:
    clients = forms["client_id"].n_unique()
    is_too_few = clients < minimum_clients
    scores = forms.sort("client_id")["score"]
    spread = None if is_too_few else scores.std()
    keyed = _keyed(forms.sort("client_id"), instrument)
    alpha = None if is_too_few or keyed.height < minimum_clients else _alpha(keyed)
    declared = instrument.alpha.value if instrument.alpha else None
    return {
        "instrument": instrument.id,
        "kind": instrument.kind,
        "clients": clients,
        "first_mean": None if is_too_few else scores.mean(),
        "first_sd": spread,
        "whole_forms": keyed.height,
        "alpha": alpha.estimate if alpha else None,
        "alpha_low": alpha.low if alpha else None,
        "alpha_high": alpha.high if alpha else None,
        "declared_alpha": declared,
        "own_reliable_change": _threshold(
            spread, declared if declared is not None else alpha.estimate if alpha else None
        ),
        "declared_reliable_change": instrument.reliable_change.value if instrument.reliable_change else None,
        "is_too_few": is_too_few,
    }


def _keyed(forms: pl.DataFrame, instrument: Instrument) -> pl.DataFrame:
    """The answers of the whole forms, a column an item, reversed ones turned."""
    if not instrument.is_key_declared:
        return pl.DataFrame()
    columns = []
    for item in instrument.items:
        span, answer = instrument.range_of_item(item), pl.col("items").list.get(item - 1, null_on_oob=True)
        columns.append(
            (span.low + span.high - answer if instrument.is_reversed(item) else answer).alias(f"item_{item}")
        )
    return forms.select(columns).drop_nulls()


def _alpha(keyed: pl.DataFrame) -> Alpha | None:
    """Alpha of the forms; None where there is none: one item, too few forms, or totals that are all alike."""
    try:
        return cronbach_alpha(keyed.to_numpy(), confidence=_CONFIDENCE)
    except ValueError:
        return None


def _threshold(spread: float | None, reliability: float | None) -> float | None:
    if not spread or reliability is None or not 0 <= reliability < 1:
        return None
    return reliable_change_criterion(sd=spread, reliability=reliability, critical=_CRITICAL)
