import random
import re
from datetime import date

import pytest

from assets.feeds.direct_identifiers import PREFILTER, holds_births, kinds_by_header, kinds_in

# Made up, or set aside for examples: Ofcom's numbers for drama, NHS number 943 476 5919 of the NHS's own examples.
TELLING = {
    "jo.bloggs@example.org": "email",
    "please write to Jo_B+x@mail.example.co.uk today": "email",
    "call 07700 900123": "phone",
    "07700900123": "phone",
    "+44 7700 900123": "phone",
    "(020) 7946 0958": "phone",
    "+49 30 901820": "phone",
    "NHS no 943 476 5919": "nhs_number",
    "943-476-5919": "nhs_number",
    "nhs 9434765919": "nhs_number",
    "9434765919": "nhs_number",
    "536-90-4399": "social_security_number",
    "AB 12 34 56 C": "social_security_number",
    "lives at SW1A 1AA": "postcode",
    "sw1a 1aa": "postcode",
    "DOB: 03/04/1980": "birth_date",
    "born 3 March 1980, moved since": "birth_date",
    "geb. 03.04.1980": "birth_date",
    "Mr Smith rang": "name",
    "asked for Sarah Jones": "name",
    "her name is Zelda": "name",
}
ORDINARY = [
    *("café closed, moved room", "ran over", "naïve query re homework", "Adult CBT", "Victoria Road Clinic", "Room 12 3AB"),
    *("2026-03-02 10:00:00", "02/03/2026", "2026-03-02", "A700001", "EN50001", "NO-10001", "30-39", "10 8 6 0 4 5 3 2 1"),
    *("943 476 5918", "ref 1234567890", "666-12-3456", "Monday Group", "psychologist", "5,1", "in_person", "https://x.org"),
]  # fmt: skip


@pytest.mark.parametrize("value", TELLING)
def test_what_tells_who_somebody_is_is_known_for_what_it_is(value):
    assert TELLING[value] in kinds_in([value], country="GB")


@pytest.mark.parametrize("value", TELLING)
def test_nothing_that_tells_is_passed_over_by_the_quick_look(value):
    assert re.search(PREFILTER.replace(r"\p{Lu}", "[A-Z]").replace(r"\p{L}", "a-zA-Z"), value)


@pytest.mark.parametrize("value", ORDINARY)
def test_what_clinics_write_every_day_is_not_taken_for_it(value):
    assert kinds_in([value], country="GB") == set()


def test_ten_digit_codes_of_which_some_pass_by_chance_are_no_nhs_numbers():
    draw = random.Random(5)  # noqa: S311 -- codes, no secret
    codes = {str(draw.randrange(10**9, 10**10)) for _ in range(500)}
    assert kinds_in(codes, country="GB") == set()
    assert kinds_in(codes | {"943 476 5919"}, country="GB") == {"nhs_number"}


def test_a_country_looks_for_its_own_numbers():
    assert kinds_in(["111222333"], country="NL") == {"social_security_number"}
    assert kinds_in(["111222333"], country="GB") == set()
    assert kinds_in(["202-555-0143"], country="US") == {"phone"}


@pytest.mark.parametrize(
    ("header", "kinds"),
    [("Surname", {"name"}), ("FirstName", {"name"}), ("client_name", {"name"}), ("DOB", {"birth_date"})]
    + [("Geburtsdatum", {"birth_date"}), ("Address Line 1", {"address"})]
    + [(name, set()) for name in ("Client", "site name", "filename", "Status", "Notes", "starts_on")],
)  # fmt: skip
def test_a_columns_name_may_say_what_it_holds(header, kinds):
    assert kinds_by_header(header) == kinds


def test_days_long_ago_are_births_and_days_of_late_are_not():
    assert holds_births(["1980-04-03", "12/11/1964", "2001-01-31"], seen_on=date(2026, 11, 20))
    assert not holds_births(["2024-04-03", "2019-11-12", "2001-01-31"], seen_on=date(2026, 11, 20))
    assert not holds_births(["1900-01-01"] * 3, seen_on=date(2026, 11, 20))
    assert not holds_births(["1980-04-03"], seen_on=date(2026, 11, 20))
