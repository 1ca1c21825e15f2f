"""Rules about what is estimated: no figure without its interval.

Belongs here: what must hold of every estimate whatever the formula. Does not belong here: formulas (`assets.science`)
or what a column's declaration says by itself (`quality.suites`).
"""

from quality.model import Rule, Severity, by_hand

# A table of estimates, the figure its interval is of, and the interval's ends.
ESTIMATED = (
    ("analysis.clinician_alliance", "shrunken_mean", "low", "high"),
    ("analysis.clinician_attendance", "did_not_attend_rate", "low", "high"),
    ("analysis.clinician_attendance", "clinic_cancelled_rate", "clinic_cancelled_low", "clinic_cancelled_high"),
    ("analysis.clinician_progress", "improved_rate", "low", "high"),
    ("analysis.clinician_progress", "expected_difference", "expected_difference_low", "expected_difference_high"),
    ("analysis.alliance_levels", "estimate", "low", "high"),
    ("analysis.alliance_link", "estimate", "low", "high"),
    *(
        (table, figure, f"{figure}_low", f"{figure}_high")
        for table, figures in (
            ("analysis.retention", ("share",)),
            ("analysis.landmark", ("lower_half", "upper_half", "difference", "hazard_ratio")),
            ("analysis.after_rupture", ("hazard", "ratio")),
            ("analysis.holding_back_calibration", ("predicted", "observed", "discrimination")),
            ("analysis.couple_clinicians", ("estimate",)),
            ("analysis.couple_variance", ("share",)),
            ("analysis.missing_forms", ("rate", "difference")),
            ("analysis.rate_bounds", ("known_rate",)),
        )
        for figure in figures
    ),
    ("analysis.rate_bounds", "worst_case", "low", "high"),
    ("analysis.rate_bounds", "best_case", "low", "high"),
    ("analysis.change_methods", "rate", "low", "high"),
    ("analysis.effect_sizes", "estimate", "low", "high"),
    ("analysis.improvement_ratios", "ratio", "low", "high"),
    ("analysis.own_figures", "alpha", "alpha_low", "alpha_high"),
)
# An interval's end and its figure can differ by a rounding error where they are equal.
_HAIR = "0.000001"


def interval_rules(table: str, figure: str, low: str, high: str) -> tuple[Rule, Rule]:
    """That a figure has its interval, and lies within it."""
    return (
        by_hand(
            table,
            f"{figure}.has_interval",
            Severity.ERROR,
            meaning=f"No `{figure}` stands without its interval.",
            why="A figure alone looks sure, and a small caseload never is.",
            sql=f"SELECT {figure} FROM {table} WHERE {figure} IS NOT NULL AND ({low} IS NULL OR {high} IS NULL)",
        ),
        by_hand(
            table,
            f"{figure}.within_interval",
            Severity.WARN,
            meaning=f"Each `{figure}` lies within its interval.",
            why="An interval that leaves its own figure out was made of something else.",
            sql=f"SELECT {figure} FROM {table} WHERE {figure} < {low} - {_HAIR} OR {figure} > {high} + {_HAIR}",
        ),
    )


ESTIMATES: tuple[Rule, ...] = tuple(rule for figure in ESTIMATED for rule in interval_rules(*figure))
