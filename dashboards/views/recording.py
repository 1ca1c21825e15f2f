"""Whether missing alliance forms are a person's matter or a whole site's.

Belongs here: the one comparison that keeps a clinician from being marked for what all of the site have in common. Does not
belong here: the shares themselves (`analysis.clinician_attendance`) or how they are told.
"""

from dashboards.thresholds import FEWEST_CLINICIANS
from dashboards.views.service import Row, Service


def is_the_sites_matter(service: Service, attendance: Row) -> bool:
    """Whether every shown clinician of this one's site records alliance below the standard."""
    standard = service.settings.standards.get("alliance_recorded")
    if standard is None:
        return False
    shares = [
        row["alliance_recorded"]
        for row in (service.row("clinician_attendance", code) for code in service.shown)
        if row
        and row["site"] == attendance.get("site")
        and row["sessions"] >= service.settings.minimum_sessions
        and row["alliance_recorded"] is not None
    ]
    return len(shares) >= FEWEST_CLINICIANS and all(share < standard for share in shares)
