from collections import Counter
from datetime import date, timedelta

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.changed_rows import BEFORE, beside_last, changed_rows, is_comparable, no_changed_rows
from assets.contracts import dictionary
from assets.contracts.registry import TABLES

LAST = date(2026, 11, 20)
NEXT = LAST + timedelta(days=1)
APPOINTMENT, FORM = "staging.attendance", "staging.outcomes"


class Two:
    """Two versions' tables; a row goes into one or both."""

    def __init__(self, folder):
        self.file = folder / "before.duckdb"
        self.now, self.was = duckdb.connect(), duckdb.connect(str(self.file))
        for con in (self.now, self.was):
            for layer in ("staging", "marts", "analysis", "quality"):
                con.execute(f"CREATE SCHEMA {layer}")
            for table in TABLES.values():
                con.execute(dictionary.create_sql(table))

    def empty(self):
        for con in (self.now, self.was):
            for name in ("staging.attendance", "staging.outcomes", "staging.refused_rows", "marts.appointments", "marts.ratings", "quality.run"):  # fmt: skip
                con.execute(f"DELETE FROM {name}")
        put(self.was, "quality.run", data_date=LAST, secret_check="one")  # noqa: S106 -- tells secrets apart, and is none
        put(self.now, "quality.run", data_date=NEXT, secret_check="one")  # noqa: S106 -- tells secrets apart, and is none

    def changed(self):
        self.was.close()
        with beside_last(self.now, self.file):
            assert is_comparable(self.now)
            found = self.now.sql(changed_rows())
            rows = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
        self.was = duckdb.connect(str(self.file))
        return rows

    def reasons(self):
        rows = self.changed()
        assert max(Counter((row["table_name"], row["row_key"]) for row in rows).values(), default=1) == 1
        return {row["row_key"]: row["reason"] for row in rows}


def put(con, table, **row):
    con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' for _ in row)})", list(row.values()))


@pytest.fixture(scope="module")
def versions(tmp_path_factory):
    return Two(tmp_path_factory.mktemp("two"))


@pytest.fixture
def two(versions):
    versions.empty()
    return versions


def booked(con, name, *, on=LAST, status="attended", line=2, file="a.csv", site="north", clinician="k1"):
    row = {"appointment_id": name, "starts_on": on, "status": status, "source_file": file, "source_line": line}
    put(con, APPOINTMENT, case_id="c1", clinician_id=clinician, site=site, **row)
    put(con, "marts.appointments", appointment_id=name, site=site, clinician_id=clinician)


def filled(con, name, items, *, on=LAST):
    put(con, FORM, instrument="PHQ-9", rating_id=name, client_id="c1", case_id="c1", completed_on=on, items=items, source_file="f", source_line=3)  # fmt: skip
    put(con, "marts.ratings", instrument="PHQ-9", rating_id=name, site="north", clinician_id="k1")


def refuse(con, *, line, file_number=1):
    put(con, "staging.refused_rows", feed="attendance", file="a.csv", file_number=file_number, mapping=0, line=line, rule="r", reason="x")  # fmt: skip


def test_a_row_of_a_day_after_the_last_data_date_is_new_and_one_of_a_day_before_is_late(two):
    booked(two.now, "new", on=NEXT)
    booked(two.now, "late", on=LAST)
    assert two.reasons() == {"new": "new", "late": "late"}


def test_a_row_that_says_something_else_is_corrected_whatever_its_day(two):
    booked(two.was, "a", on=LAST)
    booked(two.now, "a", on=NEXT, status="did_not_attend")
    filled(two.was, "r", [1.0, None])
    filled(two.now, "r", [1.0, 2.0])
    assert two.reasons() == {"a": "corrected", "PHQ-9/r": "corrected"}


def test_the_same_row_in_another_file_is_the_same_row(two):
    booked(two.was, "a")
    booked(two.now, "a", file="b.csv", line=9)
    assert two.reasons() == {}


def test_a_row_whose_line_was_refused_until_now_is_admitted_and_one_whose_line_is_refused_now_is_refused(two):
    refuse(two.was, line=7)
    booked(two.now, "healed", line=7)
    booked(two.was, "spoilt", line=8)
    refuse(two.now, line=8)
    assert two.reasons() == {"healed": "admitted", "spoilt": "refused"}


def test_a_line_that_is_still_refused_has_admitted_nothing(two):
    for con in (two.was, two.now):
        refuse(con, line=7)
    booked(two.now, "a", line=7)
    assert two.reasons() == {"a": "late"}


def test_a_day_that_has_come_admits_nothing_but_is_new(two):
    refuse(two.was, line=7)
    booked(two.now, "a", line=7, on=NEXT)
    assert two.reasons() == {"a": "new"}


def test_a_row_that_is_gone_without_a_refusal_is_withdrawn(two):
    booked(two.was, "a")
    assert two.reasons() == {"a": "withdrawn"}


def test_a_row_that_changed_hands_is_told_with_both(two):
    booked(two.was, "a", site="north", clinician="k1")
    booked(two.now, "a", site="south", clinician="k2")
    [row] = two.changed()
    assert (row["site"], row["site_before"], row["clinician_id"], row["clinician_id_before"]) == (
        "south",
        "north",
        "k2",
        "k1",
    )
    assert (row["day"], row["case_id"], row["instrument"]) == (LAST, "c1", None)


def test_versions_of_two_secrets_can_not_be_compared(two):
    two.now.execute("UPDATE quality.run SET secret_check = 'two'")
    two.was.close()
    with beside_last(two.now, two.file):
        assert not is_comparable(two.now)
    two.was = duckdb.connect(str(two.file))


def test_nor_can_one_whose_rows_had_other_columns(two, tmp_path):
    older = tmp_path / "older.duckdb"
    with duckdb.connect(str(older)) as con:
        con.execute("CREATE SCHEMA quality")
        con.execute(dictionary.create_sql(TABLES["quality.run"]))
    with beside_last(two.now, older):
        assert not is_comparable(two.now)


def test_a_first_night_has_no_changed_row_in_the_promised_columns(two):
    promised = [column.name for column in TABLES["quality.changed_rows"].columns]
    assert two.now.sql(no_changed_rows()).columns == promised
    assert two.now.sql(no_changed_rows()).fetchall() == []
    two.was.close()
    with beside_last(two.now, two.file):
        assert sorted(two.now.sql(changed_rows()).columns) == sorted(promised)
    two.was = duckdb.connect(str(two.file))
    assert BEFORE not in {row[0] for row in two.now.sql("SELECT database_name FROM duckdb_databases()").fetchall()}


STANDING = st.dictionaries(
    st.sampled_from("abcdef"), st.tuples(st.integers(-2, 2), st.sampled_from(["attended", "late_not_seen"]))
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STANDING, STANDING)
def test_every_row_that_differs_is_listed_once_with_the_reason_that_a_look_at_both_gives(versions, before, now):
    versions.empty()
    for con, rows in ((versions.was, before), (versions.now, now)):
        for name, (days, status) in rows.items():
            booked(con, name, on=LAST + timedelta(days=days), status=status)
    expected = {}
    for name in before.keys() | now.keys():
        if name not in now:
            expected[name] = "withdrawn"
        elif name not in before:
            expected[name] = "new" if now[name][0] > 0 else "late"
        elif before[name] != now[name]:
            expected[name] = "corrected"
    assert versions.reasons() == expected
