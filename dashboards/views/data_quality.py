"""What the night says of its own data: where every line went, how it flows, which checks ran, what is missing or withheld.

Belongs here: the data quality page. Does not belong here: the flow's panels (`arrivals`), what is withheld
(`withheld`), checks and contracts (the quality room).
"""

import polars as pl

from assets.science.funnel import wilson_interval
from dashboards import readings, words
from dashboards.page_settings import PageSettings
from dashboards.thresholds import FEWEST_CLINICIANS
from dashboards.views import arrivals, panels
from dashboards.views.areas import Area
from dashboards.views.changes import changes_panel
from dashboards.views.model import Cell, Clinician, Fact, Page, Panel, Table, Tag
from dashboards.views.service import Service
from dashboards.views.staying import skipped_panel
from dashboards.views.withheld import withheld_panel

_FORMS = ("alliance_recorded", "outcome_recorded")


def data_quality(service: Service, whole: Area, *, facts: tuple[Fact, ...]) -> Page:
    """Where every line went, which checks ran, and what is missing."""
    settings, tables = service.settings, service.tables
    lines = tables["quality.reconciliation"].sort("feed", "file_number")
    total, accepted = (int(lines[name].sum()) for name in ("lines", "accepted"))
    refused = int(lines["refused"].sum())
    parts = ("lines", "accepted", "refused", "superseded", "identical", "blank")
    balanced = bool((lines["lines"] == sum((lines[name] for name in parts[1:]), start=lines["lines"] * 0)).all())
    reasons_ = service.read(readings.REFUSED).sort("feed", "rows", "reason", descending=[False, True, False])
    checks = tables["quality.checks"].sort(["is_passed", "severity", "table_name", "check_name"])
    complete, below, sites = _completeness(service)
    skipped = skipped_panel(service, whole)
    return Page(
        title=f"Data quality: {settings.clinic}",
        heading="Data quality: what came in, and what is missing",
        about=f"{words.counted(total, 'line')} in {words.counted(lines.height, 'file')}; data to {words.day(settings.data_date)}.",
        section="quality",
        facts=facts,
        is_alarming=service.is_alarming,
        panels=panels.beside_each_other(
            (
                Panel(
                    key="reconciliation",
                    title=f"Every line is accounted for: {accepted:,} of {total:,} accepted, {refused:,} refused"
                    if balanced
                    else "Some lines are not accounted for",
                    caption="Lines are always accepted, refused, replaced by a newer version, exact repeats, or blank.",
                    method="reconciliation",
                    shown=True,
                    wide=True,
                    table=Table(
                        columns=("Feed", "File", "Lines", "Accepted", "Refused", "Replaced", "Repeats", "Blank"),
                        rows=tuple(
                            (
                                words.FEEDS.get(row["feed"], row["feed"]),
                                row["file"],
                                *(f"{row[name]:,}" for name in parts),
                            )
                            for row in lines.iter_rows(named=True)
                        ),
                        numeric=frozenset(range(2, 8)),
                    ),
                    empty=None if lines.height else "No file has come in.",
                ),
                arrivals.since_panel(service),
                changes_panel(service),
                Panel(
                    key="refused",
                    title=f"{words.counted(refused, 'line')} refused, by reason" if refused else "No line was refused",
                    caption="A refused line is kept with its reason and counts in no figure. Mend it where it was recorded and send it again.",
                    method="refused",
                    shown=True,
                    table=Table(
                        columns=("Feed", "Reason", "Lines"),
                        rows=tuple(
                            (words.FEEDS.get(feed, feed), reason, f"{count:,}")
                            for feed, reason, count in reasons_.iter_rows()
                        ),
                        numeric=frozenset({2}),
                    ),
                ),
                _checks(checks),
                _completeness_panel(complete, below=below, whole=sites),
                *((skipped,) if skipped is not None else ()),
                withheld_panel(service),
            )
        ),
        groups=panels.group(
            "flow-of-data",
            "How the data flow: against their own history, and against what was promised",
            (arrivals.flow_panel(service), arrivals.freshness_panel(service), arrivals.columns_panel(service)),
            is_open=False,
        ),
        explains=("withheld",),
    )


def _checks(checks: pl.DataFrame) -> Panel:
    """Failed checks in full; the rest counted by layer."""
    failed = checks.filter(~pl.col("is_passed"))
    rows: list[tuple[Cell, ...]] = [
        (
            row["table_name"],
            row["meaning"],
            Tag(words="Error" if row["severity"] == "error" else "Warning", tone="worse"),
            f"{row['failing_rows']:,}",
        )
        for row in failed.sort("severity", "table_name", "check_name").iter_rows(named=True)
    ]
    passed = (
        checks.filter("is_passed")
        .group_by(pl.col("table_name").str.split(".").list.first().alias("layer"))
        .agg(tables=pl.col("table_name").n_unique(), checks=pl.len())
        .sort("layer")
    )
    rows += [
        (
            f"{layer}, {words.counted(tables, 'table')}",
            f"{words.counted(count, 'check')} found nothing",
            Tag(words="Passed"),
            "0",
        )
        for layer, tables, count in passed.iter_rows()
    ]
    return Panel(
        key="checks",
        title=f"All {checks.height:,} checks passed"
        if failed.is_empty()
        else f"{failed.height} of {words.counted(checks.height, 'check')} found something",
        caption="A failed check marked as an error stops the night; a warning tells a person. Passed checks are counted by layer.",
        method="checks",
        shown=True,
        table=Table(
            columns=("Table", "What must be true", "Verdict", "Rows"), rows=tuple(rows), numeric=frozenset({3})
        ),
        empty=None if checks.height else "No check has run.",
    )


def _completeness(service: Service) -> tuple[list[tuple[Cell, ...]], int, list[str]]:
    """Each shown clinician's forms by code; how many are below a standard beyond chance; and sites that are as a whole.

    Where everyone of a site is below, the cause lies with the site, and no single person's row is coloured.
    """
    settings = service.settings
    made: list[tuple[str, str, str, tuple[str, ...], Tag]] = []
    for code in service.shown:
        row = service.row("clinician_attendance", code) or {}
        site = row.get("site") or "not recorded"
        if not row or row["sessions"] < settings.minimum_sessions or any(row[name] is None for name in _FORMS):
            made.append((code, site, "Too few", ("Too few", "Too few"), Tag(words="Too few")))
            continue
        ranges = {name: _range(row[name], row["sessions"]) for name in _FORMS}
        shares = tuple(
            f"{words.percent(row[name], beside=settings.standards.get(name))} ({words.percent_between(*ranges[name])})"
            for name in _FORMS
        )
        made.append((code, site, f"{row['sessions']:,}", shares, _against(ranges, settings=settings)))
    tones: dict[str, list[str]] = {}
    for _, site, _, _, tag in made:
        tones.setdefault(site, []).append(tag.tone)
    whole = sorted(site for site, seen in tones.items() if len(seen) >= FEWEST_CLINICIANS and set(seen) == {"worse"})
    rows: list[tuple[Cell, ...]] = [
        (Clinician(code=code), site, sessions, *shares, Tag(words=f"Below, as all of {site}") if site in whole else tag)
        for code, site, sessions, shares, tag in made
    ]
    return rows, sum(tag.tone == "worse" and site not in whole for _, site, _, _, tag in made), whole


def _range(share: float, sessions: int) -> tuple[float, float]:
    low, high = wilson_interval([round(share * sessions)], [sessions], confidence=0.95)
    return float(low[0]), float(high[0])


def _against(ranges: dict[str, tuple[float, float]], *, settings: PageSettings) -> Tag:
    """Below a standard only where a whole range is; met only where all of them are; otherwise nobody can tell."""
    set_ = {name: settings.standards[name] for name in _FORMS if name in settings.standards}
    if not set_:
        return Tag(words="No standard set")
    if any(ranges[name][1] < goal for name, goal in set_.items()):
        return Tag(words="Below a standard", tone="worse")
    if all(ranges[name][0] >= goal for name, goal in set_.items()):
        return Tag(words="At the standard", tone="better")
    return Tag(words="Cannot tell")


def _completeness_title(shown: int, *, below: int, whole: list[str]) -> str:
    if not shown:
        return "Nobody\u2019s recording can be shown"
    said = f"{words.counted(below, 'clinician')}{' elsewhere' if whole else f' of {shown}'} below a recording standard beyond chance"
    if whole:
        first = (
            f"Recording is below a standard across {words.listed(whole)}: a matter of the site, not of single people"
        )
        return f"{first}; {said}" if below else first
    return said if below else "No clinician\u2019s recording is below a standard beyond chance"


def _completeness_panel(complete: list[tuple[Cell, ...]], *, below: int, whole: list[str]) -> Panel:
    return Panel(
        key="completeness",
        title=_completeness_title(len(complete), below=below, whole=whole),
        caption="Share of sessions with a scored form and its 95% range, by code. Below a standard only where a whole range "
        "is. Where everyone of a site is, look at how its forms are handed out.",
        method="recording",
        shown=True,
        wide=True,
        table=Table(
            columns=("Clinician", "Site", "Sessions", "With alliance score", "With outcome score", "Against standard"),
            rows=tuple(complete),
            numeric=frozenset({2, 3, 4}),
        ),
        empty=None if complete else "Too few clients.",
    )
