"""Which column of a file is which column of a contract, by its name and by what its values look like.

Belongs here: the choice of one column for one role, and how sure it is. Does not belong here: names and words themselves
(`synonyms`), and what only other files can tell (`links`).
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import polars as pl

from assets.contracts.staging_sql import LONGEST_LABEL
from assets.contracts.vocabulary import MODALITIES, STATUSES
from assets.feeds.proposal.drafts import Group
from assets.feeds.proposal.profile import ColumnProfile, share_unique
from assets.feeds.proposal.synonyms import NATIONAL_CODES, meaning, sureness, words_of

_NEARLY_ALL: Final = 0.97
_MOST: Final = 0.5
_TELLS: Final = 0.99
_LONGEST_CODE: Final = 64
_LABELS_AT_MOST: Final = 300

Fits = Callable[[ColumnProfile], bool]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The column taken for a role.

    Attributes:
        column: its name; None where there is none or where two are alike.
        rivals: the columns that are alike where two are.
    """

    column: str | None = None
    rivals: tuple[str, ...] = ()


def choose(group: Group, role: str, *, fits: Fits, without: Collection[str] = (), at_least: int = 1) -> Choice:
    """The column whose name means a role most surely, of those whose values may be one.

    Two columns of like names are told apart only where the values of one say the same as the other's, line by line, or
    where one is filled far more often.
    """
    sure = {
        name: found
        for name, profile in group.usable.items()
        if name not in without and (found := sureness(name, role)) >= at_least and profile.filled and fits(profile)
    }
    best = [name for name, found in sure.items() if found == max(sure.values())]
    if len(best) > 1:
        full = sorted(best, key=lambda name: -group.profiles[name].share_filled)
        if group.profiles[full[0]].share_filled > 2 * group.profiles[full[1]].share_filled:
            best = full[:1]
    if len(best) > 1 and all(bool((group.rows[best[0]] == group.rows[other]).all()) for other in best[1:]):
        best = best[:1]
    if len(best) > 1:
        return Choice(rivals=tuple(best))
    return Choice(column=best[0]) if best else Choice()


def only_day(group: Group, *, fits: Fits, without: Collection[str]) -> Choice:
    """The one column of days in a file, whatever it is called, where there is one; a date of birth is none."""
    days = [
        name
        for name, profile in group.usable.items()
        if name not in without and not sureness(name, "birth") and is_day(profile) and fits(profile)
    ]
    return Choice(column=days[0]) if len(days) == 1 else Choice()


def is_code(profile: ColumnProfile) -> bool:
    """Whether values may name people, things or bookings: short, and no moments or measurements."""
    has_fractions = profile.share_of_numbers > _MOST and profile.share_within(-1e15, 1e15, decimals=0) < _NEARLY_ALL
    return profile.longest <= _LONGEST_CODE and not has_fractions and profile.moments is None


def is_key(profile: ColumnProfile) -> bool:
    """Whether values are codes of which nearly every one stands once, as a row's own key does."""
    return is_code(profile) and profile.share_filled >= _NEARLY_ALL and profile.share_distinct >= _NEARLY_ALL


def is_shared_code(profile: ColumnProfile) -> bool:
    """Whether values are codes that come again."""
    return is_code(profile) and (profile.share_distinct < 0.9 or profile.filled < 10)


def is_label(profile: ColumnProfile) -> bool:
    """Whether values are a list of names of kinds, none longer than a label may be."""
    few = profile.distinct <= min(_LABELS_AT_MOST, max(5, profile.filled // 3))
    return few and profile.longest <= LONGEST_LABEL and profile.moments is None


def is_day(profile: ColumnProfile) -> bool:
    """Whether values are days or moments, enough of them that those which are not may be mistakes."""
    return profile.moments is not None and profile.moments.read >= _NEARLY_ALL * profile.filled


def has_whole_years(profile: ColumnProfile) -> bool:
    """Whether years have their century, without which a birth may lie a hundred years off."""
    return profile.moments is not None and "%y" not in profile.moments.day


def has_clock(profile: ColumnProfile) -> bool:
    """Whether values are moments with a time of day."""
    return profile.moments is not None and bool(profile.moments.clock)


def is_duration(profile: ColumnProfile) -> bool:
    """Whether values are whole minutes that a session may take."""
    minutes = profile.share_within(5, 600, decimals=0)
    return minutes >= _NEARLY_ALL


def is_decile(profile: ColumnProfile) -> bool:
    """Whether values are whole numbers from 1 to 10."""
    return profile.share_within(1, 10, decimals=0) >= _NEARLY_ALL


def is_age_band(profile: ColumnProfile) -> bool:
    """Whether values are few and none is a bare age."""
    bare = profile.share_within(0, 130, decimals=0)
    return is_label(profile) and profile.distinct <= 20 and bare < 0.2


def known_words(profile: ColumnProfile, column: str) -> dict[str, str | None]:
    """Each word of a column with the contract's, None where the table does not know it; nothing where words are many.

    The NHS Data Dictionary's numbers for attendance are taken for such under their own name alone.
    """
    name, codes = NATIONAL_CODES
    own = {"status": STATUSES, "modality": MODALITIES}.get(column, ())
    if column == "status" and _is_called(profile.name, name) and set(profile.words) <= {*codes, "0"}:
        return {**codes, **{said: codes.get(said) for said in profile.words}}
    return {said: said if said in own else meaning(column, said) for said in profile.words}


def share_known(profile: ColumnProfile, column: str) -> float:
    """The part of a column's filled values whose word is known."""
    known = sum(profile.words.get(said, 0) for said, meant in known_words(profile, column).items() if meant is not None)
    return known / profile.filled if profile.filled else 0.0


def choose_words(group: Group, role: str, *, least_known: float, without: Collection[str]) -> Choice:
    """The column whose words are those of a closed vocabulary; by its words first, by its name among like ones."""
    scores = {
        name: (round(share_known(profile, role), 1), sureness(name, role))
        for name, profile in group.usable.items()
        if name not in without and profile.words and profile.filled
    }
    able = {
        name: found
        for name, found in scores.items()
        if (found[0] >= least_known and found[1])
        or (found[0] >= 0.9 and _tells_by_itself(group.profiles[name], role))
        or (found[1] == 3 and role == "status")
    }
    # A name that means the role outright weighs more than a few more known words.
    best = [name for name, found in able.items() if _weight(found) == max(map(_weight, able.values()))]
    return Choice(column=best[0]) if len(best) == 1 else Choice(rivals=tuple(best))


def _tells_by_itself(profile: ColumnProfile, role: str) -> bool:
    """Whether words are a vocabulary's whatever the column is called; a yes, or one word alone, may be anything's."""
    return len({meant for meant in known_words(profile, role).values() if meant is not None}) > 1


def _weight(score: tuple[float, int]) -> float:
    return score[0] + score[1] / 2


def belongs_to_one(rows: pl.DataFrame, part: str, whole: str) -> bool:
    """Whether nearly every value of one column goes with one value of another, as an episode with its client."""
    pairs = rows.select(part, whole).drop_nulls()
    if pairs.is_empty():
        return False
    return pairs[part].n_unique() / pairs.n_unique() >= _NEARLY_ALL


def names_each_line(rows: pl.DataFrame, columns: list[str]) -> bool:
    """Whether some columns together stand on nearly no two lines of one file alike."""
    return share_unique(rows, columns) >= _TELLS


def _is_called(name: str, pattern: str) -> bool:
    return bool(re.fullmatch(pattern, words_of(name)))
