"""How many a group is said to be: to the nearest five, and the same tonight as last night while few have come or gone.

Belongs here: looking up what the night decided may be told. Does not belong here: the decision
(`assets.estimates.slices`), or clinicians' own pages, whose readers see their clients one by one.
"""

from assets.science.disclosure import rounded_count
from dashboards.thresholds import COUNTS_TO_NEAREST
from dashboards.views.service import Service


def told(
    service: Service, count: int, *, population: str, scope: str, name: str, months: int, instrument: str = "all"
) -> int:
    """The size that a page may say of a group.

    Args:
        service: The night.
        count: Cases in it, as the page counted them.
        population: Whose cases, as `quality.published_slices` names it; so are the rest.
        scope: Whose group.
        name: The site, programme or clinician; `all` for the service.
        months: How many months it looks back; 0 for all time.
        instrument: The measure it is about.

    Returns:
        What the night decided, or, for a group that it has no decision on, the count to the nearest five: exact sizes
        of two groups or two nights could be subtracted.
    """
    decided = service.tables["quality.published_slices"]
    slice_id = "/".join((population, scope, name, instrument, str(months)))
    shown = dict(decided.select("slice_id", "shown_cases").iter_rows()).get(slice_id)
    return rounded_count(count, round_to=COUNTS_TO_NEAREST) if shown is None else int(shown)
