"""What the pages need to know that no table says: the clinic, the limits of publication, the standards.

Belongs here: the frozen settings of one site build. Does not belong here: where they are configured (the command line's room).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """One build of the site.

    Attributes:
        clinic: the service's name as it stands at the top of every page.
        data_date: the last day that the data speak of.
        time_zone: the zone in which appointment days are counted.
        minimum_clients: groups of fewer clients are withheld wholly.
        minimum_sessions: months and cells of fewer sessions are withheld.
        period_months: months that rates look back.
        standards: what the service wants to reach, by name: `alliance_recorded`, `outcome_recorded`, `improved_rate`
            (at least), `did_not_attend_rate` (at most).
        measures: pairs of an alliance and an outcome measure, the service's main one first.
        run_id: names the run in every page and download.
        run_at: when it ran, in the clinic's zone.
        is_synthetic: whether the pages must say that the data are a demonstration.
    """

    clinic: str
    data_date: date
    time_zone: str
    minimum_clients: int
    minimum_sessions: int
    period_months: int
    standards: Mapping[str, float]
    measures: tuple[tuple[str, str], ...]
    run_id: str
    run_at: datetime
    is_synthetic: bool
