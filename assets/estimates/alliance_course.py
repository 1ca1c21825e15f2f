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
from assets.science.alliance_growth import AllianceGrowth, alliance_growth
from assets.science.clinician_effects import clinician_levels
from assets.science.verdicts import certainty_expr
from assets.service import Service, Suppression

PHASES = ("early", "later")
_SEED = 3
_FIGURES = ("raw_mean", "estimate", "low", "high", "site_mean", "site_low", "site_high", "probability_above")
_APART = ("difference", "difference_low", "difference_high")


def alliance_course(cases: pl.DataFrame, sessions: pl.DataFrame, *, service: Service) -> Mapping[str, pl.DataFrame]:
    """The three tables of the alliance's course, by table name.

    Args:
        cases: one row an alliance measure, clinician and case (partners of a couple rate the same hours), with `site`, and
            sums over the case's ratings: of sessions 1 to 10 `n`, `g`, `gg`, `y`, `yy`, `gy` (g the curve over sessions,
            y the score); `n_`, `y_` and `yy_` with `early` and `later`; of forms with all parts `n_parts`, each part's
            sum and square (`bond`, `bond_bond`), and products of two (`bond_goals`, `bond_tasks`, `goals_tasks`). The
            clients behind each are `people`, `people_early`, `people_later` and `people_parts`.
        sessions: `instrument`, `clinician_id`, `session_number`, `ratings` and `raw_mean` of sessions 1 to 10.
        service: its limits and instruments.
    """
    growth, parts, weakest = (
        [empty(table)] for table in (CLINICIAN_ALLIANCE_GROWTH, CLINICIAN_ALLIANCE_PARTS, CLINICIAN_WEAKEST_PART)
    )
    limits = service.suppression
    for instrument, site, group in _groups(cases):
        placed = {"instrument": instrument, "site": site}
        rated = group.filter(pl.col("n") > 0)
        if not rated.is_empty():
            grown = alliance_growth(
                rated.rename({"case_id": "client_id"}),
                last_session=LAST_SESSION,
                minimum_clinicians=limits.minimum_clinicians,
            )
            seen = sessions.filter(pl.col("instrument") == instrument).drop("instrument")
            growth.append(
                _judged(_curves(rated, seen, grown, limits=limits), CLINICIAN_ALLIANCE_GROWTH, limits=limits, **placed)
            )
            grew = _counted(rated, n="n", people="people").join(
                grown.growth, on="clinician_id", how="left", maintain_order="left"
            )
            parts.append(
                _judged(grew.with_columns(part=pl.lit("growth")), CLINICIAN_ALLIANCE_PARTS, limits=limits, **placed)
            )
        levels = _levels(group, limits=limits)
        parts += [_judged(each, CLINICIAN_ALLIANCE_PARTS, limits=limits, **placed) for each in levels]
        if group["n_parts"].sum():
            found = weakest_part(group, instrument=service.registry[instrument], limits=limits)
            weakest.append(_placed(found, CLINICIAN_WEAKEST_PART, **placed))
    return {
        CLINICIAN_ALLIANCE_GROWTH.name: pl.concat(growth).sort(CLINICIAN_ALLIANCE_GROWTH.key),
        CLINICIAN_ALLIANCE_PARTS.name: pl.concat(parts).sort(CLINICIAN_ALLIANCE_PARTS.key),
        CLINICIAN_WEAKEST_PART.name: pl.concat(weakest).sort(CLINICIAN_WEAKEST_PART.key),
    }


def _groups(cases: pl.DataFrame) -> Iterator[tuple[str, str | None, pl.DataFrame]]:
    parted = cases.partition_by("instrument", "site", as_dict=True)
    for key in sorted(parted, key=str):
        yield str(key[0]), key[1], parted[key]


def _curves(rated: pl.DataFrame, seen: pl.DataFrame, grown: AllianceGrowth, *, limits: Suppression) -> pl.DataFrame:
    """Every session of every clinician of one site on one measure, rated or not, before it is judged."""
    drawn = pl.DataFrame({"session_number": range(1, LAST_SESSION + 1)}, schema={"session_number": pl.Int64})
    keys = ["clinician_id", "session_number"]
    every = _counted(rated, n="n", people="people").drop("ratings").join(drawn, how="cross")
    return (
        every.join(seen, on=keys, how="left", maintain_order="left")
        .with_columns(pl.col("ratings").fill_null(0))
        .with_columns(raw_mean=pl.when(pl.col("ratings") >= limits.minimum_sessions).then(pl.col("raw_mean")))
        .join(grown.curves, on=keys, how="left", maintain_order="left")
    )


def _levels(group: pl.DataFrame, *, limits: Suppression) -> Iterator[pl.DataFrame]:
    """The phases and subscales of one site's clinicians on one measure, before they are judged."""
    named = [(part, f"n_{part}", f"y_{part}", f"yy_{part}", f"people_{part}") for part in PHASES]
    named += [(part, "n_parts", part, f"{part}_{part}", "people_parts") for part in SUBSCALES]
    for part, n, y, yy, people in named:
        rated = group.filter(pl.col(n) > 0)
        if not rated.is_empty():
            levels = clinician_levels(
                rated.select("clinician_id", n=n, y=y, yy=yy),
                minimum_clinicians=limits.minimum_clinicians,
                are_clients_held=True,
                seed=_SEED,
            )
            yield (
                _counted(rated, n=n, people=people)
                .join(levels.clinicians, on="clinician_id", how="left", maintain_order="left")
                .with_columns(site_mean=pl.lit(levels.service, dtype=pl.Float64), part=pl.lit(part))
            )


def _counted(rated: pl.DataFrame, *, n: str, people: str) -> pl.DataFrame:
    """Clients and ratings of each clinician, in the order of their ids."""
    sums = rated.group_by("clinician_id").agg(
        clients=pl.col(people).sum().cast(pl.Int64), ratings=pl.col(n).sum().cast(pl.Int64)
    )
    return sums.sort("clinician_id")


def _judged(
    rows: pl.DataFrame, table: Table, *, limits: Suppression, instrument: str, site: str | None
) -> pl.DataFrame:
    """The rows as a table, without figures where there are too few clients."""
    few = pl.col("clients") < limits.minimum_clients
    word = certainty_expr(pl.col("probability_above"), n=pl.col("clients"), fewest=limits.minimum_clients)
    blank = [name for name in (*_FIGURES, *_APART) if name in rows.columns]
    judged = rows.with_columns(
        word.alias("certainty"), *(pl.when(~few).then(pl.col(name)).alias(name) for name in blank)
    )
    return _placed(judged, table, instrument=instrument, site=site)


def _placed(rows: pl.DataFrame, table: Table, *, instrument: str, site: str | None) -> pl.DataFrame:
    return shaped(rows.with_columns(instrument=pl.lit(instrument), site=pl.lit(site, dtype=pl.String)), table)
