"""What the pages are told beside the tables: whose they are, how small is too small, and what the service aims for.

Belongs here: settings of the pages. Does not belong here: where they come from (`pipelines`) or what they look like.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, kw_only=True)
class PageSettings:
    """Everything a site needs to know that its tables do not say.

    Attributes:
        clinic: The service's name.
        data_date: The last day that the data speak of.
        time_zone: The zone in which the run's time is told, by its IANA name.
        minimum_clients: Groups of fewer clients are withheld from pages.
        minimum_sessions: Cells of fewer sessions are withheld from pages.
        period_months: Months that the pages look back.
        standards: What the service aims for, as shares: `alliance_recorded`, `outcome_recorded` and `improved_rate`
            (at least), `did_not_attend_rate` (at most). Any may be absent.
        measures: Pairs of an alliance instrument and an outcome instrument.
        run_id: The night's own name.
        run_at: When the night ran.
        is_synthetic: Whether nobody in the data exists.
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
