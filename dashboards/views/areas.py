"""The service, its sites and its programmes: which of them have pages, and who and what each is made of.

Belongs here: what each is made of. Does not belong here: what is withheld, which the night decides
(`quality.published_slices`), or what a page says (`overview`).
"""

from dataclasses import dataclass

import polars as pl

from assets.contracts.analysis import ANSWER
from dashboards.addresses import area_page
from dashboards.views.service import Pair, Service


@dataclass(frozen=True, kw_only=True)
class Area:
    """What a page of the overview's form speaks of.

    Attributes:
        scope: `service`, `site` or `programme`, as in the analysis tables.
        name: `all` for the service.
        codes: Shown clinicians; empty for a programme, since their figures are of whole caseloads.
        pairs: Pairs of measures in use, the main one first.
    """

    scope: str
    name: str
    codes: tuple[str, ...]
    pairs: tuple[Pair, ...]

    @property
    def page(self) -> str:
        """Its page, from the site's top."""
        return area_page(self.scope, self.name)

    def rows(self, table: pl.DataFrame) -> pl.DataFrame:
        """Its rows of an analysis table that has `scope` and `scope_name`."""
        return table.filter((pl.col("scope") == self.scope) & (pl.col("scope_name") == self.name))


def areas(service: Service) -> tuple[Area, ...]:
    """The service first, then shown sites and shown programmes by name; of a small service nothing but itself."""
    whole = Area(scope="service", name="all", codes=service.shown, pairs=service.pairs)
    if service.is_withheld:
        return (whole,)
    found = [whole]
    for scope, name in _shown(service):
        codes = tuple(code for code in service.shown if scope == "site" and _site(service, code) == name)
        found.append(Area(scope=scope, name=name, codes=codes, pairs=_pairs(service, scope, name)))
    return tuple(found)


def _site(service: Service, code: str) -> str | None:
    return (service.row("clinicians", code) or {}).get("site")


def _pairs(service: Service, scope: str, name: str) -> tuple[Pair, ...]:
    """Configured pairs that the night estimated the link of here, in the order of the configuration."""
    rows = service.tables["analysis.alliance_levels"].filter(
        (pl.col("scope") == scope) & (pl.col("scope_name") == name) & (pl.col("level") == "within_client")
    )
    held = {
        (row["alliance_instrument"], row["outcome_instrument"]): row["pairs"]
        for row in rows.filter(pl.col("method") == ANSWER).iter_rows(named=True)
    }
    return tuple(each for each in service.settings.measures if held.get(each))


def _shown(service: Service) -> list[tuple[str, str]]:
    """Sites, then programmes, by name, whose caseload of the period the night has decided may be told."""
    decided = service.tables["quality.published_slices"].filter(
        (pl.col("population") == "booked")
        & (pl.col("months") == service.settings.period_months)
        & (pl.col("status") != "withheld")
    )
    return [
        (scope, str(name))
        for scope in ("site", "programme")
        for name in decided.filter(pl.col("scope") == scope)["scope_name"].sort()
    ]
