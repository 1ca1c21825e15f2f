"""Later unplanned endings by early alliance, for the service and its parts, told in a sentence.

Belongs here: which episodes are compared on which measures, and the sentences. Does not belong here: the comparison
(`assets.science.landmark`) or the Cox model (`assets.science.leaving`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl

from assets.contracts.endings import LANDMARK
from assets.estimates.link import alliance_step
from assets.estimates.scopes import scopes_of
from assets.science import leaving
from assets.science.landmark import Difference, early_alliance_difference, with_halves
from assets.science.verdicts import verdict
from assets.service import MeasurePair, Service

LANDMARK_SESSION = 3
HORIZON_SESSION = 10
_FEWEST_RATINGS = 1
_FEWEST_CLINICIANS = 3
# Peduzzi et al. (1995): ten events for each covariate.
_FEWEST_EVENTS = 10
_CONFIDENCE = 0.95
_DIGITS = 6
_REFUSALS = {
    "too_few_clients": "Too few clients with an early rating are still there after session {session} to compare.",
    "too_few_endings": "Too few treatments ended unplanned after session {session} to compare.",
    "too_few_clinicians": "Too few clinicians to tell chance from a difference.",
    "cannot_tell": "Everything would hang on one clinician's clients, so how sure one can be cannot be told.",
}
_TYPES: dict[str, Any] = {"BIGINT": pl.Int64, "DOUBLE": pl.Float64}


def landmark(early: pl.DataFrame, episodes: pl.DataFrame, *, service: Service) -> pl.DataFrame:
    """`analysis.landmark`.

    Args:
        early: the first sessions' forms of clients: `episode_id`, `session_number` (up to `LANDMARK_SESSION`), `kind`,
            `instrument`, `score` (the mean over members where a case is a couple or family), one row each.
        episodes: `episode_id`, `case_id`, `clinician_id`, `site`, `programme`, `sessions`, `is_open`, `end_reason`, as in
            `marts.episodes`; ids may be numbers.
        service: its measure pairs, limits and instruments.
    """
    rows = []
    for measure in service.measures:
        placed = _placed(early, episodes, measure=measure)
        if placed.is_empty():
            continue
        step = alliance_step(service.registry[measure.alliance])
        for scope, name, of_scope in scopes_of(placed):
            rows.append(
                {
                    "scope": scope,
                    "scope_name": name,
                    "alliance_instrument": measure.alliance,
                    "outcome_instrument": measure.outcome,
                }
                | _told(of_scope, step=step, minimum_clients=service.suppression.minimum_clients)
            )
    schema = {column.name: _TYPES.get(column.duckdb_type, pl.String) for column in LANDMARK.columns}
    return pl.DataFrame(rows, schema=schema).with_columns(pl.selectors.float().round(_DIGITS))


def _placed(early: pl.DataFrame, episodes: pl.DataFrame, *, measure: MeasurePair) -> pl.DataFrame:
    """Every begun episode of a site that uses the pair, with its state at the landmark, half and third."""
    of_kind = {
        kind: early.filter((pl.col("kind") == kind) & (pl.col("instrument") == name)).select(
            "episode_id", "session_number", pl.col("score").alias(column)
        )
        for kind, name, column in (("alliance", measure.alliance, "alliance"), ("outcome", measure.outcome, "score"))
    }
    known = episodes.filter(pl.col("sessions") > 0).with_columns(site=pl.col("site").fill_null(""))
    sites = set[str]()
    for number, forms in enumerate(of_kind.values()):
        own = set(known.join(forms, on="episode_id", how="semi")["site"])
        sites = own if number == 0 else sites & own
    known = known.filter(pl.col("site").is_in(sorted(sites)))
    # An episode's first sessions, rated or not: what was not rated is counted as such.
    sessions = known.select(
        "episode_id",
        client_id="case_id",
        session_number=pl.int_ranges(1, pl.min_horizontal("sessions", LANDMARK_SESSION) + 1, dtype=pl.Int64),
    ).explode("session_number", empty_as_null=False, keep_nulls=False)
    keys = ["episode_id", "session_number"]
    for forms in of_kind.values():
        sessions = sessions.join(forms, on=keys, how="left")
    states = leaving.landmark(
        sessions,
        known.select("episode_id", "sessions", end_reason=pl.when(~pl.col("is_open")).then("end_reason")),
        landmark_session=LANDMARK_SESSION,
        fewest_ratings=_FEWEST_RATINGS,
    )
    described = known.select("episode_id", "clinician_id", "site", "programme")
    placed = states.join(described, on="episode_id", maintain_order="left").filter(pl.col("clinician_id").is_not_null())
    analysed = with_halves(placed.filter(pl.col("state") == "analysed"))
    return pl.concat([analysed, placed.filter(pl.col("state") != "analysed")], how="diagonal")


def _told(rows: pl.DataFrame, *, step: float, minimum_clients: int) -> dict[str, Any]:
    analysed = rows.filter(pl.col("state") == "analysed")
    found = early_alliance_difference(
        analysed,
        horizon=HORIZON_SESSION - LANDMARK_SESSION,
        fewest_clients=minimum_clients,
        fewest_clinicians=_FEWEST_CLINICIANS,
        confidence=_CONFIDENCE,
    )
    states = dict(rows.group_by("state").len().iter_rows())
    word = verdict(
        found.difference[0],
        probability=found.probability_above,
        n=0 if found.refusal == "too_few_clients" else analysed.height,
        fewest=2 * minimum_clients,
        smallest_that_matters=0.0,
    ).word
    told = {"lower_half": found.lower_half, "upper_half": found.upper_half, "difference": found.difference}
    told["hazard_ratio"] = _hazard_ratio(analysed, step=step) if found.refusal is None else (None, None, None)
    return {
        "landmark_session": LANDMARK_SESSION,
        "horizon_session": HORIZON_SESSION,
        "episodes": analysed.height,
        "ended_by_landmark": states.get("not_past_landmark", 0),
        "without_rating": states.get("too_few_ratings", 0),
        "without_score": states.get("no_score", 0),
        "unplanned": found.unplanned,
        "clinicians": found.clinicians,
        **dict(_with_ends(told)),
        "certainty": word,
        "sentence": _sentence(found, word=word),
    }


def _with_ends(told: dict[str, Sequence[float | None]]) -> Iterator[tuple[str, float | None]]:
    for name, figures in told.items():
        yield from zip((name, f"{name}_low", f"{name}_high"), figures, strict=True)


def _hazard_ratio(analysed: pl.DataFrame, *, step: float) -> tuple[float | None, float | None, float | None]:
    """Cox's ratio for a step more early alliance, each client measured against their own site."""
    early, score = pl.col("early_alliance"), pl.col("score_at_landmark")
    found = leaving.hazard_ratios(
        analysed.with_columns(
            early=(early - early.mean().over("site")) / step, score=score - score.mean().over("site")
        ),
        time="time",
        event="is_unplanned",
        covariates=("early", "score"),
        fewest_events=_FEWEST_EVENTS,
        confidence=_CONFIDENCE,
    ).row(0, named=True)
    return found["hazard_ratio"], found["lower"], found["upper"]


def _sentence(found: Difference, *, word: str) -> str:
    if found.refusal is not None:
        return _REFUSALS[found.refusal].format(session=LANDMARK_SESSION)
    lower, upper = (_in_100(share[0]) for share in (found.lower_half, found.upper_half))
    gap, low, high = found.difference
    counted = (
        f"Of clients still there after session {LANDMARK_SESSION} and doing alike by then, {lower} in 100 of those with the "
        f"lower early alliance left unplanned by session {HORIZON_SESSION}, and {upper} in 100 of the others"
    )
    ends = f"the difference lies between {_signed(low)} and {_signed(high)} in 100"
    if word in {"clear", "likely"}:
        more = "more" if (gap or 0) > 0 else "less"
        sure = "clearly" if word == "clear" else "probably"
        return f"{counted}: {sure} {more}; {ends}. This is no proof that the alliance is why."
    return f"{counted}: chance alone could make that difference; {ends}."


def _in_100(share: float | None) -> str:
    return f"{100 * (share or 0):.0f}"


def _signed(difference: float | None) -> str:
    return f"{100 * (difference or 0):.0f}".replace("-0", "0").replace("-", "minus ")
