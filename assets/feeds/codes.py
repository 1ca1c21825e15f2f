"""Identifiers as codes: what a record system calls someone or something never stands beyond landing.

Belongs here: which columns are re-keyed and how one identifier becomes its code, in Python and in DuckDB's SQL. Does not
belong here: where the secret is kept (`secret`) or when a column is read (`reading`).

A code is a letter for the kind of thing, then the first 16 hexadecimal digits of HMAC-SHA256 (Krawczyk, Bellare and
Canetti, 1997, RFC 2104) over the letter, a colon and the identifier, under the clinic's secret. Equal identifiers of one
kind have equal codes in every feed and on every night, so joins hold. Of a million identifiers of one kind two share a
code with a probability of 3 in 100 million, of ten million with 3 in a million (n squared / 2 to the 65th).
"""

import hashlib
import hmac
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import duckdb

DIGITS: Final = 16
# A case of one client is that client, so the two are one kind.
_LETTERS: Final = {"client_id": "c", "case_id": "c", "episode_id": "e", "appointment_id": "a", "rating_id": "r"}
_CLINICIAN: Final = {"clinician_id": "k"}
_BLOCK: Final = 64
_INNER, _OUTER = "rapport_inner_key", "rapport_outer_key"
_TABLE: Final = "rapport_codes"


@dataclass(frozen=True, kw_only=True)
class Codes:
    """How one clinic's identifiers are written beyond landing.

    Attributes:
        secret: at least 32 bytes, known to the clinic alone; never shown.
        rekeys_clinicians: whether clinicians are re-keyed too, so that no page names the staff code a director knows.
    """

    secret: bytes = field(repr=False)
    rekeys_clinicians: bool

    @property
    def letters(self) -> dict[str, str]:
        """Each column that is re-keyed, with the letter that its codes begin with."""
        return {**_LETTERS, **(_CLINICIAN if self.rekeys_clinicians else {})}

    def code(self, column: str, identifier: str) -> str:
        """The code of one identifier of a column; the identifier itself where the column is not re-keyed."""
        letter = self.letters.get(column)
        if letter is None:
            return identifier
        digest = hmac.digest(self.secret, f"{letter}:{identifier}".encode(), "sha256")
        return letter + digest.hex()[:DIGITS]

    def sql(self, column: str, text: str) -> str:
        """The same as SQL over a text, on a connection that the keys are lent to; NULL stays NULL."""
        letter = self.letters.get(column)
        if letter is None:
            return text
        inner = f"unhex(sha256(getvariable('{_INNER}') || encode('{letter}:' || ({text}))))"
        return f"'{letter}' || left(sha256(getvariable('{_OUTER}') || {inner}), {DIGITS})"

    @contextmanager
    def lent_to(self, con: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let a connection's queries code identifiers: the two keys of HMAC are its variables and in no query's text."""
        is_long = len(self.secret) > _BLOCK
        key = (hashlib.sha256(self.secret).digest() if is_long else self.secret).ljust(_BLOCK, b"\0")
        con.execute(f"SET VARIABLE {_INNER} = ?", [bytes(byte ^ 0x36 for byte in key)])
        con.execute(f"SET VARIABLE {_OUTER} = ?", [bytes(byte ^ 0x5C for byte in key)])
        try:
            yield
        finally:
            con.execute(f"RESET VARIABLE {_INNER}")
            con.execute(f"RESET VARIABLE {_OUTER}")

    @contextmanager
    def coded(
        self, con: duckdb.DuckDBPyConnection, rows: str, *, columns: Sequence[str], repeating: Collection[str]
    ) -> Iterator[str]:
        """A SELECT of identifiers as one of their codes, for as long as the block lasts.

        A code takes four rounds of SHA-256, ten times as long as finding one in a table; so an identifier that stands
        on many lines is coded once, at the price of reading the rows twice.

        Args:
            con: a connection on which a temporary table may be made; it is gone at the end.
            rows: a SELECT with `columns`, identifiers as text, that gives the same rows each time.
            columns: all that is asked for, in order.
            repeating: which of them name what many lines are about.
        """
        often = [column for column in columns if column in repeating and column in self.letters]
        with self.lent_to(con):
            if often:
                con.execute(f"CREATE OR REPLACE TEMP TABLE {_TABLE} AS {self._distinct_sql(rows, often)}")
                # DuckDB takes a CSV file for a few rows and would hold all of it to look the codes' table up in.
                con.execute("SET disabled_optimizers = 'build_side_probe_side'")
            found = {column: f"code_{place}.code" for place, column in enumerate(often)}
            listed = ", ".join(
                f"{found.get(column) or self.sql(column, f'sent.{column}')} AS {column}" for column in columns
            )
            joins = "".join(
                f" LEFT JOIN {_TABLE} AS code_{place} ON code_{place}.place = {place} AND code_{place}.sent = sent.{column}"
                for place, column in enumerate(often)
            )
            try:
                yield f"SELECT {listed} FROM ({rows}) AS sent{joins}"
            finally:
                con.execute("RESET disabled_optimizers")
                con.execute(f"DROP TABLE IF EXISTS {_TABLE}")

    def _distinct_sql(self, rows: str, columns: Sequence[str]) -> str:
        """SELECT of each identifier once with its code, and which of the columns it is of; all in one reading."""
        sets = ", ".join(f"({column})" for column in columns)
        places = " ".join(f"WHEN GROUPING({column}) = 0 THEN {place}" for place, column in enumerate(columns))
        codes = " ".join(f"WHEN {place} THEN {self.sql(column, 'sent')}" for place, column in enumerate(columns))
        return (
            f"SELECT place, sent, CASE place {codes} END AS code FROM (SELECT CASE {places} END AS place,"
            f" COALESCE({', '.join(columns)}) AS sent FROM ({rows}) GROUP BY GROUPING SETS ({sets})) WHERE sent IS NOT NULL"
        )
