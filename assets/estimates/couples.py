"""The alliance of couples and families: session by session, clinician by clinician, and where it differs.

Belongs here: which cases count as couples and families, and who is compared with whom. Does not belong here: the figures
(`assets.science.couples`) or the shrinking (`assets.science.clinician_effects`).
"""

from collections.abc import Iterator

import polars as pl

from assets.science.clinician_effects import clinician_effects
from assets.science.couples import LEVELS, Members, alliance_of_sessions, between_members_sd, members_within_cases
from assets.science.verdicts import certainty_expr

_CONFIDENCE = 0.95
_DIGITS = 6
_SEEDS = {"mean": 3, "lowest": 4, "difference": 5, "own": 6}
_FIGURES = {"estimate": pl.Float64, "estimate_low": pl.Float64, "estimate_high": pl.Float64}
_JUDGED = {"clinician_id": pl.String, **_FIGURES, "probability_above": pl.Float64}
_SAID = {
    "mean": "the mean of what members say",
    "lowest": "the lower of what members say",
    "difference": "how far members differ",
    "own": "what each member says",
}
_WHO = {
    "session": "from session to session of one person",
    "partner": "between members of one case",
    "case": "between cases",
    "clinician": "between clinicians",
}


def couple_alliance(ratings: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """`analysis.couple_alliance`.

    Args:
        ratings: members' own alliance scores in cases of two people or more, one a member, instrument and session:
            `client_id`, `episode_id`, `instrument`, `session_number`, `score`.
        sessions: sessions of such cases: `episode_id`, `session_number`, `case_id`, `clinician_id`, `site`, `programme`,
            `clients` (members of the case).
    """
    parts = []
    for name in ratings["instrument"].unique().sort():
        own = ratings.filter(pl.col("instrument") == name)
        told = alliance_of_sessions(own, members_sd=between_members_sd(own))
        parts.append(told.with_columns(pl.col("mean", "difference").round(_DIGITS), instrument=pl.lit(name)))
    if not parts:
        parts = [alliance_of_sessions(ratings, members_sd=None).with_columns(instrument=pl.lit(""))]
    return pl.concat(parts).join(sessions, on=["episode_id", "session_number"], maintain_order="left")


def couple_clinicians_and_variance(
    told: pl.DataFrame,
    ratings: pl.DataFrame,
    clinicians: pl.DataFrame,
    *,
    minimum_clients: int,
    minimum_clinicians: int,
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """`analysis.couple_clinicians` and `analysis.couple_variance`.

    Args:
        told: `analysis.couple_alliance`.
        ratings: as there, with `clinician_id`.
        clinicians: `marts.clinicians`.
        minimum_clients: with fewer cases a clinician's certainty is too_few and no figure is given.
        minimum_clinicians: below it clinicians of a measure are not compared.
    """
    both = told.filter(pl.col("raters") >= 2)
    rows, shares = [], []
    for name in ratings["instrument"].unique().sort():
        own = ratings.filter(pl.col("instrument") == name)
        members = members_within_cases(
            own, minimum_clinicians=minimum_clinicians, confidence=_CONFIDENCE, seed=_SEEDS["own"]
        )
        judged = members.clinicians.rename({"low": "estimate_low", "high": "estimate_high"})
        rows.append(_described(own, "own", judged, members.service, instrument=name))
        of_sessions = both.filter(pl.col("instrument") == name)
        for aspect in ("mean", "lowest", "difference"):
            scores = of_sessions.select("clinician_id", "episode_id", "case_id", score=aspect)
            found = clinician_effects(
                scores,
                score="score",
                predictors=(),
                client="episode_id",
                minimum_clinicians=minimum_clinicians,
                seed=_SEEDS[aspect],
            )
            judged = found.clinicians.rename({"low": "estimate_low", "high": "estimate_high"})
            rows.append(_described(scores, aspect, judged, found.service, instrument=name))
        shares += list(_variance(own, members, instrument=name))
    few = pl.col("cases") < minimum_clients
    figures = [*_FIGURES, "raw_mean", "service_mean"]
    shown = pl.concat(rows) if rows else _NOBODY
    shown = (
        shown.join(clinicians.select("clinician_id", "site"), on="clinician_id", how="left", maintain_order="left")
        .with_columns(
            certainty_expr(pl.col("probability_above"), n=pl.col("cases"), fewest=minimum_clients).alias("certainty")
        )
        .with_columns(pl.when(~few).then(pl.col(name).round(_DIGITS)).alias(name) for name in figures)
    )
    sentences = [_sentence(row) for row in shown.iter_rows(named=True)]
    return (
        shown.with_columns(sentence=pl.Series(sentences, dtype=pl.String)),
        pl.DataFrame(shares, schema=_VARIANCE, orient="row"),
    )


def _described(
    scores: pl.DataFrame, aspect: str, judged: pl.DataFrame, service: float | None, *, instrument: str
) -> pl.DataFrame:
    """One row a clinician: the mean of each case's own mean, and what it is drawn toward."""
    raw = (
        scores.sort("clinician_id", "episode_id", "score")
        .group_by("clinician_id", "episode_id", maintain_order=True)
        .agg(n=pl.len(), mean=pl.col("score").mean())
        .group_by("clinician_id", maintain_order=True)
        .agg(
            cases=pl.len().cast(pl.Int64),
            sessions=pl.col("n").sum().cast(pl.Int64),
            raw_mean=pl.col("mean").mean(),
        )
    )
    return raw.join(judged.select(*_JUDGED), on="clinician_id", how="left", maintain_order="left").select(
        "clinician_id",
        pl.lit(instrument).alias("instrument"),
        pl.lit(aspect).alias("aspect"),
        "cases",
        "sessions",
        "raw_mean",
        *_FIGURES,
        pl.lit(service, dtype=pl.Float64).alias("service_mean"),
        "probability_above",
    )


def _variance(ratings: pl.DataFrame, members: Members, *, instrument: str) -> Iterator[tuple[object, ...]]:
    counts = (ratings["clinician_id"].n_unique(), ratings["episode_id"].n_unique(), ratings.height)
    for level in LEVELS:
        share = members.shares.get(level, (None, None, None))
        sentence = members.refusal
        if share[0] is not None and share[1] is not None and share[2] is not None:
            sentence = (
                f"Of all the variance, {100 * share[0]:.0f} in 100 lie {_WHO[level]} "
                f"({100 * share[1]:.0f} to {100 * share[2]:.0f})."
            )
        yield instrument, level, *share, *counts, sentence


def _sentence(row: dict[str, object]) -> str:
    said = _SAID[str(row["aspect"])]
    if row["certainty"] == "too_few":
        return f"Too few couples and families to speak of {said}."
    if row["estimate"] is None:
        return f"Too few clinicians see couples and families on this measure to compare {said}."
    ends = f"{row['estimate']:.1f} points ({row['estimate_low']:.1f} to {row['estimate_high']:.1f})"
    if row["certainty"] == "cannot_tell":
        return (
            f"For {said}: {ends}; whether that is above or below the {row['service_mean']:.1f} of all cannot be told."
        )
    way = "above" if float(str(row["estimate"])) > float(str(row["service_mean"])) else "below"
    sure = "clearly" if row["certainty"] == "clear" else "probably"
    return f"For {said}: {ends}, {sure} {way} the {row['service_mean']:.1f} of all."


_NOBODY = pl.DataFrame(
    schema={
        "clinician_id": pl.String,
        "instrument": pl.String,
        "aspect": pl.String,
        "cases": pl.Int64,
        "sessions": pl.Int64,
        "raw_mean": pl.Float64,
        **_FIGURES,
        "service_mean": pl.Float64,
        "probability_above": pl.Float64,
    }
)
_VARIANCE = {
    "instrument": pl.String,
    "level": pl.String,
    "share": pl.Float64,
    "share_low": pl.Float64,
    "share_high": pl.Float64,
    "clinicians": pl.Int64,
    "cases": pl.Int64,
    "ratings": pl.Int64,
    "sentence": pl.String,
}
