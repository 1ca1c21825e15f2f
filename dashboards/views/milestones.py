"""Milestones to celebrate and setbacks of one clinician's clients, counted.

Belongs here: from `analysis.milestones` to a panel. Does not belong here: what a milestone is (`assets.science.milestones`).
"""

from typing import Final

from assets.science.funnel import wilson_interval
from dashboards import rate_words, words
from dashboards.views import recalled
from dashboards.views.clients import Caseload
from dashboards.views.model import Cell, Panel, Table, Tag
from dashboards.views.service import Service

_ORDER: Final = ("first_reliable_improvement", "crossed_cut_off", "sudden_gain", "repaired_rupture", "sudden_loss")
_SETBACKS: Final = ("sudden_loss",)
_HOLDING: Final = ("first_reliable_improvement", "crossed_cut_off", "sudden_gain", "sudden_loss")


def milestones_panel(service: Service, clients: Caseload) -> Panel | None:
    """Cases that reached each milestone in the period, of all who were seen in it; None where nobody was.

    The group is everyone seen in the period; where it is small nothing is said.
    """
    total = clients.seen
    if total == 0:
        return None
    columns = ("Milestone", "Cases", "Share", "95% range", "Still held")
    few = Panel(
        key="milestones",
        title="Too few cases in the period to count milestones",
        caption="Cases that reached a milestone in the period.",
        method="milestones",
        table=Table(columns=columns, rows=()),
        empty=f"Fewer than {service.settings.minimum_clients} cases were seen in the period.",
    )
    if total < service.settings.minimum_clients:
        return few
    reached: dict[str, set[str]] = {name: set() for name in _ORDER}
    held: dict[str, set[str]] = {name: set() for name in _ORDER}
    instruments = set()
    for row in clients.milestones:
        reached[row["milestone"]].add(row["case_id"])
        instruments.add(row["instrument"])
        if row["is_held"]:
            held[row["milestone"]].add(row["case_id"])
    good = len(set().union(*(reached[name] for name in _ORDER if name not in _SETBACKS)))
    # All at once: an interval costs little beside asking for it.
    counts = [*(len(reached[name]) for name in _ORDER), good]
    lows, highs = wilson_interval(counts, [total] * len(counts), confidence=0.95)
    rows: list[tuple[Cell, ...]] = []
    for name, count, low, high in zip(_ORDER, counts[:-1], lows, highs, strict=False):
        rows.append(
            (
                Tag(words=rate_words.MILESTONES[name], tone="worse" if name in _SETBACKS else "better")
                if count
                else rate_words.MILESTONES[name],
                f"{count} of {total}",
                words.percent(count / total),
                words.percent_between(float(low), float(high)),
                f"{len(held[name])} of {count}" if name in _HOLDING and count else "",
            )
        )
    uses = [(each, fact) for each in sorted(instruments) for fact in (recalled.RELIABLE_CHANGE, recalled.CUT_OFF)]
    return Panel(
        key="milestones",
        title=rate_words.milestones_title(reached=good, total=total, low=float(lows[-1]), high=float(highs[-1])),
        caption=f"Of everyone seen in the {service.settings.period_months} months, each case counted once a milestone, by the day of the session that shows "
        f"it. Still held: no later score fell back.{recalled.note(service, uses)}",
        method="milestones",
        table=Table(columns=columns, rows=tuple(rows), numeric=frozenset({1, 2, 3, 4})),
        shown=True,
    )
