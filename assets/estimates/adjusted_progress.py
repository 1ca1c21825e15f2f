"""Progress beyond what was to be expected: of each clinician, and how much of it lies between clinicians and sites.

Belongs here: which closed episodes are compared, what they are adjusted for, and the sentences. Does not belong here:
the model (`assets.science.casemix`) or unadjusted rates (`progress`).
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import polars as pl

from assets.contracts.comparison import CLINICIAN_ADJUSTED_PROGRESS, VARIANCE_SHARES
from assets.estimates.scopes import scopes_of
from assets.estimates.shapes import empty, shaped
from assets.science.casemix import AdjustedProgress, adjusted_progress
from assets.science.instruments.model import Instrument
from assets.science.verdicts import certainty_expr
from assets.service import Service

CASEMIX = ("problem", "deprivation_decile", "age_band", "gender")
"""What is adjusted for besides the first score and its square, where the clinic sends it."""

# Cohen (1988) calls a fifth of a standard deviation a small effect; less than small is taken not to matter.
SMALL_EFFECT = 0.2
_BLANK = (
    "estimate",
    "low",
    "high",
    "reliability",
    "probability_better",
    "probability_better_by_margin",
    "probability_worse_by_margin",
    "q_value",
    "raw_difference",
    "limit_low_95",
    "limit_high_95",
    "limit_low_998",
    "limit_high_998",
)


def adjusted_progress_and_shares(episodes: pl.DataFrame, *, service: Service) -> Mapping[str, pl.DataFrame]:
    """`analysis.clinician_adjusted_progress` and `analysis.variance_shares`, by table name.

    Args:
        episodes: one row a client, closed episode and outcome measure: `instrument`, `client_id`, `case_id`,
            `clinician_id`, `site`, `programme`, `first_score`, `last_score` and the columns of `CASEMIX`.
        service: its measures, limits and instruments.
    """
    people, shares = [empty(CLINICIAN_ADJUSTED_PROGRESS)], [empty(VARIANCE_SHARES)]
    registry = service.registry
    for name in sorted({measure.outcome for measure in service.measures}):
        rows = episodes.filter(pl.col("instrument") == name).rename(
            {"first_score": "outcome_first", "last_score": "outcome_last"}
        )
        margin = _margin(rows)
        casemix, not_used = usable_casemix(rows)
        compared = partial(_compared, casemix=casemix, margin=margin, instrument=registry[name], service=service)
        whole = compared(rows)
        repeats = tuple(f"{column} (a repeat of others)" for column in whole.dropped)
        said = {
            "instrument": pl.lit(name),
            "margin": pl.lit(margin),
            "adjusted_for": pl.lit(", ".join(("first_score", *casemix))),
            "not_adjusted_for": pl.lit(", ".join((*not_used, *repeats)) or None, dtype=pl.String),
        }
        counted = _people(rows, whole, minimum=service.suppression.minimum_clients)
        people.append(shaped(counted.with_columns(**said), CLINICIAN_ADJUSTED_PROGRESS))
        for scope, scope_name, of_scope in scopes_of(rows):
            # A group that holds every row is the whole service under another name.
            found = whole if of_scope.height == rows.height else compared(of_scope)
            shares.append(_shares(found, scope=scope, scope_name=scope_name, instrument=name, service=service))
    return {
        CLINICIAN_ADJUSTED_PROGRESS.name: pl.concat(people).sort(CLINICIAN_ADJUSTED_PROGRESS.key),
        VARIANCE_SHARES.name: pl.concat(shares),
    }


def usable_casemix(rows: pl.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The case-mix columns that tell clients apart, and of the others why not.

    Args:
        rows: with the columns of `CASEMIX`.
    """
    used, unused = [], []
    for name in CASEMIX:
        column = rows[name]
        if column.null_count() == rows.height:
            unused.append(f"{name} (not sent)")
        elif column.n_unique() < 2:
            unused.append(f"{name} (alike for everyone)")
        else:
            used.append(name)
    return tuple(used), tuple(unused)


def _compared(
    rows: pl.DataFrame, *, casemix: tuple[str, ...], margin: float, instrument: Instrument, service: Service
) -> AdjustedProgress:
    return adjusted_progress(
        rows,
        casemix=casemix,
        margin=margin,
        minimum_clients=service.suppression.minimum_clients,
        minimum_clinicians=service.suppression.minimum_clinicians,
        higher_is_better=instrument.direction == "higher_is_better",
    )


def _margin(rows: pl.DataFrame) -> float:
    spread = rows["outcome_first"].cast(pl.Float64).std()
    return round(SMALL_EFFECT * float(spread), 6) if isinstance(spread, float) else 0.0


def _people(rows: pl.DataFrame, found: AdjustedProgress, *, minimum: int) -> pl.DataFrame:
    counted = (
        rows.drop_nulls("clinician_id")
        .group_by("clinician_id")
        .agg(
            pl.col("site").drop_nulls().sort().first(),
            clients=pl.col("client_id").n_unique(),
            evaluable=pl.col("client_id")
            .filter(pl.all_horizontal(pl.col("outcome_first", "outcome_last").is_not_null()))
            .n_unique(),
        )
        .sort("clinician_id")
        .join(found.clinicians.drop("site", "episodes"), on="clinician_id", how="left", maintain_order="left")
        .rename({"is_different": "is_flagged"})
    )
    few = pl.col("evaluable") < minimum
    judged = counted.with_columns(
        *(pl.when(~few).then(pl.col(name)).alias(name) for name in _BLANK),
        evaluable_share=pl.col("evaluable") / pl.col("clients"),
        is_flagged=~few & pl.col("is_flagged").fill_null(value=False),
        funnel_rule=pl.when(few | pl.col("funnel_rule").is_null())
        .then(pl.lit("too_few"))
        .otherwise(pl.col("funnel_rule")),
        certainty=certainty_expr(pl.col("probability_better"), n=pl.col("evaluable"), fewest=minimum),
    )
    sentences = [_sentence(row, refusal=found.refusal, minimum=minimum) for row in judged.iter_rows(named=True)]
    return judged.with_columns(sentence=pl.Series(sentences, dtype=pl.String))


def _sentence(row: Mapping[str, Any], *, refusal: str | None, minimum: int) -> str:
    if refusal is not None:
        return refusal
    if row["certainty"] == "too_few" or row["estimate"] is None:
        return f"Too few to say: fewer than {minimum} clients with a closed episode have a first and a last score."
    size, low, high = row["estimate"], row["low"], row["high"]
    span = f"(95% interval {low:.1f} to {high:.1f})"
    if row["certainty"] == "cannot_tell":
        return f"Cannot tell apart from what clients alike usually make at the site: {size:+.1f} points {span}."
    way, word = "more" if size > 0 else "less", "Clearly" if row["certainty"] == "clear" else "Likely"
    return f"{word} {way} progress than clients alike usually make at the site: {size:+.1f} points {span}."


def _shares(found: AdjustedProgress, *, scope: str, scope_name: str, instrument: str, service: Service) -> pl.DataFrame:
    minimum = service.suppression.minimum_clients
    placed = {"scope": scope, "scope_name": scope_name, "instrument": instrument, "evaluable": found.episodes}
    if found.refusal is not None:
        refused = {
            **placed,
            "part": "between_clinicians",
            "units": 0,
            "sentence": found.refusal,
            "certainty": "too_few",
        }
        return shaped(pl.DataFrame([refused]), VARIANCE_SHARES)
    word = certainty_expr(pl.col("probability_not_negligible"), n=pl.lit(found.episodes), fewest=minimum)
    named = found.shares.with_columns(*(pl.lit(value).alias(name) for name, value in placed.items()), certainty=word)
    sentences = [
        f"Of the differences in progress that case mix leaves, {row['share']:.0%} (95% interval {row['low']:.0%} to "
        f"{row['high']:.0%}) lie between {row['part'].removeprefix('between_')}; the rest lies between and within clients."
        for row in named.iter_rows(named=True)
    ]
    return shaped(named.with_columns(sentence=pl.Series(sentences, dtype=pl.String)), VARIANCE_SHARES)
