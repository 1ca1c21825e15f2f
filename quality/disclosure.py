"""Rules about what pages may be given: no small group among the published ones, and nothing said of a withheld one.

Belongs here: what must hold of the decision before anything is drawn. Does not belong here: the decision
(`assets.estimates.slices`) or its rules (`assets.science.disclosure`).
"""

from quality.model import Rule, Severity, by_hand

_WHY = "Whoever knows who is in a small group reads their figures off it."


def disclosure(*, minimum_clients: int, minimum_difference: int) -> tuple[Rule, ...]:
    """The rules, for the service's own smallest group and smallest difference."""
    return (
        by_hand(
            "quality.published_slices",
            "none_small",
            Severity.ERROR,
            meaning="No group that pages may publish figures of has fewer clients than the service's smallest group.",
            why=_WHY,
            sql=f"SELECT slice_id FROM quality.published_slices WHERE status <> 'withheld' AND cases < {minimum_clients}",
        ),
        by_hand(
            "quality.published_slices",
            "sizes_rounded",
            Severity.ERROR,
            meaning="Every size that pages may say is a multiple of the smallest difference, and no withheld group has one.",
            why="Exact sizes of two groups, or of two nights, can be subtracted.",
            sql=f"""
                SELECT slice_id FROM quality.published_slices
                WHERE (status = 'withheld') <> (shown_cases IS NULL) OR shown_cases % {minimum_difference} <> 0
            """,
        ),
        by_hand(
            "quality.published_slices",
            "withheld_named",
            Severity.ERROR,
            meaning="The groups withheld are exactly those named with their reason.",
            why="What is withheld without a word looks like a fault, and what is named but shown is one.",
            sql="""
                SELECT slice_id FROM quality.published_slices AS decided
                WHERE (status = 'withheld') <> EXISTS (
                  SELECT 1 FROM quality.withheld AS named WHERE named.slice_id = decided.slice_id
                )
            """,
        ),
    )
