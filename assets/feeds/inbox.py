"""The folder that clinics send to: which of its files are whose.

Belongs here: looking through the folder. Does not belong here: reading or keeping a file (`landing`).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from assets.feeds.mapping import FeedMapping
from assets.feeds.wrong_input import WrongInput


def sort_out(
    inbox: Path, mappings: Sequence[FeedMapping], *, prefix: str = ""
) -> tuple[dict[str, tuple[FeedMapping, ...]], tuple[str, ...]]:
    """A folder's claimed names, each after the prefix, with their mappings, and the names that nothing claims."""
    if not inbox.is_dir():
        raise WrongInput("there is no such folder", place=str(inbox), mend="give the folder that the export is in")
    claimed: dict[str, tuple[FeedMapping, ...]] = {}
    unclaimed = []
    root = inbox.resolve()
    for relative, entry in _entries(inbox, inbox):
        name = prefix + relative
        claims = tuple(mapping for mapping in mappings if mapping.claims(name))
        is_folder = entry.is_dir() and not entry.is_symlink()
        if is_folder and not any(name in mapping.files for mapping in mappings):
            continue
        if not claims:
            unclaimed.append(name)
            continue
        if entry.is_symlink() and not _leads_into(root, entry):
            raise WrongInput("is a link that leaves the inbox", place=name, mend="put the file itself there")
        if not entry.is_file():
            raise WrongInput(
                f"is not a file, and {claims[0].place}.files claims it",
                place=name,
                mend="put the file there, or narrow the glob",
            )
        claimed[name] = claims
    return claimed, tuple(sorted(unclaimed))


def _leads_into(root: Path, link: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        # A link that leads round in a circle, for which Python has an exception of its own.
        return False


def _entries(folder: Path, inbox: Path) -> Iterator[tuple[str, Path]]:
    """Every name under the inbox; hidden ones are left out, for a file on its way in is often hidden."""
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        name = folder.relative_to(inbox).as_posix()
        raise WrongInput(said_by_the_system(error), place=name, mend="let this account read the folder") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        yield entry.relative_to(inbox).as_posix(), entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _entries(entry, inbox)


def said_by_the_system(error: OSError) -> str:
    """The system's own words for why a file or folder cannot be read."""
    return (error.strerror or "cannot be read").lower()
