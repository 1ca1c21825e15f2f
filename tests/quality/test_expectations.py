import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from datetime import date, datetime
from types import MappingProxyType, SimpleNamespace

import hypothesis
import pytest
from hypothesis import strategies as st

from assets.contracts import registry
from quality import expectations
from quality.expectations import outcomes, validate
from quality.model import Check, Rule, RuleCouldNotRun, Severity, Suite
from quality.suites import suite_of

ATTENDANCE = registry.table("staging.attendance")
PLANTED = "planted-secret-4711"


def attendance(**changes):
    row = {
        "appointment_id": "a1",
        "case_id": "c1",
        "clinician_id": "k1",
        "starts_at": datetime(2026, 1, 5, 10),  # noqa: DTZ001 -- the warehouse keeps UTC without a zone
        "starts_on": date(2026, 1, 5),
        "status": "attended",
        "duration_minutes": 50,
        "source_file": "f.csv",
        "source_line": 1,
    }
    return {**row, **changes}


def failed(connection, suite=None):
    verdicts = validate(connection, suites=[suite or suite_of(ATTENDANCE)])
    return {verdict.name: verdict.failing_rows for verdict in verdicts if not verdict.is_passed}


def by_hand(sql, **changes):
    rule = Rule(
        table="staging.attendance",
        name="attendance.by_hand",
        severity=Severity.WARN,
        meaning="By hand.",
        check=Check.NO_FAILING_ROWS,
        failing_rows=sql,
    )
    return Suite(table="staging.attendance", rules=(replace(rule, **changes),))


def test_every_empty_table_of_the_warehouse_keeps_its_contract(warehouse):
    suites = [suite_of(table) for table in registry.TABLES.values()]
    verdicts = validate(warehouse, suites=suites)
    assert [verdict.name for verdict in verdicts if not verdict.is_passed] == []
    assert len(verdicts) == sum(len(suite.rules) for suite in suites)


def test_good_rows_pass_every_rule(warehouse, put):
    put("staging.attendance", **attendance())
    put("staging.attendance", **attendance(appointment_id="a2", duration_minutes=None))
    assert failed(warehouse) == {}


def test_planted_faults_are_found_with_their_number(warehouse, put):
    put("staging.attendance", **attendance(status="gone"))
    put("staging.attendance", **attendance(appointment_id="a2", status="gone", duration_minutes=0))
    put("staging.attendance", **attendance(appointment_id="a3", duration_minutes=601))
    put("staging.attendance", **attendance(appointment_id="a4", case_id=None, duration_minutes=-5))
    assert failed(warehouse) == {
        "attendance.case_id.not_missing": 1,
        "attendance.status.vocabulary": 2,
        "attendance.duration_minutes.range": 3,
    }


def test_every_row_of_a_repeated_key_fails(warehouse, put):
    for appointment_id in ("a1", "a1", "a1", "a2", "a3", "a3"):
        put("staging.attendance", **attendance(appointment_id=appointment_id))
    assert failed(warehouse) == {"attendance.key": 5}


def test_a_key_of_two_columns_may_repeat_in_either_alone(warehouse, put):
    suite = suite_of(registry.table("marts.clinician_months"))
    counts = dict.fromkeys(
        (column.name for column in registry.table("marts.clinician_months").columns if column.minimum is not None), 0
    )
    for clinician, month in (("k1", 1), ("k1", 2), ("k2", 1), ("k2", 1)):
        put("marts.clinician_months", clinician_id=clinician, month=date(2026, month, 1), **counts)
    assert failed(warehouse, suite) == {"clinician_months.key": 2}


def test_a_reference_is_held_only_where_its_target_has_rows(warehouse, put):
    put("staging.attendance", **attendance(clinician_id="k9"))
    put("staging.attendance", **attendance(appointment_id="a2", clinician_id="k1"))
    assert failed(warehouse) == {}
    put("staging.clinicians", clinician_id="k1", source_file="f.csv", source_line=1)
    assert failed(warehouse) == {"attendance.clinician_id.reference": 1}


def test_columns_out_of_order_or_of_another_type_fail(warehouse):
    warehouse.execute("ALTER TABLE staging.clinicians ALTER started_on TYPE VARCHAR")
    assert failed(warehouse, suite_of(registry.table("staging.clinicians"))) == {"clinicians.started_on.type": 1}
    warehouse.execute("ALTER TABLE staging.clinicians ADD COLUMN nickname VARCHAR")
    assert failed(warehouse, suite_of(registry.table("staging.clinicians"))) == {
        "clinicians.columns": 1,
        "clinicians.started_on.type": 1,
    }


def test_many_failing_rows_are_counted_to_the_last(warehouse):
    warehouse.execute(
        "INSERT INTO staging.attendance BY NAME SELECT 'a' || i AS appointment_id, 'c' AS case_id, 'k' AS clinician_id,"
        " TIMESTAMP '2026-01-05 10:00' AS starts_at, DATE '2026-01-05' AS starts_on, 'gone' AS status,"
        " 'f' AS source_file, 1 AS source_line FROM range(5000) AS numbers(i)"
    )
    assert failed(warehouse) == {"attendance.status.vocabulary": 5000}


def test_sql_with_braces_quotes_and_percent_signs_runs_as_it_is_written(warehouse, put):
    put("staging.attendance", **attendance(case_id="{x}%"))
    suite = by_hand("SELECT appointment_id FROM staging.attendance WHERE case_id LIKE '{x}%' AND case_id <> ':a'")
    assert failed(warehouse, suite) == {"attendance.by_hand": 1}


def test_a_rule_over_a_column_that_is_gone_raises(warehouse):
    warehouse.execute("ALTER TABLE staging.clinicians DROP COLUMN site")
    with pytest.raises(RuleCouldNotRun, match=r"clinicians\.site\.type could not run"):
        validate(warehouse, suites=[suite_of(registry.table("staging.clinicians"))])


def test_a_rule_with_broken_sql_raises_and_says_why(warehouse):
    with pytest.raises(RuleCouldNotRun, match=r"by_hand could not run: Binder Error: .*no_such_column"):
        validate(warehouse, suites=[by_hand("SELECT no_such_column FROM staging.attendance")])


def test_a_table_that_is_gone_raises(warehouse):
    warehouse.execute("DROP TABLE staging.attendance")
    with pytest.raises(RuleCouldNotRun, match=r"staging\.attendance: no rule could run"):
        validate(warehouse, suites=[suite_of(ATTENDANCE)])


def test_an_error_that_would_quote_a_value_is_named_without_it(warehouse, put):
    put("staging.attendance", **attendance(case_id=PLANTED))
    suite = by_hand("SELECT 1 AS failing FROM staging.attendance WHERE CAST(case_id AS INTEGER) = 1")
    with pytest.raises(RuleCouldNotRun, match="could not run: ConversionException") as raised:
        validate(warehouse, suites=[suite])
    assert PLANTED not in str(raised.value)


def test_no_verdict_and_no_result_holds_a_value_from_the_data(warehouse, put):
    put("staging.attendance", **attendance(appointment_id=PLANTED, status=PLANTED))
    put("staging.attendance", **attendance(appointment_id=PLANTED, clinician_id=PLANTED))
    put("staging.clinicians", clinician_id="k1", source_file="f.csv", source_line=1)
    [outcome] = outcomes(warehouse, suites=[suite_of(ATTENDANCE)])
    assert len([verdict for verdict in outcome.verdicts if not verdict.is_passed]) == 3
    assert PLANTED not in json.dumps([asdict(verdict) for verdict in outcome.verdicts])
    assert PLANTED not in json.dumps(outcome.result.to_json_dict())


def test_a_verdict_carries_its_rules_severity_and_meaning(warehouse):
    [verdict] = validate(warehouse, suites=[by_hand("SELECT 1 AS failing WHERE FALSE")])
    assert (verdict.severity, verdict.meaning, verdict.is_passed) == (Severity.WARN, "By hand.", True)


def test_rows_of_an_open_transaction_are_seen_and_the_transaction_stays_open(warehouse, put):
    warehouse.execute("BEGIN")
    put("staging.attendance", **attendance(status="gone"))
    assert failed(warehouse) == {"attendance.status.vocabulary": 1}
    warehouse.execute("ROLLBACK")
    assert warehouse.execute("SELECT count(*) FROM staging.attendance").fetchall() == [(0,)]


def test_tables_of_an_attached_database_in_use_are_checked(warehouse, tmp_path):
    warehouse.execute(f"ATTACH '{tmp_path / 'other.duckdb'}' AS other; USE other; CREATE SCHEMA staging")
    warehouse.execute("CREATE TABLE staging.clinicians (clinician_id BIGINT)")
    suite = suite_of(registry.table("staging.clinicians"))
    shape = Suite(table=suite.table, rules=suite.rules[:2])
    assert failed(warehouse, shape) == {"clinicians.columns": 1, "clinicians.clinician_id.type": 1}


def test_ranges_hold_at_their_very_ends(warehouse, put):
    for number, minutes in enumerate((0, 1, 600, 601)):
        put("staging.attendance", **attendance(appointment_id=f"a{number}", duration_minutes=minutes))
    assert failed(warehouse) == {"attendance.duration_minutes.range": 2}


def test_great_expectations_is_imported_only_when_something_is_checked(repository):
    seen = "import sys, quality.expectations; print({'great_expectations', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", seen], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_nothing_is_reported_to_anyone(warehouse):
    validate(warehouse, suites=[])
    assert os.environ["GX_ANALYTICS_ENABLED"] == "false"


def test_a_result_that_is_missing_or_contradicts_itself_is_no_verdict():
    [rule] = by_hand("SELECT 1 AS failing WHERE FALSE").rules
    with pytest.raises(RuleCouldNotRun, match="it has no result"):
        expectations._verdict(rule, None)
    torn = SimpleNamespace(success=True, exception_info={"raised_exception": False}, result={"observed_value": 3})
    with pytest.raises(RuleCouldNotRun, match="both passed and failed"):
        expectations._verdict(rule, torn)


def test_arguments_of_a_rule_cannot_be_changed():
    rule = suite_of(ATTENDANCE).rules[0]
    assert isinstance(rule.arguments, MappingProxyType)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "appointment_id": st.sampled_from(["a1", "a2", "a3", None]),
            "clinician_id": st.sampled_from(["k1", "k2", None]),
            "status": st.sampled_from(["attended", "did_not_attend", "gone", "", None]),
            "duration_minutes": st.sampled_from([None, -1, 0, 1, 50, 600, 601]),
        }
    ),
    max_size=8,
)


@hypothesis.settings(max_examples=10, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@hypothesis.given(rows=ROWS)
def test_verdicts_agree_with_counting_by_hand(warehouse, put, rows):
    warehouse.execute("DELETE FROM staging.attendance; DELETE FROM staging.clinicians")
    put("staging.clinicians", clinician_id="k1", source_file="f.csv", source_line=1)
    for row in rows:
        put("staging.attendance", **attendance(**row))
    keys = [row["appointment_id"] for row in rows]
    known = {"attended", "did_not_attend", None}
    by_hand_counts = {
        "attendance.key": sum(key is not None and keys.count(key) > 1 for key in keys),
        "attendance.appointment_id.not_missing": keys.count(None),
        "attendance.clinician_id.not_missing": sum(row["clinician_id"] is None for row in rows),
        "attendance.clinician_id.reference": sum(row["clinician_id"] == "k2" for row in rows),
        "attendance.status.not_missing": sum(row["status"] is None for row in rows),
        "attendance.status.vocabulary": sum(row["status"] not in known for row in rows),
        "attendance.duration_minutes.range": sum(row["duration_minutes"] in {-1, 0, 601} for row in rows),
    }
    assert failed(warehouse) == {name: count for name, count in by_hand_counts.items() if count}
