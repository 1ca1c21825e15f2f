"""What a night's end looks like on a terminal.

Belongs here: the table of where every line went, the findings, the paths. Does not belong here: running the night.
"""

from dataclasses import asdict
from pathlib import Path

from assets import warehouse
from assets.feeds.identifier_search import HELD
from pipelines.benchmarks.result import as_table
from pipelines.night_end import NightEnd

_COLUMNS = ("feed", "file", "lines", "accepted", "refused", "superseded", "identical", "blank")


def report(home: Path, *, end: NightEnd) -> str:
    """The whole end of a published night: reconciliation, refusals by reason, findings, paths."""
    file = home / warehouse.WAREHOUSE_FILE
    with warehouse.open_published(file) as con:
        lines = con.sql(
            f"SELECT {', '.join(_COLUMNS)} FROM quality.reconciliation ORDER BY feed, file_number"
        ).fetchall()
        reasons = con.sql(
            f"SELECT feed, reason, COUNT(*) AS lines FROM staging.refused_rows WHERE rule <> '{HELD}' "
            "GROUP BY feed, reason ORDER BY 3 DESC, 1, 2"
        ).fetchall()
        held = con.sql(
            f"SELECT file, COUNT(*) AS lines, reason FROM staging.refused_rows WHERE rule = '{HELD}' "
            "GROUP BY file, reason ORDER BY file, reason"
        ).fetchall()
        warned = con.sql(
            "SELECT table_name, meaning, failing_rows FROM quality.checks WHERE NOT is_passed "
            "ORDER BY table_name, check_name"
        ).fetchall()
    accepted, refused = (sum(row[_COLUMNS.index(name)] for row in lines) for name in ("accepted", "refused"))
    parts = [
        "Where every line went",
        as_table([dict(zip(_COLUMNS, row, strict=True)) for row in lines]),
        f"Accepted {accepted:,} lines, refused {refused:,}.",
    ]
    if reasons:
        parts.append("Refused, by reason")
        parts.append(as_table([{"feed": feed, "lines": count, "reason": reason} for feed, reason, count in reasons]))
    if held:
        parts.append("Held and not read: mend the file, or allow the column in [[privacy.allow]] with a reason")
        parts.append(as_table([{"file": name, "lines": count, "why": reason} for name, count, reason in held]))
    if warned:
        parts.append("Told, and not stopped")
        parts.append(as_table([{"table": table, "rows": rows, "rule": meaning} for table, meaning, rows in warned]))
    if end.stages:
        parts.append("Where the time went")
        parts.append(as_table([asdict(stage) for stage in end.stages]))
    parts.append("Findings")
    parts.append("\n".join(f"{number}. {sentence}" for number, sentence in enumerate(end.findings, start=1)))
    parts.append(
        f"Warehouse  {file}\nSite       {home / 'site' / 'index.html'}\nVersion    {end.version} in {end.seconds:.0f} s"
    )
    return "\n\n".join(parts)
