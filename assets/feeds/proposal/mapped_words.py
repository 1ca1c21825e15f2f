"""A column of words from a closed vocabulary, each with the contract's word for it.

Belongs here: writing the words out, and which are left to the clinic. Does not belong here: the table of words (`synonyms`).
Words are written only where they are few and say nothing of anybody.
"""

import re
from typing import Final

from assets.feeds.direct_identifiers import kinds_in
from assets.feeds.proposal.drafts import COLUMNS, Draft, Line
from assets.feeds.proposal.roles import known_words, share_known
from assets.feeds.proposal.synonyms import NOT_MISSED_BY_ANYBODY, STILL_TO_COME, words_of

_LONGEST: Final = 60
_FEWEST_TIMES: Final = 2


def put_words(draft: Draft, key: str, column: str) -> None:
    """Map a contract column to a source column with its words.

    A status that the table does not know is left out, so that its lines are refused until the clinic says what it means;
    a modality that it does not know is another one; of an ending nothing is mapped until every word is known.
    """
    profile = draft.group.profiles[column]
    known = known_words(profile, key)
    unknown = {said: profile.words[said] for said, meant in known.items() if meant is None}
    share = share_known(profile, key)
    why = f"{share:.0%} of {profile.filled:,} values are words that are known" if unknown else "every word is known"
    is_active = not unknown or key != "end_reason"
    line = Line(
        key=key,
        value=column,
        why=why,
        is_active=is_active,
        settle="" if is_active else "say below what each word means",
    )
    draft.put(COLUMNS, line)
    words = f"words.{key}"
    contract = draft.feed.table.column(key).words
    for said, meant in known.items():
        if meant is not None and said != meant:
            why_word = f"{profile.words.get(said, 0):,} lines"
            draft.put(words, Line(key=said, value=meant, why=why_word, is_active=is_active))
    for said, times in unknown.items():
        if may_be_written(said, times):
            draft.put(words, _unknown(key, said, times, contract=contract))


def _unknown(key: str, said: str, times: int, *, contract: tuple[str, ...]) -> Line:
    plain = words_of(said)
    if key == "modality":
        return Line(key=said, value="other", settle=f"{times:,} lines; one of {', '.join(contract)}")
    if key == "status" and re.fullmatch(STILL_TO_COME, plain):
        return Line(
            key=said,
            value="",
            why=f"{times:,} lines of appointments still to come, refused until they have",
            is_active=False,
        )
    if key == "status" and re.fullmatch(NOT_MISSED_BY_ANYBODY, plain):
        return Line(key=said, value="", why=f"{times:,} lines of no appointment, refused", is_active=False)
    return Line(key=said, value="", settle=f"{times:,} lines; one of {', '.join(contract)}", is_active=False)


def may_be_written(said: str, times: int) -> bool:
    """Whether a word is one of a list and tells of nobody."""
    return len(said) <= _LONGEST and times >= _FEWEST_TIMES and not kinds_in([said], country="GB")
