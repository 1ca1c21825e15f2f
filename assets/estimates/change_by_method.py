"""Reliable improvement under every rule, and average change in standard deviations, for the service and its parts.

Belongs here: which pairs a group has, and what its rate is held against. Does not belong here: the rules
(`assets.science.change_methods`) and the effects (`assets.science.effect_size`).
"""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from assets.estimates.scopes import WHOLE_SERVICE, scopes_of
from assets.science.change_methods import (
    Method,
    MethodBadge,
    change_index,
    critical_of,
    method_badge,
    sample_figures,
)
from assets.science.effect_size import compared_effect, pre_post_effects
from assets.science.funnel import wilson_interval
from assets.science.instruments.model import Instrument
from assets.science.instruments.registry import Registry

_CONFIDENCE = 0.95
# The formulas' own least number of pairs.
_FEWEST_PAIRS = 3
_BESIDE_THE_BADGE: tuple[Method, ...] = ("GLN", "HLL", "NK")
_UNTOLD = {"rate": None, "low": None, "high": None, "conclusion": "cannot_tell"}
_GROUP = {"scope": pl.String, "scope_name": pl.String, "instrument": pl.String}
_METHODS = _GROUP | {
    "rule": pl.String,
    "is_in_badge": pl.Boolean,
    "episodes": pl.Int64,
    "pairs": pl.Int64,
    "improved": pl.Int64,
    "rate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "intake_sd": pl.Float64,
    "reliability": pl.Float64,
    "benchmark": pl.Float64,
    "conclusion": pl.String,
    "badge": pl.String,
}
_EFFECTS = _GROUP | {
    "effect": pl.String,
    "episodes": pl.Int64,
    "pairs": pl.Int64,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "is_too_few": pl.Boolean,
}


def change_methods(
    change: pl.DataFrame, *, registry: Registry, standard: float | None, minimum_clients: int
) -> pl.DataFrame:
    """`analysis.change_methods`.

    Args:
        change: `analysis.client_change`; ended episodes count.
        registry: the service's instruments; those with a reliable change and a reliability are told.
        standard: the service's own standard for the rate, 0 to 1; None holds each group against the whole service.
        minimum_clients: below it a group's rates are left empty.
    """
    rows = []
    for name, closed in _ended(change):
        instrument = registry[name]
        if instrument.reliable_change is None or instrument.alpha is None or not _vary(closed):
            continue
        whole = sample_figures(closed["first_score"], closed["last_score"])
        threshold = instrument.reliable_change.value
        benchmark = standard
        if benchmark is None:
            benchmark = float(closed["is_reliably_improved"].sum()) / whole.n
        for scope, scope_name, group in scopes_of(closed):
            if not _vary(group):
                continue
            badge = method_badge(
                group["first_score"],
                group["last_score"],
                sd=whole.sd_pre,
                reliability=instrument.alpha.value,
                threshold=threshold,
                direction=instrument.direction,
                benchmark=benchmark,
                confidence=_CONFIDENCE,
            )
            is_enough = _clients(group) >= minimum_clients
            shared = {
                "scope": scope,
                "scope_name": scope_name,
                "instrument": name,
                "episodes": group.height,
                "intake_sd": round(whole.sd_pre, 9),
                "reliability": instrument.alpha.value,
                "benchmark": benchmark,
                "badge": _badge_word(badge) if is_enough else "too_few",
            }
            counts = {each.rule: (each.n_improved, True) for each in badge.rates}
            counts |= _beside_the_badge(group, instrument, sd=whole.sd_pre, reliability=instrument.alpha.value)
            pairs = badge.rates[0].n
            rows += [
                shared
                | {"rule": rule, "pairs": pairs, "improved": improved, "is_in_badge": is_in_badge}
                | (_rate(improved, pairs, benchmark=benchmark) if is_enough else _UNTOLD)
                for rule, (improved, is_in_badge) in counts.items()
            ]
    return pl.DataFrame(rows, schema=_METHODS).with_columns(pl.col("rate", "low", "high", "benchmark").round(9))


def _beside_the_badge(
    group: pl.DataFrame, instrument: Instrument, *, sd: float, reliability: float
) -> dict[str, tuple[int, bool]]:
    """Reliably improved by the methods that the badge leaves out, over the same spread at the start as the others."""
    pairs = group.filter(pl.col("last_score").is_not_null())
    first, last = (pairs[name].to_numpy() for name in ("first_score", "last_score"))
    figures = replace(sample_figures(first, last), sd_pre=sd)
    better = 1 if instrument.direction == "higher_is_better" else -1
    counts = {}
    for method in _BESIDE_THE_BADGE:
        index = change_index(
            first, last, method=method, figures=figures, reliability=reliability, reliability_post=reliability
        )
        counts[method] = (int((better * index > critical_of(method)).sum()), False)
    return counts


def _rate(improved: int, pairs: int, *, benchmark: float) -> dict[str, float | str]:
    low, high = (float(bound) for bound in wilson_interval(improved, pairs, confidence=_CONFIDENCE))
    conclusion = "above" if low > benchmark else "below" if high < benchmark else "cannot_tell"
    return {"rate": improved / pairs, "low": low, "high": high, "conclusion": conclusion}


def effect_sizes(change: pl.DataFrame, *, registry: Registry, minimum_clients: int) -> pl.DataFrame:
    """`analysis.effect_sizes`.

    Args:
        change: `analysis.client_change`; ended episodes count.
        registry: the service's instruments.
        minimum_clients: below it a group's effects are left empty; and those against the rest of the service, where the
            rest are fewer.
    """
    rows = []
    for name, closed in _ended(change):
        for scope, scope_name, group in scopes_of(closed):
            if not _vary(group) or (group["last_score"] - group["first_score"]).drop_nulls().n_unique() == 1:
                continue
            direction = registry[name].direction
            effects = pre_post_effects(*_pairs(group), direction=direction, confidence=_CONFIDENCE)
            compared = [group]
            if scope != WHOLE_SERVICE[0]:
                rest = closed.filter(pl.col(scope).ne_missing(scope_name))
                if _vary(rest):
                    compared.append(rest)
                    effects["d_ppc2"] = compared_effect(
                        _pairs(group), control=_pairs(rest), direction=direction, confidence=_CONFIDENCE
                    )
            shared = {"scope": scope, "scope_name": scope_name, "instrument": name, "episodes": group.height}
            pairs = group["last_score"].count()
            for kind, effect in effects.items():
                groups = compared if kind == "d_ppc2" else [group]
                is_few = min(_clients(each) for each in groups) < minimum_clients
                figures = {"estimate": effect.estimate, "low": effect.low, "high": effect.high}
                rows.append(
                    shared
                    | {"effect": kind, "pairs": pairs, "is_too_few": is_few}
                    | {figure: None if is_few else round(number, 9) for figure, number in figures.items()}
                )
    return pl.DataFrame(rows, schema=_EFFECTS)


def _pairs(group: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    return group["first_score"], group["last_score"]


def _ended(change: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each measure with its ended episodes, in a fixed order."""
    closed = change.filter(~pl.col("is_open")).sort("instrument", "client_id", "episode_id")
    for name in closed["instrument"].unique().sort():
        yield str(name), closed.filter(pl.col("instrument") == name)


def _vary(group: pl.DataFrame) -> bool:
    """Whether a group has enough pairs for the formulas, with scores that are not all the same."""
    pairs = group.filter(pl.col("last_score").is_not_null())
    return pairs.height >= _FEWEST_PAIRS and pairs["first_score"].n_unique() > 1 and pairs["last_score"].n_unique() > 1


def _clients(group: pl.DataFrame) -> int:
    return group.filter(pl.col("last_score").is_not_null())["client_id"].n_unique()


def _badge_word(badge: MethodBadge) -> str:
    if badge.holds:
        return "holds"
    return "cannot_tell" if {each.conclusion for each in badge.rates} == {"cannot tell"} else "depends_on_method"
