"""What must be true of a state folder after whatever was done to it, and after the next night.

Belongs here: the laws, read off the disk. Does not belong here: what was done. Each answer is one line a broken law, without
a value of anybody's.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assets import warehouse
from assets.published import MANIFEST_FILE
from pipelines.integrity import verify

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


def described(folder: Path) -> dict[str, object]:
    """A version's own description of itself."""
    said: dict[str, object] = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    return said
