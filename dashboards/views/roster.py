"""The list of clinicians, by code: the way to each page and nothing to compare people by.

Belongs here: the clinicians' index. Does not belong here: verdicts beside names, which stand on each one's own page and,
for signals alone, on the overview.
"""

from dashboards import words
from dashboards.addresses import clinician_file
from dashboards.views.model import Cell, Clinician, Fact, Page, Panel, Table
from dashboards.views.service import Service


def clinician_list(service: Service, *, facts: tuple[Fact, ...]) -> Page:
    """Every clinician by code, with where they work, when they last saw someone, and whether there is enough to show."""
    settings = service.settings
    known = {row["clinician_id"]: row for row in service.tables["marts.clinicians"].iter_rows(named=True)}
    rows: list[tuple[Cell, ...]] = []
    for code in service.clinicians:
        last = known[code]["last_session_on"]
        rows.append(
            (
                Clinician(code=code, href=clinician_file(code)),
                known[code]["site"] or "not recorded",
                known[code]["profession"] or "not recorded",
                words.day(last) if last else "none yet",
                "Too few clients" if code in service.withheld else "Shown",
            )
        )
    return Page(
        title=f"Clinicians: {settings.clinic}",
        heading="Clinicians, by code",
        about=f"Data to {words.day(settings.data_date)}. The order is the code\u2019s and says nothing of anyone.",
        section="clinicians",
        facts=facts,
        is_alarming=service.is_alarming,
        panels=(
            Panel(
                key="clinicians",
                title=f"{words.counted(len(service.shown), 'clinician')} shown, {len(service.withheld)} withheld",
                caption=f"Withheld: fewer than {settings.minimum_clients} clients in the {settings.period_months} months, "
                "or needed to protect one who has.",
                method="withheld",
                shown=True,
                wide=True,
                table=Table(columns=("Clinician", "Site", "Profession", "Latest session", "Figures"), rows=tuple(rows)),
                empty=None if rows else "No clinician is on record.",
            ),
        ),
        explains=("withheld", "certainty"),
    )
