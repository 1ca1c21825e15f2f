"""Rules about what is said of two versions: every movement has a reason, counts add up, a changed definition is told.

Belongs here: what must hold of the comparison. Does not belong here: the comparison itself (`assets.estimates.changes`,
`assets.changed_rows`, `assets.definitions`).
"""

from assets.contracts.changes import TOUCHES
from quality.model import Rule, Severity, by_hand

_SUM = " + ".join(f"rows_{name}" for name in TOUCHES)

NIGHT_TO_NIGHT: tuple[Rule, ...] = (
    by_hand(
        "quality.changes",
        "has_reason",
        Severity.WARN,
        meaning="No published figure moves without a change of data or definition, or a day that has passed.",
        why="A figure that moves by itself depends on something that nobody wrote down.",
        sql="SELECT table_name, figure, row_key FROM quality.changes WHERE reason = 'unexplained'",
    ),
    by_hand(
        "quality.changes",
        "rows_add_up",
        Severity.ERROR,
        meaning="The changed rows behind a figure are the sum of those of each kind.",
        why="A reason that is counted twice or not at all points at the wrong mend.",
        sql=f"SELECT table_name, figure, row_key FROM quality.changes WHERE rows_changed <> {_SUM}",
    ),
    by_hand(
        "quality.changes",
        "difference_of_its_figures",
        Severity.ERROR,
        meaning="Each difference is the figure tonight less the one before, and there is none of what came or went.",
        why="A movement that its own two figures do not give is another's.",
        sql="""
            SELECT table_name, figure, row_key FROM quality.changes
            WHERE (movement = 'moved') <> (difference IS NOT NULL)
              OR ABS(difference - (value - value_before)) > 0.000001
        """,
    ),
    by_hand(
        "quality.changes",
        "pages_show_no_clinician",
        Severity.ERROR,
        meaning="No clinician's figure is marked as one that the page of night to night may show.",
        why="Whoever reads that page may not be entitled to a clinician's figures.",
        sql="SELECT table_name, figure, row_key FROM quality.changes WHERE is_on_pages AND scope = 'clinician'",
    ),
    by_hand(
        "quality.definitions",
        "as_before",
        Severity.WARN,
        meaning="Every setting, rate and table is defined as in the version before.",
        why="A figure that means something else than last night must not be read as a change of care.",
        sql="SELECT kind, name FROM quality.definitions WHERE has_changed_itself",
    ),
)
