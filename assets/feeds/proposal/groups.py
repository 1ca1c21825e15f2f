"""The inbox's files sorted into groups of one shape, each read by one mapping.

Belongs here: names of files, dates in them, corrections, folders. Does not belong here: opening a file (`seeing`) or what is
in its columns.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from itertools import groupby
from pathlib import PurePosixPath
from typing import Final

import polars as pl

from assets.feeds.direct_identifiers import DAY, PREFILTER, SHORTEST, SPOKEN, holds_births, kinds_by_header, kinds_in
from assets.feeds.mapping import glob_to_regex
from assets.feeds.proposal.drafts import Group
from assets.feeds.proposal.profile import ColumnProfile, profiles
from assets.feeds.proposal.seeing import SeenFile
from assets.feeds.proposal.synonyms import CORRECTIONS, SENT_AGAIN, sureness, words_of

_DATES: Final = re.compile(
    r"(?<!\d)(?:\d{4}-\d{2}-\d{2}(?:[T_-]?\d{4,6})?|\d{8}(?:[T_-]?\d{4,6})?|\d{2}-\d{2}-\d{4}|(?:19|20)\d{2}(?:[-_]?(?:\d{2}|Q[1-4]))?)(?!\d)"
)


def group_files(files: Sequence[SeenFile], *, country: str, seen_on: date) -> tuple[Group, ...]:
    """Files of one name, dates and repetitions aside, with the same columns, as one group each.

    Args:
        files: as they were seen.
        country: whose telephone and social security numbers are looked for.
        seen_on: today, from which births are told.
    """
    ordered = sorted(files, key=lambda file: (_shape(file), file.name))
    found = [_group(list(same), country=country, seen_on=seen_on) for _, same in groupby(ordered, key=_shape)]
    found = [_beside_what_it_corrects(group, found) for group in found]
    # A glob that would take another group's files is written out instead.
    return tuple(
        group if not _takes_others(group, found) else _named_one_by_one(group)
        for group in sorted(found, key=lambda g: g.names)
    )


def without_dates(name: str) -> str:
    """A name with `?` for each character of its dates, so that it fits the names of later days."""
    return _DATES.sub(lambda found: re.sub(r"\w", "?", found.group()), name)


def _shape(file: SeenFile) -> tuple[str, ...]:
    path = PurePosixPath(without_dates(file.name))
    stem = re.sub(r"[\W_]+", " ", words_of(path.stem))
    stem = re.sub(SENT_AGAIN, "", stem).strip()
    opened = {key: without_dates(value) for key, value in file.settings.items() if key != "encoding"}
    return (str(path.parent), stem, str(file.columns), str(sorted(opened.items())), path.suffix)


def _group(files: list[SeenFile], *, country: str, seen_on: date) -> Group:
    first = files[0]
    settings = {
        **first.settings,
        **{key: without_dates(first.settings[key]) for key in ("members",) if key in first.settings},
    }
    others = [file.settings["encoding"] for file in files if "encoding" in file.settings]
    if others:
        # What is plain ASCII in one drop is read by the encoding of the others.
        settings["encoding"] = others[0]
    rows = pl.concat([file.rows for file in files]) if len(files) > 1 else first.rows
    of_one_file = _longest([file.rows.height for file in files])
    columns = profiles(rows, of_one_file=of_one_file)
    return Group(
        names=tuple(file.name for file in files),
        sent_as=tuple(dict.fromkeys(file.sent_as for file in files)),
        files=tuple(dict.fromkeys(without_dates(file.sent_as) for file in files)),
        folder=_folder(first.sent_as),
        settings=_with_decimal(settings, columns.values()),
        corrects=any(re.search(CORRECTIONS, words_of(PurePosixPath(file.name).stem)) for file in files),
        lines=rows.height,
        rows=rows,
        of_one_file=of_one_file,
        profiles=columns,
        telling=telling_columns(columns, country=country, seen_on=seen_on),
        trouble=first.trouble,
    )


def _beside_what_it_corrects(group: Group, groups: Sequence[Group]) -> Group:
    """A few corrections show little of what a column is; the files that they correct show it."""
    if not group.corrects:
        return group
    for other in groups:
        if not other.corrects and other.folder == group.folder and other.rows.columns == group.rows.columns:
            rows = pl.concat([other.rows, group.rows])
            columns = profiles(rows, of_one_file=other.of_one_file)
            return replace(group, rows=rows, of_one_file=other.of_one_file, profiles=columns, telling=other.telling)
    return group


def _longest(heights: Sequence[int]) -> slice:
    """The rows of the longest of some files that stand one below the other."""
    at = max(range(len(heights)), key=lambda place: heights[place])
    return slice(sum(heights[:at]), sum(heights[: at + 1]))


def _with_decimal(settings: dict[str, str], columns: Iterable[ColumnProfile]) -> dict[str, str]:
    if settings.get("format") in {None, "excel", "spss", "stata"} and any(
        each.share_with_comma > 0.1 and each.share_of_numbers > 0.9 for each in columns
    ):
        return {**settings, "decimal": ","}
    return settings


def _folder(name: str) -> str:
    """The first folder that is no date."""
    return next((part for part in PurePosixPath(name).parent.parts if "?" not in without_dates(part)), "")


def _takes_others(group: Group, groups: Iterable[Group]) -> bool:
    globs = [glob_to_regex(glob) for glob in group.files]
    within = ("members", "sheet")
    others = [
        each
        for each in groups
        if each is not group and all(each.settings.get(k) == group.settings.get(k) for k in within)
    ]
    return any(glob.fullmatch(name) for other in others for name in other.sent_as for glob in globs)


def _named_one_by_one(group: Group) -> Group:
    return replace(group, files=group.sent_as)


def telling_columns(columns: Mapping[str, ColumnProfile], *, country: str, seen_on: date) -> dict[str, tuple[str, ...]]:
    """The columns that seem to hold direct identifiers, with the kinds; dates of birth under their own name aside."""
    found = {}
    for name, profile in columns.items():
        texts = profile.values["value"]
        days = texts.str.contains(f"^(?:{DAY})$")
        worth = texts.filter(~days & (texts.str.len_bytes() >= SHORTEST) & texts.str.contains(PREFILTER))
        kinds = kinds_in(worth, country=country)
        if profile.filled:
            kinds |= kinds_by_header(name)
            if holds_births(texts.filter(days), seen_on=seen_on):
                kinds.add("birth_date")
        if kinds == {"birth_date"} and sureness(name, "birth"):
            continue
        if kinds:
            found[name] = tuple(kind for kind in SPOKEN if kind in kinds)
    return found
