"""Attendance of each clinician's clients over the period that pages show, the clinic's own cancellations apart.

Belongs here: counts of the period and their rates. Does not belong here: intervals (`assets.science.funnel`) or control
charts, which pages draw from `marts.clinician_months`.
"""

import polars as pl

from assets.science.funnel import wilson_interval

_COUNTS = ("appointments", "attended", "did_not_attend", "cancelled_by_client", "cancelled_by_clinic")
_CONFIDENCE = 0.95


def clinician_attendance(months: pl.DataFrame, cases: pl.DataFrame, clinicians: pl.DataFrame) -> pl.DataFrame:
    """`analysis.clinician_attendance`.

    Args:
        months: rows of `marts.clinician_months` within the period.
        cases: `clinician_id` and `cases`, different cases with an appointment in the period.
        clinicians: `marts.clinicians`.
    """
    counted = (
        months.group_by("clinician_id")
        .agg(
            pl.col(*_COUNTS).sum(),
            pl.col("sessions_with_alliance").sum(),
            pl.col("sessions_with_outcome").sum(),
            sessions=pl.col("attended").sum(),
        )
        .join(cases, on="clinician_id")
        .join(clinicians.select("clinician_id", "site"), on="clinician_id")
        .sort("clinician_id")
    )
    missed_low, missed_high = wilson_interval(
        counted["did_not_attend"], counted["appointments"], confidence=_CONFIDENCE
    )
    called_low, called_high = wilson_interval(
        counted["cancelled_by_clinic"], counted["appointments"], confidence=_CONFIDENCE
    )
    return counted.with_columns(
        did_not_attend_rate=pl.col("did_not_attend") / pl.col("appointments"),
        low=pl.Series(missed_low).fill_nan(None),
        high=pl.Series(missed_high).fill_nan(None),
        clinic_cancelled_rate=pl.col("cancelled_by_clinic") / pl.col("appointments"),
        clinic_cancelled_low=pl.Series(called_low).fill_nan(None),
        clinic_cancelled_high=pl.Series(called_high).fill_nan(None),
        alliance_recorded=_share("sessions_with_alliance"),
        outcome_recorded=_share("sessions_with_outcome"),
    )


def _share(numerator: str) -> pl.Expr:
    return pl.when(pl.col("sessions") > 0).then(pl.col(numerator) / pl.col("sessions"))
