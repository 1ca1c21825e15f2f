"""How one clinician's alliance runs: over sessions against the site, early and later, by part, and between partners.

Belongs here: rows of the alliance's own tables as panels. Does not belong here: months (`panels`) or the link (`clinician_panels`).
"""

from collections.abc import Sequence

from dashboards import course_words, words
from dashboards.figures.course import growth
from dashboards.views.model import Cell, Panel, Table, Tag
from dashboards.views.service import Row, Service

_NUMBERS = ("estimate", "low", "high", "site_mean", "site_low", "site_high")


def growth_panel(service: Service, code: str, instrument: str | None) -> Panel:
    """Alliance over sessions 1 to 10 as if every client had stayed, against the band of the site's clinicians."""
    rows = [
        row
        for row in service.own("analysis.clinician_alliance_growth", code)
        if row["instrument"] == instrument and all(row[name] is not None for name in _NUMBERS)
    ]
    rows.sort(key=lambda row: row["session_number"])
    part = _part(service, code, instrument, "growth")
    is_few = not rows or rows[0]["certainty"] == "too_few"
    columns = ("Session", "Here", "95% range", "Site", "Site\u2019s band")
    title = course_words.growth_title(
        certainty="too_few" if is_few or part is None else part["certainty"],
        difference=None if part is None else part["difference"],
    )
    if is_few:
        return Panel(
            key="growth",
            title=title,
            caption="Alliance session by session.",
            method="growth",
            table=Table(columns=columns, rows=()),
            empty="Too few clients have rated the alliance.",
        )
    return Panel(
        key="growth",
        title=title,
        caption=f"{instrument} expected at each session as if every client had stayed, with its 95% range (darker); the lighter band holds 19 in 20 of the "
        "site\u2019s clinicians. A growth model follows each client, so that who leaves moves it little.",
        how="the solid line is this clinician, the dashed one the site; inside the lighter band is usual.",
        method="growth",
        table=Table(
            columns=columns,
            rows=tuple(
                (
                    str(row["session_number"]),
                    words.decimal(row["estimate"]),
                    words.between(row["low"], row["high"]),
                    words.decimal(row["site_mean"]),
                    words.between(row["site_low"], row["site_high"]),
                )
                for row in rows
            ),
            numeric=frozenset({0, 1, 2, 3, 4}),
        ),
        figure=growth(
            sessions=[row["session_number"] for row in rows],
            estimates=_rounded(rows, "estimate"),
            lows=_rounded(rows, "low"),
            highs=_rounded(rows, "high"),
            site=_rounded(rows, "site_mean"),
            site_lows=_rounded(rows, "site_low"),
            site_highs=_rounded(rows, "site_high"),
        ),
    )


def parts_panel(service: Service, code: str, instrument: str | None) -> Panel | None:
    """Early and later alliance, its growth, and bond, goals and tasks, each steadied and against the site."""
    rows: list[tuple[Cell, ...]] = []
    for name in course_words.PARTS:
        row = _part(service, code, instrument, name)
        if row is None or row["certainty"] == "too_few" or None in (row["estimate"], row["low"], row["difference"]):
            continue
        rows.append(
            (
                course_words.PARTS[name],
                words.decimal(row["estimate"]),
                words.between(row["low"], row["high"]),
                words.signed(row["difference"]),
                words.between(row["difference_low"], row["difference_high"]),
                Tag(words=words.certainty(row["certainty"])),
            )
        )
    if not rows:
        return None
    weakest = service.row("clinician_weakest_part", code, instrument or "")
    gap = ""
    if weakest is not None and weakest["gap"] is not None and weakest["certainty"] != "too_few":
        gap = (
            f" The lowest of bond, goals and tasks lies {words.decimal(abs(weakest['gap']), places=2)} points an answer below the next "
            f"(95% range {words.between(weakest['low'], weakest['high'], places=2)})."
        )
    return Panel(
        key="parts",
        title=course_words.parts_title(None if weakest is None else weakest["weakest"]),
        caption=f"Parts of the {instrument}, each drawn toward the site\u2019s clinicians, in points; Against the site is this clinician less the site, and how "
        f"sure is of that difference.{gap}",
        method="parts",
        table=Table(
            columns=("Part", "Here", "95% range", "Against the site", "95% range", "How sure it differs"),
            rows=tuple(rows),
            numeric=frozenset({1, 2, 3, 4}),
        ),
        is_detail=True,
        shown=True,
    )


def split_panel(service: Service, code: str, instrument: str | None) -> Panel | None:
    """Couples and families: level, the lower partner and the split, against all; None where there are none."""
    found = {
        row["aspect"]: row for row in service.own("analysis.couple_clinicians", code) if row["instrument"] == instrument
    }
    if not found:
        return None
    told = {
        name: row
        for name, row in found.items()
        if row["certainty"] != "too_few"
        and row["cases"] >= service.settings.minimum_clients
        and None not in (row["estimate"], row["estimate_low"], row["service_mean"])
    }
    split = told.get("difference")
    return Panel(
        key="split",
        title=course_words.split_title(
            certainty="too_few" if split is None else split["certainty"],
            difference=None if split is None else split["estimate"],
            low=None if split is None else split["estimate_low"],
            high=None if split is None else split["estimate_high"],
            usual=None if split is None else split["service_mean"],
        ),
        caption=f"Couples and families: {instrument} points of a session, partners side by side; each figure is drawn toward the clinicians of the measure, "
        "with its 95% range. How sure is of the difference from all.",
        method="split",
        table=Table(
            columns=("What", "Here", "95% range", "All", "Cases", "How sure it differs"),
            rows=tuple(
                (
                    said,
                    words.decimal(told[name]["estimate"]),
                    words.between(told[name]["estimate_low"], told[name]["estimate_high"]),
                    words.decimal(told[name]["service_mean"]),
                    f"{told[name]['cases']:,}",
                    Tag(words=words.certainty(told[name]["certainty"])),
                )
                for name, said in course_words.ASPECTS.items()
                if name in told
            ),
            numeric=frozenset({1, 2, 3, 4}),
        ),
        is_detail=True,
        wide=True,
        shown=True,
        empty=None if told else "Too few couples or families.",
    )


def _part(service: Service, code: str, instrument: str | None, name: str) -> Row | None:
    rows = service.own("analysis.clinician_alliance_parts", code)
    return next((row for row in rows if row["instrument"] == instrument and row["part"] == name), None)


def _rounded(rows: Sequence[Row], name: str) -> list[float]:
    return [round(row[name], 3) for row in rows]
