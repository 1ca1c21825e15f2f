"""A folder of exports as a first settings file: what each file is, which column is which, and what is left to settle.

Belongs here: the order in which files are looked at and held against each other. Does not belong here: any of the looking
(the modules beside this one), and whether a night would take it (`assets.staging`, by the `check` verb).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from assets.contracts.staging import FEEDS
from assets.feeds.direct_identifiers import SPOKEN
from assets.feeds.proposal.drafts import TOP, Draft, Group, Line
from assets.feeds.proposal.forms import find_forms
from assets.feeds.proposal.groups import group_files
from assets.feeds.proposal.links import link, pairs
from assets.feeds.proposal.moments import years_of
from assets.feeds.proposal.ratings import draft_ratings
from assets.feeds.proposal.registers import draft_clinicians, draft_episodes, draft_people
from assets.feeds.proposal.seeing import SeenFile, see
from assets.feeds.proposal.sessions import draft_attendance
from assets.feeds.proposal.writing import comment, quoted, table, written
from assets.science.instruments.registry import Registry

_ORDER: Final = ("attendance", "alliance", "outcomes", "episodes", "people", "clinicians")
_YEARS_BACK: Final = 10


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What was made of a folder.

    Attributes:
        text: the settings file.
        to_settle: the lines of it that the clinic has to look at, each by its number with what is asked.
        identifiers: files with the columns that seem to hold direct identifiers and what they seem to hold.
        left: files that no mapping asks for, each with why.
    """

    text: str
    to_settle: tuple[tuple[int, str], ...]
    identifiers: tuple[tuple[str, str, str], ...]
    left: tuple[tuple[str, str], ...]


def propose(  # noqa: PLR0913 -- where to look, what is known, and whom to tell
    inbox: Path,
    *,
    registry: Registry,
    country: str,
    time_zone: str | None,
    today: date,
    scratch: Path,
    tell: Callable[[str], None],
) -> Proposal:
    """Look at every file of a folder and write what the settings would be.

    Args:
        inbox: the folder; nothing in it is changed.
        registry: the instruments that may be recognised.
        country: ISO 3166 alpha-2, whose telephone and social security numbers are looked for.
        time_zone: IANA name, where this machine knows one.
        today: from which births are told from what a service did.
        scratch: an existing folder for plain copies; they are removed.
        tell: told of each file before it is opened.
    """
    names = sorted(
        path.relative_to(inbox).as_posix()
        for path in inbox.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(inbox).parts)
    )
    seen: list[SeenFile] = []
    with duckdb.connect() as con:
        for name in names:
            tell(name)
            seen += see(con, inbox / name, name=name, scratch=scratch)
    groups = group_files(seen, country=country, seen_on=today)
    drafts = draft_all(groups, registry=registry)
    parts = _head(drafts, groups, registry=registry, country=country, time_zone=time_zone, today=today)
    parts += [_written(draft, drafts) for draft in drafts]
    absent = [feed.name for feed in FEEDS if feed.is_required and not any(draft.feed is feed for draft in drafts)]
    parts += [comment([f"to settle: no file is taken for the {name} feed, and a night needs one"]) for name in absent]
    text = "\n\n".join(parts) + "\n"
    return Proposal(
        text=text,
        to_settle=tuple(
            (number, line.strip("# ").rstrip(";").replace("  # to settle:", ":").removeprefix("to settle: "))
            for number, line in enumerate(text.splitlines(), start=1)
            if "to settle: " in line
        ),
        identifiers=tuple(
            (name, column, " and ".join(SPOKEN[kind] for kind in kinds))
            for group in groups
            for column, kinds in group.telling.items()
            for name in group.files
        ),
        left=tuple(
            (name, group.trouble or "nothing in it is what a night asks for")
            for group in groups
            if not any(draft.group is group for draft in drafts)
            for name in group.names
        ),
    )


def draft_all(groups: Sequence[Group], *, registry: Registry) -> list[Draft]:
    """Every mapping that the groups give, in the order of the settings, held against one another."""
    drafts: list[Draft] = []
    for group in groups:
        drafts += _drafts_of(group, registry=registry)
    plain = [draft for draft in drafts if draft.feed.name == "attendance" and not _has_forms(draft, drafts)]
    if plain:
        # Where appointments have a file of their own, forms that also tell of a status are forms.
        drafts = [draft for draft in drafts if draft.feed.name != "attendance" or draft in plain]
    drafts.sort(key=lambda draft: (_ORDER.index(draft.feed.name), draft.group.corrects))
    link(drafts)
    for draft in drafts:
        _put_opening(draft)
    return drafts


def _drafts_of(group: Group, *, registry: Registry) -> list[Draft]:
    if group.trouble or group.rows.is_empty():
        return []
    forms = find_forms(group.usable, group.rows, name=group.names[0], registry=registry)
    ratings = draft_ratings(group, forms=forms, registry=registry)
    attendance = draft_attendance(group, forms=forms)
    if attendance is not None and ratings and attendance.missing:
        attendance = None
    if attendance is not None or ratings:
        return [*([attendance] if attendance is not None else []), *ratings]
    episodes, people = draft_episodes(group, used=()), draft_people(group, used=())
    found = [draft for draft in (episodes, people) if draft is not None]
    if found:
        return found
    clinicians = draft_clinicians(group, used=())
    return [clinicians] if clinicians is not None else []


def _has_forms(draft: Draft, drafts: Sequence[Draft]) -> bool:
    return any(other.group is draft.group and other.feed.is_ratings for other in drafts)


def _put_opening(draft: Draft) -> None:
    """The keys that say which files and how they are opened."""
    group = draft.group
    files = group.files if len(group.files) > 1 else group.files[0]
    many = f"{len(group.names)} files of one shape" if len(group.names) > 1 else ""
    why = "; ".join(
        filter(None, [f"{group.lines:,} lines", many, "dates in the name may differ" if "?" in str(files) else ""])
    )
    draft.put(TOP, Line(key="files", value=files, why=why))
    for key, value in group.settings.items():
        if key == "decimal" and not draft.feed.is_ratings:
            continue
        draft.put(TOP, Line(key=key, value=value, why=_why_opened(key)))


def _why_opened(key: str) -> str:
    return {
        "encoding": "every byte reads so, and not as UTF-8",
        "delimiter": "cuts the lines as it cuts the header",
        "decimal": "numbers have it",
        "members": "the file within the archive",
        "sheet": "the workbook has several",
    }.get(key, "")


def _written(draft: Draft, drafts: Sequence[Draft]) -> str:
    """A mapping; one that still lacks something is a comment where the night can run without it."""
    others = any(other.feed is draft.feed and other.is_ready for other in drafts)
    if draft.missing and not draft.settle and (others or not draft.feed.is_required):
        draft.settle = f"without {', '.join(draft.missing)} it can't be read"
    return table(draft)


def _head(  # noqa: PLR0913 -- what the first sections are made of
    drafts: Sequence[Draft],
    groups: Sequence[Group],
    *,
    registry: Registry,
    country: str,
    time_zone: str | None,
    today: date,
) -> list[str]:
    years = years_of(drafts, today=today)
    listed = years["year"].to_list() or [today.year]
    not_rare = years.filter(pl.col("times") * 200 >= pl.col("times").sum())["year"].to_list() or [today.year]
    first = min(listed[-1] - _YEARS_BACK, not_rare[0])
    told = int(years.filter(pl.col("year") < first)["times"].sum()) if years.height else 0
    settle_zone = "" if time_zone else "the zone of the clinic's own clock"
    clinic = [
        "[clinic]",
        written(Line(key="name", value="Our service", settle="what pages call the service")),
        written(Line(key="time_zone", value=time_zone or "Europe/London", settle=settle_zone, why="this machine's")),
        f"first_possible_day = {first}-01-01  # {told:,} of {int(years['times'].sum()):,} days are older and would be refused",
    ]
    measured = [
        f"[[measures]]  # {both:,} clients filled both in\nalliance = {quoted(alliance)}\noutcome = {quoted(outcome)}"
        for alliance, outcome, both in pairs(drafts, registry=registry)
    ]
    if not measured:
        measured = [
            (
                "# to settle: which alliance measure is read with which outcome measure\n"
                '# [[measures]]\n# alliance = ""\n# outcome = ""'
            )
        ]
    head = (
        "Proposed from the files themselves. Every key says why it is so; what it means is in assets/feeds/mapping.py."
    )
    marked = 'Lines with "to settle" are for somebody who knows the record system to look at.'
    privacy = f"[privacy]\ncountry = {quoted(country)}  # whose telephone and social security numbers are looked for"
    return [comment([head, marked]), "\n".join(clinic), privacy, *_allowed(drafts, groups), *measured]


def _allowed(drafts: Sequence[Draft], groups: Sequence[Group]) -> list[str]:
    """For each column that would hold its file back, how it is let through, as a comment."""
    return [
        f'# to settle: leave "{column}" out of the export, which seems to hold {" and ".join(SPOKEN[kind] for kind in kinds)};\n'
        "# where the system can't, take the marks off and say why\n"
        f'# [[privacy.allow]]\n# file = {quoted(file)}\n# column = {quoted(column)}\n# reason = ""'
        for group in groups
        if any(draft.group is group for draft in drafts)
        for column, kinds in group.telling.items()
        for file in group.files
    ]
