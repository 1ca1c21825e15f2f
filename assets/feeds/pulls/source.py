"""What every system that is pulled from has in common: it lists what is new, and fetches each thing whole or not at all.

Belongs here: the interface, and its one exception. Does not belong here: any system (`sql`, `objects`), or when and how
often one is asked (`pulling`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class PullFailedError(Exception):
    """A system did not answer, or not to the end; it may do so if it is asked again. Never holds an address or a value.

    Args:
        what: what happened, without a full stop.
        wait_seconds: how long the system asks to be left alone before it is asked again; 0 where it says nothing.
    """

    def __init__(self, what: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(what)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing that a system has to give.

    Attributes:
        name: the file it becomes, below the pull's folder, with slashes.
        subject: what the mark is of: the same from night to night.
        mark: what tells this state of it from another, as far as that is known before it is fetched.
    """

    name: str
    subject: str
    mark: str | None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What fetching gave.

    Attributes:
        mark: what tonight's state is known by; the next night is told it.
        rows: how many rows or bytes came.
        is_empty: whether there was nothing new, so that no file is kept.
    """

    mark: str | None
    rows: int
    is_empty: bool


class Source(Protocol):
    """One system."""

    def new_items(self, marks: Mapping[str, str]) -> Iterable[Item]:
        """What has not been fetched in its present state, by the marks that earlier nights left.

        Raises:
            PullFailedError: where the system does not answer.
        """

    def fetch(self, item: Item, *, to: Path, last_mark: str | None) -> Fetched:
        """Write one thing to a new file.

        Raises:
            PullFailedError: where the system does not answer to the end; whatever was written is then worth nothing.
        """
