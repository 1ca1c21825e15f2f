import hashlib
import hmac

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.contracts.model import Kind
from assets.contracts.staging import FEEDS
from assets.feeds.codes import Codes

SECRET = bytes(range(32))
CODES = Codes(secret=SECRET, rekeys_clinicians=False)
ALL = Codes(secret=SECRET, rekeys_clinicians=True)


def by_hand(letter: str, identifier: str, secret: bytes = SECRET) -> str:
    """RFC 2104 written out."""
    key = (hashlib.sha256(secret).digest() if len(secret) > 64 else secret).ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key) + f"{letter}:{identifier}".encode()).digest()
    return letter + hashlib.sha256(bytes(byte ^ 0x5C for byte in key) + inner).hexdigest()[:16]


def in_duckdb(codes: Codes, column: str, texts: list[str | None]) -> list[str | None]:
    with duckdb.connect() as con, codes.lent_to(con):
        given = con.execute(f"SELECT {codes.sql(column, 'sent')} FROM (SELECT unnest(?::VARCHAR[]) AS sent)", [texts])
        return [row[0] for row in given.fetchall()]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=120)


@given(texts=st.lists(TEXTS, min_size=1, max_size=8), secret=st.binary(min_size=32, max_size=100))
def test_python_and_duckdb_give_the_codes_that_rfc_2104_does(texts, secret):
    codes = Codes(secret=secret, rekeys_clinicians=False)
    expected = [by_hand("c", text, secret) for text in texts]
    assert in_duckdb(codes, "client_id", texts) == expected
    assert [codes.code("client_id", text) for text in texts] == expected


def test_the_digest_is_that_of_the_standard_library():
    assert CODES.code("rating_id", "F1") == "r" + hmac.new(SECRET, b"r:F1", "sha256").hexdigest()[:16]


def test_what_is_missing_stays_missing():
    assert in_duckdb(CODES, "case_id", [None, "C1"]) == [None, CODES.code("case_id", "C1")]


def test_a_case_of_one_client_has_that_clients_code_and_other_kinds_have_others():
    kinds = ("client_id", "case_id", "episode_id", "appointment_id", "rating_id")
    codes = {kind: CODES.code(kind, "1") for kind in kinds}
    assert codes["client_id"] == codes["case_id"]
    assert len({code[1:] for code in codes.values()}) == 4


def test_no_code_can_be_taken_for_a_number_or_a_formula():
    assert all(ALL.code(column, "1")[0] in "acekr" for column in ALL.letters)


@pytest.mark.parametrize("feed", FEEDS, ids=lambda feed: feed.name)
def test_every_identifier_of_a_person_or_of_what_happened_to_one_is_re_keyed(feed):
    names = {column.name for column in feed.delivered if column.kind is Kind.IDENTIFIER}
    assert names - {"instrument"} <= set(ALL.letters)
    assert names - set(CODES.letters) <= {"clinician_id", "instrument"}


def test_staff_codes_stay_unless_the_clinic_wants_them_re_keyed():
    assert CODES.code("clinician_id", "N007") == "N007"
    assert CODES.sql("clinician_id", "sent") == "sent"
    assert ALL.code("clinician_id", "N007") == by_hand("k", "N007")


def test_neither_the_secret_nor_its_keys_are_shown_or_left_on_the_connection():
    assert SECRET.hex() not in repr(CODES)
    assert str(SECRET) not in repr(CODES)
    with duckdb.connect() as con:
        with CODES.lent_to(con):
            assert "0x" not in CODES.sql("client_id", "sent")
        assert con.sql("SELECT count(*) FROM duckdb_variables()").fetchall() == [(0,)]
