"""Every comparison of a clinician that a conversation could start from, with false discoveries held over all of them.

Belongs here: bringing the comparisons into one shape, and the one correction over clinicians and signals together. Does
not belong here: the comparisons, or which of them a page shows.

Who looks at 40 clinicians by six signals finds a dozen beyond 95% where nobody differs. Benjamini and Hochberg's (1995)
procedure over all tail probabilities keeps the share of false flags among flags at 5%; it holds for signals that go
together positively, as a clinician's do (Benjamini & Yekutieli, 2001, Ann. Stat. 29).
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from scipy import stats

from assets.contracts.analysis import ALLIANCE_LINK, CLINICIAN_ALLIANCE, CLINICIAN_ATTENDANCE
from assets.contracts.comparison import CLINICIAN_ADJUSTED_PROGRESS, CLINICIAN_ALLIANCE_PARTS, CLINICIAN_SIGNALS
from assets.contracts.metrics import NO_INSTRUMENT
from assets.estimates.funnels import funnel_of_shares
from assets.estimates.shapes import shaped
from assets.science.casemix import FALSE_DISCOVERIES
from assets.science.verdicts import certainty_expr, corrected_p_values

_KEYS = ("clinician_id", "site", "signal", "instrument", "clients")
_INTERVAL = ("estimate", "low", "high")
_DIFFERENCE = ("difference", "difference_low", "difference_high")
_PARTS = {"early": "early_alliance", "growth": "alliance_growth"}


def clinician_signals(compared: Mapping[str, pl.DataFrame], *, minimum_clients: int) -> pl.DataFrame:
    """`analysis.clinician_signals`.

    Args:
        compared: the tables that compare, by name: `clinician_adjusted_progress`, `clinician_alliance`,
            `clinician_alliance_parts`, `alliance_link` and `clinician_attendance`.
        minimum_clients: below it a comparison is too few, has no figures and does not count in the correction.
    """
    found = pl.concat([shape(compared[name]) for name, shape in _SHAPES.items()])
    few = pl.col("clients") < minimum_clients
    above = pl.col("probability_above")
    told = found.with_columns(
        *(pl.when(~few & above.is_not_null()).then(pl.col(name)).alias(name) for name in _INTERVAL),
        p_value=pl.when(~few).then((2.0 * pl.min_horizontal(above, 1.0 - above)).clip(0.0, 1.0).round(6)),
        certainty=certainty_expr(above, n=pl.col("clients"), fewest=minimum_clients),
    ).sort(CLINICIAN_SIGNALS.key)
    p = told["p_value"].to_numpy().astype(np.float64)
    q = np.full(len(p), np.nan)
    is_counted = np.isfinite(p)
    q[is_counted] = corrected_p_values(p[is_counted], correction="benjamini_hochberg")
    return shaped(
        told.with_columns(
            direction=pl.when(pl.col("p_value").is_not_null()).then(
                pl.when(above > 0.5).then(pl.lit("better")).otherwise(pl.lit("worse"))
            ),
            q_value=pl.Series(q.round(6)).fill_nan(None),
            is_flagged=pl.Series(np.nan_to_num(q, nan=1.0) <= FALSE_DISCOVERIES),
        ),
        CLINICIAN_SIGNALS,
    )


def _of(rows: pl.DataFrame, *, figures: tuple[str, str, str], probability: str) -> pl.DataFrame:
    """A comparison in the one shape."""
    return rows.select(
        *_KEYS,
        *(pl.col(old).cast(pl.Float64).alias(new) for new, old in zip(_INTERVAL, figures, strict=True)),
        pl.col(probability).cast(pl.Float64).alias("probability_above"),
    )


def _progress(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.drop("clients").rename({"evaluable": "clients"}).with_columns(signal=pl.lit("adjusted_progress"))
    return _of(named, figures=_INTERVAL, probability="probability_better")


def _alliance(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.with_columns(signal=pl.lit("alliance_level"))
    return _of(named, figures=_DIFFERENCE, probability="probability_above")


def _parts(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.filter(pl.col("part").is_in(list(_PARTS))).with_columns(signal=pl.col("part").replace_strict(_PARTS))
    return _of(named, figures=_DIFFERENCE, probability="probability_above")


def _links(rows: pl.DataFrame) -> pl.DataFrame:
    pair = pl.concat_str("alliance_instrument", pl.lit(" with "), "outcome_instrument")
    usual = pl.col("service_estimate")
    named = rows.with_columns(
        *((pl.col(name) - usual).round(6).alias(name) for name in _INTERVAL),
        signal=pl.lit("alliance_link"),
        instrument=pair,
    )
    return _of(named, figures=_INTERVAL, probability="probability_above_service")


def _missed(rows: pl.DataFrame) -> pl.DataFrame:
    """Missed appointments against the site's funnel, widened for how much clinicians ordinarily differ."""
    groups = rows.partition_by("site", as_dict=True)
    found = [_missed_at_site(groups[site]) for site in sorted(groups, key=str)] or [_missed_at_site(rows)]
    return _of(pl.concat(found), figures=_INTERVAL, probability="probability_above")


def _missed_at_site(rows: pl.DataFrame) -> pl.DataFrame:
    judged = funnel_of_shares(rows, events="did_not_attend", totals="appointments")
    spread = judged.dispersion.tau2 if judged.is_adjusted else 0.0
    z, error = judged.points["z"].cast(pl.Float64).to_numpy(), 0.5 / np.sqrt(rows["appointments"].to_numpy())
    fewer = stats.norm.cdf(-z * error / np.sqrt(error**2 + spread))
    usual = judged.target
    return judged.points.with_columns(
        signal=pl.lit("missed"),
        instrument=pl.lit(NO_INSTRUMENT),
        clients=pl.col("cases"),
        estimate=usual - pl.col("did_not_attend_rate"),
        low=usual - pl.col("high"),
        high=usual - pl.col("low"),
        probability_above=pl.Series(fewer).fill_nan(None),
    )


_SHAPES = {
    CLINICIAN_ADJUSTED_PROGRESS.name: _progress,
    CLINICIAN_ALLIANCE.name: _alliance,
    CLINICIAN_ALLIANCE_PARTS.name: _parts,
    ALLIANCE_LINK.name: _links,
    CLINICIAN_ATTENDANCE.name: _missed,
}
