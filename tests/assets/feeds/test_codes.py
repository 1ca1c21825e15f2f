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


@given(cases=st.lists(st.none() | st.sampled_from(["1", "2", "it's"]) | TEXTS, min_size=1, max_size=12))
def test_an_identifier_that_stands_on_many_lines_is_coded_as_each_of_them_would_be(cases):
    rows = "SELECT line, case_id, case_id AS episode_id, 'F' || line AS rating_id FROM sent"
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE sent AS SELECT unnest(range(?)) AS line, unnest(?::VARCHAR[]) AS case_id", [len(cases), cases]
        )
        columns, often = ["line", "case_id", "episode_id", "rating_id"], {"case_id", "episode_id"}
        with CODES.coded(con, rows, columns=columns, repeating=often) as coded:
            found = con.execute(coded).fetchall()
        left = con.sql("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    expected = [
        (
            line,
            None if case is None else CODES.code("case_id", case),
            None if case is None else CODES.code("episode_id", case),
            CODES.code("rating_id", f"F{line}"),
        )
        for line, case in enumerate(cases)
    ]
    assert found == expected
    assert left == []


def test_a_statement_that_fails_leaves_neither_keys_nor_identifiers_behind():
    with duckdb.connect() as con:
        sent = "SELECT 'C1' AS case_id"
        with (
            pytest.raises(ZeroDivisionError),
            CODES.coded(con, sent, columns=["case_id"], repeating={"case_id"}),
        ):
            raise ZeroDivisionError
        assert con.sql("SELECT count(*) FROM duckdb_variables()").fetchall() == [(0,)]
        assert con.sql("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall() == []
        optimizers = "SELECT value FROM duckdb_settings() WHERE name = 'disabled_optimizers'"
        assert con.sql(optimizers).fetchall() == [("",)]
