"""Signs of holding back on each client's timeline, and what the index has been worth in this service.

Belongs here: which sessions and ratings make a timeline, and which episodes predict for which. Does not belong here: the
signals, the index and its calibration (`assets.science.holding_back`).
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import polars as pl

from assets.estimates.scopes import scopes_of
from assets.science import holding_back as science
from assets.science.rupture import flag_ruptures
from assets.science.verdicts import verdict

# Sessions this near the data date are not checked: whether another one follows is often not known yet. Assumed.
_SETTLED_DAYS = 56
_FEWEST_ENDINGS = 10
_CONFIDENCE = 0.95
_DIGITS = 9
_SERIES = ("client_id", "episode_id", "session_number")
_SCOPE = ("scope", "scope_name")


def holding_back(
    sessions: pl.DataFrame, alliance: pl.DataFrame, *, within_sds: Mapping[str, float | None]
) -> pl.DataFrame:
    """`analysis.holding_back`, of some clients or of all.

    Args:
        sessions: one row a client and session: what `assets.science.holding_back.timeline` asks for, less `is_rated` and
            `fall_in_sds`, and what else a session is described by. Clients and episodes may be numbers.
        alliance: clients' own alliance scores, one a client, episode, instrument and session: `client_id`, `episode_id`,
            `instrument`, `session_number`, `score`.
        within_sds: how much clients' scores spread around their own means in the whole service, by measure.
    """
    falls = [
        _falls(alliance.filter(pl.col("instrument") == name), within_sd=within_sds[name])
        for name in alliance["instrument"].unique().sort()
    ]
    empty = alliance.select(*_SERIES, fall_in_sds=pl.lit(None, dtype=pl.Float64)).clear()
    # Whoever fills in two measures has fallen as far as on the one that fell further.
    fallen = pl.concat([empty, *falls])
    if len(falls) > 1:
        fallen = fallen.group_by(_SERIES).agg(pl.col("fall_in_sds").max())
    rated = sessions.join(fallen.with_columns(is_rated=pl.lit(value=True)), on=_SERIES, how="left").with_columns(
        pl.col("is_rated").fill_null(value=False)
    )
    return science.timeline(rated).with_columns(pl.col("fall_in_sds", "usual_gap_days").round(_DIGITS))


def _falls(series: pl.DataFrame, *, within_sd: float | None) -> pl.DataFrame:
    flagged = flag_ruptures(
        series.select(*_SERIES, alliance="score"),
        within_sd=within_sd,
        drop_sds=science.FALL_SDS,
        fewest_past_ratings=science.FEWEST_PAST,
    )
    has_past = pl.col("past_ratings") >= science.FEWEST_PAST
    return flagged.select(*_SERIES, fall_in_sds=pl.when(has_past).then(pl.col("drop_in_sds")))


def holding_back_calibration(
    told: pl.DataFrame, episodes: pl.DataFrame, *, as_of: date, minimum_clients: int
) -> pl.DataFrame:
    """`analysis.holding_back_calibration`.

    Args:
        told: of `analysis.holding_back`, `episode_id`, `session_number`, `starts_on` and `signals`; sessions that are no
            check may be left out.
        episodes: `marts.episodes`: `episode_id`, `clinician_id`, `site`, `programme`, `started_on`, `sessions`, `is_open`,
            `end_reason`. Those that began before the middle one predict, the others are predicted.
        as_of: the data date.
        minimum_clients: with fewer episodes at an index nothing is told of it.
    """
    checked = science.checks(told, episodes, until=as_of - timedelta(days=_SETTLED_DAYS))
    described = episodes.select("episode_id", "clinician_id", "site", "programme", "started_on")
    placed = checked.join(described, on="episode_id", maintain_order="left").filter(
        pl.col("clinician_id").is_not_null()
    )
    days = placed.select("episode_id", "started_on").unique()["started_on"].drop_nulls().sort()
    middle = days[days.len() // 2] if days.len() else as_of
    is_earlier = (pl.col("started_on") < middle).fill_null(value=True)
    # Scope by scope, so that a million checks stand once and not once a scope.
    in_order = sorted(scopes_of(placed), key=lambda each: each[:2])
    joined = pl.concat(
        [
            _shares(rows.filter(~is_earlier), rows.filter(is_earlier)).select(
                pl.lit(scope).alias("scope"), pl.lit(name).alias("scope_name"), pl.all()
            )
            for scope, name, rows in in_order
        ]
    )
    is_few, was_few = pl.col("episodes") < minimum_clients, pl.col("_earlier").fill_null(0) < minimum_clients
    withheld = {"observed": is_few, "predicted": was_few}
    joined = joined.with_columns(
        pl.when(~few).then(pl.col(f"{name}{end}").round(_DIGITS)).alias(f"{name}{end}")
        for name, few in withheld.items()
        for end in ("", "_low", "_high")
    )
    worth = [
        (scope, name, *_worth(later, minimum_clients=minimum_clients))
        for scope, name, later in ((scope, name, rows.filter(~is_earlier)) for scope, name, rows in in_order)
    ]
    return joined.join(pl.DataFrame(worth, schema=_WORTH, orient="row"), on=_SCOPE, maintain_order="left")


def _shares(later: pl.DataFrame, earlier: pl.DataFrame) -> pl.DataFrame:
    """What was observed at each index of those that began later, beside what the earlier ones predict."""
    observed, predicted = (science.calibration(rows, by=(), confidence=_CONFIDENCE) for rows in (later, earlier))
    return (
        observed.rename({"share": "observed", "lower": "observed_low", "upper": "observed_high"})
        .join(
            predicted.select(
                "band", predicted="share", predicted_low="lower", predicted_high="upper", _earlier="episodes"
            ),
            on="band",
            how="left",
            maintain_order="left",
        )
        .rename({"band": "signals"})
    )


_WORTH: dict[str, Any] = {
    "scope": pl.String,
    "scope_name": pl.String,
    "discrimination": pl.Float64,
    "discrimination_low": pl.Float64,
    "discrimination_high": pl.Float64,
    "certainty": pl.String,
    "sentence": pl.String,
}


def _worth(later: pl.DataFrame, *, minimum_clients: int) -> tuple[Any, ...]:
    """Whether the index tells in one scope."""
    episodes, unplanned = later["episode_id"].n_unique(), int(later["is_unplanned"].sum())
    is_enough = episodes >= minimum_clients and unplanned >= _FEWEST_ENDINGS
    figures: tuple[float | None, ...] = (None, None, None, None)
    if is_enough:
        figures = science.discrimination(later, unit="clinician_id", confidence=_CONFIDENCE)
    chance, low, high, above = figures
    word = verdict(
        None if chance is None else chance - 0.5,
        probability=above,
        n=episodes if is_enough else 0,
        fewest=1,
        smallest_that_matters=0.0,
    ).word
    ends = tuple(None if figure is None else round(figure, _DIGITS) for figure in (chance, low, high))
    return *ends, word, _sentence(ends, word=word)


def _sentence(ends: tuple[float | None, ...], *, word: str) -> str:
    chance, low, high = ends
    if chance is None or low is None or high is None:
        return "Too few treatments ended unplanned after a check to say what the signals are worth here."
    told = (
        "Of two clients, one of whom leaves unplanned within three sessions, that one shows more of the signals "
        f"{100 * chance:.0f} times in 100 ({100 * low:.0f} to {100 * high:.0f}), ties counted half; a coin would give 50"
    )
    if word in {"clear", "likely"} and chance > 0.5:
        sure = "clearly" if word == "clear" else "probably"
        return f"{told}. The signals {sure} tell something here, and are reasons to ask, not a forecast."
    if word in {"clear", "likely"}:
        return f"{told}. The signals point the wrong way here and should not be used to foretell who leaves."
    return f"{told}. Whether the signals tell anything here cannot be said."
