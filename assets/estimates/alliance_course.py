"""The alliance of each clinician's clients over sessions and in its parts, beside the clinicians of the same site.

Belongs here: which sums each estimate is given, who is compared with whom, and what is too few. Does not belong here: the
models (`assets.science.alliance_growth`, `assets.science.clinician_effects`) or which part is weakest (`weakest_part`).
"""

from collections.abc import Iterator, Mapping

import polars as pl

from assets.contracts.comparison import (
    CLINICIAN_ALLIANCE_GROWTH,
    CLINICIAN_ALLIANCE_PARTS,
    CLINICIAN_WEAKEST_PART,
    LAST_SESSION,
    SUBSCALES,
)
from assets.contracts.model import Table
from assets.estimates.shapes import empty, shaped
from assets.estimates.weakest_part import weakest_part
from assets.science.alliance_growth import alliance_growth
from assets.science.clinician_effects import clinician_levels
from assets.science.verdicts import certainty_expr
from assets.service import Service, Suppression

PHASES = ("early", "later")
_SEED = 3
_FIGURES = ("raw_mean", "estimate", "low", "high", "site_mean", "site_low", "site_high", "probability_above")


def alliance_course(clients: pl.DataFrame, sessions: pl.DataFrame, *, service: Service) -> Mapping[str, pl.DataFrame]:
    """The three tables of the alliance's course, by table name.

    Args:
        clients: one row an alliance measure, clinician and client, with `site`, and sums over the client's ratings: of
            sessions 1 to 10 `n`, `g`, `gg`, `y`, `yy`, `gy` (g the curve over sessions, y the score); `n_`, `y_` and
            `yy_` with `early` and `later`; of forms with all parts `n_parts`, each part's sum and square (`bond`,
            `bond_bond`), and products of two (`bond_goals`, `bond_tasks`, `goals_tasks`).
        sessions: `instrument`, `clinician_id`, `session_number`, `ratings` and `raw_mean` of sessions 1 to 10.
        service: its limits and instruments.
    """
    growth, parts, weakest = (
        [empty(table)] for table in (CLINICIAN_ALLIANCE_GROWTH, CLINICIAN_ALLIANCE_PARTS, CLINICIAN_WEAKEST_PART)
    )
    limits = service.suppression
    for instrument, site, group in _groups(clients):
        placed = {"instrument": instrument, "site": site}
        rated = group.filter(pl.col("n") > 0)
        if not rated.is_empty():
            grown = alliance_growth(rated, last_session=LAST_SESSION, minimum_clinicians=limits.minimum_clinicians)
            counted = _counted(rated)
            grew = counted.join(grown.growth, on="clinician_id", how="left", maintain_order="left")
            curves = counted.drop("ratings").join(
                sessions.filter(pl.col("instrument") == instrument).drop("instrument"), on="clinician_id"
            )
            few = pl.col("ratings") < limits.minimum_sessions
            curves = curves.with_columns(raw_mean=pl.when(~few).then(pl.col("raw_mean")))
            curves = curves.join(grown.curves, on=["clinician_id", "session_number"], how="left", maintain_order="left")
            parts.append(_judged(grew.with_columns(part=pl.lit("growth")), CLINICIAN_ALLIANCE_PARTS, placed, limits))
            growth.append(_judged(curves, CLINICIAN_ALLIANCE_GROWTH, placed, limits))
        parts += [_judged(each, CLINICIAN_ALLIANCE_PARTS, placed, limits) for each in _levels(group, limits)]
        if group["n_parts"].sum():
            found = weakest_part(group, instrument=service.registry[instrument], limits=limits)
            weakest.append(_placed(found, CLINICIAN_WEAKEST_PART, placed))
    return {
        CLINICIAN_ALLIANCE_GROWTH.name: pl.concat(growth).sort(CLINICIAN_ALLIANCE_GROWTH.key),
        CLINICIAN_ALLIANCE_PARTS.name: pl.concat(parts).sort(CLINICIAN_ALLIANCE_PARTS.key),
        CLINICIAN_WEAKEST_PART.name: pl.concat(weakest).sort(CLINICIAN_WEAKEST_PART.key),
    }


def _groups(clients: pl.DataFrame) -> Iterator[tuple[str, str | None, pl.DataFrame]]:
    parted = clients.partition_by("instrument", "site", as_dict=True)
    for key in sorted(parted, key=str):
        yield str(key[0]), key[1], parted[key]


def _levels(group: pl.DataFrame, limits: Suppression) -> Iterator[pl.DataFrame]:
    """The phases and subscales of one site's clinicians on one measure, before they are judged."""
    named = [(part, f"n_{part}", f"y_{part}", f"yy_{part}") for part in PHASES]
    named += [(part, "n_parts", part, f"{part}_{part}") for part in SUBSCALES]
    for part, n, y, yy in named:
        sums = group.filter(pl.col(n) > 0).select("clinician_id", n=n, y=y, yy=yy)
        if not sums.is_empty():
            levels = clinician_levels(sums, minimum_clinicians=limits.minimum_clinicians, seed=_SEED)
            yield (
                _counted(sums)
                .join(levels.clinicians, on="clinician_id", how="left", maintain_order="left")
                .with_columns(site_mean=pl.lit(levels.service, dtype=pl.Float64), part=pl.lit(part))
            )


def _counted(sums: pl.DataFrame) -> pl.DataFrame:
    return (
        sums.group_by("clinician_id")
        .agg(clients=pl.len().cast(pl.Int64), ratings=pl.col("n").sum().cast(pl.Int64))
        .sort("clinician_id")
    )


def _judged(rows: pl.DataFrame, table: Table, placed: Mapping[str, str | None], limits: Suppression) -> pl.DataFrame:
    """The rows as a table, without figures where there are too few clients."""
    few = pl.col("clients") < limits.minimum_clients
    word = certainty_expr(pl.col("probability_above"), n=pl.col("clients"), fewest=limits.minimum_clients)
    blank = [name for name in _FIGURES if name in rows.columns]
    judged = rows.with_columns(
        word.alias("certainty"), *(pl.when(~few).then(pl.col(name)).alias(name) for name in blank)
    )
    return _placed(judged, table, placed)


def _placed(rows: pl.DataFrame, table: Table, placed: Mapping[str, str | None]) -> pl.DataFrame:
    return shaped(rows.with_columns(**{name: pl.lit(value) for name, value in placed.items()}), table)
