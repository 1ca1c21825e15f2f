"""Who skips the alliance form, and what each clinician's rates could be at worst and at best.

Belongs here: how clients and sessions are grouped, and of whom a rate is. Does not belong here: the counting and the
bounds (`assets.science.missingness`).
"""

import polars as pl

from assets.estimates.scopes import scopes_of
from assets.science.instruments.registry import Registry
from assets.science.missingness import after_previous, rate_bounds, skipped_forms, skipping_differences
from assets.science.verdicts import certainty_expr

_CONFIDENCE = 0.95
_DIGITS = 9
_SCOPE = ("scope", "scope_name")
_GROUP = (*_SCOPE, "grouped_by", "position")
_THIRDS = 3
# The last session of each group but the last.
_LAST_SESSIONS = (1, 3, 6)
# The groups in the order in which they are told; the others are held against the first.
_NAMES = {
    "session": ("session 1", "sessions 2 and 3", "sessions 4 to 6", "session 7 and later"),
    "first_score": ("least unwell third", "middle third", "most unwell third"),
    "latest_score": ("about the same", "reliably better", "reliably worse"),
    "latest_alliance": ("not lower than before", "lower than before"),
}

_GROUPING = pl.Enum(list(_NAMES))
_GROUPS = pl.DataFrame(
    [(grouping, place, name) for grouping, names in _NAMES.items() for place, name in enumerate(names)],
    schema={"grouped_by": pl.String, "position": pl.Int64, "group_name": pl.String},
    orient="row",
)


def first_score_thirds(first: pl.DataFrame, *, registry: Registry) -> pl.DataFrame:
    """In which third of their site each client began, 0 the least unwell.

    Args:
        first: one row a client's series: `series` (its number), `site` of the first session, `outcome_instrument` and
            `outcome_first`, null where there is no first score.
        registry: the service's instruments.

    Returns:
        `series` and `third` of those with a first score on a measure of the registry.
    """
    wellness = pl.col("outcome_first") * pl.col("_sign")
    # From the least to the most unwell: the highest wellness first.
    place = (wellness.rank("average", descending=True) - 0.5) / pl.len()
    return (
        first.join(_facts(registry), on="outcome_instrument", how="left")
        .filter(wellness.is_not_null())
        .select(
            "series",
            third=(place.over("site", "outcome_instrument") * _THIRDS).floor().clip(0, _THIRDS - 1).cast(pl.Int64),
        )
    )


def skipping_counts(sessions: pl.DataFrame, thirds: pl.DataFrame, *, registry: Registry) -> pl.DataFrame:
    """Each client's sessions in every group, and of how many the form was skipped: a client is in at most ten groups.

    Args:
        sessions: one row a series and session with a clinician who uses the form: `series`, `session_number`, `site`,
            `programme`, `alliance` (null where it was skipped), `outcome_instrument`, `outcome` (that measure's score,
            null where missing) and `outcome_first` (the series' first). Whole series, of any part of the service.
        thirds: what `first_score_thirds` says of them.
        registry: the service's instruments.
    """
    ordered = (
        after_previous(sessions.join(_facts(registry), on="outcome_instrument", how="left"), by=("series",))
        .with_columns(is_skipped=pl.col("alliance").is_null())
        .with_columns(_latest=pl.col("outcome").forward_fill().shift(1).over("series"))
    )
    gain = (pl.col("_latest") - pl.col("outcome_first")) * pl.col("_sign")
    placed = ordered.join(thirds, on="series", how="left", maintain_order="left").with_columns(
        session=pl.sum_horizontal(pl.col("session_number") > last for last in _LAST_SESSIONS),
        first_score=pl.col("third"),
        latest_score=pl.when(gain.abs() < pl.col("_threshold") - 1e-9)
        .then(0)
        .when(gain > 0)
        .then(1)
        .when(gain < 0)
        .then(2),
        latest_alliance=pl.col("previous").replace_strict({"same_or_higher": 0, "lower": 1, "none": None}),
    )
    return pl.concat(
        [
            placed.filter(pl.col(grouping).is_not_null())
            .group_by("series", "site", "programme", position=pl.col(grouping).cast(pl.Int8))
            .agg(total=pl.len().cast(pl.Int32), events=pl.col("is_skipped").sum().cast(pl.Int32))
            .with_columns(pl.col("site", "programme").cast(pl.Categorical), grouped_by=pl.lit(grouping, _GROUPING))
            for grouping in _NAMES
        ]
    )


def missing_forms(counts: pl.DataFrame, *, minimum_clients: int) -> pl.DataFrame:
    """`analysis.missing_forms`.

    Args:
        counts: what `skipping_counts` gave for every part of the service.
        minimum_clients: with fewer clients in a group nothing is told of it.
    """
    told = [
        # One grouping of one scope at a time, so that millions of clients stand once and not once a scope.
        [part.with_columns(scope=pl.lit(scope), scope_name=pl.lit(name)) for part in _rates(own)]
        for scope, name, rows in scopes_of(counts)
        for own in (rows.filter(pl.col("grouped_by") == grouping) for grouping in _NAMES)
    ]
    rates, differences = (
        pl.concat([each[side] for each in told])
        .with_columns(pl.col("grouped_by").cast(pl.String), pl.col("position").cast(pl.Int64))
        .sort(_GROUP)
        for side in (0, 1)
    )
    is_few = pl.col("units") < minimum_clients
    first_group = rates.filter(pl.col("position") == 0).select(*_SCOPE, "grouped_by", _first_units="units")
    joined = (
        rates.rename({"lower": "rate_low", "upper": "rate_high"})
        .join(
            differences.rename({"lower": "difference_low", "upper": "difference_high"}),
            on=[*_SCOPE, "grouped_by", "position"],
            how="left",
            maintain_order="left",
        )
        .join(first_group, on=[*_SCOPE, "grouped_by"], how="left", maintain_order="left")
    )
    compared_few = is_few | (pl.col("_first_units").fill_null(0) < minimum_clients)
    enough = pl.when(compared_few).then(0).otherwise(1)
    return (
        joined.with_columns(
            certainty=certainty_expr(pl.col("probability_above"), n=enough, fewest=1),
            **{
                f"{name}{end}": pl.when(~few).then(pl.col(f"{name}{end}").round(_DIGITS))
                for name, few in (("rate", is_few), ("difference", compared_few))
                for end in ("", "_low", "_high")
            },
        )
        .rename({"units": "clients"})
        .join(_GROUPS, on=["grouped_by", "position"], maintain_order="left")
    )


def _rates(counts: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """How often forms were skipped at each place of one grouping, and how much more often than at the first."""
    return (
        skipped_forms(counts, by=("grouped_by", "position"), confidence=_CONFIDENCE),
        skipping_differences(counts, by=("grouped_by",), position="position", unit="series", confidence=_CONFIDENCE),
    )


def _facts(registry: Registry) -> pl.DataFrame:
    """Each outcome measure's reliable change and the sign that makes higher better."""
    facts = [
        {
            "outcome_instrument": each.id,
            "_threshold": None if each.reliable_change is None else float(each.reliable_change.value),
            "_sign": 1.0 if each.direction == "higher_is_better" else -1.0,
        }
        for each in registry.of_kind("outcome")
    ]
    return pl.DataFrame(facts, schema={"outcome_instrument": pl.String, "_threshold": pl.Float64, "_sign": pl.Float64})


def bounded_rates(
    clients: pl.DataFrame, change: pl.DataFrame, episodes: pl.DataFrame, *, registry: Registry, minimum_clients: int
) -> pl.DataFrame:
    """`analysis.rate_bounds`.

    Args:
        clients: one row a client, ended episode with a session, and measure that its site uses: `client_id`,
            `episode_id`, `clinician_id`, `site`, `instrument`.
        change: `analysis.client_change`.
        episodes: `marts.episodes`.
        registry: the service's instruments; only those with a reliable change have a rate to bound.
        minimum_clients: with fewer clients a clinician's figures are marked as too few.
    """
    judged = [each.id for each in registry.of_kind("outcome") if each.reliable_change is not None]
    keys = ["client_id", "episode_id", "instrument"]
    is_known = pl.col("category") != "not_evaluable"
    found = (
        clients.filter(pl.col("instrument").is_in(judged))
        .join(change.select(*keys, "category", "is_reliably_improved", "is_reliably_deteriorated"), on=keys, how="left")
        .with_columns(
            improved=pl.when(is_known).then(pl.col("is_reliably_improved")),
            recovered=pl.when(is_known).then(pl.col("category") == "recovered"),
            deteriorated=pl.when(is_known).then(pl.col("is_reliably_deteriorated")),
        )
    )
    ended = episodes.filter(
        ~pl.col("is_open") & (pl.col("sessions") > 0) & pl.col("clinician_id").is_not_null()
    ).select("clinician_id", "site", instrument=pl.lit("all"), ended_unplanned=pl.col("end_reason") == "unplanned")
    # A clinician who works at two sites is told under the first by name, as clinicians' months are.
    sites = pl.concat([found.select("clinician_id", "site"), ended.select("clinician_id", "site")])
    sites = sites.group_by("clinician_id").agg(pl.col("site").min())
    by = ("clinician_id", "instrument")
    parts = [
        rate_bounds(rows, by=by, outcome=rate, confidence=_CONFIDENCE).with_columns(rate=pl.lit(rate))
        for rows, rates in ((found, ("improved", "recovered", "deteriorated")), (ended, ("ended_unplanned",)))
        for rate in rates
    ]
    named = {
        "known_lower": "known_rate_low",
        "known_upper": "known_rate_high",
        "worst": "worst_case",
        "best": "best_case",
        "lower": "low",
        "upper": "high",
    }
    return (
        pl.concat(parts)
        .join(sites, on="clinician_id", how="left", maintain_order="left")
        .rename(named)
        .with_columns(pl.selectors.float().round(_DIGITS), is_too_few=pl.col("clients") < minimum_clients)
    )
