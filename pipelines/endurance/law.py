"""What must be true of a state folder after whatever was done to it, and after the next night.

Belongs here: the laws, read off the disk. Does not belong here: what was done. Each answer is one line a broken law, without
a value of anybody's.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from assets import warehouse
from assets.published import MANIFEST_FILE
from pipelines.integrity import verify
from pipelines.night_end import LAST_RUN, kept

_NOT_COUNTED_YET: Final = "no manifest names it"


@dataclass(frozen=True, kw_only=True)
class Account:
    """How many rows a version has of what was sent."""

    appointments: int
    forms: int


def broken_at_rest(home: Path) -> list[str]:
    """What readers and the next night must find, whatever was done: whole versions, whole landed files."""
    broken = [each for each in verify(home).differences if not each.endswith(_NOT_COUNTED_YET)]
    current = home / warehouse.CURRENT
    if not (current / warehouse.WAREHOUSE_FILE).is_file() or not (current / "site" / "index.html").is_file():
        broken.append("the current version is not whole")
        return broken
    described = described_by(current)
    rows: dict[str, int] = described["rows"]
    with warehouse.open_published(current / warehouse.WAREHOUSE_FILE) as con:
        broken += [f"{name} is not as long as it was" for name in rows if warehouse.count_rows(con, name) != rows[name]]
    run = str(described["run_id"])[:8].encode()
    torn = sum(run not in page.read_bytes() for page in (current / "site").rglob("*.html"))
    return [*broken, f"{torn} pages are of another run"] if torn else broken


def broken_word(home: Path, *, before: str | None) -> list[str]:
    """What is not so in the note that a night left of its end, given what was published before it."""
    note = home / LAST_RUN
    if not note.exists():
        return ["it ended and left no word"]
    said = json.loads(note.read_text(encoding="utf-8"))
    now = warehouse.current_version(home)
    if said["is_success"]:
        return [] if said["version"] == now != before else ["it says that it published, and did not"]
    return (
        [] if str(said["problem"]).endswith(kept(now)) else ["it names another version than the one that is published"]
    )


def broken_after_healing(home: Path, *, expected: Account) -> list[str]:
    """What must be true once the next night has run by itself."""
    found = verify(home)
    broken = list(found.differences)
    counted = account(home)
    if counted != expected:
        broken.append(f"{counted} where {expected} was sent")
    lost = _lines_without_a_fate(home)
    if lost:
        broken.append(f"{lost} files lose lines")
    broken += [
        f"{path.relative_to(home)} was left behind"
        for pattern in (
            "landing/.unfinished-*",
            "pulled/*/.unfinished-*",
            "published/.*",
            ".unfinished-*",
            "work/staged",
        )
        for path in home.glob(pattern)
    ]
    return broken


def account(home: Path) -> Account:
    """What the current version has of what was sent; a form twice would count twice."""
    with warehouse.open_published(home / warehouse.WAREHOUSE_FILE) as con:
        return Account(
            appointments=warehouse.count_rows(con, "staging.attendance"),
            forms=warehouse.count_rows(con, "staging.outcomes"),
        )


def _lines_without_a_fate(home: Path) -> int:
    with warehouse.open_published(home / warehouse.WAREHOUSE_FILE) as con:
        return warehouse.count_rows(
            con,
            "quality.reconciliation WHERE lines IS DISTINCT FROM accepted + refused + superseded + identical + blank",
        )


def described_by(folder: Path) -> dict[str, Any]:
    """A version's own description of itself."""
    said: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    return said
