"""Reliable improvement under every rule, and average change in standard deviations, for the service and its parts.

Belongs here: which pairs a group has, and what its rate is held against. Does not belong here: the rules
(`assets.science.change_methods`) and the effects (`assets.science.effect_size`).
"""

from collections.abc import Iterator

import polars as pl

from assets.estimates.scopes import scopes_of
from assets.science.change_methods import MethodBadge, method_badge, sample_figures
from assets.science.effect_size import pre_post_effects
from assets.science.instruments.registry import Registry

_CONFIDENCE = 0.95
# The formulas' own least number of pairs.
_FEWEST_PAIRS = 3
_GROUP = {"scope": pl.String, "scope_name": pl.String, "instrument": pl.String}
_METHODS = _GROUP | {
    "rule": pl.String,
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
            rows += [
                {
                    "scope": scope,
                    "scope_name": scope_name,
                    "instrument": name,
                    "rule": each.rule,
                    "episodes": group.height,
                    "pairs": each.n,
                    "improved": each.n_improved,
                    "rate": each.n_improved / each.n if is_enough else None,
                    "low": each.low if is_enough else None,
                    "high": each.high if is_enough else None,
                    "intake_sd": round(whole.sd_pre, 9),
                    "reliability": instrument.alpha.value,
                    "benchmark": benchmark,
                    "conclusion": each.conclusion.replace(" ", "_") if is_enough else "cannot_tell",
                    "badge": _badge_word(badge) if is_enough else "too_few",
                }
                for each in badge.rates
            ]
    return pl.DataFrame(rows, schema=_METHODS).with_columns(pl.col("rate", "low", "high", "benchmark").round(9))


def effect_sizes(change: pl.DataFrame, *, registry: Registry, minimum_clients: int) -> pl.DataFrame:
    """`analysis.effect_sizes`.

    Args:
        change: `analysis.client_change`; ended episodes count.
        registry: the service's instruments.
        minimum_clients: below it a group's effects are left empty.
    """
    rows = []
    for name, closed in _ended(change):
        for scope, scope_name, group in scopes_of(closed):
            if not _vary(group) or (group["last_score"] - group["first_score"]).drop_nulls().n_unique() == 1:
                continue
            is_few = _clients(group) < minimum_clients
            effects = pre_post_effects(
                group["first_score"],
                group["last_score"],
                direction=registry[name].direction,
                confidence=_CONFIDENCE,
            )
            rows += [
                {
                    "scope": scope,
                    "scope_name": scope_name,
                    "instrument": name,
                    "effect": kind,
                    "episodes": group.height,
                    "pairs": effect.n,
                    "estimate": None if is_few else round(effect.estimate, 9),
                    "low": None if is_few else round(effect.low, 9),
                    "high": None if is_few else round(effect.high, 9),
                    "is_too_few": is_few,
                }
                for kind, effect in effects.items()
            ]
    return pl.DataFrame(rows, schema=_EFFECTS)


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
