"""The site as the night's resource: what the dashboards room needs to know, taken from the service's settings.

Belongs here: joining two rooms that do not know each other. Does not belong here: any page. Dagster reads annotations at
run time, so this module never postpones them.
"""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import polars as pl

from assets.published import Pages
from assets.service import Service
from dashboards.page_settings import PageSettings
from dashboards.site import build_site


class SitePages(Pages):
    """Draws the static site."""

    def build(
        self,
        read: Callable[[str], pl.DataFrame],
        *,
        folder: Path,
        service: Service,
        data_date: str,
        run_id: str,
        run_at: datetime,
    ) -> list[str]:
        """Write every page; returns the findings in words."""
        settings = PageSettings(
            clinic=service.clinic.name,
            data_date=date.fromisoformat(data_date),
            time_zone=service.clinic.time_zone,
            minimum_clients=service.suppression.minimum_clients,
            minimum_sessions=service.suppression.minimum_sessions,
            period_months=service.period_months,
            standards={name: value for name, value in service.standards.model_dump().items() if value is not None},
            measures=tuple((pair.alliance, pair.outcome) for pair in service.measures),
            run_id=run_id[:8],
            run_at=run_at.astimezone(service.clinic.zone),
            is_synthetic=service.clinic.is_synthetic,
        )
        return list(build_site(read, folder=folder, settings=settings).findings)
