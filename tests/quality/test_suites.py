from dataclasses import replace

import pytest

from assets.contracts import registry
from assets.contracts.model import Column, Kind, Table
from quality.model import Check, Rule, Severity, Suite
from quality.suites import from_contract, suite_of

TABLE = Table(
    layer="staging",
    name="bookings",
    meaning="Booked slots.",
    key=("booking_id", "site"),
    columns=(
        Column(name="booking_id", kind=Kind.IDENTIFIER, meaning="Names one slot."),
        Column(name="site", kind=Kind.TEXT, meaning="Where.", is_required=False),
        Column(
            name="minutes",
            kind=Kind.INTEGER,
            meaning="How long.",
            unit="minutes",
            minimum=1,
            maximum=60,
            is_required=False,
        ),
        Column(name="share", kind=Kind.NUMBER, meaning="A share.", minimum=0, is_required=False),
        Column(name="status", kind=Kind.WORD, meaning="What became of it", words=("kept", "missed")),
        Column(
            name="clinician_id",
            kind=Kind.IDENTIFIER,
            meaning="Who treats.",
            refers_to="staging.clinicians.clinician_id",
            is_required=False,
        ),
    ),
)


def rule(name: str, table: Table = TABLE) -> Rule:
    return next(rule for rule in from_contract(table) if rule.name == f"{table.name}.{name}")


def test_a_contract_gives_a_rule_for_everything_it_says_and_nothing_more():
    assert [each.name.removeprefix("bookings.") for each in from_contract(TABLE)] == [
        "columns",
        "booking_id.type",
        "booking_id.not_missing",
        "site.type",
        "site.not_missing",
        "minutes.type",
        "minutes.range",
        "share.type",
        "share.range",
        "status.type",
        "status.not_missing",
        "status.vocabulary",
        "clinician_id.type",
        "clinician_id.reference",
        "key",
    ]


def test_meanings_are_made_of_the_columns_own_words():
    assert rule("minutes.range").meaning == "`minutes` is between 1 and 60 minutes. How long."
    assert rule("share.range").meaning == "`share` is 0 or more. A share."
    assert rule("status.vocabulary").meaning == "`status` is one of kept, missed. What became of it."
    assert rule("key").meaning == "No two rows share `booking_id` and `site`. Booked slots."


def test_a_column_of_the_key_is_never_missing_even_where_its_declaration_would_allow_it():
    assert rule("site.not_missing").check is Check.NOT_MISSING


def test_an_upper_bound_alone_is_said_in_words():
    bounded = replace(
        TABLE, columns=(*TABLE.columns, Column(name="age", kind=Kind.INTEGER, meaning="Age.", maximum=120))
    )
    assert rule("age.range", bounded).meaning == "`age` is 120 or less. Age."


def test_every_table_of_the_warehouse_has_a_suite_with_names_of_its_own():
    for table in registry.TABLES.values():
        suite = suite_of(table)
        assert {each.name.split(".")[0] for each in suite.rules} == {table.name}
        assert all(each.meaning.endswith(".") for each in suite.rules)


def test_written_rules_join_the_suite_of_their_table_only():
    here = Rule(
        table="staging.bookings",
        name="bookings.by_hand",
        severity=Severity.WARN,
        meaning="x",
        check=Check.NO_FAILING_ROWS,
        failing_rows="SELECT 1 AS failing WHERE FALSE",
    )
    elsewhere = replace(here, table="staging.others", name="others.by_hand")
    assert suite_of(TABLE, written=[here, elsewhere]).rules[-1] is here
    assert elsewhere not in suite_of(TABLE, written=[here, elsewhere]).rules


def test_a_suite_refuses_two_rules_of_one_name_and_rules_of_another_table():
    first = rule("key")
    with pytest.raises(ValueError, match=r"unique: bookings\.key"):
        Suite(table="staging.bookings", rules=(first, first))
    with pytest.raises(ValueError, match=r"another table's: bookings\.key"):
        Suite(table="staging.others", rules=(first,))


def test_sql_belongs_to_rules_about_failing_rows_alone():
    with pytest.raises(ValueError, match="SQL for failing rows"):
        replace(rule("key"), failing_rows=None)
    with pytest.raises(ValueError, match="SQL for failing rows"):
        replace(rule("status.vocabulary"), failing_rows="SELECT 1")
