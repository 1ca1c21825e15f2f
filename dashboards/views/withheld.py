"""What pages do not say tonight: groups withheld, by reason and kind, and figures held at an earlier night's.

Belongs here: how much is withheld, and why. Does not belong here: the decision (`quality.withheld`,
`quality.published_slices`). Sites and programmes are named; clinicians are only counted.
"""

import polars as pl

from dashboards import flow_words, words
from dashboards.views.areas import Area
from dashboards.views.model import Cell, Noted, Panel, Table
from dashboards.views.service import Service


def withheld_panel(service: Service) -> Panel:
    """Withheld groups by reason and kind of group, with the reason in words."""
    decided = service.tables["quality.published_slices"]
    found = (
        service.tables["quality.withheld"]
        .join(decided.select("slice_id", "population", "scope", "scope_name"), on="slice_id")
        .group_by("reason", "scope", "population")
        .agg(groups=pl.len(), names=pl.col("scope_name").unique().sort())
        .sort("scope", "population", "reason")
    )
    rows: list[tuple[Cell, ...]] = [
        (
            Noted(words=flow_words.SCOPES[scope], note=f"clients {flow_words.POPULATIONS[population]}"),
            f"{groups:,}",
            _who(scope, names),
            flow_words.WHY_WITHHELD[reason],
        )
        for reason, scope, population, groups, names in found.iter_rows()
    ]
    return Panel(
        key="withheld",
        title=flow_words.withheld_title(int(found["groups"].sum()), groups=decided.height),
        caption="A group is the service, a site, a programme or a clinician, of one measure and period. Nothing about a withheld group stands on any page. Clinicians are "
        "counted here and not named. Counted, not estimated.",
        method="withheld",
        shown=True,
        wide=True,
        table=Table(columns=("Kind of group", "Groups", "Whose", "Why"), rows=tuple(rows), numeric=frozenset({1})),
        empty=None if rows else "Every group is large enough to speak of.",
    )


def held_notice(service: Service, area: Area) -> str | None:
    """The date that a page's figures are of, where they are an earlier night's; None where they are tonight's."""
    held = area.rows(service.tables["quality.published_slices"]).filter("has_held_figures")
    days = [words.day(day) for day in held["figures_since"].drop_nulls().unique().sort()]
    return flow_words.held_notice(words.listed(days)) if days else None


def _who(scope: str, names: list[str]) -> str:
    if scope == "clinician":
        return words.counted(len(names), "clinician")
    return "All of it" if scope == "service" else words.listed(names)
