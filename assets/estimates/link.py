"""The link of alliance with the next outcome: for the service, its sites and programmes, and for each clinician.

Belongs here: which pairs an estimate is given, and its place in the tables. Does not belong here: the estimator
(`assets.science.alliance_link`).
"""

from collections.abc import Iterator

import polars as pl

from assets.contracts import analysis, vocabulary
from assets.contracts.analysis import ALLIANCE_LEVELS, ALLIANCE_LINK
from assets.contracts.model import Kind, Table
from assets.science.alliance_link import LinkResult, estimate_link
from assets.science.instruments.model import Instrument
from assets.science.verdicts import certainty_expr
from assets.service import MeasurePair, Service

# Below it intervals from leaving out one clinician at a time can be short, so they are widened and said to be.
WIDENED_BELOW_CLINICIANS = 20
STEPS_IN_RANGE = 10
_POLARS = {Kind.NUMBER: pl.Float64, Kind.INTEGER: pl.Int64, Kind.BOOLEAN: pl.Boolean}


def alliance_levels_and_links(pairs: pl.DataFrame, *, service: Service) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`analysis.alliance_levels` and `analysis.alliance_link`.

    Args:
        pairs: `marts.alliance_pairs`.
        service: its measure pairs, limits and instruments.
    """
    levels, links = [_empty(ALLIANCE_LEVELS)], [_empty(ALLIANCE_LINK)]
    for measure in service.measures:
        of_pair = _one_step_on(
            pairs.filter(
                (pl.col("alliance_instrument") == measure.alliance) & (pl.col("outcome_instrument") == measure.outcome)
            )
        )
        whole = _estimate(of_pair, measure=measure, service=service, describes_clinicians=True)
        levels.append(_levels(whole, measure=measure, scope="service", name="all", service=service))
        links.append(_links(whole, measure=measure, service=service))
        for scope, name, rows in _scopes(of_pair):
            found = (
                whole
                if rows.height == of_pair.height
                else _estimate(rows, measure=measure, service=service, describes_clinicians=False)
            )
            levels.append(_levels(found, measure=measure, scope=scope, name=name, service=service))
    return pl.concat(levels), pl.concat(links)


def _one_step_on(pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs whose next score is as many sessions on as usual.

    Where forms in between are missing the next score is further on, and says less of this session: with a fifth of the
    forms missing the link would come out a tenth too small.
    """
    sessions_on = pl.col("next_session_number") - pl.col("session_number")
    return pairs.filter(sessions_on == sessions_on.mode().min())


def alliance_step(instrument: Instrument) -> float:
    """How many alliance points the published figures are for: a tenth of the measure's range, so that measures compare."""
    return round((instrument.score_range.high - instrument.score_range.low) / STEPS_IN_RANGE, 6)


def _scopes(pairs: pl.DataFrame) -> Iterator[tuple[str, str, pl.DataFrame]]:
    for scope in ("site", "programme"):
        for name in pairs[scope].drop_nulls().unique().sort():
            yield scope, name, pairs.filter(pl.col(scope) == name)


def _estimate(pairs: pl.DataFrame, *, measure: MeasurePair, service: Service, describes_clinicians: bool) -> LinkResult:
    return estimate_link(
        pairs,
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=WIDENED_BELOW_CLINICIANS,
        higher_is_better=service.registry[measure.outcome].direction == "higher_is_better",
        step=alliance_step(service.registry[measure.alliance]),
        describes_clinicians=describes_clinicians,
    )


def _levels(found: LinkResult, *, measure: MeasurePair, scope: str, name: str, service: Service) -> pl.DataFrame:
    levels = found.levels
    if found.refusal is not None:
        refused = {"method": analysis.ANSWER, "clinicians": 0, "clients": 0, "pairs": 0, "sentence": found.refusal}
        levels = pl.DataFrame([{"level": level, **refused} for level in vocabulary.LEVELS]).with_columns(
            pl.lit(None, dtype=pl.Float64).alias(figure)
            for figure in ("estimate", "low", "high", "probability_positive")
        )
    word = certainty_expr(
        pl.col("probability_positive"), n=pl.col("clients"), fewest=service.suppression.minimum_clients
    )
    return _placed(
        levels.with_columns(word.alias("certainty"), scope=pl.lit(scope), scope_name=pl.lit(name)),
        measure,
        ALLIANCE_LEVELS,
    )


def _links(found: LinkResult, *, measure: MeasurePair, service: Service) -> pl.DataFrame:
    word = certainty_expr(
        pl.col("probability_positive"), n=pl.col("clients"), fewest=service.suppression.minimum_clients
    )
    return _placed(found.clinicians.with_columns(word.alias("certainty")), measure, ALLIANCE_LINK)


def _placed(frame: pl.DataFrame, measure: MeasurePair, table: Table) -> pl.DataFrame:
    return frame.with_columns(
        alliance_instrument=pl.lit(measure.alliance), outcome_instrument=pl.lit(measure.outcome)
    ).select(pl.col(name).cast(kind) for name, kind in _empty(table).schema.items())


def _empty(table: Table) -> pl.DataFrame:
    return pl.DataFrame(schema={column.name: _POLARS.get(column.kind, pl.String) for column in table.columns})
