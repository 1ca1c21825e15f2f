"""What would tell who somebody is: e-mail addresses, telephone, NHS and social security numbers, postcodes, births, names.

Belongs here: what a value or a column's name looks like, and how many such values make a column one that holds them. Does
not belong here: which columns of a file are looked at, and what happens then (`identifier_search`).

Numbers are told from other codes by their check digits and by how they are written. An identifier written as people write
it (grouped, with a country's prefix, beside the letters NHS) counts by itself. A bare run of digits counts only where at
least half of the column's bare runs of that form pass the check: of arbitrary ten-digit codes one in eleven passes for an
NHS number. Names are found after a title, after "name is" and its like, and as a common given name followed by another capitalised word
that names no place; a name written without capitals, or a rare given name alone, is not found.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from importlib import import_module
from typing import Final

SPOKEN: Final = {
    "email": "e-mail addresses",
    "phone": "telephone numbers",
    "nhs_number": "NHS numbers",
    "social_security_number": "social security numbers",
    "postcode": "postcodes",
    "birth_date": "dates of birth",
    "name": "personal names",
    "address": "home addresses",
}
# Every value that `_marks` can find something in matches this, in the dialect of RE2; most others do not.
PREFILTER: Final = (
    r"@|[0-9](?:[ ().\-]{0,2}[0-9]){8}|[A-Za-z]{1,2}[0-9][0-9A-Za-z]? ?[0-9][A-Za-z]{2}"
    r"|[A-Za-z]{2} ?(?:[0-9]{2} ?){3}[A-Za-z]|\p{Lu}[\p{L}'\-]*\.? +\p{Lu}|(?i:born|birth|\bdob\b|d\.o\.b|geb\.|geboren|\bname)|[A-Z]{2}[0-9]{2}|[0-9]{7}[A-Z]|[0-9]{6}[-+][0-9]"
)
SHORTEST: Final = 5
# A whole value that is a day, and perhaps a moment of it.
DAY: Final = r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{4})(?:[ T][0-9:.,+\-Z ]*)?"
FEWEST_DAYS: Final = 3
YEARS_AGO: Final = 15

_EMAIL = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.])(?:\+ ?|00|\()?[0-9(][0-9 ().-]{6,18}[0-9](?![\w])")
_TEN = re.compile(r"(?<![\w-])([0-9]{3})([ -]?)([0-9]{3})\2([0-9]{4})(?![\w-])")
_SSN = re.compile(r"(?<![\w-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])")
_NATIONAL_INSURANCE = re.compile(
    r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?(?:[0-9]{2} ?){3}[A-D](?!\w)"
)
_AREAS_WORDS = """
AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL
GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX
PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN
WR WS WV YO ZE
"""
_AREAS = frozenset(_AREAS_WORDS.split())
_POSTCODE = re.compile(
    rf"(?<!\w)(?:{'|'.join(sorted(_AREAS))})[0-9][0-9A-Z]?( ?)[0-9][ABD-HJLNP-UW-Z]{{2}}(?!\w)", re.IGNORECASE
)
_BIRTH = re.compile(
    r"\b(?:d\.?o\.?b\.?|date of birth|birth ?da(?:y|te)|born(?: on)?|geb\.|geboren(?: am)?)\W{0,4}"
    r"[0-9]{1,4}(?:[-/. ][0-9]{1,2}[-/. ][0-9]{2,4}|(?:st|nd|rd|th)? [A-Za-zäé]{3,9}\.? [0-9]{4})",
    re.IGNORECASE,
)
_NAME_PART = r"[A-ZÀ-Þ][a-zß-ÿ'\u2019-]{2,}"
_TITLED = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Herr|Frau|Mme|Monsieur)\.? +({_NAME_PART})")
_TOLD = re.compile(rf"\b(?:[Nn]ame is|[Nn]ame:|[Nn]amed|[Kk]nown as) +({_NAME_PART})(?: +{_NAME_PART})?")
_PAIR = re.compile(rf"(?<!\w)({_NAME_PART}) +(?:[A-Z]\.? +)?({_NAME_PART})(?!\w)")
_GIVEN_WORDS = """
Aaron Abigail Adam Alan Alexander Alice Alison Amanda Amelia Amy Andrea Andreas Andrew Angela Ann Anna Anne Anthony
Barbara Ben Benjamin Brian Carol Caroline Catherine Charles Charlotte Chloe Chris Christian Christine Christopher
Claire Daniel David Deborah Debra Dennis Diane Donald Donna Edward Elizabeth Ella Emily Emma Eric Ethan Eva Fatima
Fiona Frank Gary George Grace Graham Hannah Harry Heather Helen Henry Ian Isabella Jack Jacob Jacqueline James Jane
Janet Jason Jean Jennifer Jessica Jo Joan Joanne John Jonathan Joseph Joshua Joyce Judith Julia Julie Karen Kate
Katherine Kathleen Keith Kelly Kenneth Kevin Laura Lauren Linda Lisa Louise Lucy Luke Margaret Maria Marie Mark
Martin Mary Matthew Megan Melissa Michael Michelle Mohammed Muhammad Nancy Natalie Nicholas Nicola Olivia Oliver
Pamela Patricia Patrick Paul Paula Peter Philip Rachel Rebecca Richard Robert Roger Ronald Ruth Ryan Samantha Samuel
Sandra Sara Sarah Scott Sharon Simon Sophie Stefan Stephanie Stephen Steven Susan Teresa Thomas Timothy Tracey
Victoria Wendy William Zoe
"""
_GIVEN = frozenset(_GIVEN_WORDS.split())
_PLACES_WORDS = """
Avenue Building Centre Center Clinic College Court Drive Floor Gardens Green Group Hall Hospital House Infirmary
Lane Lodge Office Park Place Practice Road Room School Service Services Site Square Street Suite Surgery Team
Therapy Trust Unit Ward Wing Programme Project Foundation
"""
_PLACES = frozenset(_PLACES_WORDS.split())
_HEADERS: Final = {
    "name": r"(?:first|fore|given|middle|last|sur|family|full|maiden|preferred|known|legal|(?:patient|client|person|pat|contact|kin|parent|carer|guardian)s?)? ?names?"
    r"|surnames?|forenames?|vornamen?|nachnamen?|familienname|prenom|nom|apellidos?|initials",
    "birth_date": r"(?:\w+ )?(?:dob|d o b|date of birth|birth ?date|birth ?day|born(?: on)?|geburtsdatum|geburtstag|date de naissance|geb)",
    "address": r"(?:home |postal |street |client |patient )?address(?: ?(?:line)? ?[0-9])?|street|anschrift|adresse|strasse|straße",
}
# The number that a country gives each person, in python-stdnum; told from codes by its check digits and the share that pass.
_OF_COUNTRY: Final = {
    "CA": ("stdnum.ca.sin", r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}"),
    "DE": ("stdnum.de.idnr", r"[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}"),
    "DK": ("stdnum.dk.cpr", r"[0-9]{6}-?[0-9]{4}"),
    "ES": ("stdnum.es.dni", r"[0-9]{8}[A-Z]"),
    "FI": ("stdnum.fi.hetu", r"[0-9]{6}[-+A][0-9]{3}[0-9A-Z]"),
    "FR": ("stdnum.fr.nir", r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9AB]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
    "IE": ("stdnum.ie.pps", r"[0-9]{7}[A-W][A-IW]?"),
    "IT": ("stdnum.it.codicefiscale", r"[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]"),
    "NL": ("stdnum.nl.bsn", r"[0-9]{9}"),
    "NO": ("stdnum.no.fodselsnummer", r"[0-9]{6} ?[0-9]{5}"),
    "SE": ("stdnum.se.personnummer", r"[0-9]{6}(?:[0-9]{2})?[-+][0-9]{4}"),
}


def kinds_by_header(header: str) -> set[str]:
    """What a column's name says that it holds, of names, dates of birth and addresses."""
    words = re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", header)).strip().casefold()
    return {kind for kind, pattern in _HEADERS.items() if re.fullmatch(pattern, words)}


def kinds_in(values: Iterable[str], *, country: str) -> set[str]:
    """What a column's values are found to hold.

    Args:
        values: those distinct ones that match `PREFILTER`.
        country: ISO 3166 alpha-2, whose telephone numbers and social security numbers are looked for beside the others.
    """
    found: set[str] = set()
    passed: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for value in values:
        for kind, is_bare, passes in _marks(value, country):
            if not is_bare and passes:
                found.add(kind)
            elif is_bare:
                (passed if passes else failed)[kind] += 1
    return found | {kind for kind, count in passed.items() if count >= failed[kind]}


def holds_births(days: Iterable[str], *, seen_on: date) -> bool:
    """Whether a column's whole values are mostly days so long ago that they are births and not what a service did."""
    years = [int(found.group()) for day in days if (found := re.search(r"(?<![0-9])[0-9]{4}(?![0-9])", day))]
    long_ago = sum(1900 < year <= seen_on.year - YEARS_AGO for year in years)
    return len(years) >= FEWEST_DAYS and long_ago * 2 >= len(years)


def _marks(value: str, country: str) -> Iterator[tuple[str, bool, bool]]:
    """What a value has of the form of an identifier: its kind, whether it is a bare run, whether it passes the check."""
    if "@" in value and _EMAIL.search(value):
        yield "email", False, True
    if _BIRTH.search(value):
        yield "birth_date", False, True
    if _has_a_name(value):
        yield "name", False, True
    for postcode in _POSTCODE.finditer(value):
        yield "postcode", not postcode.group(1), True
    if _NATIONAL_INSURANCE.search(value):
        yield "social_security_number", False, True
    # A moment is digits and dashes too.
    if not re.fullmatch(DAY, value):
        yield from _marks_of_numbers(value, country)


def _marks_of_numbers(value: str, country: str) -> Iterator[tuple[str, bool, bool]]:
    from stdnum.gb import nhs  # noqa: PLC0415 - loaded where a file has something to look at
    from stdnum.us import ssn  # noqa: PLC0415

    for ten in _TEN.finditer(value):
        is_bare = not ten.group(2) and not re.search(r"(?i)\bnhs\b", value)
        yield "nhs_number", is_bare, bool(nhs.is_valid(ten.group()))
    for nine in _SSN.finditer(value):
        if ssn.is_valid(nine.group()):
            yield "social_security_number", False, True
    if country in _OF_COUNTRY:
        module, pattern = _OF_COUNTRY[country]
        for number in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", value):
            yield "social_security_number", True, bool(import_module(module).is_valid(number.group()))
    for phone in _PHONE.finditer(value):
        yield from _marks_of_a_phone(phone.group(), country)


def _marks_of_a_phone(written: str, country: str) -> Iterator[tuple[str, bool, bool]]:
    import phonenumbers  # noqa: PLC0415 - as above

    digits = re.sub(r"[^0-9]", "", written)
    is_american = country in {"US", "CA"} and bool(re.fullmatch(r"\(?[0-9]{3}\)?[ .-][0-9]{3}[ .-][0-9]{4}", written))
    if not (written.startswith(("+", "0", "(")) or is_american):
        return
    try:
        number = phonenumbers.parse(written, country)
    except phonenumbers.NumberParseException:
        return
    # Britain's numbers for drama are given out to nobody, and stand in examples and tests for those that are.
    is_for_drama = bool(re.match(r"(?:44|0|0044)(?:7700900|1632960)", digits))
    is_bare = written == digits and not digits.startswith("00")
    yield "phone", is_bare, is_for_drama or bool(phonenumbers.is_valid_number(number))


def _has_a_name(value: str) -> bool:
    if any(found.group(1) not in _PLACES for pattern in (_TITLED, _TOLD) for found in pattern.finditer(value)):
        return True
    for pair in _PAIR.finditer(value):
        given, family = pair.groups()
        after = value[pair.end() :].split(maxsplit=1)
        is_place = family in _PLACES or bool(after and after[0].strip(",.") in _PLACES)
        if given in _GIVEN and not is_place:
            return True
    return False
