"""The list of clinicians, by code and never by an estimate; and what the night says of its own data.

Belongs here: the clinicians' index and the data quality page.
"""

import polars as pl

from dashboards import words
from dashboards.views import panels
from dashboards.views.model import Cell, Link, Page, Panel, Table, Tag
from dashboards.views.overview import strip
from dashboards.views.prompts import reasons
from dashboards.views.service import Service


def clinician_list(service: Service) -> Page:
    """Every clinician by code, with what their page's headline rests on."""
    rows: list[tuple[Cell, ...]] = []
    for code in service.clinicians:
        link = Link(words=code, href=f"{code}.html")
        if code in service.withheld:
            rows.append((link, "", "Too few", Tag(words="Not shown"), ""))
            continue
        who, seen = service.row("clinicians", code) or {}, service.row("clinician_attendance", code) or {}
        found = reasons(service, code)
        tag = (
            Tag(words="No change beyond chance")
            if not found
            else Tag(words=words.certainty(found[0].certainty), tone="better" if found[0].is_to_learn else "worse")
        )
        rows.append((link, who.get("site") or "", f"{seen.get('cases', 0):,}", tag, found[0].why if found else ""))
    settings = service.settings
    return Page(
        title=f"Clinicians: {settings.clinic}",
        heading="Clinicians, by code",
        about=f"Data to {words.day(settings.data_date)}. The order is the code\u2019s and says nothing of anyone.",
        section="clinicians",
        facts=strip(service),
        is_alarming=panels.is_alarming(service),
        panels=(
            Panel(
                key="clinicians",
                title=f"{words.counted(len(service.shown), 'clinician')} shown, {len(service.withheld)} withheld",
                caption=f"Withheld: fewer than {settings.minimum_clients} clients in the {settings.period_months} months, or needed to protect one who has.",
                method="withheld",
                shown=True,
                wide=True,
                table=Table(
                    columns=("Clinician", "Site", "Cases in the period", "How sure", "What changed"),
                    rows=tuple(rows),
                    numeric=frozenset({2}),
                ),
                empty=None if rows else "No clinician is on record.",
            ),
        ),
        explains=("withheld", "certainty"),
    )


def data_quality(service: Service) -> Page:
    """Where every line went, which checks ran, and what is missing."""
    settings, tables = service.settings, service.tables
    lines = tables["quality.reconciliation"].sort("feed", "file_number")
    total, accepted = (int(lines[name].sum()) for name in ("lines", "accepted"))
    refused = int(lines["refused"].sum())
    parts = ("lines", "accepted", "refused", "superseded", "identical", "blank")
    balanced = bool((lines["lines"] == sum((lines[name] for name in parts[1:]), start=lines["lines"] * 0)).all())
    reasons_ = (
        tables["staging.refused_rows"]
        .group_by("feed", "reason")
        .agg(pl.len().alias("rows"))
        .sort("feed", "rows", "reason", descending=[False, True, False])
    )
    checks = tables["quality.checks"].sort(["is_passed", "severity", "table_name", "check_name"])
    standards = settings.standards
    complete: list[tuple[Cell, ...]] = []
    below = 0
    for code in service.shown:
        row = service.row("clinician_attendance", code) or {}
        if not row or row["sessions"] < settings.minimum_sessions:
            complete.append((code, "Too few", "Too few", "Too few", Tag(words="Too few")))
            continue
        is_below = any(
            name in standards and row[name] is not None and row[name] < standards[name]
            for name in ("alliance_recorded", "outcome_recorded")
        )
        below += is_below
        complete.append(
            (
                code,
                f"{row['sessions']:,}",
                *(
                    words.percent(row[name], beside=standards.get(name))
                    for name in ("alliance_recorded", "outcome_recorded")
                ),
                Tag(
                    words="Below a standard" if is_below else "At or above" if standards else "No standard set",
                    tone="worse" if is_below else "ordinary",
                ),
            )
        )
    return Page(
        title=f"Data quality: {settings.clinic}",
        heading="Data quality: what came in, and what is missing",
        about=f"{words.counted(total, 'line')} in {words.counted(lines.height, 'file')}; data to {words.day(settings.data_date)}.",
        section="quality",
        facts=strip(service),
        is_alarming=panels.is_alarming(service),
        panels=(
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
                        (words.FEEDS.get(row["feed"], row["feed"]), row["file"], *(f"{row[name]:,}" for name in parts))
                        for row in lines.iter_rows(named=True)
                    ),
                    numeric=frozenset(range(2, 8)),
                ),
                empty=None if lines.height else "No file has come in.",
            ),
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
            Panel(
                key="completeness",
                title=f"{below} of {words.counted(len(complete), 'clinician')} below a recording standard"
                if complete
                else "Nobody\u2019s recording can be shown",
                caption="Share of sessions with a scored form, by code: counted, not estimated.",
                method="recording",
                shown=True,
                wide=True,
                table=Table(
                    columns=("Clinician", "Sessions", "With alliance score", "With outcome score", "Against standard"),
                    rows=tuple(complete),
                    numeric=frozenset({1, 2, 3}),
                ),
                empty=None if complete else "Too few clients.",
            ),
        ),
        explains=("withheld",),
    )


def _checks(checks: pl.DataFrame) -> Panel:
    """Failed checks in full; the rest counted by table."""
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
    passed = checks.filter("is_passed").group_by("table_name").agg(pl.len().alias("checks")).sort("table_name")
    rows += [
        (name, f"{words.counted(count, 'check')} found nothing", Tag(words="Passed"), "0")
        for name, count in passed.iter_rows()
    ]
    return Panel(
        key="checks",
        title=f"All {checks.height:,} checks passed"
        if failed.is_empty()
        else f"{failed.height} of {words.counted(checks.height, 'check')} found something",
        caption="A failed check marked as an error stops the night; a warning tells a person. Passed checks are counted by table.",
        method="checks",
        shown=True,
        table=Table(
            columns=("Table", "What must be true", "Verdict", "Rows"), rows=tuple(rows), numeric=frozenset({3})
        ),
        empty=None if checks.height else "No check has run.",
    )
