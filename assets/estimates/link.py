"""The link of alliance with the next outcome: for the service, its sites and programmes, and for each clinician.

Belongs here: which pairs an estimate is given, and its place in the tables. Does not belong here: the estimator
(`assets.science.alliance_link`).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import polars as pl

from assets.contracts import analysis, vocabulary
from assets.contracts.analysis import ALLIANCE_LEVELS, ALLIANCE_LINK
from assets.contracts.model import Kind, Table
from assets.science.alliance_link import LinkResult, complete_pairs, link_of_sums
from assets.science.instruments.model import Instrument
from assets.science.link_sums import LinkSums, link_sums
from assets.science.verdicts import certainty_expr
from assets.service import MeasurePair, Service

# Below it intervals from leaving out one clinician at a time can be short, so they are widened and said to be.
WIDENED_BELOW_CLINICIANS = 20
STEPS_IN_RANGE = 10
BlocksOf = Callable[[MeasurePair], Iterable[pl.DataFrame]]
_POLARS = {Kind.NUMBER: pl.Float64, Kind.INTEGER: pl.Int64, Kind.BOOLEAN: pl.Boolean}


def alliance_levels_and_links(blocks_of: BlocksOf, *, service: Service) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`analysis.alliance_levels` and `analysis.alliance_link`.

    Args:
        blocks_of: gives a measure pair's rows of `marts.alliance_pairs` whose next score is one step on, in blocks of whole
            clinicians; asked again, the same blocks. Rows are gone through once and never held together.
        service: its measure pairs, limits and instruments.
    """
    levels, links = [_empty(ALLIANCE_LEVELS)], [_empty(ALLIANCE_LINK)]
    for measure in service.measures:
        added = partial(_added, blocks_of, measure=measure, service=service)
        sums = added(spacing=None)
        whole = _estimate(sums, added, ("service", "all"), measure=measure, service=service)
        levels.append(_levels(whole, measure=measure, scope="service", name="all", service=service))
        links.append(_links(whole, measure=measure, service=service))
        for scope, name in _scopes(sums.cells):
            is_whole = sums.cells.filter(pl.col(scope) != name).is_empty() and not sums.cells[scope].null_count()
            found = whole if is_whole else _estimate(sums, added, (scope, name), measure=measure, service=service)
            levels.append(_levels(found, measure=measure, scope=scope, name=name, service=service))
    return pl.concat(levels), pl.concat(links)


def _added(blocks_of: BlocksOf, *, measure: MeasurePair, service: Service, spacing: float | None) -> LinkSums:
    complete = partial(
        complete_pairs,
        higher_is_better=service.registry[measure.outcome].direction == "higher_is_better",
        step=alliance_step(service.registry[measure.alliance]),
    )
    return link_sums(map(complete, blocks_of(measure)), spacing=spacing)


def alliance_step(instrument: Instrument) -> float:
    """How many alliance points the published figures are for: a tenth of the measure's range, so that measures compare."""
    return round((instrument.score_range.high - instrument.score_range.low) / STEPS_IN_RANGE, 6)


def _scopes(cells: pl.DataFrame) -> Iterator[tuple[str, str]]:
    for scope in ("site", "programme"):
        counts = pl.col("counts_for").is_null() | (pl.col("counts_for") == scope)
        for name in cells.filter(counts)[scope].drop_nulls().unique().sort():
            yield scope, name


def _estimate(
    sums: LinkSums,
    added: Callable[..., LinkSums],
    of: tuple[str, str],
    *,
    measure: MeasurePair,
    service: Service,
) -> LinkResult:
    """The link of a scope; a scope whose forms are filled in at another step than the service's is added up by its own."""
    part = sums.of_scope(*of)
    if part.own_spacing != part.spacing:
        part = added(spacing=part.own_spacing).of_scope(*of)
    return link_of_sums(
        part,
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=WIDENED_BELOW_CLINICIANS,
        step=alliance_step(service.registry[measure.alliance]),
        describes_clinicians=of[0] == "service",
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
