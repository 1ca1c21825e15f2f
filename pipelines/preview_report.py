"""What `check` prints: where every line would go, why lines would be refused, what nobody asks for, what pages would have.

Belongs here: tables and sentences. Does not belong here: counting (`preview`) or proposing (`assets.feeds.proposal`).
"""

from assets.feeds.proposal.proposing import Proposal
from pipelines.benchmarks.result import as_table
from pipelines.preview import FATES, Preview


def proposed(proposal: Proposal) -> str:
    """What was found out of a folder that nobody has described."""
    parts = []
    if proposal.identifiers:
        parts.append("Leave these columns out of the export: a file that has one is held and not read")
        parts.append(
            as_table(
                [
                    {"file": file, "column": column, "seems to hold": kinds}
                    for file, column, kinds in proposal.identifiers
                ]
            )
        )
    if proposal.left:
        parts.append("Files that are not mapped")
        parts.append(as_table([{"file": file, "why": why} for file, why in proposal.left]))
    if proposal.to_settle:
        parts.append("Lines to settle")
        parts.append(as_table([{"line": line, "what": what} for line, what in proposal.to_settle]))
    return "\n\n".join(parts)


def previewed(found: Preview) -> str:
    """What a night would make of the inbox."""
    files = [dict(zip(("feed", "file", *FATES), row, strict=True)) for row in found.files]
    accepted, refused = (sum(int(row[name]) for row in files) for name in ("accepted", "refused"))
    parts = ["Where every line would go", as_table(files), f"Accepted {accepted:,} lines, refused {refused:,}."]
    if found.refusals:
        parts.append("Refused, by reason")
        parts.append(
            as_table(
                [
                    {
                        "feed": each.feed,
                        "file": each.file,
                        "refused": each.lines,
                        "first lines": ", ".join(map(str, each.first))
                        + (" ..." if each.lines > len(each.first) else ""),
                        "reason": each.reason,
                    }
                    for each in found.refusals
                ]
            )
        )
    if found.unclaimed:
        parts.append("Files that no mapping asks for: " + ", ".join(found.unclaimed))
    if found.unasked:
        parts.append("Columns that no mapping asks for")
        parts.append(as_table([{"file": file, "columns": ", ".join(columns)} for file, columns in found.unasked]))
    if found.fetched:
        parts.append(f"Fetched by a night and not looked at here: {', '.join(found.fetched)}")
    parts.append("Forms")
    parts.append(
        as_table(
            [
                {
                    "instrument": each.instrument,
                    "forms": each.forms,
                    "complete": f"{each.complete:.1%}",
                    "from": each.since,
                    "to": each.until,
                }
                for each in found.instruments
            ]
        )
    )
    parts.append(f"What the first pages would have, where a group needs {found.minimum_clients} clients to be shown")
    parts.append(
        as_table(
            [
                {
                    "site": each.site or "(none told)",
                    "clinicians": each.clinicians,
                    "shown": each.shown,
                    "clients": each.clients,
                    "with an alliance form": each.with_alliance,
                    "with two outcome forms": each.with_change,
                }
                for each in found.sites
            ]
        )
    )
    return "\n\n".join(parts)
