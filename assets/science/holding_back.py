"""Signs that a client may be holding back, on one timeline, and what they are worth.

Here: the four signals session by session, the index that counts them, and how well the index has told of unplanned
endings. Not here: falls marked enough to be called ruptures (`assets.science.rupture`).

The signals are those that people who write about trust in therapy name: the alliance falls, appointments are missed or
called off, sessions lie further apart, the form is left out. Each has other explanations, so they are reasons to ask,
never a diagnosis. Everything said of a session uses that session and earlier ones only, and what was missed before it;
appointments missed after the last session are part of leaving, and never part of the index.

The index is a count without weights: with a few hundred endings weights would be fitted to noise, and anyone can check
a count (Dawes 1979, Am Psychol 34:571-582, on unit weights).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from assets.science.clustered import clustered_rates, jackknife_error, jackknife_interval

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FALL_SDS: Final = 1.0
"""Pooled within-client standard deviations below the client's own past: the lower of the published thresholds for a
rupture (Strauss et al. 2006), which misses few true falls and flags many that are none."""

LONGER_GAP: Final = 1.5
"""How many times the client's usual gap is longer: assumed."""

FEWEST_PAST: Final = 2
"""Earlier ratings, or gaps, needed before there is a usual to differ from: assumed."""

SESSIONS_BACK: Final = 3
"""How many sessions the index looks over, the present one included: assumed."""

EVERY: Final = 3
"""Checks are this many sessions apart and look as many ahead, so that no ending is counted twice."""

HIGHEST_BAND: Final = 3
"""An index this high or higher is told as one band."""


def timeline(sessions: pl.DataFrame) -> pl.DataFrame:
    """The four signals and the index, for every session of every client.

    Args:
        sessions: One row a client and session, sessions numbered 1, 2, ... without holes within an episode:
            `client_id`, `episode_id`, `session_number`, `gap_days` (null for the first), `missed_before` (appointments
            missed or called off by the client since the session before), `clinic_cancelled_before`, `is_rated` (whether
            the client rated the alliance), and `fall_in_sds` (null without a rating or without enough past).

    Returns:
        The rows given, sorted, with `has_fallen`, `is_gap_longer`, `is_form_skipped` (each null where it could not be
        judged), `usual_gap_days` (mean of the earlier gaps) and `signals`, 0 to 4: how many of the four kinds showed at
        this session or the two before.
    """
    ordered = sessions.sort("client_id", "episode_id", "session_number").with_columns(
        _who=(pl.col("session_number") == 1).cum_sum()
    )
    gap, rated = pl.col("gap_days").cast(pl.Float64), pl.col("is_rated").cast(pl.Int64)
    has_gap = gap.is_not_null().cast(pl.Int64)
    past = ordered.with_columns(
        _ratings=(rated.cum_sum() - rated).over("_who"),
        _gaps=(has_gap.cum_sum() - has_gap).over("_who"),
        _gap_sum=(gap.fill_null(0.0).cum_sum() - gap.fill_null(0.0)).over("_who"),
    ).with_columns(usual_gap_days=pl.when(pl.col("_gaps") >= FEWEST_PAST).then(pl.col("_gap_sum") / pl.col("_gaps")))
    is_explained = (pl.col("missed_before") > 0) | (pl.col("clinic_cancelled_before") > 0)
    signals = past.with_columns(
        has_fallen=pl.col("fall_in_sds") >= FALL_SDS - _ROUNDING,
        # A gap over a missed or cancelled appointment says nothing that the appointment has not said.
        is_gap_longer=pl.when(~is_explained).then(gap >= LONGER_GAP * pl.col("usual_gap_days") - _ROUNDING),
        is_form_skipped=pl.when(pl.col("_ratings") > 0).then(~pl.col("is_rated")),
        _missed=pl.col("missed_before") > 0,
    )
    kinds = ("has_fallen", "_missed", "is_gap_longer", "is_form_skipped")
    return signals.with_columns(signals=pl.sum_horizontal(_lately(pl.col(kind)).cast(pl.Int64) for kind in kinds)).drop(
        "_who", "_ratings", "_gaps", "_gap_sum", "_missed"
    )


def _lately(signal: pl.Expr) -> pl.Expr:
    """Whether a signal showed at this session or the few before it, in rows sorted by client and session."""
    known = signal.fill_null(value=False)
    earlier = [
        known.shift(back, fill_value=False) & (pl.col("session_number") > back) for back in range(1, SESSIONS_BACK)
    ]
    return pl.any_horizontal(known, *earlier)


def checks(told: pl.DataFrame, endings: pl.DataFrame, *, until: date) -> pl.DataFrame:
    """Set the index at every third session beside what happened over that session and the two that would follow.

    Args:
        told: What `timeline` returned, with `starts_on`. Of several clients of one episode the highest index counts.
        endings: One row an episode: `episode_id`, `sessions` (attended), `is_open`, `end_reason` (`planned`, `unplanned`
            or null where nobody said).
        until: Later sessions are not checked: of those, only treatments that ended would be known.

    Returns:
        One row an episode and check: `episode_id`, `session_number` (3, 6, ...), `band` (the index, `HIGHEST_BAND` for
        that and more) and `is_unplanned` (whether treatment ended unplanned with that session or one of the next two).
        Left out is what nobody can know: open episodes whose next sessions have not come, and endings without a reason.
    """
    at = (
        told.filter((pl.col("session_number") % EVERY == 0) & (pl.col("starts_on") <= until))
        .group_by("episode_id", "session_number")
        .agg(band=pl.col("signals").max().clip(0, HIGHEST_BAND))
    )
    ends_within = pl.col("sessions") < pl.col("session_number") + EVERY
    is_known = ~ends_within | (~pl.col("is_open") & pl.col("end_reason").is_not_null())
    return (
        at.join(endings.select("episode_id", "sessions", "is_open", "end_reason"), on="episode_id")
        .filter(is_known)
        .select(
            "episode_id",
            "session_number",
            "band",
            is_unplanned=(ends_within & (pl.col("end_reason") == "unplanned")).fill_null(value=False),
        )
        .sort("episode_id", "session_number")
    )


def calibration(rows: pl.DataFrame, *, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """Shares of checks followed by an unplanned ending, by band.

    Args:
        rows: What `checks` returned, with the columns of `by`.
        by: Columns that name a group.
        confidence: Two-sided coverage; checks of one episode are allowed to be alike.

    Returns:
        One row a group and band that occurs: `by`, `band`, `episodes`, `checks`, `unplanned`, `share`, `lower`, `upper`.
    """
    of_units = rows.group_by([*by, "band", "episode_id"]).agg(total=pl.len(), events=pl.col("is_unplanned").sum())
    return clustered_rates(of_units, by=[*by, "band"], confidence=confidence).rename(
        {"units": "episodes", "total": "checks", "events": "unplanned", "rate": "share"}
    )


def discrimination(
    rows: pl.DataFrame, *, unit: str, confidence: float
) -> tuple[float | None, float | None, float | None, float | None]:
    """The chance that of two checks, one followed by an unplanned ending, that one had the higher index.

    Args:
        rows: What `checks` returned, with the column of units taken as independent.
        unit: That column, such as `clinician_id`; each unit is left out in turn for the interval, which is never
            narrower than that of independent checks.
        confidence: Two-sided coverage.

    Returns:
        The chance, 0 to 1, ties counted half (0.5: no better than a coin), its two ends, and the probability that the
        truth lies above 0.5; all `None` where nobody left, everybody did, or units are too few to tell how sure.

    Source: Hanley & McNeil 1982, Radiology 143:29-36 (the area under the curve as this chance); Efron & Stein 1981,
    Ann Stat 9:586-596 (jackknife).
    """
    counts = rows.group_by(unit, "band", "is_unplanned").agg(n=pl.len())
    k = np.unique(counts[unit].to_numpy(), return_inverse=True)[1]
    left, band = (counts[name].to_numpy().astype(np.int64) for name in ("is_unplanned", "band"))
    table = np.zeros((k.max(initial=-1) + 1, HIGHEST_BAND + 1, 2))
    table[k.astype(np.int64), band, left] = counts["n"].to_numpy()
    total = table.sum(axis=0)
    whole = float(_chance(total[None])[0])
    # Checks of the same index and outcome are alike, so leaving each out in turn takes one look a kind.
    single = total - np.eye(total.size).reshape(-1, *total.shape)
    floor = jackknife_error(_chance(single), times=total.ravel())
    low, high, above = jackknife_interval(
        whole - 0.5, _chance(total - table) - 0.5, confidence=confidence, least_error=floor
    )
    if low is None or high is None:
        return None, None, None, None
    return whole, max(0.0, low + 0.5), min(1.0, high + 0.5), above


def _chance(table: Floats) -> Floats:
    """(K,) from counts (K, bands, 2)."""
    stayed, left = table[..., 0], table[..., 1]
    below = np.cumsum(stayed, axis=-1) - stayed
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((left * (below + stayed / 2)).sum(axis=-1) / (stayed.sum(axis=-1) * left.sum(axis=-1)))


_ROUNDING: Final = 1e-9
