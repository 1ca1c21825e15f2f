"""Every estimated figure with its interval: one list for whoever checks, compares or explains them.

Belongs here: which column is a figure and which two are its ends. Does not belong here: what a figure means (its table's
declaration) or what must hold of it (the quality room).
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One estimated column.

    Attributes:
        table: as `schema.table`.
        name: the column of the figure.
        low: the column of the lower end of its 95% interval.
        high: the column of the upper end.
    """

    table: str
    name: str
    low: str
    high: str


def _of(table: str, *names: str) -> tuple[Figure, ...]:
    """Figures whose interval is in `<name>_low` and `<name>_high`."""
    return tuple(Figure(table=f"analysis.{table}", name=name, low=f"{name}_low", high=f"{name}_high") for name in names)


def _between(table: str, name: str, low: str = "low", high: str = "high") -> Figure:
    return Figure(table=f"analysis.{table}", name=name, low=low, high=high)


ESTIMATED: Final = (
    _between("clinician_alliance", "shrunken_mean"),
    *_of("clinician_alliance", "difference"),
    _between("clinician_attendance", "did_not_attend_rate"),
    _between("clinician_attendance", "clinic_cancelled_rate", "clinic_cancelled_low", "clinic_cancelled_high"),
    _between("clinician_progress", "improved_rate"),
    _between("alliance_levels", "estimate"),
    _between("alliance_link", "estimate"),
    *_of("retention", "share"),
    *_of("landmark", "lower_half", "upper_half", "difference", "hazard_ratio"),
    *_of("after_rupture", "hazard", "ratio"),
    *_of("holding_back_calibration", "predicted", "observed", "discrimination"),
    *_of("couple_clinicians", "estimate"),
    *_of("couple_variance", "share"),
    *_of("missing_forms", "rate", "difference"),
    *_of("rate_bounds", "known_rate"),
    _between("rate_bounds", "worst_case"),
    _between("rate_bounds", "best_case"),
    _between("change_methods", "rate"),
    _between("effect_sizes", "estimate"),
    _between("improvement_ratios", "ratio"),
    *_of("own_figures", "alpha"),
    _between("clinician_adjusted_progress", "estimate"),
    _between("variance_shares", "share"),
    _between("clinician_alliance_growth", "estimate"),
    _between("clinician_alliance_growth", "site_mean", "site_low", "site_high"),
    _between("clinician_alliance_parts", "estimate"),
    *_of("clinician_alliance_parts", "difference"),
    _between("clinician_weakest_part", "gap"),
    _between("clinician_signals", "estimate"),
    _between("alliance_information", "variance_share", "variance_low", "variance_high"),
    *_of("alliance_information", "reliability"),
    _between("alliance_information", "share_at_ceiling", "ceiling_low", "ceiling_high"),
    _between(
        "alliance_information", "share_without_information", "without_information_low", "without_information_high"
    ),
)
"""Estimates; published rates have rules of their own."""

RATE: Final = _between("rates", "rate")
FIGURES: Final = (RATE, *ESTIMATED)
